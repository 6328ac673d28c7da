"""The retry policy of both clients: whether a call is retried, after what delay, and with what body.

Existing libraries do not fit. stamina and tenacity retry on exceptions: they support neither ``Retry-After`` nor
statuses that are safe to retry for one call but not for another, and cost a cron script an import. httpx-retries is a
transport, which would have to be installed in a passed-in httpx client.

This module performs no I/O and never sleeps, so both clients can share it.
"""

from __future__ import annotations

import logging
import re
from random import uniform
from typing import TYPE_CHECKING, Any

from healthchecks_io.client import errors
from healthchecks_io.client.logger import IS_ABOUT_ATTEMPT, log
from healthchecks_io.client.request_context import logs_failures_itself, waits_for_rate_limit
from healthchecks_io.client.response import Failure, Response

if TYPE_CHECKING:
    from healthchecks_io.client.call import Call
    from healthchecks_io.client.settings import Settings

_FIRST_DELAY = 0.5
_NOT_ASCII = re.compile(rb"[^\x00-\x7f]")
MAX_DELAYS = 10.0
"""In seconds. The maximum total delay of a call."""


_BODY_ATTEMPTS = 2
"""How many more attempts a ping with a body may have: with an ASCII body, and without a body."""


def longest_duration(settings: Settings, call: Call[Any]) -> float:
    """Return how many seconds a call takes at most."""
    more = _BODY_ATTEMPTS if call.is_ping and call.body else 0
    return settings.timeout * (settings.retries + 1 + more) + MAX_DELAYS


class Retries:
    """Decides whether and how to retry one call.

    Args:
        settings: The settings of the client.
        call: The call.

    Attributes:
        call: The call to send in the next attempt. A ping may be retried with another body.
    """

    __slots__ = ("_delayed", "_made", "_settings", "call")

    def __init__(self, settings: Settings, call: Call[Any]) -> None:
        self._settings = settings
        self._made = 0
        self._delayed = 0.0
        self.call = call

    def next_delay(self, result: Response | Failure, seconds_left: float = float("inf")) -> float | None:
        """Return how many seconds to wait before the next attempt, or None to give up, and log the decision.

        Delays start at half a second and double each time, with a jitter of 50%, so that jobs on many machines do not
        retry at the same moment. The server's ``Retry-After`` takes precedence. If it exceeds the maximum total delay,
        or the time that is left, the call is not retried.

        After the last retry, if the server may have failed because of the body of a ping, the ping is sent once more
        with an ASCII body, and then without a body.

        Args:
            result: The result of the last attempt.
            seconds_left: How many seconds are left for the call.
        """
        is_retryable = result.is_transient and (self.call.is_idempotent or result.never_processed)
        delay = self._delay(result) if is_retryable else None
        if delay is not None and delay <= MAX_DELAYS - self._delayed and delay < seconds_left:
            self._made += 1
            self._delayed += delay
            self._log(logging.INFO, result, "retrying in %.1f s: %s", delay, self._attempt)
            return delay
        if seconds_left > 0 and self._change_body(result):
            return 0.0
        if is_retryable and self._settings.retries and not _is_reported_by_caller(result):
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
        # If there are many retries, each gets an equal share of the total delay.
        return min(backoff, (MAX_DELAYS - self._delayed) / min(retries_left, 1000))

    def _change_body(self, result: Response | Failure) -> bool:
        """Replace the body of a ping that may have made the server fail. Return whether to send it again."""
        if isinstance(result, Failure) or not (self.call.is_ping and self.call.body):
            return False
        if result.status_code != 413 and result.status_code < 500:
            return False
        ascii_body = _NOT_ASCII.sub(b"?", self.call.body)
        if result.status_code == 413 or ascii_body == self.call.body:
            change = "without its body: a check that filters HTTP bodies may ignore it"
            ascii_body = b""
        else:
            change = "with ? in place of each non-ASCII byte: these may have made the server fail"
        self._log(logging.WARNING, result, "sending it again %s", change)
        self.call = self.call.replace(body=ascii_body)
        self._made = self._settings.retries
        return True

    @property
    def _attempt(self) -> str:
        return f"attempt {self._made + 1} of {self._settings.retries + 1}"

    def _log(self, level: int, result: Response | Failure, message: str, *arguments: object) -> None:
        description = errors.describe(self._settings, self.call, result)
        log(level, f"%s; {message}", description, *arguments, extra={IS_ABOUT_ATTEMPT: True})


def _is_reported_by_caller(result: Response | Failure) -> bool:
    """Return whether the caller reports the failure itself, or waits and repeats the call."""
    is_rate_limited = isinstance(result, Response) and result.status_code == 429
    return logs_failures_itself.get() or (is_rate_limited and waits_for_rate_limit.get())
