"""The pictures of badges; their other documents are compared with those of the recorded server."""

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
    ("minutes", "form", "expected"),
    [
        (0, "svg3", ["db", "up"]),
        (70, "svg", ["db", "up"]),
        (70, "svg3", ["db", "late"]),
        (130, "svg", ["db", "down"]),
        (130, "svg3", ["db", "down"]),
    ],
)
def test_a_picture_shows_tag_and_status(
    hc: Sandbox, api: Api, ping: Ping, http: httpx.Client, minutes: int, form: str, expected: list[str]
) -> None:
    ping(api("checks/", json={"tags": "db", "timeout": 3600, "grace": 3600})["uuid"])
    hc.advance(minutes=minutes)
    picture = http.get(api("badges/")["badges"]["db"][form])
    assert labels(picture.text) == expected


def test_the_picture_of_all_checks_has_a_label_of_its_own(api: Api, http: httpx.Client) -> None:
    assert labels(http.get(api("badges/")["badges"]["*"]["svg"]).text) == ["Mychecks", "up"]


def test_the_picture_of_a_check_shows_its_name(api: Api, http: httpx.Client) -> None:
    check = api("checks/", json={"name": "Tom & <Jerry>"})
    assert labels(http.get(check["badge_url"]).text) == ["Tom &amp; &lt;Jerry&gt;", "up"]


def test_the_picture_of_a_check_without_a_name_shows_its_uuid(api: Api, http: httpx.Client) -> None:
    check = api("checks/", json={})
    assert labels(http.get(check["badge_url"]).text) == [check["uuid"], "up"]


def test_other_projects_have_other_badges(hc: Sandbox, api: Api, http: httpx.Client) -> None:
    badges = http.get(f"{hc.api_url}v3/badges/", headers={"X-Api-Key": hc.other_api_key}).json()["badges"]
    ours = api("badges/")["badges"]
    assert not set(badges["*"].values()) & set(ours["*"].values())
    assert http.get(badges["*"]["json"]).json()["total"] == 0
