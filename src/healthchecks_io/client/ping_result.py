"""The result of a ping."""

from __future__ import annotations

from typing import NamedTuple


class PingResult(NamedTuple):
    """The response to a ping."""

    success: bool
    """Whether the server recorded the ping.

    It then responds with ``OK``, or with ``Created`` if the ping created the check.
    """
    text: str
    """The text of the response."""
