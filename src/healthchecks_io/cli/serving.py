"""Serves a sandbox until it is interrupted."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

import click

from healthchecks_io.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from types import FrameType

_SECONDS_BETWEEN_SAVES = 1.0


def serve(host: str, port: int, state: Path | None, version: str | None) -> None:
    """Serve a sandbox until SIGINT or SIGTERM, keeping its data in the `state` file if there is one."""
    try:
        sandbox = Sandbox(host=host, port=port, version=version)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    interrupted = threading.Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        interrupted.set()

    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    try:
        if state is None:
            with sandbox:
                _print_exports(sandbox, host)
                interrupted.wait()
        else:
            with _locked(state), sandbox:
                sandbox.load(state)
                sandbox.save(state)
                _print_exports(sandbox, host)
                _save_until(interrupted, sandbox, state)
    except (OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None


@contextlib.contextmanager
def _locked(state: Path) -> Generator[None]:
    # Others must not be able to open the file before it is first saved.
    with open(state, "ab", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        if sys.platform != "win32":  # pragma: no branch - Windows has no flock
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(f"{state} is in use by another sandbox") from None
        yield


def _save_until(interrupted: threading.Event, sandbox: Sandbox, state: Path) -> None:
    saved = 0
    is_stopping = False
    while not is_stopping:
        is_stopping = interrupted.wait(_SECONDS_BETWEEN_SAVES)
        answered = sandbox.answered
        if answered != saved:
            try:
                sandbox.save(state)
                saved = answered
            except ValueError as error:
                if is_stopping:
                    raise
                click.echo(f"Warning: {error}. Retrying.", err=True)


def _print_exports(sandbox: Sandbox, host: str) -> None:
    if not _is_loopback(host):
        click.echo(f"Warning: anyone who can reach {host} can read and change everything in this sandbox.", err=True)
    click.echo("Local Healthchecks server for demos, development and tests. Press Ctrl-C to stop.", err=True)
    lines = [f"export {name}={value}" for name, value in sandbox.environ.items()]
    lines.append(f"# Read-only API key: {sandbox.read_only_key}")
    lines.append(f"# API key of another project: {sandbox.other_api_key}")
    # Print all lines in a single write: a script may source the file as soon as it has content.
    click.echo("\n".join(lines))


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
