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
        super().__init__(every, max_silence)
        self._reporter = reporter
        self._pid = os.getpid()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task."""
        if self._reporter is not None:
            self._limit_log(self._reporter)
            self._task = asyncio.get_running_loop().create_task(self._run(self._reporter))

    async def _run(self, reporter: AsyncReporter) -> None:
        while True:
            if self._is_due():
                try:
                    self._succeeded(await reporter.beat())
                except HCAPIError as error:
                    self._failed(error)
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
        self._task.cancel()
        if not can_await_after(error):
            self._reporter.cannot_end()
            return
        _, cancellation = await self._reporter.end(
            outcome,
            self._body(outcome),
            is_cancelled=is_cancellation(error),
            may_raise=False,
            within=self._reporter.timeout,
        )
        if cancellation is not None:
            if error is None:
                raise cancellation
            if not is_cancellation(error):
                cancel_again()
