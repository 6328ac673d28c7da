"""Which commands `run` runs, and which exit statuses count as success."""

from __future__ import annotations

import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from processes import Result

START = ("start", None, b"")


@pytest.fixture
def script(tmp_path: Path) -> Callable[..., str]:
    """Write an executable file."""

    def write(content: bytes, mode: int = 0o755) -> str:
        path = tmp_path / "script"
        path.write_bytes(content)
        path.chmod(mode)
        return str(path)

    return write


def by_shell(*command: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["sh", "-c", shlex.join(command)], capture_output=True, check=False)  # noqa: S603,S607 - trusted input


@pytest.mark.parametrize(
    "content",
    [b'echo "$0" "$#" "$2"; exit 3\n', b"", b"# only a comment\n", b"\n\nexit 4", b"exec cat /dev/null"],
    ids=["arguments", "empty", "comment", "blank-lines", "exec"],
)
def test_an_executable_file_that_is_no_program_is_run_by_sh(
    run: Callable[..., Result], recorded: Callable[[], Any], script: Callable[..., str], content: bytes
) -> None:
    command = [script(content), "a b", "*"]
    expected = by_shell(*command)

    assert run("--", *command) == (expected.returncode, expected.stdout, expected.stderr)
    assert recorded()[1][1] == (expected.returncode or None)


def test_such_a_file_is_found_on_the_path(
    run: Callable[..., Result], environment: dict[str, str], script: Callable[..., str], tmp_path: Path
) -> None:
    script(b'echo "ran $1"; exit 3')
    variables = environment | {"PATH": f"{tmp_path}:{environment['PATH']}"}

    assert run("--", "script", "it", env=variables) == (3, b"ran it\n", b"")


@pytest.mark.parametrize("content", [b"#!/nonexistent/interpreter\n", b"#!/bin/sh\nexit 5\n"], ids=["none", "sh"])
def test_a_file_with_an_interpreter_is_run_by_it(
    run: Callable[..., Result], script: Callable[..., str], content: bytes
) -> None:
    path = script(content)

    assert run("--", path).status == by_shell(path).returncode


@pytest.mark.parametrize("kind", ["missing", "not-executable", "folder"])
def test_a_command_that_cannot_be_run_has_the_status_of_a_shell(
    run: Callable[..., Result],
    recorded: Callable[[], Any],
    script: Callable[..., str],
    tmp_path: Path,
    kind: str,
) -> None:
    path = script(b"", 0o644)
    command = {
        "missing": str(tmp_path / "missing"),
        "not-executable": path,
        "folder": str(tmp_path),
    }[kind]
    expected = by_shell(command).returncode
    status, output, errors = run("--", command)

    assert (status, output) == (expected, b"")
    assert errors.startswith(f"py-healthchecks.io: cannot run {command}: ".encode())
    assert recorded()[:1] == [START]
    assert recorded()[1][:2] == ("fail", expected)


def test_shell_runs_one_string(run: Callable[..., Result], recorded: Callable[[], Any]) -> None:
    assert run("--shell", "--", 'echo "a  b" | tr a c; exit 3') == (3, b"c  b\n", b"")
    assert recorded() == [START, ("fail", 3, b"c  b\n")]


def test_without_shell_a_string_is_the_name_of_a_program(run: Callable[..., Result]) -> None:
    assert run("--", "echo a; exit 3").status == 127


@pytest.mark.parametrize("status", [3, 24])
def test_other_statuses_may_count_as_success(
    run: Callable[..., Result], recorded: Callable[[], Any], status: int
) -> None:
    result = run("--ok-status", "3,24", "--", "sh", "-c", f"echo out; exit {status}")

    assert result == (status, b"out\n", b"")
    assert recorded()[0] == START
    assert recorded()[1][:2] == ("success", None)
    assert recorded()[1][2].startswith(b"out\n")


@pytest.mark.parametrize("status", [0, 1, 4, 23])
def test_the_remaining_statuses_mean_what_they_mean(
    run: Callable[..., Result], recorded: Callable[[], Any], status: int
) -> None:
    assert run("--ok-status", "3,24", "--", "sh", "-c", f"exit {status}").status == status
    assert recorded()[1][:2] == (("fail", status) if status else ("success", None))


def test_what_to_send_on_success_applies_to_such_a_status(
    run: Callable[..., Result], recorded: Callable[[], Any]
) -> None:
    run("--ok-status", "3", "--on-success", "log", "--", "sh", "-c", "exit 3")

    assert recorded()[1][:2] == ("log", None)


@pytest.mark.parametrize("value", ["", "x", "3;24", "256", "-1", "3,"])
def test_invalid_statuses_are_reported_before_the_command_starts(
    run: Callable[..., Result], recorded: Callable[[], Any], value: str
) -> None:
    status, output, errors = run("--ok-status", value, "--", "echo", "out")

    assert (status, output) == (2, b"")
    assert b"--ok-status" in errors
    assert recorded() == []


def test_the_environment_of_the_command_is_that_of_run(run: Callable[..., Result], environment: dict[str, str]) -> None:
    """Also in the C locale, in which Python sets LC_CTYPE for itself."""
    variables = {name: value for name, value in environment.items() if name not in ("LANG", "LC_ALL", "LC_CTYPE")}
    without = subprocess.run(["env", "-0"], env=variables, stdout=subprocess.PIPE, check=True).stdout  # noqa: S607 - any env
    output = run("--", "env", "-0", env=variables).stdout

    assert sorted(output.split(b"\0")) == sorted(without.split(b"\0"))
