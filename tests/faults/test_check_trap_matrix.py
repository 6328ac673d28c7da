"""Whatever becomes of the job and of the service, the right thing leaves the block, and the right thing is recorded."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Literal

import pytest

from healthchecks_io import CheckCreate, CheckNotFoundError, HCAPIRateLimitError, HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox

JOBS: dict[str, tuple[BaseException | None, bool, str]] = {
    # The job                  raises, and this is swallowed; the kind of its final ping
    "returns":                 (None, False, "success"),
    "returns, suppressed":     (None, True, "success"),
    "raises":                  (ValueError("of the job"), False, "fail"),
    "raises, suppressed":      (ValueError("of the job"), True, "fail"),
    "ends with status 0":      (SystemExit(0), False, "success"),
    "ends with status 3":      (SystemExit(3), False, "fail"),
    "is interrupted":          (KeyboardInterrupt(), False, "fail"),
    "is cancelled":            (asyncio.CancelledError(), False, "fail"),
    "is cancelled, suppressed": (asyncio.CancelledError(), True, "fail"),
}  # fmt: skip

NOTHING = None
UNAVAILABLE = HCAPIUnavailableError
SERVICES: dict[tuple[str, str], tuple[Any, Any, tuple[Literal["start", "end"], ...]]] = {
    # The service is, and ping_errors; raised before the job, raised after a job that raised nothing; recorded
    ("up", "raise-config"):                (NOTHING, NOTHING, ("start", "end")),
    ("up", "raise"):                       (NOTHING, NOTHING, ("start", "end")),
    ("up", "log"):                         (NOTHING, NOTHING, ("start", "end")),
    ("down at the start", "raise-config"): (NOTHING, NOTHING, ("end",)),
    ("down at the start", "raise"):        (UNAVAILABLE, NOTHING, ()),
    ("down at the start", "log"):          (NOTHING, NOTHING, ("end",)),
    ("down at the end", "raise-config"):   (NOTHING, NOTHING, ("start",)),
    ("down at the end", "raise"):          (NOTHING, UNAVAILABLE, ("start",)),
    ("down at the end", "log"):            (NOTHING, NOTHING, ("start",)),
    ("broken off at the end", "log"):      (NOTHING, NOTHING, ("start",)),
    ("without the check", "raise-config"): (CheckNotFoundError, NOTHING, ()),
    ("without the check", "raise"):        (CheckNotFoundError, NOTHING, ()),
    ("without the check", "log"):          (NOTHING, NOTHING, ()),
    ("limiting", "raise-config"):          (NOTHING, NOTHING, ()),
    ("limiting", "raise"):                 (HCAPIRateLimitError, NOTHING, ()),
    ("limiting", "log"):                   (NOTHING, NOTHING, ()),
    ("hanging", "raise-config"):           (NOTHING, NOTHING, ()),
    ("hanging", "raise"):                  (UNAVAILABLE, NOTHING, ()),
    ("hanging", "log"):                    (NOTHING, NOTHING, ()),
    ("hanging at the end", "raise"):       (NOTHING, UNAVAILABLE, ("start",)),
}  # fmt: skip

BEFORE: dict[str, dict[str, Any]] = {
    "down at the start": {"status": 503},
    "limiting": {"status": 429, "times": 2},
    "hanging": {"status": 503, "delay": 5, "times": 2},
}
INSIDE: dict[str, dict[str, Any]] = {
    "down at the end": {"status": 503},
    "broken off at the end": {"drop": True},
    "hanging at the end": {"status": 503, "delay": 5},
}
TIMEOUT = 0.3


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize(("service", "ping_errors"), SERVICES)
def test_what_leaves_the_block_and_what_is_recorded(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, service: str, ping_errors: str, job: str
) -> None:
    error, is_suppressed, end = JOBS[job]
    raised_before, raised_after, recorded = SERVICES[service, ping_errors]
    leaves_nothing = error is None or (is_suppressed and isinstance(error, Exception))
    api = connect(**settings, timeout=TIMEOUT, retries=0)
    if service != "without the check":
        connect(**settings).create_check(CheckCreate(slug="backup"))
    if service in BEFORE:
        hc.fail_next(**BEFORE[service])
    has_run = False
    left: BaseException | None = None
    began = time.monotonic()

    def do_job() -> None:
        nonlocal has_run
        has_run = True
        if service in INSIDE:
            hc.fail_next(**INSIDE[service])
        if error is not None:
            raise error

    try:
        with api.trap(slug="backup", suppress_exceptions=is_suppressed, ping_errors=ping_errors):
            do_job()
    except BaseException as caught:  # noqa: BLE001 - whatever leaves is looked at below
        left = caught

    assert time.monotonic() - began < 2 * TIMEOUT + 3
    assert has_run is (raised_before is None)
    if raised_before is not None:
        assert type(left) is raised_before
    elif error is not None and not leaves_nothing:
        assert left is error
        assert error.__context__ is None
        assert error.__cause__ is None
    else:
        assert type(left) is (raised_after or type(None))
    if service != "without the check":
        kinds = {"start": "start", "end": end}
        assert [ping.type for ping in reversed(hc.pings("backup"))] == [kinds[ping] for ping in recorded]


def test_a_network_that_dies_in_the_middle_loses_no_result_and_holds_the_job_up_within_bounds(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox
) -> None:
    connect(**settings).create_check(CheckCreate(slug="backup"))
    timeout, retries = 0.5, 2
    api = connect(**settings, timeout=timeout, retries=retries)
    error = ValueError("of the job")
    began = time.monotonic()

    with pytest.raises(ValueError, match="of the job") as caught, api.trap(slug="backup") as trap:
        hc.fail_next(drop=True, times=100)
        raise error

    assert time.monotonic() - began < timeout * (retries + 1) + 10
    assert caught.value is error
    assert [type(failure) for failure in trap.ping_failures] == [HCAPIUnavailableError]


def test_the_start_ping_with_its_retries_takes_no_longer_than_the_timeout(
    connect: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(503)
    began = time.monotonic()

    with connect(**stub.settings(timeout=1, retries=20)).trap("u") as trap:
        held_up = time.monotonic() - began
        stub.set_response(200, "OK")

    assert held_up < 3
    assert [type(failure) for failure in trap.ping_failures] == [HCAPIUnavailableError]


def test_a_start_that_was_given_up_does_not_leave_the_run_without_its_end(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox
) -> None:
    connect(**settings).create_check(CheckCreate(slug="backup"))
    hc.fail_next(status=503, delay=5)
    with connect(**settings, timeout=0.3, retries=0).trap(slug="backup") as trap:
        pass

    assert [(ping.type, str(ping.rid)) for ping in hc.pings("backup")] == [("success", trap.rid)]
