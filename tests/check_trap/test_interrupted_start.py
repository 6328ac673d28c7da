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

SECONDS = 0.1
"""How long after its start a ping is interrupted."""

AnyTrap = CheckTrap[Any, Any]


class JobTimeoutError(Exception):
    """Raised by a signal handler when a job takes too long."""


class RetryError(Exception):
    """Ignored by the traps of these tests."""


@contextlib.contextmanager
def interrupting(error: BaseException) -> Iterator[None]:
    """Raise an exception in a signal handler while the block runs."""

    def handle(*_: object) -> None:
        raise error

    previous_handler = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous_handler)


def interrupt_start(api: Api, trap: AnyTrap) -> None:
    """Interrupt the start ping of a trap: a Client by an exception from a signal handler, a task by cancellation."""

    async def main() -> None:
        async def job() -> None:
            async with trap:
                pytest.fail("the job ran")

        task = asyncio.create_task(job())
        await asyncio.sleep(SECONDS)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    if isinstance(api.client, Client):
        error = JobTimeoutError()
        with pytest.raises(JobTimeoutError) as caught, interrupting(error), trap:
            pytest.fail("the job ran")
        assert caught.value is error
    else:
        api.run(main())


def test_a_start_that_is_interrupted_is_followed_by_a_fail_ping_of_the_same_run(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    trap: AnyTrap = CheckTrap(api.client, slug="backup")
    hc.fail_next(delay=2)
    interrupt_start(api, trap)

    assert ping_types() == ["start", "fail"]
    assert {str(ping.rid) for ping in hc.pings("backup")} == {trap.rid}
    assert hc.pings("backup")[0].body.startswith(b"Traceback")
    assert trap.ping_failures == []


@pytest.mark.parametrize(
    ("error", "ping_type", "exit_status"),
    [
        (KeyboardInterrupt(), "fail", None),
        (SystemExit(3), "fail", 3),
        (RetryError(), "log", None),
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
) -> None:
    with hc.client() as client:
        trap = CheckTrap(client, slug="backup", ignore=RetryError, ping_errors="log")
        hc.fail_next(delay=2)
        with pytest.raises(type(error)) as caught, interrupting(error), trap:
            pytest.fail("the job ran")

    assert caught.value is error
    assert ping_types() == ["start", ping_type]
    assert hc.pings("backup")[0].exit_status == exit_status


@pytest.mark.skipif(sys.version_info < (3, 11), reason="before 3.11, SIGINT does not cancel the main task")
def test_a_keyboard_interrupt_during_the_start_of_an_asynchronous_job_is_followed_by_a_fail_ping(
    settings: dict[str, Any], hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    async def main() -> None:
        async with AsyncClient(**settings) as client, CheckTrap(client, slug="backup"):
            pytest.fail("the job ran")

    hc.fail_next(delay=2)
    previous_handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(2 * SECONDS, signal.pthread_kill, [threading.get_ident(), signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(main())
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, previous_handler)

    assert ping_types() == ["start", "fail"]


def test_a_trap_can_be_entered_again_after_its_start_was_interrupted(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    trap: AnyTrap = CheckTrap(api.client, slug="backup")
    hc.fail_next(delay=2)
    interrupt_start(api, trap)
    with api.entering(trap):
        pass

    assert ping_types() == ["start", "fail", "start", "success"]
    assert CheckTrap.current() is None


def test_the_ping_after_an_interrupted_start_is_not_repeated(
    connect: Callable[..., Api], serve: Callable[..., str]
) -> None:
    requests: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        requests.append(connection.recv(65536).partition(b" HTTP")[0])
        if len(requests) == 1:
            connection.recv(1)  # It returns when the client closes the connection.
        connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    api = connect(ping_url=serve(handle), retries=5)
    trap: AnyTrap = CheckTrap(api.client, "u")
    interrupt_start(api, trap)

    assert [request.partition(b"?")[0] for request in requests] == [b"POST /u/start", b"POST /u/fail"]
    (failure,) = trap.ping_failures
    assert failure.status_code == 503


def test_the_ping_after_an_interrupted_start_takes_at_most_two_seconds(
    connect: Callable[..., Api], silent_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reporter.LAST_WORDS == 2
    monkeypatch.setattr("healthchecks_io.trap.reporter.LAST_WORDS", 0.2)
    monkeypatch.setattr("healthchecks_io.trap.async_reporter.LAST_WORDS", 0.2)
    api = connect(ping_url=silent_server, timeout=60)
    trap: AnyTrap = CheckTrap(api.client, "u")
    start = time.monotonic()
    interrupt_start(api, trap)

    assert time.monotonic() - start < 30
    (failure,) = trap.ping_failures
    assert isinstance(failure, HCAPIUnavailableError)


# The garbage collector closes a socket that is being connected when a signal handler raises.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_no_ping_follows_a_start_that_was_interrupted_before_it_was_sent(
    connect: Callable[..., Api], full_server: str
) -> None:
    api = connect(ping_url=full_server, timeout=60)
    trap: AnyTrap = CheckTrap(api.client, "u")
    interrupt_start(api, trap)
    gc.collect()

    assert trap.ping_failures == []


def test_no_ping_follows_an_interrupted_start_with_a_passed_in_httpx_client(
    connect: Callable[..., Api],
    http_client: Callable[..., Any],
    settings: dict[str, Any],
    hc: Sandbox,
    check: Any,
    ping_types: Callable[[], list[str]],
) -> None:
    api = connect(client=http_client(), **settings)
    trap: AnyTrap = CheckTrap(api.client, slug="backup")
    hc.fail_next(delay=1)
    interrupt_start(api, trap)

    assert ping_types() == ["start"]
    assert trap.ping_failures == []


def test_no_ping_follows_a_start_that_the_server_rejected(api: Api, hc: Sandbox) -> None:
    trap: AnyTrap = CheckTrap(api.client, slug="no-such-check")
    with pytest.raises(Exception, match="no check with this slug"), api.entering(trap):
        pytest.fail("the job ran")

    assert len(trap.ping_failures) == 1


# The final ping


@pytest.mark.parametrize("job_error", [None, ValueError("disk full")])
def test_a_final_ping_that_is_interrupted_is_sent_again(
    hc: Sandbox, check: Any, ping_types: Callable[[], list[str]], job_error: Exception | None
) -> None:
    error = JobTimeoutError()
    with hc.client(retries=5) as client:
        with pytest.raises(JobTimeoutError) as caught, interrupting(error), CheckTrap(client, slug="backup") as trap:
            trap.add_log("saved 3 files")
            hc.fail_next(status=503, delay=2)
            if job_error is not None:
                raise job_error
        assert client.success_ping(slug="backup").success

    assert caught.value is error
    assert caught.value.__context__ is job_error
    assert ping_types() == ["start", "fail" if job_error else "success", "success"]
    assert hc.pings("backup")[1].body.startswith(b"saved 3 files")
    assert trap.ping_failures == []


def test_a_final_ping_that_is_interrupted_is_not_sent_again_with_a_passed_in_httpx_client(
    settings: dict[str, Any], hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    client = Client(client=httpx.Client(), **settings)
    with client, pytest.raises(JobTimeoutError), interrupting(JobTimeoutError()), CheckTrap(client, slug="backup"):
        hc.fail_next(status=503, delay=1)

    assert ping_types() == ["start"]
