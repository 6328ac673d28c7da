"""One deadline for everything that an attempt of AsyncClient does."""

from __future__ import annotations

import asyncio
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any, TypeVar

    T = TypeVar("T")

if sys.version_info >= (3, 11):  # pragma: no cover - each Python has one of the two

    async def within_seconds(seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """Do the work, or raise asyncio.TimeoutError when it takes longer."""
        async with asyncio.timeout(seconds):
            return await work

else:  # pragma: no cover - each Python has one of the two

    async def within_seconds(seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """Do the work, or raise asyncio.TimeoutError when it takes longer."""
        import anyio

        # asyncio.wait_for() loses a cancellation that comes just when the work is done.
        with anyio.move_on_after(seconds):
            return await work
        raise asyncio.TimeoutError
