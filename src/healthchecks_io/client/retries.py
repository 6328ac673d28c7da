"""When a call is repeated, and after what delay: one policy for both clients.

stamina and tenacity retry on exceptions: they know neither ``Retry-After`` nor that one status is safe to retry for one
call and not for another, and they cost a cron script an import. httpx-retries is a transport, which would have to be
put into a client that the user passed in. This module does no I/O and never sleeps, so both clients share it.
"""

from __future__ import annotations

import logging
from random import uniform
from typing import TYPE_CHECKING, Any

from healthchecks_io.client import errors
from healthchecks_io.client.logger import log
from healthchecks_io.client.response import Failure

if TYPE_CHECKING:
    from healthchecks_io.client.call import Call
    from healthchecks_io.client.response import Response
    from healthchecks_io.client.settings import Settings

_FIRST_DELAY = 0.5
MAX_DELAYS = 10.0
"""Seconds: the maximum sum of the delays of one call."""


class Retries:
    """The remaining attempts of one call.

    Args:
        settings: The settings of the client.
        call: The call.
    """

    __slots__ = ("_call", "_delayed", "_made", "_settings")

    def __init__(self, settings: Settings, call: Call[Any]) -> None:
        self._settings = settings
        self._call = call
        self._made = 0
        self._delayed = 0.0

    def next_delay(self, result: Response | Failure, seconds_left: float = float("inf")) -> float | None:
        """Return the seconds to wait before the next attempt, or None if there is none. Log which it is.

        Delays start at half a second and double, with a jitter of 50 %, so that the jobs of many machines do not retry
        at the same moment. The server's ``Retry-After`` takes precedence. If it exceeds the sum of delays of a call, or
        the time that is left, there is no further attempt.

        Args:
            result: The result of the last attempt.
            seconds_left: The time that is left for the call.
        """
        if not (result.is_transient and (self._call.is_idempotent or result.never_processed)):
            return None
        delay = self._delay(None if isinstance(result, Failure) else errors.retry_after(result))
        if delay is None or delay > MAX_DELAYS - self._delayed or delay >= seconds_left:
            if self._settings.retries:
                self._log(logging.WARNING, result, "giving up after %s", self._attempt)
            return None
        self._made += 1
        self._delayed += delay
        self._log(logging.INFO, result, "%s in %.1f s", self._attempt, delay)
        return delay

    def _delay(self, retry_after: float | None) -> float | None:
        retries_left = self._settings.retries - self._made
        if retries_left == 0:
            return None
        if retry_after is not None:
            return retry_after
        backoff = _FIRST_DELAY * 2.0 ** min(self._made, 5) * uniform(0.5, 1.5)  # noqa: S311 - not a secret
        # Each of many retries gets a share of the budget.
        return min(backoff, (MAX_DELAYS - self._delayed) / min(retries_left, 1000))

    @property
    def _attempt(self) -> str:
        return f"attempt {self._made + 1} of {self._settings.retries + 1}"

    def _log(self, level: int, result: Response | Failure, message: str, *arguments: object) -> None:
        log(level, f"%s; {message}", errors.describe(self._settings, self._call, result), *arguments)
