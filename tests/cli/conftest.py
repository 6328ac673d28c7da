from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from healthchecks_io import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healthchecks_io.sandbox import Sandbox


class Done(NamedTuple):
    """What a command has left behind."""

    status: int
    stdout: str
    stderr: str


@pytest.fixture(autouse=True)
def _signals_as_in_a_terminal() -> Iterator[None]:
    """Let commands take the signals that they ignore when the tests are started in the background of a script."""
    ignored = [number for number in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def environment(hc: Sandbox) -> dict[str, str]:
    """The environment of a user of the sandbox, on a machine whose clock shows UTC."""
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
def start(environment: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start the installed command."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "healthchecks_io", *arguments],
            **{"env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        with process:
            pass


@pytest.fixture
def run(start: Callable[..., subprocess.Popen[bytes]]) -> Callable[..., Done]:
    """Run the installed command to its end."""

    def run(*arguments: str, stdin: bytes = b"") -> Done:
        process = start(*arguments, stdin=subprocess.PIPE)
        stdout, stderr = process.communicate(stdin, timeout=60)
        return Done(process.returncode, stdout.decode(errors="surrogateescape"), stderr.decode())

    return run


@pytest.fixture
def call(
    environment: dict[str, str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Done]:
    """Run the command in this process, which is faster."""
    from healthchecks_io.cli import commands

    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            commands(arguments, prog_name="py-healthchecks.io")
        stdout, stderr = capfd.readouterr()
        assert left.value.code is None or isinstance(left.value.code, int)
        return Done(left.value.code or 0, stdout, stderr)

    return call


@pytest.fixture
def client(settings: dict[str, Any]) -> Iterator[Client]:
    """What changes the sandbox, or asks it, without the command."""
    with Client(**settings) as client:
        yield client
