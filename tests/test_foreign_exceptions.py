"""Exceptions that other code raises during a call, such as a signal handler, pass through unchanged."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from healthchecks_io import CheckTrap, Client, HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api, Stub


class JobTimeoutError(Exception):
    """What a task queue raises when a job takes too long."""


@contextlib.contextmanager
def time_limit(error: BaseException, seconds: float = 0.2) -> Iterator[None]:
    """Raise an exception from a signal handler when the block takes longer."""

    def raise_error(*_: object) -> None:
        raise error

    previous = signal.signal(signal.SIGALRM, raise_error)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


ERRORS = [JobTimeoutError(), TimeoutError("time limit"), OSError("time limit"), ValueError(), KeyboardInterrupt()]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("passed_in", [False, True], ids=["own connections", "passed-in client"])
def test_an_exception_of_a_signal_handler_passes_through_unchanged(
    silent_server: str, error: BaseException, passed_in: bool
) -> None:
    http = httpx.Client() if passed_in else None
    with (
        Client(ping_url=silent_server, client=http, timeout=5) as client,
        pytest.raises(type(error)) as caught,
        time_limit(error),
    ):
        client.success_ping("u")
    assert caught.value is error


def test_an_exception_of_a_signal_handler_in_the_client_function_passes_through_unchanged(
    connect: Callable[..., Api],
) -> None:
    error = JobTimeoutError()
    with pytest.raises(JobTimeoutError) as caught, time_limit(error):
        connect(client=lambda: time.sleep(5)).success_ping("u")
    assert caught.value is error


@pytest.mark.parametrize("error", ERRORS[:4], ids=lambda error: type(error).__name__)
def test_its_traceback_shows_the_signal_handler_but_no_frame_of_the_lower_layers(
    silent_server: str, error: BaseException
) -> None:
    with Client(ping_url=silent_server, timeout=5) as client, pytest.raises(type(error)) as caught, time_limit(error):
        client.success_ping("u")

    names = [entry.name for entry in caught.traceback]
    assert names[-1] == "raise_error"
    assert not [entry for entry in caught.traceback if "httpcore" in str(entry.path)]


def test_the_exception_that_a_job_raised_keeps_its_traceback_when_the_final_ping_fails(full_server: str) -> None:
    async def job() -> None:
        raise JobTimeoutError

    with (
        Client(ping_url=full_server, timeout=0.2, retries=0) as client,
        pytest.raises(JobTimeoutError) as caught,
        CheckTrap(client, "u") as trap,
    ):
        asyncio.run(job())

    assert len(trap.ping_failures) == 2
    assert {"run", "job"} <= {entry.name for entry in caught.traceback}


def test_an_exception_of_a_hook_passes_through_unchanged(
    connect_with_httpx_client: Callable[..., Api], stub: Stub
) -> None:
    def hook(_: httpx.Response) -> None:
        raise JobTimeoutError

    stub.queue_response(200, "OK")

    with pytest.raises(JobTimeoutError):
        connect_with_httpx_client(hook, **stub.settings()).success_ping("u")


@pytest.mark.parametrize("error", [httpx.ConnectError("unreachable"), ConnectionResetError("reset")])
def test_a_network_error_of_a_custom_transport_is_a_network_error(
    connect: Callable[..., Api], http_client: Callable[..., Any], error: Exception
) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        raise error

    api = connect(client=http_client(transport=httpx.MockTransport(respond)), retries=0)

    with pytest.raises(HCAPIUnavailableError) as caught:
        api.success_ping("u")
    assert caught.value.__cause__ is error
