"""With handle_sigterm, a job that SIGTERM ends is reported with exit status 143."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import AsyncClient, CheckTrap, Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api

    from healthchecks_io.sandbox import Sandbox

pytestmark = [
    pytest.mark.server("1.23"),
    pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM"),
]

TERMINATED = (SystemExit, asyncio.CancelledError)
"""What ends a job: the first one in a `with` block, the second one in an `async with` block."""


@pytest.fixture(autouse=True)
def _handler_is_restored() -> Iterator[None]:
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    yield
    after = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    assert after == signal.SIG_DFL


@contextlib.contextmanager
def handler(handle: Any) -> Iterator[None]:
    """Install a handler of the program's own."""
    signal.signal(signal.SIGTERM, handle)
    try:
        yield
        assert signal.getsignal(signal.SIGTERM) is handle
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def terminate() -> None:
    """Send SIGTERM to this process, if that does not end it."""
    assert signal.getsignal(signal.SIGTERM) != signal.SIG_DFL
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


@pytest.fixture
def terminated_job(api: Api) -> Callable[[Any], Any]:
    """A job that SIGTERM ends."""

    def job(trap: Any) -> None:
        trap.add_log("saved 3 files")
        terminate()
        pytest.fail("SIGTERM did not raise an exception")

    async def async_job(trap: Any) -> None:
        trap.add_log("saved 3 files")
        terminate()
        await asyncio.sleep(10)
        pytest.fail("SIGTERM did not cancel the task")

    return job if isinstance(api.client, Client) else async_job


def test_a_job_that_sigterm_ends_is_reported_with_exit_status_143(
    api: Api,
    run_job: Callable[..., Any],
    terminated_job: Any,
    hc: Sandbox,
    check: Any,
    ping_types: Callable[[], list[str]],
) -> None:
    with pytest.raises(TERMINATED) as caught:
        run_job(terminated_job, handle_sigterm=True)

    if isinstance(api.client, Client):
        assert caught.value.args == (143,)
    else:
        assert isinstance(caught.value, asyncio.CancelledError)
    assert ping_types() == ["start", "fail"]
    assert hc.pings("backup")[0].exit_status == 143
    assert hc.pings("backup")[0].body == b"saved 3 files"


def test_a_decorated_job_that_sigterm_ends_is_reported_with_exit_status_143(
    api: Api, terminated_job: Any, hc: Sandbox, check: Any
) -> None:
    trap: Any = CheckTrap(api.client, slug="backup", handle_sigterm=True)

    with pytest.raises(TERMINATED):
        api.run(trap(terminated_job)(trap))

    assert hc.pings("backup")[0].exit_status == 143


def test_by_default_sigterm_is_not_handled(run_job: Callable[..., Any], check: Any) -> None:
    handlers = []
    run_job(lambda _: handlers.append(signal.getsignal(signal.SIGTERM)))

    assert handlers == [signal.SIG_DFL]


@pytest.mark.parametrize("error", [None, ValueError("disk full")])
def test_the_handler_is_installed_during_the_block_only(
    run_job: Callable[..., Any], check: Any, error: Exception | None
) -> None:
    handlers = []

    def job(_: Any) -> None:
        handlers.append(signal.getsignal(signal.SIGTERM))
        if error is not None:
            raise error

    with contextlib.suppress(ValueError):
        run_job(job, handle_sigterm=True)

    assert len(handlers) == 1
    assert signal.SIG_DFL not in handlers
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_the_handler_is_restored_if_the_start_ping_fails(run_job: Callable[..., Any], hc: Sandbox) -> None:
    with pytest.raises(Exception, match="no check with this slug"):
        run_job(lambda _: pytest.fail("the job ran"), handle_sigterm=True)

    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_handler_of_the_program_is_left_alone(
    run_job: Callable[..., Any], check: Any, ping_types: Callable[[], list[str]]
) -> None:
    received = []

    def handle(number: int, _: Any) -> None:
        received.append(number)

    with handler(handle):
        run_job(lambda _: terminate(), handle_sigterm=True)

    assert received == [signal.SIGTERM]
    assert ping_types() == ["start", "success"]


def test_an_ignored_sigterm_stays_ignored(
    run_job: Callable[..., Any], check: Any, ping_types: Callable[[], list[str]]
) -> None:
    with handler(signal.SIG_IGN):
        run_job(lambda _: terminate(), handle_sigterm=True)

    assert ping_types() == ["start", "success"]


def test_a_handler_that_the_job_installs_is_left_alone(run_job: Callable[..., Any], check: Any) -> None:
    def handle(*_: object) -> None:
        """Do nothing."""

    run_job(lambda _: signal.signal(signal.SIGTERM, handle), handle_sigterm=True)

    assert signal.getsignal(signal.SIGTERM) is handle
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_in_another_thread_sigterm_is_not_handled(
    run_job: Callable[..., Any], check: Any, ping_types: Callable[[], list[str]]
) -> None:
    handlers = []
    thread = threading.Thread(
        target=run_job,
        args=[lambda _: handlers.append(signal.getsignal(signal.SIGTERM))],
        kwargs={"handle_sigterm": True},
    )
    thread.start()
    thread.join()

    assert handlers == [signal.SIG_DFL]
    assert ping_types() == ["start", "success"]


def test_a_job_that_ends_normally_despite_sigterm_is_a_success(
    api: Api, run_job: Callable[..., Any], terminated_job: Any, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    def job(trap: Any) -> None:
        with contextlib.suppress(SystemExit):
            terminated_job(trap)

    async def async_job(trap: Any) -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await terminated_job(trap)

    run_job(job if isinstance(api.client, Client) else async_job, handle_sigterm=True)

    assert ping_types() == ["start", "success"]


def test_the_reason_of_a_failure_is_reported_with_exit_status_143(
    api: Api, run_job: Callable[..., Any], terminated_job: Any, hc: Sandbox, check: Any
) -> None:
    def job(trap: Any) -> Any:
        trap.fail("2 files could not be read")
        return terminated_job(trap)

    with pytest.raises(TERMINATED):
        run_job(job, handle_sigterm=True)

    assert hc.pings("backup")[0].exit_status == 143
    assert hc.pings("backup")[0].body == b"saved 3 files\n2 files could not be read"


@pytest.mark.server("2.3")
def test_the_exception_of_sigterm_can_be_ignored(
    run_job: Callable[..., Any], terminated_job: Any, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    with pytest.raises(TERMINATED):
        run_job(terminated_job, handle_sigterm=True, ignore=TERMINATED)

    assert ping_types() == ["start", "log"]


def test_sigterm_during_the_start_ping_is_reported_with_exit_status_143(
    run_job: Callable[..., Any],
    once: Callable[..., Any],
    hc: Sandbox,
    check: Any,
    ping_types: Callable[[], list[str]],
) -> None:
    hc.fail_next(delay=10)
    with pytest.raises(TERMINATED), once(lambda: len(ping_types()) == 1, terminate):
        run_job(lambda _: pytest.fail("the job ran"), handle_sigterm=True)

    assert ping_types() == ["start", "fail"]
    assert hc.pings("backup")[0].exit_status == 143


@pytest.mark.usefixtures("faults")
def test_sigterm_during_the_final_ping_does_not_lose_it(
    run_job: Callable[..., Any],
    once: Callable[..., Any],
    hc: Sandbox,
    check: Any,
    ping_types: Callable[[], list[str]],
) -> None:
    with pytest.raises(TERMINATED), once(lambda: len(ping_types()) == 2, terminate):
        run_job(lambda _: hc.fail_next(delay=1), handle_sigterm=True)

    # A Client sends it again.
    assert ping_types()[:2] == ["start", "success"]
    assert set(ping_types()[2:]) <= {"success"}


# Nested blocks


@pytest.mark.server("2.5")
def test_the_handler_stays_until_the_outermost_block_ends(hc: Sandbox, check: Any) -> None:
    with hc.client() as client:
        outer, inner = (CheckTrap(client, slug="backup", handle_sigterm=True) for _ in range(2))
        with pytest.raises(SystemExit), outer:
            with inner:
                pass
            terminate()

    assert hc.pings("backup")[0].exit_status == 143
    assert str(hc.pings("backup")[0].rid) == outer.rid


@pytest.mark.server("2.5")
def test_the_handler_stays_until_the_outermost_block_of_a_task_ends(
    settings: dict[str, Any], hc: Sandbox, check: Any
) -> None:
    async def main() -> None:
        async with AsyncClient(**settings) as client:
            outer, inner = (CheckTrap(client, slug="backup", handle_sigterm=True) for _ in range(2))
            with pytest.raises(asyncio.CancelledError):
                async with outer:
                    async with inner:
                        pass
                    terminate()
                    await asyncio.sleep(10)
            assert str(hc.pings("backup")[0].rid) == outer.rid

    asyncio.run(main())
    assert hc.pings("backup")[0].exit_status == 143


def test_all_nested_blocks_are_reported_with_exit_status_143(hc: Sandbox, check: Any) -> None:
    with hc.client() as client:
        outer, inner = (CheckTrap(client, slug="backup", handle_sigterm=True) for _ in range(2))
        with pytest.raises(SystemExit), outer, inner:
            terminate()

    assert [ping.exit_status for ping in hc.pings("backup") if ping.type == "fail"] == [143, 143]


def test_the_handler_stays_for_a_block_that_ends_after_the_one_that_installed_it(hc: Sandbox, check: Any) -> None:
    with hc.client() as client:
        first, second = (CheckTrap(client, slug="backup", handle_sigterm=True) for _ in range(2))
        first.__enter__()
        with pytest.raises(SystemExit), second:
            first.__exit__(None, None, None)
            terminate()

    assert hc.pings("backup")[0].exit_status == 143


# Tasks


def test_all_tasks_in_a_block_that_handles_sigterm_are_cancelled_and_no_others(
    settings: dict[str, Any], hc: Sandbox, check: Any
) -> None:
    async def main() -> list[BaseException | None]:
        async with AsyncClient(**settings) as client:
            is_over = asyncio.Event()

            async def job(*, handle_sigterm: bool) -> None:
                async with CheckTrap(client, slug="backup", handle_sigterm=handle_sigterm):
                    all_started.release()
                    await asyncio.wait_for(is_over.wait(), 10)

            all_started = asyncio.Semaphore(0)
            tasks = [asyncio.create_task(job(handle_sigterm=handles)) for handles in (True, False, True)]
            for _ in tasks:
                await all_started.acquire()
            terminate()
            await asyncio.wait([tasks[0], tasks[2]])
            assert not tasks[1].done()
            is_over.set()
            return await asyncio.gather(*tasks, return_exceptions=True)

    results = asyncio.run(main())
    assert [type(result) for result in results] == [asyncio.CancelledError, type(None), asyncio.CancelledError]
    assert sorted((ping.type, ping.exit_status) for ping in hc.pings("backup") if ping.type == "fail") == [
        ("fail", 143),
        ("fail", 143),
    ]
    assert hc.pings("backup")[0].type == "success"


def test_a_task_is_no_longer_cancelled_once_its_block_has_ended(
    settings: dict[str, Any], hc: Sandbox, check: Any
) -> None:
    async def main() -> None:
        async with AsyncClient(**settings) as client:
            has_left = asyncio.Event()

            async def short_job() -> str:
                async with CheckTrap(client, slug="backup", handle_sigterm=True):
                    pass
                has_left.set()
                await asyncio.sleep(0.1)
                return "not cancelled"

            async with CheckTrap(client, slug="backup", handle_sigterm=True):
                task = asyncio.create_task(short_job())
                await has_left.wait()
                terminate()
                try:
                    await asyncio.sleep(10)
                finally:
                    assert await task == "not cancelled"

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())
    assert hc.pings("backup")[0].exit_status == 143


def test_a_task_that_is_cancelled_otherwise_is_reported_as_cancelled(
    settings: dict[str, Any], hc: Sandbox, check: Any
) -> None:
    async def main() -> None:
        async with AsyncClient(**settings) as client:
            started = asyncio.Event()

            async def job() -> None:
                async with CheckTrap(client, slug="backup", handle_sigterm=True):
                    started.set()
                    await asyncio.sleep(10)

            task = asyncio.create_task(job())
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert hc.pings("backup")[0].exit_status is None
    assert hc.pings("backup")[0].body.endswith(b"CancelledError")


def test_a_task_that_is_cancelled_after_sigterm_has_cancelled_another_one_is_reported_as_cancelled(
    settings: dict[str, Any], hc: Sandbox, check: Any
) -> None:
    async def main() -> None:
        async with AsyncClient(**settings) as client:
            is_over, is_running = asyncio.Event(), asyncio.Event()

            async def survivor() -> None:
                async with CheckTrap(client, slug="backup", handle_sigterm=True):
                    is_running.set()
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.sleep(10)
                    is_running.set()
                    await is_over.wait()

            async def job() -> None:
                async with CheckTrap(client, slug="backup", handle_sigterm=True):
                    is_running.set()
                    await asyncio.sleep(10)

            async def started(task: Callable[[], Any]) -> asyncio.Task[None]:
                created = asyncio.create_task(task())
                await is_running.wait()
                is_running.clear()
                return created

            first = await started(survivor)
            terminate()
            await is_running.wait()
            is_running.clear()
            second = await started(job)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            is_over.set()
            await first

    asyncio.run(main())
    assert [(ping.type, ping.exit_status) for ping in hc.pings("backup")[:2]] == [("success", None), ("fail", None)]


def test_sigterm_is_handled_in_each_of_several_event_loops(settings: dict[str, Any], hc: Sandbox, check: Any) -> None:
    async def main() -> None:
        async with AsyncClient(**settings) as client, CheckTrap(client, slug="backup", handle_sigterm=True):
            terminate()
            await asyncio.sleep(10)

    for _ in range(2):
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(main())
        assert hc.pings("backup")[0].exit_status == 143
    assert len(hc.pings("backup")) == 4
