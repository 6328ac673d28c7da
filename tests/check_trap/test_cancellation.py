"""The end of a cancelled job is still reported, and neither the cancellation nor the job's result is lost."""

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

pytestmark = pytest.mark.server("1.23")


@pytest.fixture(autouse=True)
def _check(hc: Sandbox) -> None:
    with hc.client() as client:
        client.create_check(CheckCreate(name="backup", slug="backup"))


@pytest.fixture
def run(settings: dict[str, Any]) -> Callable[..., Any]:
    """Return a function that runs a coroutine function with a client in a new event loop."""

    def run(main: Callable[[AsyncClient], Coroutine[Any, Any, Any]], **options: Any) -> Any:
        async def with_client() -> Any:
            async with AsyncClient(**settings, **{"timeout": 3, **options}) as client:
                return await main(client)

        return asyncio.run(with_client())

    return run


class Job:
    """A job in a CheckTrap, run in a task that can be cancelled."""

    def __init__(self, client: AsyncClient, work: Callable[[], Coroutine[Any, Any, object]], **options: Any) -> None:
        self.trap = CheckTrap(client, slug="backup", **options)
        self.started = asyncio.Event()
        self._work = work
        self.task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with self.trap:
            self.started.set()
            await self._work()

    async def cancel_during_final_ping(self) -> None:
        """Cancel the task while its final ping is in flight."""
        await wait_for(self.started)
        await asyncio.sleep(0.1)
        self.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await self.task


async def wait_to_be_cancelled() -> None:
    await asyncio.sleep(60)


async def wait_for(event: asyncio.Event) -> None:
    """Wait for an event, which never happens if the start ping fails."""
    await asyncio.wait_for(event.wait(), 10)


def test_a_cancelled_job_sends_a_fail_ping(
    run: Callable[..., Any], hc: Sandbox, ping_types: Callable[[], list[str]]
) -> None:
    async def main(client: AsyncClient) -> None:
        job = Job(client, wait_to_be_cancelled)
        await wait_for(job.started)
        job.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job.task

    run(main)
    assert ping_types() == ["start", "fail"]
    assert hc.pings("backup")[0].body.endswith(b"CancelledError")


def test_repeated_cancellation_does_not_prevent_the_final_ping(
    run: Callable[..., Any], hc: Sandbox, ping_types: Callable[[], list[str]]
) -> None:
    async def main(client: AsyncClient) -> None:
        job = Job(client, wait_to_be_cancelled)
        await wait_for(job.started)
        hc.fail_next(delay=0.4)
        for _ in range(5):
            job.task.cancel()
            await asyncio.sleep(0.05)
            assert not job.task.done()
        with pytest.raises(asyncio.CancelledError):
            await job.task
        assert job.trap.ping_failures == []

    run(main)
    assert ping_types() == ["start", "fail"]


def test_the_final_ping_in_a_cancelled_anyio_scope_is_sent_without_busy_waiting(
    run: Callable[..., Any], hc: Sandbox, ping_types: Callable[[], list[str]]
) -> None:
    async def main(client: AsyncClient) -> float:
        with anyio.move_on_after(0.2) as scope:
            async with CheckTrap(client, slug="backup"):
                hc.fail_next(delay=1.5)
                start = time.process_time()
                await wait_to_be_cancelled()
        assert scope.cancelled_caught
        return time.process_time() - start

    assert run(main) < 1
    assert ping_types() == ["start", "fail"]


def test_the_final_ping_of_a_cancelled_job_is_abandoned_after_the_timeout(run: Callable[..., Any], hc: Sandbox) -> None:
    async def main(client: AsyncClient) -> CheckTrap[AsyncClient]:
        job = Job(client, wait_to_be_cancelled)
        await wait_for(job.started)
        hc.fail_next(status=503, delay=10, times=9)
        job.task.cancel()
        start = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await job.task
        assert time.monotonic() - start < 3
        return job.trap

    (failure,) = run(main, timeout=0.5, retries=8).ping_failures
    assert isinstance(failure, HCAPIUnavailableError)
    assert "gave up 0.5 s after the task was cancelled" in str(failure)


def test_cancelling_during_the_success_ping_still_reports_success(
    run: Callable[..., Any], hc: Sandbox, ping_types: Callable[[], list[str]]
) -> None:
    async def work() -> None:
        hc.fail_next(delay=0.3)

    async def main(client: AsyncClient) -> None:
        await Job(client, work).cancel_during_final_ping()

    run(main)
    assert ping_types() == ["start", "success"]


def test_cancelling_during_the_fail_ping_raises_the_exception_first_and_cancels_afterwards(
    run: Callable[..., Any], hc: Sandbox, ping_types: Callable[[], list[str]]
) -> None:
    error = ValueError("job failed")

    async def work() -> None:
        hc.fail_next(delay=0.3)
        raise error

    async def main(client: AsyncClient) -> list[BaseException]:
        raised: list[BaseException] = []

        async def service() -> None:
            try:
                async with CheckTrap(client, slug="backup"):
                    started.set()
                    await work()
            except ValueError as caught:
                raised.append(caught)
            await wait_to_be_cancelled()

        started = asyncio.Event()
        task = asyncio.create_task(service())
        await wait_for(started)
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        if sys.version_info >= (3, 11):
            assert task.cancelling() == 1
        return raised

    assert run(main) == [error]
    assert ping_types() == ["start", "fail"]


def test_suppressing_an_exception_does_not_suppress_a_cancellation(
    run: Callable[..., Any], hc: Sandbox, ping_types: Callable[[], list[str]]
) -> None:
    async def work() -> None:
        hc.fail_next(delay=0.3)
        raise ValueError

    async def main(client: AsyncClient) -> None:
        await Job(client, work, suppress_exceptions=True).cancel_during_final_ping()

    run(main)
    assert ping_types() == ["start", "fail"]


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout() requires Python 3.11")
def test_asyncio_timeout_around_the_block_raises_timeout_error(
    run: Callable[..., Any], ping_types: Callable[[], list[str]]
) -> None:
    async def main(client: AsyncClient) -> None:
        with pytest.raises(asyncio.TimeoutError):
            async with asyncio.timeout(0.2):
                async with CheckTrap(client, slug="backup"):
                    await wait_to_be_cancelled()

    run(main)
    assert ping_types() == ["start", "fail"]


def test_a_job_still_running_when_the_event_loop_shuts_down_sends_a_fail_ping(
    settings: dict[str, Any], ping_types: Callable[[], list[str]]
) -> None:
    async def service(started: asyncio.Event) -> None:
        async with AsyncClient(**settings) as client, CheckTrap(client, slug="backup"):
            started.set()
            await wait_to_be_cancelled()

    async def main() -> None:
        started = asyncio.Event()
        task = asyncio.create_task(service(started))
        await wait_for(started)
        assert not task.done()

    asyncio.run(main())
    assert ping_types() == ["start", "fail"]


def test_a_final_ping_in_flight_when_the_event_loop_shuts_down_is_completed(
    settings: dict[str, Any], hc: Sandbox, ping_types: Callable[[], list[str]]
) -> None:
    async def service(started: asyncio.Event, finish: asyncio.Event) -> None:
        async with AsyncClient(**settings) as client, CheckTrap(client, slug="backup"):
            started.set()
            await finish.wait()

    async def main() -> None:
        started, finish = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(service(started, finish))
        await wait_for(started)
        # When asyncio.run() cancels all tasks, it cancels the first attempt too. The next attempt succeeds.
        hc.fail_next(status=503, delay=0.5)
        finish.set()
        await asyncio.sleep(0.2)
        assert not task.done()

    asyncio.run(main())
    assert ping_types() == ["start", "success"]


def test_a_job_cancelled_during_its_start_ping_does_not_run(run: Callable[..., Any], hc: Sandbox) -> None:
    async def main(client: AsyncClient) -> None:
        hc.fail_next(delay=0.5)
        job = Job(client, wait_to_be_cancelled)
        await asyncio.sleep(0.1)
        job.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job.task
        assert not job.started.is_set()
        async with job.trap as trap:
            assert trap.ping_failures == []

    run(main)


def test_closing_the_coroutine_logs_that_the_end_is_not_reported(
    run: Callable[..., Any], ping_types: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    async def main(client: AsyncClient) -> None:
        trap = CheckTrap(client, slug="backup")
        await trap.__aenter__()
        closing = trap.__aexit__(GeneratorExit, GeneratorExit(), None)
        with pytest.raises(StopIteration):
            closing.send(None)
        assert len(trap.ping_failures) == 1

    run(main)
    assert ping_types() == ["start"]
    assert "the coroutine was closed" in caplog.text


def test_a_cancelled_synchronous_job_blocks_its_task_no_longer_than_the_timeout(hc: Sandbox) -> None:
    with hc.client(timeout=0.5, retries=8) as client:
        start = 0.0
        with pytest.raises(asyncio.CancelledError), CheckTrap(client, slug="backup") as trap:
            hc.fail_next(status=503, delay=10, times=9)
            start = time.monotonic()
            raise asyncio.CancelledError

    assert time.monotonic() - start < 3
    assert len(trap.ping_failures) == 1


@pytest.mark.skipif(sys.version_info < (3, 11), reason="asyncio.timeout() requires Python 3.11")
def test_asyncio_timeout_during_the_fail_ping_leaves_no_pending_cancellation(
    run: Callable[..., Any], hc: Sandbox
) -> None:
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


def test_an_anyio_scope_cancelled_during_the_final_ping_exits_within_the_timeout(
    run: Callable[..., Any], hc: Sandbox
) -> None:
    async def main(client: AsyncClient) -> float:
        with anyio.move_on_after(0.2):
            async with CheckTrap(client, slug="backup"):
                hc.fail_next(status=503, delay=10, times=9)
                start = time.monotonic()
        await anyio.sleep(0.05)
        return time.monotonic() - start

    assert run(main, timeout=0.5, retries=8) < 4


def test_an_anyio_scope_cancelled_during_the_fail_ping_still_raises_the_jobs_exception(
    run: Callable[..., Any], hc: Sandbox, ping_types: Callable[[], list[str]]
) -> None:
    error = ValueError("job failed")

    async def main(client: AsyncClient) -> list[str]:
        events = []
        with anyio.move_on_after(0.2) as scope:
            try:
                async with CheckTrap(client, slug="backup"):
                    hc.fail_next(delay=0.6)
                    raise error
            except ValueError:
                events.append("error")
            await anyio.sleep(5)
            events.append("not cancelled")
        assert scope.cancelled_caught
        await anyio.sleep(0.05)
        return events

    assert run(main) == ["error"]
    assert ping_types() == ["start", "fail"]


def test_closing_an_async_generator_sends_a_fail_ping(
    run: Callable[..., Any], ping_types: Callable[[], list[str]]
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
    assert ping_types() == ["start", "fail"]
