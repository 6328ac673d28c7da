"""The client for scripts and threads."""

from __future__ import annotations

import os
import time

from healthchecks_io.client import own_requests
from healthchecks_io.client.abstract_client import AbstractClient
from healthchecks_io.client.exceptions import HCAPIError
from healthchecks_io.client.retries import Retries

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from types import TracebackType
    from uuid import UUID

    import httpx
    from typing_extensions import Self, Unpack

    from healthchecks_io.client.operation import Call, Operation, T
    from healthchecks_io.client.outcomes import Answer, NoAnswer
    from healthchecks_io.client.ping_result import PingResult
    from healthchecks_io.client.settings import ClientSettings
    from healthchecks_io.client.transports import Transport
    from healthchecks_io.schemas.badges import Badges
    from healthchecks_io.schemas.checks import Check, CheckCreate, CheckPings, CheckStatuses, CheckUpdate
    from healthchecks_io.schemas.integrations import Integration


class Client(AbstractClient):
    """A client for Healthchecks, for scripts and threads.

    One client can be shared by threads. Used in ``with``, it closes its httpx client at the end, also one that was
    passed in.

    Args:
        api_key: The API key of the project, for the management API.
        ping_key: The ping key of the project, for pings by slug.
        api_url: The root of the management API, such as ``https://healthchecks.example/api/``.
        ping_url: The root of the ping API, such as ``https://healthchecks.example/ping/``.
        api_version: The version of the management API: 1, 2 or 3.
        client: The httpx client to send with, for proxies, certificates, extra headers and the like. It is never
            altered; one that was passed in must not be used after a fork.
        timeout: For how many seconds an attempt may take.
        retries: How many attempts may follow when the first one fails for a reason that may pass.

    Raises:
        ValueError: A setting is not what was expected.
        TypeError: A setting is of another type.
    """

    _product = "py-healthchecks.io"

    def __init__(
        self,
        api_key: str = "",
        ping_key: str = "",
        api_url: str = "https://healthchecks.io/api/",
        ping_url: str = "https://hc-ping.com/",
        api_version: int = 1,
        client: httpx.Client | None = None,
        *,
        timeout: float = 10.0,
        retries: int = 2,
    ) -> None:
        super().__init__(api_key, ping_key, api_url, ping_url, api_version, timeout, retries)
        if client is not None:
            import httpx

            if not isinstance(client, httpx.Client):
                raise TypeError(f"client must be an httpx.Client, not {type(client).__name__}")
        self._passed_in = client
        self._own: dict[int, httpx.Client | Transport] = {}

    @classmethod
    def from_env(cls, **overrides: Unpack[ClientSettings]) -> Self:
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_closed(self) -> bool:
        return self._is_closed or (self._passed_in is not None and self._passed_in.is_closed)

    def close(self) -> None:
        """Close the connections, and the httpx client with them, also one that was passed in."""
        self._is_closed = True
        http = self._passed_in or self._own.pop(os.getpid(), None)
        if http is not None:
            http.close()

    def _http(self) -> httpx.Client | Transport:
        self._check_usable(self._passed_in)
        if self._passed_in is not None:
            return self._passed_in
        pid = os.getpid()
        http = self._own.get(pid)
        if http is None:
            from healthchecks_io.client import wire

            # Threads may come here at once. A lock could be held by another thread at the moment of a fork, for ever.
            made = wire.new_client()
            http = self._own.setdefault(pid, made)
            if http is not made:
                made.close()
        return http

    def _send(self, call: Call[T], within: float = float("inf")) -> T:
        operation, _ = call
        retries = Retries(operation, self._retries)
        ends = time.monotonic() + within
        with own_requests.under_way():
            while True:
                outcome = self._attempt(operation, min(self._timeout, max(ends - time.monotonic(), 0.001)))
                wait = self._wait_before_retry(operation, retries, outcome, ends - time.monotonic())
                if wait is None:
                    return self._finish(call, outcome)
                time.sleep(wait)

    def _attempt(self, operation: Operation, seconds: float) -> Answer | NoAnswer:
        from healthchecks_io.client import wire

        http = self._http()
        ends = time.monotonic() + seconds
        try:
            response = wire.send(http, self._request(http, operation, seconds))
            try:
                body = wire.Body(response, operation.max_bytes)
                chunks = response.iter_raw()
                while body.is_wanted and (chunk := next(chunks, None)) is not None:
                    body.add(chunk)
                    if time.monotonic() > ends:
                        raise TimeoutError(f"the answer was not complete after {seconds:g} s")
            finally:
                response.close()
        except HCAPIError:
            raise
        except Exception as error:
            if self._passed_in is None and not isinstance(error, wire.LOWER_LAYERS):
                # By a signal handler: a limit to the time of the job, such as workers have. One that raises an error of
                # Python's own, such as TimeoutError, cannot be told from the network.
                raise
            return self._outcome_of(operation, error)
        return body.answer()

    def get_checks(self, tags: Iterable[str] | None = None, slug: str | None = None) -> list[Check]:
        return self._send(self._get_checks(tags, slug))

    def get_check(self, check_id: str | UUID | None) -> Check:
        return self._send(self._get_check(check_id))

    def create_check(self, new_check: CheckCreate) -> Check:
        return self._send(self._create_check(new_check))

    def update_check(self, uuid: str | UUID | None, update_check: CheckUpdate) -> Check:
        return self._send(self._update_check(uuid, update_check))

    def pause_check(self, check_id: str | UUID | None) -> Check:
        return self._send(self._pause_check(check_id))

    def resume_check(self, check_id: str | UUID | None) -> Check:
        return self._send(self._resume_check(check_id))

    def delete_check(self, check_id: str | UUID | None) -> Check:
        return self._send(self._delete_check(check_id))

    def get_check_pings(self, check_id: str | UUID | None) -> list[CheckPings]:
        return self._send(self._get_check_pings(check_id))

    def get_ping_body(self, check_id: str | UUID | None, n: int) -> bytes:
        return self._send(self._get_ping_body(check_id, n))

    def get_check_flips(
        self,
        check_id: str | UUID | None,
        seconds: int | None = None,
        start: int | datetime | None = None,
        end: int | datetime | None = None,
    ) -> list[CheckStatuses]:
        return self._send(self._get_check_flips(check_id, seconds, start, end))

    def get_integrations(self) -> list[Integration]:
        return self._send(self._get_integrations())

    def get_badges(self) -> dict[str, Badges]:
        return self._send(self._get_badges())

    def get_status(self) -> bool:
        return self._send(self._get_status())

    def success_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return self._send(self._ping("success_ping", "", uuid, slug, data, rid=rid, create=create))

    def start_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return self._send(self._ping("start_ping", "start", uuid, slug, data, rid=rid, create=create))

    def fail_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return self._send(self._ping("fail_ping", "fail", uuid, slug, data, rid=rid, create=create))

    def log_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return self._send(self._ping("log_ping", "log", uuid, slug, data, rid=rid, create=create))

    def exit_code_ping(
        self,
        exit_code: int,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return self._send(self._exit_code_ping(exit_code, uuid, slug, data, rid=rid, create=create))
