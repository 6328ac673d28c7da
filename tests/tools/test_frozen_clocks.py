"""Tests of the sandbox and its pytest fixtures under freezegun and time-machine.

freezegun also freezes the clock of asyncio: a server that waits for a timer would never stop.
"""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from healthchecks_io import CheckCreate
from healthchecks_io.sandbox import Sandbox

freezegun = pytest.importorskip("freezegun")
time_machine = pytest.importorskip("time_machine")

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FUTURE = datetime(2060, 5, 17, 8, 30, tzinfo=timezone.utc)
PAST = datetime(2012, 1, 14, 3, 21, tzinfo=timezone.utc)
CLOCKS: dict[str, Callable[[], Any]] = {
    "freezegun": lambda: freezegun.freeze_time(FUTURE),
    "freezegun in the past": lambda: freezegun.freeze_time(PAST),
    "freezegun ticking": lambda: freezegun.freeze_time(FUTURE, tick=True),
    "time-machine": lambda: time_machine.travel(FUTURE, tick=False),
    "time-machine in the past": lambda: time_machine.travel(PAST, tick=False),
    "time-machine ticking": lambda: time_machine.travel(FUTURE, tick=True),
}
STOPPED_CLOCKS = {name: clock for name, clock in CLOCKS.items() if "ticking" not in name}

with_clocks = pytest.mark.parametrize("clock", CLOCKS.values(), ids=CLOCKS)
with_stopped_clocks = pytest.mark.parametrize("clock", STOPPED_CLOCKS.values(), ids=STOPPED_CLOCKS)


def status(hc: Sandbox) -> httpx.Response:
    return httpx.get(f"{hc.api_url}v3/status/")


@with_clocks
def test_sandbox_started_before_the_clock_is_mocked_stops(clock: Callable[[], Any]) -> None:
    sandbox = Sandbox()
    sandbox.start()
    assert status(sandbox).text == "OK"

    with clock():
        assert status(sandbox).text == "OK"
        sandbox.stop()

    assert not sandbox.is_running


@with_clocks
def test_sandbox_started_while_the_clock_is_mocked_stops(clock: Callable[[], Any]) -> None:
    with clock(), Sandbox() as hc:
        assert status(hc).text == "OK"


@with_clocks
def test_sandbox_stops_after_the_clock_was_mocked(clock: Callable[[], Any]) -> None:
    with Sandbox() as hc:
        with clock():
            assert status(hc).text == "OK"
        assert status(hc).text == "OK"


@with_clocks
def test_sandbox_started_while_the_clock_is_mocked_stops_afterwards(clock: Callable[[], Any]) -> None:
    sandbox = Sandbox()
    with clock():
        sandbox.start()
        assert status(sandbox).text == "OK"

    assert status(sandbox).text == "OK"
    sandbox.stop()


@with_stopped_clocks
def test_sandbox_has_the_mocked_time(clock: Callable[[], Any], healthchecks_sandbox: Sandbox) -> None:
    with clock():
        now = datetime.now(timezone.utc)
        check = healthchecks_sandbox.client().create_check(CheckCreate(name="Backup"))
        healthchecks_sandbox.client().success_ping(check.uuid)

        assert healthchecks_sandbox.now == now
        assert [ping.date for ping in healthchecks_sandbox.pings(check)] == [now]
        assert [check.last_ping for check in healthchecks_sandbox.checks] == [now]
        assert parsedate_to_datetime(status(healthchecks_sandbox).headers["Date"]) == now


@with_stopped_clocks
def test_advance_adds_to_the_mocked_time(clock: Callable[[], Any], healthchecks_sandbox: Sandbox) -> None:
    with clock():
        healthchecks_sandbox.client().success_ping(slug="backup", create=True)
        healthchecks_sandbox.advance(days=2)

        assert healthchecks_sandbox.now - datetime.now(timezone.utc) == timedelta(days=2)
        assert [check.status for check in healthchecks_sandbox.checks] == ["down"]


@with_clocks
def test_delay_is_in_real_seconds(clock: Callable[[], Any], healthchecks_sandbox: Sandbox) -> None:
    healthchecks_sandbox.fail_next(delay=0.2)
    begin = time.perf_counter_ns()
    with clock():
        assert status(healthchecks_sandbox).text == "OK"

    assert time.perf_counter_ns() - begin >= 0.2e9


@with_clocks
def test_stop_ends_a_delay(clock: Callable[[], Any]) -> None:
    with clock(), Sandbox() as hc:
        hc.fail_next(delay=1e300)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{hc.api_url}v3/status/", timeout=0.2)


@with_clocks
def test_idle_connection_stays_open(clock: Callable[[], Any], healthchecks_sandbox: Sandbox) -> None:
    url = f"{healthchecks_sandbox.api_url}v3/status/"
    with httpx.Client(limits=httpx.Limits(keepalive_expiry=None)) as client:
        connection = client.get(url).extensions["network_stream"]
        for _ in range(2):
            with clock():
                # Another connection, so that the server looks at its timers.
                assert status(healthchecks_sandbox).text == "OK"
                assert client.get(url).extensions["network_stream"] is connection
            assert status(healthchecks_sandbox).text == "OK"


@with_clocks
def test_contents_are_saved_and_loaded(clock: Callable[[], Any], tmp_path: Path) -> None:
    with clock(), Sandbox() as hc, Sandbox() as other:
        hc.client().success_ping(slug="backup", create=True)
        hc.save(tmp_path / "state.sqlite")
        other.load(tmp_path / "state.sqlite")

        assert other.pings("backup") == hc.pings("backup")


TESTS_WITH_FREEZEGUN = """
import datetime, os, subprocess, sys
from freezegun import freeze_time

def test_before(healthchecks_sandbox):
    assert healthchecks_sandbox.client().get_status()

@freeze_time("2030-01-01")
def test_frozen(healthchecks_sandbox):
    assert healthchecks_sandbox.client().get_status()
    assert healthchecks_sandbox.now == datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)

@freeze_time("2030-01-01", tick=True)
def test_ticking(healthchecks_environ):
    from healthchecks_io import Client

    with Client.from_env() as client:
        assert client.success_ping(slug="backup", create=True).success
    assert healthchecks_environ.now.year == 2030

@freeze_time("2030-01-01")
def test_restarted_while_frozen(healthchecks_sandbox):
    healthchecks_sandbox.stop()
    healthchecks_sandbox.start()
    assert healthchecks_sandbox.client().get_status()

def test_after(healthchecks_sandbox):
    assert healthchecks_sandbox.client().get_status()
    assert healthchecks_sandbox.now.year < 2030
"""
TESTS_FROZEN_FROM_THE_START = """
import pytest
from freezegun import freeze_time

@pytest.fixture(autouse=True)
def frozen():
    with freeze_time("2030-01-01"):
        yield

@pytest.mark.parametrize("day", [1, 2])
def test_job(frozen, healthchecks_environ, day):
    from healthchecks_io import CheckTrap, Client

    with Client.from_env() as client, CheckTrap(client, slug="backup", create=True):
        pass
    assert [ping.type for ping in healthchecks_environ.pings("backup")] == ["success", "start"]
    assert [check.status for check in healthchecks_environ.checks] == ["up"]
"""
TESTS_WITH_TIME_MACHINE = """
import time_machine

@time_machine.travel("2030-01-01 00:00 +0000", tick=False)
def test_frozen(healthchecks_sandbox):
    assert healthchecks_sandbox.client().get_status()
    assert healthchecks_sandbox.now.year == 2030

@time_machine.travel("2030-01-01 00:00 +0000")
def test_ticking(healthchecks_environ):
    from healthchecks_io import Client

    with Client.from_env() as client:
        assert client.success_ping(slug="backup", create=True).success
"""


@pytest.mark.parametrize(
    ("tests", "passed"),
    [(TESTS_WITH_FREEZEGUN, 5), (TESTS_FROZEN_FROM_THE_START, 2), (TESTS_WITH_TIME_MACHINE, 2)],
    ids=["freezegun", "frozen from the start", "time-machine"],
)
def test_fixtures_work_and_the_test_run_ends(tmp_path: Path, tests: str, passed: int) -> None:
    # The temporary folder may be inside the project, whose configuration must not apply.
    (tmp_path / "pytest.ini").write_text("[pytest]\nfilterwarnings = error", encoding="utf-8")
    (tmp_path / "test_job.py").write_text(tests, encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_job.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert f"{passed} passed" in run.stdout, run.stdout
    assert run.returncode == 0
