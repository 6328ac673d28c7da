"""Fields of checks, where the recordings do not show what the server does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from healthchecks_io.sandbox import Sandbox

    Api = Callable[..., Any]


@pytest.mark.parametrize(
    ("given", "kept"),
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
def test_old_names_of_time_zones_are_renewed(api: Api, given: str, kept: str) -> None:
    assert api("checks/", json={"schedule": "* * * * *", "tz": given})["tz"] == kept


@pytest.mark.parametrize("field", ["timeout", "grace"])
@pytest.mark.parametrize("seconds", [10**15, -(10**15)])
def test_the_server_stumbles_over_huge_numbers(hc: Sandbox, http: httpx.Client, field: str, seconds: int) -> None:
    headers = {"X-Api-Key": hc.api_key}
    answer = http.post(f"{hc.api_url}v3/checks/", headers=headers, json={field: seconds})
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/html; charset=utf-8")


@pytest.mark.parametrize(
    ("query", "status"),
    [("seconds=1.0", 200), ("seconds=%205", 200), ("start=%205", 200), ("start=1_0", 200), ("seconds=1.5", 400)],
)
def test_numbers_are_read_as_the_server_reads_them(
    hc: Sandbox, api: Api, http: httpx.Client, query: str, status: int
) -> None:
    uuid = api("checks/", json={})["uuid"]
    url = f"{hc.api_url}v3/checks/{uuid}/flips/?{query}"
    assert http.get(url, headers={"X-Api-Key": hc.api_key}).status_code == status


@pytest.mark.parametrize("name", ['"\\ud800"', "[" * 100_000])
def test_what_the_server_chokes_on_is_a_server_error(hc: Sandbox, http: httpx.Client, name: str) -> None:
    response = http.post(
        f"{hc.api_url}v3/checks/", headers={"X-Api-Key": hc.api_key}, content=f'{{"name": {name}}}'.encode()
    )

    assert response.status_code == 500
    assert hc.checks == []


def test_a_key_that_is_sent_twice_is_none(hc: Sandbox, http: httpx.Client) -> None:
    twice = [("X-Api-Key", hc.api_key), ("X-Api-Key", hc.api_key)]

    assert http.get(f"{hc.api_url}v3/checks/", headers=twice).json() == {"error": "missing api key"}
