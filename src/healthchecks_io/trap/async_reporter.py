"""Reports one run of a job with an AsyncClient: see `reporter`."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from healthchecks_io.client import errors
from healthchecks_io.client.async_client import AsyncClient, carry_out, running_loop, send
from healthchecks_io.client.exceptions import HCAPIError
from healthchecks_io.client.request_context import logs_failures_itself
from healthchecks_io.client.response import Failure
from healthchecks_io.trap.cancellation import cancel_again, finish_despite_cancellation
from healthchecks_io.trap.reporter import LAST_WORDS, AbstractReporter

if TYPE_CHECKING:
    from healthchecks_io.client.steps import Steps
    from healthchecks_io.trap.outcome import Outcome
    from healthchecks_io.trap.reporter import T


_closing: set[asyncio.Task[None]] = set()
"""The tasks that close the clients of closed coroutines. An event loop alone would not keep them."""


class AsyncReporter(AbstractReporter[AsyncClient]):
    """Reports one run with an AsyncClient."""

    async def _carry_out(self, steps: Steps[T], within: float, *, retry: bool = True) -> T:
        before = logs_failures_itself.get()
        try:
            logs_failures_itself.set(self._ping_errors != "raise")
            return await carry_out(self._client, steps, within, retry=retry)
        finally:
            logs_failures_itself.set(before)

    async def start(self) -> int:
        """Send the start ping: see Reporter.start."""
        ends = time.monotonic() + self.timeout
        await self._carry_out(self._find_check(self._check_failed), self.timeout / 2)
        return await self._carry_out(self._start(), ends - time.monotonic())

    async def interrupted(self, outcome: Outcome, body: bytes) -> None:
        """Send the final ping of a run whose start was interrupted: see Reporter.interrupted."""
        if self._start_may_have_arrived:
            await self.send_last_words(outcome, body)

    async def send_last_words(self, outcome: Outcome, body: bytes) -> None:
        """Send the final ping after an interruption: see Reporter.send_last_words."""
        if not self._may_send_last_words():
            return
        failure: HCAPIError | None = None

        async def send_end() -> None:
            nonlocal failure
            failure = None
            try:
                await send(self._client, self._ping(outcome.action, body), LAST_WORDS, retry=False)
            except Exception as error:  # noqa: BLE001 - a fault of this library must not harm the job
                failure = self._failure_of(error)

        is_done, _ = await finish_despite_cancellation(send_end, LAST_WORDS, is_cancelled=True)
        failure = failure if is_done else self._gave_up(outcome, body, LAST_WORDS)
        if failure is not None:
            self._end_failed(failure, may_raise=False)

    async def beat(self) -> int | None:
        """Send a success ping of a heartbeat: see Reporter.beat."""
        ends = time.monotonic() + self.timeout
        try:
            await self._carry_out(self._find_check(self._declaration_failed), self.timeout / 2, retry=False)
            return await self._carry_out(self._success(), ends - time.monotonic(), retry=False)
        except Exception as error:  # noqa: BLE001 - a fault of this library must not end the heartbeat
            raise self._failure_of(error) from error.__cause__

    async def send_log(self, body: bytes) -> None:
        """Send a log ping: see Reporter.send_log."""
        await self._carry_out(self._log(body), self.timeout)

    async def end(
        self,
        outcome: Outcome,
        body: bytes,
        *,
        is_cancelled: bool,
        may_raise: bool,
        within: float = float("inf"),
        after: asyncio.Task[None] | None = None,
    ) -> tuple[bool, asyncio.CancelledError | None]:
        """Send the final ping, even if the task is cancelled in the meantime.

        Args:
            outcome: How the job ended.
            body: The log.
            is_cancelled: Whether the task has already been cancelled.
            may_raise: Whether to raise errors. They must not replace an exception from the job.
            within: The maximum duration in seconds, including retries.
            after: A task to wait for before the ping is sent.

        Returns:
            Whether the ping was sent, and the cancellation that arrived in the meantime, if any, which the caller must
            handle.

        Raises:
            HCAPIError: The ping failed, ``may_raise`` is set, ``ping_errors`` is "raise", and there was no
                cancellation.
        """
        if self._is_silent:
            return False, None
        try:
            running_loop()
        except HCAPIError as error:
            self._end_failed(error, may_raise=may_raise)
            return False, None
        failure: HCAPIError | None = None
        ends = time.monotonic() + within

        async def send_end() -> None:
            nonlocal failure
            failure = None
            if after is not None:
                await asyncio.wait([after], timeout=max(ends - time.monotonic(), 0.0))
            try:
                steps = self._send(outcome.action, body)
                await self._carry_out(steps, ends - time.monotonic())
            except Exception as error:  # noqa: BLE001 - a fault of this library must not harm the job
                failure = self._failure_of(error)

        is_done, cancellation = await finish_despite_cancellation(send_end, self.timeout, is_cancelled=is_cancelled)
        if not is_done:
            failure = self._gave_up(outcome, body, self.timeout)
        cancellation = await self.close(is_cancelled=is_cancelled or cancellation is not None) or cancellation
        if failure is not None:
            self._end_failed(failure, may_raise=may_raise and cancellation is None)
        return failure is None, cancellation

    async def close(self, *, is_cancelled: bool) -> asyncio.CancelledError | None:
        """Close the client, if the run owns it, even if the task is cancelled in the meantime.

        Args:
            is_cancelled: Whether the task has already been cancelled.

        Returns:
            The cancellation that arrived in the meantime, if any, which the caller must handle.
        """
        if not self._owns_client:
            return None

        async def close_client() -> None:
            try:
                await self._client.aclose()
            except Exception as error:  # noqa: BLE001 - a fault of this library must not harm the job
                from healthchecks_io.client.tracebacks import raise_if_from_signal_handler

                raise_if_from_signal_handler(error)

        _, cancellation = await finish_despite_cancellation(close_client, LAST_WORDS, is_cancelled=is_cancelled)
        return cancellation

    def _gave_up(self, outcome: Outcome, body: bytes, seconds: float) -> HCAPIError:
        try:
            call = self._ping(outcome.action, body)
        except HCAPIError as error:
            return error
        failed = Failure(f"gave up {seconds:g} s after the task was cancelled")
        return errors.error_of(self._settings, call, failed)

    def cannot_end(self) -> None:
        """Report that the final ping cannot be sent because the coroutine was closed."""
        error = HCAPIError("the coroutine was closed and can no longer send a ping")
        self._end_failed(error, may_raise=False)
        if self._owns_client:
            with contextlib.suppress(RuntimeError):  # No event loop is running.
                task = asyncio.get_running_loop().create_task(self._client.aclose())
                _closing.add(task)
                task.add_done_callback(_closing.discard)

    @staticmethod
    def cancel_again() -> None:
        """Deliver a cancellation that was deferred while the job's exception was being reported."""
        cancel_again()
