"""Faults: answers that go wrong because a test wants them to."""

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


def test_so_many_requests_fail(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(503, times=2)
    assert [ping(uuid).status_code for _ in range(3)] == [503, 503, 200]


def test_faults_queue_up(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(503)
    hc.fail_next(429)
    assert [ping(uuid).status_code for _ in range(3)] == [503, 429, 200]


def test_the_management_api_fails_too(hc: Sandbox, http: httpx.Client) -> None:
    hc.fail_next(500)
    assert http.get(f"{hc.api_url}v3/status/").status_code == 500


def test_a_made_up_answer_has_the_headers_and_the_body_that_are_wanted(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(200, body="OK (rate limited)", headers={"Retry-After": "5"})
    answer = ping(uuid)
    assert (answer.text, answer.headers["Retry-After"]) == ("OK (rate limited)", "5")


def test_a_request_with_a_made_up_answer_is_not_processed(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(503)
    ping(uuid)
    assert hc.pings(uuid) == []


def test_headers_alone_are_added_to_the_real_answer(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(headers={"Ping-Body-Limit": "100"})
    answer = ping(uuid)
    assert (answer.text, answer.headers["Ping-Body-Limit"]) == ("OK", "100")


def test_a_dropped_connection_gives_no_answer_and_is_not_processed(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(drop=True)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
        ping(uuid)
    assert hc.pings(uuid) == []


def test_an_answer_can_be_broken_off_after_it_was_processed(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(drop="body")
    with pytest.raises(httpx.RemoteProtocolError, match="received 1 bytes, expected 2"):
        ping(uuid)
    assert len(hc.pings(uuid)) == 1


def test_an_empty_answer_can_be_broken_off_too(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(502, drop="body")
    with pytest.raises(httpx.RemoteProtocolError, match="received 0 bytes, expected 1"):
        ping(uuid)


def test_a_late_answer_comes_late(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(delay=0.2)
    begin = time.monotonic()
    assert ping(uuid).text == "OK"
    assert time.monotonic() - begin >= 0.2


def test_a_request_whose_answer_comes_too_late_was_processed(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(delay=60)
    with pytest.raises(httpx.ReadTimeout):
        ping(uuid, timeout=0.1)
    assert len(hc.pings(uuid)) == 1


def test_others_are_served_while_one_waits(hc: Sandbox, uuid: str, ping: Ping) -> None:
    hc.fail_next(delay=60)
    with pytest.raises(httpx.ReadTimeout):
        ping(uuid, timeout=0.1)
    assert ping(uuid).text == "OK"


def test_reset_forgets_faults(hc: Sandbox, http: httpx.Client) -> None:
    hc.fail_next(503)
    hc.reset()
    assert http.get(f"{hc.api_url}v3/status/").text == "OK"


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({}, "name a fault"),
        ({"status": 503, "times": 0}, "times must be at least 1"),
        ({"status": 99}, "status must be from 200 to 599"),
        ({"status": 600}, "status must be from 200 to 599"),
        ({"delay": -1.0}, "delay must be a number of seconds"),
        ({"delay": float("inf")}, "delay must be a number of seconds"),
        ({"drop": "head"}, "drop must be True, False or"),
        ({"status": 503, "drop": True}, "leave status and headers out"),
        ({"drop": True, "headers": {"A": "b"}}, "leave status and headers out"),
        ({"body": "text"}, "a body needs a status"),
        ({"status": 204, "body": "text"}, "status 204 has no body"),
        ({"status": 304, "drop": "body"}, "status 304 has no body"),
        ({"headers": {"A b": "c"}}, "not a header"),
        ({"headers": {"A": "b\r\nC: d"}}, "not a header"),
        ({"status": 200, "headers": {"content-length": "5"}}, 'use drop="body"'),
    ],
)
def test_what_is_no_fault_is_refused(hc: Sandbox, fault: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hc.fail_next(**fault)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_an_answer_without_a_body_is_dropped_whole(hc: Sandbox, http: httpx.Client, method: str) -> None:
    hc.fail_next(drop="body")

    with pytest.raises(httpx.RemoteProtocolError):
        http.request(method, f"{hc.api_url}v3/checks/")
