"""A timeout for a coroutine, on every version of Python."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, TypeVar

import anyio

if TYPE_CHECKING:
    from collections.abc import Awaitable

T = TypeVar("T")


if sys.version_info >= (3, 11):  # pragma: no cover - depends on the version of Python

    async def within_seconds(seconds: float, work: Awaitable[T]) -> T:
        """Return the result of an awaitable, or raise asyncio.TimeoutError after this many seconds."""
        async with asyncio.timeout(seconds):
            return await work

else:  # pragma: no cover - depends on the version of Python

    async def within_seconds(seconds: float, work: Awaitable[T]) -> T:
        """Return the result of an awaitable, or raise asyncio.TimeoutError after this many seconds."""
        # asyncio.wait_for() loses a cancellation that arrives just as the work ends.
        with anyio.move_on_after(seconds):
            return await work
        raise asyncio.TimeoutError
