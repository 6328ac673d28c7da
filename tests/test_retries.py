"""Which calls are retried, and how long the client waits before each retry."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import httpx
import pytest
from endpoints import ENDPOINTS, Endpoint, each_endpoint, endpoint_named

from healthchecks_io import (
    CheckCreate,
    Client,
    HCAPIError,
    HCAPIRateLimitError,
    HCAPIUnavailableError,
)
from healthchecks_io.client.abstract_client import settings_of
from healthchecks_io.client.response import Failure, Response
from healthchecks_io.client.retries import Retries, longest_duration

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub


PING = endpoint_named("success_ping by uuid")
RETRY_IMMEDIATELY = {"Retry-After": "0"}


def count_attempts(api: Api, stub: Stub, endpoint: Endpoint) -> int:
    with pytest.raises(HCAPIError):
        endpoint.call(api)
    return len(stub.requests)


@each_endpoint(endpoint for endpoint in ENDPOINTS if endpoint.is_safe_to_repeat)
def test_calls_that_are_safe_to_repeat_are_retried(connect: Callable[..., Api], stub: Stub, endpoint: Endpoint) -> None:
    stub.queue_response(429, headers=RETRY_IMMEDIATELY)
    stub.queue_response(503, headers=RETRY_IMMEDIATELY)
    stub.queue_response(400)

    assert count_attempts(connect(**stub.settings(retries=2)), stub, endpoint) == 3


@each_endpoint(endpoint for endpoint in ENDPOINTS if not endpoint.is_safe_to_repeat)
def test_calls_that_are_unsafe_to_repeat_are_retried_only_if_not_processed(
    connect: Callable[..., Api], stub: Stub, endpoint: Endpoint
) -> None:
    stub.queue_response(429, headers=RETRY_IMMEDIATELY)
    stub.queue_response(503, headers=RETRY_IMMEDIATELY)
    stub.queue_response(400)

    assert count_attempts(connect(**stub.settings(retries=2)), stub, endpoint) == 2


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_transient_status_is_retried(connect: Callable[..., Api], stub: Stub, status: int) -> None:
    stub.queue_response(status, headers=RETRY_IMMEDIATELY)
    stub.queue_response(200, "OK")

    assert connect(**stub.settings(retries=1)).success_ping("u").success
    assert len(stub.requests) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418, 501])
def test_a_permanent_status_is_not_retried(connect: Callable[..., Api], stub: Stub, status: int) -> None:
    stub.queue_response(status)

    assert count_attempts(connect(**stub.settings(retries=2)), stub, PING) == 1


def test_zero_retries_means_one_attempt(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(503, headers=RETRY_IMMEDIATELY)

    assert count_attempts(connect(**stub.settings(retries=0)), stub, PING) == 1


def test_a_truncated_response_is_retried_only_if_the_call_is_safe_to_repeat(
    connect: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(200, "OK", {"Content-Length": "10"})
    stub.queue_response(200, "OK")
    api = connect(**stub.settings(retries=1))

    assert api.success_ping("u").success

    stub.set_response(200, "{", {"Content-Length": "10"})
    stub.requests.clear()
    with pytest.raises(HCAPIUnavailableError):
        api.delete_check("u")
    assert len(stub.requests) == 1


def test_a_retry_after_beyond_the_wait_budget_fails_immediately(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(429, headers={"Retry-After": "11"})
    began = time.monotonic()

    with pytest.raises(HCAPIRateLimitError):
        connect(**stub.settings(retries=5)).success_ping("u")
    assert len(stub.requests) == 1
    assert time.monotonic() - began < 5


def test_retry_after_is_respected(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(503, headers={"Retry-After": "0.3"})
    stub.queue_response(200, "OK")
    began = time.monotonic()

    connect(**stub.settings(retries=1)).success_ping("u")

    assert 0.3 <= time.monotonic() - began < 5


def waits(retries: int) -> list[float]:
    client = Client(retries=retries)
    policy = Retries(settings_of(client), client._get_check("u"))
    found = []
    while (wait := policy.next_delay(Failure("connection refused"))) is not None:
        found.append(wait)
    return found


def test_waits_double_with_a_jitter_of_fifty_percent() -> None:
    for first, second, third in (waits(3) for _ in range(200)):
        assert 0.25 <= first <= 0.75
        assert 0.5 <= second <= 1.5
        assert 1.0 <= third <= 3.0


@pytest.mark.parametrize("retries", [0, 1, 2, 5, 20, 1000])
def test_all_retries_are_made_and_their_waits_total_at_most_ten_seconds(retries: int) -> None:
    found = waits(retries)

    assert len(found) == retries
    assert sum(found) <= 10 + 1e-9
    assert all(wait > 0 for wait in found)


@pytest.mark.parametrize("retries", [0, 2, 20])
@pytest.mark.parametrize("body", ["hören", "log", ""])
def test_a_call_has_time_for_all_its_attempts_although_each_takes_the_timeout(retries: int, body: str) -> None:
    client = Client(ping_key="key", retries=retries, timeout=10)
    call = client._ping("", "u", "", body, rid=None, create=False)
    policy = Retries(settings_of(client), call)
    longest = longest_duration(settings_of(client), call)
    ended = 10.0
    attempts = 1
    while (wait := policy.next_delay(Response(500, httpx.Headers(), b""), longest - ended)) is not None:
        ended += wait + 10
        attempts += 1

    assert ended <= longest + 1e-6
    assert attempts == retries + 1 + len({"", body, body.replace("ö", "?")}) - 1


def test_create_check_is_retried_after_a_connect_timeout(
    connect: Callable[..., Api], full_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "healthchecks_io")

    with pytest.raises(HCAPIUnavailableError) as caught:
        connect(api_url=full_server, timeout=0.3, retries=1).create_check(CheckCreate())
    assert isinstance(caught.value.__cause__, httpx.ConnectTimeout)
    assert "attempt 2 of 2" in caplog.text


def test_create_check_is_not_retried_after_a_read_timeout(
    connect: Callable[..., Api], silent_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "healthchecks_io")

    with pytest.raises(HCAPIUnavailableError):
        connect(api_url=silent_server, timeout=0.2, retries=1).create_check(CheckCreate())
    assert "attempt 2 of 2" not in caplog.text


def test_retries_and_giving_up_are_logged(
    connect: Callable[..., Api], stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.queue_response(503, "overloaded", RETRY_IMMEDIATELY)
    caplog.set_level(logging.INFO, "healthchecks_io")

    count_attempts(connect(**stub.settings(retries=2)), stub, PING)

    records = [record for record in caplog.records if record.name == "healthchecks_io"]
    assert [record.levelname for record in records] == ["INFO", "INFO", "WARNING"]
    assert "503" in records[0].message
    assert "retrying in 0.0 s: attempt 2 of 3" in records[0].message
    assert "giving up after attempt 3 of 3" in records[2].message


def test_a_permanent_failure_is_not_logged(
    connect: Callable[..., Api], stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.queue_response(404)

    count_attempts(connect(**stub.settings(retries=2)), stub, PING)

    assert [record for record in caplog.records if record.name == "healthchecks_io"] == []
