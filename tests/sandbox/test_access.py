"""What a test gets from a sandbox directly: clients, and a look at what was received."""

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


def test_a_client_is_ready_to_use(hc: Sandbox, api: Api) -> None:
    check = api("checks/", json={"name": "Backup", "slug": "backup"})
    client = hc.client(api_version=3)
    assert [check.name for check in client.get_checks()] == ["Backup"]
    assert client.success_ping(slug="backup").success
    assert client.get_check(check["uuid"]).n_pings == 1


def test_arguments_of_a_client_can_be_chosen(hc: Sandbox, api: Api) -> None:
    api("checks/", json={"name": "Backup"})
    client = hc.client(api_key=hc.read_only_key)
    assert client.get_checks()[0].uuid is None


def test_the_sandbox_closes_its_clients() -> None:
    with Sandbox() as hc:
        client = hc.client(api_version=3)
    assert client.is_closed


def test_reset_closes_clients(hc: Sandbox) -> None:
    client = hc.client(api_version=3)
    hc.reset()
    assert client.is_closed


def test_an_async_client_is_ready_to_use(hc: Sandbox, api: Api) -> None:
    api("checks/", json={"name": "Backup"})

    async def names() -> list[str]:
        async with hc.async_client() as client:
            return [check.name for check in await client.get_checks()]

    assert asyncio.run(names()) == ["Backup"]


def test_checks_are_shown_as_a_client_shows_them(hc: Sandbox, api: Api, ping: Ping) -> None:
    ping(api("checks/", json={"name": "Backup"})["uuid"])
    assert hc.checks == hc.client(api_version=3).get_checks()


def test_checks_are_snapshots(hc: Sandbox, api: Api, ping: Ping) -> None:
    ping(api("checks/", json={"timeout": 60, "grace": 60})["uuid"])
    before = hc.checks
    hc.advance(hours=1)
    assert [checks[0].status for checks in (before, hc.checks)] == ["up", "down"]


def test_pings_are_found_by_check_uuid_or_slug(hc: Sandbox, api: Api, ping: Ping) -> None:
    check = api("checks/", json={"slug": "backup"})
    ping(f"{check['uuid']}/fail", content=b"no space left")
    found = hc.pings("backup")
    assert [(ping.type, ping.body) for ping in found] == [("fail", b"no space left")]
    assert hc.pings(hc.checks[0]) == hc.pings(check["uuid"]) == hc.pings(uuid.UUID(check["uuid"])) == found


def test_pings_are_shown_newest_first(hc: Sandbox, api: Api, ping: Ping) -> None:
    check = api("checks/", json={})
    for action in ("/start", "/log", ""):
        ping(check["uuid"] + action)
    assert [ping.type for ping in hc.pings(check["uuid"])] == ["success", "log", "start"]


def test_pings_of_no_check_or_of_several_are_refused(hc: Sandbox, api: Api) -> None:
    for _ in range(2):
        api("checks/", json={"slug": "twice"})
    with pytest.raises(ValueError, match="2 checks"):
        hc.pings("twice")
    with pytest.raises(ValueError, match="0 checks"):
        hc.pings("nobody")


def test_reset_forgets_checks_and_time_but_not_keys_and_integrations(hc: Sandbox, api: Api) -> None:
    def lasting() -> list[object]:
        return [hc.api_url, hc.api_key, hc.read_only_key, hc.ping_key, hc.other_api_key, api("channels/")]

    before = lasting()
    api("checks/", json={})
    hc.advance(days=1)
    hc.reset()
    assert hc.checks == []
    assert abs((hc.now - Sandbox().now).total_seconds()) < 1
    assert lasting() == before
