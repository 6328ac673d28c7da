"""When a call is repeated, after what delay, and with what body: one policy for both clients.

stamina and tenacity retry on exceptions: they know neither ``Retry-After`` nor that one status is safe to retry for one
call and not for another, and they cost a cron script an import. httpx-retries is a transport, which would have to be
put into a client that the user passed in. This module does no I/O and never sleeps, so both clients share it.
"""

from __future__ import annotations

import logging
import re
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
_NOT_ASCII = re.compile(rb"[^\x00-\x7f]")
MAX_DELAYS = 10.0
"""Seconds: the maximum sum of the delays of one call."""


class Retries:
    """The remaining attempts of one call.

    Args:
        settings: The settings of the client.
        call: The call.

    Attributes:
        call: The call to send in the next attempt: a ping may be repeated with another body.
    """

    __slots__ = ("_delayed", "_made", "_settings", "call")

    def __init__(self, settings: Settings, call: Call[Any]) -> None:
        self._settings = settings
        self._made = 0
        self._delayed = 0.0
        self.call = call

    def next_delay(self, result: Response | Failure, seconds_left: float = float("inf")) -> float | None:
        """Return the seconds to wait before the next attempt, or None if there is none. Log which it is.

        Delays start at half a second and double, with a jitter of 50 %, so that the jobs of many machines do not retry
        at the same moment. The server's ``Retry-After`` takes precedence. If it exceeds the sum of delays of a call, or
        the time that is left, the call is not repeated.

        After that, a ping is sent once more with an ASCII body, and then without a body, if the body may be what the
        server fails on.

        Args:
            result: The result of the last attempt.
            seconds_left: The time that is left for the call.
        """
        is_retryable = result.is_transient and (self.call.is_idempotent or result.never_processed)
        delay = self._delay(result) if is_retryable else None
        if delay is not None and delay <= MAX_DELAYS - self._delayed and delay < seconds_left:
            self._made += 1
            self._delayed += delay
            self._log(logging.INFO, result, "%s in %.1f s", self._attempt, delay)
            return delay
        if seconds_left > 0 and self._change_body(result):
            return 0.0
        if is_retryable and self._settings.retries:
            self._log(logging.WARNING, result, "giving up after %s", self._attempt)
        return None

    def _delay(self, result: Response | Failure) -> float | None:
        retries_left = self._settings.retries - self._made
        if retries_left <= 0:
            return None
        retry_after = None if isinstance(result, Failure) else errors.retry_after(result)
        if retry_after is not None:
            return retry_after
        backoff = _FIRST_DELAY * 2.0 ** min(self._made, 5) * uniform(0.5, 1.5)  # noqa: S311 - not a secret
        # Each of many retries gets a share of the budget.
        return min(backoff, (MAX_DELAYS - self._delayed) / min(retries_left, 1000))

    def _change_body(self, result: Response | Failure) -> bool:
        """Replace the body of a ping that the server may fail on. Return whether there is another attempt."""
        if isinstance(result, Failure) or not (self.call.is_ping and self.call.body):
            return False
        if result.status_code != 413 and result.status_code < 500:
            return False
        ascii_body = _NOT_ASCII.sub(b"?", self.call.body)
        if result.status_code == 413 or ascii_body == self.call.body:
            change = "without its body: a check that filters HTTP bodies may ignore it"
            ascii_body = b""
        else:
            change = "with ? for each byte that is not ASCII: the server may fail on them"
        self._log(logging.WARNING, result, "sending it again %s", change)
        self.call = self.call.with_body(ascii_body)
        self._made = self._settings.retries
        return True

    @property
    def _attempt(self) -> str:
        return f"attempt {self._made + 1} of {self._settings.retries + 1}"

    def _log(self, level: int, result: Response | Failure, message: str, *arguments: object) -> None:
        log(level, f"%s; {message}", errors.describe(self._settings, self.call, result), *arguments)
