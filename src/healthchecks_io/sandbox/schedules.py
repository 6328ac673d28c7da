"""Schedules and time zones: judged and computed by the server's own parsers, cronsim and oncalendar."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import cache
from typing import TYPE_CHECKING, BinaryIO
from zoneinfo import ZoneInfo

import pytz
from cronsim import CronSim, CronSimError
from oncalendar import OnCalendar, OnCalendarError

from healthchecks_io.schemas.limits import is_cron

if TYPE_CHECKING:
    from collections.abc import Callable

# The server renames these to what the tz database links them to: names of countries, old spellings of cities.
_OLD_AREAS = ("Brazil/", "Canada/", "Chile/", "Mexico/", "US/")
_OLD_NAMES = """
    Africa/Asmera America/Argentina/ComodRivadavia America/Buenos_Aires America/Catamarca America/Cordoba
    America/Fort_Wayne America/Godthab America/Indianapolis America/Jujuy America/Knox_IN America/Louisville
    America/Mendoza America/Rosario Antarctica/South_Pole Asia/Ashkhabad Asia/Calcutta Asia/Choibalsan Asia/Chungking
    Asia/Dacca Asia/Katmandu Asia/Macao Asia/Rangoon Asia/Saigon Asia/Thimbu Asia/Ujung_Pandang Asia/Ulan_Bator
    Atlantic/Faeroe Australia/ACT Australia/LHI Australia/NSW Australia/North Australia/Queensland Australia/South
    Australia/Tasmania Australia/Victoria Australia/West Europe/Kiev Europe/Uzhgorod Europe/Zaporozhye
    Pacific/Enderbury Pacific/Ponape Pacific/Truk
""".split()  # noqa: SIM905 - a list would take a line for each
# Links in newer editions of the database, zones of their own in older ones.
_PLACES = {
    "CET": "Europe/Brussels",
    "CST6CDT": "America/Chicago",
    "EET": "Europe/Athens",
    "EST": "America/Panama",
    "EST5EDT": "America/New_York",
    "HST": "Pacific/Honolulu",
    "MET": "Europe/Brussels",
    "MST": "America/Phoenix",
    "MST7MDT": "America/Denver",
    "PST8PDT": "America/Los_Angeles",
    "WET": "Europe/Lisbon",
}
_KEPT_NAMES = frozenset({"GMT", "UTC"})

_open_data: Callable[[str], BinaryIO] = pytz.open_resource  # type: ignore[attr-defined]  # the stubs lack it


@cache
def _links() -> dict[str, str]:
    """Map the other names of time zones to their main ones, as the tz database does."""
    with _open_data("tzdata.zi") as database:
        lines = database.read().decode().splitlines()
    return {name: target for _, target, name in (line.split() for line in lines if line.startswith("L "))} | _PLACES


def canonical_name(name: str) -> str | None:
    """Return the name that the server keeps for a time zone, or None when it knows no such zone."""
    if name not in pytz.all_timezones_set:
        return None
    old = name in _OLD_NAMES or name.startswith(_OLD_AREAS) or ("/" not in name and name not in _KEPT_NAMES)
    return _links().get(name, name) if old else name


@cache
def _time_zone(name: str) -> ZoneInfo:
    # From pytz's data: the same names are known whatever the machine has installed.
    with _open_data(name) as data:
        return ZoneInfo.from_file(data, key=name)


def next_run(schedule: str, tz: str, after: datetime) -> datetime | None:
    """Return the first time (in UTC) that a schedule names after another time, or None when there is none."""
    local = after.astimezone(_time_zone(tz))
    # Back to UTC at once: sums of local times go wrong where the clocks change.
    runs = CronSim(schedule, local) if is_cron(schedule) else OnCalendar(schedule, local)
    found = next(runs, None)
    return None if found is None else found.astimezone(timezone.utc)


def is_schedule(schedule: str) -> bool:
    """Tell whether the server accepts a schedule: it can be parsed, and names a time after the year 2000."""
    try:
        return next_run(schedule, "UTC", datetime(2000, 1, 1, tzinfo=timezone.utc)) is not None
    except (CronSimError, OnCalendarError):
        return False
