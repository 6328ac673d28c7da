"""What can be said of a schedule before a server is asked.

Nothing that a server accepts is refused here. A server reads cron expressions with cronsim, we with croniter, the
parser that this library is built on; where the two differ, the server has the last word:

* cronsim knows forms that croniter does not, all of them written with ``L``, ``W`` or ``#`` (``LW``, ``5L``,
  ``1,2#1``). The days so written are not judged here.
* croniter knows forms that cronsim does not: ``?``, ``R``, ``H``, and ranges that run backwards (``22-2``,
  ``fri-mon``). They are refused here.

OnCalendar expressions are read with oncalendar, as a server does.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone

from croniter import croniter
from oncalendar import OnCalendar, OnCalendarError

from healthchecks_io.schemas.limits import is_cron

_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_NAMES = {name: number for number, name in enumerate(_MONTHS, 1)} | {name: day for day, name in enumerate(_WEEKDAYS)}
_NAME = re.compile("|".join(_NAMES))
_RANGE = re.compile(r"(\d+)-(\d+)")

_DAY_FIELDS = (2, 4)
"""Day of month and day of week: where ``L``, ``W`` and ``#`` may stand."""

_EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)
"""A schedule must have a time after this one, as servers demand."""


def check_schedule(schedule: str) -> str:
    """Return the schedule as it is, or raise ValueError where a server would surely refuse it."""
    if is_cron(schedule):
        _check_cron(schedule)
    else:
        _check_oncalendar(schedule)
    return schedule


def _check_cron(expression: str) -> None:
    fields = expression.upper().split()
    for position in _DAY_FIELDS:
        fields[position] = _without_special_days(fields[position])
    numeric = [_NAME.sub(lambda name: str(_NAMES[name[0]]), field) for field in fields]
    if not all(set(field) <= set("0123456789*,-/") for field in numeric):
        raise ValueError(f"{expression!r} has something in it that a server's cron does not know")
    if any(int(start) > int(end) for field in numeric for start, end in _RANGE.findall(field)):
        raise ValueError(f"{expression!r} has a range that runs backwards")
    if not croniter.is_valid(" ".join(fields)):
        raise ValueError(f"{expression!r} is not a valid cron expression")


def _without_special_days(field: str) -> str:
    """The field without the terms that have ``L``, ``W`` or ``#``: of these a server is the judge."""
    terms = field.split(",")
    return ",".join(term for term in terms if not set(_NAME.sub("", term)) & set("LW#")) or "*"


def _check_oncalendar(expression: str) -> None:
    try:
        next(OnCalendar(expression, _EPOCH))
    except (OnCalendarError, OSError) as error:  # An OSError where a continent is given as a time zone.
        raise ValueError(
            f"{expression!r} is neither a cron expression (five fields on one line, no nicknames such as @daily) "
            f"nor a valid OnCalendar expression: {error}"
        ) from None
    except StopIteration:
        raise ValueError(f"the OnCalendar expression {expression!r} has no time after the year 2000") from None
