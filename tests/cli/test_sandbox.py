"""Tests of the `sandbox` command."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from healthchecks_io import CheckCreate, CheckNotFoundError, Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class SandboxProcess:
    """A running `sandbox` command."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-m", "healthchecks_io", "sandbox", *options]
        self.process = subprocess.Popen(  # noqa: S603 - trusted input
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
        """Send it a signal and return its exit status and standard error."""
        self.process.send_signal(number)
        _, stderr = self.process.communicate(timeout=20)
        return self.process.returncode, stderr


@pytest.fixture
def serve() -> Iterator[Callable[..., SandboxProcess]]:
    """Start the command with the given options."""
    started: list[SandboxProcess] = []

    def serve(*options: str) -> SandboxProcess:
        started.append(SandboxProcess(*options))
        return started[-1]

    yield serve
    for sandbox in started:
        sandbox.process.kill()
        sandbox.process.communicate()


@pytest.fixture
def sandbox(serve: Callable[..., SandboxProcess]) -> SandboxProcess:
    return serve()


@pytest.fixture
def state(tmp_path: Path) -> str:
    return str(tmp_path / "state.sqlite")


@pytest.fixture
def load_check_names(serve: Callable[..., SandboxProcess], state: str) -> Callable[[], list[str]]:
    """Start another sandbox with the state file and return the names of its checks."""

    def load_check_names() -> list[str]:
        sandbox = serve("--state", state)
        with sandbox.client() as client:
            names = [check.name for check in client.get_checks()]
        sandbox.stop()
        return names

    return load_check_names


def test_its_output_can_be_evaluated_by_a_shell(sandbox: SandboxProcess) -> None:
    code = "from healthchecks_io import Client; print(Client.from_env().get_checks())"
    script = f"{''.join(sandbox.exports)} {shlex.join([sys.executable, '-c', code])}"
    result = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 - trusted input
    assert result.stdout == "[]\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_when_interrupted(sandbox: SandboxProcess, number: int) -> None:
    with sandbox.client() as client:
        assert client.get_status()

    assert sandbox.stop(number) == (
        0,
        "Local Healthchecks server for demos, development and tests. Press Ctrl-C to stop.\n",
    )


def test_its_data_survives_a_restart(serve: Callable[..., SandboxProcess], state: str) -> None:
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


def test_a_failed_save_is_retried(
    serve: Callable[..., SandboxProcess], state: str, load_check_names: Callable[[], list[str]]
) -> None:
    sandbox = serve("--state", state)
    with contextlib.closing(sqlite3.connect(state, isolation_level=None)) as other, sandbox.client() as client:
        other.execute("BEGIN EXCLUSIVE")
        client.create_check(CheckCreate(name="Backup"))
        assert sandbox.process.stderr is not None
        while "database is locked. Retrying." not in sandbox.process.stderr.readline():
            pass
    assert sandbox.stop()[0] == 0
    assert load_check_names() == ["Backup"]


def test_a_failed_save_at_the_end_is_an_error(serve: Callable[..., SandboxProcess], state: str) -> None:
    sandbox = serve("--state", state)
    with contextlib.closing(sqlite3.connect(state, isolation_level=None)) as other, sandbox.client() as client:
        other.execute("BEGIN EXCLUSIVE")
        client.create_check(CheckCreate(name="Backup"))
        status, stderr = sandbox.stop()

    assert status == 1
    assert "database is locked" in stderr


def test_a_state_file_cannot_be_shared(serve: Callable[..., SandboxProcess], state: str) -> None:
    first = serve("--state", state)
    second = serve("--state", state)

    assert second.stop() == (1, f"Error: {state} is in use by another sandbox\n")
    assert first.stop()[0] == 0


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_only_the_user_can_read_the_state(serve: Callable[..., SandboxProcess], state: str) -> None:
    serve("--state", state)
    assert stat.filemode(os.stat(state).st_mode) == "-rw-------"  # noqa: PTH116 - a string, as on the command line


def test_its_data_survives_a_crash(
    serve: Callable[..., SandboxProcess], state: str, load_check_names: Callable[[], list[str]]
) -> None:
    sandbox = serve("--state", state)
    with sandbox.client() as client:
        client.create_check(CheckCreate(name="Backup"))
    time.sleep(2.5)
    sandbox.stop(signal.SIGKILL)

    assert load_check_names() == ["Backup"]


def test_further_keys_are_printed_as_comments(sandbox: SandboxProcess) -> None:
    assert sandbox.process.stdout is not None
    comments = "".join(sandbox.process.stdout.readline() for _ in range(2))
    found = re.fullmatch("# Read-only API key: (.*)\n# API key of another project: (.*)\n", comments)
    assert found is not None

    with sandbox.client() as client:
        check = client.create_check(CheckCreate(slug="backup"))
    url = sandbox.environment["HEALTHCHECKS_API_URL"]
    with Client(found[1], api_url=url) as reader, Client(found[2], api_url=url) as other:
        assert [each.unique_key is not None for each in reader.get_checks()] == [True]
        assert other.get_checks() == []
    assert check.uuid is not None


@pytest.mark.parametrize("version", ["2.9", "v2.9.1"])
def test_it_behaves_like_an_older_server(serve: Callable[..., SandboxProcess], version: str) -> None:
    with serve("--server-version", version).client() as client, pytest.raises(CheckNotFoundError):
        client.get_checks()


def test_an_unknown_server_version_is_a_usage_error() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "healthchecks_io", "sandbox", "--server-version", "1.2"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 2
    assert 'version must be a version of Healthchecks from "1.15" to "4.3", not \'1.2\'' in result.stderr


def test_it_warns_if_others_can_reach_it(serve: Callable[..., SandboxProcess]) -> None:
    sandbox = serve("--host", "0.0.0.0")  # noqa: S104 - needed to get the warning

    assert "Warning: anyone who can reach 0.0.0.0 can read and change everything" in sandbox.stop()[1]


def test_it_does_not_warn_about_localhost(serve: Callable[..., SandboxProcess]) -> None:
    assert "Warning" not in serve("--host", "localhost").stop()[1]


def test_errors_are_reported_in_one_line(tmp_path: Path, sandbox: SandboxProcess) -> None:
    port = sandbox.environment["HEALTHCHECKS_API_URL"].split(":")[2].split("/")[0]
    for options in (["--port", port], ["--state", str(tmp_path / "none" / "state")]):
        result = subprocess.run(  # noqa: S603 - trusted input
            [sys.executable, "-m", "healthchecks_io", "sandbox", *options],
            capture_output=True, text=True, check=False, env=os.environ,
        )  # fmt: skip
        assert result.returncode == 1
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
