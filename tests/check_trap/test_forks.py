"""A forked child reports nothing: the run belongs to its parent."""

from __future__ import annotations

import os
import signal
import warnings
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import AsyncClient, CheckTrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthchecks_io.sandbox import Sandbox

pytestmark = [
    pytest.mark.server("1.23"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="requires os.fork()"),
]


def fork() -> int:
    with warnings.catch_warnings():
        # Python 3.12 and newer warn about forking a multi-threaded process: the sandbox has threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if not pid:
        signal.alarm(10)  # Do not hang.
    return pid


def assert_succeeded(pid: int) -> None:
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize("error", [None, ValueError("in the child"), SystemExit(0), KeyboardInterrupt()])
def test_a_child_that_leaves_the_block_sends_nothing_and_its_exception_is_unchanged(
    hc: Sandbox, check: Any, ping_types: Callable[[], list[str]], error: BaseException | None
) -> None:
    pid = -1
    left_with: BaseException | None = None
    with hc.client() as client:
        trap = CheckTrap(client, slug="backup", ping_errors="raise")
        try:
            with trap:
                trap.add_log("before the fork")
                pid = fork()
                if not pid and error is not None:
                    raise error  # noqa: TRY301 - it leaves the block
                if pid:
                    assert_succeeded(pid)
                    assert ping_types() == ["start"]
        except BaseException as caught:  # noqa: BLE001 - the child must not return to pytest
            left_with = caught
        if not pid:
            os._exit(0 if left_with is error and trap.ping_failures == [] else 1)

    assert left_with is None
    assert ping_types() == ["start", "success"]
    assert hc.pings("backup")[0].body == b"before the fork"


def test_a_child_that_returns_from_a_decorated_function_sends_nothing(
    hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    with hc.client() as client:
        pid = CheckTrap(client, slug="backup")(fork)()
        if not pid:
            os._exit(0)

    assert_succeeded(pid)
    assert ping_types() == ["start", "success"]


def test_a_child_that_leaves_an_asynchronous_block_sends_nothing(
    loop: Any, settings: dict[str, Any], check: Any, ping_types: Callable[[], list[str]]
) -> None:
    async def main() -> None:
        async with AsyncClient(**settings) as client, CheckTrap(client, slug="backup") as trap:
            pid = fork()
            if not pid:
                try:
                    # Without an event loop, which the child shares with its parent.
                    trap.__aexit__(None, None, None).send(None)
                except StopIteration:
                    os._exit(0 if trap.ping_failures == [] else 1)
                os._exit(1)
            assert_succeeded(pid)
            assert ping_types() == ["start"]

    loop.run_until_complete(main())
    assert ping_types() == ["start", "success"]


@pytest.mark.parametrize("log_level", [None, 10])
def test_an_exception_that_is_suppressed_in_a_child_is_logged(
    hc: Sandbox,
    check: Any,
    ping_types: Callable[[], list[str]],
    caplog: pytest.LogCaptureFixture,
    log_level: int | None,
) -> None:
    pid = -1
    with hc.client() as client:
        with CheckTrap(client, slug="backup", suppress_exceptions=True, log_level=log_level):
            pid = fork()
            if not pid:
                raise ValueError("in the child")
        if not pid:
            os._exit(0 if "ValueError: in the child" in caplog.text else 1)

    assert_succeeded(pid)
    assert ping_types() == ["start", "success"]


def test_a_child_can_report_a_run_of_its_own(hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]) -> None:
    with hc.client() as client:
        trap = CheckTrap(client, slug="backup")
        pid = fork()
        if not pid:
            with trap:
                trap.add_log("in the child")
            os._exit(0)

    assert_succeeded(pid)
    assert ping_types() == ["start", "success"]
    assert hc.pings("backup")[0].body == b"in the child"
