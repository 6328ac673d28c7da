"""`run` works whatever descriptors it inherits, and the command inherits what it would without `run`."""

from __future__ import annotations

import itertools
import os
import resource
import shlex
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from processes import PYTHON, RUN

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthchecks_io.sandbox import Sandbox

CLOSED = [closed for count in range(4) for closed in itertools.combinations("012", count)]
CLI = [sys.executable, "-m", "healthchecks_io"]

INTERNAL = 1 << 31 | 1 << 32
"""Signals 32 and 33 belong to the C library, whose posix_spawn() ignores them in the new process."""

LIST_DESCRIPTORS = """
import os
found = [int(name) for name in os.listdir("/proc/self/fd")]
own = max(found)  # The descriptor of the folder itself.
print(*sorted(each for each in found if each != own), flush=True)
"""


@pytest.fixture
def sh(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """Run a line of a shell script in a session of its own."""

    def sh(line: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(  # noqa: S603 - trusted input
            ["sh", "-c", line],  # noqa: S607 - any sh
            env=environment,
            capture_output=True,
            timeout=60,
            check=False,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            **options,
        )

    return sh


def closing(descriptors: tuple[str, ...]) -> str:
    return " ".join(f"{each}{'<' if each == '0' else '>'}&-" for each in descriptors)


@pytest.mark.parametrize("closed", CLOSED, ids="-".join)
def test_any_standard_stream_may_be_closed(
    sh: Callable[..., subprocess.CompletedProcess[bytes]], recorded: Callable[[], Any], closed: tuple[str, ...]
) -> None:
    script = "echo hi; echo err >&2; cat; exit 3"
    result = sh(f"exec {shlex.join([*RUN, '--', 'sh', '-c', script])} {closing(closed)}")

    assert result.returncode == 3
    assert result.stdout == (b"" if "1" in closed else b"hi\n")
    assert result.stderr == (b"" if "2" in closed else b"err\n")
    assert [ping[:2] for ping in recorded()] == [("start", None), ("fail", 3)]
    assert sorted(recorded()[1][2].split()) == [b"err", b"hi"]


@pytest.mark.parametrize("option", ["--no-output", "--quiet", "--discard-stdout", "--quiet-success"])
@pytest.mark.parametrize("closed", [("0", "1", "2")], ids="-".join)
def test_the_command_has_all_standard_streams(
    sh: Callable[..., subprocess.CompletedProcess[bytes]],
    recorded: Callable[[], Any],
    closed: tuple[str, ...],
    option: str,
) -> None:
    check = "import os; [os.fstat(descriptor) for descriptor in range(3)]; raise SystemExit(5)"
    result = sh(f"exec {shlex.join([*RUN, option, '--', *PYTHON, '-c', check])} {closing(closed)}")

    assert result.returncode == 5
    assert [ping[:2] for ping in recorded()] == [("start", None), ("fail", 5)]


@pytest.mark.parametrize("closed", CLOSED, ids="-".join)
def test_a_warning_goes_nowhere_but_to_standard_error(
    sh: Callable[..., subprocess.CompletedProcess[bytes]], recorded: Callable[[], Any], closed: tuple[str, ...]
) -> None:
    result = sh(f"exec {shlex.join([*RUN, '--', '/nonexistent'])} {closing(closed)}")

    assert result.returncode == 127
    assert result.stdout == b""
    assert bool(result.stderr) is ("2" not in closed)
    assert recorded() == [("start", None, b""), ("fail", 127, b"cannot run /nonexistent: No such file or directory")]


@pytest.mark.parametrize("count", [1_100, 5_000])
def test_any_number_of_descriptors_may_be_open(
    sh: Callable[..., subprocess.CompletedProcess[bytes]], recorded: Callable[[], Any], count: int
) -> None:
    """select(2) supports only 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < count + 100:
        pytest.skip(f"at most {hard} descriptors may be open here")

    def open_many() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 100), hard))
        for _ in range(count):
            os.set_inheritable(os.open("/dev/null", os.O_RDONLY), True)

    script = "head -c 300000 /dev/zero; echo; echo the end; echo err >&2; exit 3"
    result = sh(f"exec {shlex.join([*RUN, '--', 'sh', '-c', script])}", preexec_fn=open_many, close_fds=False)

    assert result.returncode == 3
    assert result.stdout == bytes(300_000) + b"\nthe end\n"
    assert result.stderr == b"err\n"
    assert recorded()[1][:2] == ("fail", 3)


def test_the_command_has_no_descriptors_of_run(
    sh: Callable[..., subprocess.CompletedProcess[bytes]],
) -> None:
    command = shlex.join([*PYTHON, "-c", LIST_DESCRIPTORS])
    without = sh(f"exec {command}").stdout

    assert without == b"0 1 2\n"
    assert sh(f"exec {shlex.join(RUN)} -- {command}").stdout == without


def test_the_command_inherits_other_descriptors(
    sh: Callable[..., subprocess.CompletedProcess[bytes]],
) -> None:
    """As with `exec 9>lock; flock 9`, process substitution, or socket activation."""
    script = 'read -r line <&9; echo "$line"'
    command = shlex.join(["sh", "-c", script])

    assert sh(f"exec 9<<E\na line\nE\nexec {command}").stdout == b"a line\n"
    assert sh(f"exec 9<<E\na line\nE\nexec {shlex.join(RUN)} -- {command}").stdout == b"a line\n"


@pytest.mark.parametrize(("blocked", "ignored"), [([], []), ([10, 15], []), ([], [1]), ([10], [2, 3])], ids=str)
def test_the_command_has_the_inherited_signal_mask_and_handling(
    sh: Callable[..., subprocess.CompletedProcess[bytes]], blocked: list[int], ignored: list[int]
) -> None:
    def prepare() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)

    command = "grep -E 'Sig(Blk|Ign|Cgt)|ShdPnd' /proc/self/status"

    def state(line: str) -> dict[str, int]:
        output = sh(line, preexec_fn=prepare).stdout.decode()
        return {name: int(value, 16) & ~INTERNAL for name, value in (each.split(":") for each in output.splitlines())}

    without = state(f"exec {command}")
    assert without["SigBlk"] == sum(1 << (number - 1) for number in blocked)
    assert state(f"exec {shlex.join(RUN)} -- {command}") == without


def test_the_command_has_the_same_folder_mask_and_priority(
    sh: Callable[..., subprocess.CompletedProcess[bytes]],
) -> None:
    command = "sh -c 'pwd; umask; nice'"
    prefix = "cd /usr; umask 027; exec nice -n 3"

    without = sh(f"{prefix} {command}").stdout
    assert without == b"/usr\n0027\n3\n"
    assert sh(f"{prefix} {shlex.join(RUN)} -- {command}").stdout == without


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("ping --slug backup --data - <&-", 0),
        ("ping --slug backup >&-", 0),
        ("ping --slug backup 2>&-", 0),
        ("ping --slug backup <&- >&- 2>&-", 0),
        ("ping --slug nosuch >&-", 1),
        ("ping --slug nosuch 2>&-", 1),
        ("ping --slug nosuch <&- >&- 2>&-", 1),
        ("checks list >&-", 0),
        ("checks list 2>&-", 0),
        ("pings backup >&-", 0),
        ("status >&-", 0),
        ("checks get nosuch 2>&-", 1),
    ],
)
def test_other_commands_work_with_closed_streams(
    sh: Callable[..., subprocess.CompletedProcess[bytes]], hc: Sandbox, line: str, status: int
) -> None:
    result = sh(f"exec {shlex.join(CLI)} {line}")

    assert b"Traceback" not in result.stderr
    assert result.returncode == status
    if line.startswith("ping --slug backup"):
        assert [(ping.type, ping.body) for ping in hc.pings("backup")] == [("success", b"")]
    if "2>&-" in line:
        assert result.stderr == b""


@pytest.mark.parametrize("command", ["checks list", "pings backup", "ping --slug backup", "status"])
def test_other_commands_report_a_full_disk_in_one_line(
    sh: Callable[..., subprocess.CompletedProcess[bytes]], command: str
) -> None:
    result = sh(f"exec {shlex.join(CLI)} {command} > /dev/full")

    assert b"Traceback" not in result.stderr
    assert result.stderr.count(b"\n") == 1
    assert result.returncode > 0
