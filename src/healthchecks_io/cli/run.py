"""The `run` command, which runs another command as a monitored job."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from healthchecks_io.cli.completion import complete_command
from healthchecks_io.cli.connection import connect, ping_options
from healthchecks_io.cli.durations import parse_duration
from healthchecks_io.cli.target import target, target_options
from healthchecks_io.client.arguments import MAX_PING_BODY
from healthchecks_io.client.exceptions import HCAPIError
from healthchecks_io.trap.outcome import SUCCESS, Outcome
from healthchecks_io.trap.reporter import Reporter
from healthchecks_io.trap.run import new_rid
from healthchecks_io.trap.run_log import RunLog

if TYPE_CHECKING:
    from healthchecks_io.cli.process import CommandResult, Streams
    from healthchecks_io.cli.signals import SignalReceiver
    from healthchecks_io.client import Client

_KIND = click.Choice(["success", "fail", "log", "exit-status"])


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, shell_complete=complete_command)
@target_options
@click.option("--no-start", is_flag=True, help="Do not send a start ping.")
@click.option("--no-run-id", is_flag=True, help="Do not send a run ID with the pings.")
@click.option("--no-output", is_flag=True, help="Do not send the command's output.")
@click.option("--quiet", is_flag=True, help="Do not show the command's output.")
@click.option("--discard-stdout", is_flag=True, help="Neither send nor show the command's standard output.")
@click.option("--body-limit", type=click.IntRange(100, 1_000_000), help="Send at most this many bytes of output.")
@click.option(
    "--on-success", type=_KIND, default="success", show_default=True, help="What to send if the command succeeds."
)
@click.option(
    "--on-failure", type=_KIND, default="exit-status", show_default=True, help="What to send if the command fails."
)
@click.option(
    "--on-exec-failure",
    type=_KIND,
    default="exit-status",
    show_default=True,
    help="What to send if the command cannot run.",
)
@click.option(
    "--max-time", type=parse_duration, metavar="DURATION", help="Stop the command if it runs longer than this."
)
@click.option(
    "--every",
    type=parse_duration,
    metavar="DURATION",
    help="Run the command repeatedly at this interval; SIGALRM starts the next run immediately.",
)
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

    Send a start ping, run COMMAND, then send its exit status and the end of its output.

    The exit status is that of COMMAND: 128+n if it was killed by signal n, 127 if it was not found, 126 if it could not
    be executed. Failed pings do not affect COMMAND or the exit status. They cause a single warning on standard error.
    """
    if sys.platform == "win32":  # pragma: no cover - Windows lacks these signals
        raise click.ClickException("run requires Linux, macOS or another Unix system")
    if every == 0:
        raise click.UsageError("--every must be greater than 0")
    from healthchecks_io.cli.process import Streams
    from healthchecks_io.cli.signals import signal_receiver

    streams = Streams(are_shown=not quiet, are_logged=not no_output, has_stdout=not discard_stdout)
    job = _Job(command, streams, max_time, **options)
    signals = signal_receiver(*([signal.SIGALRM] if every else []))
    signals.start()
    started_at = time.monotonic()
    result = job.run(signals)
    while every and not result.stopped_by:
        stopped_by = _sleep(started_at + every, signals)
        if stopped_by:
            sys.exit(128 + stopped_by)
        started_at = time.monotonic()
        result = job.run(signals)
    sys.exit(result.exit_status)


def _sleep(until: float, signals: SignalReceiver) -> int:
    """Sleep until the next run is due or SIGALRM arrives.

    Returns:
        The number of the termination signal that ended the wait, or 0 to start the next run.
    """
    from healthchecks_io.cli.signals import TERMINATION_SIGNALS

    while (remaining := until - time.monotonic()) > 0:
        received = signals.wait(min(remaining, 3600.0))
        if received is not None and received.number == signal.SIGALRM:
            return 0
        if received is not None and received.number in TERMINATION_SIGNALS:
            return received.number
    return 0


class _Job:
    """A monitored command, which may run more than once."""

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
        self._on_success = on_success
        self._on_failure = on_failure
        self._on_exec_failure = on_exec_failure
        self._report = functools.partial(
            _Report, sends_start=not no_start, has_run_id=not no_run_id, body_limit=body_limit, **report
        )

    def run(self, signals: SignalReceiver) -> CommandResult:
        from healthchecks_io.cli.process import run_command

        log = RunLog()
        report = self._report()
        log.limit_to(report.start())
        result = run_command(self._command, self._streams, log, signals, self._max_time)
        if result.exec_failed:
            _print_error(result.problem)
        report.end(self._outcome_of(result), log.body(result.problem))
        return result

    def _outcome_of(self, result: CommandResult) -> Outcome:
        if result.exec_failed:
            kind = self._on_exec_failure
        else:
            kind = self._on_failure if result.exit_status else self._on_success
        if kind == "exit-status":
            return Outcome("exit_code_ping", str(result.exit_status))
        return SUCCESS if kind == "success" else Outcome(f"{kind}_ping", kind)


class _Report:
    """Sends the pings of one run. Failures are reported with a single warning and never raised."""

    def __init__(
        self,
        *,
        sends_start: bool,
        has_run_id: bool,
        body_limit: int | None,
        uuid: str | None,
        slug: str | None,
        create: bool,
        **connection: Any,
    ) -> None:
        self._sends_start = sends_start
        self._has_warned = False
        self._client: Client | None = None
        try:
            self._client = connect(**connection)
            check = target(uuid, slug, create=create)
            self._reporter = Reporter(
                self._client,
                check.uuid,
                check.slug,
                create=check.create,
                rid=new_rid() if has_run_id else None,
                ping_errors="log",
                body_limit=body_limit,
                warn=lambda _, error: self._warn(str(error)),
            )
            self._reporter.validate()
        except click.UsageError:
            raise
        except (click.ClickException, HCAPIError) as error:
            self._client = None
            self._warn(error.message if isinstance(error, click.ClickException) else str(error))

    def start(self) -> int:
        """Send the start ping if it is wanted. Return the maximum length of the final body in bytes."""
        if self._client is None:
            return MAX_PING_BODY  # Nothing is sent.
        return self._reporter.start() if self._sends_start else self._reporter.body_limit()

    def end(self, outcome: Outcome, body: bytes) -> None:
        """Send the final ping."""
        if self._client is not None:
            with self._client:
                self._reporter.end(outcome, body)

    def _warn(self, problem: str) -> None:
        if not self._has_warned:
            _print_error(f"the run was not fully reported: {problem}")
        self._has_warned = True


def _print_error(message: str) -> None:
    """Print a message to standard error. Ignore write errors: a full disk must not keep the command from running."""
    with contextlib.suppress(OSError):
        os.write(2, f"py-healthchecks.io: {message}\n".encode(errors="backslashreplace"))
