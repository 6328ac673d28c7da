"""Ctrl-Z, `fg` and background jobs work as without `run`."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest
from processes import PYTHON, RUN, Job, Probes, eventually, process_state

if TYPE_CHECKING:
    from collections.abc import Callable

READ_LINE = """
import sys
sys.stderr.write("ready\\n")
sys.exit(5 if sys.stdin.readline() == "a line\\n" else 1)
"""


@pytest.mark.parametrize("options", [[], ["group"]], ids=["foreground", "own-group"])
def test_ctrl_z_stops_run_and_the_command_and_fg_continues_both(
    place: Callable[..., Job], probes: Probes, recorded: Callable[[], Any], options: list[str]
) -> None:
    job = place("terminal", *RUN, "--", *probes.command(*options))
    probes.wait_until_ready()
    for times in (1, 2):
        job.type(b"\x1a")
        assert eventually(lambda times=times: job.stops == times)  # type: ignore[misc]  # python/mypy#15459
        assert eventually(lambda: process_state(probes.pid()) == "T")
        job.bring_to_foreground()
        assert eventually(lambda: process_state(probes.pid()) in "RS" and process_state(job.pid) in "RS")
    job.type(b"\x03")

    assert job.wait() == 130
    assert probes.received["command"].count("SIGINT") == 1
    assert [ping[:2] for ping in recorded()] == [("start", None), ("fail", 130)]


def test_a_job_that_was_terminated_while_stopped_ends_when_it_continues(
    place: Callable[..., Job], probes: Probes, recorded: Callable[[], Any]
) -> None:
    job = place("terminal", *RUN, "--", *probes.command())
    probes.wait_until_ready()
    job.type(b"\x1a")
    assert eventually(lambda: job.stops and process_state(probes.pid()) == "T")
    job.send(signal.SIGTERM)
    time.sleep(0.2)
    assert job.status is None
    job.bring_to_foreground()

    assert job.wait() == 143
    assert [ping[:2] for ping in recorded()] == [("start", None), ("fail", 143)]


def test_ctrl_z_stops_nothing_where_nobody_could_continue_it(place: Callable[..., Job], probes: Probes) -> None:
    """The kernel drops the stop signals of a terminal for the leader of a session, which has no shell above it."""
    job = place("leader", *RUN, "--", *probes.command())
    probes.wait_until_ready()
    job.type(b"\x1a")
    time.sleep(0.5)

    assert process_state(job.pid) in "RS"
    assert process_state(probes.pid()) in "RS"
    probes.end()
    assert job.wait() == 7


@pytest.mark.parametrize("with_run", [True, False])
def test_a_background_job_that_reads_the_terminal_stops_until_it_is_in_the_foreground(
    place: Callable[..., Job], with_run: bool
) -> None:
    command = [*PYTHON, "-c", READ_LINE]
    job = place("background", *(RUN if with_run else []), *(["--"] if with_run else []), *command)
    # Its output may not have been shown by then, because `run` stops with it.
    assert eventually(lambda: job.stops == 1)
    job.bring_to_foreground()
    job.type(b"a line\n")

    assert job.wait() == 5


def test_the_command_can_read_the_terminal(place: Callable[..., Job]) -> None:
    job = place("terminal", *RUN, "--", *PYTHON, "-c", READ_LINE)
    assert eventually(lambda: b"ready" in job.read())
    job.type(b"a line\n")

    assert job.wait() == 5


def test_a_stopped_command_has_not_ended(
    place: Callable[..., Job], probes: Probes, recorded: Callable[[], Any]
) -> None:
    job = place("none", *RUN, "--", *probes.command())
    probes.wait_until_ready()
    for _ in range(3):
        os.kill(probes.pid(), signal.SIGSTOP)
        assert eventually(lambda: process_state(probes.pid()) == "T")
        os.kill(probes.pid(), signal.SIGCONT)
        assert eventually(lambda: process_state(probes.pid()) != "T")
    assert job.status is None
    probes.end()

    assert job.wait() == 7
    assert [ping[:2] for ping in recorded()] == [("start", None), ("fail", 7)]


@pytest.mark.parametrize(
    ("where", "stays"), [("terminal", True), ("leader", True), ("none", False), ("subreaper", False)]
)
def test_the_command_stays_in_the_process_group_only_where_there_is_a_terminal(
    place: Callable[..., Job], probes: Probes, where: str, stays: bool
) -> None:
    job = place(where, *RUN, "--", *probes.command())
    probes.wait_until_ready()

    assert os.getpgid(probes.pid()) == (os.getpgid(job.pid) if stays else probes.pid())
    probes.end()
    job.wait()
