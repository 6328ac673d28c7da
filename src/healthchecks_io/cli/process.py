"""Runs a command for ``run``: starts it, forwards its output and signals, and waits for it."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from healthchecks_io.cli.signals import TERMINATION_SIGNALS, signal_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthchecks_io.cli.signals import SignalReceiver
    from healthchecks_io.trap.run_log import RunLog

_CANNOT_EXECUTE, _NOT_FOUND, _TIMED_OUT = 126, 127, 124
"""Exit statuses, following shells and timeout(1)."""

_SECONDS_BEFORE_KILL = 10.0
"""How long a command that timed out has to exit after SIGTERM before it gets SIGKILL, and how long to wait for its
remaining output to be written once it was stopped."""
_SECONDS_OF_SILENCE = 0.3
"""How long to wait for more output once the command has exited. A background process that it started may keep its
output open forever."""


class Streams(NamedTuple):
    """What to do with the output of a command.

    Attributes:
        are_shown: Whether to show the output on this program's standard output and standard error.
        are_logged: Whether to add the output to the log.
        has_stdout: Whether to use standard output. If false, it is discarded.
    """

    are_shown: bool = True
    are_logged: bool = True
    has_stdout: bool = True


class CommandResult(NamedTuple):
    """How a command ended.

    Attributes:
        exit_status: Its exit status from 0 to 255, following shells.
        problem: A message with details that the exit status does not show. May be empty.
        exec_failed: Whether the command could not be executed.
        stopped_by: The number of the termination signal that this program received, or 0.
        timed_out: Whether the command exceeded its maximum time and was stopped.
    """

    exit_status: int
    problem: str = ""
    exec_failed: bool = False
    stopped_by: int = 0
    timed_out: bool = False


def run_command(
    command: Sequence[str], streams: Streams, log: RunLog, signals: SignalReceiver, max_time: float | None
) -> CommandResult:
    """Run a command until it exits, forwarding termination signals to it.

    Args:
        command: The program and its arguments.
        streams: What to do with the output.
        log: The log to add the output to.
        signals: The receiver of signals, already started.
        max_time: The seconds after which to stop the command, if any.
    """
    # Drain signals left over from the previous run, such as its SIGCHLD.
    while (received := signals.wait(0)) is not None:
        if received.number in TERMINATION_SIGNALS:
            problem = f"not started: received {signal_name(received.number)}"
            return CommandResult(128 + received.number, problem, stopped_by=received.number)
    pipe = subprocess.PIPE if streams.are_logged else None if streams.are_shown else subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603 - running a command is the purpose of this function
            command,
            stdout=pipe if streams.has_stdout else subprocess.DEVNULL,
            stderr=pipe,
            preexec_fn=signals.restore_in_child,  # noqa: PLW1509 - no threads are running at this point
        )
    except OSError as error:
        status = _NOT_FOUND if isinstance(error, FileNotFoundError) else _CANNOT_EXECUTE
        return CommandResult(status, f"cannot run {command[0]}: {error.strerror}", exec_failed=True)
    exit_reader, exit_writer = os.pipe()
    copiers = [
        threading.Thread(target=_copy, args=(source.fileno(), exit_reader, destination, log), daemon=True)
        for source, destination in (
            (process.stdout, 1 if streams.are_shown and sys.stdout is not None else None),
            (process.stderr, 2 if streams.are_shown and sys.stderr is not None else None),
        )
        if source is not None
    ]
    for copier in copiers:
        copier.start()
    result = _wait(process, signals, max_time)
    # Closing the write end makes the read end readable, which notifies the copiers that the command has exited.
    os.close(exit_writer)
    timeout = _SECONDS_BEFORE_KILL if result.stopped_by or result.timed_out else float("inf")
    is_copied, stopped_by = _wait_for_output(copiers, signals, timeout)
    if is_copied:
        os.close(exit_reader)
        for source in (process.stdout, process.stderr):
            if source is not None:
                source.close()
    return result._replace(stopped_by=result.stopped_by or stopped_by)


def _wait_for_output(copiers: Sequence[threading.Thread], signals: SignalReceiver, timeout: float) -> tuple[bool, int]:
    """Wait until all output is copied. A consumer that does not read it, such as a stopped less(1), can block this.

    Returns:
        Whether all output was copied, and the number of the termination signal that ended the wait, or 0. If not all
        output was copied, the threads are still running.
    """
    deadline = time.monotonic() + timeout
    for copier in copiers:
        while copier.is_alive():
            copier.join(0.1)
            received = signals.wait(0)
            if received is not None and received.number in TERMINATION_SIGNALS:
                return False, received.number
            if time.monotonic() > deadline:
                return False, 0
    return True, 0


def _wait(process: subprocess.Popen[bytes], signals: SignalReceiver, max_time: float | None) -> CommandResult:
    deadline = float("inf") if max_time is None else time.monotonic() + max_time
    stopped_by = 0
    timed_out = False
    while process.poll() is None:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            process.send_signal(signal.SIGKILL if timed_out else signal.SIGTERM)
            deadline = float("inf") if timed_out else time.monotonic() + _SECONDS_BEFORE_KILL
            timed_out = True
            continue
        received = signals.wait(min(remaining, 3600.0))
        if received is not None and received.number in TERMINATION_SIGNALS:
            stopped_by = received.number
            if not received.is_from_terminal:
                process.send_signal(received.number)
    status = process.returncode if process.returncode >= 0 else 128 - process.returncode
    problem = f"killed by {signal_name(-process.returncode)}" if process.returncode < 0 else ""
    if timed_out:
        problem = f"timed out after {max_time:g} s"
        status = status or _TIMED_OUT
    return CommandResult(status, problem, stopped_by=stopped_by, timed_out=timed_out)


def _copy(source: int, exit_reader: int, destination: int | None, log: RunLog) -> None:
    """Copy output to the log and the destination until it ends, or until it pauses after the command has exited."""
    watched = [source, exit_reader]
    while True:
        ready = select.select(watched, [], [], _SECONDS_OF_SILENCE if len(watched) == 1 else None)[0]
        if not ready:
            return
        if source not in ready:
            watched = [source]
            continue
        output = os.read(source, 65536)
        if not output:
            return
        log.add_bytes(output)
        # A consumer that closes its end early, such as head(1), does not stop the command.
        if destination is not None and not _write(destination, output):
            destination = None


def _write(descriptor: int, output: bytes) -> bool:
    """Write all output. Return False if it can no longer be written."""
    while output:
        try:
            output = output[os.write(descriptor, output) :]
        except BlockingIOError:  # noqa: PERF203 - any write may block
            select.select([], [descriptor], [])
        except OSError:
            return False
    return True
