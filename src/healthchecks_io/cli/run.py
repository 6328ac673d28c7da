"""The command that runs another one as a monitored job."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from healthchecks_io.cli.connection import connect, ping_options
from healthchecks_io.cli.durations import duration
from healthchecks_io.cli.target import target, target_options
from healthchecks_io.client import readers
from healthchecks_io.client.exceptions import HCAPIError

if TYPE_CHECKING:
    from healthchecks_io.cli.process import Ending, Streams
    from healthchecks_io.cli.signals import Signals
    from healthchecks_io.cli.target import Target
    from healthchecks_io.client import Client

_KIND = click.Choice(["success", "fail", "log", "exit-status"])


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@target_options
@click.option("--no-start", is_flag=True, help="Send no start ping.")
@click.option("--no-run-id", is_flag=True, help="Send no run ID.")
@click.option("--no-output", is_flag=True, help="Do not send the output.")
@click.option("--quiet", is_flag=True, help="Do not show the output.")
@click.option("--discard-stdout", is_flag=True, help="Neither send nor show standard output.")
@click.option("--body-limit", type=click.IntRange(100, 1_000_000), help="Send at most so many bytes of output.")
@click.option("--on-success", type=_KIND, default="success", show_default=True, help="What to send when it ends well.")
@click.option("--on-failure", type=_KIND, default="exit-status", show_default=True, help="What to send when it fails.")
@click.option(
    "--on-exec-failure", type=_KIND, default="exit-status", show_default=True, help="What to send if it cannot be run."
)
@click.option("--max-time", type=duration, metavar="DURATION", help="Stop the command when it takes longer.")
@click.option("--every", type=duration, metavar="DURATION", help="Run it again and again; SIGALRM runs it at once.")
@ping_options
def run(
    command: tuple[str, ...],
    every: float | None,
    max_time: float | None,
    quiet: bool,
    no_output: bool,
    discard_stdout: bool,
    **options: Any,
) -> None:
    """Run COMMAND as a monitored job.

    The check gets a start ping, and when the command has ended its exit status, with the end of its output. The exit
    status is the command's: 128+n if signal n killed it, 127 if there is no such command, 126 if it cannot be run. What
    is wrong with the monitoring is one warning on standard error, and changes nothing else.
    """
    if sys.platform == "win32":  # pragma: no cover - there are no such signals
        raise click.ClickException("run needs Linux, macOS or another Unix")
    if every == 0:
        raise click.UsageError("--every must be longer than nothing")
    from healthchecks_io.cli.process import Streams
    from healthchecks_io.cli.signals import signals

    streams = Streams(are_shown=not quiet, are_logged=not no_output, has_stdout=not discard_stdout)
    job = _Job(command, streams, max_time, **options)
    held_back = signals(*([signal.SIGALRM] if every else []))
    held_back.hold()
    began = time.monotonic()
    ending = job.run(held_back)
    while every and not ending.stopped_by:
        stopped_by = _sleep(began + every, held_back)
        if stopped_by:
            sys.exit(128 + stopped_by)
        began = time.monotonic()
        ending = job.run(held_back)
    sys.exit(ending.status)


def _sleep(until: float, held_back: Signals) -> int:
    """Wait for the next run, and say which signal there is not to be one for."""
    from healthchecks_io.cli.signals import ENDING

    while (left := until - time.monotonic()) > 0:
        came = held_back.wait(min(left, 3600.0))
        if came is not None and came.number == signal.SIGALRM:
            return 0
        if came is not None and came.number in ENDING:
            return came.number
    return 0


class _Job:
    """The job, which may be run more than once."""

    def __init__(
        self,
        command: tuple[str, ...],
        streams: Streams,
        max_time: float | None,
        *,
        no_start: bool,
        no_run_id: bool,
        body_limit: int | None,
        on_success: str,
        on_failure: str,
        on_exec_failure: str,
        **report: Any,
    ) -> None:
        self._command = command
        self._streams = streams
        self._max_time = max_time
        self._sends_start = not no_start
        self._body_limit = body_limit
        self._on_success = on_success
        self._on_failure = on_failure
        self._on_exec_failure = on_exec_failure
        self._report = functools.partial(_Report, has_run_id=not no_run_id, **report)

    def run(self, held_back: Signals) -> Ending:
        from healthchecks_io.cli.process import run_command
        from healthchecks_io.client.run_log import RunLog

        log = RunLog()
        report = self._report()
        limit = report.start() if self._sends_start else report.default_limit
        log.limit_to(min(limit, self._body_limit or limit))
        ending = run_command(self._command, self._streams, log, held_back, self._max_time)
        if not ending.was_run:
            _say(ending.problem)
        report.end(self._kind_of(ending), ending.status, log.body(ending.problem))
        return ending

    def _kind_of(self, ending: Ending) -> str:
        if not ending.was_run:
            return self._on_exec_failure
        return self._on_failure if ending.status else self._on_success


class _Report:
    """The pings of one run. What goes wrong with them is said once, and never raised."""

    def __init__(
        self, *, has_run_id: bool, uuid: str | None, slug: str | None, create: bool, **connection: Any
    ) -> None:
        self.default_limit = readers.DEFAULT_BODY_LIMIT
        self._rid = str(uuid4()) if has_run_id else None
        self._has_warned = False
        self._way: tuple[Client, Target] | None = None
        try:
            self._way = connect(**connection), target(uuid, slug, create=create)
        except click.UsageError:
            raise
        except click.ClickException as error:
            self._warn(error.message)

    def start(self) -> int:
        """Send the start ping. Give how many bytes of a body the server keeps."""
        if self._way is None:
            return self.default_limit
        client, (uuid, slug, create) = self._way
        try:
            call = client._ping_of_run("start_ping", "start", uuid, slug, b"", rid=self._rid, create=create)
            # As a whole within the timeout: the command is not to wait for its monitoring.
            return client._send(call, client._timeout)
        except HCAPIError as error:
            self._warn(str(error))
            return self.default_limit

    def end(self, kind: str, status: int, body: bytes) -> None:
        """Send the final ping."""
        if self._way is None:
            return
        client, check = self._way
        try:
            with client:
                result = check.ping(client, status if kind == "exit-status" else kind, body, self._rid)
            if not result.success:
                self._warn(f"the answer to a ping was {client._quoted(result.text)!r}")
        except HCAPIError as error:
            self._warn(str(error))

    def _warn(self, problem: str) -> None:
        if not self._has_warned:
            _say(f"the run is not fully reported: {problem}")
        self._has_warned = True


def _say(text: str) -> None:
    """Write to standard error, if it can be written to: a full disk is no reason not to run the job."""
    with contextlib.suppress(OSError):
        os.write(2, f"py-healthchecks.io: {text}\n".encode(errors="backslashreplace"))
