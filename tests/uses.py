"""The ways to use monitor: as a context manager and as a decorator, in synchronous and asynchronous code."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from healthchecks_io import AsyncClient, Client

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Use:
    """A way to use a monitor."""

    is_async: bool
    is_decorator: bool

    def run(self, monitor: Any, job: Callable[[], Any], client: AsyncClient | Client | None = None) -> Any:
        """Run a job once, and then close the client, which must still be open.

        Returns:
            The result of the job, or None if its exception was suppressed.
        """
        if self.is_async:
            return asyncio.run(self._run_async(monitor, job, client))
        try:
            if self.is_decorator:
                return monitor(job)()
            with monitor:
                return job()
        finally:
            if isinstance(client, Client):
                assert not client.is_closed
                client.close()

    async def _run_async(self, monitor: Any, job: Callable[[], Any], client: AsyncClient | Client | None) -> Any:
        async def coroutine_function() -> Any:
            return job()

        try:
            if self.is_decorator:
                return await monitor(coroutine_function)()
            async with monitor:
                return job()
        finally:
            if isinstance(client, AsyncClient):
                assert not client.is_closed
                await client.aclose()
