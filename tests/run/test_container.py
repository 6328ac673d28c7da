"""As the first process of a container, `run` reaps what the command leaves behind, and gets its signals."""

from __future__ import annotations

import functools
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from processes import PYTHON, RUN, Job, Probes, Result, eventually, process_state

if TYPE_CHECKING:
    from collections.abc import Callable

ORPHANS = "i=0; while [ $i -lt 30 ]; do (sleep 0.05 &); i=$((i+1)); done"
"""Leaves 30 processes behind, which end soon."""


@functools.cache
def unshare() -> list[str]:
    """Return a command that runs another as the first process of a new PID namespace, or nothing if none works here."""
    path = shutil.which("unshare") or ""
    for options in (["--pid"], ["--user", "--map-root-user", "--pid"]):
        command = [path, *options, "--fork", "--kill-child", "--mount-proc"]
        if path and not subprocess.run([*command, "true"], capture_output=True, check=False).returncode:  # noqa: S603 - trusted input
            return command
    return []


@pytest.fixture
def container() -> list[str]:
    if not unshare():
        pytest.skip("a PID namespace needs unshare(1) and the permission to use it")
    return unshare()


@pytest.fixture
def run_first(container: list[str], environment: dict[str, str]) -> Callable[..., Result]:
    """Run a command as the first process of a container."""

    def run_first(*command: str) -> Result:
        completed = subprocess.run(  # noqa: S603 - trusted input
            [*container, *command],
            env=environment,
            capture_output=True,
            check=False,
            timeout=60,
            start_new_session=True,
        )
        return Result(completed.returncode, completed.stdout, completed.stderr)

    return run_first


COUNT_ZOMBIES = """
import os, time
def zombies():
    found = 0
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                found += open(f"/proc/{name}/stat").read().rpartition(")")[2].split()[0] == "Z"
            except OSError:
                pass
    return found
end = time.monotonic() + 10
time.sleep(0.5)
while zombies() and time.monotonic() < end:
    time.sleep(0.05)
print(zombies())
"""


@pytest.mark.parametrize("script", ["exit 0", "echo out; exit 3", "kill -TERM $$"])
def test_the_exit_status_is_that_of_the_command(
    run_first: Callable[..., Result], recorded: Callable[[], Any], script: str
) -> None:
    expected = subprocess.run(["sh", "-c", f"sh -c {shlex.quote(script)}; exit $?"], capture_output=True, check=False)  # noqa: S603,S607 - trusted input
    status, output, errors = run_first(*RUN, "--", "sh", "-c", script)

    assert (status, output, errors) == (expected.returncode, expected.stdout, b"")
    assert recorded()[1][1] == (expected.returncode or None)


def test_orphans_are_reaped_while_the_command_runs(
    run_first: Callable[..., Result], recorded: Callable[[], Any]
) -> None:
    script = f"{ORPHANS}; {shlex.join([*PYTHON, '-c', COUNT_ZOMBIES])}; exit 3"

    assert run_first(*RUN, "--", "sh", "-c", script) == (3, b"0\n", b"")
    assert recorded()[1][:2] == ("fail", 3)


def test_the_status_of_an_orphan_is_not_taken_for_that_of_the_command(
    run_first: Callable[..., Result], recorded: Callable[[], Any]
) -> None:
    script = "for i in 1 2 3 4 5 6 7 8 9; do ( (sleep 0.05; exit $i) & ); done; sleep 0.5; exit 42"

    assert run_first(*RUN, "--", "sh", "-c", script).status == 42
    assert recorded()[1][:2] == ("fail", 42)


def test_run_ends_although_orphans_are_left(run_first: Callable[..., Result]) -> None:
    assert run_first(*RUN, "--", "sh", "-c", "(sleep 100 &); exit 3").status == 3


def namespace_init(job: Job) -> int:
    """Return the ID of the first process of the namespace, as seen from outside."""
    children = Path(f"/proc/{job.pid}/task/{job.pid}/children")
    assert eventually(children.read_text)
    return int(children.read_text().split()[0])


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT", "USR1"])
def test_signals_are_passed_on_to_the_command(
    place: Callable[..., Job], container: list[str], probes: Probes, recorded: Callable[[], Any], name: str
) -> None:
    """The kernel drops signals to the first process that it does not handle."""
    number = signal.Signals[f"SIG{name}"]
    job = place("none", *container, *RUN, "--", *probes.command())
    probes.wait_until_ready()
    os.kill(namespace_init(job), number)

    assert job.wait() == 128 + number
    assert probes.received == {"command": [f"SIG{name}"]}
    assert recorded()[1][:2] == ("fail", 128 + number)


@pytest.mark.parametrize("kind", ["none", "leader"])
def test_the_maximum_time_ends_the_command_and_what_it_left_behind(
    place: Callable[..., Job],
    container: list[str],
    probes: Probes,
    recorded: Callable[[], Any],
    kind: Any,
) -> None:
    options = ["child=helper+session", "orphan=daemon+session"]
    job = place(kind, *container, *RUN, "--max-time", "1.5", "--", *probes.command(*options))
    probes.wait_until_ready()

    assert job.wait(30) == 124
    assert recorded()[1][:2] == ("fail", 124)
    # SIGTERM came before the end of the namespace, which ends everything with SIGKILL.
    received = {name: [each for each in names if each != "SIGCONT"] for name, names in probes.received.items()}
    assert received == {name: ["SIGTERM"] for name in ("command", "daemon", "helper")}


@pytest.mark.parametrize("is_first", [True, False], ids=["first-process", "subreaper"])
def test_zombies_do_not_pile_up_between_runs(
    place: Callable[..., Job], request: pytest.FixtureRequest, recorded: Callable[[], Any], is_first: bool
) -> None:
    prefix = request.getfixturevalue("container") if is_first else []
    command = ["sh", "-c", "(sleep 0.05; :) & (sleep 0.3; :) & exit 0"]
    job = place("subreaper", *prefix, *RUN, "--every", "0.2", "--quiet", "--", *command)
    runner = namespace_init(job) if is_first else job.pid
    children = Path(f"/proc/{runner}/task/{runner}/children")
    assert eventually(lambda: len(recorded()) >= 16)

    def zombies() -> list[int]:
        return [pid for pid in map(int, children.read_text().split()) if process_state(pid) == "Z"]

    # A run that goes on may leave one for a moment.
    assert eventually(lambda: not zombies())
    os.kill(runner, signal.SIGTERM)
    job.wait()


def test_the_first_process_may_run_every_minute_and_be_terminated_between_runs(
    place: Callable[..., Job], container: list[str], recorded: Callable[[], Any]
) -> None:
    job = place("none", *container, *RUN, "--every", "1m", "--", sys.executable, "-c", "print('run')")
    assert eventually(lambda: len(recorded()) == 2)
    time.sleep(0.5)
    os.kill(namespace_init(job), signal.SIGTERM)

    # The run may not be over, although its last ping has arrived.
    assert job.wait() in (0, 143)
    assert [ping[0] for ping in recorded()] == ["start", "success"]
