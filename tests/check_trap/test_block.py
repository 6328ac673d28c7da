"""A job in a CheckTrap: what is reported, and what leaves the block."""

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
from healthchecks_io.client import run

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox


def test_a_job_that_ends_well_is_a_success(
    api: Api, hc: Sandbox, recorded: Callable[[], list[str]], check: Any
) -> None:
    with api.trap(slug="backup") as trap:
        trap.add_log("saved 3 files")
        trap.add_log("all well")

    assert recorded() == ["start", "success"]
    assert hc.pings("backup")[0].body == b"saved 3 files\nall well"
    assert trap.ping_failures == []


def test_a_job_that_raises_is_a_failure_with_its_log_and_traceback(
    api: Api, hc: Sandbox, recorded: Callable[[], list[str]], check: Any
) -> None:
    error = ValueError("disk full")
    with pytest.raises(ValueError, match="disk full") as caught, api.trap(check.uuid) as trap:
        trap.add_log("saved 3 files")
        raise error

    assert caught.value is error
    assert error.__context__ is None
    assert recorded() == ["start", "fail"]
    body = hc.pings("backup")[0].body.decode()
    assert body.startswith("saved 3 files\nTraceback (most recent call last):\n")
    assert "test_block.py" in body
    assert body.endswith("ValueError: disk full")


def test_the_pings_of_a_run_have_its_run_id(api: Api, hc: Sandbox, check: Any) -> None:
    with api.trap(slug="backup") as trap:
        pass

    assert {str(ping.rid) for ping in hc.pings("backup")} == {trap.rid}
    assert hc.pings("backup")[0].duration


def test_each_run_of_a_trap_starts_afresh(api: Api, hc: Sandbox, check: Any) -> None:
    trap = CheckTrap(api.client, slug="backup")
    rids = set()
    for _ in range(2):
        with api.entering(trap):
            rids.add(trap.rid)
            trap.add_log("once")

    assert len(rids) == 2
    assert hc.pings("backup")[0].body == b"once"


def test_a_run_id_of_ones_own_is_for_one_run(api: Api, hc: Sandbox, check: Any) -> None:
    rid = uuid.uuid4()
    trap = CheckTrap(api.client, slug="backup", rid=rid)
    with api.entering(trap):
        assert trap.rid == str(rid)

    with pytest.raises(BadAPIRequestError, match="one run"), api.entering(trap):
        pass
    assert len(hc.pings("backup")) == 2


def test_a_trap_that_is_in_use_cannot_be_entered(api: Api, check: Any) -> None:
    with api.trap(slug="backup") as trap, pytest.raises(BadAPIRequestError, match="in use"), api.entering(trap):
        pass


def test_exceptions_are_swallowed_when_asked_to(api: Api, recorded: Callable[[], list[str]], check: Any) -> None:
    with api.trap(slug="backup", suppress_exceptions=True):
        int("no number")

    assert recorded() == ["start", "fail"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_what_ends_the_program_is_never_swallowed(
    api: Api, recorded: Callable[[], list[str]], check: Any, error: BaseException
) -> None:
    with pytest.raises(type(error)), api.trap(slug="backup", suppress_exceptions=True):
        raise error

    assert recorded() == ["start", "fail"]


@pytest.mark.parametrize(
    ("code", "kind", "exit_status"),
    [
        (None, "success", 0),
        (0, "success", 0),
        (1, "fail", 1),
        (255, "fail", 255),
        (256, "fail", None),
        ("no", "fail", None),
    ],
)
def test_an_exit_status_is_reported(
    api: Api, hc: Sandbox, recorded: Callable[[], list[str]], check: Any, code: Any, kind: Any, exit_status: int | None
) -> None:
    with pytest.raises(SystemExit) as caught, api.trap(slug="backup"):
        raise SystemExit(code)

    assert caught.value.code is code
    assert recorded() == ["start", kind]
    assert b"Traceback" not in hc.pings("backup")[0].body
    assert hc.pings("backup")[0].exit_status == exit_status


def test_the_end_of_a_long_log_is_sent_with_the_whole_traceback(api: Api, hc: Sandbox, check: Any) -> None:
    with pytest.raises(ValueError, match="at last"), api.trap(slug="backup") as trap:
        for number in range(10_000):
            trap.add_log(f"line {number}")
        raise ValueError("at last")

    body = hc.pings("backup")[0].body.decode()
    assert len(body) <= 10_000
    assert body.split("\n")[0].endswith(" bytes left out]")
    assert "line 9999\nTraceback" in body
    assert body.endswith("ValueError: at last")


@pytest.mark.parametrize(
    ("limit", "length"), [("300", 300), ("100000", 100_000), ("99999999", 1_000_000), ("no", 10_000)]
)
def test_a_body_is_as_long_as_the_server_keeps(
    connect: Callable[..., Api], stub: Stub, limit: Any, length: Any
) -> None:
    stub.queue_response(200, "OK", {"Ping-Body-Limit": limit})
    with connect(**stub.settings()).trap("u") as trap:
        trap.add_log("x" * 3_000_000)

    assert len(stub.requests[1].body) == length


def test_what_is_printed_to_a_trap_is_in_the_log(api: Api, hc: Sandbox, check: Any) -> None:
    with api.trap(slug="backup") as trap:
        trap.add_log("one")
        print("two", "three", file=trap)
        print("four", end=" ", file=trap, flush=True)
        trap.add_log("five")

    assert hc.pings("backup")[0].body == b"one\ntwo three\nfour \nfive"


@pytest.mark.parametrize("line", [None, b"bytes", 5])
def test_a_line_of_the_log_is_a_string(connect: Callable[..., Api], line: Any) -> None:
    trap = CheckTrap(connect().client, "u")
    with pytest.raises(TypeError, match="must be a string"):
        trap.add_log(line)
    with pytest.raises(TypeError, match="must be a string"):
        trap.write(line)


def test_the_wrong_way_is_told_before_the_job_starts(connect: Callable[..., Api], stub: Stub) -> None:
    api = connect(**stub.settings())
    trap: Any = CheckTrap(api.client, "u")

    with pytest.raises(WrongClientError, match="is used in `(async )?with`"):
        if isinstance(api.client, Client):
            api.run(trap.__aenter__())
        else:
            trap.__enter__()
    assert stub.requests == []


def test_a_trap_needs_a_client() -> None:
    with pytest.raises(WrongClientError, match="needs a Client or an AsyncClient, not str"):
        CheckTrap("client", "u")  # type: ignore[call-overload]  # the mistake that is tested


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
def test_wrong_arguments_are_told_at_once(connect: Callable[..., Api], stub: Stub, arguments: dict[str, Any]) -> None:
    with pytest.raises(BadAPIRequestError):
        CheckTrap(connect(**stub.settings()).client, **arguments)
    with pytest.raises(BadAPIRequestError, match="ping_errors"):
        CheckTrap(connect(**stub.settings()).client, "u", ping_errors="ignore")  # type: ignore[call-overload]  # tested


@pytest.mark.parametrize("ping_errors", ["raise-config", "raise"])
def test_a_misconfiguration_is_raised_before_the_job_starts(api: Api, hc: Sandbox, ping_errors: Any) -> None:
    with pytest.raises(CheckNotFoundError), api.trap(slug="nobody", ping_errors=ping_errors):
        pytest.fail("the job ran")


def test_a_redirect_is_a_misconfiguration(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(301, headers={"Location": "https://elsewhere.example/u/start"})

    with pytest.raises(HCAPIError, match="configure ping_url"), connect(**stub.settings()).trap("u"):
        pytest.fail("the job ran")


def test_a_trap_whose_start_was_refused_can_be_entered_again(api: Api, recorded: Callable[[], list[str]]) -> None:
    trap = CheckTrap(api.client, slug="backup")
    with pytest.raises(CheckNotFoundError), api.entering(trap):
        pytest.fail("the job ran")

    api.create_check(CheckCreate(slug="backup"))
    with api.entering(trap):
        pass
    assert recorded() == ["start", "success"]


@pytest.mark.parametrize("ping_errors", ["raise-config", "log"])
def test_an_outage_does_not_keep_the_job_from_running(
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


def test_a_misconfiguration_is_logged_when_the_job_must_run(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    has_run = False
    with api.trap(slug="nobody", ping_errors="log") as trap:
        has_run = True

    assert has_run
    assert [type(failure) for failure in trap.ping_failures] == [CheckNotFoundError] * 2
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert ["could not be reported" in warning for warning in warnings] == [True, True]


def test_an_outage_at_the_start_is_raised_when_asked_to(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(503)
    with pytest.raises(HCAPIUnavailableError), connect(**stub.settings()).trap("u", ping_errors="raise"):
        pytest.fail("the job ran")


def test_an_outage_at_the_end_is_raised_when_asked_to(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, "OK")
    stub.queue_response(503)
    with pytest.raises(HCAPIUnavailableError), connect(**stub.settings()).trap("u", ping_errors="raise"):
        pass


@pytest.mark.parametrize("ping_errors", ["raise-config", "raise", "log"])
def test_an_outage_never_takes_the_place_of_the_error_of_the_job(
    connect: Callable[..., Api], stub: Stub, ping_errors: Any
) -> None:
    stub.queue_response(200, "OK")
    stub.queue_response(503)
    error = ValueError("of the job")
    api = connect(**stub.settings())
    with pytest.raises(ValueError, match="of the job") as caught, api.trap("u", ping_errors=ping_errors) as trap:
        raise error

    assert caught.value is error
    assert error.__context__ is None
    assert len(trap.ping_failures) == 1


def test_an_unexpected_answer_is_a_failed_ping(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, "Welcome to the WiFi")
    api = connect(**stub.settings())
    with pytest.raises(PingFailedError, match="Welcome to the WiFi"), api.trap("u", ping_errors="raise"):
        pytest.fail("the job ran")


def test_a_trap_that_was_interrupted_at_its_start_can_be_entered_again(
    connect: Callable[..., Api], http_client: Callable[..., Any]
) -> None:
    interruptions: list[BaseException] = [asyncio.CancelledError()]

    def answer(_: httpx.Request) -> httpx.Response:
        if interruptions:
            raise interruptions.pop()
        return httpx.Response(200, text="OK")

    api = connect(client=http_client(transport=httpx.MockTransport(answer)))
    trap = CheckTrap(api.client, "u")
    with pytest.raises(asyncio.CancelledError), api.entering(trap):
        pytest.fail("the job ran")
    with api.entering(trap):
        pass


class SilentError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def test_an_exception_whose_text_cannot_be_had_is_reported_all_the_same(api: Api, hc: Sandbox, check: Any) -> None:
    with pytest.raises(SilentError), api.trap(slug="backup"):
        raise SilentError

    assert hc.pings("backup")[0].body.endswith(b"SilentError: <exception str() failed>")


def test_a_traceback_has_its_causes_and_notes(api: Api, hc: Sandbox, check: Any) -> None:
    error = ValueError("of the job")
    error.__cause__ = LookupError("the cause")
    if sys.version_info >= (3, 11):
        error.add_note("a note")

    with pytest.raises(ValueError, match="of the job"), api.trap(slug="backup"):
        raise error

    body = hc.pings("backup")[0].body.decode()
    assert "LookupError: the cause" in body
    assert body.endswith("a note" if sys.version_info >= (3, 11) else "ValueError: of the job")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups came with Python 3.11")
def test_the_exceptions_of_a_group_are_all_in_the_traceback(api: Api, hc: Sandbox, check: Any) -> None:
    errors = [ValueError("one"), LookupError("two")]
    with pytest.raises(builtins.ExceptionGroup), api.trap(slug="backup"):
        raise builtins.ExceptionGroup("several", errors)

    body = hc.pings("backup")[0].body.decode()
    assert "ValueError: one" in body
    assert "LookupError: two" in body


def test_the_reason_of_an_exit_is_in_the_log(api: Api, hc: Sandbox, check: Any) -> None:
    with pytest.raises(SystemExit), api.trap(slug="backup") as trap:
        trap.add_log("saved 3 files")
        sys.exit("no more space")

    assert hc.pings("backup")[0].type == "fail"
    assert hc.pings("backup")[0].body == b"saved 3 files\nno more space"


def test_what_was_logged_so_far_can_be_sent_during_the_run(
    api: Api, hc: Sandbox, check: Any, recorded: Callable[[], list[str]]
) -> None:
    with api.trap(slug="backup") as trap:
        trap.add_log("half of it is done")
        api.run(trap.send_log())
        trap.add_log("all of it is done")

    assert recorded() == ["start", "log", "success"]
    assert {str(ping.rid) for ping in hc.pings("backup")} == {trap.rid}
    assert hc.pings("backup")[1].body == b"half of it is done"
    assert hc.pings("backup")[0].body == b"half of it is done\nall of it is done"


@pytest.mark.parametrize("ping_errors", ["raise-config", "raise", "log"])
def test_a_log_that_cannot_be_sent_harms_the_job_only_when_asked_to(
    connect: Callable[..., Api], stub: Stub, ping_errors: Any
) -> None:
    stub.queue_response(200, "OK")
    api = connect(**stub.settings())
    is_raised = False
    with api.trap("u", ping_errors=ping_errors) as trap:
        stub.set_response(404)
        try:
            api.run(trap.send_log())
        except CheckNotFoundError:
            is_raised = True
        stub.set_response(200, "OK")

    assert is_raised is (ping_errors == "raise")
    assert [type(failure) for failure in trap.ping_failures] == [CheckNotFoundError]


def test_a_log_is_sent_while_the_job_runs_only(connect: Callable[..., Api]) -> None:
    trap: Any = CheckTrap(connect().client, "u")
    with pytest.raises(BadAPIRequestError, match="inside of the block"):
        trap.send_log()


def test_standard_output_can_be_the_log(api: Api, hc: Sandbox, check: Any) -> None:
    with api.trap(slug="backup") as trap, contextlib.redirect_stdout(trap):
        sys.stdout.write("saved 3 files\n")
        sys.stdout.flush()

    assert hc.pings("backup")[0].body == b"saved 3 files\n"


def test_runs_are_told_by_the_context() -> None:
    assert CheckTrap.current() is None
    with Client(ping_url="http://127.0.0.1:1", timeout=1, retries=0) as client:
        with CheckTrap(client, "u") as outer:
            assert CheckTrap.current() is outer
            with CheckTrap(client, "u") as inner:
                assert CheckTrap.current() is inner
            assert CheckTrap.current() is outer
        assert CheckTrap.current() is None


def test_of_threads_that_enter_a_trap_at_once_all_but_one_are_refused(stub: Stub) -> None:
    stub.queue_response(200, "OK")
    with Client(**stub.settings()) as client:
        trap = CheckTrap(client, "u")
        are_ready = threading.Barrier(8)
        are_refused = threading.Semaphore(0)

        def enter(_: int) -> bool:
            are_ready.wait()
            try:
                with trap:
                    return all(are_refused.acquire(timeout=10) for _ in range(7))
            except BadAPIRequestError:
                are_refused.release()
                return False

        with ThreadPoolExecutor(8) as threads:
            assert sorted(threads.map(enter, range(8))) == [False] * 7 + [True]
    assert [said.path.partition("?")[0] for said in stub.requests] == ["/ping/u/start", "/ping/u"]


def test_an_exception_that_cannot_be_shown_is_reported_all_the_same(api: Api, hc: Sandbox, check: Any) -> None:
    error = SyntaxError("x", ("file", 1, "column", b"line"))  # type: ignore[arg-type]  # which breaks traceback
    with pytest.raises(SyntaxError) as caught, api.trap(slug="backup"):
        raise error

    assert caught.value is error
    assert hc.pings("backup")[0].body.startswith(b"SyntaxError")


def test_a_check_is_created_with_its_first_run(api: Api, recorded: Callable[[], list[str]]) -> None:
    with api.trap(slug="backup", create=True):
        pass

    assert recorded() == ["start", "success"]


def test_both_clients_are_taken() -> None:
    assert CheckTrap(Client(), "u").rid != CheckTrap(AsyncClient(), "u").rid


class Importing(importlib.abc.MetaPathFinder):
    """Nothing can be imported any more: a job has used up its file descriptors, or its environment was replaced."""

    def find_spec(self, name: str, *_: object) -> None:
        raise ImportError(name)


def test_the_end_is_reported_when_nothing_can_be_imported_any_more(
    api: Api, check: Any, recorded: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = ValueError("of the job")
    with pytest.raises(ValueError, match="of the job") as caught, api.trap(slug="backup", log_level=logging.INFO):
        monkeypatch.delitem(sys.modules, "healthchecks_io.client.shielding", raising=False)
        monkeypatch.setattr(sys, "meta_path", [Importing()])
        raise error

    assert caught.value is error
    assert recorded() == ["start", "fail"]


class RaisingHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError(record.name)


def test_a_logging_handler_that_raises_does_not_harm_the_job(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(503)
    error = ValueError("of the job")
    handler = RaisingHandler()
    logging.getLogger("healthchecks_io").addHandler(handler)
    try:
        with pytest.raises(ValueError, match="of the job") as caught, connect(**stub.settings(retries=1)).trap("u"):
            raise error
    finally:
        logging.getLogger("healthchecks_io").removeHandler(handler)

    assert caught.value is error


def test_runs_that_follow_each_other_do_not_pile_up(settings: dict[str, Any], check: Any) -> None:
    async def job(client: AsyncClient, left: int) -> int:
        async with CheckTrap(client, slug="backup"):
            following = asyncio.create_task(job(client, left - 1)) if left else None
        return await following if following else len(contextvars.copy_context()[run._runs])

    async def main() -> int:
        async with AsyncClient(**settings) as client:
            return await job(client, 10)

    assert asyncio.run(main()) == 0


class TimeIsUpError(Exception):
    """What a worker raises in a job that takes too long."""


def test_a_limit_to_the_time_of_the_job_is_not_taken_for_a_failed_ping(hc: Sandbox) -> None:
    def handle(*_: object) -> None:
        raise TimeIsUpError

    before = signal.signal(signal.SIGALRM, handle)
    try:
        with hc.client() as client:
            hc.fail_next(delay=2)
            signal.setitimer(signal.ITIMER_REAL, 0.3)
            with pytest.raises(TimeIsUpError), CheckTrap(client, slug="backup", create=True):
                pytest.fail("the job ran")
    finally:
        signal.signal(signal.SIGALRM, before)


def test_what_asks_standard_output_before_it_writes_gets_an_answer(api: Api) -> None:
    trap: Any = CheckTrap(api.client, "u")

    assert (trap.isatty(), trap.encoding) == (False, "utf-8")


def test_writing_nothing_changes_nothing(api: Api, hc: Sandbox, check: Any) -> None:
    with api.trap(slug="backup") as trap:
        trap.add_log("one")
        trap.write("")
        trap.add_log("two")

    assert hc.pings("backup")[0].body == b"one\ntwo"
