"""When a call is repeated, and after what wait: one policy for both clients.

It is our own, in a few lines. stamina and tenacity wrap a function and retry on exceptions: they know neither
``Retry-After`` nor that the same status may be retried for one operation and not for another, and cost a cron script an
import. httpx-retries is a transport: it would have to be put into a client that the user passes in, which is never
altered. What is decided here does no I/O and does not sleep, so that both clients share it.
"""

from __future__ import annotations

from healthchecks_io.client.outcomes import NoAnswer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from healthchecks_io.client.operation import Operation
    from healthchecks_io.client.outcomes import Answer

_FIRST_WAIT = 0.5
MAX_WAITS = 10.0
"""Seconds that the waits of one call may sum to."""

_MAY_PASS = frozenset({408, 429, 500, 502, 503, 504})
_NOT_CARRIED_OUT = frozenset({429})


class Retries:
    """The attempts that may still follow in one call.

    Args:
        operation: What is asked.
        retries: How many attempts may follow the first.
    """

    __slots__ = ("_is_repeatable", "_made", "_retries", "_waited")

    def __init__(self, operation: Operation, retries: int) -> None:
        self._is_repeatable = operation.is_repeatable
        self._retries = retries
        self._made = 0
        self._waited = 0.0

    def wait_after(self, outcome: Answer | NoAnswer, seconds_left: float = float("inf")) -> float | None:
        """Say for how many seconds to wait before the next attempt, or None when there is none.

        A wait is half a second, doubled each time, give or take half of it, so that the jobs of many machines do not
        all come back at once. What the service asked for in ``Retry-After`` comes first; when that takes longer than
        the waits of one call may sum to, or than the call may still take, there is no further attempt.
        """
        if not self.may_follow(outcome) or self._made == self._retries:
            return None
        left = MAX_WAITS - self._waited
        wait = None if isinstance(outcome, NoAnswer) else outcome.retry_after
        if wait is None:
            from random import uniform

            # The waits of many retries are cut so that each of them has one.
            backoff = _FIRST_WAIT * 2.0 ** min(self._made, 5) * uniform(0.5, 1.5)  # noqa: S311 - no secret
            wait = min(backoff, left / min(self._retries - self._made, 1000))
        if wait > left or wait >= seconds_left:
            return None
        self._made += 1
        self._waited += wait
        return wait

    def may_follow(self, outcome: Answer | NoAnswer) -> bool:
        """Whether the trouble may pass, and the operation may be repeated then."""
        if isinstance(outcome, NoAnswer):
            return outcome.may_pass and (self._is_repeatable or outcome.is_unsent)
        return outcome.status_code in _MAY_PASS and (self._is_repeatable or outcome.status_code in _NOT_CARRIED_OUT)

    @property
    def progress(self) -> str:
        """Which attempt it is that was made or comes next, for the log."""
        return f"attempt {self._made + 1} of {self._retries + 1}"
