"""`--max-time` ends the command and its descendants, with status 124."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from processes import RUN, Job, Place, Probes, eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from processes import Result

PLACES: list[Place] = ["terminal", "none", "leader"]

FAMILY = [
    "child=helper+keep",
    "child=parent+child=grandchild+child=other-grandchild+session",
    "child=group-leader+group",
    "child=session-leader+session+child=member",
    "orphan=daemon+session",
]
"""Descendants of all kinds. Those with the option `keep` survive SIGTERM."""
POLITE_FAMILY = [option.replace("+keep", "") for option in FAMILY]


@pytest.mark.parametrize("where", PLACES)
def test_nothing_is_left_of_a_command_that_exceeds_its_time(
    place: Callable[..., Job], probes: Probes, recorded: Callable[[], Any], where: Place
) -> None:
    job = place(where, *RUN, "--max-time", "2", "--", *probes.command(*POLITE_FAMILY))
    probes.wait_until_ready()
    assert len(probes.running) == 9

    assert job.wait(30) == 124
    assert probes.running == []
    received = {name: [each for each in names if each != "SIGCONT"] for name, names in probes.received.items()}
    assert received == {name: ["SIGTERM"] for name in probes.pids}
    assert [ping[:2] for ping in recorded()] == [("start", None), ("fail", 124)]


def test_what_survives_sigterm_is_killed_after_10_seconds(
    place: Callable[..., Job], tmp_path: Path, recorded: Callable[[], Any]
) -> None:
    """All at once, because of the 10 seconds."""
    ignoring = "orphan=ignoring+session+ignore=SIGTERM"
    variants = {
        "the-command": ["keep", *FAMILY, ignoring],
        "only-descendants": [*FAMILY, ignoring, "successor=late+session+keep"],
    }
    started: list[tuple[Job, Probes]] = []
    try:
        for where in PLACES:
            for name, options in variants.items():
                probes = Probes(tmp_path / f"{name}-{where}")
                started.append((place(where, *RUN, "--max-time", "2", "--", *probes.command(*options)), probes))
                probes.wait_until_ready()
        for job, probes in started:
            assert job.wait(40) == 124
            assert probes.running == [], probes.folder.name
    finally:
        for _, probes in started:
            probes.kill()
    assert [ping[:2] for ping in recorded() if ping[0] != "start"] == [("fail", 124)] * len(started)


def test_a_stopped_command_that_exceeds_its_time_is_ended(
    place: Callable[..., Job], probes: Probes, recorded: Callable[[], Any]
) -> None:
    job = place("none", *RUN, "--max-time", "1", "--", *probes.command())
    probes.wait_until_ready()
    os.kill(probes.pid(), signal.SIGSTOP)

    assert job.wait(30) == 124
    assert probes.running == []
    assert recorded()[1][:2] == ("fail", 124)


def test_the_excess_is_reported_on_standard_error_and_to_the_service(
    run: Callable[..., Result], recorded: Callable[[], Any]
) -> None:
    status, output, errors = run("--max-time", "0.5", "--", "sh", "-c", "echo begun; exec sleep 30")

    assert (status, output) == (124, b"begun\n")
    assert errors.startswith(b"py-healthchecks.io: ")
    assert b"0.5 s" in errors
    assert errors.count(b"\n") == 1
    kind, exit_status, body = recorded()[1]
    assert (kind, exit_status) == ("fail", 124)
    assert body.startswith(b"begun\n")
    assert b"0.5 s" in body


def test_a_command_that_exits_with_0_on_sigterm_has_failed(
    run: Callable[..., Result], recorded: Callable[[], Any]
) -> None:
    script = "trap 'echo cleaning up; exit 0' TERM; echo begun; while :; do sleep 0.1; done"

    assert run("--max-time", "0.5", "--", "sh", "-c", script)[:2] == (124, b"begun\ncleaning up\n")
    assert recorded()[1][:2] == ("fail", 124)
    assert b"cleaning up\n" in recorded()[1][2]


def test_a_status_that_counts_as_success_does_not_excuse_the_excess(
    run: Callable[..., Result], recorded: Callable[[], Any]
) -> None:
    script = "trap 'exit 3' TERM; while :; do sleep 0.1; done"

    assert run("--max-time", "0.5", "--ok-status", "3", "--", "sh", "-c", script).status == 124
    assert recorded()[1][:2] == ("fail", 124)


def test_a_command_that_ends_in_time_has_its_own_status(
    run: Callable[..., Result], recorded: Callable[[], Any]
) -> None:
    assert run("--max-time", "60", "--", "sh", "-c", "exit 3") == (3, b"", b"")
    assert recorded()[1] == ("fail", 3, b"")


def test_what_a_command_leaves_behind_when_it_ends_in_time_is_left_alone(
    place: Callable[..., Job], probes: Probes
) -> None:
    options = ["child=helper", "orphan=daemon+session"]
    job = place("none", *RUN, "--max-time", "60", "--", *probes.command(*options))
    probes.wait_until_ready()
    os.kill(probes.pid(), signal.SIGKILL)

    assert job.wait() == 137
    assert probes.running == ["daemon", "helper"]


def test_other_members_of_the_process_group_are_left_alone(place: Callable[..., Job], tmp_path: Path) -> None:
    """As the other commands of a pipeline at a terminal."""
    neighbour, command = Probes(tmp_path / "neighbour"), Probes(tmp_path / "command")
    try:
        line = (
            f"{shlex.join(neighbour.command('keep'))} & {shlex.join([*RUN, '--max-time', '0.5'])} -- "
            f"{shlex.join(command.command())}; exit $?"
        )
        # Without job control, the shell starts both in its own process group.
        job = place("terminal", "sh", "-c", line)
        command.wait_until_ready()
        neighbour.wait_until_ready()

        assert job.wait() == 124
        assert command.running == []
        assert neighbour.running == ["command"]
        assert neighbour.received == {"command": []}
    finally:
        neighbour.kill()
        command.kill()


def test_the_time_is_that_of_the_command_and_not_of_the_pings(
    run: Callable[..., Result], environment: dict[str, str], serve: Callable[..., str]
) -> None:
    def hang(connection: Any) -> None:
        while connection.recv(65536):
            pass

    variables = environment | {"HEALTHCHECKS_PING_URL": serve(hang)}
    started_at = time.monotonic()
    status, output, _ = run(
        *("--max-time", "20", "--http-timeout", "1", "--retries", "0", "--", sys.executable, "-c", "print('done')"),
        env=variables,
    )

    assert (status, output) == (0, b"done\n")
    assert time.monotonic() - started_at < 15


@pytest.mark.parametrize("max_time", ["0.3", "1"])
def test_a_finished_command_has_not_exceeded_its_time_although_its_child_still_writes(
    run: Callable[..., Result], recorded: Callable[[], Any], max_time: str
) -> None:
    script = "(i=0; while [ $i -lt 100 ]; do echo tick; sleep 0.05; i=$((i+1)); done) & exit 3"
    assert run("--max-time", max_time, "--", "sh", "-c", script, stdout=subprocess.DEVNULL).status == 3
    assert eventually(lambda: len(recorded()) == 2)
    assert recorded()[1][:2] == ("fail", 3)
