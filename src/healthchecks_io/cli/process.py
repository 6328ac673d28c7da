"""The command that ``run`` runs: its start, its output, and its end."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from healthchecks_io.cli.signals import ENDING, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthchecks_io.cli.signals import Signals
    from healthchecks_io.client.run_log import RunLog

_CANNOT_RUN, _NOT_FOUND, _TIMED_OUT = 126, 127, 124
"""Exit statuses, as shells and timeout(1) have them."""

_GRACE = 10.0
"""Seconds that a command which took too long has to end, before it is killed; and who reads its output, to take it."""
_SILENCE = 0.3
"""Seconds without output after which a command that has ended is believed to have no more: what it has started and left
behind may hold its output open for ever."""


class Streams(NamedTuple):
    """What becomes of the command's output.

    Attributes:
        are_shown: Whether it appears where ours does.
        are_logged: Whether it goes into the log.
        has_stdout: Whether standard output counts; else it is thrown away.
    """

    are_shown: bool = True
    are_logged: bool = True
    has_stdout: bool = True


class Ending(NamedTuple):
    """How a command ended.

    Attributes:
        status: Its exit status, from 0 to 255, as shells have it.
        problem: What is to be said about it, if it is more than the status says.
        was_run: Whether it could be run.
        stopped_by: The signal that ended it through us, if one did.
        is_late: Whether it took longer than it may, and was stopped.
    """

    status: int
    problem: str = ""
    was_run: bool = True
    stopped_by: int = 0
    is_late: bool = False


def run_command(
    command: Sequence[str], streams: Streams, log: RunLog, signals: Signals, max_time: float | None
) -> Ending:
    """Run a command to its end. Signals that end commands are passed on to it."""
    # What is left of the run before, such as the news of its end, is no reason.
    while (came := signals.wait(0)) is not None:
        if came.number in ENDING:
            return Ending(128 + came.number, f"not started because of {name_of(came.number)}", stopped_by=came.number)
    pipe = subprocess.PIPE if streams.are_logged else None if streams.are_shown else subprocess.DEVNULL
    try:
        process = subprocess.Popen(  # noqa: S603 - to run a command is what this is for
            command,
            stdout=pipe if streams.has_stdout else subprocess.DEVNULL,
            stderr=pipe,
            preexec_fn=signals.unblock,  # noqa: PLW1509 - there are no threads when a command is started
        )
    except OSError as error:
        status = _NOT_FOUND if isinstance(error, FileNotFoundError) else _CANNOT_RUN
        return Ending(status, f"{command[0]} cannot be run: {error.strerror}", was_run=False)
    has_ended, ended = os.pipe()
    readers = [
        threading.Thread(target=_copy, args=(source.fileno(), has_ended, shown, log), daemon=True)
        for source, shown in (
            (process.stdout, 1 if streams.are_shown and sys.stdout is not None else None),
            (process.stderr, 2 if streams.are_shown and sys.stderr is not None else None),
        )
        if source is not None
    ]
    for reader in readers:
        reader.start()
    ending = _wait(process, signals, max_time)
    os.close(ended)
    patience = _GRACE if ending.stopped_by or ending.is_late else float("inf")
    is_copied, stopped_by = _wait_for_output(readers, signals, patience)
    if is_copied:
        os.close(has_ended)
        for source in (process.stdout, process.stderr):
            if source is not None:
                source.close()
    return ending._replace(stopped_by=ending.stopped_by or stopped_by)


def _wait_for_output(readers: Sequence[threading.Thread], signals: Signals, seconds: float) -> tuple[bool, int]:
    """Wait until all output is copied, which somebody who does not read it, such as a stopped less(1), may hold up.

    Returns:
        Whether it is copied, else the readers are left where they are; and the signal that ended the wait, if one did.
    """
    ends = time.monotonic() + seconds
    for reader in readers:
        while reader.is_alive():
            reader.join(0.1)
            came = signals.wait(0)
            if came is not None and came.number in ENDING:
                return False, came.number
            if time.monotonic() > ends:
                return False, 0
    return True, 0


def _wait(process: subprocess.Popen[bytes], signals: Signals, max_time: float | None) -> Ending:
    ends = float("inf") if max_time is None else time.monotonic() + max_time
    stopped_by = 0
    is_late = False
    while process.poll() is None:
        left = ends - time.monotonic()
        if left <= 0:
            process.send_signal(signal.SIGKILL if is_late else signal.SIGTERM)
            ends = float("inf") if is_late else time.monotonic() + _GRACE
            is_late = True
            continue
        came = signals.wait(min(left, 3600.0))
        if came is not None and came.number in ENDING:
            stopped_by = came.number
            if not came.is_for_all:
                process.send_signal(came.number)
    status = process.returncode if process.returncode >= 0 else 128 - process.returncode
    problem = f"killed by {name_of(-process.returncode)}" if process.returncode < 0 else ""
    if is_late:
        problem = f"stopped because it took longer than {max_time:g} s"
        status = status or _TIMED_OUT
    return Ending(status, problem, stopped_by=stopped_by, is_late=is_late)


def _copy(source: int, has_ended: int, shown: int | None, log: RunLog) -> None:
    """Copy output to the log and to where it is shown, until it is closed, or silent after the end of the command."""
    waiting_for = [source, has_ended]
    while True:
        ready = select.select(waiting_for, [], [], _SILENCE if len(waiting_for) == 1 else None)[0]
        if not ready:
            return
        if source not in ready:
            waiting_for = [source]
            continue
        output = os.read(source, 65536)
        if not output:
            return
        log.add_bytes(output)
        # Who does not want to see the output any more, such as head(1), does not end the command.
        if shown is not None and not _show(shown, output):
            shown = None


def _show(descriptor: int, output: bytes) -> bool:
    while output:
        try:
            output = output[os.write(descriptor, output) :]
        except BlockingIOError:  # noqa: PERF203 - each write may be the one that blocks
            select.select([], [descriptor], [])
        except OSError:
            return False
    return True
