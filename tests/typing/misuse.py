"""Mistakes that type checkers must report, on exactly the marked lines. This file is never run."""

from __future__ import annotations

import logging
from datetime import timedelta

import healthchecks_io
from healthchecks_io import AsyncClient, Check, CheckCreate, CheckTrap, CheckUpdate, Client, heartbeat, monitor


def with_an_async_client(client: AsyncClient) -> None:
    with CheckTrap(client, "u"):  # error
        pass


async def async_with_a_sync_client(client: Client) -> None:
    async with CheckTrap(client, "u"):  # error
        pass


def decorated(client: Client, async_client: AsyncClient) -> None:
    @CheckTrap(client, "u")
    def add(a: int, b: int) -> int:
        return a + b

    @CheckTrap(client, "u", suppress_exceptions=True)
    def try_to_add(a: int, b: int) -> int:
        return a + b

    add("1", 2)  # error
    add(1, 2, 3)  # error
    _ = try_to_add(1, 2) + 1  # error

    @CheckTrap(async_client, "u")  # error
    def plain() -> int:
        return 5


def suppressed_in_a_block(client: Client) -> int:  # error
    with CheckTrap(client, "u", suppress_exceptions=True):
        return 5


async def suppressed_in_an_async_block(client: AsyncClient) -> int:  # error
    async with CheckTrap(client, "u", suppress_exceptions=True):
        return 5


def perhaps_suppressed_in_a_block(client: Client, is_lenient: bool) -> int:  # error
    with CheckTrap(client, "u", suppress_exceptions=is_lenient) as trap:
        trap.add_log("line")
        return 5


async def perhaps_suppressed_in_an_async_block(client: AsyncClient, is_lenient: bool) -> int:  # error
    async with CheckTrap(client, "u", suppress_exceptions=is_lenient) as trap:
        trap.add_log("line")
        return 5


async def decorated_coroutine_function(client: AsyncClient) -> None:
    @CheckTrap(client, "u", ignore=ValueError, handle_sigterm=True)
    async def add(a: int, *, b: int) -> int:
        return a + b

    @CheckTrap(client, "u", suppress_exceptions=True, create=CheckCreate(slug="s"))
    async def try_to_add(a: int, b: int) -> int:
        return a + b

    await add("1", b=2)  # error
    await add(1, 2)  # error
    _ = add(1, b=2) + 1  # error
    _ = await try_to_add(1, 2) + 1  # error


def wrong_options(client: Client) -> None:
    CheckTrap(client, "u", ignore=ValueError("x"))  # error
    CheckTrap(client, "u", ignore=(ValueError, int))  # error
    CheckTrap(client, "u", ignore="Retry")  # error
    CheckTrap(client, "u", send_start="no")  # error
    CheckTrap(client, "u", send_body=None)  # error
    CheckTrap(client, "u", body_limit="10kB")  # error
    CheckTrap(client, "u", body_limit=500.5)  # error
    CheckTrap(client, "u", log_scope="thread")  # error
    CheckTrap(client, "u", log_level="INFO")  # error
    CheckTrap(client, "u", log_formatter="%(message)s")  # error
    CheckTrap(client, "u", handle_sigterm=15)  # error
    CheckTrap(client, slug="s", create=CheckUpdate(slug="s"))  # error
    CheckTrap(client, slug="s", create={"slug": "s"})  # error
    CheckTrap(client, "u", "s", False, True)  # error
    CheckTrap(client, "u", sigterm=True)  # error
    CheckTrap(client, "u", suppress_exceptions="no")  # error
    CheckTrap(client, "u", timeout=timedelta(minutes=5))  # error


def wrong_calls(trap: CheckTrap[Client]) -> None:
    trap.fail(5)  # error
    trap.fail(ValueError("x"))  # error
    trap.write(b"bytes")  # error
    trap.writelines([1, 2])  # error
    print("line", file=trap)
    logging.StreamHandler(trap)
    healthchecks_io.add_log(b"bytes")  # error
    healthchecks_io.add_log("saved", "3 files")  # error
    if healthchecks_io.CheckTrap.current().rid:  # error
        pass


async def unsent_log(trap: CheckTrap[Client], async_trap: CheckTrap[AsyncClient]) -> None:
    await trap.send_log()  # error
    trap.add_log(b"bytes")  # error


async def forgotten_await(client: AsyncClient) -> Check:
    return client.get_check("u")  # error


def wrong_arguments(client: Client) -> None:
    client.create_check(CheckUpdate())  # error
    client.create_check({"name": "x"})  # error
    client.success_ping("u", "s", "data", "rid")  # error
    client.get_check_flips("u", start="yesterday")  # error
    CheckCreate(time_out=60)  # error
    CheckCreate(timeout=60.0)  # error
    client.get_check_flips("u", seconds=60.0)  # error
    CheckTrap(client, "u", ping_errors="ignore")  # error
    CheckTrap("client", "u")  # error
    Client(api_version="3")  # error
    healthchecks_io.NoSuchName()  # error
    Client.from_env(api_keys="x")  # error


def suppressed_by_a_monitor() -> int:  # error
    with monitor("a", suppress_exceptions=True):
        return 5


async def suppressed_by_an_async_monitor() -> int:  # error
    async with monitor("a", suppress_exceptions=True):
        return 5


def monitors_with_the_wrong_client(client: Client, async_client: AsyncClient) -> None:
    with monitor("a", client=async_client):  # error
        pass
    with heartbeat("a", every=60, client=async_client):  # error
        pass

    @monitor("a", client=async_client)  # error
    def plain() -> int:
        return 5


async def async_monitors_with_the_wrong_client(client: Client) -> None:
    async with monitor("a", client=client):  # error
        pass
    async with heartbeat("a", every=60, client=client):  # error
        pass


async def monitored_functions() -> None:
    @monitor("a", schedule="0 3 * * *")
    def add(a: int, b: int) -> int:
        return a + b

    @monitor("a", suppress_exceptions=True)
    async def try_to_add(a: int, b: int) -> int:
        return a + b

    add("1", 2)  # error
    add(1, 2, 3)  # error
    _ = await try_to_add(1, 2) + 1  # error
    _ = try_to_add(1, 2) + 1  # error


def wrong_arguments_of_monitors() -> None:
    monitor("a", period=1.5)  # error
    monitor("a", timeout=60)  # error
    monitor("a", "b")  # error
    monitor("a", tags=5)  # error
    monitor("a", client="client")  # error
    heartbeat("a")  # error
    heartbeat("a", every=None)  # error
    heartbeat("a", every=60, max_silence=[5])  # error
    heartbeat("a", every=60, ping_errors="log")  # error
    with heartbeat("a", every=60) as beat:
        beat.alive(5)  # error
