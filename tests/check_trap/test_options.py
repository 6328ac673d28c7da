"""The options send_start and send_body, and what happens if keys are missing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import BadAPIRequestError, CheckCreate, CheckTrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox

pytestmark = pytest.mark.server("1.23")


@pytest.mark.server("2.5")
def test_without_a_start_ping_only_the_end_is_reported(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    with api.trap(slug="backup", send_start=False) as trap:
        trap.add_log("saved 3 files")
    with pytest.raises(ValueError, match="disk full"), api.trap(slug="backup", send_start=False):
        raise ValueError("disk full")

    assert ping_types() == ["success", "fail"]
    assert hc.pings("backup")[1].body == b"saved 3 files"
    assert str(hc.pings("backup")[1].rid) == trap.rid


def test_without_a_start_ping_the_log_is_truncated_to_the_servers_default_limit(
    connect: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(200, "OK", {"Ping-Body-Limit": "100000"})
    with connect(**stub.settings()).trap("u", send_start=False) as trap:
        trap.write("x" * 20_000)

    assert len(stub.requests[0].body) == 10_000


def test_without_a_start_ping_a_misconfiguration_does_not_prevent_the_job_from_running(api: Api) -> None:
    has_run = False
    with api.trap(slug="no-such-check", send_start=False) as trap:
        has_run = True

    assert has_run
    assert len(trap.ping_failures) == 1


@pytest.mark.server("2.3")
def test_without_bodies_neither_the_log_nor_a_traceback_is_sent(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    class RetryError(Exception):
        pass

    def job(trap: Any, ending: BaseException | None) -> None:
        trap.add_log("secret")
        trap.write("secret")
        api.run(trap.send_log())
        if isinstance(ending, SystemExit):
            trap.fail("secret")
        if ending is not None:
            raise ending

    for ending in (None, ValueError("secret"), SystemExit("secret"), SystemExit(3), RetryError("secret")):
        with (
            contextlib.suppress(ValueError, SystemExit, RetryError),
            api.trap(slug="backup", send_body=False, ignore=RetryError) as trap,
        ):
            job(trap, ending)

    assert ping_types() == [
        *("start", "log", "success"),
        *("start", "log", "fail") * 3,
        *("start", "log", "log"),
    ]
    assert {ping.body for ping in hc.pings("backup")} == {b""}


# Missing keys


@pytest.mark.parametrize("ping_errors", ["raise-config", "raise"])
def test_a_missing_ping_key_is_raised_at_construction(
    connect: Callable[..., Api], stub: Stub, ping_errors: Any
) -> None:
    client = connect(**stub.settings(ping_key="")).client

    with pytest.raises(BadAPIRequestError, match="set HEALTHCHECKS_PING_KEY"):
        CheckTrap(client, slug="backup", ping_errors=ping_errors)
    assert stub.requests == []


@pytest.mark.parametrize("ping_errors", ["raise-config", "raise"])
def test_a_missing_api_key_for_a_declared_check_is_raised_at_construction(
    connect: Callable[..., Api], stub: Stub, ping_errors: Any
) -> None:
    client = connect(**stub.settings(api_key="")).client

    with pytest.raises(BadAPIRequestError, match="needs a read-write API key: set HEALTHCHECKS_API_KEY"):
        CheckTrap(client, create=CheckCreate(slug="backup"), ping_errors=ping_errors)
    assert stub.requests == []


@pytest.mark.parametrize("options", [{}, {"send_start": False}])
def test_a_job_that_must_run_runs_without_a_ping_key(
    connect: Callable[..., Api], stub: Stub, caplog: pytest.LogCaptureFixture, options: dict[str, Any]
) -> None:
    api = connect(**stub.settings(ping_key=""))
    has_run = False
    with api.trap(slug="backup", ping_errors="log", **options) as trap:
        api.run(trap.send_log())
        has_run = True

    assert has_run
    assert stub.requests == []
    assert {type(failure).__mro__[1] for failure in trap.ping_failures} == {BadAPIRequestError}
    assert len(trap.ping_failures) == (2 if options else 3)
    assert "set HEALTHCHECKS_PING_KEY" in caplog.text


def test_without_a_ping_key_the_jobs_exception_propagates_unchanged(connect: Callable[..., Api], stub: Stub) -> None:
    error = ValueError("disk full")
    api = connect(**stub.settings(ping_key=""))

    with pytest.raises(ValueError, match="disk full") as caught, api.trap(slug="backup", ping_errors="log"):
        raise error

    assert caught.value is error
    assert error.__context__ is None


def test_a_job_that_must_run_runs_without_an_api_key_and_is_reported_by_its_slug(
    connect: Callable[..., Api], stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.queue_response(200, "OK")
    api = connect(**stub.settings(api_key=""))

    with api.trap(create=CheckCreate(slug="backup"), ping_errors="log") as trap:
        pass

    paths = [request.path.partition("?")[0] for request in stub.requests]
    assert paths == ["/ping/pingkey/backup/start", "/ping/pingkey/backup"]
    assert len(trap.ping_failures) == 1
    assert "set HEALTHCHECKS_API_KEY" in caplog.text
