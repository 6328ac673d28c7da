"""Report a run of a command from a thread, so that the command never waits for the monitoring."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, NamedTuple

from healthchecks_io.runner.descriptors import print_error
from healthchecks_io.runner.signals import TERMINATION_SIGNALS, wake_up
from healthchecks_io.trap.run import new_rid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from healthchecks_io.client import Client
    from healthchecks_io.client.upsert import DeclaredCheck
    from healthchecks_io.runner.signals import SignalReceiver
    from healthchecks_io.trap.outcome import Outcome
    from healthchecks_io.trap.reporter import Reporter
    from healthchecks_io.trap.run_log import RunLog

_LAST_WORDS = 2.0
"""How long the pings may take after a termination signal, in seconds. A second signal ends them at once, or leaves them
this long if both came while the command was running."""

_PATIENCE = 1.0
"""How long a problem is not printed while the command runs, in seconds. At its end, it is known what was reported."""


class ReportOptions(NamedTuple):
    """What to report to which check.

    Attributes:
        connect: Creates the client for a `with` block.
        uuid: The check's UUID, or an empty string.
        slug: The check's slug, or an empty string.
        create: Whether to create the check if there is none with this slug.
        declared: The declared fields of the check, as arguments of monitor.
        sends_start: Whether to send a start ping.
        has_run_id: Whether to send a run ID.
        body_limit: The maximum length of the output to send in bytes, or None for the server's limit.
    """

    connect: Callable[[], AbstractContextManager[Client]]
    uuid: str
    slug: str
    create: bool
    declared: Mapping[str, object]
    sends_start: bool
    has_run_id: bool
    body_limit: int | None


class Sender:
    """Sends the pings of one run, in order. Failures are reported with a single warning and never raised.

    Args:
        options: What to report.
        log: The log of the run. It is limited to what the server accepts.
    """

    def __init__(self, options: ReportOptions, log: RunLog) -> None:
        self._options = options
        self._log = log
        self._reporter: Reporter | None = None
        self._problem = ""
        self._has_warned = False
        self._outcome: Outcome | None = None
        self._has_ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin to send."""
        try:
            self._thread.start()
        except RuntimeError as error:
            self._problem = str(error)
            self._warn()

    def end(self, outcome: Outcome) -> None:
        """Send the final ping, after the start ping."""
        self._outcome = outcome
        self._has_ended.set()

    def wait(self, signals: SignalReceiver, stopped_by: int = 0, *, is_urgent: bool = False) -> int:
        """Wait until all pings are sent, or until a signal ends the program.

        Args:
            signals: The receiver of signals.
            stopped_by: The number of the termination signal that was received before, or 0.
            is_urgent: Whether several were received before.

        Returns:
            The number of the last termination signal that was received, or 0.
        """
        ends = time.monotonic() + _LAST_WORDS if is_urgent else float("inf")
        while self._thread.is_alive() and time.monotonic() < ends:
            received = signals.wait(min(ends - time.monotonic(), 1.0))
            if received is None or received.number not in TERMINATION_SIGNALS:
                continue
            if stopped_by:
                self._failed("a signal ended it")
                self._warn()
                return received.number
            stopped_by = received.number
            ends = time.monotonic() + _LAST_WORDS
        if self._thread.is_alive():
            self._failed("a signal ended it")
        self._warn()
        return stopped_by

    def _run(self) -> None:
        try:
            self._report()
        except Exception as error:  # noqa: BLE001 - a fault of the monitoring must not harm the command
            self._failed(getattr(error, "message", "") or str(error) or type(error).__name__)
        finally:
            self._warn()
            wake_up()

    def _report(self) -> None:
        with self._options.connect() as client:
            self._reporter = reporter = self._new_reporter(client)
            reporter.validate()
            # Without a start ping, this creates or updates a declared check.
            self._log.limit_to(reporter.start())
            if self._problem and not self._has_ended.wait(_PATIENCE):
                self._warn("is")
            self._has_ended.wait()
            if self._outcome is not None:
                reporter.end(self._outcome, self._log.body(self._outcome.postscript))

    def _new_reporter(self, client: Client) -> Reporter:
        from healthchecks_io.trap.reporter import Reporter

        options = self._options
        return Reporter(
            client,
            options.uuid,
            options.slug,
            create=options.create,
            rid=new_rid() if options.has_run_id else None,
            ping_errors="log",
            declared=self._declared_check(client),
            sends_start=options.sends_start,
            body_limit=options.body_limit,
            warn=lambda _, error: self._failed(str(error)),
        )

    def _declared_check(self, client: Client) -> DeclaredCheck | None:
        if not self._options.declared:
            return None
        from healthchecks_io.client.abstract_client import settings_of
        from healthchecks_io.client.upsert import DeclaredCheck
        from healthchecks_io.monitoring.declaration import declared_check

        if not settings_of(client).api_key:
            self._failed("creating and updating checks needs HEALTHCHECKS_API_KEY, so the declared fields are ignored")
            return None
        check = declared_check("", self._options.slug, **self._options.declared)
        return None if check is None else DeclaredCheck(check)

    def _failed(self, problem: str) -> None:
        self._problem = self._problem or problem

    def _warn(self, verb: str = "was") -> None:
        """Print the first problem, if there is one, and nothing was printed before.

        Args:
            verb: ``is`` while the run continues, so that it is not known how much of it will be reported.
        """
        if not self._problem or self._has_warned:
            return
        self._has_warned = True
        is_partial = verb == "is" or (self._reporter is not None and self._reporter.has_reported)
        extent = "fully reported" if is_partial else "reported"
        print_error(f"the run {verb} not {extent}: {self._problem}")
