"""The signals that reach ``run`` while its command runs: taken when the program asks for them, and not in between."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""They end a command, and are passed on to it."""


def name_of(number: int) -> str:
    """Name a signal; those for real time have numbers only."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Signal(NamedTuple):
    """A signal that came.

    Attributes:
        number: Which.
        is_for_all: Whether the terminal sent it, which sends it to the command, too.
    """

    number: int
    is_for_all: bool


class Signals:
    """Holds signals back until they are waited for. What is ignored from the start, as by nohup, stays ignored.

    Args:
        *more: The signals that are wanted besides those that end a command.
    """

    def __init__(self, *more: signal.Signals) -> None:
        self._wanted = {number for number in (*ENDING, *more) if signal.getsignal(number) is not signal.SIG_IGN}
        # That a command has ended must not be ignored.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._wanted.add(signal.SIGCHLD)
        self._mask: set[int] = set()

    def hold(self) -> None:
        """Begin to hold them back, up to the end of the program, which has its exit status then already."""
        self._mask = set(signal.pthread_sigmask(signal.SIG_BLOCK, self._wanted))

    def unblock(self) -> None:
        """Let signals through as before: for the command, between its fork and its start."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)  # pragma: no cover - in the other process

    def wait(self, seconds: float) -> Signal | None:
        """Wait for a signal, at most so long."""
        info = signal.sigtimedwait(self._wanted, seconds)
        # What the kernel sends by itself comes from the terminal; what a process sends has 0 or less.
        return info and Signal(info.si_signo, is_for_all=info.si_code > 0)


class HandledSignals(Signals):
    """The same for systems that cannot wait for signals, such as macOS."""

    def __init__(self, *more: signal.Signals) -> None:
        super().__init__(*more)
        self._came: queue.SimpleQueue[Signal] = queue.SimpleQueue()

    def hold(self) -> None:
        """Begin to hold them back, up to the end of the program."""
        for number in self._wanted:
            signal.signal(number, self._take)

    def unblock(self) -> None:
        """Do nothing: handlers do not outlive the start of a program."""

    def _take(self, number: int, _: FrameType | None) -> None:
        self._came.put(Signal(number, is_for_all=number == signal.SIGINT and _is_in_foreground()))

    def wait(self, seconds: float) -> Signal | None:
        """Wait for a signal, at most so long."""
        with contextlib.suppress(queue.Empty):
            return self._came.get(timeout=max(seconds, 0.0))
        return None


def _is_in_foreground() -> bool:
    """Whether Ctrl-C at the terminal reaches this program; it cannot be known whether somebody pressed it."""
    with contextlib.suppress(OSError), open("/dev/tty", "rb") as terminal:  # noqa: PTH123 - as cheap as it gets
        return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    return False


def signals(*more: signal.Signals) -> Signals:
    """Make what holds back signals on this system."""
    return (Signals if hasattr(signal, "sigtimedwait") else HandledSignals)(*more)
