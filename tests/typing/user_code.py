"""User code that must type-check. This file is never run."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import logging
import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import httpx
from typing_extensions import assert_type

from healthchecks_io import (
    AsyncClient,
    Badges,
    Check,
    CheckCreate,
    CheckPings,
    CheckStatuses,
    CheckTrap,
    CheckUpdate,
    Client,
    HCAPIError,
    HCAPIRateLimitError,
    Integration,
    PingResult,
    Report,
    add_log,
    heartbeat,
    monitor,
)
from healthchecks_io.sandbox import Sandbox

if TYPE_CHECKING:
    from healthchecks_io.monitoring import Beats


def script() -> None:
    with Client(api_key="key", ping_key="key", client=httpx.Client(), timeout=5, retries=1) as client:
        assert_type(client, Client)
        assert_type(client.get_checks(tags=["a"], slug="b"), list[Check])
        assert_type(client.get_check(uuid.uuid4()), Check)
        check = client.create_check(CheckCreate(name="x", tags=["a", "b"], timeout=timedelta(hours=1), unique=["name"]))
        assert_type(check.last_ping, datetime | None)
        assert_type(check.uuid, str | None)
        assert_type(client.update_check(check.uuid, CheckUpdate(channels=["a"], tags=("a", "b"), grace=90)), Check)
        assert_type(client.update_check("u", CheckUpdate(timeout="1h 30m", grace=timedelta(minutes=5))), Check)
        assert_type(client.get_check_flips("u", timedelta(days=1), 1767225600.5), list[CheckStatuses])
        assert_type(client.get_check_flips("u", seconds="1d"), list[CheckStatuses])
        assert_type(client.update_check("u", CheckCreate()), Check)
        assert_type(client.get_check_pings("u"), list[CheckPings])
        assert_type(client.get_ping_body("u", 1), bytes)
        assert_type(client.get_check_flips("u", start=datetime.now(timezone.utc), end=5), list[CheckStatuses])
        assert_type(client.get_integrations(), list[Integration])
        assert_type(client.get_badges(), dict[str, Badges])
        assert_type(client.get_status(), bool)
        report = client.get_report(check.uuid, days=7)
        assert_type(report, Report)
        assert_type(report.uptime, float | None)
        assert_type(report.downtimes, list[tuple[datetime, datetime | None]])
        if report.durations is not None:
            assert_type(report.durations.median, float)
            assert_type(report.durations.values, tuple[float, ...])
        assert_type([day.uptime for day in report.days()], list[float | None])
        assert_type(client.get_reports(days=7, tags=["a"]), list[Report])
        assert_type(client.success_ping("u", data=b"bytes", rid=uuid.uuid4()), PingResult)
        success, text = client.exit_code_ping(1, slug="s", create=True)
        assert_type(success, bool)
        assert_type(text, str)
        with CheckTrap(client, slug="s", suppress_exceptions=True, ping_errors="log") as trap:
            trap.add_log("line")
            print("line", file=trap)
            assert_type(trap.rid, str)
            assert_type(trap.ping_failures, list[HCAPIError])


def job_that_returns(client: Client) -> int:
    with CheckTrap(client, slug="s"):
        return 5


async def async_job_that_returns(client: AsyncClient) -> int:
    async with CheckTrap(client, slug="s", ignore=asyncio.CancelledError):
        return 5


def job_that_returns_from_nested_blocks(client: Client) -> int:
    with CheckTrap(client, slug="s", suppress_exceptions=False) as outer, CheckTrap(client, slug="t") as inner:
        outer.add_log("line")
        inner.add_log("line")
        return 5


def job_that_raises(client: Client) -> int:
    with CheckTrap(client, slug="s"):
        raise LookupError


def job_with_a_suppressed_exception(client: Client) -> int | None:
    with CheckTrap(client, slug="s", suppress_exceptions=True):
        return 5
    return None


async def async_job_with_a_suppressed_exception(client: AsyncClient) -> int | None:
    async with CheckTrap(client, slug="s", suppress_exceptions=True):
        return 5
    return None


def all_options(client: Client) -> None:
    trap = CheckTrap(
        client,
        slug="s",
        create=CheckCreate(schedule="0 3 * * *", grace="1h"),
        ping_errors="raise",
        log_level=logging.INFO,
        log_formatter=None,
        log_scope="process",
        ignore=(LookupError, KeyboardInterrupt),
        send_start=False,
        send_body=False,
        body_limit=100_000,
        handle_sigterm=True,
    )
    with trap as entered:
        entered.fail()
        entered.fail("2 files could not be read")
        entered.writelines(["one", "two"])
        assert_type(entered.write("line"), int)
        with contextlib.redirect_stdout(entered):
            add_log("line")
        csv.writer(entered).writerow(["one", "two"])
        logging.basicConfig(stream=entered)


def job_helper(trap: CheckTrap[Client]) -> None:
    trap.add_log("line")
    trap.fail("reason")
    assert_type(trap.send_log(), None)


def decorated_jobs(client: Client, async_client: AsyncClient, *, is_lenient: bool) -> None:
    @CheckTrap(client, slug="s", log_level=logging.INFO, log_formatter=logging.Formatter("%(message)s"))
    def back_up(path: str, *, depth: int = 1) -> int:
        if trap := CheckTrap.current():
            trap.add_log(path)
        return depth

    @CheckTrap(client, slug="s", suppress_exceptions=True)
    def try_to_back_up(path: str) -> int:
        return len(path)

    @CheckTrap(client, slug="s", suppress_exceptions=is_lenient)
    def maybe_back_up(path: str) -> int:
        return len(path)

    @CheckTrap(async_client, slug="s")
    async def deliver(count: int) -> str:
        return str(count)

    @CheckTrap(async_client, slug="s", suppress_exceptions=True)
    async def try_to_deliver(count: int) -> str:
        return str(count)

    async def deliver_all() -> None:
        assert_type(await deliver(5), str)
        assert_type(await try_to_deliver(count=5), str | None)

    assert_type(back_up("path", depth=2), int)
    assert_type(try_to_back_up("path"), int | None)
    assert_type(maybe_back_up("path"), int | None)
    job_helper(CheckTrap(client, slug="s"))
    job_helper(CheckTrap(client, slug="s", suppress_exceptions=True))
    assert_type(asyncio.run(deliver_all()), None)


async def service() -> None:
    async with AsyncClient.from_env(api_version=3) as client:
        assert_type(client, AsyncClient)
        assert_type(await client.get_checks(), list[Check])
        assert_type(await client.get_report("u", days=7), Report)
        assert_type(await client.get_reports(tags=["a"]), list[Report])
        assert_type(await client.success_ping("u"), PingResult)
        async with CheckTrap(client, "u") as trap:
            trap.add_log("line")
            await trap.send_log()


def errors(error: HCAPIError) -> float | None:
    assert_type(error.status_code, int | None)
    assert_type(error.response, httpx.Response | None)
    return error.retry_after if isinstance(error, HCAPIRateLimitError) else None


def schemas() -> None:
    CheckPings(type="start", date=datetime.now(timezone.utc), number_of_pings=1, user_agent="x")
    Badges(svg="", svg3="", json_url="", json3_url="", shields="", shields3="")
    assert_type(Check.from_api_result({}), Check)
    assert_type(Integration.from_api_result({}), Integration)


def sandbox() -> None:
    with Sandbox(check_limit=5) as hc:
        assert_type(hc.client(retries=0), Client)
        assert_type(hc.async_client(), AsyncClient)
        hc.advance(hours=2)
        hc.fail_next(status=503, times=2)


@monitor("nightly-backup", schedule="0 3 * * *", tz="Europe/Riga", grace="1h", tags={"db"}, channels=["Ops"])
def monitored(path: str, *, depth: int = 1) -> int:
    return depth


@monitor("report", period=timedelta(days=1), suppress_exceptions=True, ignore=LookupError, log_level=logging.INFO)
async def async_monitored(path: str) -> int:
    return len(path)


class Worker:
    @monitor("worker")
    def method(self, count: int) -> str:
        return str(count)

    @classmethod
    @monitor("worker")
    def class_method(cls, count: int) -> str:
        return str(count)

    @monitor("worker")
    async def coroutine_method(self) -> str:
        return ""


def monitored_step(trap: CheckTrap, beat: Beats) -> None:
    trap.add_log("line")
    trap.fail("reason")
    beat.alive()


async def monitored_service(client: Client, async_client: AsyncClient) -> int:
    assert_type(monitored("path", depth=2), int)
    assert_type(await async_monitored("path"), int | None)
    assert_type(Worker().method(1), str)
    assert_type(Worker.class_method(1), str)
    assert_type(await Worker().coroutine_method(), str)
    with monitor("a", client=client) as trap, heartbeat("b", every="1m", client=client) as beat:
        trap.send_log()
        trap.fail("a reason")
        assert_type(beat.alive(), None)
        monitored_step(trap, beat)
    async with heartbeat("b", every=60.5, max_silence=timedelta(hours=1)) as async_beat, monitor("a") as async_trap:
        await async_trap.send_log()
        monitored_step(async_trap, async_beat)
        async with monitor("a", client=async_client, uuid=None):
            return 5


def monitored_block() -> int:
    with monitor("a", period="5m") as trap:
        trap.send_log()
        return 5
