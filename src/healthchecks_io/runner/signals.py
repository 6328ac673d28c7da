"""Receive signals synchronously, only when the program waits for them, to pass them on to a command."""

from __future__ import annotations

import os
import queue
import signal
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

TERMINATION_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
"""Signals that end the program itself when no command is running."""

FORWARDED_SIGNALS = (
    *TERMINATION_SIGNALS,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGALRM,
    signal.SIGABRT,
    signal.SIGXCPU,
    signal.SIGWINCH,
    signal.SIGCONT,
)
"""Signals that are passed on to the command."""

_FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGWINCH, signal.SIGHUP)
"""Signals that the kernel sends to all processes in the foreground of a terminal."""


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
        is_from_kernel: Whether the kernel has sent it, as for Ctrl-C at the terminal, and not a process.
    """

    number: int
    is_from_kernel: bool

    @property
    def reached_the_group(self) -> bool:
        """Whether the kernel has also delivered it to the other processes of this process group."""
        # When the terminal hangs up, only the leader of the session gets SIGHUP.
        is_for_leader = self.number == signal.SIGHUP and os.getsid(0) == os.getpid()
        return self.is_from_kernel and self.number in _FROM_TERMINAL and not is_for_leader


class SignalReceiver:
    """Blocks signals until they are waited for.

    Signals that are ignored from the start, for example because of nohup, stay ignored. SIGTSTP stops the program when
    it is waited for.

    Args:
        keeps_alarm: Whether SIGALRM is for this program, and not passed on to the command.

    Attributes:
        keeps_alarm: The argument.
        has_alarm: Whether SIGALRM has been received and is for this program.
        stopping: Called with the received SIGTSTP before the program stops.
    """

    def __init__(self, *, keeps_alarm: bool) -> None:
        self.keeps_alarm = keeps_alarm
        self.has_alarm = False
        self.stopping: Callable[[ReceivedSignal], None] = lambda _: None
        received = (*FORWARDED_SIGNALS, signal.SIGTSTP)
        self._numbers = {number for number in received if signal.getsignal(number) is not signal.SIG_IGN}
        # SIGCHLD may be ignored too, but it is needed to notice the end of the command.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._numbers.add(signal.SIGCHLD)
        self.original_mask: set[int] = set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))

    def start(self) -> None:
        """Block the signals. They stay blocked until the program exits, so that none changes its exit status."""
        signal.pthread_sigmask(signal.SIG_BLOCK, self._numbers)

    def wait(self, seconds: float) -> ReceivedSignal | None:
        """Wait for a signal for up to this many seconds."""
        info = signal.sigtimedwait(self._numbers, min(max(seconds, 0.0), 3600.0))
        if info is None:
            return None
        # Signals from the kernel have a positive si_code. Those from processes do not.
        received = self._noted(ReceivedSignal(info.si_signo, is_from_kernel=info.si_code > 0))
        if received.number == signal.SIGTSTP:
            self.stopping(received)
            signal.raise_signal(signal.SIGTSTP)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGTSTP,))  # It stops here, until it is continued.
            signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTSTP,))
        return received

    def _noted(self, received: ReceivedSignal) -> ReceivedSignal:
        self.has_alarm = self.has_alarm or (self.keeps_alarm and received.number == signal.SIGALRM)
        return received


class HandlerSignalReceiver(SignalReceiver):
    """A receiver that uses signal handlers, for systems without sigtimedwait(2), such as macOS."""

    def __init__(self, *, keeps_alarm: bool) -> None:
        super().__init__(keeps_alarm=keeps_alarm)
        self._received: queue.SimpleQueue[ReceivedSignal] = queue.SimpleQueue()

    def start(self) -> None:
        """Install the handlers. They stay installed until the program exits."""
        for number in self._numbers:
            signal.signal(number, self._handle)

    def _handle(self, number: int, _: FrameType | None) -> None:
        is_from_kernel = number in _FROM_TERMINAL and _is_in_foreground()
        self._received.put(ReceivedSignal(number, is_from_kernel=is_from_kernel))

    def wait(self, seconds: float) -> ReceivedSignal | None:
        """Wait for a signal for up to this many seconds."""
        try:
            received = self._noted(self._received.get(timeout=min(max(seconds, 0.0), 3600.0)))
        except queue.Empty:
            return None
        if received.number == signal.SIGTSTP:
            self.stopping(received)
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            signal.raise_signal(signal.SIGTSTP)  # It stops here, until it is continued.
            signal.signal(signal.SIGTSTP, self._handle)
        return received


def _is_in_foreground() -> bool:
    """Return whether Ctrl-C at the terminal reaches this process.

    A handler cannot know where a signal came from. In the foreground, assume that it came from the terminal.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def signal_receiver(*, keeps_alarm: bool) -> SignalReceiver:
    """Create the signal receiver that this system supports. See SignalReceiver for the argument."""
    supported = SignalReceiver if hasattr(signal, "sigtimedwait") else HandlerSignalReceiver
    return supported(keeps_alarm=keeps_alarm)


def wake_up() -> None:
    """Interrupt the wait of the main thread, from another thread."""
    os.kill(os.getpid(), signal.SIGCHLD)
