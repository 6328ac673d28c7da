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


def format_duration(seconds: float) -> str:
    """Format a duration with its two largest units, or with fractions of a second if it is short."""
    if seconds < 10:
        return f"{seconds} s" if isinstance(seconds, int) else f"{seconds:.2f} s"
    rest = round(seconds)
    units = _durations.SECONDS_PER_UNIT
    largest = next(index for index, unit in enumerate("dhms") if rest >= units[unit])
    parts: list[str] = []
    for unit in "dhms"[largest : largest + 2]:
        count, rest = divmod(rest, units[unit])
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts)
