"""Receives signals while ``run`` runs a command: synchronously, only when the program waits for them."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import FrameType

TERMINATION_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that request termination. They are forwarded to the command."""


def signal_name(number: int) -> str:
    """Return the name of a signal. Real-time signals have only a number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class ReceivedSignal(NamedTuple):
    """A received signal.

    Attributes:
        number: The signal number.
        is_from_terminal: Whether it came from the terminal, which sends it to the command as well.
    """

    number: int
    is_from_terminal: bool


class SignalReceiver:
    """Blocks signals until they are waited for.

    Signals that are ignored from the start, for example because of nohup, stay ignored.

    Args:
        *more: Signals to receive in addition to SIGCHLD and the termination signals.
    """

    def __init__(self, *more: signal.Signals) -> None:
        self._numbers = {
            number for number in (*TERMINATION_SIGNALS, *more) if signal.getsignal(number) is not signal.SIG_IGN
        }
        # SIGCHLD may be ignored too, but it is needed to notice the end of the command.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._numbers.add(signal.SIGCHLD)
        self._original_mask: set[int] = set()

    def start(self) -> None:
        """Block the signals. They stay blocked until the program exits, so that none changes its exit status."""
        self._original_mask = set(signal.pthread_sigmask(signal.SIG_BLOCK, self._numbers))

    def restore_in_child(self) -> None:
        """Restore the original signal mask in the child process, between fork and exec."""
        signal.pthread_sigmask(signal.SIG_SETMASK, self._original_mask)  # pragma: no cover - runs in the child process

    def wait(self, seconds: float) -> ReceivedSignal | None:
        """Wait for a signal for up to this many seconds."""
        info = signal.sigtimedwait(self._numbers, seconds)
        # Signals from the kernel, and thus from the terminal, have a positive si_code. Those from processes do not.
        return info and ReceivedSignal(info.si_signo, is_from_terminal=info.si_code > 0)


class HandlerSignalReceiver(SignalReceiver):
    """A receiver that uses signal handlers, for systems without sigtimedwait(2), such as macOS."""

    def __init__(self, *more: signal.Signals) -> None:
        super().__init__(*more)
        self._received: queue.SimpleQueue[ReceivedSignal] = queue.SimpleQueue()

    def start(self) -> None:
        """Install the handlers. They stay installed until the program exits."""
        for number in self._numbers:
            signal.signal(number, self._handle)

    def restore_in_child(self) -> None:
        """Do nothing: exec resets signal handlers."""

    def _handle(self, number: int, _: FrameType | None) -> None:
        is_from_terminal = number == signal.SIGINT and _is_in_foreground()
        self._received.put(ReceivedSignal(number, is_from_terminal=is_from_terminal))

    def wait(self, seconds: float) -> ReceivedSignal | None:
        """Wait for a signal for up to this many seconds."""
        with contextlib.suppress(queue.Empty):
            return self._received.get(timeout=max(seconds, 0.0))
        return None


def _is_in_foreground() -> bool:
    """Return whether Ctrl-C at the terminal reaches this process.

    A handler cannot know where a signal came from. In the foreground, assume that SIGINT came from Ctrl-C.
    """
    with contextlib.suppress(OSError), open("/dev/tty", "rb") as terminal:  # noqa: PTH123 - pathlib is slower
        return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    return False


def signal_receiver(*more: signal.Signals) -> SignalReceiver:
    """Create the signal receiver that this system supports."""
    return (SignalReceiver if hasattr(signal, "sigtimedwait") else HandlerSignalReceiver)(*more)
