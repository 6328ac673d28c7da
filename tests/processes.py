"""Runs commands as real processes in different places: on a terminal, without one, as the leader of a session."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Place = Literal["terminal", "background", "leader", "none", "subreaper"]

IS_FULL = bool(os.environ.get("RUN_FULL"))
"""Whether to run everything: each cell of the matrices, a gibibyte of output, a million lines."""

RUN = [sys.executable, "-m", "healthchecks_io", "run"]
PROGRAMS = Path(__file__).parent / "run" / "programs"
PYTHON = [sys.executable, "-I", "-S"]
"""A Python that starts quickly."""

SECONDS = 10.0
"""How long to wait for what happens at once on an idle machine."""


@contextlib.contextmanager
def default_signal_handling() -> Iterator[None]:
    """Restore the default handling of signals, which background jobs of a shell script inherit as ignored."""
    numbers = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
    ignored = [number for number in numbers if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


def eventually(condition: Callable[[], object], seconds: float = SECONDS) -> bool:
    """Wait until a condition is true. Return whether it became true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def process_state(pid: int) -> str:
    """Return the state of a process as a letter, or an empty string if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def is_running(pid: int) -> bool:
    """Return whether a process has not ended. Zombies have."""
    return process_state(pid) not in ("", "Z", "X")


class Probes:
    """Commands that record the signals they receive. See programs/probe.py for the options."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder

    def command(self, *options: str, name: str = "command") -> list[str]:
        """Return the command line of a probe."""
        return [*PYTHON, str(PROGRAMS / "probe.py"), str(self.folder), name, *options]

    def is_ready(self, name: str = "command") -> bool:
        return (self.folder / f"{name}.pid").exists()

    def wait_until_ready(self, *names: str) -> None:
        for name in names or ["command"]:
            assert eventually(lambda name=name: self.is_ready(name)), f"{name} was not started"  # type: ignore[misc]  # python/mypy#15459

    def pid(self, name: str = "command") -> int:
        return int((self.folder / f"{name}.pid").read_text())

    @property
    def pids(self) -> dict[str, int]:
        return {path.stem: int(path.read_text()) for path in self.folder.glob("*.pid")}

    @property
    def running(self) -> list[str]:
        return sorted(name for name, pid in self.pids.items() if is_running(pid))

    @property
    def received(self) -> dict[str, list[str]]:
        """The names of the received signals of each probe, sorted because the kernel need not deliver them in order."""
        return {path.stem: sorted(path.read_text().split()) for path in sorted(self.folder.glob("*.signals"))}

    def end(self, name: str = "command") -> None:
        """Let a probe exit with status 7."""
        (self.folder / f"{name}.end").touch()

    def kill(self) -> None:
        """End all probes."""
        (self.folder / "end").touch()
        for pid in self.pids.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class Job:
    """A command that was started in a place."""

    def __init__(
        self,
        place: Place,
        command: list[str],
        folder: Path,
        environment: dict[str, str],
        *,
        before: Callable[[], None] | None = None,
    ) -> None:
        self._events = folder / "events"
        self._output = folder / "output"
        self._errors = folder / "errors"
        self._events.touch()
        self._terminal = slave = -1
        path = "-"
        if place in ("terminal", "background", "leader"):
            self._terminal, slave = pty.openpty()
            path = os.ttyname(slave)
        with self._output.open("wb") as output, self._errors.open("wb") as errors:
            self._launcher = subprocess.Popen(  # noqa: S603 - trusted input
                [*PYTHON, str(PROGRAMS / "place.py"), place, str(self._events), path, *command],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                preexec_fn=before,  # noqa: PLW1509 - it only changes the handling of signals
            )
        self._shown = b""
        assert eventually(lambda: self._find("pid"))
        self.pid = int(self._find("pid")[0][0])
        if slave >= 0:
            os.close(slave)

    def _find(self, kind: str) -> list[list[str]]:
        lines = [line.split() for line in self._events.read_text().splitlines()]
        return [rest for first, *rest in lines if first == kind]

    def send(self, number: int) -> None:
        """Send a signal to the command that was started, and to no other process."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def type(self, keys: bytes) -> None:
        os.write(self._terminal, keys)

    def resize(self) -> None:
        """Change the size of the terminal, which sends SIGWINCH to its foreground group."""
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 90, 0, 0))

    def hang_up(self) -> None:
        """Close the terminal, as when a connection is lost."""
        os.close(self._terminal)
        self._terminal = -1

    def bring_to_foreground(self) -> None:
        """Continue the job in the foreground, as `fg` does in a shell."""
        os.kill(int(self._find("shell")[0][0]), signal.SIGUSR1)

    @property
    def stops(self) -> int:
        """How often the command was stopped."""
        return len([pid for pid, _ in self._find("stopped") if int(pid) == self.pid])

    @property
    def status(self) -> int | None:
        """The exit status as a shell has it, or None if the command has not ended."""
        if self._terminal >= 0:
            self.read()
        return next((int(status) for pid, status in self._find("exited") if int(pid) == self.pid), None)

    def wait(self, seconds: float = SECONDS) -> int:
        """Wait for the end and return the exit status."""
        assert eventually(lambda: self.status is not None, seconds), "the command did not end"
        status = self.status
        assert status is not None
        return status

    def read(self) -> bytes:
        """Return what was shown on the terminal so far."""
        with contextlib.suppress(OSError):  # The other end is closed.
            while select.select([self._terminal], [], [], 0)[0]:
                self._shown += os.read(self._terminal, 65536)
        return self._shown

    @property
    def output(self) -> bytes:
        """What was written to standard output where it is not the terminal."""
        return self._output.read_bytes()

    @property
    def errors(self) -> bytes:
        return self._errors.read_bytes()

    def kill(self) -> None:
        """End all that is left, the commands that were started included."""
        self.send(signal.SIGKILL)
        for pid, *_ in self._find("shell"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        if self._terminal >= 0:
            self.hang_up()
        self._launcher.kill()
        self._launcher.wait()


class Result(NamedTuple):
    """The result of a command."""

    status: int
    stdout: bytes
    stderr: bytes
