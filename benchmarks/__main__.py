"""Run the benchmarks and print the results as a table."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import table
from benchmarks.bench import serving
from benchmarks.environments import Environments
from benchmarks.measuring import working_counter
from benchmarks.rows import all_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.bench import Bench
    from benchmarks.quantities import Figures, Row

_BEGIN, _END = "<!-- results of nox -s bench -->", "<!-- end of results -->"


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="skip the slow benchmarks (https, long lists, 1000 concurrent pings) and run fewer rounds",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to a JSON file")
    parser.add_argument("--page", type=Path, metavar="FILE", help="also write the results into a page of the docs")
    parser.add_argument("--only", default="", metavar="TEXT", help="run only benchmarks whose name contains TEXT")
    parser.add_argument(
        "--constraints", type=Path, metavar="FILE", help="a pip constraints file with the dependency versions to use"
    )
    parser.add_argument(
        "--environments", type=Path, metavar="FOLDER", help="the folder to create the virtual environments in"
    )
    return parser.parse_args()


def _run_rounds(bench: Bench, rows: Sequence[Row], count: int) -> list[Figures]:
    rounds: list[Figures] = []
    for number in range(count if rows else 0):
        started = time.monotonic()
        rounds.append(bench.measure(rows))
        kind = "costs" if rows[0].is_cost else "times"
        print(f"{kind}, round {number + 1} of {count}: {time.monotonic() - started:.0f} s", file=sys.stderr)
    return rounds


def _format_versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _write_into(page: Path, report: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> None:
    """Replace the results in a page of the documentation, between two comments."""
    ours = report["versions"]["ours"]
    measured = (
        f"Measured in one run of {report['seconds'] / 60:.0f} minutes with CPython {report['python']} "
        f"on {platform.system()}, {os.cpu_count()} processors, httpx {ours['httpx']} and pydantic {ours['pydantic']}."
    )
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    text = f"{before}{_BEGIN}\n{table.as_markdown(results)}\n\n{measured}\n{_END}{after}"
    page.write_text(text, encoding="utf-8")


def main() -> None:
    """Run the benchmarks and print the table."""
    arguments = _parse_arguments()
    started = time.monotonic()
    counter = working_counter()
    rows = [row for row in all_rows(counter.calls, is_quick=arguments.quick) if arguments.only in row.name]
    cost_rounds, time_rounds = (1, 2) if arguments.quick else (2, 5)
    if counter.is_noisy:
        cost_rounds = time_rounds
    with tempfile.TemporaryDirectory() as folder:
        environments = Environments(arguments.environments or Path(folder), arguments.constraints)
        with serving(environments, counter) as bench:
            costs = _run_rounds(bench, [row for row in rows if row.is_cost], cost_rounds)
            times = _run_rounds(bench, [row for row in rows if not row.is_cost], time_rounds)
        versions = environments.versions()
    results = [table.result_of(row, costs if row.is_cost else times, counter.unit) for row in rows]
    report = {
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "versions": versions,
        "cost": counter.name,
        "rounds": {"costs": cost_rounds, "times": time_rounds},
        "seconds": round(time.monotonic() - started),
        "rows": results,
    }
    print(table.as_text(results))
    print()
    print(*(f"{name}: {value}" for name, value in report.items() if name not in ("rows", "versions")), sep="\n")
    print(*(f"{name}: {_format_versions(each)}" for name, each in versions.items()), sep="\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")
    if arguments.page:
        _write_into(arguments.page, report, results)


if __name__ == "__main__":
    main()
