"""Validate and compute schedules with the parsers that the server uses, cronsim and oncalendar."""

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

# Country-based and obsolete names. The server replaces them with the names that the tz database links them to.
_OBSOLETE_AREAS = ("Brazil/", "Canada/", "Chile/", "Mexico/", "US/")
_OBSOLETE_NAMES = """
    Africa/Asmera America/Argentina/ComodRivadavia America/Buenos_Aires America/Catamarca America/Cordoba
    America/Fort_Wayne America/Godthab America/Indianapolis America/Jujuy America/Knox_IN America/Louisville
    America/Mendoza America/Rosario Antarctica/South_Pole Asia/Ashkhabad Asia/Calcutta Asia/Choibalsan Asia/Chungking
    Asia/Dacca Asia/Katmandu Asia/Macao Asia/Rangoon Asia/Saigon Asia/Thimbu Asia/Ujung_Pandang Asia/Ulan_Bator
    Atlantic/Faeroe Australia/ACT Australia/LHI Australia/NSW Australia/North Australia/Queensland Australia/South
    Australia/Tasmania Australia/Victoria Australia/West Europe/Kiev Europe/Uzhgorod Europe/Zaporozhye
    Pacific/Enderbury Pacific/Ponape Pacific/Truk
""".split()  # noqa: SIM905 - a list would need one line per name
# Links in recent versions of the database, separate zones in older ones.
_FORMER_ZONES = {
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
_CURRENT_NAMES = frozenset({"GMT", "UTC"})
_ADDED_NAMES = frozenset({"America/Ciudad_Juarez", "America/Nuuk", "Europe/Kyiv", "Pacific/Kanton"})
"""Names that servers with old time zones lack."""

_open_data: Callable[[str], BinaryIO] = pytz.open_resource  # type: ignore[attr-defined]  # missing from the stubs


@cache
def _links() -> dict[str, str]:
    """Return the aliases of the tz database and the time zones that they link to."""
    with _open_data("tzdata.zi") as database:
        lines = database.read().decode().splitlines()
    return {
        name: target for _, target, name in (line.split() for line in lines if line.startswith("L "))
    } | _FORMER_ZONES


def stored_name(name: str, *, has_current_names: bool) -> str | None:
    """Return the name that the server stores for a time zone, or None if it does not know the zone."""
    if name not in pytz.all_timezones_set:
        return None
    if not has_current_names:
        return None if name in _ADDED_NAMES else name
    is_obsolete = (
        name in _OBSOLETE_NAMES or name.startswith(_OBSOLETE_AREAS) or ("/" not in name and name not in _CURRENT_NAMES)
    )
    return _links().get(name, name) if is_obsolete else name


@cache
def _time_zone(name: str) -> ZoneInfo:
    # Use pytz's data: the same names work whatever tz database the system has.
    with _open_data(name) as data:
        return ZoneInfo.from_file(data, key=name)


def next_run(schedule: str, tz: str, after: datetime) -> datetime | None:
    """Return the first run of a schedule after the given time, in UTC, or None if there is none."""
    local = after.astimezone(_time_zone(tz))
    # Convert back to UTC: arithmetic with local times is wrong across DST changes.
    runs = CronSim(schedule, local) if is_cron(schedule) else OnCalendar(schedule, local)
    run = next(runs, None)
    return None if run is None else run.astimezone(timezone.utc)


def is_schedule(schedule: str) -> bool:
    """Return True if the server accepts a schedule: it is valid and has a run after 2000-01-01."""
    try:
        return next_run(schedule, "UTC", datetime(2000, 1, 1, tzinfo=timezone.utc)) is not None
    except (CronSimError, OnCalendarError):
        return False
