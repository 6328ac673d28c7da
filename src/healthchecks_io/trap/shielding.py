"""Work that a task carries out although it is cancelled, in a time that is bounded."""

from __future__ import annotations

import asyncio
import sys

import anyio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any


async def carry_out(
    work: Callable[[], Coroutine[Any, Any, None]], seconds: float, *, is_cancelled: bool
) -> tuple[bool, asyncio.CancelledError | None]:
    """Do some work to its end, whatever cancels this task meanwhile.

    Args:
        work: What to do.
        seconds: How long it may take from the first cancellation on.
        is_cancelled: Whether this task has been cancelled already.

    Returns:
        Whether it was done in time; and the first cancellation that came meanwhile, to which the caller has to see.
    """
    now = asyncio.get_running_loop().time
    ends = now() + seconds if is_cancelled else None
    cancellation: asyncio.CancelledError | None = None
    task = asyncio.create_task(work())
    while True:
        try:
            # Inside a cancelled scope of anyio, each wait would end at once, again and again; so it is shielded as soon
            # as there was a cancellation. It is not before, for anyio's is not to be missed.
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
        # All tasks were cancelled, as asyncio.run() does at its end: this one too.
        ends = ends or now() + seconds
        task = asyncio.create_task(work())


def cancel_again() -> None:
    """Cancel this task at its next wait, because a cancellation was held up."""
    task = asyncio.current_task()
    # anyio does so by itself, for as long as its scope is there.
    if task is not None and anyio.current_effective_deadline() > float("-inf"):
        asyncio.get_running_loop().call_soon(_cancel_if_wanted, task)


def _cancel_if_wanted(task: asyncio.Task[Any]) -> None:
    if sys.version_info < (3, 11):  # pragma: no cover - each Python has one of the two
        task.cancel()
    elif task.cancelling():  # pragma: no branch - nobody may want it any more, such as a time-out that has ended
        # The cancellation that was held up has been counted already.
        task.uncancel()
        task.cancel()
