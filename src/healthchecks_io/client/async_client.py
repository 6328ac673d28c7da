"""The client for asyncio."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from healthchecks_io.client.abstract_client import AbstractClient
from healthchecks_io.client.async_deadline import within_seconds
from healthchecks_io.client.call import Call
from healthchecks_io.client.exceptions import HCAPIError, UnusableClientError
from healthchecks_io.client.request_context import is_own_request
from healthchecks_io.client.response import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence
    from datetime import datetime, timedelta
    from types import TracebackType
    from typing import Any
    from uuid import UUID

    import httpx
    from typing_extensions import Self, Unpack

    from healthchecks_io.client.call import T
    from healthchecks_io.client.http import AsyncConnections, Progress
    from healthchecks_io.client.ping_result import PingResult
    from healthchecks_io.client.response import Response
    from healthchecks_io.client.settings import AsyncClientKeywords
    from healthchecks_io.client.steps import Step, Steps
    from healthchecks_io.provisioning.plan import Plan
    from healthchecks_io.reports.report import Report
    from healthchecks_io.schemas.badges import Badges
    from healthchecks_io.schemas.checks import Check, CheckCreate, CheckPings, CheckStatuses, CheckUpdate
    from healthchecks_io.schemas.integrations import Integration


MAX_CONCURRENT_REQUESTS = 100
"""The same limit as for the connections of an httpx client. Further requests wait in a queue."""


class _Session(NamedTuple):
    """The connections of a client in one event loop, and the slots for its requests."""

    connections: AsyncConnections
    slots: asyncio.Semaphore


class AsyncClient(AbstractClient):
    """A Healthchecks client for asyncio. trio is not supported.

    Use it as an asynchronous context manager to close its connections at the end, or call ``aclose()``.

    Args:
        api_key: The API key of the project, for the management API.
        ping_key: The ping key of the project, for pings by slug.
        api_url: The root URL of the management API, such as ``https://healthchecks.example/api/``.
        ping_url: The root URL of the ping API, such as ``https://healthchecks.example/ping/``.
        api_version: The version of the management API: 1, 2 or 3.
        client: An httpx client to use for requests, for example to set proxies, certificates or additional headers, or
            a function that returns one. A passed-in httpx client is never modified, and cannot be used after a fork or
            in a second event loop. A function is called for the first request, and again after a fork and in each
            further event loop.
        timeout: The maximum duration of an attempt in seconds.
        retries: The maximum number of retries after an attempt that failed for a transient reason.

    Raises:
        ValueError: A setting has an invalid value.
        TypeError: A setting has the wrong type.
    """

    _product = "py-healthchecks.io-async"
    _httpx_class = "AsyncClient"

    def __init__(
        self,
        api_key: str = "",
        ping_key: str = "",
        api_url: str = "https://healthchecks.io/api/",
        ping_url: str = "https://hc-ping.com/",
        api_version: int = 1,
        client: httpx.AsyncClient | Callable[[], httpx.AsyncClient] | None = None,
        *,
        timeout: float = 10.0,
        retries: int = 2,
    ) -> None:
        super().__init__(api_key, ping_key, api_url, ping_url, api_version, client, timeout, retries)

    @classmethod
    def from_env(cls, **overrides: Unpack[AsyncClientKeywords]) -> Self:
        """Create a client with settings from the environment.

        The variables are HEALTHCHECKS_API_KEY, HEALTHCHECKS_PING_KEY, HEALTHCHECKS_API_URL, HEALTHCHECKS_PING_URL,
        HEALTHCHECKS_API_VERSION, HEALTHCHECKS_TIMEOUT and HEALTHCHECKS_RETRIES. Surrounding whitespace is ignored, and
        an empty variable counts as not set. Set a variable to ``file:PATH`` to read its value from a file. Unlike the
        constructor, this method uses version 3 of the API by default. It logs a warning if only one of the two URLs is
        set, and there is a key for the other API.

        Args:
            **overrides: Keyword arguments of the constructor. They take precedence over the environment.

        Returns:
            The client.

        Raises:
            ValueError: A setting has an invalid value, or a file cannot be read.
        """
        from healthchecks_io.client.settings import warn_of_missing_urls, with_environment

        client = cls(**with_environment(overrides))
        warn_of_missing_urls(client._settings)
        return client

    async def __aenter__(self) -> Self:
        self._check_usable()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections, including the passed-in httpx client, if any.

        Connections that belong to another event loop cannot be closed from this one, and stay open.
        """
        self._is_closed = True
        session: _Session | None = self._sessions.pop((os.getpid(), running_loop()), None)
        before = is_own_request.get()
        try:
            is_own_request.set(True)
            if session is not None:
                await session.connections.aclose()
            elif self._passed_in is not None and not self._sessions:
                await self._passed_in.aclose()
        finally:
            is_own_request.set(before)

    def _session(self) -> _Session:
        """Return the session of this process and event loop, and create it if necessary."""
        self._check_usable()
        key = (os.getpid(), running_loop())
        session: _Session | None = self._sessions.get(key)
        if session is None:
            if self._passed_in is not None and self._sessions:
                raise UnusableClientError(
                    "the passed-in httpx client has been used in another event loop, which owns its connections: "
                    "pass a function that returns an httpx client instead"
                )
            from healthchecks_io.client import async_transports, http

            for other in list(self._sessions):
                if other[1].is_closed():
                    self._sessions.pop(other, None)
            own = self._client is None
            connections = async_transports.AsyncTransport() if own else http.PassedInAsyncClient(self._httpx_client())
            session = self._sessions[key] = _Session(connections, asyncio.Semaphore(MAX_CONCURRENT_REQUESTS))
        return session

    async def _send(self, call: Call[T], within: float = float("inf"), *, retry: bool = True) -> T:
        """Send a call, including retries, within a number of seconds, and return its parsed response."""
        from healthchecks_io.client.retries import longest_duration

        ends = running_loop().time() + min(within, longest_duration(self._settings, call))
        handled = sys.exc_info()[1]
        before = is_own_request.get()
        try:
            is_own_request.set(True)
            return self._parse_or_raise(call, await self._result(call, ends, retry=retry))
        except BaseException as error:  # noqa: BLE001 - it is raised again
            from healthchecks_io.client.tracebacks import hide_lower_frames

            raise hide_lower_frames(error, handled)  # noqa: B904 - it is the same exception
        finally:
            is_own_request.set(before)

    async def _result(self, call: Call[Any], ends: float, *, retry: bool) -> Response | Failure:
        """Make attempts until one succeeds or there is no retry left, and return the last result."""
        from healthchecks_io.client.retries import Retries

        now = running_loop().time
        retries = None
        while True:
            result = await self._attempt_in_turn(call, ends)
            if not (result.is_error and retry):
                return result
            retries = retries or Retries(self._settings, call)
            delay = retries.next_delay(result, ends - now())
            if delay is None:
                return result
            call = retries.call
            await asyncio.sleep(delay)

    async def _attempt_in_turn(self, call: Call[Any], ends: float) -> Response | Failure:
        """Wait for a free slot, and make one attempt."""
        now = running_loop().time
        connections, slots = self._session()
        try:
            await (within_seconds(ends - now(), slots.acquire()) if slots.locked() else slots.acquire())
        except asyncio.TimeoutError as error:
            _raise_if_foreign(error)
            reason = f"{MAX_CONCURRENT_REQUESTS} other requests were in progress the whole time"
            return Failure(reason)
        try:
            # Check again: the client may have been closed in the meantime.
            self._check_usable()
            return await self._attempt(connections, call, min(self._settings.timeout, ends - now()))
        finally:
            slots.release()

    async def _attempt(self, connections: AsyncConnections, call: Call[Any], seconds: float) -> Response | Failure:
        from healthchecks_io.client.http import Progress, result_of

        handled = sys.exc_info()[1]
        # An idempotent call is retried whether or not it was sent, so it need not be traced.
        progress = None if call.is_idempotent else Progress()
        try:
            return await within_seconds(seconds, self._exchange(connections, call, seconds, progress))
        except asyncio.TimeoutError as error:
            _raise_if_foreign(error, calls_user_code=self._client is not None)
            never_sent = progress is not None and progress.never_sent
            return Failure(f"the response was not complete after {max(seconds, 0.0):g} s", never_processed=never_sent)
        except HCAPIError:
            raise
        except Exception as error:  # noqa: BLE001 - the lower layers and the user's hooks may raise anything
            return result_of(error, self._settings, call, handled=handled, calls_user_code=self._client is not None)

    async def _exchange(
        self, connections: AsyncConnections, call: Call[Any], seconds: float, progress: Progress | None
    ) -> Response:
        from healthchecks_io.client.http import BodyReader

        in_use: list[Any] = []
        try:
            request = connections.build_request(self._settings, call, seconds, progress)
            response = await connections.send(request, in_use)
            try:
                body = BodyReader(response, call.max_bytes)
                chunks = aiter(response.aiter_raw())
                # Not anext() with a default: it crashed CPython 3.11 when a signal handler raised an exception.
                while body.wants_more():
                    try:
                        body.add(await anext(chunks))
                    except StopAsyncIteration:  # noqa: PERF203 - the end of the response
                        break
            finally:
                await response.aclose()
        finally:
            for connection in in_use:
                await connection.aclose()
        return body.result()

    async def get_checks(self, tags: Iterable[str] | None = None, slug: str | None = None) -> list[Check]:
        return await self._send(self._get_checks(tags, slug))

    async def get_check(self, check_id: str | UUID | None) -> Check:
        return await self._send(self._get_check(check_id))

    async def create_check(self, new_check: CheckCreate) -> Check:
        return await self._send(self._create_check(new_check))

    async def update_check(self, uuid: str | UUID | None, update_check: CheckUpdate) -> Check:
        return await self._send(self._update_check(uuid, update_check))

    async def pause_check(self, check_id: str | UUID | None) -> Check:
        return await self._send(self._pause_check(check_id))

    async def resume_check(self, check_id: str | UUID | None) -> Check:
        return await self._send(self._resume_check(check_id))

    async def delete_check(self, check_id: str | UUID | None) -> Check:
        return await self._send(self._delete_check(check_id))

    async def get_check_pings(self, check_id: str | UUID | None) -> list[CheckPings]:
        return await self._send(self._get_check_pings(check_id))

    async def get_ping_body(self, check_id: str | UUID | None, n: int) -> bytes:
        return await self._send(self._get_ping_body(check_id, n))

    async def get_check_flips(
        self,
        check_id: str | UUID | None,
        seconds: int | timedelta | str | None = None,
        start: float | datetime | None = None,
        end: float | datetime | None = None,
    ) -> list[CheckStatuses]:
        return await self._send(self._get_check_flips(check_id, seconds, start, end))

    async def get_integrations(self) -> list[Integration]:
        return await self._send(self._get_integrations())

    async def get_badges(self) -> dict[str, Badges]:
        return await self._send(self._get_badges())

    async def get_status(self) -> bool:
        return await self._send(self._get_status())

    async def get_report(self, check_id: str | UUID | None, days: int = 30) -> Report:
        from healthchecks_io.reports import fetch

        return await carry_out(self, fetch.get_report(self, check_id, days))

    async def get_reports(self, days: int = 30, tags: Iterable[str] | None = None) -> list[Report]:
        from healthchecks_io.reports import fetch

        fetch.checked_days(days)
        checks, now = await carry_out(self, fetch.list_checks(self, tags))
        # Finish some checks before the next ones begin, so that the flips and pings of all do not pile up.
        slots = asyncio.Semaphore(MAX_CONCURRENT_REQUESTS)

        async def report_of(check: Check) -> Report | None:
            async with slots:
                return await carry_out(self, fetch.report_of(self, check, days, now))

        reports: list[Report | None] = await _gather([report_of(check) for check in checks])
        return [report for report in reports if report is not None]

    async def plan_checks(
        self, wanted: Iterable[CheckCreate], *, prune: bool = False, prune_tag: str | None = None
    ) -> Plan:
        from healthchecks_io.provisioning import apply

        return await carry_out(self, apply.plan_checks(self, wanted, prune=prune, prune_tag=prune_tag))

    async def apply_plan(self, plan: Plan) -> list[Check]:
        from healthchecks_io.provisioning import apply

        return await carry_out(self, apply.apply_plan(self, plan))

    async def apply_checks(
        self, wanted: Iterable[CheckCreate], *, prune: bool = False, prune_tag: str | None = None
    ) -> Plan:
        from healthchecks_io.provisioning import apply

        return await carry_out(self, apply.apply_checks(self, wanted, prune=prune, prune_tag=prune_tag))

    async def success_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return await self._send(self._ping("", uuid, slug, data, rid=rid, create=create))

    async def start_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return await self._send(self._ping("start", uuid, slug, data, rid=rid, create=create))

    async def fail_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return await self._send(self._ping("fail", uuid, slug, data, rid=rid, create=create))

    async def log_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return await self._send(self._ping("log", uuid, slug, data, rid=rid, create=create))

    async def exit_code_ping(
        self,
        exit_code: int,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return await self._send(self._exit_code_ping(exit_code, uuid, slug, data, rid=rid, create=create))


def running_loop() -> asyncio.AbstractEventLoop:
    """Return the running asyncio event loop, or raise an HCAPIError."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise HCAPIError("an AsyncClient needs asyncio: other event loops, such as trio's, are not supported") from None


send = AsyncClient._send  # pyright: ignore[reportPrivateUsage]  # the reporters send their own calls


async def carry_out(client: AsyncClient, steps: Steps[T], within: float = float("inf"), *, retry: bool = True) -> T:
    """Carry out a procedure within a number of seconds, and return its result."""
    ends = time.monotonic() + within
    advance: Callable[[Any], Step] = steps.send
    received: Any = None
    try:
        while True:
            step = advance(received)
            try:
                received, advance = await _perform(client, step, ends - time.monotonic(), retry=retry), steps.send
            except BaseException as error:  # noqa: BLE001 - the procedure handles it, or raises it again
                received, advance = error, steps.throw
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        received = None  # The exception refers to this frame.
        steps.close()  # A signal handler may have interrupted this function rather than the procedure.


async def _gather(coroutines: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results of coroutines that run at the same time. If one fails, cancel the others."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        results: list[T] = await asyncio.gather(*tasks)
        return results
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _perform(client: AsyncClient, step: Step, seconds: float, *, retry: bool) -> Any:
    if isinstance(step, Call):
        return await send(client, step, seconds, retry=retry)
    if isinstance(step, (int, float)):
        return await asyncio.sleep(max(min(step, seconds), 0.0))
    from healthchecks_io.client.steps import future_timeout

    try:
        return await within_seconds(max(seconds, 0.0), asyncio.wrap_future(step))
    except asyncio.TimeoutError as error:
        _raise_if_foreign(error)
        raise future_timeout() from None


def _raise_if_foreign(error: Exception, *, calls_user_code: bool = False) -> None:
    """Raise a TimeoutError again if a signal handler raised it, rather than the deadline of a call."""
    from healthchecks_io.client import tracebacks

    tracebacks.raise_if_from_signal_handler(error)
    if not calls_user_code and tracebacks.is_foreign(error):
        raise error
