"""Finish work in a bounded time even if the task is cancelled."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any


async def finish_despite_cancellation(
    work: Callable[[], Coroutine[Any, Any, None]], seconds: float, *, is_cancelled: bool
) -> tuple[bool, asyncio.CancelledError | None]:
    """Finish some work, even if this task is cancelled in the meantime.

    Args:
        work: A coroutine function. It is called again if its own task is cancelled.
        seconds: How long the work may take after the first cancellation.
        is_cancelled: Whether this task has already been cancelled.

    Returns:
        Whether the work was finished, and the first cancellation that arrived, which the caller must handle.
    """
    now = asyncio.get_running_loop().time
    ends = now() + seconds if is_cancelled else None
    cancellation: asyncio.CancelledError | None = None
    task = asyncio.create_task(work())
    while True:
        try:
            # A cancelled anyio scope would cancel every wait. Shield the waits after the first cancellation, but not
            # before, or the cancellation of a scope would go unnoticed.
            with anyio.CancelScope(shield=ends is not None):
                await asyncio.wait([task], timeout=None if ends is None else max(ends - now(), 0.0))
        except asyncio.CancelledError as error:
            cancellation = cancellation or error
            ends = ends or now() + seconds
            continue
        if not task.done():
            task.cancel()
            return False, cancellation
        if not task.cancelled():
            task.result()
            return True, cancellation
        # All tasks were cancelled, as asyncio.run() does at its end. Start over.
        ends = ends or now() + seconds
        task = asyncio.create_task(work())


def cancel_again() -> None:
    """Deliver a deferred cancellation: cancel this task at its next await."""
    task = asyncio.current_task()
    # anyio repeats the cancellation by itself while its scope exists.
    if task is not None and anyio.current_effective_deadline() > float("-inf"):
        asyncio.get_running_loop().call_soon(_cancel_unless_withdrawn, task)


def _cancel_unless_withdrawn(task: asyncio.Task[Any]) -> None:
    if sys.version_info < (3, 11):  # pragma: no cover - depends on the version of Python
        task.cancel()
    elif task.cancelling():  # pragma: no branch - a timeout withdraws it when it ends
        # The deferred cancellation has already been counted.
        task.uncancel()
        task.cancel()
