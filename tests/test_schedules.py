"""Schedules are judged as a server judges them, by its own parsers: none that it accepts is refused."""

from __future__ import annotations

import random
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from cronsim import CronSim, CronSimError
from oncalendar import OnCalendar, OnCalendarError

from healthchecks_io.schemas.limits import is_cron
from healthchecks_io.schemas.schedules import check_schedule

if TYPE_CHECKING:
    from collections.abc import Callable


RANGES = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
NAMES = {3: ["JAN", "feb", "Mar", "JUL", "DEC"], 4: ["SUN", "MON", "tue", "Wed", "FRI", "SAT"]}
SPECIAL = [
    "L",
    "LW",
    "5L",
    "0L",
    "7L",
    "8L",
    "1#2",
    "MON#1",
    "7#5",
    "1#6",
    "15W",
    "L5",
    "W",
    "FRIL",
    "L-3",
    "1,2#1",
    "#1",
]
NONSENSE = ["?", "R", "H", "", "@", "foo", "1.5", "--", "-1", "1-", "/5", "**", "\u0661", "*-5", "MONDAY"]
STEPS = ["1", "2", "5", "15", "05", "0", "60", "100", "-1", "", "x"]
ONCALENDAR = [
    "daily", "hourly", "@daily", "Mon..Fri 12:00", "Mon,Tue *-*-* 00:00:00", "*-*~1", "*:0/15", "1999-01-01",
    "2026-02-30", "Sat *-1..7 18:00", "12:00 Europe/Riga", "12:00 Nowhere/City", "*-*-* *:*:*", "* * * * * *", "",
    "weekly\nmonthly", " ", "25:00", "Foo 12:00", "*-02-29", "*-*-32", "00:00:00.5", "minutely", "Mon *-05~03",
    "12:00\n\n13:00", "quarterly",
]  # fmt: skip


def accepts(schedule: str) -> bool:
    """What a server says."""
    try:
        if is_cron(schedule):
            next(CronSim(schedule, datetime(2000, 1, 1)))  # noqa: DTZ001 - as the server does
        else:
            next(OnCalendar(schedule, datetime(2000, 1, 1, tzinfo=timezone.utc)))
    except (CronSimError, OnCalendarError, StopIteration):
        return False
    return True


def refuses(schedule: str) -> bool:
    """What we say."""
    try:
        check_schedule(schedule)
    except ValueError:
        return True
    return False


def term(chance: random.Random, position: int) -> str:
    """A term of a cron field: mostly one that is valid, or would be elsewhere."""
    low, high = RANGES[position]

    def value() -> str:
        if position in NAMES and chance.random() < 0.3:
            return chance.choice(NAMES[position])
        return str(chance.choice([low - 1, high + 1, 0, 60]) if chance.random() < 0.06 else chance.randint(low, high))

    kind = chance.random()
    if kind < 0.25:
        found = "*"
    elif kind < 0.6:
        found = value()
    elif kind < 0.85:
        found = f"{value()}-{value()}"
    else:
        found = chance.choice(SPECIAL if kind < 0.96 else NONSENSE)
    return f"{found}/{chance.choice(STEPS)}" if chance.random() < 0.2 else found


def generated_crons(count: int) -> list[str]:
    chance = random.Random(1)  # noqa: S311 - the same corpus each time
    crons: list[str] = []
    while len(crons) < count:
        fields = ["*"] * 5
        for position in chance.sample(range(5), chance.choice([1, 1, 2, 5])):
            fields[position] = ",".join(term(chance, position) for _ in range(chance.choice([1, 1, 1, 2, 3])))
        cron = " ".join(fields)
        if is_cron(cron):
            crons.append(cron)
    return crons


def test_no_schedule_is_refused_that_a_server_accepts(record_property: Callable[[str, object], None]) -> None:
    crons = generated_crons(20_000)
    invalid = [cron for cron in crons if not accepts(cron)]
    caught = [cron for cron in invalid if refuses(cron)]

    assert [cron for cron in crons if accepts(cron) and refuses(cron)] == []
    assert 5_000 < len(invalid) < 15_000
    record_property("invalid schedules caught", f"{len(caught)} of {len(invalid)}")
    assert len(caught) / len(invalid) > 0.9


@pytest.mark.parametrize("schedule", ONCALENDAR, ids=repr)
def test_an_oncalendar_expression_is_judged_as_the_server_does(schedule: str) -> None:
    assert refuses(schedule) is not accepts(schedule)


@pytest.mark.parametrize(
    "schedule", ["@hourly", "* * * * * *", "0 0 ? * *", "R * * * *", "60 * * * *", "", "H * * * *"]
)
def test_what_a_server_surely_refuses_is_refused(schedule: str) -> None:
    assert not accepts(schedule)
    assert refuses(schedule)


@pytest.mark.parametrize(
    "schedule", ["0 0 LW * *", "0 0 * * 5L", "0 0 * * 0L", "0 0 * * 1,2#1", " 0  0 * * 7 ", "0 0 29 2 *"]
)
def test_what_a_server_knows_and_croniter_does_not_is_taken(schedule: str) -> None:
    assert accepts(schedule)
    assert check_schedule(schedule) == schedule
