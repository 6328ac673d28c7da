"""Durations: parsing them from the command line and formatting them for tables."""

from __future__ import annotations

import re

import click

_SECONDS = {"w": 7 * 24 * 3600, "d": 24 * 3600, "h": 3600, "m": 60, "s": 1}
_MAX_SECONDS = 1e9
"""About thirty years. Some operating systems reject much longer waits."""


def parse_duration(text: str) -> float:
    """Parse a duration such as 90, 90s, 2h30m or 1d. Use it as the type of a click option.

    Returns:
        The duration in seconds.

    Raises:
        click.BadParameter: The text is not a valid duration, or the duration is too long.
    """
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
    else:
        parts = re.fullmatch(r"(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?", text)
        if not text or parts is None:
            raise click.BadParameter(f"{text!r} is not a valid duration: use a form such as 90, 90s, 2h30m or 1d")
        seconds = sum((float(part[:-1]) * _SECONDS[part[-1]] for part in parts.groups() if part), 0.0)
    if seconds > _MAX_SECONDS:
        raise click.BadParameter(f"{text!r} is too long")
    return seconds


def parse_whole_seconds(text: str) -> int:
    """Parse a duration of whole seconds. Use it as the type of a click option.

    Raises:
        click.BadParameter: The text is not a valid duration, or not a whole number of seconds.
    """
    seconds = parse_duration(text)
    if not seconds.is_integer():
        raise click.BadParameter(f"{text!r} is not a whole number of seconds")
    return int(seconds)


def format_duration(seconds: float) -> str:
    """Format a duration with its two largest units, or with fractions of a second if it is short."""
    if seconds < 10:
        return f"{seconds} s" if isinstance(seconds, int) else f"{seconds:.2f} s"
    rest = round(seconds)
    largest = next(index for index, unit in enumerate("dhms") if rest >= _SECONDS[unit])
    parts: list[str] = []
    for unit in "dhms"[largest : largest + 2]:
        count, rest = divmod(rest, _SECONDS[unit])
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts)
