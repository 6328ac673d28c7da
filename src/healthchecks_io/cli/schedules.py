"""The types of options that describe a schedule. They are checked without pydantic, which is slow to import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from healthchecks_io.cli.durations import parse_whole_seconds

if TYPE_CHECKING:
    from collections.abc import Callable


def parse_period(text: str) -> int:
    """Parse a period or grace time. Use it as the type of a click option.

    Raises:
        click.BadParameter: The text is not a valid duration, or servers would reject it.
    """
    from healthchecks_io.schemas import limits

    seconds = parse_whole_seconds(text)
    if not limits.MIN_SECONDS <= seconds <= limits.MAX_SECONDS:
        raise click.BadParameter(f"it must be from {limits.MIN_SECONDS} s to 365 days")
    return seconds


def parse_schedule(text: str) -> str:
    """Check a schedule. Use it as the type of a click option.

    Raises:
        click.BadParameter: Servers would reject the schedule.
    """
    from healthchecks_io.schemas.schedules import check_schedule

    return _checked(check_schedule, text)


def parse_time_zone(text: str) -> str:
    """Check the name of a time zone. Use it as the type of a click option.

    Raises:
        click.BadParameter: Servers would reject the name.
    """
    from healthchecks_io.schemas.time_zones import check_time_zone

    return _checked(check_time_zone, text)


def _checked(check: Callable[[str], str], text: str) -> str:
    try:
        return check(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
