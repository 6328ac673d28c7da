"""Each signal reaches the command exactly as it does without `run`, and `run` ends as the command does.

Every test starts the same command twice: with `run`, and without it in the same place.
"""

from __future__ import annotations

import itertools
import os
import signal
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from processes import IS_FULL, RUN, Job, Place, Probes, eventually, is_running, process_state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SIGNALS = ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM", "ABRT", "XCPU", "WINCH", "CONT"]
HARMLESS = ["WINCH", "CONT"]
"""Signals that do not end a process by default."""

COMMANDS: dict[str, list[str]] = {
    "foreground": [],
    "own-session": ["session"],
    "ignoring": ["ignore=SIG{signal}"],
    "grandchildren": ["child=helper+keep", "child=solo+keep+session"],
    "stopped": [],
}
PLACES: list[Place] = ["terminal", "none", "leader"]


class KeyPress(NamedTuple):
    """Something that happens at a terminal, and the signal that the kernel sends then."""

    signal: str
    act: Callable[[Job], None]


AT_TERMINAL = {
    "ctrl-c": KeyPress("INT", lambda job: job.type(b"\x03")),
    "ctrl-backslash": KeyPress("QUIT", lambda job: job.type(b"\x1c")),
    "resize": KeyPress("WINCH", Job.resize),
    "hangup": KeyPress("HUP", Job.hang_up),
}


class Pair(NamedTuple):
    """The same command with `run` and without."""

    jobs: list[Job]
    probes: list[Probes]

    def each(self) -> Iterator[tuple[Job, Probes]]:
        return zip(self.jobs, self.probes, strict=True)


@pytest.fixture
def start_pair(place: Callable[..., Job], tmp_path: Path) -> Iterator[Callable[..., Pair]]:
    pairs: list[Pair] = []

    def start(where: Place, options: list[str], options_without_run: list[str] | None = None, **more: Any) -> Pair:
        probes = [Probes(tmp_path / "with-run"), Probes(tmp_path / "without")]
        pair = Pair([], probes)
        pairs.append(pair)
        without_run = options if options_without_run is None else options_without_run
        pair.jobs.append(place(where, *RUN, "--", *probes[0].command(*options), **more))
        pair.jobs.append(place(where, *probes[1].command(*without_run), **more))
        for job, each in pair.each():
            assert eventually(lambda job=job, each=each: each.is_ready() or job.status is not None)  # type: ignore[misc]  # python/mypy#15459
            assert each.is_ready(), "the command was not started"
        return pair

    yield start
    for pair in pairs:
        for probes in pair.probes:
            probes.kill()


def compare(
    start_pair: Callable[..., Pair],
    recorded: Callable[[], Any],
    where: Place,
    kind: str,
    name: str,
    act: Callable[[Job], None],
    *,
    ignored: tuple[str, ...] = (),
) -> None:
    """Start a pair, do something to both, and compare what happens.

    Args:
        name: The signal that reaches the command as a result.
        act: What to do to a job.
        ignored: Signals to leave out of the comparison.
    """
    options = [option.format(signal=name) for option in COMMANDS[kind]]
    # The signal reaches the process that was started. Without `run`, a command in a session of its own is not that one.
    pair = start_pair(where, options, [] if kind == "own-session" else options)
    for _, probes in pair.each():
        if kind == "stopped":
            command = probes.pid()
            os.kill(command, signal.SIGSTOP)
            assert eventually(lambda command=command: process_state(command) == "T")  # type: ignore[misc]  # python/mypy#15459

    for job in pair.jobs:
        act(job)
    # Whoever hangs up a terminal continues its processes.
    if kind == "stopped" and "SIGCONT" not in (f"SIG{name}", *ignored):
        time.sleep(0.2)
        for job, probes in pair.each():
            assert (job.status, probes.received) == (None, {"command": []})
            os.kill(probes.pid(), signal.SIGCONT)
    if kind == "ignoring":
        time.sleep(0.3)
        assert [job.status for job in pair.jobs] == [None, None]
    if kind == "ignoring" or name in HARMLESS:
        for job, probes in pair.each():
            if kind != "ignoring":
                eventually(lambda probes=probes: f"SIG{name}" in probes.received["command"], 5)  # type: ignore[misc]  # python/mypy#15459
                time.sleep(0.2)  # A second one could follow.
            assert job.status is None
            probes.end()

    with_run, without = pair.jobs
    expected_status = without.wait()
    assert with_run.wait() == expected_status
    assert not is_running(pair.probes[0].pid())

    def received(probes: Probes) -> dict[str, list[str]]:
        return {who: [each for each in what if each not in ignored] for who, what in probes.received.items()}

    # What the end of a session's leader sends to its group arrives later.
    eventually(lambda: received(pair.probes[0]) == received(pair.probes[1]), 2)
    assert received(pair.probes[0]) == received(pair.probes[1])
    assert [ping[:2] for ping in recorded()] == [("start", None), ("fail", expected_status)]


def cells() -> Iterator[Any]:
    """Return all combinations, or those of each signal and each place with one kind of command."""
    for (i, name), (j, kind), (k, where) in itertools.product(
        enumerate(SIGNALS), enumerate(COMMANDS), enumerate(PLACES)
    ):
        if IS_FULL or (i + k) % len(COMMANDS) == j:
            yield pytest.param(where, kind, name, id=f"{name}-{kind}-{where}")


@pytest.mark.parametrize(("where", "kind", "name"), list(cells()))
def test_a_signal_to_run_has_the_effect_of_a_signal_to_the_command(
    start_pair: Callable[..., Pair], recorded: Callable[[], Any], where: Place, kind: str, name: str
) -> None:
    number = signal.Signals[f"SIG{name}"]
    compare(start_pair, recorded, where, kind, name, lambda job: job.send(number))


def terminal_cells() -> Iterator[Any]:
    for (i, event), (j, kind), (k, where) in itertools.product(
        enumerate(AT_TERMINAL), enumerate(COMMANDS), enumerate(["terminal", "leader"])
    ):
        if IS_FULL or kind == "own-session" or (i + j + k) % 2 == 0:
            yield pytest.param(where, kind, event, id=f"{event}-{kind}-{where}")


@pytest.mark.parametrize(("where", "kind", "event"), list(terminal_cells()))
def test_a_signal_from_the_terminal_reaches_the_command_once(
    start_pair: Callable[..., Pair], recorded: Callable[[], Any], where: Place, kind: str, event: str
) -> None:
    name, act = AT_TERMINAL[event]
    # At a hangup, the kernel sends SIGCONT as well, but the command may have ended by then.
    compare(start_pair, recorded, where, kind, name, act, ignored=("SIGCONT",) if event == "hangup" else ())


@pytest.mark.parametrize("where", PLACES)
def test_a_command_that_handles_a_signal_sets_the_exit_status(
    start_pair: Callable[..., Pair], recorded: Callable[[], Any], where: Place
) -> None:
    pair = start_pair(where, ["exit=3"])
    for job in pair.jobs:
        job.send(signal.SIGTERM)

    assert [job.wait() for job in pair.jobs] == [3, 3]
    assert [ping[:2] for ping in recorded()] == [("start", None), ("fail", 3)]


@pytest.mark.parametrize(
    ("where", "name"), [("none", "HUP"), ("terminal", "INT"), ("leader", "QUIT"), ("leader", "HUP"), ("none", "USR1")]
)
def test_a_signal_that_was_ignored_from_the_start_stays_ignored(
    start_pair: Callable[..., Pair], recorded: Callable[[], Any], where: Place, name: str
) -> None:
    """As with nohup(1), and for background jobs of a script."""
    number = signal.Signals[f"SIG{name}"]
    pair = start_pair(where, ["inherit"], before=lambda: signal.signal(number, signal.SIG_IGN))
    for job in pair.jobs:
        job.send(number)
    time.sleep(0.3)
    assert [job.status for job in pair.jobs] == [None, None]
    for probes in pair.probes:
        probes.end()

    assert [job.wait() for job in pair.jobs] == [7, 7]
    assert [ping[:2] for ping in recorded()] == [("start", None), ("fail", 7)]


def test_each_of_many_signals_is_passed_on(start_pair: Callable[..., Pair]) -> None:
    pair = start_pair("none", ["keep"])
    for name in SIGNALS * 2:
        for job, probes in pair.each():
            count = len(probes.received["command"])
            job.send(signal.Signals[f"SIG{name}"])
            # Otherwise the kernel would combine two signals with the same number.
            eventually(lambda probes=probes, count=count: len(probes.received["command"]) > count, 5)  # type: ignore[misc]  # python/mypy#15459

    with_run, without = pair.probes
    assert with_run.received == without.received


def test_the_end_of_the_command_is_reported_with_the_signal_that_killed_it(
    place: Callable[..., Job], probes: Probes, recorded: Callable[[], Any]
) -> None:
    job = place("none", *RUN, "--", *probes.command())
    probes.wait_until_ready()
    job.send(signal.SIGUSR1)

    assert job.wait() == 128 + signal.SIGUSR1
    assert recorded()[1] == ("fail", 128 + signal.SIGUSR1, b"killed by SIGUSR1")


def test_a_command_that_is_killed_directly_is_reported(
    place: Callable[..., Job], probes: Probes, recorded: Callable[[], Any]
) -> None:
    job = place("none", *RUN, "--", *probes.command())
    probes.wait_until_ready()
    os.kill(probes.pid(), signal.SIGKILL)

    assert job.wait() == 137
    assert recorded()[1] == ("fail", 137, b"killed by SIGKILL")
