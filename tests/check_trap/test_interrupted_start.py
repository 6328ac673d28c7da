"""A run whose start ping, or whose final ping, is interrupted still ends on the server.

The sandbox records a delayed request before the delay: the server has recorded the ping that is interrupted.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from healthchecks_io import AsyncClient, CheckTrap, Client, HCAPIUnavailableError
from healthchecks_io.trap import reporter

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from conftest import Api

    from healthchecks_io.sandbox import Sandbox

AnyTrap = CheckTrap[Any, Any]

pytestmark = pytest.mark.server("1.23")


class JobTimeoutError(Exception):
    """Raised by a signal handler when a job takes too long."""


class RetryError(Exception):
    """Ignored by the traps of these tests."""


@pytest.fixture
def interrupting(once: Callable[..., Any]) -> Callable[..., contextlib.AbstractContextManager[None]]:
    """Return a context manager that raises an exception in a signal handler once a condition is met."""

    @contextlib.contextmanager
    def interrupting(error: BaseException, condition: Callable[[], object]) -> Iterator[None]:
        def handle(*_: object) -> None:
            raise error

        previous_handler = signal.signal(signal.SIGALRM, handle)
        main_thread = threading.get_ident()
        try:
            with once(condition, lambda: signal.pthread_kill(main_thread, signal.SIGALRM)):
                yield
        finally:
            signal.signal(signal.SIGALRM, previous_handler)

    return interrupting


@pytest.fixture
def interrupt_start(
    api: Api, interrupting: Callable[..., Any], once: Callable[..., Any]
) -> Callable[[AnyTrap, Callable[[], object]], None]:
    """Return a function that interrupts the start of a run once a condition is met.

    A Client is interrupted by an exception from a signal handler, an AsyncClient by a cancellation.
    """

    async def cancel_start(trap: AnyTrap, condition: Callable[[], object]) -> None:
        async def job() -> None:
            async with trap:
                pytest.fail("the job ran")

        loop, task = asyncio.get_running_loop(), asyncio.create_task(job())
        with once(condition, lambda: loop.call_soon_threadsafe(task.cancel)), pytest.raises(asyncio.CancelledError):
            await task

    def interrupt_start(trap: AnyTrap, condition: Callable[[], object]) -> None:
        if isinstance(api.client, Client):
            error = JobTimeoutError()
            with pytest.raises(JobTimeoutError) as caught, interrupting(error, condition), trap:
                pytest.fail("the job ran")
            assert caught.value is error
        else:
            api.run(cancel_start(trap, condition))

    return interrupt_start


@pytest.fixture
def is_recorded(hc: Sandbox, check: Any) -> Callable[[int], Callable[[], bool]]:
    """Return a function that returns a condition: the server has recorded a number of pings."""
    return lambda count: lambda: len(hc.pings("backup")) >= count


@pytest.mark.server("2.5")
def test_a_start_that_is_interrupted_is_followed_by_a_fail_ping_of_the_same_run(
    api: Api,
    hc: Sandbox,
    check: Any,
    ping_types: Callable[[], list[str]],
    interrupt_start: Callable[..., None],
    is_recorded: Callable[..., Any],
) -> None:
    trap: AnyTrap = CheckTrap(api.client, slug="backup")
    hc.fail_next(delay=10)
    interrupt_start(trap, is_recorded(1))

    assert ping_types() == ["start", "fail"]
    assert {str(ping.rid) for ping in hc.pings("backup")} == {trap.rid}
    assert hc.pings("backup")[0].body.startswith(b"Traceback")
    assert trap.ping_failures == []


@pytest.mark.parametrize(
    ("error", "ping_type", "exit_status"),
    [
        (KeyboardInterrupt(), "fail", None),
        (SystemExit(3), "fail", 3),
        pytest.param(RetryError(), "log", None, marks=pytest.mark.server("2.3")),
        (TimeoutError(), "fail", None),
    ],
)
def test_the_ping_after_an_interrupted_start_reports_the_exception_as_at_the_end_of_a_run(
    hc: Sandbox,
    check: Any,
    ping_types: Callable[[], list[str]],
    error: BaseException,
    ping_type: str,
    exit_status: int | None,
    interrupting: Callable[..., Any],
    is_recorded: Callable[..., Any],
) -> None:
    with hc.client() as client:
        trap = CheckTrap(client, slug="backup", ignore=RetryError, ping_errors="log")
        hc.fail_next(delay=10)
        with pytest.raises(type(error)) as caught, interrupting(error, is_recorded(1)), trap:
            pytest.fail("the job ran")

    assert caught.value is error
    assert ping_types() == ["start", ping_type]
    assert hc.pings("backup")[0].exit_status == exit_status


@pytest.mark.skipif(sys.version_info < (3, 11), reason="before 3.11, SIGINT does not cancel the main task")
def test_a_keyboard_interrupt_during_the_start_of_an_asynchronous_job_is_followed_by_a_fail_ping(
    settings: dict[str, Any],
    hc: Sandbox,
    check: Any,
    ping_types: Callable[[], list[str]],
    once: Callable[..., Any],
    is_recorded: Callable[..., Any],
) -> None:
    async def main() -> None:
        async with AsyncClient(**settings) as client, CheckTrap(client, slug="backup"):
            pytest.fail("the job ran")

    hc.fail_next(delay=10)
    main_thread = threading.get_ident()
    previous_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with (
            pytest.raises(KeyboardInterrupt),
            once(is_recorded(1), lambda: signal.pthread_kill(main_thread, signal.SIGINT)),
        ):
            asyncio.run(main())
    finally:
        signal.signal(signal.SIGINT, previous_handler)

    assert ping_types() == ["start", "fail"]


def test_a_trap_can_be_entered_again_after_its_start_was_interrupted(
    api: Api,
    hc: Sandbox,
    check: Any,
    ping_types: Callable[[], list[str]],
    interrupt_start: Callable[..., None],
    is_recorded: Callable[..., Any],
) -> None:
    trap: AnyTrap = CheckTrap(api.client, slug="backup")
    hc.fail_next(delay=10)
    interrupt_start(trap, is_recorded(1))
    with api.entering(trap):
        pass

    assert ping_types() == ["start", "fail", "start", "success"]
    assert CheckTrap.current() is None


def test_the_ping_after_an_interrupted_start_is_not_repeated(
    connect: Callable[..., Api], serve: Callable[..., str], interrupt_start: Callable[..., None]
) -> None:
    requests: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        requests.append(connection.recv(65536).partition(b" HTTP")[0])
        if len(requests) == 1:
            connection.recv(1)  # It returns when the client closes the connection.
        connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    api = connect(ping_url=serve(handle), retries=5)
    trap: AnyTrap = CheckTrap(api.client, "u")
    interrupt_start(trap, lambda: requests)

    assert [request.partition(b"?")[0] for request in requests] == [b"POST /u/start", b"POST /u/fail"]
    (failure,) = trap.ping_failures
    assert failure.status_code == 503


def test_the_ping_after_an_interrupted_start_takes_at_most_two_seconds(
    connect: Callable[..., Api],
    serve: Callable[..., str],
    interrupt_start: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert reporter.LAST_WORDS == 2
    monkeypatch.setattr("healthchecks_io.trap.reporter.LAST_WORDS", 0.2)
    monkeypatch.setattr("healthchecks_io.trap.async_reporter.LAST_WORDS", 0.2)
    requests: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        while received := connection.recv(65536):
            requests.append(received)

    api = connect(ping_url=serve(handle), timeout=60)
    trap: AnyTrap = CheckTrap(api.client, "u")
    start = time.monotonic()
    interrupt_start(trap, lambda: requests)

    assert time.monotonic() - start < 30
    (failure,) = trap.ping_failures
    assert isinstance(failure, HCAPIUnavailableError)


# The garbage collector closes a socket that is being connected when a signal handler raises.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_no_ping_follows_a_start_that_was_interrupted_before_it_was_sent(
    connect: Callable[..., Api], full_server: str, interrupt_start: Callable[..., None]
) -> None:
    api = connect(ping_url=full_server, timeout=60)
    trap: AnyTrap = CheckTrap(api.client, "u")
    # Connecting takes longer.
    soon = time.monotonic() + 0.1
    interrupt_start(trap, lambda: time.monotonic() > soon)
    gc.collect()

    assert trap.ping_failures == []


def test_no_ping_follows_an_interrupted_start_with_a_passed_in_httpx_client(
    connect: Callable[..., Api],
    http_client: Callable[..., Any],
    settings: dict[str, Any],
    hc: Sandbox,
    check: Any,
    ping_types: Callable[[], list[str]],
    interrupt_start: Callable[..., None],
    is_recorded: Callable[..., Any],
) -> None:
    api = connect(client=http_client(), **settings)
    trap: AnyTrap = CheckTrap(api.client, slug="backup")
    hc.fail_next(delay=10)
    interrupt_start(trap, is_recorded(1))

    assert ping_types() == ["start"]
    assert trap.ping_failures == []


def test_no_ping_follows_a_start_that_the_server_rejected(api: Api, hc: Sandbox) -> None:
    trap: AnyTrap = CheckTrap(api.client, slug="no-such-check")
    with pytest.raises(Exception, match="no check with this slug"), api.entering(trap):
        pytest.fail("the job ran")

    assert len(trap.ping_failures) == 1


# The final ping


@pytest.mark.usefixtures("faults")
@pytest.mark.parametrize("job_error", [None, ValueError("disk full")])
def test_a_final_ping_that_is_interrupted_is_sent_again(
    hc: Sandbox,
    check: Any,
    ping_types: Callable[[], list[str]],
    interrupting: Callable[..., Any],
    is_recorded: Callable[..., Any],
    job_error: Exception | None,
) -> None:
    error = JobTimeoutError()
    with hc.client() as client:
        trap = CheckTrap(client, slug="backup")
        with pytest.raises(JobTimeoutError) as caught, interrupting(error, is_recorded(2)), trap:
            trap.add_log("saved 3 files")
            hc.fail_next(delay=10)
            if job_error is not None:
                raise job_error

    assert caught.value is error
    assert caught.value.__context__ is job_error
    assert ping_types() == ["start", *["fail" if job_error else "success"] * 2]
    assert hc.pings("backup")[0].body == hc.pings("backup")[1].body
    assert hc.pings("backup")[0].body.startswith(b"saved 3 files")
    assert trap.ping_failures == []


@pytest.mark.usefixtures("faults")
def test_a_final_ping_that_is_interrupted_is_not_sent_again_with_a_passed_in_httpx_client(
    settings: dict[str, Any],
    hc: Sandbox,
    check: Any,
    ping_types: Callable[[], list[str]],
    interrupting: Callable[..., Any],
    is_recorded: Callable[..., Any],
) -> None:
    error = JobTimeoutError()
    with Client(client=httpx.Client(), **settings) as client:
        trap = CheckTrap(client, slug="backup")
        with pytest.raises(JobTimeoutError), interrupting(error, is_recorded(2)), trap:
            hc.fail_next(delay=10)

    assert ping_types() == ["start", "success"]
