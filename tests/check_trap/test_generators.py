"""A generator or coroutine that is closed in its run reports the end if it can still await something."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import AsyncClient, CheckTrap

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Generator, Iterator

    from healthchecks_io.sandbox import Sandbox

pytestmark = pytest.mark.server("1.23")


@pytest.fixture
def run(settings: dict[str, Any], check: Any) -> Callable[[Callable[[AsyncClient], Coroutine[Any, Any, None]]], None]:
    """Return a function that runs a coroutine function with a client in a new event loop."""

    def run(main: Callable[[AsyncClient], Coroutine[Any, Any, None]]) -> None:
        async def with_client() -> None:
            async with AsyncClient(**settings, timeout=3) as client:
                await main(client)

        asyncio.run(with_client())

    return run


class CustomTrap(CheckTrap[AsyncClient, None]):
    """A trap that does something of its own at the end of a run."""

    async def __aexit__(self, *error: Any) -> bool:  # noqa: PYI036 - it passes them on
        await asyncio.sleep(0)
        return await super().__aexit__(*error)


@contextlib.asynccontextmanager
async def in_an_exit_stack(client: AsyncClient) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(CheckTrap(client, slug="backup"))
        yield


@contextlib.asynccontextmanager
async def in_a_helper(client: AsyncClient) -> AsyncIterator[None]:
    async with CheckTrap(client, slug="backup"):
        yield


WAYS: dict[str, Callable[[AsyncClient], contextlib.AbstractAsyncContextManager[Any]]] = {
    "block": lambda client: CheckTrap(client, slug="backup"),
    "subclass": lambda client: CustomTrap(client, slug="backup"),
    "exit stack": in_an_exit_stack,
    "helper": in_a_helper,
}


@pytest.mark.parametrize("enter", WAYS.values(), ids=WAYS)
def test_an_async_generator_that_is_closed_sends_a_fail_ping(
    run: Callable[..., None], ping_types: Callable[[], list[str]], enter: Any
) -> None:
    async def main(client: AsyncClient) -> None:
        async def generate() -> AsyncGenerator[int]:
            async with enter(client):
                yield 1
                yield 2

        generator = generate()
        assert await anext(generator) == 1
        await generator.aclose()

    run(main)
    assert ping_types() == ["start", "fail"]


@pytest.mark.parametrize("enter", WAYS.values(), ids=WAYS)
def test_an_async_generator_left_to_the_event_loop_sends_a_fail_ping(
    run: Callable[..., None], ping_types: Callable[[], list[str]], enter: Any
) -> None:
    async def main(client: AsyncClient) -> None:
        async def generate() -> AsyncGenerator[int]:
            async with enter(client):
                yield 1

        async def use() -> None:
            assert await anext(generate()) == 1
            gc.collect()

        await use()
        await asyncio.sleep(0)
        # asyncio closes the generator in a task of its own.
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            await task

    run(main)
    assert ping_types() == ["start", "fail"]


class Suspension:
    """An awaitable that suspends its coroutine for ever."""

    def __await__(self) -> Generator[Suspension]:
        yield self


class UntilSuspended:
    """An awaitable that runs a coroutine until it awaits a Suspension."""

    def __init__(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any]:
        while not isinstance(step := self._coroutine.send(None), Suspension):
            yield step


# A subclass or an exit stack that awaits something of its own while it is closed would fail by itself.
@pytest.mark.parametrize("way", ["block", "exit stack", "helper"])
def test_closing_a_coroutine_neither_raises_nor_sends_a_ping_and_is_logged(
    run: Callable[..., None],
    ping_types: Callable[[], list[str]],
    caplog: pytest.LogCaptureFixture,
    way: str,
) -> None:
    async def main(client: AsyncClient) -> None:
        entered: contextlib.AbstractAsyncContextManager[Any] = WAYS[way](client)

        async def job() -> None:
            async with entered:
                await Suspension()

        coroutine = job()
        await UntilSuspended(coroutine)
        coroutine.close()

    run(main)
    assert ping_types() == ["start"]
    assert "the coroutine was closed and can no longer send a ping" in caplog.text


def test_a_generator_that_is_closed_sends_a_fail_ping(
    hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    with hc.client() as client:

        def generate() -> Iterator[int]:
            with CheckTrap(client, slug="backup"):
                yield 1

        generator = generate()
        assert next(generator) == 1
        generator.close()  # type: ignore[attr-defined]  # it is a generator

    assert ping_types() == ["start", "fail"]
