"""Tests of the Sandbox object: the clients it creates, and access to received data."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Api = Callable[..., Any]
    Ping = Callable[..., httpx.Response]


def test_client_is_ready_to_use(hc: Sandbox, api: Api) -> None:
    check = api("checks/", json={"name": "Backup", "slug": "backup"})
    client = hc.client(api_version=3)
    assert [check.name for check in client.get_checks()] == ["Backup"]
    assert client.success_ping(slug="backup").success
    assert client.get_check(check["uuid"]).n_pings == 1


def test_client_arguments_override_the_defaults(hc: Sandbox, api: Api) -> None:
    api("checks/", json={"name": "Backup"})
    client = hc.client(api_key=hc.read_only_key)
    assert client.get_checks()[0].uuid is None


def test_stop_closes_clients() -> None:
    with Sandbox() as hc:
        client = hc.client(api_version=3)
    assert client.is_closed


def test_reset_closes_clients(hc: Sandbox) -> None:
    client = hc.client(api_version=3)
    hc.reset()
    assert client.is_closed


def test_async_client_is_ready_to_use(hc: Sandbox, api: Api) -> None:
    api("checks/", json={"name": "Backup"})

    async def names() -> list[str]:
        async with hc.async_client() as client:
            return [check.name for check in await client.get_checks()]

    assert asyncio.run(names()) == ["Backup"]


def test_checks_equals_the_list_that_a_client_returns(hc: Sandbox, api: Api, ping: Ping) -> None:
    ping(api("checks/", json={"name": "Backup"})["uuid"])
    assert hc.checks == hc.client(api_version=3).get_checks()


def test_checks_are_snapshots(hc: Sandbox, api: Api, ping: Ping) -> None:
    ping(api("checks/", json={"timeout": 60, "grace": 60})["uuid"])
    before = hc.checks
    hc.advance(hours=1)
    assert [checks[0].status for checks in (before, hc.checks)] == ["up", "down"]


def test_pings_accepts_a_check_a_uuid_or_a_slug(hc: Sandbox, api: Api, ping: Ping) -> None:
    check = api("checks/", json={"slug": "backup"})
    ping(f"{check['uuid']}/fail", content=b"no space left")
    pings = hc.pings("backup")
    assert [(ping.type, ping.body) for ping in pings] == [("fail", b"no space left")]
    assert hc.pings(hc.checks[0]) == hc.pings(check["uuid"]) == hc.pings(uuid.UUID(check["uuid"])) == pings


def test_pings_are_listed_newest_first(hc: Sandbox, api: Api, ping: Ping) -> None:
    check = api("checks/", json={})
    for action in ("/start", "/log", ""):
        ping(check["uuid"] + action)
    assert [ping.type for ping in hc.pings(check["uuid"])] == ["success", "log", "start"]


def test_pings_raises_unless_exactly_one_check_matches(hc: Sandbox, api: Api) -> None:
    for _ in range(2):
        api("checks/", json={"slug": "duplicate"})
    with pytest.raises(ValueError, match="found 2"):
        hc.pings("duplicate")
    with pytest.raises(ValueError, match="found 0"):
        hc.pings("missing")


def test_reset_clears_checks_and_clock_but_keeps_keys_and_integrations(hc: Sandbox, api: Api) -> None:
    def persistent() -> list[object]:
        return [hc.api_url, hc.api_key, hc.read_only_key, hc.ping_key, hc.other_api_key, api("channels/")]

    before = persistent()
    api("checks/", json={})
    hc.advance(days=1)
    hc.reset()
    assert hc.checks == []
    assert abs((hc.now - Sandbox().now).total_seconds()) < 1
    assert persistent() == before
