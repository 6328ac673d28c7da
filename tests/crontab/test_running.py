"""What runs, when, and with what, is the same in a monitored crontab. The jobs run as cron runs them."""

from __future__ import annotations

import shutil
from datetime import datetime
from itertools import islice, takewhile
from typing import TYPE_CHECKING

import pytest
from cronsim import CronSim
from crontab.conftest import REWRITTEN, pairs
from crontab.emulator import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from crontab.conftest import Home
    from crontab.emulator import Flavour

    from healthchecks_io.sandbox import Sandbox


@pytest.mark.parametrize(
    ("name", "flavour"),
    [
        ("server", "debian"),
        ("quotes", "debian"),
        ("percent", "debian"),
        ("percent", "cronie"),
        ("shells", "debian"),
        ("odd", "debian"),
        ("cronie", "cronie"),
    ],
)
def test_jobs_see_the_same_and_are_reported(
    write: Callable[..., bytes], hc: Sandbox, home: Home, name: str, flavour: Flavour
) -> None:
    before = home.crontab(name)
    after = write(before)
    differences = {}
    for job, new_job in pairs(before, after, flavour):
        expected, seen = home.run(job), home.run(new_job)
        keys = {*expected, *seen}
        if changes := {key: (expected.get(key), seen.get(key)) for key in keys if expected.get(key) != seen.get(key)}:
            differences[job.line] = changes
        match = REWRITTEN.match(new_job.text)
        if match is None:
            assert job.text == new_job.text
            continue
        start, end = reversed(hc.pings(match["slug"].decode()))
        assert start.type == "start"
        assert (end.type, end.exit_status or 0) == ("fail" if expected["status"] else "success", expected["status"])
        # What has killed a job is added to its output.
        assert end.body.removesuffix(b"killed by SIGTERM") == expected["output"]

    assert differences == {}


@pytest.mark.parametrize(("name", "flavour"), [("schedules", "debian"), ("server", "debian"), ("cronie", "cronie")])
def test_jobs_run_at_the_same_times(write: Callable[..., bytes], home: Home, name: str, flavour: Flavour) -> None:
    before = home.crontab(name)

    for job, new_job in pairs(before, write(before), flavour):
        assert (job.schedule, job.times) == (new_job.schedule, new_job.times)


@pytest.mark.parametrize("name", ["schedules", "server", "quotes"])
def test_checks_expect_pings_when_cron_runs_the_jobs(
    write: Callable[..., bytes], hc: Sandbox, home: Home, name: str
) -> None:
    written = read(write(home.crontab(name)))
    checks = {check.slug: check for check in hc.checks}
    slugs = set()
    for job in written.jobs:
        match = REWRITTEN.match(job.text)
        if job.times is None:
            assert match is None
            continue
        assert match is not None, job
        check = checks[match["slug"].decode()]
        slugs.add(check.slug)
        assert check.tz == "UTC"
        assert check.schedule is not None
        expected = list(islice(job.times, 50))
        last = expected[-1]
        start = datetime(2023, 12, 31, 23, 59)  # noqa: DTZ001 - a local time
        assert list(takewhile(last.__ge__, CronSim(check.schedule, start))) == expected, job

    assert slugs == set(checks)


def test_the_environment_of_jobs_gets_only_the_variables_of_the_block(write: Callable[..., bytes], home: Home) -> None:
    before = home.crontab("server")
    for job, new_job in pairs(before, write(before)):
        added = {name: value for name, value in new_job.environment.items() if job.environment.get(name) != value}

        assert {*added} == {b"HEALTHCHECKS_PING_KEY", b"HEALTHCHECKS_PING_URL", b"HEALTHCHECKS_API_URL"}
        assert not {*job.environment} - {*new_job.environment}


@pytest.mark.parametrize(
    ("command", "kind"),
    [("false | cat", "success"), ("set -o pipefail; false | cat", "fail")],
    ids=["plain", "pipefail"],
)
@pytest.mark.skipif(shutil.which("bash", path="/bin") is None, reason="needs bash")
def test_a_failure_within_a_pipe_is_reported_with_pipefail(
    write: Callable[..., bytes], hc: Sandbox, home: Home, command: str, kind: str
) -> None:
    (job,) = read(write(f"SHELL=/bin/bash\n0 3 * * * {command}\n")).jobs
    home.run(job)
    (check,) = hc.checks

    assert hc.pings(check.slug)[0].type == kind
