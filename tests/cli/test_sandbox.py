"""The command that serves a sandbox."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from healthchecks_io import CheckCreate, Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class Served:
    """A sandbox that the command serves."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "healthchecks_io", "sandbox", *options]
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.exports = [self.process.stdout.readline() for _ in range(4)]
        self.environment = dict(re.findall(r"^export (\w+)=(.*)$", "".join(self.exports), re.MULTILINE))

    def client(self) -> Client:
        return Client(
            api_key=self.environment["HEALTHCHECKS_API_KEY"],
            ping_key=self.environment["HEALTHCHECKS_PING_KEY"],
            api_url=self.environment["HEALTHCHECKS_API_URL"],
            ping_url=self.environment["HEALTHCHECKS_PING_URL"],
            api_version=3,
        )

    def stop(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Interrupt it, and give its exit status and what it wrote to standard error."""
        self.process.send_signal(number)
        _, stderr = self.process.communicate(timeout=20)
        return self.process.returncode, stderr


@pytest.fixture
def serve() -> Iterator[Callable[..., Served]]:
    """Serve a sandbox, with these options."""
    started: list[Served] = []

    def serve(*options: str) -> Served:
        started.append(Served(*options))
        return started[-1]

    yield serve
    for served in started:
        served.process.kill()
        served.process.communicate()


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    return serve()


@pytest.fixture
def state(tmp_path: Path) -> str:
    return str(tmp_path / "state.sqlite")


@pytest.fixture
def names_kept(serve: Callable[..., Served], state: str) -> Callable[[], list[str]]:
    """The names of the checks that the next sandbox finds in the file."""

    def names_kept() -> list[str]:
        served = serve("--state", state)
        with served.client() as client:
            names = [check.name for check in client.get_checks()]
        served.stop()
        return names

    return names_kept


def test_what_it_prints_is_ready_for_a_shell(served: Served) -> None:
    code = "from healthchecks_io import Client; print(Client.from_env().get_checks())"
    script = f"{''.join(served.exports)} {shlex.join([sys.executable, '-c', code])}"
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_when_interrupted(served: Served, number: int) -> None:
    with served.client() as client:
        assert client.get_status()

    assert served.stop(number) == (
        0,
        "A Healthchecks server for demos, development and tests. Ctrl-C stops it.\n",
    )


def test_its_contents_outlast_it(serve: Callable[..., Served], state: str) -> None:
    first = serve("--state", state)
    with first.client() as client:
        check = client.create_check(CheckCreate(name="Backup"))
        client.success_ping(check.uuid or "", data="done")
    assert first.stop()[0] == 0

    second = serve("--state", state)
    with second.client() as client:
        (found,) = client.get_checks()
        assert (found.uuid, found.status) == (check.uuid, "up")
        assert client.get_ping_body(found.uuid or "", 1) == b"done"
    second.stop()


def test_contents_that_cannot_be_saved_now_are_saved_later(
    serve: Callable[..., Served], state: str, names_kept: Callable[[], list[str]]
) -> None:
    served = serve("--state", state)
    with contextlib.closing(sqlite3.connect(state, isolation_level=None)) as other, served.client() as client:
        other.execute("BEGIN EXCLUSIVE")
        client.create_check(CheckCreate(name="Backup"))
        assert served.process.stderr is not None
        while "database is locked. It is tried again." not in served.process.stderr.readline():
            pass
    assert served.stop()[0] == 0
    assert names_kept() == ["Backup"]


def test_contents_that_cannot_be_saved_at_the_end_are_an_error(serve: Callable[..., Served], state: str) -> None:
    served = serve("--state", state)
    with contextlib.closing(sqlite3.connect(state, isolation_level=None)) as other, served.client() as client:
        other.execute("BEGIN EXCLUSIVE")
        client.create_check(CheckCreate(name="Backup"))
        status, stderr = served.stop()

    assert status == 1
    assert "database is locked" in stderr


def test_one_file_is_for_one_sandbox(serve: Callable[..., Served], state: str) -> None:
    first = serve("--state", state)
    second = serve("--state", state)

    assert second.stop() == (1, f"Error: {state} is in use by another sandbox\n")
    assert first.stop()[0] == 0


def test_its_contents_outlast_a_crash_a_moment_later(
    serve: Callable[..., Served], state: str, names_kept: Callable[[], list[str]]
) -> None:
    served = serve("--state", state)
    with served.client() as client:
        client.create_check(CheckCreate(name="Backup"))
    time.sleep(2.5)
    served.stop(signal.SIGKILL)

    assert names_kept() == ["Backup"]


def test_it_warns_when_others_can_reach_it(serve: Callable[..., Served]) -> None:
    served = serve("--host", "0.0.0.0")  # noqa: S104 - that is the point

    assert "Warning: who can reach 0.0.0.0 can read and change everything" in served.stop()[1]


def test_localhost_is_no_reason_to_warn(serve: Callable[..., Served]) -> None:
    assert "Warning" not in serve("--host", "localhost").stop()[1]


def test_trouble_is_told_in_one_line(tmp_path: Path, served: Served) -> None:
    port = served.environment["HEALTHCHECKS_API_URL"].split(":")[2].split("/")[0]
    for options in (["--port", port], ["--state", str(tmp_path / "none" / "state")]):
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "healthchecks_io", "sandbox", *options],
            capture_output=True, text=True, check=False, env=os.environ,
        )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr.startswith("Error: ")
        assert done.stderr.count("\n") == 1
