"""The pings of a heartbeat, sent by an asyncio task."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from healthchecks_io.client.exceptions import HCAPIError
from healthchecks_io.monitoring.beats import Beats
from healthchecks_io.trap.awaiting import can_await_after
from healthchecks_io.trap.cancellation import cancel_again
from healthchecks_io.trap.outcome import is_cancellation

if TYPE_CHECKING:
    from healthchecks_io.trap.async_reporter import AsyncReporter
    from healthchecks_io.trap.outcome import Outcome


class TaskBeats(Beats):
    """The pings of a heartbeat, sent by a task: see ThreadBeats."""

    def __init__(self, reporter: AsyncReporter | None, every: float, max_silence: float | None) -> None:
        super().__init__("" if reporter is None else reporter.title, every, max_silence)
        self._reporter = reporter
        self._pid = os.getpid()
        self._task: asyncio.Task[None] | None = None
        self._is_pinging = False
        self._has_ended = False

    def start(self) -> None:
        """Start the task."""
        if self._reporter is not None:
            self._limit_log(self._reporter)
            self._task = asyncio.get_running_loop().create_task(self._run(self._reporter))

    async def _run(self, reporter: AsyncReporter) -> None:
        while not self._has_ended:
            if self._is_due():
                self._is_pinging = True
                try:
                    self._succeeded(reporter, await reporter.beat())
                except HCAPIError as error:
                    self._failed(error)
                finally:
                    self._is_pinging = False
            if not self._has_ended:
                await asyncio.sleep(self._seconds_to_next())

    async def end(self, outcome: Outcome, error: BaseException | None) -> None:
        """Stop the task, and send the final ping, within the timeout of the client.

        Args:
            outcome: How the block ended.
            error: The exception that it raised, if any.

        Raises:
            asyncio.CancelledError: The task was cancelled in the meantime, and the block raised no exception.
        """
        if self._reporter is None or self._task is None or self._pid != os.getpid():
            return
        self._has_ended = True
        if not can_await_after(error):
            self._task.cancel()
            self._reporter.cannot_end()
            return
        if not self._is_pinging:
            self._task.cancel()
        # Let a ping end: it may be creating the check.
        _, cancellation = await self._reporter.end(
            outcome,
            self._body(outcome),
            after=self._task,
            is_cancelled=is_cancellation(error),
            may_raise=False,
            within=self._reporter.timeout,
        )
        self._task.cancel()
        if cancellation is not None:
            if error is None:
                raise cancellation
            if not is_cancellation(error):
                cancel_again()
