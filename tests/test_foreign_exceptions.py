"""Exceptions that other code raises during a call, such as a signal handler, pass through unchanged."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from healthchecks_io import CheckCreate, CheckTrap, Client, HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox


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


@contextlib.contextmanager
def raising_at(logger: str, error: BaseException) -> Iterator[None]:
    """Raise an exception from a signal handler when a logger logs a record."""

    def receive_signal(_: logging.LogRecord) -> bool:
        signal.raise_signal(signal.SIGALRM)
        return True

    lower = logging.getLogger(logger)
    with pytest.MonkeyPatch.context() as patch, time_limit(error, seconds=0):
        patch.setattr(lower, "filters", [receive_signal])
        patch.setattr(lower, "level", logging.DEBUG)
        lower.manager._clear_cache()  # type: ignore[attr-defined]  # the level of a logger is cached
        yield
    lower.manager._clear_cache()  # type: ignore[attr-defined]  # see above


@contextlib.contextmanager
def raising_in(function: str, error: BaseException) -> Iterator[None]:
    """Raise an exception from a signal handler when a function is called."""

    def receive_signal(frame: FrameType, *_: object) -> None:
        if frame.f_code.co_name == function:
            sys.setprofile(None)
            signal.raise_signal(signal.SIGALRM)

    with time_limit(error, seconds=0):
        sys.setprofile(receive_signal)
        try:
            yield
        finally:
            sys.setprofile(None)


@pytest.mark.parametrize("passed_in", [False, True], ids=["own connections", "passed-in client"])
def test_a_timeout_error_of_a_signal_handler_is_not_taken_for_the_deadline_of_an_attempt(
    connect: Callable[..., Api], http_client: Callable[..., Any], stub: Stub, passed_in: bool
) -> None:
    stub.queue_response(200, "OK")
    api = connect(**stub.settings(), client=http_client() if passed_in else None)
    error = TimeoutError("time limit")

    with pytest.raises(TimeoutError) as caught, raising_at("httpcore.http11", error):
        api.success_ping("u")

    assert caught.value is error


def test_an_exception_of_a_signal_handler_while_a_warning_is_logged_is_not_dropped(
    connect: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(503)
    error = JobTimeoutError()

    with (
        pytest.raises(JobTimeoutError) as caught,
        raising_at("healthchecks_io", error),
        connect(**stub.settings()).trap("u"),
    ):
        pytest.fail("the job must not run")

    assert caught.value is error


@pytest.mark.parametrize("error", [JobTimeoutError(), KeyboardInterrupt()], ids=lambda error: type(error).__name__)
def test_a_time_limit_while_the_traceback_is_formatted_is_raised_and_the_end_is_still_reported(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, error: BaseException
) -> None:
    connect(**settings).create_check(CheckCreate(slug="backup"))

    with (
        pytest.raises(type(error)) as caught,
        raising_in("format_exception", error),
        connect(**settings).trap(slug="backup"),
    ):
        raise ValueError("job failed")

    assert caught.value is error
    last = hc.pings("backup")[0]
    assert last.type == "fail"
    assert b"ValueError: job failed" in last.body


def test_an_exception_of_a_signal_handler_while_a_check_is_serialised_passes_through_unchanged(
    connect: Callable[..., Api],
) -> None:
    check = CheckCreate(slug="backup", unique=["slug"])
    error = JobTimeoutError()

    with pytest.raises(JobTimeoutError) as caught, raising_in("to_request", error):
        connect("k").create_check(check)

    assert caught.value is error
