"""Measure, and print the table: ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import table
from benchmarks.bench import serving
from benchmarks.environments import Environments
from benchmarks.measuring import working_counter
from benchmarks.rows import all_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.bench import Bench
    from benchmarks.quantities import Figures, Row


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="leave out what is slow: https, long lists, 1000 pings at once, rounds"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results to a file, too")
    parser.add_argument("--only", default="", metavar="WORDS", help="measure the rows with these words in their name")
    parser.add_argument("--constraints", type=Path, metavar="FILE", help="the versions of our dependencies")
    parser.add_argument("--environments", type=Path, metavar="FOLDER", help="where to make the environments")
    return parser.parse_args()


def _rounds(bench: Bench, rows: Sequence[Row], count: int) -> list[Figures]:
    rounds: list[Figures] = []
    for number in range(count if rows else 0):
        begun = time.monotonic()
        rounds.append(bench.measure(rows))
        what = "costs" if rows[0].is_cost else "times"
        print(f"{what}, round {number + 1} of {count}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return rounds


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def main() -> None:
    """Measure, and print the table."""
    arguments = _arguments()
    begun = time.monotonic()
    counter = working_counter()
    rows = [row for row in all_rows(counter.calls, is_quick=arguments.quick) if arguments.only in row.work]
    rounds_of_costs, rounds_of_times = (1, 2) if arguments.quick else (2, 5)
    if counter.is_disturbed:
        rounds_of_costs = rounds_of_times
    with tempfile.TemporaryDirectory() as folder:
        environments = Environments(arguments.environments or Path(folder), arguments.constraints)
        with serving(environments, counter) as bench:
            costs = _rounds(bench, [row for row in rows if row.is_cost], rounds_of_costs)
            times = _rounds(bench, [row for row in rows if not row.is_cost], rounds_of_times)
        versions = environments.versions()
    results = [table.result_of(row, costs if row.is_cost else times, counter.unit) for row in rows]
    report = {
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "versions": versions,
        "cost": counter.name,
        "rounds": {"of costs": rounds_of_costs, "of times": rounds_of_times},
        "seconds": round(time.monotonic() - begun),
        "rows": results,
    }
    print(table.as_text(results))
    print()
    print(*(f"{name}: {value}" for name, value in report.items() if name not in ("rows", "versions")), sep="\n")
    print(*(f"{name}: {_listed(each)}" for name, each in versions.items()), sep="\n")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
