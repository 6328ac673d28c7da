"""The runs of a job, from the pings of its check."""

from __future__ import annotations

import math
from datetime import timedelta
from statistics import fmean, median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from healthchecks_io.schemas.checks import CheckPings

_LONGEST_RUN = timedelta(hours=72)
"""A start before that time is not that of the run. Servers use the same limit."""


class Run(NamedTuple):
    """A run that has ended."""

    end: datetime
    """When it ended."""
    has_failed: bool
    """Whether it failed."""
    seconds: float | None
    """Its duration in seconds, or None if its start is not known."""


class Durations(NamedTuple):
    """The durations of successful runs, in seconds."""

    mean: float
    """The mean."""
    median: float
    """The median."""
    p95: float
    """The 95th percentile: 95 % of the runs were not longer."""
    longest: float
    """The longest."""
    last: float
    """The duration of the last run."""
    values: tuple[float, ...]
    """All of them, oldest first."""


def pair_runs(pings: Iterable[CheckPings]) -> list[Run]:
    """Return the runs that have ended, oldest first.

    A success or fail ping ends the run with its run ID. Without a run ID, it ends the run of the latest start without
    one. Log pings and ignored pings do not count.

    Args:
        pings: The pings of a check, in any order.
    """
    runs: list[Run] = []
    starts: dict[str | None, list[datetime]] = {}
    for ping in sorted(pings, key=lambda ping: ping.number_of_pings):
        if ping.type == "start":
            starts.setdefault(ping.rid, []).append(ping.date)
        elif ping.type in ("success", "fail"):
            unpaired = starts.get(ping.rid)
            start = unpaired.pop() if unpaired else None
            seconds = None
            if start is not None and timedelta(0) <= ping.date - start <= _LONGEST_RUN:
                seconds = (ping.date - start).total_seconds()
            runs.append(Run(ping.date, ping.type == "fail", seconds))
    return runs


def durations_of(runs: Sequence[Run]) -> Durations | None:
    """Return the durations of successful runs, or None if there are none."""
    values = tuple(run.seconds for run in runs if run.seconds is not None and not run.has_failed)
    if not values:
        return None
    ordered = sorted(values)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return Durations(fmean(values), median(values), p95, ordered[-1], values[-1], values)
