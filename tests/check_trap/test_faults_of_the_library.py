"""An unexpected exception in this library is a failed ping: it never replaces the outcome of the job."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import HCAPIError
from healthchecks_io.client import errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub


def break_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an import in every request fail, as when a deployment has replaced the package on disk."""
    monkeypatch.setitem(sys.modules, "healthchecks_io.client.http", None)


def break_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every request with an error as its response raise a TypeError within the library."""
    monkeypatch.setattr(errors, "error_of", None)


FAULTS = [(break_imports, "ModuleNotFoundError"), (break_requests, "TypeError")]


@pytest.fixture
def broken_api(connect: Callable[..., Api], stub: Stub) -> Api:
    """A client whose first request succeeds."""
    stub.queue_response(200, "OK")
    stub.queue_response(503)
    return connect(**stub.settings())


@pytest.mark.parametrize("ping_errors", ["raise-config", "raise", "log"])
@pytest.mark.parametrize(("break_library", "name"), FAULTS)
def test_a_fault_in_the_final_ping_does_not_replace_the_jobs_exception(
    broken_api: Api, monkeypatch: pytest.MonkeyPatch, break_library: Any, name: str, ping_errors: Any
) -> None:
    error = ValueError("disk full")
    with (
        pytest.raises(ValueError, match="disk full") as caught,
        broken_api.trap("u", ping_errors=ping_errors) as trap,
    ):
        break_library(monkeypatch)
        raise error

    assert caught.value is error
    assert error.__context__ is None
    (failure,) = trap.ping_failures
    assert f"the ping failed unexpectedly: {name}" in str(failure)


@pytest.mark.parametrize("ping_errors", ["raise-config", "log"])
@pytest.mark.parametrize(("break_library", "name"), FAULTS)
def test_a_fault_in_a_ping_is_logged_as_a_warning(
    broken_api: Api,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    break_library: Any,
    name: str,
    ping_errors: Any,
) -> None:
    with broken_api.trap("u", ping_errors=ping_errors) as trap:
        break_library(monkeypatch)
        broken_api.run(trap.send_log())

    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert [name in warning for warning in warnings] == [True, True]
    assert len(trap.ping_failures) == 2


@pytest.mark.parametrize(("break_library", "name"), FAULTS)
def test_with_ping_errors_raise_a_fault_is_raised_as_an_api_error(
    broken_api: Api, monkeypatch: pytest.MonkeyPatch, break_library: Any, name: str
) -> None:
    with (
        pytest.raises(HCAPIError, match=f"the ping failed unexpectedly: {name}"),
        broken_api.trap("u", ping_errors="raise"),
    ):
        break_library(monkeypatch)


def test_a_fault_in_the_start_ping_does_not_prevent_the_job_from_running(
    connect: Callable[..., Api], stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.queue_response(503)
    break_requests(monkeypatch)
    has_run = False

    with connect(**stub.settings()).trap("u") as trap:
        has_run = True

    assert has_run
    assert len(trap.ping_failures) == 2
