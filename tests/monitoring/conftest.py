"""Fixtures for the tests of monitor and heartbeat."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import AsyncClient, Client
from healthchecks_io.monitoring import environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthchecks_io.sandbox import Sandbox


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the warnings that other tests have caused, as a new process does."""
    monkeypatch.setattr(environment, "_warnings", set())


@pytest.fixture
def hc(healthchecks_environ: Sandbox) -> Sandbox:
    """An empty sandbox, which the environment names."""
    return healthchecks_environ


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


@pytest.fixture(
    params=[
        Use(is_async=is_async, is_decorator=is_decorator)
        for is_async in (False, True)
        for is_decorator in (False, True)
    ],
    ids=["with", "function", "async with", "coroutine function"],
)
def use(request: pytest.FixtureRequest) -> Use:
    """Each way to use a monitor."""
    use: Use = request.param
    return use


@pytest.fixture
def ping_types(hc: Sandbox) -> Callable[[str], list[str]]:
    """Return a function that lists the types of the pings of a check, oldest first."""
    return lambda slug: [ping.type for ping in reversed(hc.pings(slug))]
