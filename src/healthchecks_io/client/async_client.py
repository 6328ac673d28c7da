"""The client for asyncio."""

from __future__ import annotations

import asyncio
import os

from healthchecks_io.client import own_requests
from healthchecks_io.client.abstract_client import AbstractClient
from healthchecks_io.client.deadline import within_seconds
from healthchecks_io.client.exceptions import HCAPIError
from healthchecks_io.client.outcomes import NoAnswer
from healthchecks_io.client.retries import MAX_WAITS, Retries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from types import TracebackType
    from uuid import UUID

    import httpx
    from typing_extensions import Self, Unpack

    from healthchecks_io.client import wire
    from healthchecks_io.client.operation import Call, Operation, T
    from healthchecks_io.client.outcomes import Answer
    from healthchecks_io.client.ping_result import PingResult
    from healthchecks_io.client.settings import AsyncClientSettings
    from healthchecks_io.client.transports import AsyncTransport
    from healthchecks_io.schemas.badges import Badges
    from healthchecks_io.schemas.checks import Check, CheckCreate, CheckPings, CheckStatuses, CheckUpdate
    from healthchecks_io.schemas.integrations import Integration


MAX_IN_FLIGHT = 100
"""Requests under way at once, as many as the connections of an httpx client: further ones wait."""


class AsyncClient(AbstractClient):
    """A client for Healthchecks, for asyncio.

    Used in ``async with``, it closes its httpx client at the end, also one that was passed in. It works with asyncio;
    trio is not supported yet.

    Args:
        api_key: The API key of the project, for the management API.
        ping_key: The ping key of the project, for pings by slug.
        api_url: The root of the management API, such as ``https://healthchecks.example/api/``.
        ping_url: The root of the ping API, such as ``https://healthchecks.example/ping/``.
        api_version: The version of the management API: 1, 2 or 3.
        client: The httpx client to send with, for proxies, certificates, extra headers and the like. It is never
            altered; it must be used in one event loop only.
        timeout: For how many seconds an attempt may take.
        retries: How many attempts may follow when the first one fails for a reason that may pass.

    Raises:
        ValueError: A setting is not what was expected.
        TypeError: A setting is of another type.
    """

    _product = "py-healthchecks.io-async"

    def __init__(
        self,
        api_key: str = "",
        ping_key: str = "",
        api_url: str = "https://healthchecks.io/api/",
        ping_url: str = "https://hc-ping.com/",
        api_version: int = 1,
        client: httpx.AsyncClient | None = None,
        *,
        timeout: float = 10.0,
        retries: int = 2,
    ) -> None:
        super().__init__(api_key, ping_key, api_url, ping_url, api_version, timeout, retries)
        if client is not None:
            import httpx

            if not isinstance(client, httpx.AsyncClient):
                raise TypeError(f"client must be an httpx.AsyncClient, not {type(client).__name__}")
        self._passed_in = client
        self._places: dict[
            tuple[int, asyncio.AbstractEventLoop], tuple[httpx.AsyncClient | AsyncTransport, asyncio.Semaphore]
        ] = {}

    @classmethod
    def from_env(cls, **overrides: Unpack[AsyncClientSettings]) -> Self:
        """Make a client from the environment.

        The variables are HEALTHCHECKS_API_KEY, HEALTHCHECKS_PING_KEY, HEALTHCHECKS_API_URL, HEALTHCHECKS_PING_URL and
        HEALTHCHECKS_API_VERSION; an empty one counts as not set. A value that begins with ``file:`` names a file whose
        content is the value.

        Args:
            **overrides: What comes before the environment: the keywords of the constructor.

        Returns:
            The client.

        Raises:
            ValueError: A setting is not what was expected, or a file cannot be read.
        """
        from healthchecks_io.client.settings import with_environment

        return cls(**with_environment(overrides))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    @property
    def is_closed(self) -> bool:
        return self._is_closed or (self._passed_in is not None and self._passed_in.is_closed)

    async def aclose(self) -> None:
        """Close the connections, and the httpx client with them, also one that was passed in.

        Connections of another event loop cannot be closed from this one: they are left to it.
        """
        self._is_closed = True
        place = self._places.pop((os.getpid(), asyncio.get_running_loop()), None)
        if place is not None:
            await place[0].aclose()
        elif self._passed_in is not None and not self._places:
            await self._passed_in.aclose()

    def _place(self) -> tuple[httpx.AsyncClient | AsyncTransport, asyncio.Semaphore]:
        """The httpx client for this process and event loop, and the slots for what it has in flight."""
        self._check_usable(self._passed_in)
        key = (os.getpid(), asyncio.get_running_loop())
        place = self._places.get(key)
        if place is None:
            if self._passed_in is not None and self._places:
                raise HCAPIError(
                    "the httpx client that was passed in has been used in another event loop, to which its "
                    "connections belong: make the httpx client and this one anew in each event loop"
                )
            from healthchecks_io.client import wire

            for other in list(self._places):
                if other[1].is_closed():
                    self._places.pop(other, None)
            place = self._places[key] = (
                self._passed_in or wire.new_async_client(),
                asyncio.Semaphore(MAX_IN_FLIGHT),
            )
        return place

    async def _send(self, call: Call[T], within: float = float("inf")) -> T:
        operation, _ = call
        retries = Retries(operation, self._retries)
        now = asyncio.get_running_loop().time
        ends = now() + min(within, self._timeout * (self._retries + 1) + MAX_WAITS)
        with own_requests.under_way():
            while True:
                http, slots = self._place()
                try:
                    await (within_seconds(ends - now(), slots.acquire()) if slots.locked() else slots.acquire())
                except asyncio.TimeoutError:
                    reason = f"more than {MAX_IN_FLIGHT} other calls were under way all the time"
                    return self._finish(call, NoAnswer(reason))
                try:
                    # Once more: it may have been closed while this call waited.
                    self._check_usable(self._passed_in)
                    outcome = await self._attempt(http, operation, min(self._timeout, ends - now()))
                finally:
                    slots.release()
                wait = self._wait_before_retry(operation, retries, outcome, ends - now())
                if wait is None:
                    return self._finish(call, outcome)
                await asyncio.sleep(wait)

    async def _attempt(
        self, http: httpx.AsyncClient | AsyncTransport, operation: Operation, seconds: float
    ) -> Answer | NoAnswer:
        from healthchecks_io.client import wire

        # A ping is repeated in any case, and need not pay for the tracing of its steps.
        progress = None if operation.is_repeatable else wire.Progress()
        try:
            return await within_seconds(seconds, self._exchange(http, operation, seconds, progress))
        except asyncio.TimeoutError:
            is_unsent = progress is not None and progress.is_unsent
            return NoAnswer(f"it was not complete after {seconds:g} s", is_unsent=is_unsent)
        except HCAPIError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the lower layers and hooks raise, it must not come out
            return self._outcome_of(operation, error)

    async def _exchange(
        self,
        http: httpx.AsyncClient | AsyncTransport,
        operation: Operation,
        seconds: float,
        progress: wire.Progress | None,
    ) -> Answer:
        from healthchecks_io.client import wire

        # Not kept in a variable: what stands in one, an error reporter may show with the traceback. A connection has to
        # be made sooner than the deadline, so that the error says what took so long.
        response = await wire.send_async(http, self._request(http, operation, seconds, seconds * 0.95, progress))
        try:
            body = wire.Body(response, operation.max_bytes)
            chunks = response.aiter_raw()
            while body.is_wanted and (chunk := await anext(chunks, None)) is not None:
                body.add(chunk)
        finally:
            await response.aclose()
        return body.answer()

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
        seconds: int | None = None,
        start: int | datetime | None = None,
        end: int | datetime | None = None,
    ) -> list[CheckStatuses]:
        return await self._send(self._get_check_flips(check_id, seconds, start, end))

    async def get_integrations(self) -> list[Integration]:
        return await self._send(self._get_integrations())

    async def get_badges(self) -> dict[str, Badges]:
        return await self._send(self._get_badges())

    async def get_status(self) -> bool:
        return await self._send(self._get_status())

    async def success_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return await self._send(self._ping("success_ping", "", uuid, slug, data, rid=rid, create=create))

    async def start_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return await self._send(self._ping("start_ping", "start", uuid, slug, data, rid=rid, create=create))

    async def fail_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return await self._send(self._ping("fail_ping", "fail", uuid, slug, data, rid=rid, create=create))

    async def log_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return await self._send(self._ping("log_ping", "log", uuid, slug, data, rid=rid, create=create))

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
