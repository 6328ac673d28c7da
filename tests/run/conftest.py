"""Fixtures for the tests of `run` with real processes.

They need Linux: /proc shows what becomes of processes. The environment variable RUN_FULL selects the full matrices and
sizes, which take minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from processes import RUN, Job, Probes, Result, default_signal_handling

from healthchecks_io import CheckCreate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from processes import Place

    from healthchecks_io.sandbox import Sandbox

collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]


@pytest.fixture(autouse=True)
def _default_signal_handling() -> Iterator[None]:
    with default_signal_handling():
        yield


@pytest.fixture
def environment(hc: Sandbox) -> dict[str, str]:
    """Environment variables that point commands to the sandbox, which has the check "backup"."""
    with hc.client() as client:
        client.create_check(CheckCreate(slug="backup"))
    return {**os.environ, **hc.environ, "HEALTHCHECKS_CHECK_SLUG": "backup", "TZ": "UTC"}


@pytest.fixture
def probes(tmp_path: Path) -> Iterator[Probes]:
    """Commands that record the signals they receive."""
    probes = Probes(tmp_path / "probes")
    yield probes
    probes.kill()


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Callable[..., Job]]:
    """Start a command in a place, for example as the leader of a session. See programs/place.py for the places."""
    jobs: list[Job] = []

    def start(place: Place, *command: str, **options: Any) -> Job:
        folder = tmp_path_factory.mktemp("job")
        jobs.append(Job(place, [*command], folder, **{"environment": environment, **options}))
        return jobs[-1]

    yield start
    for job in jobs:
        job.kill()


@pytest.fixture
def start(environment: dict[str, str], started: list[subprocess.Popen[Any]]) -> Callable[..., subprocess.Popen[bytes]]:
    """Start `run` with the given arguments for the check "backup", without a terminal."""

    def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        defaults: dict[str, Any] = {
            "env": environment,
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            "start_new_session": True,
        }
        process = subprocess.Popen([*RUN, *arguments], **{**defaults, **options})  # noqa: S603 - trusted input
        started.append(process)
        return process

    return start


@pytest.fixture
def run(start: Callable[..., subprocess.Popen[bytes]]) -> Callable[..., Result]:
    """Run `run` and return its exit status, standard output and standard error."""

    def run(*arguments: str, **options: Any) -> Result:
        process = start(*arguments, **options)
        output, errors = process.communicate(timeout=60)
        return Result(process.returncode, output or b"", errors or b"")

    return run


@pytest.fixture
def recorded(hc: Sandbox) -> Callable[[], list[tuple[str, int | None, bytes]]]:
    """Return the kinds, exit statuses and bodies of the pings that the service recorded, oldest first."""
    return lambda: [(ping.type, ping.exit_status, ping.body) for ping in reversed(hc.pings("backup"))]
