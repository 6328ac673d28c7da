"""The status of a check over time, walked backwards from the present one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from healthchecks_io.schemas.checks import Check, CheckPings, CheckStatuses

State: TypeAlias = Literal["up", "down", "unknown"]

_STATES: dict[str, State] = {"up": "up", "grace": "up", "down": "down", "paused": "unknown", "new": "unknown"}
_OPPOSITES: dict[State, State] = {"up": "down", "down": "up", "unknown": "unknown"}


class Interval(NamedTuple):
    """A time during which a check has the same status.

    Attributes:
        start: Its beginning.
        end: Its end.
        state: ``up``, ``down`` or ``unknown``.
    """

    start: datetime
    end: datetime
    state: State

    @property
    def seconds(self) -> float:
        """Its length in seconds."""
        return (self.end - self.start).total_seconds()


def status_timeline(
    check: Check,
    flips: Sequence[CheckStatuses],
    pings: Sequence[CheckPings],
    since: datetime,
    until: datetime,
    now: datetime | None = None,
) -> tuple[Interval, ...]:
    """Return the status of a check over time, in intervals that follow each other without a gap.

    The flips do not tell a pause from downtime: a past pause counts as down. A check that is paused now, or new, is
    unknown since its last flip. Before its first known flip, the status was the opposite, back to the oldest known
    ping. Before that, it is unknown.

    Args:
        check: The check.
        flips: Its flips, in any order.
        pings: Its pings, in any order. None are known with a read-only key.
        since: The beginning of the time.
        until: The end of the time.
        now: The time of the server when it sent the check. By default, ``until``.
    """
    now = until if now is None else now
    newest_first = sorted(flips, key=lambda flip: flip.timestamp, reverse=True)
    changes: list[tuple[datetime, State]] = [
        *_present(check, newest_first, now),
        *((flip.timestamp, _state_after(flip)) for flip in newest_first[1:]),
    ]
    known_since = [ping.date for ping in pings] + ([] if check.last_ping is None else [check.last_ping])
    present = _STATES.get(check.status, "unknown")
    before = _OPPOSITES[_state_after(newest_first[-1])] if newest_first else present
    changes.append((min([*known_since, changes[-1][0]]), before))
    changes.append((min(since, changes[-1][0]), "unknown"))
    return _clipped(changes, since, until)


def _state_after(flip: CheckStatuses) -> State:
    return "up" if flip.up else "down"


def _present(check: Check, newest_first: Sequence[CheckStatuses], now: datetime) -> Iterable[tuple[datetime, State]]:
    """Yield since when the check has its present status, newest first."""
    if not newest_first:
        yield now, _STATES.get(check.status, "unknown")
        return
    last = newest_first[0]
    # Before version 3 of the API, the status of a running check is "started", whatever it was before.
    state = _STATES.get(check.status, _state_after(last))
    if state == "down" and last.up and check.next_ping is not None:
        # The server has computed the status, and not recorded the change yet.
        due = check.next_ping + timedelta(seconds=check.grace)
        if last.timestamp < due:
            yield due, "down"
            state = "up"
    yield last.timestamp, state


def _clipped(changes: Iterable[tuple[datetime, State]], since: datetime, until: datetime) -> tuple[Interval, ...]:
    """Return the intervals between changes, newest first, that lie in a window. Equal neighbours are joined."""
    found: list[Interval] = []
    end = until
    for time, state in changes:
        start = max(time, since)
        if start >= end:
            continue
        if found and found[-1].state == state:
            found[-1] = found[-1]._replace(start=start)
        else:
            found.append(Interval(start, end, state))
        end = start
    return tuple(reversed(found))
