"""The pings of a heartbeat during one block."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from healthchecks_io.client.exceptions import HCAPIError
from healthchecks_io.client.logger import log
from healthchecks_io.trap.outcome import Outcome
from healthchecks_io.trap.run_log import RunLog

if TYPE_CHECKING:
    from healthchecks_io.trap.async_reporter import AsyncReporter
    from healthchecks_io.trap.reporter import Reporter

_LONG_INTERVAL = 12 * 3600
"""In seconds. The default period of a check, one day, suits heartbeats with at least this interval."""

NORMAL_END = Outcome("log", "The heartbeat has ended.")


class Beats:
    """The pings of one block with a heartbeat. Entering the block returns this object.

    Args:
        title: The name of the heartbeat in log messages.
        every: The interval in seconds.
        max_silence: The maximum number of seconds between two calls of `alive`, or None if it need not be called.
    """

    def __init__(self, title: str, every: float, max_silence: float | None) -> None:
        self._title = title
        self._every = every
        self._max_silence = max_silence
        self._last_alive = self._due = time.monotonic()
        self._down_since: float | None = None
        self._is_suspended = False
        self._has_checked_period = False
        self._log = RunLog()

    def alive(self) -> None:
        """Report that the program makes progress. With ``max_silence``, pings stop if this is not called often enough.

        It does no I/O, and can be called as often as you like, in any thread::

            while True:
                beat.alive()
                handle(queue.get())
        """
        self._last_alive = time.monotonic()

    def _is_due(self) -> bool:
        """Return whether to ping now. If not, log it once."""
        silence = time.monotonic() - self._last_alive
        is_suspended = self._max_silence is not None and silence > self._max_silence
        if is_suspended and not self._is_suspended:
            message = "alive() was not called for %.0f s: no more pings of %s are sent until it is called"
            log(logging.WARNING, message, silence, self._title)
        elif self._is_suspended and not is_suspended:
            log(logging.INFO, "alive() was called again: the heartbeat of %s continues", self._title)
        self._is_suspended = is_suspended
        return not is_suspended

    def _limit_log(self, reporter: Reporter | AsyncReporter) -> None:
        self._log.limit_to(reporter.body_limit())

    def _succeeded(self, reporter: Reporter | AsyncReporter, announced_limit: int | None) -> None:
        if announced_limit is not None:
            self._log.limit_to(announced_limit)
        is_default = None if self._has_checked_period else reporter.expects_one_ping_a_day
        if is_default is not None:
            self._has_checked_period = True
            if is_default and self._every < _LONG_INTERVAL:
                message = "The check of %s expects one ping a day, so a missing heartbeat is noticed late: %s"
                log(
                    logging.WARNING,
                    message,
                    self._title,
                    "set its period, or set HEALTHCHECKS_API_KEY before it is created",
                )
        if self._down_since is not None:
            down = time.monotonic() - self._down_since
            # At the level of the message about the beginning, so that whoever sees one of them sees both.
            log(logging.WARNING, "The heartbeat of %s works again, after %.0f s", self._title, down)
            self._down_since = None

    def _failed(self, error: HCAPIError) -> None:
        if self._down_since is None:
            self._down_since = time.monotonic()
            message = "The heartbeat of %s could not be sent, and is retried at each beat: %s"
            log(logging.WARNING, message, self._title, error)

    def _seconds_to_next(self) -> float:
        """Return how long to wait for the next ping."""
        now = time.monotonic()
        self._due += self._every
        if now - self._due > self._every:
            self._due = now  # Do not catch up on missed pings.
        return max(self._due - now, 0.0)

    def _body(self, outcome: Outcome) -> bytes:
        return self._log.body(outcome.postscript)


class ThreadBeats(Beats):
    """The pings of a heartbeat, sent by a thread.

    Args:
        reporter: Sends the pings, or None if there are none to send.
        every: See Beats.
        max_silence: See Beats.
    """

    def __init__(self, reporter: Reporter | None, every: float, max_silence: float | None) -> None:
        super().__init__("" if reporter is None else reporter.title, every, max_silence)
        self._reporter = reporter
        self._pid = os.getpid()
        self._has_ended = threading.Event()
        self._outcome = NORMAL_END
        self._ends = float("inf")
        self._thread = threading.Thread(
            target=self._run, args=(reporter,), name="healthchecks_io heartbeat", daemon=True
        )

    def start(self) -> None:
        """Start the thread."""
        if self._reporter is not None:
            self._limit_log(self._reporter)
            self._thread.start()

    def _run(self, reporter: Reporter) -> None:
        while True:
            if self._is_due():
                try:
                    self._succeeded(reporter, reporter.beat())
                except HCAPIError as error:
                    self._failed(error)
            if self._has_ended.wait(self._seconds_to_next()):
                break
        within = self._ends - time.monotonic()
        reporter.end(self._outcome, self._body(self._outcome), within=within, may_raise=False)
        reporter.close()

    def end(self, outcome: Outcome) -> None:
        """Send the final ping, and stop the thread, within the timeout of the client."""
        if self._reporter is None or self._pid != os.getpid():
            return
        self._outcome = outcome
        self._ends = time.monotonic() + self._reporter.timeout
        self._has_ended.set()
        # The resolution of a host name cannot be interrupted: leave the thread behind.
        self._thread.join(self._reporter.timeout)
