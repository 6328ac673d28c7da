"""CheckTrap as a context manager: the pings it sends and the exceptions it raises."""

from __future__ import annotations

import asyncio
import builtins
import contextlib
import contextvars
import importlib.abc
import logging
import signal
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from healthchecks_io import (
    AsyncClient,
    BadAPIRequestError,
    CheckCreate,
    CheckNotFoundError,
    CheckTrap,
    Client,
    HCAPIError,
    HCAPIUnavailableError,
    PingFailedError,
    WrongClientError,
)
from healthchecks_io.trap import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox

pytestmark = pytest.mark.server("1.23")


def test_a_job_that_completes_sends_a_success_ping(
    api: Api, hc: Sandbox, ping_types: Callable[[], list[str]], check: Any
) -> None:
    with api.trap(slug="backup") as trap:
        trap.add_log("saved 3 files")
        trap.add_log("done")

    assert ping_types() == ["start", "success"]
    assert hc.pings("backup")[0].body == b"saved 3 files\ndone"
    assert trap.ping_failures == []


def test_a_job_that_raises_sends_a_fail_ping_with_its_log_and_traceback(
    api: Api, hc: Sandbox, ping_types: Callable[[], list[str]], check: Any
) -> None:
    error = ValueError("disk full")
    with pytest.raises(ValueError, match="disk full") as caught, api.trap(check.uuid) as trap:
        trap.add_log("saved 3 files")
        raise error

    assert caught.value is error
    assert error.__context__ is None
    assert ping_types() == ["start", "fail"]
    body = hc.pings("backup")[0].body.decode()
    assert body.startswith("saved 3 files\nTraceback (most recent call last):\n")
    assert "test_block.py" in body
    assert body.endswith("ValueError: disk full")


@pytest.mark.server("2.5")
def test_all_pings_of_a_run_carry_its_run_id(api: Api, hc: Sandbox, check: Any) -> None:
    with api.trap(slug="backup") as trap:
        pass

    assert {str(ping.rid) for ping in hc.pings("backup")} == {trap.rid}
    assert hc.pings("backup")[0].duration is not None


def test_entering_a_trap_again_starts_a_new_run_with_an_empty_log(api: Api, hc: Sandbox, check: Any) -> None:
    trap = CheckTrap(api.client, slug="backup")
    rids = set()
    for _ in range(2):
        with api.entering(trap):
            rids.add(trap.rid)
            trap.add_log("once")

    assert len(rids) == 2
    assert hc.pings("backup")[0].body == b"once"


def test_a_trap_with_an_explicit_run_id_can_be_entered_only_once(api: Api, hc: Sandbox, check: Any) -> None:
    rid = uuid.uuid4()
    trap = CheckTrap(api.client, slug="backup", rid=rid)
    with api.entering(trap):
        assert trap.rid == str(rid)

    with pytest.raises(BadAPIRequestError, match="one run"), api.entering(trap):
        pass
    assert len(hc.pings("backup")) == 2


def test_a_trap_cannot_be_entered_while_it_is_in_use(api: Api, check: Any) -> None:
    with api.trap(slug="backup") as trap, pytest.raises(BadAPIRequestError, match="in use"), api.entering(trap):
        pass


def test_suppress_exceptions_suppresses_the_jobs_exception(
    api: Api, ping_types: Callable[[], list[str]], check: Any
) -> None:
    with api.trap(slug="backup", suppress_exceptions=True):
        int("not a number")

    assert ping_types() == ["start", "fail"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_keyboard_interrupt_and_system_exit_are_never_suppressed(
    api: Api, ping_types: Callable[[], list[str]], check: Any, error: BaseException
) -> None:
    with pytest.raises(type(error)), api.trap(slug="backup", suppress_exceptions=True):
        raise error

    assert ping_types() == ["start", "fail"]


@pytest.mark.parametrize(
    ("code", "ping_type", "exit_status"),
    [
        (None, "success", 0),
        (0, "success", 0),
        (1, "fail", 1),
        (255, "fail", 255),
        (256, "fail", None),
        ("disk full", "fail", None),
    ],
)
def test_system_exit_reports_its_exit_status(
    api: Api,
    hc: Sandbox,
    ping_types: Callable[[], list[str]],
    check: Any,
    code: Any,
    ping_type: Any,
    exit_status: int | None,
) -> None:
    with pytest.raises(SystemExit) as caught, api.trap(slug="backup"):
        raise SystemExit(code)

    assert caught.value.code is code
    assert ping_types() == ["start", ping_type]
    assert (b"Traceback" in hc.pings("backup")[0].body) is (exit_status is None)
    assert hc.pings("backup")[0].exit_status == exit_status


def test_a_long_log_is_truncated_but_the_traceback_is_complete(api: Api, hc: Sandbox, check: Any) -> None:
    with pytest.raises(ValueError, match="disk full"), api.trap(slug="backup") as trap:
        for number in range(10_000):
            trap.add_log(f"line {number}")
        raise ValueError("disk full")

    body = hc.pings("backup")[0].body.decode()
    assert len(body) <= 10_000
    assert body.split("\n")[0].endswith(" bytes left out]")
    assert "line 9999\nTraceback" in body
    assert body.endswith("ValueError: disk full")


@pytest.mark.parametrize(
    ("limit", "length"), [("300", 300), ("100000", 100_000), ("99999999", 1_000_000), ("invalid", 10_000)]
)
def test_the_log_is_truncated_to_the_servers_ping_body_limit(
    connect: Callable[..., Api], stub: Stub, limit: Any, length: Any
) -> None:
    stub.queue_response(200, "OK", {"Ping-Body-Limit": limit})
    with connect(**stub.settings()).trap("u") as trap:
        trap.add_log("x" * 3_000_000)

    assert len(stub.requests[1].body) == length


def test_text_printed_to_a_trap_is_added_to_the_log(api: Api, hc: Sandbox, check: Any) -> None:
    with api.trap(slug="backup") as trap:
        trap.add_log("one")
        print("two", "three", file=trap)
        print("four", end=" ", file=trap, flush=True)
        trap.add_log("five")

    assert hc.pings("backup")[0].body == b"one\ntwo three\nfour \nfive"


@pytest.mark.parametrize("line", [None, 5, ["row"]])
def test_a_log_line_that_is_no_string_is_converted(api: Api, hc: Sandbox, check: Any, line: Any) -> None:
    with api.trap(check.uuid) as trap:
        trap.add_log(line)

    assert hc.pings(check)[0].body == str(line).encode()


def test_with_or_async_with_must_match_the_kind_of_client(connect: Callable[..., Api], stub: Stub) -> None:
    api = connect(**stub.settings())
    trap: Any = CheckTrap(api.client, "u")

    with pytest.raises(WrongClientError, match="in `(async )?with`"):
        if isinstance(api.client, Client):
            api.run(trap.__aenter__())
        else:
            trap.__enter__()
    assert stub.requests == []


def test_a_trap_requires_a_client() -> None:
    with pytest.raises(WrongClientError, match="needs a Client or an AsyncClient, not str"):
        CheckTrap("client", "u")  # type: ignore[call-overload]  # deliberately wrong type


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"uuid": "u", "slug": "s"},
        {"uuid": "a/b"},
        {"slug": "A"},
        {"uuid": "u", "rid": "x"},
        {"uuid": "u", "create": True},
    ],
)
def test_the_constructor_rejects_invalid_arguments(
    connect: Callable[..., Api], stub: Stub, arguments: dict[str, Any]
) -> None:
    with pytest.raises(BadAPIRequestError):
        CheckTrap(connect(**stub.settings()).client, **arguments)
    with pytest.raises(BadAPIRequestError, match="ping_errors"):
        CheckTrap(connect(**stub.settings()).client, "u", ping_errors="ignore")  # type: ignore[call-overload]  # invalid


@pytest.mark.parametrize("ping_errors", ["raise-config", "raise"])
def test_a_misconfiguration_is_raised_before_the_job_starts(api: Api, hc: Sandbox, ping_errors: Any) -> None:
    with pytest.raises(CheckNotFoundError), api.trap(slug="no-such-check", ping_errors=ping_errors):
        pytest.fail("the job ran")


def test_a_redirect_is_raised_as_a_misconfiguration(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(301, headers={"Location": "https://elsewhere.example/u/start"})

    with pytest.raises(HCAPIError, match="set the ping URL"), connect(**stub.settings()).trap("u"):
        pytest.fail("the job ran")


def test_a_trap_can_be_entered_again_after_its_start_ping_failed(api: Api, ping_types: Callable[[], list[str]]) -> None:
    trap = CheckTrap(api.client, slug="backup")
    with pytest.raises(CheckNotFoundError), api.entering(trap):
        pytest.fail("the job ran")

    api.create_check(CheckCreate(name="backup", slug="backup"))
    with api.entering(trap):
        pass
    assert ping_types() == ["start", "success"]


@pytest.mark.parametrize("ping_errors", ["raise-config", "log"])
def test_an_outage_does_not_prevent_the_job_from_running(
    connect: Callable[..., Api], stub: Stub, caplog: pytest.LogCaptureFixture, ping_errors: Any
) -> None:
    stub.queue_response(503)
    has_run = False
    with connect(**stub.settings()).trap("u", ping_errors=ping_errors) as trap:
        has_run = True

    assert has_run
    assert [type(failure) for failure in trap.ping_failures] == [HCAPIUnavailableError] * 2
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert ["could not be reported" in warning for warning in warnings] == [True, True]


def test_each_failed_ping_is_one_warning_although_it_was_retried(
    connect: Callable[..., Api], stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.queue_response(503, headers={"Retry-After": "0"})
    with connect(**stub.settings(retries=1)).trap("u"):
        pass

    assert len(stub.requests) == 4
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert [each.partition(" could not")[0] for each in warnings] == ["The start of the job", "The end of the job"]


def test_with_ping_errors_raise_giving_up_is_a_warning_and_the_error_is_raised(
    connect: Callable[..., Api], stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.queue_response(503, headers={"Retry-After": "0"})
    trap = connect(**stub.settings(retries=1)).trap("u", ping_errors="raise")
    with pytest.raises(HCAPIUnavailableError), trap:
        pytest.fail("the job ran")

    (warning,) = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert "giving up after attempt 2 of 2" in warning


def test_with_ping_errors_log_a_misconfiguration_is_logged_and_the_job_runs(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    has_run = False
    with api.trap(slug="no-such-check", ping_errors="log") as trap:
        has_run = True

    assert has_run
    assert [type(failure) for failure in trap.ping_failures] == [CheckNotFoundError] * 2
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert ["could not be reported" in warning for warning in warnings] == [True, True]


def test_warnings_name_the_slug_of_the_job_but_no_uuid(
    connect: Callable[..., Api], stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.queue_response(503)
    api = connect(**stub.settings())
    for arguments in ({"slug": "backup"}, {"uuid": "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"}):
        with api.trap(**arguments):
            pass

    beginnings = [each.partition(" could not")[0] for each in caplog.messages if "could not be reported" in each]
    assert beginnings == ["The start of 'backup'", "The end of 'backup'", "The start of the job", "The end of the job"]


def test_with_ping_errors_raise_an_outage_at_the_start_is_raised(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(503)
    with pytest.raises(HCAPIUnavailableError), connect(**stub.settings()).trap("u", ping_errors="raise"):
        pytest.fail("the job ran")


def test_with_ping_errors_raise_an_outage_at_the_end_is_raised(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, "OK")
    stub.queue_response(503)
    with pytest.raises(HCAPIUnavailableError), connect(**stub.settings()).trap("u", ping_errors="raise"):
        pass


@pytest.mark.parametrize("ping_errors", ["raise-config", "raise", "log"])
def test_an_outage_never_replaces_the_jobs_exception(connect: Callable[..., Api], stub: Stub, ping_errors: Any) -> None:
    stub.queue_response(200, "OK")
    stub.queue_response(503)
    error = ValueError("job failed")
    api = connect(**stub.settings())
    with pytest.raises(ValueError, match="job failed") as caught, api.trap("u", ping_errors=ping_errors) as trap:
        raise error

    assert caught.value is error
    assert error.__context__ is None
    assert len(trap.ping_failures) == 1


def test_an_unexpected_response_counts_as_a_failed_ping(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, "Welcome to the WiFi")
    api = connect(**stub.settings())
    with pytest.raises(PingFailedError, match="Welcome to the WiFi"), api.trap("u", ping_errors="raise"):
        pytest.fail("the job ran")


def test_a_trap_can_be_entered_again_after_its_start_ping_was_cancelled(
    connect: Callable[..., Api], http_client: Callable[..., Any]
) -> None:
    interruptions: list[BaseException] = [asyncio.CancelledError()]

    def respond(_: httpx.Request) -> httpx.Response:
        if interruptions:
            raise interruptions.pop()
        return httpx.Response(200, text="OK")

    api = connect(client=http_client(transport=httpx.MockTransport(respond)))
    trap = CheckTrap(api.client, "u")
    with pytest.raises(asyncio.CancelledError), api.entering(trap):
        pytest.fail("the job ran")
    with api.entering(trap):
        pass


class BrokenStrError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def test_an_exception_whose_str_raises_is_still_reported(api: Api, hc: Sandbox, check: Any) -> None:
    with pytest.raises(BrokenStrError), api.trap(slug="backup"):
        raise BrokenStrError

    assert hc.pings("backup")[0].body.endswith(b"BrokenStrError: <exception str() failed>")


def test_the_traceback_includes_causes_and_notes(api: Api, hc: Sandbox, check: Any) -> None:
    error = ValueError("job failed")
    error.__cause__ = LookupError("the cause")
    if sys.version_info >= (3, 11):
        error.add_note("a note")

    with pytest.raises(ValueError, match="job failed"), api.trap(slug="backup"):
        raise error

    body = hc.pings("backup")[0].body.decode()
    assert "LookupError: the cause" in body
    assert body.endswith("a note" if sys.version_info >= (3, 11) else "ValueError: job failed")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups require Python 3.11")
def test_the_traceback_includes_every_exception_in_a_group(api: Api, hc: Sandbox, check: Any) -> None:
    errors = [ValueError("one"), LookupError("two")]
    with pytest.raises(builtins.ExceptionGroup), api.trap(slug="backup"):
        raise builtins.ExceptionGroup("several", errors)

    body = hc.pings("backup")[0].body.decode()
    assert "ValueError: one" in body
    assert "LookupError: two" in body


def test_the_message_passed_to_sys_exit_is_reported_with_its_traceback(api: Api, hc: Sandbox, check: Any) -> None:
    with pytest.raises(SystemExit), api.trap(slug="backup") as trap:
        trap.add_log("saved 3 files")
        sys.exit("disk full")

    assert hc.pings("backup")[0].type == "fail"
    body = hc.pings("backup")[0].body
    assert body.startswith(b"saved 3 files\nTraceback (most recent call last):\n")
    assert body.endswith(b"SystemExit: disk full")


@pytest.mark.server("2.5")
def test_send_log_sends_the_log_so_far(api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]) -> None:
    with api.trap(slug="backup") as trap:
        trap.add_log("halfway done")
        api.run(trap.send_log())
        trap.add_log("all done")

    assert ping_types() == ["start", "log", "success"]
    assert {str(ping.rid) for ping in hc.pings("backup")} == {trap.rid}
    assert hc.pings("backup")[1].body == b"halfway done"
    assert hc.pings("backup")[0].body == b"halfway done\nall done"


@pytest.mark.parametrize("ping_errors", ["raise-config", "raise", "log"])
def test_a_failing_send_log_raises_only_with_ping_errors_raise(
    connect: Callable[..., Api], stub: Stub, ping_errors: Any
) -> None:
    stub.queue_response(200, "OK")
    api = connect(**stub.settings())
    raised = False
    with api.trap("u", ping_errors=ping_errors) as trap:
        stub.set_response(404)
        try:
            api.run(trap.send_log())
        except CheckNotFoundError:
            raised = True
        stub.set_response(200, "OK")

    assert raised is (ping_errors == "raise")
    assert [type(failure) for failure in trap.ping_failures] == [CheckNotFoundError]


def test_send_log_can_be_called_only_inside_the_block(connect: Callable[..., Api]) -> None:
    trap: Any = CheckTrap(connect().client, "u")
    with pytest.raises(BadAPIRequestError, match="inside the block"):
        trap.send_log()


def test_standard_output_can_be_redirected_to_the_log(api: Api, hc: Sandbox, check: Any) -> None:
    with api.trap(slug="backup") as trap, contextlib.redirect_stdout(trap):
        sys.stdout.write("saved 3 files\n")
        sys.stdout.flush()

    assert hc.pings("backup")[0].body == b"saved 3 files\n"


def test_current_returns_the_innermost_active_trap() -> None:
    assert CheckTrap.current() is None
    with Client(ping_url="http://127.0.0.1:1", timeout=1, retries=0) as client:
        with CheckTrap(client, "u") as outer:
            assert CheckTrap.current() is outer
            with CheckTrap(client, "u") as inner:
                assert CheckTrap.current() is inner
            assert CheckTrap.current() is outer
        assert CheckTrap.current() is None


def test_only_one_of_several_threads_can_enter_a_trap_at_a_time(stub: Stub) -> None:
    stub.queue_response(200, "OK")
    with Client(**stub.settings()) as client:
        trap = CheckTrap(client, "u")
        all_ready = threading.Barrier(8)
        refusals = threading.Semaphore(0)

        def enter(_: int) -> bool:
            all_ready.wait()
            try:
                with trap:
                    return all(refusals.acquire(timeout=10) for _ in range(7))
            except BadAPIRequestError:
                refusals.release()
                return False

        with ThreadPoolExecutor(8) as threads:
            assert sorted(threads.map(enter, range(8))) == [False] * 7 + [True]
    assert [request.path.partition("?")[0] for request in stub.requests] == ["/ping/u/start", "/ping/u"]


def test_an_exception_that_cannot_be_formatted_is_still_reported(api: Api, hc: Sandbox, check: Any) -> None:
    error = SyntaxError("x", ("file", 1, "column", b"line"))  # type: ignore[arg-type]  # breaks the traceback module
    with pytest.raises(SyntaxError) as caught, api.trap(slug="backup"):
        raise error

    assert caught.value is error
    assert hc.pings("backup")[0].body.startswith(b"SyntaxError")


@pytest.mark.server("2.10")
def test_with_create_the_first_run_creates_the_check(api: Api, ping_types: Callable[[], list[str]]) -> None:
    with api.trap(slug="backup", create=True):
        pass

    assert ping_types() == ["start", "success"]


def test_a_trap_accepts_both_kinds_of_client() -> None:
    assert CheckTrap(Client(), "u").rid != CheckTrap(AsyncClient(), "u").rid


class BlockedImports(importlib.abc.MetaPathFinder):
    """Fail every import, as when a job has used up its file descriptors or its environment was replaced."""

    def find_spec(self, name: str, *_: object) -> None:
        raise ImportError(name)


def test_the_end_is_reported_even_if_imports_no_longer_work(
    api: Api, check: Any, ping_types: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = ValueError("job failed")
    with pytest.raises(ValueError, match="job failed") as caught, api.trap(slug="backup", log_level=logging.INFO):
        monkeypatch.delitem(sys.modules, "healthchecks_io.trap.cancellation", raising=False)
        monkeypatch.setattr(sys, "meta_path", [BlockedImports()])
        raise error

    assert caught.value is error
    assert ping_types() == ["start", "fail"]


class RaisingHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError(record.name)


def test_a_logging_handler_that_raises_does_not_affect_the_job(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(503)
    error = ValueError("job failed")
    handler = RaisingHandler()
    logging.getLogger("healthchecks_io").addHandler(handler)
    try:
        with pytest.raises(ValueError, match="job failed") as caught, connect(**stub.settings(retries=1)).trap("u"):
            raise error
    finally:
        logging.getLogger("healthchecks_io").removeHandler(handler)

    assert caught.value is error


def test_chained_runs_do_not_accumulate_in_the_context(settings: dict[str, Any], check: Any) -> None:
    async def job(client: AsyncClient, remaining: int) -> int:
        async with CheckTrap(client, slug="backup"):
            next_job = asyncio.create_task(job(client, remaining - 1)) if remaining else None
        return await next_job if next_job else len(contextvars.copy_context()[run._runs])

    async def main() -> int:
        async with AsyncClient(**settings) as client:
            return await job(client, 10)

    assert asyncio.run(main()) == 0


class JobTimeoutError(Exception):
    """Raised by a signal handler when a job takes too long, as some task queues do."""


def test_a_timeout_raised_by_a_signal_handler_is_not_treated_as_a_failed_ping(hc: Sandbox) -> None:
    def handle(*_: object) -> None:
        raise JobTimeoutError

    previous_handler = signal.signal(signal.SIGALRM, handle)
    try:
        with hc.client() as client:
            hc.fail_next(delay=2)
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(JobTimeoutError), CheckTrap(client, slug="backup", create=True):
                pytest.fail("the job ran")
    finally:
        signal.signal(signal.SIGALRM, previous_handler)


def test_a_trap_has_the_attributes_of_a_text_stream(api: Api) -> None:
    trap: Any = CheckTrap(api.client, "u")

    assert (trap.isatty(), trap.encoding) == (False, "utf-8")


def test_writing_an_empty_string_does_not_change_the_log(api: Api, hc: Sandbox, check: Any) -> None:
    with api.trap(slug="backup") as trap:
        trap.add_log("one")
        trap.write("")
        trap.add_log("two")

    assert hc.pings("backup")[0].body == b"one\ntwo"


def test_a_closed_client_is_a_misconfiguration(api: Api) -> None:
    api.close()

    with pytest.raises(HCAPIError, match="the client is closed"), api.trap(slug="backup"):
        pytest.fail("the job ran")


def test_a_job_that_must_run_runs_with_a_closed_client(api: Api) -> None:
    api.close()

    with api.trap(slug="backup", ping_errors="log") as trap:
        pass
    assert len(trap.ping_failures) == 2


@pytest.mark.parametrize(
    ("announced", "body_limit", "length"),
    [
        (None, None, 10_000),
        (None, 20_000, 20_000),
        (None, 500, 500),
        ("800", None, 800),
        ("800", 500, 500),
        ("800", 900, 800),
    ],
)
def test_the_log_is_as_long_as_the_smaller_of_the_announced_and_the_given_limit(
    connect: Callable[..., Api], stub: Stub, announced: str | None, body_limit: int | None, length: int
) -> None:
    stub.queue_response(200, "OK", {"Ping-Body-Limit": announced} if announced else {})

    with connect(**stub.settings()).trap("u", body_limit=body_limit) as trap:
        trap.write("x" * 30_000)

    assert len(stub.requests[-1].body) == length


@pytest.mark.parametrize("body_limit", [0, 99, 1_000_001, "500", 500.0, True])
def test_an_invalid_body_limit_is_rejected(api: Api, body_limit: object) -> None:
    with pytest.raises(BadAPIRequestError, match="body_limit must be a number of bytes from 100 to 1000000"):
        CheckTrap(api.client, slug="backup", body_limit=body_limit)  # type: ignore[call-overload]  # wrong on purpose
