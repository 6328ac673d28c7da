"""The report of a check."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from healthchecks_io.reports.runs import durations_of, pair_runs
from healthchecks_io.reports.timeline import status_timeline

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from healthchecks_io.reports.runs import Durations
    from healthchecks_io.reports.timeline import Interval, State
    from healthchecks_io.schemas.checks import Check, CheckPings, CheckStatuses

_READ_ONLY = "the API key is read-only and cannot see pings: runs and durations are not known"
_PAUSES = "past pauses count as downtime: the server does not tell them apart"


class Day(NamedTuple):
    """A part of the window of 24 hours, or less at its beginning.

    Attributes:
        start: Its beginning.
        up: For how many seconds the check was up.
        down: For how many seconds the check was down.
        unknown: For how many seconds its status is not known.
    """

    start: datetime
    up: float
    down: float
    unknown: float

    @property
    def uptime(self) -> float | None:
        """The share of the known time in which the check was up, from 0.0 to 1.0."""
        return _share(self.up, self.down)


@dataclass(frozen=True)
class Report:
    """How a check has been doing.

    As text, it is a summary for people, with what it cannot know.

    Attributes:
        check: The check.
        since: The beginning of the window.
        until: The end of the window. For the reports of a client, this is the server's time.
        timeline: The status in the window, in intervals.
        down_since: Since when the check is down, which may be before the window, or None if it is not down.
        runs: The number of runs that ended in the window.
        failures: How many of them failed.
        runs_since: The time of the oldest ping that the server has kept, or None if no pings are known.
        durations: The durations of successful runs in the window, or None if none is known.
        notes: What the report cannot know.
    """

    check: Check
    since: datetime
    until: datetime
    timeline: tuple[Interval, ...]
    down_since: datetime | None
    runs: int
    failures: int
    runs_since: datetime | None
    durations: Durations | None
    notes: tuple[str, ...] = ()

    def seconds(self, state: State) -> float:
        """Return for how many seconds of the window the check had a status: ``up``, ``down`` or ``unknown``."""
        return sum(interval.seconds for interval in self.timeline if interval.state == state)

    @property
    def uptime(self) -> float | None:
        """The share of the known time in which the check was up, from 0.0 to 1.0. None if nothing is known."""
        return _share(self.seconds("up"), self.seconds("down"))

    @property
    def downtimes(self) -> list[tuple[datetime, datetime | None]]:
        """The beginning and end of each downtime in the window, oldest first. The end is None while it lasts."""
        return [
            (interval.start, None if interval.end == self.until and self.down_since is not None else interval.end)
            for interval in self.timeline
            if interval.state == "down"
        ]

    def days(self) -> list[Day]:
        """Return the window in parts of 24 hours, oldest first. The last one ends with the window."""
        days: list[Day] = []
        end = self.until
        while end > self.since:
            start = max(end - timedelta(days=1), self.since)
            seconds: dict[State, float] = {"up": 0.0, "down": 0.0, "unknown": 0.0}
            for interval in self.timeline:
                overlap = (min(interval.end, end) - max(interval.start, start)).total_seconds()
                seconds[interval.state] += max(overlap, 0.0)
            days.append(Day(start, seconds["up"], seconds["down"], seconds["unknown"]))
            end = start
        return days[::-1]

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def to_json(self) -> str:
        """Return the report as JSON, for programs. Times are in ISO 8601, durations in seconds."""
        return json.dumps(self.to_fields(), indent=2)

    def to_fields(self) -> dict[str, Any]:
        """Return the fields of to_json() as a dict."""
        durations = None if self.durations is None else self.durations._asdict()
        return {
            "name": self.check.name,
            "slug": self.check.slug,
            "uuid": self.check.uuid,
            "unique_key": self.check.unique_key,
            "status": self.check.status,
            "since": self.since.isoformat(),
            "until": self.until.isoformat(),
            "uptime": self.uptime,
            "up": self.seconds("up"),
            "down": self.seconds("down"),
            "unknown": self.seconds("unknown"),
            "down_since": self.down_since and self.down_since.isoformat(),
            "downtimes": [[start.isoformat(), end and end.isoformat()] for start, end in self.downtimes],
            "runs": self.runs,
            "failures": self.failures,
            "runs_since": self.runs_since and self.runs_since.isoformat(),
            "durations": durations,
            "notes": list(self.notes),
        }


def make_report(
    check: Check,
    flips: Sequence[CheckStatuses],
    pings: Sequence[CheckPings] | None,
    since: datetime,
    until: datetime,
    now: datetime | None = None,
) -> Report:
    """Report how a check has been doing. Nothing is sent.

    Args:
        check: The check.
        flips: All flips that the server has kept, in any order. See Client.get_check_flips.
        pings: All pings that the server has kept, in any order, or None if the API key is read-only and cannot see
            them. See Client.get_check_pings.
        since: The beginning of the window.
        until: The end of the window.
        now: The time of the server when it sent the check. By default, ``until``.

    Raises:
        ValueError: The window does not begin before its end.
    """
    if since >= until:
        raise ValueError(f"the window must begin before its end, but begins at {since} and ends at {until}")
    now = until if now is None else now
    known = pings or ()
    runs = [run for run in pair_runs(known) if since <= run.end < until]
    runs_since = min((ping.date for ping in known), default=None)
    return Report(
        check=check,
        since=since,
        until=until,
        timeline=status_timeline(check, flips, known, since, until, now),
        down_since=_down_since(check, flips, known, now) if until >= now else None,
        runs=len(runs),
        failures=sum(run.has_failed for run in runs),
        runs_since=runs_since,
        durations=durations_of(runs),
        notes=tuple(_notes(flips, pings, since, runs_since)),
    )


def _down_since(
    check: Check, flips: Sequence[CheckStatuses], pings: Sequence[CheckPings], now: datetime
) -> datetime | None:
    times = [flip.timestamp for flip in flips] + [ping.date for ping in pings] + [now]
    last = status_timeline(check, flips, pings, min(times) - timedelta(seconds=1), now + timedelta(seconds=1), now)[-1]
    return last.start if last.state == "down" else None


def _notes(
    flips: Sequence[CheckStatuses],
    pings: Sequence[CheckPings] | None,
    since: datetime,
    runs_since: datetime | None,
) -> list[str]:
    notes: list[str] = []
    if pings is None:
        notes.append(_READ_ONLY)
    elif runs_since is not None and runs_since > since and min(ping.number_of_pings for ping in pings) > 1:
        notes.append(f"earlier runs are not counted: the server has kept no pings before {_time(runs_since)}")
    oldest = min((flip.timestamp for flip in flips), default=None)
    if oldest is not None and oldest > since:
        notes.append(f"the status before its first known change is inferred: it was at {_time(oldest)}")
    if any(not flip.up and flip.timestamp >= since for flip in flips):
        notes.append(_PAUSES)
    return notes


def _share(up: float, down: float) -> float | None:
    # Rounding must not lead out of the range.
    return min(up / (up + down), 1.0) if up + down > 0 else None


def _lines(report: Report) -> list[str]:
    name = report.check.name or report.check.slug or "(no name)"
    lines = [f"{name}: {report.check.status}, {_time(report.since)} to {_time(report.until)}"]
    if report.down_since is not None:
        lines.append(f"down since {_time(report.down_since)}")
    uptime = "not known" if report.uptime is None else format_share(report.uptime)
    lines.append(f"uptime: {uptime}, {len(report.downtimes)} downtimes")
    lines.append(f"runs: {report.runs}, of which {report.failures} failed")
    if report.durations is not None:
        each = report.durations
        lines.append(f"durations: median {each.median:.1f} s, p95 {each.p95:.1f} s, longest {each.longest:.1f} s")
    return [*lines, *(f"note: {note}" for note in report.notes)]


def format_share(share: float) -> str:
    """Format a share as a percentage. It is rounded down: 100 % means that the check was never down."""
    return f"{int(share * 10_000) / 100:.2f} %"


def _time(value: datetime) -> str:
    return value.isoformat(" ", "seconds")
