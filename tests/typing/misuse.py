"""Mistakes that type checkers must report, on exactly the marked lines. This file is never run."""

from __future__ import annotations

import healthchecks_io
from healthchecks_io import AsyncClient, Check, CheckCreate, CheckTrap, CheckUpdate, Client


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
