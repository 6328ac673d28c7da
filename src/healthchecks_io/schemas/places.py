"""The place in a file that a check was loaded from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class Place(str):
    """A file and a line, or empty. It does not count when checks are compared.

    Args:
        place: The file and line.
        channels: The file, line and table in which the channels are declared.
    """

    __slots__ = ("channels",)

    channels: str

    def __new__(cls, place: str = "", channels: str = "") -> Self:
        """Create a place."""
        self = super().__new__(cls, place)
        self.channels = channels
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Place)

    __hash__ = None  # type: ignore[assignment]  # equal to all others
