"""Durations: the types of options, and formatting for tables."""

from __future__ import annotations

import click

from healthchecks_io import _durations


def parse_duration(text: str) -> float:
    """Parse a duration in which the seconds may have a fraction. Use it as the type of a click option.

    Raises:
        click.BadParameter: The text is not a valid duration.
    """
    try:
        return _durations.parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def parse_whole_seconds(text: str) -> int:
    """Parse a duration of whole seconds. Use it as the type of a click option.

    Raises:
        click.BadParameter: The text is not a valid duration, or not a whole number of seconds.
    """
    try:
        return _durations.parse_whole_seconds(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
