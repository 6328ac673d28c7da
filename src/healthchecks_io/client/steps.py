"""Procedures of several calls, without the I/O, so that both clients can share them.

A procedure is a generator. It yields calls, delays and futures, and receives the results of the calls and futures. The
functions `carry_out` in `sync_client` and `async_client` perform the steps.
"""

from __future__ import annotations

import concurrent.futures
import threading
from typing import TYPE_CHECKING, Any

from healthchecks_io.client.exceptions import HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TypeAlias, TypeVar

    from healthchecks_io.client.call import Call

    T = TypeVar("T")

    Step: TypeAlias = Call[Any] | concurrent.futures.Future[Any] | float
    """A call to send, a future to wait for, or a delay in seconds."""

    Steps: TypeAlias = Generator[Step, Any, T]
    """A procedure that returns a T."""


def wait_for(future: concurrent.futures.Future[Any], seconds: float) -> Any:
    """Return the result of a future that another run completes."""
    try:
        return future.result(max(min(seconds, threading.TIMEOUT_MAX), 0.0))
    except concurrent.futures.TimeoutError:
        raise future_timeout() from None


def future_timeout() -> HCAPIUnavailableError:
    """Return the exception for a future that was not done in time."""
    return HCAPIUnavailableError("another run was still creating the check when the timeout expired")
