"""What a ping gives back."""

from __future__ import annotations

from typing import NamedTuple


class PingResult(NamedTuple):
    """The answer to a ping.

    Attributes:
        success: Whether the service recorded the ping: it answered ``OK``, or ``Created`` where the ping created the
            check.
        text: The answer of the service.
    """

    success: bool
    text: str
