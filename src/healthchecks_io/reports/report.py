"""The report of a check."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from healthchecks_io.reports.runs import durations_of, pair_runs
from healthchecks_io.reports.timeline import checked_window, clip, status_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from healthchecks_io.reports.runs import Durations, Run
    from healthchecks_io.reports.timeline import Change, Interval, State
    from healthchecks_io.schemas.checks import Check, CheckPings, CheckStatuses

_READ_ONLY = "the API key is read-only and cannot see pings: runs and durations are not known"
_NO_PINGS = "the server has kept no pings: runs and durations are not known"
_NO_FLIPS = "no change of status is known: the status is inferred from the present one"
_PAUSES = "past pauses count as downtime: the server does not distinguish them"


class Day(NamedTuple):
    """A part of the window of 24 hours, or less at its beginning."""

    start: datetime
    """Its beginning."""
    up: float
    """For how many seconds the check was up."""
    down: float
    """For how many seconds the check was down."""
    unknown: float
    """For how many seconds its status is not known."""

    @property
    def uptime(self) -> float | None:
        """The share of the known time in which the check was up, from 0.0 to 1.0."""
        return _share(self.up, self.down)


@dataclass(frozen=True)
class Report:
    """How a check has been doing.

    ``str(report)`` is a summary, with notes on what is not known.
    """

    check: Check
    """The check."""
    since: datetime
    """The beginning of the window."""
    until: datetime
    """The end of the window. For the reports of a client, this is the server's time."""
    timeline: tuple[Interval, ...]
    """The status in the window, in intervals."""
    status_since: datetime | None
    """Since when the check has its status, as far as is known, or None if the window ended before now."""
    down_since: datetime | None
    """Since when the check is down, which may be before the window, or None if it is not down."""
    runs: int
    """The number of runs that ended in the window."""
    failures: int
    """How many of them failed."""
    runs_since: datetime | None
    """The time of the oldest ping that the server has kept, or None if no pings are known."""
    durations: Durations | None
    """The durations of successful runs in the window, or None if none is known."""
    notes: tuple[str, ...] = ()
    """What the report cannot know."""

    @property
    def title(self) -> str:
        """The name of the check, or its slug if it has no name."""
        return self.check.name or self.check.slug or "(no name)"

    def seconds(self, state: State) -> float:
        """Return for how many seconds of the window the check had a status.

        Args:
            state: The status: ``up``, ``down`` or ``unknown``.
        """
        return sum(interval.seconds for interval in self.timeline if interval.state == state)

    @property
    def uptime(self) -> float | None:
        """The share of the known time in which the check was up, from 0.0 to 1.0. None if nothing is known."""
        return _share(self.seconds("up"), self.seconds("down"))

    @property
    def downtimes(self) -> list[tuple[datetime, datetime | None]]:
        """The beginning and end of each downtime in the window, oldest first. The end is None while it lasts."""
        found: list[tuple[datetime, datetime | None]] = [
            (interval.start, interval.end) for interval in self.timeline if interval.state == "down"
        ]
        if self.down_since is not None:
            if self.down_since < self.until:
                found.pop()
            found.append((max(self.down_since, self.since), None))
        return found

    def days(self) -> list[Day]:
        """Return the window in parts of 24 hours, oldest first. The last one ends with the window."""
        starts = [self.until]
        while starts[-1] > self.since:
            starts.append(max(starts[-1] - timedelta(days=1), self.since))
        starts.reverse()
        seconds: list[dict[State, float]] = [{"up": 0.0, "down": 0.0, "unknown": 0.0} for _ in starts[1:]]
        day = 0
        for interval in self.timeline:
            start = interval.start
            while start < interval.end:
                end = min(interval.end, starts[day + 1])
                seconds[day][interval.state] += (end - start).total_seconds()
                start = end
                if end == starts[day + 1]:
                    day += 1
        return [
            Day(start, each["up"], each["down"], each["unknown"]) for start, each in zip(starts, seconds, strict=False)
        ]

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def to_json(self) -> str:
        """Return the report as JSON, for programs. Times are in ISO 8601, durations in seconds.

        ``since`` and ``until`` are the beginning and end of the window. ``up``, ``down`` and ``unknown`` are the
        numbers of seconds for which the check had that status.
        """
        return json.dumps(self.to_fields(), indent=2)

    def to_fields(self) -> dict[str, Any]:
        """Return the fields of to_json() as a dict."""
        durations = self.durations and {**self.durations._asdict(), "values": list(self.durations.values)}
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
            "status_since": self.status_since and self.status_since.isoformat(),
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
        ValueError: A time has no time zone, or the window does not begin before its end.
    """
    since, until, now = checked_window(since, until, now)
    known = pings or ()
    changes = status_changes(check, flips, known, now)
    timeline = clip(changes, since, until)
    ends_now = until >= now
    runs = [run for run in pair_runs(known) if _is_in_window(run, since, until, ends_now=ends_now)]
    return Report(
        check=check,
        since=since,
        until=until,
        timeline=timeline,
        status_since=_status_since(check, changes, now) if ends_now else None,
        down_since=_down_since(changes) if ends_now else None,
        runs=len(runs),
        failures=sum(run.has_failed for run in runs),
        runs_since=min((ping.date for ping in known), default=None),
        durations=durations_of(runs),
        notes=(*_notes_on_pings(check, pings, since), *_notes_on_flips(flips, since, timeline)),
    )


def _is_in_window(run: Run, since: datetime, until: datetime, *, ends_now: bool) -> bool:
    # A server sends its time in whole seconds, but those of pings with fractions: the present second counts as a whole.
    return since <= run.end and (run.end < until or (ends_now and run.end.replace(microsecond=0) <= until))


def _status_since(check: Check, changes: Sequence[Change], now: datetime) -> datetime:
    """Return since when a check has its status. The changes of the timeline do not distinguish all statuses."""
    newest = changes[0]
    if check.status == "grace" and check.next_ping is not None and newest.time < check.next_ping <= now:
        return check.next_ping
    return _down_since(changes) or newest.time


def _down_since(changes: Sequence[Change]) -> datetime | None:
    since: datetime | None = None
    for change in changes:
        if change.state == "down":
            since = change.time
        elif since is None or change.time < since:
            break
        # Else it was up for less than a second, the resolution of flips.
    return since


def _notes_on_pings(check: Check, pings: Sequence[CheckPings] | None, since: datetime) -> Iterable[str]:
    if pings is None:
        yield _READ_ONLY
    elif not pings and check.n_pings > 0:
        yield _NO_PINGS
    elif pings:
        oldest = min(pings, key=lambda ping: ping.number_of_pings)
        if oldest.number_of_pings > 1 and oldest.date > since:
            yield f"earlier runs are not counted: the server has kept no pings before {_time(oldest.date)}"


def _notes_on_flips(flips: Sequence[CheckStatuses], since: datetime, timeline: Sequence[Interval]) -> Iterable[str]:
    oldest = min((flip.timestamp for flip in flips), default=None)
    known_since = next((interval.start for interval in timeline if interval.state != "unknown"), None)
    if oldest is not None and oldest > since:
        before = "inferred" if known_since is not None and known_since < oldest else "not known"
        yield f"the status is {before} before its first recorded change: {_time(oldest)}"
    elif oldest is None and known_since is not None:
        yield _NO_FLIPS
    if any(interval.state == "down" for interval in timeline):
        yield _PAUSES


def _share(up: float, down: float) -> float | None:
    # Rounding must not lead out of the range.
    return min(up / (up + down), 1.0) if up + down > 0 else None


def _lines(report: Report) -> list[str]:
    lines = [f"{report.title}: {report.check.status}, {_time(report.since)} to {_time(report.until)}"]
    if report.down_since is not None:
        lines.append(f"down since {_time(report.down_since)}")
    uptime = "not known" if report.uptime is None else format_share(report.uptime)
    count = len(report.downtimes)
    lines.append(f"uptime: {uptime}, {count} {'downtime' if count == 1 else 'downtimes'}")
    if report.runs_since is None and report.check.n_pings > 0:
        lines.append("runs: not known")
    else:
        lines.append(f"runs: {report.runs}, of which {report.failures} failed")
    if report.durations is not None:
        each = report.durations
        lines.append(f"durations: median {each.median:.1f} s, p95 {each.p95:.1f} s, longest {each.longest:.1f} s")
    return [*lines, *(f"note: {note}" for note in report.notes)]


def format_share(share: float) -> str:
    """Format a share as a percentage. It is rounded down: 100 % means that the check was never down."""
    # The inner rounding keeps 0.57, which is a little less in binary, from becoming 56.99 %.
    return f"{math.floor(round(share * 10_000, 6)) / 100:.2f} %"


def _time(value: datetime) -> str:
    return value.isoformat(" ", "seconds")
