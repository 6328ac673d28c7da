"""The arithmetic of reports agrees with a naive implementation that knows the status of every second.

All times are whole ticks. A tick is a second, or much longer, so that windows reach over days.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from healthchecks_io import Check, CheckPings, CheckStatuses, Report
from healthchecks_io.reports import make_report

if TYPE_CHECKING:
    from collections.abc import Callable

ORIGIN = datetime(2026, 3, 1, tzinfo=timezone.utc)
NOW = 300
"""The time of the server in ticks."""

PRESENT = {"up": "up", "grace": "up", "down": "down", "paused": "unknown", "new": "unknown"}
"""What the status of a check means in a report. Not in it: ``started``, which hides the status."""


TYPES = ("start", "success")


class Flip(NamedTuple):
    time: int
    up: bool


class Ping(NamedTuple):
    time: int
    type: str
    rid: str | None


@dataclass(frozen=True)
class History:
    """What a server sends about a check."""

    tick: int
    """The number of seconds in a tick."""
    status: str
    flips: tuple[Flip, ...]
    """Oldest first."""
    pings: tuple[Ping, ...]
    """In the order of their numbers."""
    dropped: int = 0
    """How many earlier pings the server has dropped."""
    last_ping: int | None = None
    next_ping: int | None = None
    grace: int = 1

    def report(self, since: int, until: int, *, order: Callable[[list[Any]], list[Any]] = list) -> Report:
        check = Check(
            name="Backup",
            n_pings=self.dropped + len(self.pings),
            status=self.status,
            grace=self.grace * self.tick,
            last_ping=None if self.last_ping is None else self.time(self.last_ping),
            next_ping=None if self.next_ping is None else self.time(self.next_ping),
        )
        flips = [CheckStatuses(timestamp=self.time(flip.time), up=int(flip.up)) for flip in reversed(self.flips)]
        pings = [
            CheckPings(n=number, type=ping.type, date=self.time(ping.time), rid=ping.rid)  # type: ignore[call-arg]  # an alias
            for number, ping in enumerate(self.pings, 1 + self.dropped)
        ]
        times = self.time(since), self.time(until), self.time(NOW)
        return make_report(check, order(flips), order(pings), *times)

    def time(self, ticks: int) -> datetime:
        return ORIGIN + timedelta(seconds=ticks * self.tick)


def unrecorded_end(history: History, flips: list[Flip]) -> int | None:
    """Return when a check went down if the server has only computed that, and recorded no flip."""
    if history.status != "down" or history.next_ping is None:
        return None
    end = history.next_ping + history.grace
    return None if any(flip.time >= end for flip in flips) else end


def recorded_before(history: History) -> list[Flip]:
    """Return the flips without those that the server recorded after it had sent the check."""
    flips = list(history.flips)
    while flips and flips[-1].time >= NOW and unrecorded_end(history, flips) is None:
        if history.status == "started" or flips[-1].up == (PRESENT[history.status] == "up"):
            break
        flips.pop()
    return flips


def recorded_status(history: History, flips: list[Flip]) -> str:
    """Return the status that the server has recorded, if it sent another one. With a next ping, that is not down."""
    was_up = flips[-1].up if flips else history.last_ping is not None
    if history.next_ping is not None:
        return "up" if was_up else "unknown"
    return "up" if flips and was_up else "down"


def ended_before(history: History, tick: int) -> bool:
    return any(ping.time < tick for ping in history.pings if ping.type in ("success", "fail"))


def states(history: History, since: int, until: int) -> dict[int, str]:
    """Return the status of each tick of a window: of each tick separately, from nothing but the rules."""
    flips = recorded_before(history)
    down_from = unrecorded_end(history, flips)
    is_hidden = down_from is not None or history.status == "started"
    present = recorded_status(history, flips) if is_hidden else PRESENT[history.status]
    known = [ping.time for ping in history.pings] + [flip.time for flip in flips]
    known += [] if history.last_ping is None else [history.last_ping]
    if not flips:
        known.append(NOW if down_from is None else down_from)
    before_the_first = "down" if flips and flips[0].up else "up"
    if flips and history.pings and not history.dropped and not ended_before(history, flips[0].time):
        before_the_first = "unknown"

    def state(tick: int) -> str:
        before = [flip for flip in flips if flip.time <= tick]
        if down_from is not None and tick >= down_from:
            return "down"
        if tick < min(known):
            return "unknown"
        if len(before) == len(flips):
            return present
        if before:
            return "up" if before[-1].up else "down"
        return before_the_first

    return {tick: state(tick) for tick in range(since, until)}


class NaiveRun(NamedTuple):
    end: int
    has_failed: bool
    ticks: int | None


def runs(history: History, since: int, until: int) -> list[NaiveRun]:
    """Return the runs that ended in a window, by searching all starts for each end."""
    found: list[NaiveRun] = []
    used: set[int] = set()
    for number, ping in enumerate(history.pings):
        if ping.type not in ("success", "fail"):
            continue
        starts = [
            earlier
            for earlier in range(number)
            if earlier not in used and history.pings[earlier].type == "start" and history.pings[earlier].rid == ping.rid
        ]
        ticks = None
        if starts:
            used.add(starts[-1])
            ticks = ping.time - history.pings[starts[-1]].time
            if not 0 <= ticks * history.tick <= 72 * 3600:
                ticks = None
        if since <= ping.time < until or (ping.time == until >= NOW):
            found.append(NaiveRun(ping.time, ping.type == "fail", ticks))
    return found


times = st.integers(-50, NOW + 20)


@st.composite
def histories(draw: st.DrawFn) -> History:
    pings = draw(
        st.lists(
            st.builds(
                Ping,
                times,
                st.sampled_from(["success", "fail", "start", "start", "log", "ign"]),
                st.sampled_from([None, "a", "b"]),
            ),
            max_size=15,
        )
    )
    # Clocks are sometimes set back, so that the numbers and the times of pings disagree.
    if draw(st.integers(0, 4)):
        pings.sort(key=lambda ping: ping.time)
    flips = draw(st.lists(st.builds(Flip, times, st.booleans()), max_size=8))
    flips.sort(key=lambda flip: flip.time)
    status = draw(st.sampled_from(["up", "grace", "down", "paused", "new", "started"]))
    return History(
        tick=draw(st.sampled_from([1, 3600, 10_007])),
        status=status,
        flips=tuple(flips),
        pings=tuple(pings),
        dropped=draw(st.sampled_from([0, 7])),
        last_ping=draw(st.none() | times),
        next_ping=draw(st.none() | times) if status in ("down", "started") else None,
        grace=draw(st.integers(1, 100)),
    )


def windows(count: int = 2) -> st.SearchStrategy[list[int]]:
    """Return ascending times: the beginnings and ends of adjoining windows. Some end in the present."""
    some = st.lists(times, min_size=count, max_size=count, unique=True).map(sorted)
    return some | some.filter(lambda found: found[-2] < NOW).map(lambda found: [*found[:-1], NOW])


@settings(deadline=None, max_examples=200)
@given(histories(), windows())
@example(History(1, "down", (Flip(10, True),), (), last_ping=10, next_ping=50, grace=7), [0, NOW])
@example(History(1, "down", (Flip(10, False),), (), last_ping=5, next_ping=50, grace=7), [0, NOW])
@example(History(1, "down", (), (Ping(20, "start", None),), next_ping=20, grace=7), [0, NOW])
@example(History(1, "down", (Flip(10, True), Flip(57, False)), (), last_ping=10, next_ping=50, grace=7), [0, NOW])
@example(History(1, "down", (Flip(9, False), Flip(NOW, True)), (), next_ping=50, grace=7), [0, NOW])
@example(History(1, "paused", (Flip(9, False), Flip(NOW + 2, True)), ()), [0, NOW])
@example(History(1, "up", (Flip(9, False), Flip(NOW + 2, True)), ()), [0, NOW])
@example(History(1, "up", (Flip(9, True),), (Ping(5, "start", None), Ping(9, "success", None))), [0, NOW])
@example(History(1, "down", (Flip(9, False),), (Ping(5, "start", None), Ping(9, "fail", None)), dropped=1), [0, NOW])
@example(History(1, "up", (Flip(9, True),), (Ping(5, "fail", None), Ping(9, "success", None))), [0, NOW])
@example(History(1, "up", (), (Ping(NOW + 1, "success", None),)), [0, NOW + 1])
@example(History(1, "down", (Flip(9, False), Flip(NOW, True)), (), next_ping=NOW, grace=7), [0, NOW + 20])
@example(History(1, "down", (Flip(9, False), Flip(NOW, True)), (), next_ping=NOW - 7, grace=7), [0, NOW + 20])
@example(History(1, "started", (), (), last_ping=9, next_ping=200), [0, NOW])
@example(History(1, "started", (Flip(9, False),), (), last_ping=9, next_ping=None), [0, NOW])
def test_each_second_has_the_status_that_the_naive_implementation_finds(history: History, window: list[int]) -> None:
    since, until = window
    report = history.report(since, until)

    expected = states(history, since, until)
    found = {
        tick: interval.state
        for interval in report.timeline
        for tick in range(since, until)
        if interval.start <= history.time(tick) < interval.end
    }
    assert found == expected
    for state in ("up", "down", "unknown"):
        assert report.seconds(state) == list(expected.values()).count(state) * history.tick


@settings(deadline=None, max_examples=200)
@given(histories(), windows())
def test_the_parts_of_the_window_are_the_window_to_the_second(history: History, window: list[int]) -> None:
    report = history.report(*window)

    assert sum(report.seconds(state) for state in STATES) == (report.until - report.since).total_seconds()
    ends = [report.since, *(interval.end for interval in report.timeline)]
    assert [interval.start for interval in report.timeline] == ends[:-1]
    assert ends[-1] == report.until


STATES: tuple[Literal["up", "down", "unknown"], ...] = ("up", "down", "unknown")


@settings(deadline=None, max_examples=200)
@given(histories(), windows())
def test_uptime_is_the_share_of_the_known_time_and_never_leaves_its_range(history: History, window: list[int]) -> None:
    report = history.report(*window)

    found = list(states(history, *window).values())
    up, known = found.count("up"), found.count("up") + found.count("down")
    if not known:
        assert report.uptime is None
    else:
        assert report.uptime is not None
        assert 0.0 <= report.uptime <= 1.0
        assert abs(report.uptime - up / known) < 1e-9
        assert (report.uptime == 1.0) == (up == known)
        assert (report.uptime == 0.0) == (up == 0)


@settings(deadline=None, max_examples=200)
@given(histories(), windows())
@example(History(1, "down", (Flip(9, False), Flip(20, True), Flip(20, False)), ()), [0, NOW])
@example(History(1, "down", (Flip(9, False), Flip(NOW, False)), (), next_ping=NOW, grace=7), [0, NOW])
@example(History(1, "down", (Flip(9, True), Flip(NOW, False)), ()), [0, NOW])
def test_downtimes_are_the_runs_of_seconds_that_are_down(history: History, window: list[int]) -> None:
    since, until = window
    report = history.report(since, until)

    found = states(history, since, until)
    down = [tick for tick in found if found[tick] == "down"]
    starts = [tick for tick in down if found.get(tick - 1) != "down"]
    ends: list[int | None] = [tick + 1 for tick in down if found.get(tick + 1) != "down"]
    if report.down_since is not None:
        assert until >= NOW
        assert history.status in ("down", "started")
        if report.down_since < report.until:
            assert ends[-1] == until
            ends[-1] = None
        else:
            # It has been down for less than a second, or the clocks differ.
            starts.append((report.down_since - ORIGIN) // timedelta(seconds=history.tick))
            ends.append(None)

    assert report.downtimes == [
        (history.time(start), None if end is None else history.time(end))
        for start, end in zip(starts, ends, strict=True)
    ]


@settings(deadline=None, max_examples=200)
@given(histories(), times)
def test_a_check_that_is_down_has_been_down_since_a_time(history: History, since: int) -> None:
    window = min(since, NOW - 1), NOW
    report = history.report(*window)

    if history.status in ("up", "grace", "paused", "new"):
        assert report.down_since is None
    if history.status == "down":
        assert report.down_since is not None
    # A time before the window is reported, too.
    assert report.down_since == history.report(-1000, NOW).down_since


@settings(deadline=None, max_examples=200)
@given(histories(), windows())
@example(History(1, "up", (), (Ping(1, "start", "a"), Ping(2, "start", "a"), Ping(3, "success", "a"))), [0, NOW])
@example(History(1, "up", (), (Ping(1, "start", "a"), Ping(2, "success", "a"), Ping(3, "success", "a"))), [0, NOW])
@example(
    History(1, "up", (), tuple(Ping(9 * n + n * end, TYPES[end], None) for n in range(1, 5) for end in (0, 1))),
    [0, NOW],
)
@example(History(1, "up", (), (Ping(NOW, "success", None), Ping(NOW + 1, "fail", None))), [0, NOW])
@example(History(3600, "up", (), (Ping(1, "start", None), Ping(74, "success", None))), [0, NOW])
@example(History(3600, "up", (), (Ping(1, "start", None), Ping(73, "success", None))), [0, NOW])
def test_runs_are_those_that_the_naive_implementation_finds(history: History, window: list[int]) -> None:
    report = history.report(*window)

    expected = runs(history, *window)
    durations = [run.ticks * history.tick for run in expected if run.ticks is not None and not run.has_failed]
    assert report.runs == len(expected)
    assert report.failures == [run.has_failed for run in expected].count(True)
    assert report.runs_since == min((history.time(ping.time) for ping in history.pings), default=None)
    if not durations:
        assert report.durations is None
    else:
        assert report.durations is not None
        assert list(report.durations.values) == durations
        assert report.durations.last == durations[-1]
        assert report.durations.longest == max(durations)
        assert abs(report.durations.mean - sum(durations) / len(durations)) < 1e-6
        middle = sorted(durations)[(len(durations) - 1) // 2 : len(durations) // 2 + 1]
        assert report.durations.median == sum(middle) / len(middle)
        # The smallest duration that at least 95 % of the runs do not exceed.
        assert report.durations.p95 == min(
            each for each in durations if sum(other <= each for other in durations) * 100 >= 95 * len(durations)
        )


@settings(deadline=None, max_examples=200)
@given(histories(), windows(3))
def test_the_reports_of_two_adjoining_windows_add_up_to_the_report_of_both(history: History, window: list[int]) -> None:
    since, middle, until = window
    # A window that ends in the present contains its last second. One that begins then does, too.
    assume(middle < NOW)
    both = history.report(since, until)
    parts = [history.report(since, middle), history.report(middle, until)]

    for state in STATES:
        assert sum(part.seconds(state) for part in parts) == both.seconds(state)
    assert sum(part.runs for part in parts) == both.runs
    assert sum(part.failures for part in parts) == both.failures
    values = [value for part in parts if part.durations is not None for value in part.durations.values]
    # The order of runs is that of their pings, which is not that of their times if a clock was set back.
    assert sorted(values) == sorted(both.durations.values if both.durations is not None else ())
    assert parts[1].down_since == both.down_since


@settings(deadline=None, max_examples=200)
@given(histories(), windows())
def test_the_days_add_up_to_the_window(history: History, window: list[int]) -> None:
    report = history.report(*window)

    days = report.days()
    ends = [*(day.start for day in days[1:]), report.until]
    assert days[0].start == report.since
    for day, end in zip(days, ends, strict=True):
        assert day.up + day.down + day.unknown == (end - day.start).total_seconds()
    assert all(end - day.start == timedelta(days=1) for day, end in zip(days[1:], ends[1:], strict=True))
    assert sum(day.up for day in days) == report.seconds("up")
    assert sum(day.down for day in days) == report.seconds("down")
    assert sum(day.unknown for day in days) == report.seconds("unknown")
    assert all(day.uptime is None or 0.0 <= day.uptime <= 1.0 for day in days)


@settings(deadline=None, max_examples=200)
@given(histories(), windows())
def test_each_day_is_the_report_of_that_day(history: History, window: list[int]) -> None:
    history = replace(history, tick=3600)
    since, until = window
    days = history.report(since, until).days()

    starts = [*range(until, since, -24)][::-1]
    for end, day in zip(starts, days, strict=True):
        report = history.report(max(end - 24, since), end)
        assert (day.start, day.up, day.down, day.unknown) == (report.since, *map(report.seconds, STATES))


@settings(deadline=None, max_examples=200)
@given(histories(), windows(), st.randoms(use_true_random=False))
def test_the_order_of_flips_and_pings_does_not_matter(history: History, window: list[int], random: Any) -> None:
    # The flips of the same second are newest first.
    history = replace(history, flips=tuple({flip.time: flip for flip in history.flips}.values()))

    def shuffled(items: list[Any]) -> list[Any]:
        return random.sample(items, len(items))  # type: ignore[no-any-return]

    assert history.report(*window, order=shuffled) == history.report(*window)
