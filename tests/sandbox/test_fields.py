"""Tests of request fields that the recordings do not cover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from healthchecks_io.sandbox import Sandbox

    Api = Callable[..., Any]


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("Europe/Kiev", "Europe/Kyiv"),
        ("US/Pacific", "America/Los_Angeles"),
        ("CST6CDT", "America/Chicago"),
        ("Zulu", "Etc/UTC"),
        ("GMT", "GMT"),
        ("UTC", "UTC"),
        ("Europe/Amsterdam", "Europe/Amsterdam"),
        ("Asia/Istanbul", "Asia/Istanbul"),
    ],
)
def test_obsolete_time_zone_names_are_replaced(api: Api, sent: str, stored: str) -> None:
    assert api("checks/", json={"schedule": "* * * * *", "tz": sent})["tz"] == stored


@pytest.mark.parametrize("field", ["timeout", "grace"])
@pytest.mark.parametrize("seconds", [10**15, -(10**15)])
def test_huge_durations_are_a_server_error(hc: Sandbox, http: httpx.Client, field: str, seconds: int) -> None:
    headers = {"X-Api-Key": hc.api_key}
    response = http.post(f"{hc.api_url}v3/checks/", headers=headers, json={field: seconds})
    assert (response.status_code, response.headers["Content-Type"]) == (500, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("query", "status"),
    [("seconds=1.0", 200), ("seconds=%205", 200), ("start=%205", 200), ("start=1_0", 200), ("seconds=1.5", 400)],
)
def test_flip_filters_are_parsed_as_on_the_server(
    hc: Sandbox, api: Api, http: httpx.Client, query: str, status: int
) -> None:
    uuid = api("checks/", json={})["uuid"]
    url = f"{hc.api_url}v3/checks/{uuid}/flips/?{query}"
    assert http.get(url, headers={"X-Api-Key": hc.api_key}).status_code == status


@pytest.mark.parametrize("name", ['"\\ud800"', "[" * 100_000])
def test_lone_surrogates_and_deeply_nested_json_are_a_server_error(hc: Sandbox, http: httpx.Client, name: str) -> None:
    response = http.post(
        f"{hc.api_url}v3/checks/", headers={"X-Api-Key": hc.api_key}, content=f'{{"name": {name}}}'.encode()
    )

    assert response.status_code == 500
    assert hc.checks == []


def test_repeated_api_key_header_is_rejected(hc: Sandbox, http: httpx.Client) -> None:
    twice = [("X-Api-Key", hc.api_key), ("X-Api-Key", hc.api_key)]

    assert http.get(f"{hc.api_url}v3/checks/", headers=twice).json() == {"error": "missing api key"}
