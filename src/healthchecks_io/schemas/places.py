"""The place in a file that a check was loaded from, for messages about the check."""

from __future__ import annotations

from typing import Protocol


class Place(str):
    """The place that a check was loaded from, or empty. It does not count when checks are compared."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place)

    __hash__ = None  # type: ignore[assignment]  # equal to all others


class Located(Protocol):
    """A check that remembers its place."""

    _place: Place


def place_of(check: Located) -> str:
    """Return the place of a check as the beginning of a message, or an empty string."""
    place = check._place  # pyright: ignore[reportPrivateUsage]  # of a check in another module
    return f"{place}: " if place else ""


def locate(check: Located, place: str) -> None:
    """Set the place of a check."""
    check._place = Place(place)  # pyright: ignore[reportPrivateUsage]  # for load_checks
