"""A job that is cancelled is reported all the same, and neither the cancellation nor a result is lost."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from healthchecks_io import AsyncClient, CheckCreate, CheckTrap, HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine

    from healthchecks_io.sandbox import Sandbox


@pytest.fixture(autouse=True)
def _check(hc: Sandbox) -> None:
    with hc.client() as client:
        client.create_check(CheckCreate(slug="backup"))


@pytest.fixture
def run(settings: dict[str, Any]) -> Callable[..., Any]:
    """Run a coroutine function with a client, in an event loop of its own."""

    def run(main: Callable[[AsyncClient], Coroutine[Any, Any, Any]], **options: Any) -> Any:
        async def with_client() -> Any:
            async with AsyncClient(**settings, **{"timeout": 3, **options}) as client:
                return await main(client)

        return asyncio.run(with_client())

    return run


class Job:
    """A job in a CheckTrap, as a task that can be cancelled."""

    def __init__(self, client: AsyncClient, work: Callable[[], Coroutine[Any, Any, object]], **options: Any) -> None:
        self.trap = CheckTrap(client, slug="backup", **options)
        self.has_begun = asyncio.Event()
        self._work = work
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with self.trap:
            self.has_begun.set()
            await self._work()

    async def cancel_in_report(self) -> None:
        """Cancel the task while its final ping is under way."""
        await self.has_begun.wait()
        await asyncio.sleep(0.1)
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task


async def rest() -> None:
    await asyncio.sleep(60)


def test_the_end_of_a_cancelled_job_is_reported(
    run: Callable[..., Any], hc: Sandbox, recorded: Callable[[], list[str]]
) -> None:
    async def main(client: AsyncClient) -> None:
        job = Job(client, rest)
        await job.has_begun.wait()
        job.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job.task

    run(main)
    assert recorded() == ["start", "fail"]
    assert hc.pings("backup")[0].body.endswith(b"CancelledError")


def test_further_cancellations_do_not_keep_the_end_from_being_reported(
    run: Callable[..., Any], hc: Sandbox, recorded: Callable[[], list[str]]
) -> None:
    async def main(client: AsyncClient) -> None:
        job = Job(client, rest)
        await job.has_begun.wait()
        hc.fail_next(delay=0.4)
        for _ in range(5):
            job.task.cancel()
            await asyncio.sleep(0.05)
            assert not job.task.done()
        with pytest.raises(asyncio.CancelledError):
            await job.task
        assert job.trap.ping_failures == []

    run(main)
    assert recorded() == ["start", "fail"]


def test_in_a_cancelled_scope_of_anyio_the_end_is_reported_without_spinning(
    run: Callable[..., Any], hc: Sandbox, recorded: Callable[[], list[str]]
) -> None:
    async def main(client: AsyncClient) -> float:
        with anyio.move_on_after(0.2) as scope:
            async with CheckTrap(client, slug="backup"):
                hc.fail_next(delay=1.5)
                began = time.process_time()
                await rest()
        assert scope.cancelled_caught
        return time.process_time() - began

    assert run(main) < 1
    assert recorded() == ["start", "fail"]


def test_the_end_of_a_cancelled_job_is_given_up_within_the_timeout(run: Callable[..., Any], hc: Sandbox) -> None:
    async def main(client: AsyncClient) -> CheckTrap[AsyncClient]:
        job = Job(client, rest)
        await job.has_begun.wait()
        hc.fail_next(status=503, delay=10, times=9)
        job.task.cancel()
        began = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await job.task
        assert time.monotonic() - began < 3
        return job.trap

    (failure,) = run(main, timeout=0.5, retries=8).ping_failures
    assert isinstance(failure, HCAPIUnavailableError)
    assert "given up 0.5 s after the task was cancelled" in str(failure)


def test_a_success_that_is_being_reported_when_the_task_is_cancelled_stays_one(
    run: Callable[..., Any], hc: Sandbox, recorded: Callable[[], list[str]]
) -> None:
    async def work() -> None:
        hc.fail_next(delay=0.3)

    async def main(client: AsyncClient) -> None:
        await Job(client, work).cancel_in_report()

    run(main)
    assert recorded() == ["start", "success"]


def test_an_exception_that_is_being_reported_leaves_and_the_cancellation_follows(
    run: Callable[..., Any], hc: Sandbox, recorded: Callable[[], list[str]]
) -> None:
    error = ValueError("of the job")

    async def work() -> None:
        hc.fail_next(delay=0.3)
        raise error

    async def main(client: AsyncClient) -> list[BaseException]:
        left: list[BaseException] = []

        async def service() -> None:
            try:
                async with CheckTrap(client, slug="backup"):
                    has_begun.set()
                    await work()
            except ValueError as caught:
                left.append(caught)
            await rest()

        has_begun = asyncio.Event()
        task = asyncio.create_task(service())
        await has_begun.wait()
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        if sys.version_info >= (3, 11):
            assert task.cancelling() == 1
        return left

    assert run(main) == [error]
    assert recorded() == ["start", "fail"]


def test_a_swallowed_exception_does_not_swallow_a_cancellation(
    run: Callable[..., Any], hc: Sandbox, recorded: Callable[[], list[str]]
) -> None:
    async def work() -> None:
        hc.fail_next(delay=0.3)
        raise ValueError

    async def main(client: AsyncClient) -> None:
        await Job(client, work, suppress_exceptions=True).cancel_in_report()

    run(main)
    assert recorded() == ["start", "fail"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout() came with Python 3.11")
def test_a_timeout_around_the_job_is_one(run: Callable[..., Any], recorded: Callable[[], list[str]]) -> None:
    async def main(client: AsyncClient) -> None:
        with pytest.raises(asyncio.TimeoutError):
            async with asyncio.timeout(0.2):
                async with CheckTrap(client, slug="backup"):
                    await rest()

    run(main)
    assert recorded() == ["start", "fail"]


def test_a_job_that_is_still_running_when_the_loop_ends_is_reported(
    settings: dict[str, Any], recorded: Callable[[], list[str]]
) -> None:
    async def service(has_begun: asyncio.Event) -> None:
        async with AsyncClient(**settings) as client, CheckTrap(client, slug="backup"):
            has_begun.set()
            await rest()

    async def main() -> None:
        has_begun = asyncio.Event()
        task = asyncio.create_task(service(has_begun))
        await has_begun.wait()
        assert not task.done()

    asyncio.run(main())
    assert recorded() == ["start", "fail"]


def test_an_end_that_is_under_way_when_the_loop_ends_is_reported(
    settings: dict[str, Any], hc: Sandbox, recorded: Callable[[], list[str]]
) -> None:
    async def service(has_begun: asyncio.Event, may_end: asyncio.Event) -> None:
        async with AsyncClient(**settings) as client, CheckTrap(client, slug="backup"):
            has_begun.set()
            await may_end.wait()

    async def main() -> None:
        has_begun, may_end = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(service(has_begun, may_end))
        await has_begun.wait()
        # The first attempt is cancelled with all tasks; the one after it is answered well.
        hc.fail_next(status=503, delay=0.5)
        may_end.set()
        await asyncio.sleep(0.2)
        assert not task.done()

    asyncio.run(main())
    assert recorded() == ["start", "success"]


def test_a_job_that_is_cancelled_at_its_start_does_not_run(run: Callable[..., Any], hc: Sandbox) -> None:
    async def main(client: AsyncClient) -> None:
        hc.fail_next(delay=0.5)
        job = Job(client, rest)
        await asyncio.sleep(0.1)
        job.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job.task
        assert not job.has_begun.is_set()
        async with job.trap as trap:
            assert trap.ping_failures == []

    run(main)


def test_a_coroutine_that_is_closed_says_that_its_end_is_not_reported(
    run: Callable[..., Any], recorded: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    async def main(client: AsyncClient) -> None:
        trap = CheckTrap(client, slug="backup")
        await trap.__aenter__()
        closing = trap.__aexit__(GeneratorExit, GeneratorExit(), None)
        with pytest.raises(StopIteration):
            closing.send(None)
        assert len(trap.ping_failures) == 1

    run(main)
    assert recorded() == ["start"]
    assert "the coroutine was closed" in caplog.text


def test_a_synchronous_job_that_is_cancelled_holds_its_task_up_no_longer_than_the_timeout(hc: Sandbox) -> None:
    with hc.client(timeout=0.5, retries=8) as client:
        began = 0.0
        with pytest.raises(asyncio.CancelledError), CheckTrap(client, slug="backup") as trap:
            hc.fail_next(status=503, delay=10, times=9)
            began = time.monotonic()
            raise asyncio.CancelledError

    assert time.monotonic() - began < 3
    assert len(trap.ping_failures) == 1


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout() came with Python 3.11")
def test_a_timeout_during_the_report_of_an_exception_ends_with_its_scope(run: Callable[..., Any], hc: Sandbox) -> None:
    async def main(client: AsyncClient) -> None:
        with pytest.raises((ValueError, asyncio.TimeoutError)):
            async with asyncio.timeout(0.2):
                async with CheckTrap(client, slug="backup"):
                    hc.fail_next(delay=0.5)
                    raise ValueError
        await asyncio.sleep(0.05)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    run(main)


def test_a_scope_of_anyio_that_is_cancelled_during_the_report_holds_it_up_no_longer_than_the_timeout(
    run: Callable[..., Any], hc: Sandbox
) -> None:
    async def main(client: AsyncClient) -> float:
        with anyio.move_on_after(0.2):
            async with CheckTrap(client, slug="backup"):
                hc.fail_next(status=503, delay=10, times=9)
                began = time.monotonic()
        await anyio.sleep(0.05)
        return time.monotonic() - began

    assert run(main, timeout=0.5, retries=8) < 4


def test_a_scope_of_anyio_that_is_cancelled_during_the_report_of_an_exception_lets_it_leave(
    run: Callable[..., Any], hc: Sandbox, recorded: Callable[[], list[str]]
) -> None:
    error = ValueError("of the job")

    async def main(client: AsyncClient) -> list[str]:
        left = []
        with anyio.move_on_after(0.2) as scope:
            try:
                async with CheckTrap(client, slug="backup"):
                    hc.fail_next(delay=0.6)
                    raise error
            except ValueError:
                left.append("error")
            await anyio.sleep(5)
            left.append("not cancelled")
        assert scope.cancelled_caught
        await anyio.sleep(0.05)
        return left

    assert run(main) == ["error"]
    assert recorded() == ["start", "fail"]


def test_an_asynchronous_generator_that_is_closed_is_reported(
    run: Callable[..., Any], recorded: Callable[[], list[str]]
) -> None:
    async def main(client: AsyncClient) -> None:
        async def generate() -> AsyncGenerator[int]:
            async with CheckTrap(client, slug="backup"):
                yield 1
                yield 2

        generator = generate()
        assert await anext(generator) == 1
        await generator.aclose()

    run(main)
    assert recorded() == ["start", "fail"]
