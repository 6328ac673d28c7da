"""Tests of fault injection with `fail_next`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthchecks_io.sandbox import Sandbox

    Api = Callable[..., Any]
    Ping = Callable[..., httpx.Response]


def test_the_next_request_fails(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(503)
    assert [ping(uuid).status_code for _ in range(2)] == [503, 200]


def test_times_sets_the_number_of_failing_requests(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(503, times=2)
    assert [ping(uuid).status_code for _ in range(3)] == [503, 503, 200]


def test_faults_are_queued(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(503)
    hc.fail_next(429)
    assert [ping(uuid).status_code for _ in range(3)] == [503, 429, 200]


def test_management_api_requests_fail_too(hc: Sandbox, http: httpx.Client) -> None:
    hc.fail_next(500)
    assert http.get(f"{hc.api_url}v3/status/").status_code == 500


def test_injected_response_has_the_given_body_and_headers(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(200, body="OK (rate limited)", headers={"Retry-After": "5"})
    response = ping(uuid)
    assert (response.text, response.headers["Retry-After"]) == ("OK (rate limited)", "5")


def test_request_with_an_injected_response_is_not_processed(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(503)
    ping(uuid)
    assert hc.pings(uuid) == []


def test_headers_without_status_are_added_to_the_real_response(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(headers={"Ping-Body-Limit": "100"})
    response = ping(uuid)
    assert (response.text, response.headers["Ping-Body-Limit"]) == ("OK", "100")


def test_drop_sends_no_response_and_does_not_process_the_request(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(drop=True)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        ping(uuid)
    assert hc.pings(uuid) == []


def test_drop_body_processes_the_request_and_truncates_the_response(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(drop="body")
    with pytest.raises(httpx.RemoteProtocolError, match="received 1 bytes, expected 2"):
        ping(uuid)
    assert len(hc.pings(uuid)) == 1


def test_drop_body_truncates_an_empty_response(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(502, drop="body")
    with pytest.raises(httpx.RemoteProtocolError, match="received 0 bytes, expected 1"):
        ping(uuid)


def test_delay_postpones_the_response(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(delay=0.2)
    begin = time.monotonic()
    assert ping(uuid).text == "OK"
    assert time.monotonic() - begin >= 0.2


def test_request_with_a_delayed_response_is_processed_even_if_the_client_times_out(
    hc: Sandbox, uuid: str, ping: Ping
) -> None:
    hc.fail_next(delay=60)
    with pytest.raises(httpx.ReadTimeout):
        ping(uuid, timeout=0.1)
    assert len(hc.pings(uuid)) == 1


def test_delayed_response_does_not_block_other_requests(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(delay=60)
    with pytest.raises(httpx.ReadTimeout):
        ping(uuid, timeout=0.1)
    assert ping(uuid).text == "OK"


def test_reset_clears_faults(hc: Sandbox, http: httpx.Client) -> None:
    hc.fail_next(503)
    hc.reset()
    assert http.get(f"{hc.api_url}v3/status/").text == "OK"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({}, "no fault specified"),
        ({"status": 503, "times": 0}, "times must be at least 1"),
        ({"status": 99}, "status must be from 200 to 599"),
        ({"status": 600}, "status must be from 200 to 599"),
        ({"delay": -1.0}, "delay must be a finite, non-negative number"),
        ({"delay": float("inf")}, "delay must be a finite, non-negative number"),
        ({"drop": "head"}, "drop must be True, False or"),
        ({"status": 503, "drop": True}, "omit status and headers"),
        ({"drop": True, "headers": {"A": "b"}}, "omit status and headers"),
        ({"body": "text"}, "body requires a status"),
        ({"status": 204, "body": "text"}, "status 204 has no body"),
        ({"status": 304, "drop": "body"}, "status 304 has no body"),
        ({"headers": {"A b": "c"}}, "invalid header"),
        ({"headers": {"A": "b\r\nC: d"}}, "invalid header"),
        ({"status": 200, "headers": {"content-length": "5"}}, 'use drop="body"'),
    ],
)
def test_invalid_faults_are_rejected(hc: Sandbox, fault: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hc.fail_next(**fault)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_drop_body_drops_a_response_without_a_body_entirely(hc: Sandbox, http: httpx.Client, method: str) -> None:
    hc.fail_next(drop="body")

    with pytest.raises(httpx.RemoteProtocolError):
        http.request(method, f"{hc.api_url}v3/checks/")
