"""Bars of days and sparklines of durations, as numbers to draw."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from healthchecks_io.reports.report import Day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthchecks_io.reports.report import Report

MAX_MARKS = 30
"""The largest number of days or runs that are drawn. More days are joined, and of more runs the last are drawn."""


def bar_of_days(report: Report) -> list[Day]:
    """Return the days of a report. If they are many, several are joined."""
    days = report.days()
    size = -(-len(days) // MAX_MARKS)
    # The last one is complete, and the first one may be shorter.
    first = len(days) % size or size
    bounds = [0, *range(first, len(days) + 1, size)]
    return [_joined(days[start:end]) for start, end in pairwise(bounds)]


def _joined(days: Sequence[Day]) -> Day:
    return Day(
        days[0].start, sum(day.up for day in days), sum(day.down for day in days), sum(day.unknown for day in days)
    )


def sparkline(report: Report) -> list[float]:
    """Return the durations of the last runs as shares of the longest of them, oldest first."""
    values = report.durations.values[-MAX_MARKS:] if report.durations else ()
    longest = max(values, default=0.0)
    return [value / longest if longest else 0.0 for value in values]
