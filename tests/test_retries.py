"""When a call is repeated, and after what wait."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from healthchecks_io import (
    CheckCreate,
    CheckUpdate,
    HCAPIError,
    HCAPIRateLimitError,
    HCAPIUnavailableError,
)
from healthchecks_io.client.operation import Operation
from healthchecks_io.client.outcomes import NoAnswer
from healthchecks_io.client.retries import Retries

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub


SAFE: dict[str, Callable[..., Any]] = {
    "ping": lambda api: api.success_ping("u"),
    "get_checks": lambda api: api.get_checks(),
    "get_check": lambda api: api.get_check("u"),
    "get_check_pings": lambda api: api.get_check_pings("u"),
    "get_ping_body": lambda api: api.get_ping_body("u", 1),
    "get_check_flips": lambda api: api.get_check_flips("u"),
    "get_integrations": lambda api: api.get_integrations(),
    "get_badges": lambda api: api.get_badges(),
    "get_status": lambda api: api.get_status(),
    "update_check": lambda api: api.update_check("u", CheckUpdate(name="x")),
    "pause_check": lambda api: api.pause_check("u"),
    "create_check with unique": lambda api: api.create_check(CheckCreate(name="x", unique=["name"])),
}
UNSAFE: dict[str, Callable[..., Any]] = {
    "create_check": lambda api: api.create_check(CheckCreate(name="x")),
    "resume_check": lambda api: api.resume_check("u"),
    "delete_check": lambda api: api.delete_check("u"),
}
AT_ONCE = {"Retry-After": "0"}


def attempts(api: Api, stub: Stub, call: Callable[[Any], Any]) -> int:
    with pytest.raises(HCAPIError):
        call(api)
    return len(stub.requests)


@pytest.mark.parametrize("call", SAFE.values(), ids=SAFE)
def test_what_is_safe_to_repeat_is_repeated(
    connect: Callable[..., Api], stub: Stub, call: Callable[[Any], Any]
) -> None:
    stub.queue_response(429, headers=AT_ONCE)
    stub.queue_response(503, headers=AT_ONCE)
    stub.queue_response(400)

    assert attempts(connect(**stub.settings(retries=2)), stub, call) == 3


@pytest.mark.parametrize("call", UNSAFE.values(), ids=UNSAFE)
def test_what_is_not_safe_to_repeat_is_repeated_only_when_it_was_not_carried_out(
    connect: Callable[..., Api], stub: Stub, call: Callable[[Any], Any]
) -> None:
    stub.queue_response(429, headers=AT_ONCE)
    stub.queue_response(503, headers=AT_ONCE)
    stub.queue_response(400)

    assert attempts(connect(**stub.settings(retries=2)), stub, call) == 2


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_status_that_may_pass_is_tried_again(connect: Callable[..., Api], stub: Stub, status: int) -> None:
    stub.queue_response(status, headers=AT_ONCE)
    stub.queue_response(200, "OK")

    assert connect(**stub.settings(retries=1)).success_ping("u").success
    assert len(stub.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418, 501])
def test_a_status_that_will_not_pass_is_final(connect: Callable[..., Api], stub: Stub, status: int) -> None:
    stub.queue_response(status)

    assert attempts(connect(**stub.settings(retries=2)), stub, SAFE["ping"]) == 1


def test_no_retries_means_one_attempt(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(503, headers=AT_ONCE)

    assert attempts(connect(**stub.settings(retries=0)), stub, SAFE["ping"]) == 1


def test_an_answer_that_breaks_off_is_tried_again_where_that_is_safe(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, "OK", {"Content-Length": "10"})
    stub.queue_response(200, "OK")
    api = connect(**stub.settings(retries=1))

    assert api.success_ping("u").success

    stub.set_response(200, "{", {"Content-Length": "10"})
    stub.requests.clear()
    with pytest.raises(HCAPIUnavailableError):
        api.delete_check("u")
    assert len(stub.requests) == 1


def test_a_wait_longer_than_the_budget_ends_the_attempts_at_once(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(429, headers={"Retry-After": "11"})
    began = time.monotonic()

    with pytest.raises(HCAPIRateLimitError):
        connect(**stub.settings(retries=5)).success_ping("u")
    assert len(stub.requests) == 1
    assert time.monotonic() - began < 5


def test_the_service_is_given_the_time_it_asked_for(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(503, headers={"Retry-After": "0.3"})
    stub.queue_response(200, "OK")
    began = time.monotonic()

    connect(**stub.settings(retries=1)).success_ping("u")

    assert 0.3 <= time.monotonic() - began < 5


def waits(retries: int) -> list[float]:
    policy = Retries(Operation("ping", "POST", "u", is_repeatable=True), retries)
    found = []
    while (wait := policy.wait_after(NoAnswer("nobody there"))) is not None:
        found.append(wait)
    return found


def test_the_waits_double_give_or_take_a_half() -> None:
    for first, second, third in (waits(3) for _ in range(200)):
        assert 0.25 <= first <= 0.75
        assert 0.5 <= second <= 1.5
        assert 1.0 <= third <= 3.0


@pytest.mark.parametrize("retries", [0, 1, 2, 5, 20, 1000])
def test_all_retries_are_made_and_their_waits_sum_to_ten_seconds_at_most(retries: int) -> None:
    found = waits(retries)

    assert len(found) == retries
    assert sum(found) <= 10 + 1e-9
    assert all(wait > 0 for wait in found)


def test_without_a_connection_a_plain_create_is_tried_again(
    connect: Callable[..., Api], full_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "healthchecks_io")

    with pytest.raises(HCAPIUnavailableError) as caught:
        connect(api_url=full_server, timeout=0.3, retries=1).create_check(CheckCreate())
    assert isinstance(caught.value.__cause__, httpx.ConnectTimeout)
    assert "attempt 2 of 2" in caplog.text


def test_without_an_answer_a_plain_create_is_not_tried_again(
    connect: Callable[..., Api], silent_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "healthchecks_io")

    with pytest.raises(HCAPIUnavailableError):
        connect(api_url=silent_server, timeout=0.2, retries=1).create_check(CheckCreate())
    assert "attempt 2 of 2" not in caplog.text


def test_each_retry_is_logged_and_so_is_giving_up(
    connect: Callable[..., Api], stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.queue_response(503, "tired", AT_ONCE)
    caplog.set_level(logging.INFO, "healthchecks_io")

    attempts(connect(**stub.settings(retries=2)), stub, SAFE["ping"])

    records = [record for record in caplog.records if record.name == "healthchecks_io"]
    assert [record.levelname for record in records] == ["INFO", "INFO", "WARNING"]
    assert "503" in records[0].message
    assert "attempt 2 of 3 in 0.0 s" in records[0].message
    assert "giving up after attempt 3 of 3" in records[2].message


def test_what_will_not_pass_is_not_logged(
    connect: Callable[..., Api], stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.queue_response(404)

    attempts(connect(**stub.settings(retries=2)), stub, SAFE["ping"])

    assert [record for record in caplog.records if record.name == "healthchecks_io"] == []
