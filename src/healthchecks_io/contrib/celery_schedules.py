"""Convert the schedules of Celery beat to those of Healthchecks."""

# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# Celery has no types. Where it is not installed, pyright resolves its name to a module of this package.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from celery import schedules

from healthchecks_io.schemas import limits

if TYPE_CHECKING:
    from collections.abc import Iterable

_WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
_MINUTES, _HOURS, _DAYS, _MONTHS, _WEEK = range(60), range(24), range(1, 32), range(1, 13), range(7)


class NotMonitoredError(Exception):
    """A task cannot be monitored."""


def fields_of(schedule: Any, app: Any) -> dict[str, Any]:
    """Return the fields of a check that express a schedule, as arguments of monitor.

    If the schedule cannot be expressed, the only field is ``problem``, the reason.

    Args:
        schedule: The schedule of an entry.
        app: The Celery app.

    Raises:
        NotMonitoredError: Such tasks are not monitored.
    """
    if isinstance(schedule, schedules.solar):
        raise NotMonitoredError("it has a solar schedule, which varies from day to day")
    if type(schedule).__name__ == "clocked":  # Of django-celery-beat.
        raise NotMonitoredError("it runs only once")
    if isinstance(schedule, schedules.crontab):
        return _fields_of_crontab(schedule, app)
    if isinstance(schedule, schedules.schedule):
        seconds = int(schedule.seconds)
        if seconds > limits.MAX_SECONDS:
            return {"problem": "its period is longer than a year"}
        return {"period": max(seconds, limits.MIN_SECONDS)}
    return {"problem": f"Healthchecks has no equivalent of {type(schedule).__name__}"}


def _fields_of_crontab(crontab: Any, app: Any) -> dict[str, Any]:
    from healthchecks_io.schemas.schedules import check_schedule
    from healthchecks_io.schemas.time_zones import check_time_zone

    try:
        tz = check_time_zone(_name_of(getattr(crontab, "tz", None) or app.timezone))
        expression = check_schedule(expression_of(crontab))
    except ValueError as error:
        return {"problem": str(error)}
    if len(expression) > limits.MAX_SCHEDULE_LENGTH:
        return {"problem": f"its expression is longer than {limits.MAX_SCHEDULE_LENGTH} characters"}
    return {"schedule": expression, "tz": tz}


def _name_of(tz: Any) -> str:
    """Return the name of a time zone of zoneinfo, pytz or datetime."""
    return str(getattr(tz, "key", None) or getattr(tz, "zone", None) or tz)


def expression_of(crontab: Any) -> str:
    """Return a cron expression for a crontab of Celery, or an OnCalendar expression where cron cannot express it.

    Celery runs a task on the days that match both day of month and day of week, cron on those that match either.
    """
    minutes, hours, days = crontab.minute, crontab.hour, crontab.day_of_month
    months, week = crontab.month_of_year, crontab.day_of_week
    if set(days) >= set(_DAYS) or set(week) >= set(_WEEK):
        fields = (
            _terms(minutes, _MINUTES, "-"),
            _terms(hours, _HOURS, "-"),
            _terms(days, _DAYS, "-"),
            _terms(months, _MONTHS, "-"),
            _terms(week, _WEEK, "-"),
        )
        return " ".join(fields)
    names = ",".join(_WEEKDAYS[day] for day in sorted(week))
    date = f"*-{_terms(months, _MONTHS, '..')}-{_terms(days, _DAYS, '..')}"
    return f"{names} {date} {_terms(hours, _HOURS, '..')}:{_terms(minutes, _MINUTES, '..')}"


def _terms(values: Iterable[int], everything: range, dash: str) -> str:
    """Return a field of an expression for a set of values."""
    ordered = sorted(set(values) & set(everything))
    if len(ordered) == len(everything):
        return "*"
    step = ordered[1] - ordered[0] if len(ordered) > 2 else 0
    if step > 1 and ordered == list(range(ordered[0], ordered[-1] + 1, step)):
        if ordered[0] == everything[0] and ordered[-1] + step > everything[-1] and dash == "-":
            return f"*/{step}"
        return f"{ordered[0]}{dash}{ordered[-1]}/{step}"
    terms: list[str] = []
    start = previous = ordered[0]
    for value in [*ordered[1:], -1]:
        if value != previous + 1:
            terms.append(f"{start}" if start == previous else f"{start}{dash}{previous}")
            start = value
        previous = value
    return ",".join(terms)
