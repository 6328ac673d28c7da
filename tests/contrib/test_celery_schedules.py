"""The schedules of Celery are translated by their meaning."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

pytest.importorskip("celery", reason="needs Celery, which only the nox session celery installs")

import celery
from celery import schedules
from celery.utils.time import LocalTimezone
from cronsim import CronSim
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from oncalendar import OnCalendar

from healthchecks_io.contrib.celery_schedules import NotMonitoredError, expression_of, fields_of
from healthchecks_io.schemas.limits import is_cron
from healthchecks_io.schemas.schedules import check_schedule

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def terms(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    """Return a strategy for one term of a field: a value, a range that may wrap around, or one of them with a step."""
    numbers = st.integers(low, high)
    values = numbers.map(str)
    if names:
        values |= st.sampled_from(names)
    ranges = st.tuples(values, values).map("-".join)
    steps = st.integers(1, high).map(lambda step: f"/{step}")
    return st.one_of(values, ranges, st.just("*"), st.tuples(ranges | st.just("*"), steps).map("".join))


def fields(low: int, high: int, names: tuple[str, ...] = ()) -> st.SearchStrategy[str]:
    return st.just("*") | st.lists(terms(low, high, names), min_size=1, max_size=3).map(",".join)


EARLIEST, LATEST = datetime(2024, 1, 1), datetime(2028, 12, 31)  # noqa: DTZ001 - Hypothesis wants them so

CRONTABS = st.fixed_dictionaries(
    {
        "minute": fields(0, 59),
        "hour": fields(0, 23),
        "day_of_month": fields(1, 31),
        "month_of_year": fields(1, 12, MONTHS),
        "day_of_week": fields(0, 6, DAYS),
    }
)


def due_times_of_celery(crontab: Any, after: datetime) -> Iterator[datetime]:
    """Iterate over the times at which beat sends a task."""
    last = after
    while True:
        crontab.nowfun = partial(datetime.fromtimestamp, last.timestamp(), timezone.utc)
        last_run, delta, _ = crontab.remaining_delta(last)
        last = last_run + delta
        yield last


def due_times_of_server(expression: str, after: datetime) -> Iterator[datetime]:
    yield from CronSim(expression, after) if is_cron(expression) else OnCalendar(expression, after)


@pytest.fixture(scope="module")
def app() -> Any:
    return celery.Celery("shop", broker="memory://", set_as_current=False)


@settings(deadline=None, max_examples=200)
@given(fields=CRONTABS, start=st.datetimes(EARLIEST, LATEST))
def test_the_server_expects_a_crontab_at_the_times_at_which_beat_sends_it(
    fields: dict[str, str], start: datetime
) -> None:
    start = start.replace(tzinfo=timezone.utc, microsecond=0)
    try:
        crontab = schedules.crontab(**fields, app=celery.Celery(set_as_current=False))
        expected = list(islice(due_times_of_celery(crontab, start), 20))
    except (ValueError, RuntimeError):
        reject()  # There is no such date.

    expression = check_schedule(expression_of(crontab))

    assert list(islice(due_times_of_server(expression, start), 20)) == expected


@pytest.mark.parametrize(
    ("fields", "expression"),
    [
        ({}, "* * * * *"),
        ({"minute": 0, "hour": "*/4"}, "0 */4 * * *"),
        ({"minute": 0, "hour": "22-2"}, "0 0-2,22-23 * * *"),
        ({"minute": 30, "hour": 3, "day_of_week": "mon-fri"}, "30 3 * * 1-5"),
        ({"minute": 30, "hour": 3, "day_of_week": "sat,sun"}, "30 3 * * 0,6"),
        ({"minute": 0, "hour": 0, "day_of_month": "1", "month_of_year": "jan,jul"}, "0 0 1 1,7 *"),
        ({"minute": "*/15", "day_of_month": "1-7", "day_of_week": "mon"}, "Mon *-*-1..7 *:0..45/15"),
    ],
)
def test_expressions_are_short(fields: dict[str, Any], expression: str) -> None:
    assert expression_of(schedules.crontab(**fields)) == expression


@pytest.mark.parametrize(
    ("every", "period"),
    [
        (0.5, 60),
        (59, 60),
        (60, 60),
        (90.9, 90),
        (timedelta(hours=1), 3600),
        (timedelta(days=365), 365 * 86400),
    ],
)
def test_a_schedule_of_seconds_is_a_period(app: Any, every: Any, period: int) -> None:
    assert fields_of(schedules.maybe_schedule(every), app) == {"period": period}


def test_a_period_of_more_than_a_year_is_a_problem(app: Any) -> None:
    assert fields_of(schedules.schedule(timedelta(days=366)), app) == {"problem": "its period is longer than a year"}


def test_a_solar_schedule_is_not_monitored(app: Any) -> None:
    pytest.importorskip("ephem", reason="needs ephem, which only the nox session celery installs")

    with pytest.raises(NotMonitoredError, match="solar"):
        fields_of(schedules.solar("sunset", 56.9, 24.1), app)


class clocked(schedules.BaseSchedule):  # noqa: N801 - the name that django-celery-beat uses
    """A schedule that is due once."""


class Tides(schedules.BaseSchedule):
    """A schedule of somebody else's."""


def test_a_schedule_that_is_due_once_is_not_monitored(app: Any) -> None:
    with pytest.raises(NotMonitoredError, match="only once"):
        fields_of(clocked(), app)


def test_other_schedules_are_a_problem(app: Any) -> None:
    assert fields_of(Tides(), app) == {"problem": "Healthchecks has no equivalent of Tides"}


def test_an_expression_that_is_too_long_is_a_problem(app: Any) -> None:
    minutes = ",".join(str(minute) for minute in range(60) if minute % 7 in (0, 2, 5))
    crontab = schedules.crontab(minute=minutes, hour="1,3,4,6,7,9,11,13,14,16", day_of_week="mon,wed")

    assert fields_of(crontab, app) == {"problem": "its expression is longer than 100 characters"}


@pytest.mark.parametrize(
    ("config", "tz"),
    [
        ({}, "UTC"),
        ({"timezone": "Europe/Riga"}, "Europe/Riga"),
        ({"timezone": "Europe/Riga", "enable_utc": True}, "Europe/Riga"),
        ({"timezone": "Asia/Tokyo", "enable_utc": False}, "Asia/Tokyo"),
    ],
)
def test_a_crontab_is_in_the_time_zone_of_the_app(config: dict[str, Any], tz: str) -> None:
    app = celery.Celery("shop", set_as_current=False)
    app.conf.update(config)

    crontab = schedules.maybe_schedule(schedules.crontab(minute=0, hour=3), app=app)  # As beat does.

    assert fields_of(crontab, app) == {"schedule": "0 3 * * *", "tz": tz}


def test_a_crontab_that_has_a_time_zone_is_in_it(app: Any) -> None:
    """As those of django-celery-beat."""

    class TzAwareCrontab(schedules.crontab):
        tz = ZoneInfo("America/New_York")

    assert fields_of(TzAwareCrontab(minute=0, hour=3), app)["tz"] == "America/New_York"


@pytest.mark.parametrize("tz", [LocalTimezone(), timezone(timedelta(hours=2))])
def test_a_time_zone_without_a_name_is_a_problem(app: Any, tz: Any) -> None:
    crontab = schedules.crontab(minute=0, hour=3)
    crontab.tz = tz

    assert [*fields_of(crontab, app)] == ["problem"]
