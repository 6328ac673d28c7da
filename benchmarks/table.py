"""The table: what was measured, the goals, and whether they are met."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.quantities import Quantity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.quantities import Figures, Row

_HEAD = ("work", "ours", "compared with", "", "ratio", "goal", "verdict")


def result_of(row: Row, rounds: Sequence[Figures], unit_of_cost: str) -> dict[str, Any]:
    """Give what a row says: medians, and the median of the ratios of each round."""
    ours = [row.ours.value(figures) for figures in rounds]
    result: dict[str, Any] = {
        "work": row.work,
        "unit": unit_of_cost if row.is_cost else row.unit,
        "ours": median(ours),
        "other": None,
        "called": row.called,
        "ratio": None,
        "goal": row.goal,
        "is_least": row.is_least,
    }
    if row.other is not None:
        known = row.other
        others = [known.value(figures) if isinstance(known, Quantity) else known for figures in rounds]
        result["other"] = median(others)
        result["ratio"] = median(mine / other for mine, other in zip(ours, others, strict=True))
    reached = result["ours"] if row.other is None else result["ratio"]
    # A goal in instructions says nothing of a time.
    if row.other is not None or not row.is_cost or unit_of_cost == "instructions":
        result["is_met"] = reached >= row.goal if row.is_least else reached <= row.goal
    else:
        result["is_met"] = None
    return result


def as_text(results: Sequence[Mapping[str, Any]]) -> str:
    """Write the table."""
    lines = [_HEAD, *(_cells(result) for result in results)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )


def _cells(result: Mapping[str, Any]) -> tuple[str, ...]:
    is_ratio = result["ratio"] is not None
    goal = f"{result['goal']:.2f}" if is_ratio else _readable(result["goal"], result["unit"])
    return (
        result["work"],
        _readable(result["ours"], result["unit"]),
        result["called"],
        _readable(result["other"], result["unit"]) if is_ratio else "",
        f"{result['ratio']:.3f}" if is_ratio else "",
        f"{'>=' if result['is_least'] else '<='} {goal}",
        {True: "met", False: "MISSED", None: "-"}[result["is_met"]],
    )


def _readable(value: float, unit: str) -> str:
    if unit == "B":
        return f"{value / 2**20:.2f} MiB"
    prefixes = {
        "instructions": ((1e6, " M"), (1e3, " k")),
        "s CPU": ((1, " s"), (1e-3, " ms"), (1e-6, " us"), (1e-9, " ns")),
    }
    for size, name in prefixes.get(unit, ()):
        if abs(value) >= size:
            return f"{value / size:.2f}{name}"
    return f"{value:.0f}{unit if unit.startswith('/') else ''}"
