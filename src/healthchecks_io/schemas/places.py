"""The place in a file that a check was loaded from, for messages about the check."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks_io.schemas.checks import CheckUpdate


class Place(str):
    """The place that a check was loaded from, or empty. It does not count when checks are compared."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place)

    __hash__ = None  # type: ignore[assignment]  # equal to all others


def place_of(check: CheckUpdate) -> str:
    """Return the place of a check as the beginning of a message, or an empty string."""
    place = check.place
    return f"{place}: " if place else ""


def locate(check: CheckUpdate, place: str) -> None:
    """Set the place of a check."""
    check._place = Place(place)  # pyright: ignore[reportPrivateUsage]  # for load_checks
