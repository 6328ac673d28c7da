"""The status of a check over time, walked backwards from the present one."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from healthchecks_io.schemas.checks import Check, CheckPings, CheckStatuses

State: TypeAlias = Literal["up", "down", "unknown"]
"""The status of a check during an interval. A paused check, and a new one, is unknown."""

_STATES: dict[str, State] = {"up": "up", "grace": "up", "down": "down", "paused": "unknown", "new": "unknown"}


class Interval(NamedTuple):
    """A period in which a check has the same status."""

    start: datetime
    """Its beginning."""
    end: datetime
    """Its end."""
    state: State
    """``up``, ``down`` or ``unknown``."""

    @property
    def seconds(self) -> float:
        """Its length in seconds."""
        return (self.end - self.start).total_seconds()


class Change(NamedTuple):
    """A change of the status.

    Attributes:
        time: When it changed.
        state: The status from then on: ``up``, ``down`` or ``unknown``.
    """

    time: datetime
    state: State


def status_timeline(
    check: Check,
    flips: Sequence[CheckStatuses],
    pings: Sequence[CheckPings],
    since: datetime,
    until: datetime,
    now: datetime | None = None,
) -> tuple[Interval, ...]:
    """Return the status of a check over time, in intervals that follow each other without a gap.

    The flips do not distinguish pauses from downtime: a past pause counts as down. A check that is paused now, or new,
    is unknown since its last flip. Before its first known flip, the status was the opposite, back to the oldest known
    ping. Before that, and before the first run of a new check has ended, it is unknown.

    Args:
        check: The check.
        flips: Its flips, in any order. Those of the same second are newest first, as servers send them.
        pings: Its pings, in any order. None are known with a read-only key.
        since: The beginning of the period.
        until: The end of the period.
        now: The time of the server when it sent the check. By default, ``until``.

    Raises:
        ValueError: A time has no time zone, or the period does not begin before its end.
    """
    since, until, now = checked_window(since, until, now)
    return clip(status_changes(check, flips, pings, now), since, until)


def checked_window(
    since: datetime, until: datetime, now: datetime | None = None
) -> tuple[datetime, datetime, datetime]:
    """Return a window, and the time of the server, in UTC if they are valid.

    Between two times in the same time zone, Python ignores changes to daylight saving time. In UTC there are none.

    Raises:
        ValueError: A time has no time zone, or the window does not begin before its end.
    """
    now = until if now is None else now
    for time in (since, until, now):
        if time.utcoffset() is None:
            raise ValueError(f"times must have a time zone, but {time} has none")
    if since >= until:
        raise ValueError(f"the window must begin before its end, but begins at {since} and ends at {until}")
    return since.astimezone(timezone.utc), until.astimezone(timezone.utc), now.astimezone(timezone.utc)


def status_changes(
    check: Check, flips: Sequence[CheckStatuses], pings: Sequence[CheckPings], now: datetime
) -> list[Change]:
    """Return the changes of the status of a check, newest first. Before the last of them, the status is unknown.

    Args:
        check: The check.
        flips: Its flips: see status_timeline.
        pings: Its pings: see status_timeline.
        now: The time of the server when it sent the check.
    """
    newest_first = _flips_before(check, flips, now)
    last = newest_first[0] if newest_first else None
    known_since = [ping.date for ping in pings] + ([] if check.last_ping is None else [check.last_ping])

    changes: list[Change] = []
    present = _STATES.get(check.status)
    ended = _unrecorded_end(check, last)
    if ended is not None:
        changes.append(Change(ended, "down"))
        present = None
    if present is None:
        present = _stored_state(check, last)

    if last is None:
        changes.append(Change(min([*known_since, changes[-1].time if changes else now]), present))
        return changes
    changes.append(Change(last.timestamp, present))
    changes += (Change(flip.timestamp, _state_after(flip)) for flip in newest_first[1:])
    oldest = newest_first[-1]
    if not _was_new_before(oldest, pings):
        changes.append(Change(min([*known_since, oldest.timestamp]), "down" if oldest.up else "up"))
    return _without_moments(changes)


def _without_moments(changes: Iterable[Change]) -> list[Change]:
    """Return the changes, newest first, without those to a status that lasted no time."""
    kept: list[Change] = []
    for change in changes:
        if not kept or change.time < kept[-1].time:
            kept.append(change)
    return kept


def _state_after(flip: CheckStatuses) -> State:
    return "up" if flip.up else "down"


def _was_new_before(oldest: CheckStatuses, pings: Sequence[CheckPings]) -> bool:
    """Return whether the check was new before its first flip: all its pings are known, and none had ended a run."""
    return any(ping.number_of_pings == 1 for ping in pings) and not any(
        ping.type in ("success", "fail") and ping.date < oldest.timestamp for ping in pings
    )


def _flips_before(check: Check, flips: Sequence[CheckStatuses], now: datetime) -> Sequence[CheckStatuses]:
    """Return the flips, newest first, without those that the server recorded after it had sent the check.

    The clock alone does not show which ones these are, because it may be wrong. The status does.
    """
    newest_first = sorted(flips, key=lambda flip: flip.timestamp, reverse=True)
    for index, flip in enumerate(newest_first):
        if flip.timestamp < now or not _contradicts(check, flip):
            return newest_first[index:]
    return []


def _contradicts(check: Check, last: CheckStatuses) -> bool:
    """Return whether a flip cannot be the last one before the check had its status."""
    state = _STATES.get(check.status)
    if state is None or _unrecorded_end(check, last) is not None:
        return False
    return bool(last.up) != (state == "up")


def _unrecorded_end(check: Check, last: CheckStatuses | None) -> datetime | None:
    """Return when the grace time of a check ended if the server has computed that it is down, but recorded no flip."""
    # The server sends no next ping for checks whose recorded status is down.
    if check.status != "down" or check.next_ping is None:
        return None
    try:
        ended = check.next_ping + timedelta(seconds=check.grace)
    except OverflowError:
        return None
    return ended if last is None or last.timestamp < ended else None


def _stored_state(check: Check, last: CheckStatuses | None) -> State:
    """Return the recorded status of a check for which the server sends a computed one: ``down`` or ``started``.

    Before version 3 of the API, the status of a running check is ``started``, whatever it was before.
    """
    if check.next_ping is None or check.status not in ("down", "started"):
        if last is not None:
            return _state_after(last)
        return "down" if check.status in ("down", "started") else "unknown"
    # It is not down, or there would be no next ping.
    is_up = check.last_ping is not None if last is None else last.up
    return "up" if is_up else "unknown"


def clip(changes: Iterable[Change], since: datetime, until: datetime) -> tuple[Interval, ...]:
    """Return the intervals between changes, newest first, that lie in a window. Equal neighbours are joined."""
    found: list[Interval] = []
    end = until
    for time, state in (*changes, Change(since, "unknown")):
        start = max(time, since)
        if start >= end:
            continue
        if found and found[-1].state == state:
            found[-1] = found[-1]._replace(start=start)
        else:
            found.append(Interval(start, end, state))
        end = start
    return tuple(reversed(found))
