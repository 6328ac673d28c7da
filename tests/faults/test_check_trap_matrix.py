"""Every combination of job, service state and `ping_errors`: what CheckTrap raises, and which pings are recorded."""

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
    # Job                      exception, suppress_exceptions, type of the final ping
    "returns":                 (None, False, "success"),
    "returns, suppressed":     (None, True, "success"),
    "raises":                  (ValueError("job failed"), False, "fail"),
    "raises, suppressed":      (ValueError("job failed"), True, "fail"),
    "exits with status 0":     (SystemExit(0), False, "success"),
    "exits with status 3":     (SystemExit(3), False, "fail"),
    "is interrupted":          (KeyboardInterrupt(), False, "fail"),
    "is cancelled":            (asyncio.CancelledError(), False, "fail"),
    "is cancelled, suppressed": (asyncio.CancelledError(), True, "fail"),
}  # fmt: skip

NOTHING = None
UNAVAILABLE = HCAPIUnavailableError
SERVICES: dict[tuple[str, str], tuple[Any, Any, tuple[Literal["start", "end"], ...]]] = {
    # Service, ping_errors: raised before the job, raised after a job without an exception, recorded pings
    ("up", "raise-config"):                (NOTHING, NOTHING, ("start", "end")),
    ("up", "raise"):                       (NOTHING, NOTHING, ("start", "end")),
    ("up", "log"):                         (NOTHING, NOTHING, ("start", "end")),
    ("down at the start", "raise-config"): (NOTHING, NOTHING, ("end",)),
    ("down at the start", "raise"):        (UNAVAILABLE, NOTHING, ()),
    ("down at the start", "log"):          (NOTHING, NOTHING, ("end",)),
    ("down at the end", "raise-config"):   (NOTHING, NOTHING, ("start",)),
    ("down at the end", "raise"):          (NOTHING, UNAVAILABLE, ("start",)),
    ("down at the end", "log"):            (NOTHING, NOTHING, ("start",)),
    ("disconnecting at the end", "log"):   (NOTHING, NOTHING, ("start",)),
    ("missing the check", "raise-config"): (CheckNotFoundError, NOTHING, ()),
    ("missing the check", "raise"):        (CheckNotFoundError, NOTHING, ()),
    ("missing the check", "log"):          (NOTHING, NOTHING, ()),
    ("rate limiting", "raise-config"):     (NOTHING, NOTHING, ()),
    ("rate limiting", "raise"):            (HCAPIRateLimitError, NOTHING, ()),
    ("rate limiting", "log"):              (NOTHING, NOTHING, ()),
    ("hanging", "raise-config"):           (NOTHING, NOTHING, ()),
    ("hanging", "raise"):                  (UNAVAILABLE, NOTHING, ()),
    ("hanging", "log"):                    (NOTHING, NOTHING, ()),
    ("hanging at the end", "raise"):       (NOTHING, UNAVAILABLE, ("start",)),
}  # fmt: skip

FAULTS_BEFORE_JOB: dict[str, dict[str, Any]] = {
    "down at the start": {"status": 503},
    "rate limiting": {"status": 429, "times": 2},
    "hanging": {"status": 503, "delay": 5, "times": 2},
}
FAULTS_DURING_JOB: dict[str, dict[str, Any]] = {
    # After the retries, a ping with a body is sent again with another body, and then without one.
    "down at the end": {"status": 503, "times": 3},
    "disconnecting at the end": {"drop": True},
    "hanging at the end": {"status": 503, "delay": 5},
}
TIMEOUT = 0.3


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize(("service", "ping_errors"), SERVICES)
def test_each_combination_raises_the_right_exception_and_records_the_right_pings(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, service: str, ping_errors: str, job: str
) -> None:
    error, is_suppressed, final_ping_type = JOBS[job]
    raised_before, raised_after, recorded = SERVICES[service, ping_errors]
    is_swallowed = is_suppressed and isinstance(error, Exception)
    api = connect(**settings, timeout=TIMEOUT, retries=0)
    if service != "missing the check":
        connect(**settings).create_check(CheckCreate(slug="backup"))
    if service in FAULTS_BEFORE_JOB:
        hc.fail_next(**FAULTS_BEFORE_JOB[service])
    has_run = False
    raised: BaseException | None = None
    start = time.monotonic()

    def do_job() -> None:
        nonlocal has_run
        has_run = True
        if service in FAULTS_DURING_JOB:
            hc.fail_next(**FAULTS_DURING_JOB[service])
        if error is not None:
            raise error

    try:
        with api.trap(slug="backup", suppress_exceptions=is_suppressed, ping_errors=ping_errors):
            do_job()
    except BaseException as caught:  # noqa: BLE001 - the assertions below check its type
        raised = caught

    assert time.monotonic() - start < 2 * TIMEOUT + 3
    assert has_run is (raised_before is None)
    if raised_before is not None:
        assert type(raised) is raised_before
    elif error is not None and not is_swallowed:
        assert raised is error
        assert error.__context__ is None
        assert error.__cause__ is None
    else:
        assert type(raised) is (raised_after or type(None))
    if service != "missing the check":
        types = {"start": "start", "end": final_ping_type}
        assert [ping.type for ping in reversed(hc.pings("backup"))] == [types[ping] for ping in recorded]


def test_a_network_failure_during_the_job_preserves_its_exception_and_delays_it_within_bounds(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox
) -> None:
    connect(**settings).create_check(CheckCreate(slug="backup"))
    timeout, retries = 0.5, 2
    api = connect(**settings, timeout=timeout, retries=retries)
    error = ValueError("job failed")
    start = time.monotonic()

    with pytest.raises(ValueError, match="job failed") as caught, api.trap(slug="backup") as trap:
        hc.fail_next(drop=True, times=100)
        raise error

    assert time.monotonic() - start < timeout * (retries + 1) + 10
    assert caught.value is error
    assert [type(failure) for failure in trap.ping_failures] == [HCAPIUnavailableError]


def test_the_start_ping_and_its_retries_take_no_longer_than_the_timeout(
    connect: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(503)
    start = time.monotonic()

    with connect(**stub.settings(timeout=1, retries=20)).trap("u") as trap:
        delay = time.monotonic() - start
        stub.set_response(200, "OK")

    assert delay < 3
    assert [type(failure) for failure in trap.ping_failures] == [HCAPIUnavailableError]


def test_the_end_is_reported_after_the_start_ping_timed_out(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox
) -> None:
    connect(**settings).create_check(CheckCreate(slug="backup"))
    hc.fail_next(status=503, delay=5)
    with connect(**settings, timeout=0.3, retries=0).trap(slug="backup") as trap:
        pass

    assert [(ping.type, str(ping.rid)) for ping in hc.pings("backup")] == [("success", trap.rid)]
