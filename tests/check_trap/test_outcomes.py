"""What counts as success, as failure and as neither: fail(), ignored exceptions and exit statuses."""

from __future__ import annotations

import asyncio
import logging
import sys
import types
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import AsyncClient, BadAPIRequestError, CheckTrap, HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox

pytestmark = pytest.mark.server("1.23")


class RetryError(Exception):
    """Raised by a task queue to run the job again later."""


def retry() -> None:
    raise RetryError


# The method fail


def test_a_job_that_reports_a_failure_sends_a_fail_ping_although_it_ends_normally(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    with api.trap(slug="backup") as trap:
        trap.fail("2 files could not be read")
        trap.add_log("saved 3 files")

    assert ping_types() == ["start", "fail"]
    assert hc.pings("backup")[0].body == b"saved 3 files\n2 files could not be read"


def test_a_failure_needs_no_reason(api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]) -> None:
    with api.trap(slug="backup") as trap:
        trap.add_log("saved 3 files")
        trap.fail()

    assert ping_types() == ["start", "fail"]
    assert hc.pings("backup")[0].body == b"saved 3 files"


def test_the_reasons_of_several_failures_are_all_reported(api: Api, hc: Sandbox, check: Any) -> None:
    with api.trap(slug="backup") as trap:
        trap.fail("one")
        trap.fail("two")
        trap.add_log("saved 3 files")

    assert hc.pings("backup")[0].body == b"one\nsaved 3 files\ntwo"


def test_an_exception_after_a_failure_is_reported_after_the_reason(api: Api, hc: Sandbox, check: Any) -> None:
    error = ValueError("disk full")
    with pytest.raises(ValueError, match="disk full") as caught, api.trap(slug="backup") as trap:
        trap.fail("2 files could not be read")
        raise error

    assert caught.value is error
    assert hc.pings("backup")[0].type == "fail"
    body = hc.pings("backup")[0].body
    assert body.startswith(b"2 files could not be read\nTraceback (most recent call last):\n")
    assert body.endswith(b"ValueError: disk full")


@pytest.mark.parametrize(("code", "exit_status"), [(None, None), (0, None), (3, 3)])
def test_a_job_that_reports_a_failure_has_failed_whatever_its_exit_status(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]], code: int | None, exit_status: int | None
) -> None:
    with pytest.raises(SystemExit) as caught, api.trap(slug="backup") as trap:
        trap.fail("2 files could not be read")
        sys.exit(code)

    assert caught.value.code == code
    assert ping_types() == ["start", "fail"]
    assert hc.pings("backup")[0].body == b"2 files could not be read"
    assert hc.pings("backup")[0].exit_status == exit_status


def test_an_ignored_exception_does_not_undo_a_failure(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    with pytest.raises(RetryError), api.trap(slug="backup", ignore=RetryError) as trap:
        trap.fail("2 files could not be read")
        raise RetryError

    assert ping_types() == ["start", "fail"]
    assert hc.pings("backup")[0].body.startswith(b"2 files could not be read\nTraceback")


def test_a_failure_can_only_be_reported_during_a_run(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    trap = CheckTrap(api.client, slug="backup")
    with pytest.raises(BadAPIRequestError, match="fail works only during a run: call it inside the block"):
        trap.fail("too early")
    with api.entering(trap):
        pass
    with pytest.raises(BadAPIRequestError, match="fail works only during a run: call it inside the block"):
        trap.fail("too late")
    with api.entering(trap):
        pass

    assert ping_types() == ["start", "success"] * 2


def test_a_failure_does_not_affect_the_next_run_of_the_trap(
    api: Api, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    trap = CheckTrap(api.client, slug="backup")
    with api.entering(trap):
        trap.fail()
    with api.entering(trap):
        pass

    assert ping_types() == ["start", "fail", "start", "success"]


def test_the_reason_of_a_failure_is_never_cut(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, "OK", {"Ping-Body-Limit": "200"})
    with connect(**stub.settings()).trap("u") as trap:
        trap.add_log("x" * 1000)
        trap.fail("2 files could not be read")

    assert len(stub.requests[1].body) <= 200
    assert stub.requests[1].body.endswith(b"x\n2 files could not be read")


# ignore


@pytest.mark.server("2.5")
@pytest.mark.parametrize("ignore", [RetryError, (RetryError,), (KeyError, RetryError), (Exception,), [RetryError]])
def test_an_ignored_exception_is_reported_in_a_log_ping_with_one_line_about_it(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]], ignore: Any
) -> None:
    error = RetryError("try again\nin 5 s")
    with pytest.raises(RetryError) as caught, api.trap(slug="backup", ignore=ignore) as trap:
        trap.add_log("the file does not exist yet")
        raise error

    assert caught.value is error
    assert ping_types() == ["start", "log"]
    assert hc.pings("backup")[0].body == b"the file does not exist yet\nRetryError: try again in 5 s"
    assert str(hc.pings("backup")[0].rid) == trap.rid


@pytest.mark.server("2.3")
def test_the_line_about_an_exception_without_a_text_is_the_name_of_its_class(api: Api, hc: Sandbox, check: Any) -> None:
    with pytest.raises(RetryError), api.trap(slug="backup", ignore=RetryError):
        raise RetryError

    assert hc.pings("backup")[0].body == b"RetryError"


@pytest.mark.parametrize("ignore", [(), RetryError, (RetryError, KeyError)])
def test_other_exceptions_are_not_ignored(
    api: Api, check: Any, ping_types: Callable[[], list[str]], ignore: Any
) -> None:
    with pytest.raises(ValueError, match="disk full"), api.trap(slug="backup", ignore=ignore):
        raise ValueError("disk full")

    assert ping_types() == ["start", "fail"]


@pytest.mark.server("2.3")
@pytest.mark.parametrize(("code", "line"), [(0, b"SystemExit: 0"), (3, b"SystemExit: 3"), (None, b"SystemExit: None")])
def test_system_exit_can_be_ignored(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]], code: int | None, line: bytes
) -> None:
    with pytest.raises(SystemExit), api.trap(slug="backup", ignore=SystemExit):
        sys.exit(code)

    assert ping_types() == ["start", "log"]
    assert hc.pings("backup")[0].body in (line, b"SystemExit")


@pytest.mark.server("2.3")
def test_a_cancellation_can_be_ignored(
    settings: dict[str, Any], hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    async def main() -> None:
        async with AsyncClient(**settings) as client:
            started = asyncio.Event()

            async def job() -> None:
                async with CheckTrap(client, slug="backup", ignore=asyncio.CancelledError):
                    started.set()
                    await asyncio.sleep(60)

            task = asyncio.create_task(job())
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert ping_types() == ["start", "log"]
    assert hc.pings("backup")[0].body == b"CancelledError"


@pytest.mark.server("2.3")
def test_an_ignored_exception_is_suppressed_like_any_other(
    api: Api, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    with api.trap(slug="backup", ignore=RetryError, suppress_exceptions=True):
        retry()

    assert ping_types() == ["start", "log"]


class BrokenStrError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.server("2.3")
def test_an_ignored_exception_whose_str_raises_is_still_reported(api: Api, hc: Sandbox, check: Any) -> None:
    error = BrokenStrError()
    with pytest.raises(BrokenStrError) as caught, api.trap(slug="backup", ignore=BrokenStrError):
        raise error

    assert caught.value is error
    assert hc.pings("backup")[0].body == b"BrokenStrError: (its text could not be formatted: RuntimeError)"


# Exit statuses


class ExitError(Exception):
    """Like the Exit exceptions of click and typer."""

    def __init__(self, exit_code: object) -> None:
        self.exit_code = exit_code


@pytest.mark.parametrize("module", ["click.exceptions", "typer"])
@pytest.mark.parametrize(
    ("code", "ping_type", "exit_status"),
    [(0, "success", 0), (1, "fail", 1), (255, "fail", 255), (256, "fail", None), ("3", "fail", None)],
)
def test_the_exit_exceptions_of_click_and_typer_report_their_exit_code(
    api: Api,
    hc: Sandbox,
    check: Any,
    ping_types: Callable[[], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    code: Any,
    ping_type: str,
    exit_status: int | None,
) -> None:
    stub_module = types.ModuleType(module)
    stub_module.Exit = ExitError  # type: ignore[attr-defined]  # a new attribute
    monkeypatch.setitem(sys.modules, module, stub_module)
    error = ExitError(code)

    with pytest.raises(ExitError) as caught, api.trap(slug="backup"):
        raise error

    assert caught.value is error
    assert ping_types() == ["start", ping_type]
    assert hc.pings("backup")[0].exit_status == exit_status
    assert (b"Traceback" in hc.pings("backup")[0].body) is (exit_status is None)


def test_an_exit_of_the_installed_click_is_reported_by_its_exit_code(
    api: Api, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    exceptions = pytest.importorskip("click.exceptions")

    with pytest.raises(exceptions.Exit), api.trap(slug="backup"):
        raise exceptions.Exit(0)

    assert ping_types() == ["start", "success"]


def test_an_exception_with_an_exit_code_is_an_exit_only_if_click_or_typer_define_it(
    api: Api, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    with pytest.raises(ExitError), api.trap(slug="backup"):
        raise ExitError(0)

    assert ping_types() == ["start", "fail"]


class Hostile:
    """An object whose methods raise."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __hash__(self) -> int:
        raise RuntimeError

    def __bool__(self) -> bool:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__

    def __index__(self) -> int:
        raise RuntimeError

    __int__ = __index__

    @property  # type: ignore[misc]  # it replaces a method of object
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]  # as above
        raise RuntimeError


class HostileInt(int):
    """An integer whose methods raise."""

    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = Hostile.__eq__
    __hash__ = Hostile.__hash__
    __str__ = __repr__ = Hostile.__str__
    __index__ = __int__ = Hostile.__index__


class PretendedInt:
    """An object that claims to be an integer."""

    __class__ = int  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleMethodOverride]  # deliberately wrong


@pytest.mark.parametrize(
    ("code", "exit_status"),
    [(Hostile(), None), (PretendedInt(), None), (HostileInt(3), 3), (True, 1), (-1, None), (3.0, None), ([], None)],
    ids=["hostile", "pretended int", "hostile int", "True", "negative", "float", "list"],
)
def test_an_exit_status_of_any_type_is_reported_and_left_unchanged(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]], code: Any, exit_status: int | None
) -> None:
    with pytest.raises(SystemExit) as caught, api.trap(slug="backup"):
        raise SystemExit(code)

    assert caught.value.code is code
    assert caught.value.__context__ is None
    assert ping_types() == ["start", "fail"]
    assert hc.pings("backup")[0].exit_status == exit_status
    assert (b"SystemExit" in hc.pings("backup")[0].body) is (exit_status is None)


# suppress_exceptions


@pytest.mark.parametrize("ping_errors", ["raise-config", "log"])
def test_a_suppressed_exception_that_could_not_be_reported_is_logged_with_its_traceback(
    connect: Callable[..., Api], stub: Stub, caplog: pytest.LogCaptureFixture, ping_errors: Any
) -> None:
    stub.queue_response(503)
    with connect(**stub.settings()).trap("u", suppress_exceptions=True, ping_errors=ping_errors):
        int("not a number")

    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.name == "healthchecks_io"
    assert record.exc_info is not None
    assert record.exc_info[0] is ValueError
    assert "Traceback (most recent call last)" in caplog.text
    assert 'int("not a number")' in caplog.text


def test_a_suppressed_exception_is_logged_before_the_failed_ping_is_raised(
    connect: Callable[..., Api], stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.queue_response(200, "OK")
    stub.queue_response(503)
    api = connect(**stub.settings())

    with (
        pytest.raises(HCAPIUnavailableError),
        api.trap("u", suppress_exceptions=True, ping_errors="raise"),
    ):
        raise ValueError("disk full")

    assert "ValueError: disk full" in caplog.text


def test_a_suppressed_exception_that_was_reported_is_not_logged(
    api: Api, check: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with api.trap(slug="backup", suppress_exceptions=True):
        int("not a number")

    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_an_exception_that_propagates_is_not_logged(
    connect: Callable[..., Api], stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.queue_response(503)

    with pytest.raises(ValueError, match="disk full"), connect(**stub.settings()).trap("u"):
        raise ValueError("disk full")

    assert [record for record in caplog.records if record.levelno == logging.ERROR] == []


def test_a_reason_of_a_failure_that_is_no_string_is_converted(api: Api, hc: Sandbox, check: Any) -> None:
    with api.trap(check.uuid) as trap:
        trap.fail(ValueError("no rows"))

    assert hc.pings(check)[0].body == b"no rows"
