"""Start a command, pass on signals to it, and wait for its end."""

from __future__ import annotations

import errno
import os
import signal
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from healthchecks_io.runner.descriptors import has_terminal, print_error
from healthchecks_io.runner.output import Output, Streams
from healthchecks_io.runner.signals import FORWARDED_SIGNALS, TERMINATION_SIGNALS, signal_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthchecks_io.runner.signals import ReceivedSignal, SignalReceiver
    from healthchecks_io.trap.run_log import RunLog

_CANNOT_EXECUTE, _NOT_FOUND, _TIMED_OUT = 126, 127, 124
"""Exit statuses, following shells and timeout(1)."""

_SECONDS_BEFORE_KILL = 10.0
"""How long a command that timed out has to end after SIGTERM before it gets SIGKILL, and how long to wait for its
remaining output to be written once it was stopped."""
_SECONDS_AFTER_KILL = 5.0
_POLL_INTERVAL = 0.05
"""How often to look for processes that are not children, in seconds. No signal announces their end."""

_COERCED_LOCALES = ("C.UTF-8", "C.utf8", "UTF-8")

_NOT_INHERITED = (signal.SIGPIPE, signal.SIGXFSZ)
"""Signals that Python ignores. The command gets the default, as from a shell."""


class CommandResult(NamedTuple):
    """How a command ended.

    Attributes:
        exit_status: Its exit status from 0 to 255, following shells.
        problem: A message with details that the exit status does not show. May be empty.
        exec_failed: Whether the command could not be executed.
        stopped_by: The number of the termination signal that this program received, or 0.
        timed_out: Whether the command exceeded its maximum time and was stopped.
        is_urgent: Whether this program received several termination signals.
    """

    exit_status: int
    problem: str = ""
    exec_failed: bool = False
    stopped_by: int = 0
    timed_out: bool = False
    is_urgent: bool = False


class Command:
    """A command that is running, or could not be started.

    With a controlling terminal, it stays in the process group of this program, so that Ctrl-C reaches it. Without one,
    it gets a group of its own, in which it can be stopped with everything that it has started.

    Args:
        arguments: The program and its arguments.
        streams: What to do with the output.
        log: The log to add the output to.
        signals: The receiver of signals, already started.
        max_time: The seconds after which to stop the command, if any.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        streams: Streams,
        log: RunLog,
        signals: SignalReceiver,
        max_time: float | None,
    ) -> None:
        self._signals = signals
        self._max_time = max_time
        self._result: CommandResult | None = None
        self._pid = 0
        self._exit_code: int | None = None
        self._stopped_by = 0
        self._is_urgent = False
        self._has_own_group = not has_terminal()
        if max_time is not None:
            from healthchecks_io.runner.descendants import adopt_orphans

            adopt_orphans()
        self._output = Output(streams, log)
        self._output.start()
        self._ends = float("inf") if max_time is None else time.monotonic() + max_time
        try:
            self._pid = self._spawn(list(arguments))
        except OSError as error:
            status = _NOT_FOUND if isinstance(error, FileNotFoundError) else _CANNOT_EXECUTE
            problem = f"cannot run {arguments[0]}: {error.strerror}"
            if status == _NOT_FOUND and len(arguments) == 1 and " " in arguments[0]:
                problem += ": use --shell to run it with a shell"
            self._result = CommandResult(status, problem, exec_failed=True)
        else:
            signals.stopping = self._pass_on
        self._output.close_for_command()

    def _spawn(self, arguments: list[str]) -> int:
        try:
            return self._spawn_program(arguments)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
        import shutil

        # As shells do with a script that does not begin with #!.
        script = shutil.which(arguments[0]) or arguments[0]
        return self._spawn_program(["/bin/sh", script, *arguments[1:]])

    def _spawn_program(self, arguments: list[str]) -> int:
        if not arguments[0]:
            raise FileNotFoundError(errno.ENOENT, "the name is empty")
        duplicates = [
            (os.POSIX_SPAWN_DUP2, descriptor, number)
            for number, descriptor in enumerate(self._output.for_command, 1)
            if descriptor is not None
        ]
        options: dict[str, Any] = {"setpgroup": 0} if self._has_own_group else {}
        return os.posix_spawnp(
            arguments[0],
            arguments,
            _environment(),
            file_actions=duplicates,
            setsigmask=self._signals.original_mask,
            setsigdef=_NOT_INHERITED,
            **options,
        )

    def wait(self) -> CommandResult:
        """Wait until the command has ended and its output is written. Pass on signals until then."""
        if self._result is None:
            self._result = self._wait_for_exit()
        self._output.end()
        timeout = _SECONDS_BEFORE_KILL if self._stopped_by or self._result.timed_out else float("inf")
        is_copied, stopped_by = self._wait_for_output(timeout)
        if is_copied:
            self._output.close()
        is_urgent = self._is_urgent or (self._stopped_by != 0 and stopped_by != 0)
        return self._result._replace(stopped_by=stopped_by or self._stopped_by, is_urgent=is_urgent)

    def show_held_back_output(self) -> None:
        """Show the output that was held back, because the command has failed."""
        self._output.release()

    def _wait_for_exit(self) -> CommandResult:
        while self._exit_code is None:
            remaining = self._ends - time.monotonic()
            if remaining <= 0:
                return self._stop()
            self._handle_signal(remaining)
        problem = f"killed by {signal_name(-self._exit_code)}" if self._exit_code < 0 else ""
        return CommandResult(self._exit_status(), problem)

    def _exit_status(self) -> int:
        code = self._exit_code or 0
        return code if code >= 0 else 128 - code

    def _handle_signal(self, seconds: float) -> None:
        """Wait for a signal. Pass it on to the command, or note that a process has ended."""
        received = self._signals.wait(seconds)
        if received is None:
            return
        if received.number == signal.SIGCHLD:
            self._reap()
            return
        if received.number in TERMINATION_SIGNALS:
            self._is_urgent = self._stopped_by != 0
            self._stopped_by = received.number
        if received.number not in FORWARDED_SIGNALS:
            return
        if received.number != signal.SIGALRM or not self._signals.keeps_alarm:
            self._pass_on(received)

    def _pass_on(self, received: ReceivedSignal) -> None:
        """Pass on a signal to the command, unless the kernel has already delivered it."""
        if self._exit_code is None and not (received.reached_the_group and os.getpgid(self._pid) == os.getpgrp()):
            os.kill(self._pid, received.number)

    def _reap(self) -> None:
        exit_code = reap(self._pid)
        if exit_code is not None:
            self._exit_code = exit_code

    def _stop(self) -> CommandResult:
        """Stop the command and all that it has started: it has run for too long."""
        from healthchecks_io.runner import descendants

        group = self._pid if self._has_own_group else None
        problem = f"timed out after {self._max_time:g} s"
        print_error(f"the command was stopped: it {problem}")
        descendants.terminate(descendants.processes_of_command(group))
        ends = time.monotonic() + _SECONDS_BEFORE_KILL
        while (left := descendants.processes_of_command(group)) and time.monotonic() < ends:
            self._handle_signal(_POLL_INTERVAL)
        ends = time.monotonic() + _SECONDS_AFTER_KILL
        while left and time.monotonic() < ends:
            descendants.send_to_all(left, signal.SIGKILL)
            self._handle_signal(_POLL_INTERVAL)
            left = descendants.processes_of_command(group)
        self._reap()
        if left:
            print_error(f"these processes could not be stopped: {', '.join(map(str, left))}")
        return CommandResult(_TIMED_OUT, problem, timed_out=True)

    def _wait_for_output(self, timeout: float) -> tuple[bool, int]:
        """Wait until all output is copied. A consumer that does not read it, such as a stopped less(1), can block this.

        Returns:
            Whether all output was copied, and the number of the termination signal that ended the wait, or 0. If not
            all output was copied, the thread is still running.
        """
        deadline = time.monotonic() + timeout
        while not self._output.is_copied:
            received = self._signals.wait(min(deadline - time.monotonic(), 0.1))
            if received is not None and received.number in TERMINATION_SIGNALS:
                return False, received.number
            if time.monotonic() > deadline:
                return False, 0
        return True, 0


def _environment() -> dict[str, str]:
    """Return the environment for the command: that of this program, when it was started."""
    environment = dict(os.environ)
    environment.pop("", None)  # Python cannot pass on a variable without a name.
    if environment.get("LC_CTYPE") in _COERCED_LOCALES:
        # In the C locale, as in cron jobs, Python sets this variable when it starts (PEP 538).
        try:
            with open("/proc/self/environ", "rb") as file:  # noqa: PTH123 - pathlib is slower
                was_set = b"\0LC_CTYPE=" in b"\0" + file.read()
        except OSError:
            was_set = True
        if not was_set:
            del environment["LC_CTYPE"]
    return environment


def reap(pid: int = 0) -> int | None:
    """Reap all children that have ended. The first process of a container gets the orphans of others.

    Returns:
        The exit code of the child with this PID, if it was among them.
    """
    exit_code = None
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return exit_code
        if ended == 0:
            return exit_code
        if ended == pid:
            exit_code = os.waitstatus_to_exitcode(status)
