"""Validate time zones before they are sent to a server."""

from __future__ import annotations


def check_time_zone(name: str) -> str:
    """Return the name of a time zone unchanged if it is known.

    Raises:
        ValueError: Servers would reject the name.
    """
    import pytz  # Slow to import, and most checks have no time zone.

    if name not in pytz.all_timezones_set:
        raise ValueError(f"unknown time zone {name!r}: use a name from the tz database, such as Europe/Riga")
    return name
