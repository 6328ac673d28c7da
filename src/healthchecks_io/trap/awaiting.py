"""Find out whether a coroutine that is being closed can still await something.

An async generator that is closed by ``await generator.aclose()`` can. A coroutine that is closed by
``coroutine.close()``, or by the garbage collector, cannot: the code that closes it would get a RuntimeError.
"""

from __future__ import annotations

import asyncio
import inspect
import opcode
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

_CAN_AWAIT = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR | inspect.CO_GENERATOR
_AWAITING = frozenset(
    opcode.opmap[name] for name in ("SEND", "YIELD_VALUE", "RESUME", "YIELD_FROM") if name in opcode.opmap
)
"""The instructions at which a coroutine waits for another one. A call of ``close()`` is a different one."""
_CACHE = opcode.opmap.get("CACHE")


def can_await_after(error: BaseException | None) -> bool:
    """Return whether the coroutine that calls this can still await something.

    Args:
        error: The exception that it is handling, if any. Only a GeneratorExit means that it is being closed.
    """
    if not isinstance(error, GeneratorExit):
        return True
    frame = inspect.currentframe()
    return _can_await(frame and frame.f_back)


def _can_await(frame: FrameType | None) -> bool:
    """Return whether the coroutine of a frame is being run by the current task, and so can await something.

    Args:
        frame: The frame of a coroutine that is being executed.
    """
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return False
    if task is None or frame is None:
        return False
    outermost = frame
    while outermost.f_back is not None and outermost.f_back.f_code.co_flags & _CAN_AWAIT:
        outermost = outermost.f_back
        if not _is_awaiting(outermost):
            return False
    # asyncio closes forgotten async generators in tasks of their own. The coroutine of such a task has no frame.
    root = getattr(task.get_coro(), "cr_frame", None)
    return root is None or root is outermost


def _is_awaiting(frame: FrameType) -> bool:
    code, position = frame.f_code.co_code, frame.f_lasti
    if sys.version_info < (3, 11):  # pragma: no cover - depends on the version
        # A suspended frame points to the instruction before.
        return code[position] in _AWAITING or code[position + 2] in _AWAITING
    # Some versions point to the inline cache that follows the instruction.
    while code[position] == _CACHE:
        position -= 2
    return code[position] in _AWAITING
