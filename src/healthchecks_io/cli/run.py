"""The `run` command, which runs another command as a monitored job."""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from healthchecks_io.cli.completion import complete_command
from healthchecks_io.cli.connection import declaration_options, ping_options
from healthchecks_io.cli.durations import parse_duration
from healthchecks_io.cli.schedules import parse_period, parse_schedule, parse_time_zone
from healthchecks_io.cli.target import Target, target, target_options

if TYPE_CHECKING:
    from collections.abc import Generator

    from healthchecks_io.client import Client
    from healthchecks_io.runner.command import CommandResult
    from healthchecks_io.runner.output import Streams
    from healthchecks_io.runner.sender import ReportOptions
    from healthchecks_io.runner.signals import SignalReceiver
    from healthchecks_io.trap.outcome import Outcome

_KIND = click.Choice(["success", "fail", "log", "exit-status"])


def _statuses(text: str) -> frozenset[int]:
    """Parse exit statuses separated by commas. Use it as the type of a click option."""
    statuses = [part.strip() for part in text.split(",")]
    if not all(status.isdecimal() and len(status) <= 3 and int(status) <= 255 for status in statuses):
        raise click.BadParameter("must be exit statuses from 0 to 255, separated by commas")
    return frozenset(map(int, statuses))


@click.command(context_settings={"allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, shell_complete=complete_command)
@target_options
@click.option(
    "--schedule",
    type=parse_schedule,
    metavar="EXPRESSION",
    help="Cron or OnCalendar expression: create the check with it, or update the check.",
)
@click.option(
    "--period", type=parse_period, metavar="DURATION", help="Expected time between runs, instead of a schedule."
)
@click.option(
    "--tz",
    type=parse_time_zone,
    metavar="TZ",
    help="Time zone of the schedule, such as Europe/Riga. A new check gets UTC without it.",
)
@click.option(
    "--grace", type=parse_period, metavar="DURATION", help="How late a run may be before the check goes down."
)
@click.option("--tags", help="Tags of the check, separated by spaces.")
@click.option("--no-start", is_flag=True, help="Do not send a start ping.")
@click.option("--no-run-id", is_flag=True, help="Do not send a run ID with the pings.")
@click.option("--no-output", is_flag=True, help="Do not send the command's output.")
@click.option("--quiet", is_flag=True, help="Do not show the command's output.")
@click.option("--quiet-success", is_flag=True, help="Show the command's output only if it fails, after its end.")
@click.option("--discard-stdout", is_flag=True, help="Neither send nor show the command's standard output.")
@click.option(
    "--body-limit", type=click.IntRange(100, 1_000_000), metavar="N", help="Send at most this many bytes of output."
)
@click.option("--shell", is_flag=True, help="COMMAND is one string, which /bin/sh runs.")
@click.option(
    "--ok-status",
    "ok_statuses",
    type=_statuses,
    metavar="STATUS[,...]",
    help="Other exit statuses that count as success.",
)
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
    "--max-time",
    type=parse_duration,
    metavar="DURATION",
    help="Stop the command, and all that it has started, if it runs longer than this.",
)
@click.option(
    "--every",
    type=parse_duration,
    metavar="DURATION",
    help="Run the command repeatedly at this interval; SIGALRM starts the next run immediately.",
)
@ping_options
@declaration_options
def run(
    command: tuple[str, ...],
    shell: bool,
    every: float | None,
    max_time: float | None,
    quiet: bool,
    quiet_success: bool,
    no_output: bool,
    discard_stdout: bool,
    ok_statuses: frozenset[int] | None,
    on_success: str,
    on_failure: str,
    on_exec_failure: str,
    **options: Any,
) -> None:
    """Run COMMAND as a monitored job.

    Start COMMAND at once, and send a start ping meanwhile. At its end, send its exit status and the end of its output.

    The exit status is that of COMMAND: 128+n if it was killed by signal n, 127 if it was not found, 126 if it could not
    be executed, 124 if --max-time ended it. Failed pings do not affect COMMAND or the exit status. They cause a single
    warning on standard error.

    With any of --schedule, --period, --tz, --grace and --tags, the check is created or updated first. This needs an API
    key.
    """
    if sys.platform == "win32":  # pragma: no cover - Windows lacks these signals
        raise click.ClickException("run requires Linux, macOS or another Unix system")
    if every == 0:
        raise click.UsageError("--every must be greater than 0")
    if shell and len(command) != 1:
        raise click.UsageError("with --shell, COMMAND must be a single string: put it in quotes")
    from healthchecks_io.runner.output import Streams
    from healthchecks_io.runner.signals import signal_receiver

    streams = Streams(
        are_shown=not quiet, are_logged=not no_output, has_stdout=not discard_stdout, are_held_back=quiet_success
    )
    kinds = _Kinds(on_success, on_failure, on_exec_failure, ok_statuses or frozenset())
    arguments = ("/bin/sh", "-c", *command) if shell else command
    job = _Job(arguments, streams, max_time, kinds, _report_options(**options))
    signals = signal_receiver(keeps_alarm=every is not None)
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
    from healthchecks_io.runner.command import reap
    from healthchecks_io.runner.signals import TERMINATION_SIGNALS

    while not signals.has_alarm and (remaining := until - time.monotonic()) > 0:
        received = signals.wait(remaining)
        if received is not None and received.number == signal.SIGCHLD:
            reap()
        if received is not None and received.number in TERMINATION_SIGNALS:
            return received.number
    signals.has_alarm = False
    return 0


class _Kinds(NamedTuple):
    """Which final ping to send."""

    on_success: str
    on_failure: str
    on_exec_failure: str
    ok_statuses: frozenset[int]

    def outcome_of(self, result: CommandResult) -> Outcome:
        from healthchecks_io.trap.outcome import SUCCESS, Outcome

        if result.exec_failed:
            kind = self.on_exec_failure
        else:
            kind = self.on_success if self.is_success(result) else self.on_failure
        if kind == "success":
            return SUCCESS._replace(postscript=result.problem)
        if kind == "exit-status":
            status = 0 if self.is_success(result) else result.exit_status
            return Outcome(str(status), result.problem)
        return Outcome(kind, result.problem)

    def is_success(self, result: CommandResult) -> bool:
        """Return whether the command has succeeded."""
        if result.exec_failed or result.timed_out:
            return False
        return result.exit_status == 0 or result.exit_status in self.ok_statuses


class _Job:
    """A monitored command, which may run more than once."""

    def __init__(
        self,
        command: tuple[str, ...],
        streams: Streams,
        max_time: float | None,
        kinds: _Kinds,
        report: ReportOptions,
    ) -> None:
        self._command = command
        self._streams = streams
        self._max_time = max_time
        self._kinds = kinds
        self._report = report

    def run(self, signals: SignalReceiver) -> CommandResult:
        from healthchecks_io.client.settings import is_disabled
        from healthchecks_io.runner.command import Command
        from healthchecks_io.runner.descriptors import print_error
        from healthchecks_io.runner.sender import Sender
        from healthchecks_io.trap.run_log import RunLog

        log = RunLog()
        running = Command(self._command, self._streams, log, signals, self._max_time)
        sender = Sender(self._report, log)
        if not is_disabled():
            sender.start()
        result = running.wait()
        if result.exec_failed:
            print_error(result.problem)
        if not self._kinds.is_success(result):
            running.show_held_back_output()
            if self._streams.are_held_back and not result.problem:
                # cron mails only what was printed, and a failure may have printed nothing.
                print_error(f"the command failed with exit status {result.exit_status}")
        sender.end(self._kinds.outcome_of(result))
        stopped_by = sender.wait(signals, result.stopped_by, is_urgent=result.is_urgent)
        if stopped_by and not result.stopped_by and signals.keeps_alarm:
            # The signal has ended the repetition, not the command.
            return result._replace(exit_status=128 + stopped_by, stopped_by=stopped_by)
        return result._replace(stopped_by=stopped_by)


def _report_options(
    *,
    uuid: str | None,
    slug: str | None,
    create: bool,
    schedule: str | None,
    period: int | None,
    tz: str | None,
    grace: int | None,
    tags: str | None,
    no_start: bool,
    no_run_id: bool,
    body_limit: int | None,
    **connection: Any,
) -> ReportOptions:
    """Return what to report. Raise an error for invalid options, before the command starts."""
    from healthchecks_io.runner.sender import ReportOptions

    fields = {"schedule": schedule, "period": period, "tz": tz, "grace": grace, "tags": tags}
    declared = {name: value for name, value in fields.items() if value is not None}
    if declared:
        if uuid is not None:
            names = ", ".join(f"--{name}" for name in declared)
            raise click.UsageError(f"{names} declare the check by its slug: use --slug instead of --uuid")
        if schedule is not None and period is not None:
            raise click.UsageError("a check has either a period or a schedule: pass only one of them")
    problem: click.ClickException | None = None
    check = Target("", "", create=False)
    try:
        check = target(uuid, slug, create=create)
    except click.UsageError:
        raise
    except click.ClickException as error:
        # The environment must not keep the command from running.
        problem = error
    if declared and problem is None and not check.slug:
        raise click.UsageError("the fields of a check are declared by its slug: use --slug")

    @contextlib.contextmanager
    def connect() -> Generator[Client]:
        if problem is not None:
            raise problem
        from healthchecks_io.cli.client import connect, warnings_printed
        from healthchecks_io.client.abstract_client import settings_of
        from healthchecks_io.client.settings import warn_if_url_is_missing
        from healthchecks_io.runner.descriptors import print_error

        with connect(**connection) as client, warnings_printed(print_error):
            warn_if_url_is_missing(settings_of(client), "PING")
            if declared:
                warn_if_url_is_missing(settings_of(client), "API")
            yield client

    return ReportOptions(
        connect,
        check.uuid,
        check.slug,
        create=check.create or bool(declared),
        declared=declared,
        sends_start=not no_start,
        has_run_id=not no_run_id,
        body_limit=body_limit,
    )
