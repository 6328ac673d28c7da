"""Tests of recorded pings that the recordings do not cover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Api = Callable[..., Any]
    Ping = Callable[..., httpx.Response]

RUN = "123e4567-e89b-12d3-a456-4266141740{:02}"


def test_body_is_truncated_by_bytes_even_within_a_character(hc: Sandbox, uuid: str, ping: Ping) -> None:
    snowmen = "☃".encode() * 3334
    ping(uuid, content=snowmen)
    assert hc.pings(uuid)[0].body == snowmen[:10_000]


@pytest.mark.parametrize(
    "body", [b"gr\xf6n", "☃".encode() * 3334], ids=["not UTF-8", "cut inside a character by the limit"]
)
def test_body_that_cannot_be_searched_for_keywords_is_a_server_error(
    hc: Sandbox, api: Api, ping: Ping, body: bytes
) -> None:
    uuid = api("checks/", json={"filter_http_body": True, "success_kw": "gr"})["uuid"]
    response = ping(uuid, content=body)
    assert (response.status_code, response.headers["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert hc.pings(uuid) == []


def test_body_of_an_ignored_ping_is_not_searched_for_keywords(
    hc: Sandbox, http: httpx.Client, api: Api, ping: Ping
) -> None:
    uuid = api("checks/", json={"filter_http_body": True, "methods": "POST"})["uuid"]
    assert http.put(f"{hc.ping_url}{uuid}", content=b"gr\xf6n").text == "OK"
    assert [ping.type for ping in hc.pings(uuid)] == ["ign"]


def test_duration_is_measured_within_the_same_run(hc: Sandbox, uuid: str, ping: Ping) -> None:
    ping(f"{uuid}/start?rid={RUN.format(1)}")
    hc.advance(seconds=10)
    ping(f"{uuid}/start?rid={RUN.format(2)}")
    hc.advance(seconds=20)
    ping(f"{uuid}?rid={RUN.format(1)}")
    ping(f"{uuid}/fail?rid={RUN.format(2)}")
    durations = [ping.duration and round(ping.duration.total_seconds()) for ping in hc.pings(uuid)]
    assert durations == [20, 30, None, None]


def test_only_the_first_end_of_a_run_has_a_duration(hc: Sandbox, uuid: str, ping: Ping) -> None:
    for action in ("/start", "", ""):
        ping(uuid + action)
    assert [ping.duration is None for ping in hc.pings(uuid)] == [True, False, True]


def test_run_of_three_days_has_no_duration(hc: Sandbox, uuid: str, ping: Ping) -> None:
    ping(f"{uuid}/start")
    hc.advance(hours=72)
    ping(uuid)
    assert hc.pings(uuid)[0].duration is None


def test_durations_are_shown_despite_many_missing_starts_if_the_first_ping_is_three_days_older(
    hc: Sandbox, uuid: str, api: Api, ping: Ping
) -> None:
    ping(f"{uuid}/log")
    hc.advance(hours=73)
    for n in range(11):
        ping(f"{uuid}?rid={RUN.format(n)}")
    ping(f"{uuid}/start")
    ping(uuid)
    assert "duration" in api(f"checks/{uuid}/pings/")["pings"][0]


def test_only_the_last_hundred_pings_are_listed(hc: Sandbox, uuid: str, api: Api, ping: Ping) -> None:
    for _ in range(150):
        ping(uuid)
    numbers = [ping["n"] for ping in api(f"checks/{uuid}/pings/")["pings"]]
    assert numbers == list(range(150, 50, -1))
    assert [ping.n for ping in hc.pings(uuid)] == numbers


def test_exit_status_is_recorded(hc: Sandbox, uuid: str, ping: Ping) -> None:
    for action in ("/3", "/0", "/fail"):
        ping(uuid + action)
    assert [ping.exit_status for ping in hc.pings(uuid)] == [None, 0, 3]


def test_no_body_limit_header_without_a_limit(http: httpx.Client) -> None:
    with Sandbox(ping_body_limit=None) as hc:
        response = http.get(f"{hc.ping_url}{hc.ping_key}/job?create=1")
    assert "Ping-Body-Limit" not in response.headers


def test_slugs_are_looked_up_in_the_project_of_the_ping_key(hc: Sandbox, http: httpx.Client, ping: Ping) -> None:
    headers = {"X-Api-Key": hc.other_api_key}
    http.post(f"{hc.api_url}v3/checks/", headers=headers, json={"slug": "job"})
    assert ping(f"{hc.ping_key}/job").status_code == 404


def test_exit_status_with_more_than_4300_digits_is_not_found(uuid: str, ping: Ping) -> None:
    assert ping(f"{uuid}/{'1' * 5000}").status_code == 404
