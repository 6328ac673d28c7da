"""Validate schedules before they are sent to a server.

A schedule that a server accepts is never rejected here. Servers parse cron expressions with cronsim, this library uses
croniter. Where the two differ, the server decides:

* Only cronsim supports certain forms with ``L``, ``W`` or ``#`` (``LW``, ``5L``, ``1,2#1``). Terms with these
  characters are not validated here.
* Only croniter supports ``?``, ``R``, ``H`` and backward ranges (``22-2``, ``fri-mon``). They are rejected here.

OnCalendar expressions are parsed with oncalendar, as on the server.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

from croniter import croniter
from oncalendar import OnCalendar, OnCalendarError

from healthchecks_io.schemas.limits import NICKNAMES, is_cron

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_NAMES = {name: number for number, name in enumerate(_MONTHS, 1)} | {name: day for day, name in enumerate(_WEEKDAYS)}
_NAME = re.compile("|".join(_NAMES))
_RANGE = re.compile(r"(\d+)-(\d+)")

_DAY_FIELDS = (2, 4)
"""Day of month and day of week, the fields that allow ``L``, ``W`` and ``#``."""

_EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)
"""Servers require that a schedule has a run after this time."""


def check_schedule(schedule: str) -> str:
    """Return the schedule unchanged if it is valid.

    Raises:
        ValueError: Servers would reject the schedule.
    """
    if is_cron(schedule):
        _check_cron(schedule)
    else:
        _check_oncalendar(schedule)
    return schedule


def _check_cron(expression: str) -> None:
    fields = expression.upper().split()
    for position in _DAY_FIELDS:
        fields[position] = _remove_special_days(fields[position])
    numeric = [_NAME.sub(lambda name: str(_NAMES[name[0]]), field) for field in fields]
    if not all(set(field) <= set("0123456789*,-/") for field in numeric):
        raise ValueError(f"the cron expression {expression!r} contains unsupported characters or names")
    if any(int(start) > int(end) for field in numeric for start, end in _RANGE.findall(field)):
        raise ValueError(f"the cron expression {expression!r} contains a backward range")
    if not croniter.is_valid(" ".join(fields)):
        raise ValueError(f"{expression!r} is not a valid cron expression")


def _remove_special_days(field: str) -> str:
    """Return the field without terms that contain ``L``, ``W`` or ``#``, which only the server validates."""
    terms = field.split(",")
    return ",".join(term for term in terms if not set(_NAME.sub("", term)) & set("LW#")) or "*"


def _check_oncalendar(expression: str) -> None:
    try:
        next(OnCalendar(expression, _EPOCH))
    except (OnCalendarError, OSError) as error:  # OSError: the time zone is a directory, such as America.
        if expanded := NICKNAMES.get(expression.strip().lower()):
            raise ValueError(f"servers do not know {expression!r}: use {expanded!r}") from None
        fields = len(expression.split())
        counted = "1 field" if fields == 1 else f"{fields} fields"
        raise ValueError(
            f"{expression!r} is neither a cron expression (it has {counted} instead of five, or "
            f"several lines) nor a valid OnCalendar expression: {error}"
        ) from None
    except StopIteration:
        raise ValueError(f"the OnCalendar expression {expression!r} has no run after the year 2000") from None
