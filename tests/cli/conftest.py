from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from processes import default_signal_handling

from healthchecks_io import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healthchecks_io.sandbox import Sandbox


class Result(NamedTuple):
    """The result of a command."""

    status: int
    stdout: str
    stderr: str


@pytest.fixture(autouse=True)
def _default_signal_handling() -> Iterator[None]:
    with default_signal_handling():
        yield


@pytest.fixture
def environment(hc: Sandbox) -> dict[str, str]:
    """Environment variables that point commands to the sandbox and set the time zone to UTC."""
    return {
        **os.environ,
        "HEALTHCHECKS_API_KEY": hc.api_key,
        "HEALTHCHECKS_PING_KEY": hc.ping_key,
        "HEALTHCHECKS_API_URL": hc.api_url,
        "HEALTHCHECKS_PING_URL": hc.ping_url,
        "PYTHONIOENCODING": "utf-8",
        "TERM": "xterm-256color",
        "TZ": "UTC",
    }


@pytest.fixture
def start(environment: dict[str, str], started: list[subprocess.Popen[Any]]) -> Callable[..., subprocess.Popen[bytes]]:
    """Start the command in a subprocess."""

    def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 - trusted input
            [sys.executable, "-m", "healthchecks_io", *arguments],
            **{"env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
        started.append(process)
        return process

    return start


class Terminal:
    """Runs a command on a pseudo-terminal."""

    def __init__(self, start: Callable[..., subprocess.Popen[bytes]]) -> None:
        self._start = start

    def run(
        self, *arguments: str, after: str = "", type_: str = "", interrupt_after: str = "\0", width: int = 80
    ) -> tuple[int, str]:
        """Run a command and return its status and what the terminal shows.

        Args:
            *arguments: The arguments of the command.
            after: Text to wait for before typing.
            type_: The text to type.
            interrupt_after: Text to wait for before sending SIGINT, as Ctrl-C does.
            width: The width of the terminal.
        """
        pty, fcntl, termios = map(pytest.importorskip, ("pty", "fcntl", "termios"))
        parent_end, child_end = pty.openpty()
        fcntl.ioctl(child_end, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        process = self._start(*arguments, stdin=child_end, stdout=child_end, stderr=child_end)
        os.close(child_end)
        output = b""
        while chunk := _read(parent_end):
            output += chunk
            if type_ and after.encode() in output:
                os.write(parent_end, type_.encode())
                type_ = ""
            if interrupt_after.encode() in output:
                process.send_signal(signal.SIGINT)
                interrupt_after = "\0"
        os.close(parent_end)
        return process.wait(60), output.decode().replace("\r\n", "\n")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:
        # On Linux, reading fails once the other end is closed.
        return b""


@pytest.fixture
def terminal(start: Callable[..., subprocess.Popen[bytes]]) -> Terminal:
    return Terminal(start)


@pytest.fixture
def run(start: Callable[..., subprocess.Popen[bytes]]) -> Callable[..., Result]:
    """Run the command in a subprocess and return its result."""

    def run(*arguments: str, stdin: bytes = b"") -> Result:
        process = start(*arguments, stdin=subprocess.PIPE)
        stdout, stderr = process.communicate(stdin, timeout=60)
        return Result(process.returncode, stdout.decode(errors="surrogateescape"), stderr.decode())

    return run


@pytest.fixture
def call(
    environment: dict[str, str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run the command in this process, which is faster, and return its result."""
    from healthchecks_io.cli import commands

    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str, stdin: str = "") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capfd.readouterr()
        with pytest.raises(SystemExit) as exit_info:
            commands(arguments, prog_name="py-healthchecks.io")
        stdout, stderr = capfd.readouterr()
        assert exit_info.value.code is None or isinstance(exit_info.value.code, int)
        return Result(exit_info.value.code or 0, stdout, stderr)

    return call


@pytest.fixture
def client(settings: dict[str, Any]) -> Iterator[Client]:
    """A client to set up and inspect the sandbox without the command."""
    with Client(**settings) as client:
        yield client
