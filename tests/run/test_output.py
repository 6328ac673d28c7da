"""The output of the command comes out as without `run`: complete, in order, and in bounded memory."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from processes import IS_FULL, PYTHON, RUN, Job, eventually, is_running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from processes import Result

LINES = 1_000_000 if IS_FULL else 20_000
MEBIBYTES = 1024 if IS_FULL else 64

ALTERNATE = """
import os, sys
for i in range(int(sys.argv[1])):
    os.write(1 + i % 2, b"%d\\n" % i)
sys.exit(3)
"""
"""Writes numbered lines alternately to standard output and standard error."""


def numbered(count: int) -> bytes:
    return b"".join(b"%d\n" % i for i in range(count))


@pytest.fixture
def left_behind(tmp_path: Path) -> Iterator[Path]:
    """A file with the IDs of processes that a command leaves behind, which are killed after the test."""
    path = tmp_path / "left-behind"
    path.touch()
    yield path
    for pid in path.read_text().split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)


def failure(exit_status: int) -> bytes:
    """Return the line that --quiet-success adds for a command that fails."""
    return f"py-healthchecks.io: the command failed with exit status {exit_status}\n".encode()


@pytest.mark.parametrize("options", [[], ["--no-output"], ["--quiet-success"], ["--no-start"]])
def test_both_streams_to_one_file_keep_their_order(
    run: Callable[..., Result], tmp_path: Path, options: list[str]
) -> None:
    with (tmp_path / "both").open("wb") as both:
        status, *_ = run(*options, "--", *PYTHON, "-c", ALTERNATE, str(LINES), stdout=both, stderr=both)

    assert status == 3
    ending = failure(3) if options == ["--quiet-success"] else b""
    assert (tmp_path / "both").read_bytes() == numbered(LINES) + ending


def test_both_streams_to_one_pipe_keep_their_order(run: Callable[..., Result], recorded: Callable[[], Any]) -> None:
    _, output, _ = run("--", *PYTHON, "-c", ALTERNATE, "2000", stderr=subprocess.STDOUT)

    assert output == numbered(2000)
    assert recorded()[1][2].endswith(b"\n1998\n1999\n")


def test_both_streams_to_a_terminal_keep_their_order(place: Callable[..., Job]) -> None:
    job = place("terminal", *RUN, "--", *PYTHON, "-c", ALTERNATE, "2000")

    assert job.wait() == 3
    assert job.read().replace(b"\r\n", b"\n") == numbered(2000)


def test_both_streams_to_one_file_keep_their_order_in_the_body(
    run: Callable[..., Result], recorded: Callable[[], Any], tmp_path: Path
) -> None:
    with (tmp_path / "both").open("wb") as both:
        run("--", *PYTHON, "-c", ALTERNATE, "1000", stdout=both, stderr=both)

    assert recorded()[1] == ("fail", 3, numbered(1000))


def test_both_streams_to_one_file_with_other_writers_append(run: Callable[..., Result], tmp_path: Path) -> None:
    """As in `{ echo before; run -- COMMAND; echo after; } > file 2>&1`."""
    with (tmp_path / "both").open("wb", buffering=0) as both:
        both.write(b"before\n")
        run("--", "sh", "-c", "echo out; echo err >&2", stdout=both, stderr=both)
        both.write(b"after\n")

    assert (tmp_path / "both").read_bytes() == b"before\nout\nerr\nafter\n"


def test_two_files_get_what_is_written_to_each(run: Callable[..., Result], tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        run("--", *PYTHON, "-c", ALTERNATE, "1000", stdout=out, stderr=err)

    assert (tmp_path / "out").read_bytes() == b"".join(b"%d\n" % i for i in range(0, 1000, 2))
    assert (tmp_path / "err").read_bytes() == b"".join(b"%d\n" % i for i in range(1, 1000, 2))


def peak_memory(process: subprocess.Popen[bytes]) -> int:
    """Wait for a process and return the most memory that it or its children used, in MiB."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_maxrss // 1024


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("options", "exit_status"),
    [([], 3), (["--quiet-success"], 0), (["--quiet-success"], 3), (["--quiet"], 0)],
    ids=str,
)
def test_large_output_passes_in_bounded_memory(
    start: Callable[..., subprocess.Popen[bytes]], options: list[str], exit_status: int
) -> None:
    baseline = peak_memory(start(*options, "--", "true", stdout=subprocess.DEVNULL))
    script = f"head -c {MEBIBYTES}M /dev/zero; echo the end; exit {exit_status}"
    process = start(*options, "--", "sh", "-c", script, stdout=subprocess.PIPE)
    assert process.stdout is not None
    count, end = 0, b""
    while part := os.read(process.stdout.fileno(), 1 << 20):
        count += len(part)
        end = (end + part)[-8:]

    assert peak_memory(process) < baseline + 32
    assert process.returncode == exit_status
    is_shown = options != ["--quiet"] and (options != ["--quiet-success"] or exit_status)
    assert (count, end) == ((MEBIBYTES * 1024**2 + 8, b"the end\n") if is_shown else (0, b""))


@pytest.mark.parametrize("pause", ["0", "0.2", "0.5"])
def test_a_child_that_keeps_writing_does_not_keep_run_from_ending(
    run: Callable[..., Result], recorded: Callable[[], Any], left_behind: Path, pause: str
) -> None:
    loop = "yes tick" if pause == "0" else f"while :; do echo tick; sleep {pause}; done"
    started_at = time.monotonic()
    status, *_ = run("--", "sh", "-c", f"({loop}) & echo $! >{left_behind}; exit 3", stdout=subprocess.DEVNULL)

    assert status == 3
    assert time.monotonic() - started_at < 15
    assert recorded()[1][:2] == ("fail", 3)


def test_a_child_that_keeps_the_output_open_does_not_keep_run_from_ending(
    run: Callable[..., Result], recorded: Callable[[], Any], left_behind: Path
) -> None:
    started_at = time.monotonic()
    line = f"sleep 60 & echo $! >{left_behind}; echo out; echo err >&2"
    status, *_ = run("--", "sh", "-c", line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    assert status == 0
    assert time.monotonic() - started_at < 15
    assert recorded()[1][0] == "success"
    assert sorted(recorded()[1][2].split()) == [b"err", b"out"]


@pytest.mark.parametrize("size", [1000, 60_000, 1_000_000])
def test_all_that_the_command_wrote_is_shown_although_a_child_keeps_the_output_open(
    start: Callable[..., subprocess.Popen[bytes]], left_behind: Path, tmp_path: Path, size: int
) -> None:
    line = f"sleep 60 & echo $! >{left_behind}; head -c {size} /dev/zero; echo the end"
    with (tmp_path / "out").open("wb") as out:
        process = start("--", "sh", "-c", line, stdout=out, stderr=subprocess.DEVNULL)
        assert process.wait(30) == 0

    assert (tmp_path / "out").read_bytes() == bytes(size) + b"the end\n"


def test_a_child_that_is_left_behind_survives(run: Callable[..., Result], left_behind: Path) -> None:
    line = f"sleep 60 >/dev/null 2>&1 & echo $! >{left_behind}"
    run("--", "sh", "-c", line)
    time.sleep(0.2)

    assert is_running(int(left_behind.read_text()))


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_full_disk_changes_nothing_about_the_command(
    run: Callable[..., Result], recorded: Callable[[], Any], stream: str
) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        result = run("--", "sh", "-c", "echo out; echo err >&2; exit 3", **{stream: full})

    assert result.status == 3
    assert recorded()[1][:2] == ("fail", 3)
    assert sorted(recorded()[1][2].split()) == [b"err", b"out"]


def test_a_full_disk_changes_nothing_about_the_other_stream(run: Callable[..., Result]) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        assert b"err\n" in run("--", "sh", "-c", "echo out; echo err >&2", stdout=full).stderr
        assert run("--", "sh", "-c", "echo err >&2; echo out", stderr=full).stdout == b"out\n"


@pytest.mark.parametrize(
    ("options", "exit_status", "is_shown"),
    [
        (["--quiet-success"], 0, False),
        (["--quiet-success"], 3, True),
        (["--quiet-success", "--ok-status", "3,24"], 3, False),
        (["--quiet-success", "--ok-status", "3,24"], 24, False),
        (["--quiet-success", "--ok-status", "3,24"], 4, True),
        (["--quiet-success", "--no-output"], 0, False),
        (["--quiet-success", "--no-output"], 3, True),
    ],
)
def test_quiet_success_shows_the_output_only_when_the_command_fails(
    run: Callable[..., Result], recorded: Callable[[], Any], options: list[str], exit_status: int, is_shown: bool
) -> None:
    result = run(*options, "--", "sh", "-c", f"echo out; echo err >&2; exit {exit_status}")

    assert result == ((exit_status, b"out\n", b"err\n" + failure(exit_status)) if is_shown else (exit_status, b"", b""))
    for line in (b"out\n", b"err\n"):
        assert (line in recorded()[1][2]) is ("--no-output" not in options)


def test_with_quiet_success_a_failure_without_output_is_reported(run: Callable[..., Result]) -> None:
    result = run("--quiet-success", "--", "false")

    assert result == (1, b"", failure(1))


@pytest.mark.parametrize("script", ["kill -KILL $$", "sleep 30"])
def test_quiet_success_shows_the_output_of_a_command_that_was_ended(run: Callable[..., Result], script: str) -> None:
    result = run("--quiet-success", "--max-time", "1", "--", "sh", "-c", f"echo out; {script}")

    assert result.status in (137, 124)
    assert result.stdout == b"out\n"


def test_quiet_success_leaves_no_files(run: Callable[..., Result], environment: dict[str, str], tmp_path: Path) -> None:
    for exit_status in (0, 3):
        script = f"head -c 3M /dev/zero; exit {exit_status}"
        result = run("--quiet-success", "--", "sh", "-c", script, env=environment | {"TMPDIR": str(tmp_path)})
        assert (result.status, len(result.stdout)) == (exit_status, 3 * 1024**2 if exit_status else 0)

    assert list(tmp_path.iterdir()) == []


def test_quiet_success_stays_quiet_until_the_end(start: Callable[..., subprocess.Popen[bytes]], tmp_path: Path) -> None:
    script = f"echo early; touch {tmp_path}/begun; until [ -e {tmp_path}/go ]; do sleep 0.05; done; exit 3"
    process = start("--quiet-success", "--", "sh", "-c", script)
    assert process.stdout is not None
    os.set_blocking(process.stdout.fileno(), False)
    assert eventually((tmp_path / "begun").exists)
    time.sleep(0.3)
    assert process.stdout.read() is None
    (tmp_path / "go").touch()
    process.wait(30)

    assert process.stdout.read() == b"early\n"


def test_a_reader_that_stops_early_does_not_affect_the_command(
    start: Callable[..., subprocess.Popen[bytes]], recorded: Callable[[], Any]
) -> None:
    process = start("--", sys.executable, "-c", "for i in range(200_000): print(i)\nraise SystemExit(4)")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()

    assert process.wait(30) == 4
    assert recorded()[1][:2] == ("fail", 4)
