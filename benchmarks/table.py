"""The table of results and targets."""

from __future__ import annotations

import re
from itertools import groupby
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.quantities import Quantity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.quantities import Figures, Row

_HEADER = ("benchmark", "ours", "baseline", "", "ratio", "target", "result")


def result_of(row: Row, rounds: Sequence[Figures], cost_unit: str) -> dict[str, Any]:
    """Return the result of a row: the medians of the quantities, and of their ratio in each round."""
    ours = [row.ours.value(figures) for figures in rounds]
    result: dict[str, Any] = {
        "name": row.name,
        "unit": cost_unit if row.is_cost else row.unit,
        "ours": median(ours),
        "baseline": None,
        "baseline_name": row.baseline_name,
        "ratio": None,
        "target": row.target,
        "is_minimum": row.is_minimum,
    }
    baseline = row.baseline
    if baseline is not None:
        baselines = [baseline.value(figures) if isinstance(baseline, Quantity) else baseline for figures in rounds]
        result["baseline"] = median(baselines)
        result["ratio"] = median(mine / theirs for mine, theirs in zip(ours, baselines, strict=True))
    value = result["ours"] if baseline is None else result["ratio"]
    # A target in instructions does not apply to a time.
    if baseline is not None or not row.is_cost or cost_unit == "instructions":
        result["is_met"] = value >= row.target if row.is_minimum else value <= row.target
    else:
        result["is_met"] = None
    return result


def as_text(results: Sequence[Mapping[str, Any]]) -> str:
    """Format the results as a table."""
    lines = [_HEADER, *(_cells(result) for result in results)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def as_markdown(results: Sequence[Mapping[str, Any]]) -> str:
    """Format the results as a table of the documentation. A benchmark with several comparisons is named once."""
    lines = ["| Benchmark | This library | Compared with | Ratio | Target |", "|---|---|---|---|---|"]
    for name, same in groupby(results, key=lambda result: result["name"]):
        for number, result in enumerate(same):
            _, ours, baseline_name, baseline, ratio, target, outcome = _cells(result)
            first = ("", "") if number else (_with_code(name), ours)
            missed = " (missed)" if outcome == "MISSED" else ""
            target = target.replace("<=", "≤").replace(">=", "≥")
            cells = (*first, f"{_with_code(baseline_name)} {baseline}".strip(), ratio, f"{target}{missed}")
            lines.append("|".join(("", *(f" {cell} " if cell else " " for cell in cells), "")))
    return "\n".join(lines)


def _with_code(text: str) -> str:
    """Mark the names and commands in a text as code."""
    return re.sub(r"\w+_\w+|import \w+|run -- true|^run\b", r"`\g<0>`", text)


def _cells(result: Mapping[str, Any]) -> tuple[str, ...]:
    is_ratio = result["ratio"] is not None
    target = f"{result['target']:.2f}" if is_ratio else _readable(result["target"], result["unit"])
    return (
        result["name"],
        _readable(result["ours"], result["unit"]),
        result["baseline_name"],
        _readable(result["baseline"], result["unit"]) if is_ratio else "",
        f"{result['ratio']:.3f}" if is_ratio else "",
        f"{'>=' if result['is_minimum'] else '<='} {target}",
        {True: "met", False: "MISSED", None: "-"}[result["is_met"]],
    )


def _readable(value: float, unit: str) -> str:
    if unit == "B":
        return f"{value / 2**20:.2f} MiB"
    if unit.startswith("of "):
        return f"{value:.2%} {unit}"
    prefixes = {
        "instructions": ((1e6, " M"), (1e3, " k")),
        "s CPU": ((1, " s"), (1e-3, " ms"), (1e-6, " µs"), (1e-9, " ns")),
    }
    for size, suffix in prefixes.get(unit, ()):
        if abs(value) >= size:
            return f"{value / size:.2f}{suffix}"
    return f"{value:.0f}{unit if unit.startswith('/') else ''}"
