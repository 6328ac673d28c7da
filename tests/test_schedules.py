"""Compare the validation of schedules with the parsers of the server. It must accept all that the server accepts."""

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
SPECIAL_DAYS = [
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
INVALID = ["?", "R", "H", "", "@", "foo", "1.5", "--", "-1", "1-", "/5", "**", "\u0661", "*-5", "MONDAY"]
STEPS = ["1", "2", "5", "15", "05", "0", "60", "100", "-1", "", "x"]
ONCALENDAR = [
    "daily", "hourly", "@daily", "Mon..Fri 12:00", "Mon,Tue *-*-* 00:00:00", "*-*~1", "*:0/15", "1999-01-01",
    "2026-02-30", "Sat *-1..7 18:00", "12:00 Europe/Riga", "12:00 Nowhere/City", "*-*-* *:*:*", "* * * * * *", "",
    "weekly\nmonthly", " ", "25:00", "Foo 12:00", "*-02-29", "*-*-32", "00:00:00.5", "minutely", "Mon *-05~03",
    "12:00\n\n13:00", "quarterly",
]  # fmt: skip


def server_accepts(schedule: str) -> bool:
    """Return True if the server accepts the schedule."""
    try:
        if is_cron(schedule):
            next(CronSim(schedule, datetime(2000, 1, 1)))  # noqa: DTZ001 - as on the server
        else:
            next(OnCalendar(schedule, datetime(2000, 1, 1, tzinfo=timezone.utc)))
    except (CronSimError, OnCalendarError, StopIteration):
        return False
    return True


def is_rejected(schedule: str) -> bool:
    """Return True if `check_schedule` rejects the schedule."""
    try:
        check_schedule(schedule)
    except ValueError:
        return True
    return False


def random_term(rng: random.Random, position: int) -> str:
    """Return a random term of a cron field. Most terms are valid, or valid in another field."""
    low, high = RANGES[position]

    def value() -> str:
        if position in NAMES and rng.random() < 0.3:
            return rng.choice(NAMES[position])
        return str(rng.choice([low - 1, high + 1, 0, 60]) if rng.random() < 0.06 else rng.randint(low, high))

    kind = rng.random()
    if kind < 0.25:
        term = "*"
    elif kind < 0.6:
        term = value()
    elif kind < 0.85:
        term = f"{value()}-{value()}"
    else:
        term = rng.choice(SPECIAL_DAYS if kind < 0.96 else INVALID)
    return f"{term}/{rng.choice(STEPS)}" if rng.random() < 0.2 else term


def random_crons(count: int) -> list[str]:
    rng = random.Random(1)
    crons: list[str] = []
    while len(crons) < count:
        fields = ["*"] * 5
        for position in rng.sample(range(5), rng.choice([1, 1, 2, 5])):
            fields[position] = ",".join(random_term(rng, position) for _ in range(rng.choice([1, 1, 1, 2, 3])))
        cron = " ".join(fields)
        if is_cron(cron):
            crons.append(cron)
    return crons


def test_no_schedule_that_the_server_accepts_is_rejected(record_property: Callable[[str, object], None]) -> None:
    crons = random_crons(20_000)
    invalid = [cron for cron in crons if not server_accepts(cron)]
    rejected = [cron for cron in invalid if is_rejected(cron)]

    assert [cron for cron in crons if server_accepts(cron) and is_rejected(cron)] == []
    assert 5_000 < len(invalid) < 15_000
    record_property("invalid schedules rejected", f"{len(rejected)} of {len(invalid)}")
    assert len(rejected) / len(invalid) > 0.9


@pytest.mark.parametrize("schedule", ONCALENDAR, ids=repr)
def test_oncalendar_expressions_are_validated_as_on_the_server(schedule: str) -> None:
    assert is_rejected(schedule) is not server_accepts(schedule)


@pytest.mark.parametrize(
    "schedule", ["@hourly", "* * * * * *", "0 0 ? * *", "R * * * *", "60 * * * *", "", "H * * * *"]
)
def test_invalid_schedules_are_rejected(schedule: str) -> None:
    assert not server_accepts(schedule)
    assert is_rejected(schedule)


@pytest.mark.parametrize(
    "schedule", ["0 0 LW * *", "0 0 * * 5L", "0 0 * * 0L", "0 0 * * 1,2#1", " 0  0 * * 7 ", "0 0 29 2 *"]
)
def test_schedules_unknown_to_croniter_are_accepted(schedule: str) -> None:
    assert server_accepts(schedule)
    assert check_schedule(schedule) == schedule


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ("@hourly", r"servers do not know '@hourly': use '0 \* \* \* \*'"),
        ("0", "has 1 field instead of five"),
        ("*/5 * * *", "has 4 fields instead of five"),
        ("0 3 * * * root", "has 6 fields instead of five"),
    ],
)
def test_an_error_states_how_to_write_what_was_meant(schedule: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_schedule(schedule)
