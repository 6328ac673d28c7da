"""No environment delays, stops or changes a job, whatever is wrong with it and however the job is monitored."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import heartbeat, monitor

if TYPE_CHECKING:
    from collections.abc import Callable

    from uses import Use

    from healthchecks_io.sandbox import Sandbox

TIMEOUT = 0.4

FAULTS: dict[str, dict[str, str]] = {
    "no keys": {"API_KEY": "", "PING_KEY": ""},
    "only a ping key": {"API_KEY": ""},
    "only an API key": {"PING_KEY": ""},
    "a rejected API key": {"API_KEY": "x" * 32},
    "an unknown ping key": {"PING_KEY": "unknown"},
    "an invalid API key": {"API_KEY": "two words"},
    "an invalid ping key": {"PING_KEY": "a/b"},
    "an unreadable key file": {"PING_KEY": "file:/nonexistent/key"},
    "an invalid URL": {"API_URL": "nonsense", "PING_URL": "nonsense"},
    "an unknown host": {"API_URL": "http://healthchecks.invalid/api/", "PING_URL": "http://healthchecks.invalid/ping/"},
    "a server that refuses": {"API_URL": "http://127.0.0.1:9/api/", "PING_URL": "http://127.0.0.1:9/ping/"},
    "a server that hangs": {"API_URL": "{silent}/api/", "PING_URL": "{silent}/ping/"},
    "an API that hangs": {"API_URL": "{silent}/api/"},
    "an invalid API version": {"API_VERSION": "4"},
    "an invalid timeout": {"TIMEOUT": "soon"},
    "an invalid number of retries": {"RETRIES": "many"},
    "disabled": {"DISABLED": "1"},
    "disabled, without keys": {"DISABLED": "true", "API_KEY": "", "PING_KEY": ""},
}

MISCONFIGURED = [
    "no keys",
    "only a ping key",
    "an invalid API key",
    "an invalid ping key",
    "an unreadable key file",
    "an invalid URL",
    "an invalid API version",
    "an invalid timeout",
    "an invalid number of retries",
]


@pytest.fixture
def break_environment(hc: Sandbox, silent_server: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that sets the environment variables of a fault."""

    def set_variables(fault: str) -> None:
        variables = {"TIMEOUT": str(TIMEOUT), "RETRIES": "0", **FAULTS[fault]}
        for name, value in variables.items():
            monkeypatch.setenv(f"HEALTHCHECKS_{name}", value.format(silent=silent_server))

    return set_variables


@pytest.mark.parametrize("options", [{}, {"period": 600}], ids=["", "declared"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_monitored_job_runs_and_keeps_its_result(
    use: Use, break_environment: Callable[[str], None], fault: str, options: dict[str, Any]
) -> None:
    break_environment(fault)
    started: list[float] = []

    def job() -> int:
        started.append(time.monotonic())
        return 5

    before = time.monotonic()
    assert use.run(monitor("backup", **options), job) == 5
    assert started[0] - before < TIMEOUT + 5


@pytest.mark.parametrize("fault", FAULTS)
def test_a_monitored_job_keeps_its_exception(use: Use, break_environment: Callable[[str], None], fault: str) -> None:
    break_environment(fault)
    error = ValueError("disk full")

    def job() -> None:
        raise error

    with pytest.raises(ValueError, match="disk full") as caught:
        use.run(monitor("backup"), job)
    assert caught.value is error


@pytest.mark.parametrize("fault", MISCONFIGURED)
def test_a_misconfiguration_is_logged_once_per_process(
    use: Use, break_environment: Callable[[str], None], caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    break_environment(fault)

    for slug in ("backup", "report"):
        use.run(monitor(slug, period=600), lambda: None)

    assert len(caplog.messages) == 1


@pytest.mark.parametrize("fault", ["disabled", "disabled, without keys"])
def test_nothing_is_sent_and_logged_if_monitoring_is_disabled(
    use: Use, hc: Sandbox, break_environment: Callable[[str], None], caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    break_environment(fault)
    before = hc.answered

    use.run(monitor("backup", period=600), lambda: None)

    assert hc.answered == before
    assert caplog.messages == []


@pytest.mark.parametrize("value", ["1", "true", "YES", "on", "disabled"])
def test_any_other_value_disables_monitoring(hc: Sandbox, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HEALTHCHECKS_DISABLED", value)
    with monitor("backup"):
        pass

    assert hc.checks == []


@pytest.mark.parametrize("value", ["", "0", "false", "False", "no", " no "])
def test_these_values_do_not_disable_monitoring(hc: Sandbox, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("HEALTHCHECKS_DISABLED", value)
    with monitor("backup"):
        pass

    assert hc.checks[0].n_pings == 2


def test_the_trap_works_if_monitoring_is_disabled(hc: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCHECKS_DISABLED", "1")
    with monitor("backup") as trap:
        trap.add_log("line")
        print("line", file=trap)
        trap.fail("a reason")
        trap.send_log()

    assert trap.ping_failures == []


def test_a_suppressed_exception_is_logged_if_monitoring_is_disabled(
    use: Use, hc: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HEALTHCHECKS_DISABLED", "1")

    use.run(monitor("backup", suppress_exceptions=True), lambda: int("not a number"))

    assert "ValueError" in caplog.text


@pytest.mark.parametrize("is_async", [False, True], ids=["with", "async with"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_block_with_a_heartbeat_runs_and_keeps_its_exception(
    break_environment: Callable[[str], None], fault: str, is_async: bool
) -> None:
    break_environment(fault)
    error = ValueError("disk full")
    started: list[float] = []

    async def run_async() -> None:
        async with heartbeat("worker", every=15) as beat:
            started.append(time.monotonic())
            beat.alive()
            await asyncio.sleep(0.01)
            raise error

    def run() -> None:
        with heartbeat("worker", every=15) as beat:
            started.append(time.monotonic())
            beat.alive()
            raise error

    before = time.monotonic()
    with pytest.raises(ValueError, match="disk full") as caught:
        asyncio.run(run_async()) if is_async else run()
    assert caught.value is error
    assert started[0] - before < TIMEOUT + 5
    assert time.monotonic() - started[0] < TIMEOUT + 5
