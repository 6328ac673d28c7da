"""Durations, as they are written on the command line and as tables show them."""

from __future__ import annotations

import re

import click

_SECONDS = {"w": 7 * 24 * 3600, "d": 24 * 3600, "h": 3600, "m": 60, "s": 1}
_MAX_SECONDS = 1e9
"""Thirty years: no wait of the system takes much more."""


def duration(text: str) -> float:
    """Read a duration, the type of an option: seconds, written as 90, 90s, 2h30m or 1d.

    Raises:
        click.BadParameter: It is none.
    """
    if re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
    else:
        parts = re.fullmatch(r"(\d+w)?(\d+d)?(\d+h)?(\d+m)?(\d+s)?", text)
        if not text or parts is None:
            raise click.BadParameter(f"{text!r} is no duration, such as 90, 90s, 2h30m or 1d")
        seconds = sum((float(part[:-1]) * _SECONDS[part[-1]] for part in parts.groups() if part), 0.0)
    if seconds > _MAX_SECONDS:
        raise click.BadParameter(f"{text!r} is too long")
    return seconds


def whole_seconds(text: str) -> int:
    """Read a duration of whole seconds, the type of an option.

    Raises:
        click.BadParameter: It is none.
    """
    seconds = duration(text)
    if not seconds.is_integer():
        raise click.BadParameter(f"{text!r} is no duration of whole seconds")
    return int(seconds)


def shown(seconds: float) -> str:
    """Write a duration for people: in its largest unit and the next, or with parts of a second where it is short."""
    if seconds < 10:
        return f"{seconds} s" if isinstance(seconds, int) else f"{seconds:.2f} s"
    left = round(seconds)
    largest = next(place for place, unit in enumerate("dhms") if left >= _SECONDS[unit])
    parts: list[str] = []
    for unit in "dhms"[largest : largest + 2]:
        count, left = divmod(left, _SECONDS[unit])
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts)
