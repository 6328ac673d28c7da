"""Pace bulk operations: after a 429, wait until the server accepts requests again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from healthchecks_io.client.exceptions import HCAPIRateLimitError
from healthchecks_io.client.logger import log
from healthchecks_io.client.request_context import waits_for_rate_limit

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthchecks_io.client.steps import Step, Steps, T

_DEFAULT_WAIT = 60.0
"""In seconds. healthchecks.io allows 100 requests a minute."""


def paced(steps: Steps[T], waiting: Callable[[float], None] | None = None) -> Steps[T]:
    """Carry out a procedure, and repeat each call that gets a 429.

    The waits do not count as retries.

    Args:
        steps: The procedure.
        waiting: Called with the number of seconds before each wait. Without it, a warning is logged.
    """
    advance: Callable[[Any], Step] = steps.send
    received: Any = None
    while True:
        try:
            step = advance(received)
        except StopIteration as end:
            result: T = end.value
            return result
        try:
            received, advance = (yield from _repeated(step, waiting)), steps.send
        except BaseException as error:  # noqa: BLE001 - the procedure handles it, or raises it again
            received, advance = error, steps.throw


def _repeated(step: Step, waiting: Callable[[float], None] | None) -> Steps[Any]:
    """Carry out a step, and repeat it as long as it gets a 429."""
    while True:
        before = waits_for_rate_limit.get()
        try:
            waits_for_rate_limit.set(True)
            return (yield step)
        except HCAPIRateLimitError as error:
            seconds = _DEFAULT_WAIT if error.retry_after is None else error.retry_after
        finally:
            waits_for_rate_limit.set(before)
        if waiting is None:
            log(logging.WARNING, "The server has received too many requests: waiting for %.0f s", seconds)
        else:
            waiting(seconds)
        yield float(seconds)
