"""Reports one run of a job with an AsyncClient: see `reporter`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthchecks_io.client import errors
from healthchecks_io.client.async_client import AsyncClient, running_loop, send
from healthchecks_io.client.exceptions import HCAPIError
from healthchecks_io.client.response import Failure
from healthchecks_io.trap.cancellation import cancel_again, finish_despite_cancellation
from healthchecks_io.trap.reporter import AbstractReporter

if TYPE_CHECKING:
    import asyncio

    from healthchecks_io.trap.outcome import Outcome


class AsyncReporter(AbstractReporter[AsyncClient]):
    """Reports one run with an AsyncClient."""

    async def start(self) -> int:
        """Send the start ping: see Reporter.start."""
        try:
            return self.body_limit(await send(self._client, self._start_ping(), self.timeout))
        except HCAPIError as error:
            return self._start_failed(error)

    async def send_log(self, body: bytes) -> None:
        """Send a log ping: see Reporter.send_log."""
        try:
            await send(self._client, self._log_ping(body), self.timeout)
        except HCAPIError as error:
            self._log_failed(error)

    async def end(
        self, outcome: Outcome, body: bytes, *, is_cancelled: bool, may_raise: bool
    ) -> asyncio.CancelledError | None:
        """Send the final ping, even if the task is cancelled in the meantime.

        Args:
            outcome: How the job ended.
            body: The log.
            is_cancelled: Whether the task has already been cancelled.
            may_raise: Whether to raise errors. They must not replace an exception from the job.

        Returns:
            The cancellation that arrived in the meantime, if any, which the caller must handle.

        Raises:
            HCAPIError: The ping failed, ``may_raise`` is set, ``ping_errors`` is "raise", and there was no
                cancellation.
        """
        try:
            running_loop()
        except HCAPIError as error:
            self._end_failed(error, may_raise=may_raise)
            return None
        call = self._end_ping(outcome, body)
        failure: HCAPIError | None = None

        async def send_end() -> None:
            nonlocal failure
            failure = None
            try:
                await send(self._client, call)
            except HCAPIError as error:
                failure = error

        is_done, cancellation = await finish_despite_cancellation(send_end, self.timeout, is_cancelled=is_cancelled)
        if not is_done:
            failed = Failure(f"gave up {self.timeout:g} s after the task was cancelled")
            failure = errors.error_of(self._settings, call, failed)
        if failure is not None:
            self._end_failed(failure, may_raise=may_raise and cancellation is None)
        return cancellation

    def cannot_end(self) -> None:
        """Report that the final ping cannot be sent because the coroutine was closed."""
        error = HCAPIError("the coroutine was closed and can no longer send a ping")
        self._end_failed(error, may_raise=False)

    @staticmethod
    def cancel_again() -> None:
        """Deliver a cancellation that was deferred while the job's exception was being reported."""
        cancel_again()
