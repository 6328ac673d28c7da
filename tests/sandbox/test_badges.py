"""Tests of SVG badges. test_fidelity.py compares the JSON badges with those of a real server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from healthchecks_io.sandbox import Sandbox

    Api = Callable[..., Any]
    Ping = Callable[..., httpx.Response]


def labels(svg: str) -> list[str]:
    return re.findall(r"<text [^>]*>([^<]*)</text>", svg)


@pytest.mark.parametrize(
    ("minutes", "badge_format", "expected"),
    [
        (0, "svg3", ["db", "up"]),
        (70, "svg", ["db", "up"]),
        (70, "svg3", ["db", "late"]),
        (130, "svg", ["db", "down"]),
        (130, "svg3", ["db", "down"]),
    ],
)
def test_tag_badge_shows_tag_and_status(
    hc: Sandbox, api: Api, ping: Ping, http: httpx.Client, minutes: int, badge_format: str, expected: list[str]
) -> None:
    ping(api("checks/", json={"tags": "db", "timeout": 3600, "grace": 3600})["uuid"])
    hc.advance(minutes=minutes)
    badge = http.get(api("badges/")["badges"]["db"][badge_format])
    assert labels(badge.text) == expected


def test_badge_of_all_checks_is_labelled_mychecks(api: Api, http: httpx.Client) -> None:
    assert labels(http.get(api("badges/")["badges"]["*"]["svg"]).text) == ["Mychecks", "up"]


def test_check_badge_shows_the_name(api: Api, http: httpx.Client) -> None:
    check = api("checks/", json={"name": "Tom & <Jerry>"})
    assert labels(http.get(check["badge_url"]).text) == ["Tom &amp; &lt;Jerry&gt;", "up"]


def test_check_badge_shows_the_uuid_if_the_check_has_no_name(api: Api, http: httpx.Client) -> None:
    check = api("checks/", json={})
    assert labels(http.get(check["badge_url"]).text) == [check["uuid"], "up"]


def test_projects_have_different_badges(hc: Sandbox, api: Api, http: httpx.Client) -> None:
    badges = http.get(f"{hc.api_url}v3/badges/", headers={"X-Api-Key": hc.other_api_key}).json()["badges"]
    ours = api("badges/")["badges"]
    assert not set(badges["*"].values()) & set(ours["*"].values())
    assert http.get(badges["*"]["json"]).json()["total"] == 0
