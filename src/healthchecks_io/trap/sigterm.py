"""Turn SIGTERM into an exception, so that a run that it ends is reported."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import WeakKeyDictionary, WeakSet

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

EXIT_STATUS = 128 + signal.SIGTERM

_blocks = 0
"""How many `with` blocks are using the handler."""

_blocks_by_task: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[asyncio.Task[Any], int]] = WeakKeyDictionary()
"""How many `async with` blocks each task is in, by event loop."""

_terminated: WeakSet[asyncio.Task[Any]] = WeakSet()
"""The tasks that were cancelled because of SIGTERM."""


def raise_on_sigterm() -> Callable[[], None] | None:
    """Make SIGTERM raise SystemExit in the main thread, unless the program handles it.

    Returns:
        A function that undoes it, or None if nothing was changed.
    """
    global _blocks  # noqa: PLW0603 - there is one handler per process
    if not _is_main_thread() or signal.getsignal(signal.SIGTERM) not in (signal.SIG_DFL, _exit):
        return None
    signal.signal(signal.SIGTERM, _exit)
    _blocks += 1
    return _restore


def _exit(*_: object) -> NoReturn:
    sys.exit(EXIT_STATUS)


def _restore() -> None:
    global _blocks  # noqa: PLW0603 - there is one handler per process
    _blocks -= 1
    if not _blocks and _is_main_thread() and signal.getsignal(signal.SIGTERM) is _exit:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def cancel_on_sigterm() -> Callable[[], None] | None:
    """Make SIGTERM cancel the current task, unless the program handles it.

    Returns:
        A function that undoes it, or None if nothing was changed.
    """
    import asyncio

    try:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
    except RuntimeError:
        return None  # The start of the run reports that this is not asyncio.
    if task is None or not _is_main_thread():
        return None
    blocks = _blocks_by_task.get(loop)
    if blocks is None:
        if signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
            return None
        try:
            loop.add_signal_handler(signal.SIGTERM, _cancel_tasks, loop)
        except NotImplementedError:  # pragma: no cover - Windows
            return None
        blocks = _blocks_by_task[loop] = {}
    installed = signal.getsignal(signal.SIGTERM)
    blocks[task] = blocks.get(task, 0) + 1

    def restore() -> None:
        blocks[task] -= 1
        if not blocks[task]:
            del blocks[task]
            _terminated.discard(task)
        if blocks or _blocks_by_task.pop(loop, None) is None:
            return
        # The job may have installed a handler of its own in the meantime.
        if _is_main_thread() and signal.getsignal(signal.SIGTERM) == installed:
            loop.remove_signal_handler(signal.SIGTERM)

    return restore


def _cancel_tasks(loop: asyncio.AbstractEventLoop) -> None:
    for task in list(_blocks_by_task.get(loop, ())):
        _terminated.add(task)
        task.cancel()


def is_terminated() -> bool:
    """Return whether the current task was cancelled because of SIGTERM."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None or not _terminated:
        return False
    try:
        return asyncio.current_task() in _terminated
    except RuntimeError:
        return False


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
