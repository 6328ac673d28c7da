"""Durations as text, such as ``1h 30m``."""

from __future__ import annotations

import re

SECONDS_PER_UNIT = {"w": 7 * 24 * 3600, "d": 24 * 3600, "h": 3600, "m": 60, "s": 1}

_MAX_SECONDS = 10**9
"""About thirty years. Some operating systems reject much longer waits."""

# Not compiled here: that would take longer than importing the module, and few programs parse a duration.
_NUMBER = r"\d+(?:\.\d+)?"
_SECONDS = rf"\s*({_NUMBER})\s*"
_PARTS = rf"\s*(?:(\d+)w\s*)?(?:(\d+)d\s*)?(?:(\d+)h\s*)?(?:(\d+)m\s*)?(?:({_NUMBER})s\s*)?"


def parse_duration(text: str) -> float:
    """Parse a duration in which the seconds may have a fraction.

    Args:
        text: A number of seconds such as ``90`` or ``0.5``, or parts in the units ``w``, ``d``, ``h``, ``m`` and ``s``,
            each at most once and in this order: ``90s``, ``1h30m`` or ``1d 12h``.

    Returns:
        The duration in seconds.

    Raises:
        ValueError: The text is not a valid duration, or the duration is too long.
    """
    # ASCII: otherwise \d would match the digits of all scripts, and \s no-break spaces.
    seconds = re.fullmatch(_SECONDS, text, re.ASCII)
    parts = re.fullmatch(_PARTS, text, re.ASCII)
    if seconds is not None:
        total = float(seconds[1])
    elif parts is not None and any(parts.groups()):
        # float() reads any number of digits, int() does not.
        total = sum(
            float(number) * factor for number, factor in zip(parts.groups("0"), SECONDS_PER_UNIT.values(), strict=True)
        )
    else:
        raise ValueError(
            f"{text!r} is not a valid duration: use a number of seconds such as 90, "
            "or the units w, d, h, m and s as in 90s, 1h30m or '1d 12h'"
        )
    if total > _MAX_SECONDS:
        raise ValueError(f"{text!r} is too long: the maximum is {_MAX_SECONDS} seconds")
    return total


def parse_whole_seconds(text: str) -> int:
    """Parse a duration without a fraction.

    Raises:
        ValueError: The text is not a valid duration, has a fraction, or the duration is too long.
    """
    seconds = parse_duration(text)
    if "." in text:
        raise ValueError(f"{text!r} is not a whole number of seconds: use a form such as 90, 90s, 1h30m or '1d 12h'")
    return int(seconds)


def format_exactly(seconds: int) -> str:
    """Format a duration of whole seconds so that it can be parsed again: ``1d 12h``."""
    parts: list[str] = []
    for unit, length in SECONDS_PER_UNIT.items():
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"


def format_duration(seconds: float) -> str:
    """Format a duration with its two largest units, or with fractions of a second if it is short."""
    if seconds < 10:
        return f"{seconds} s" if isinstance(seconds, int) else f"{seconds:.2f} s"
    rest = round(seconds)
    units = SECONDS_PER_UNIT
    largest = next(index for index, unit in enumerate("dhms") if rest >= units[unit])
    parts: list[str] = []
    for unit in "dhms"[largest : largest + 2]:
        count, rest = divmod(rest, units[unit])
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts)
