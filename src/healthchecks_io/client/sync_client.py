"""The client for scripts and threads."""

from __future__ import annotations

import os
import sys
import time

from healthchecks_io.client.abstract_client import AbstractClient
from healthchecks_io.client.call import Call
from healthchecks_io.client.exceptions import HCAPIError
from healthchecks_io.client.request_context import is_own_request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta
    from types import TracebackType
    from typing import Any
    from uuid import UUID

    import httpx
    from typing_extensions import Self, Unpack

    from healthchecks_io.client.call import T
    from healthchecks_io.client.http import Connections
    from healthchecks_io.client.ping_result import PingResult
    from healthchecks_io.client.response import Failure, Response
    from healthchecks_io.client.settings import ClientKeywords
    from healthchecks_io.client.steps import Step, Steps
    from healthchecks_io.provisioning.plan import Plan
    from healthchecks_io.reports.report import Report
    from healthchecks_io.schemas.badges import Badges
    from healthchecks_io.schemas.checks import Check, CheckCreate, CheckPings, CheckStatuses, CheckUpdate
    from healthchecks_io.schemas.integrations import Integration

_MIN_SECONDS = 0.001
"""The timeout of an attempt for which no time is left. It must be positive to be valid."""


class Client(AbstractClient):
    """A Healthchecks client for scripts and threads.

    Threads can share a client. Use it as a context manager to close its connections at the end, or call ``close()``.

    Args:
        api_key: The API key of the project, for the management API.
        ping_key: The ping key of the project, for pings by slug.
        api_url: The root URL of the management API, such as ``https://healthchecks.example/api/``.
        ping_url: The root URL of the ping API, such as ``https://healthchecks.example/ping/``.
        api_version: The version of the management API: 1, 2 or 3.
        client: An httpx client to use for requests, for example to set proxies, certificates or additional headers, or
            a function that returns one. A passed-in httpx client is never modified, and cannot be used after a fork. A
            function is called for the first request, and again after a fork.
        timeout: The maximum duration of an attempt in seconds.
        retries: The maximum number of retries after an attempt that failed for a transient reason.

    Raises:
        ValueError: A setting has an invalid value.
        TypeError: A setting has the wrong type.
    """

    _product = "py-healthchecks.io"
    _httpx_class = "Client"

    def __init__(
        self,
        api_key: str = "",
        ping_key: str = "",
        api_url: str = "https://healthchecks.io/api/",
        ping_url: str = "https://hc-ping.com/",
        api_version: int = 1,
        client: httpx.Client | Callable[[], httpx.Client] | None = None,
        *,
        timeout: float = 10.0,
        retries: int = 2,
    ) -> None:
        super().__init__(api_key, ping_key, api_url, ping_url, api_version, client, timeout, retries)

    @classmethod
    def from_env(cls, **overrides: Unpack[ClientKeywords]) -> Self:
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

    def __enter__(self) -> Self:
        self._check_usable()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections, including the passed-in httpx client, if any."""
        self._is_closed = True
        connections = self._passed_in or self._sessions.get(os.getpid())
        if connections is None:
            return
        before = is_own_request.get()
        try:
            is_own_request.set(True)
            connections.close()
        finally:
            is_own_request.set(before)

    def _connections(self) -> Connections:
        """Return the connections of this process, and create them if necessary."""
        self._check_usable()
        pid = os.getpid()
        connections: Connections | None = self._sessions.get(pid)
        if connections is not None:
            return connections
        from healthchecks_io.client import http, transports

        own = self._client is None
        created = transports.Transport() if own else http.PassedInClient(self._httpx_client())
        # No lock: another thread might hold it during a fork. If threads race, the first one wins.
        first: Connections = self._sessions.setdefault(pid, created)
        if first is not created and callable(self._client):
            created.close()
        return first

    def _send(self, call: Call[T], within: float = float("inf"), *, retry: bool = True) -> T:
        """Send a call, including retries, within a number of seconds, and return its parsed response."""
        handled = sys.exc_info()[1]
        before = is_own_request.get()
        try:
            is_own_request.set(True)
            return self._parse_or_raise(call, self._result(call, time.monotonic() + within, retry=retry))
        except BaseException as error:  # noqa: BLE001 - it is raised again
            from healthchecks_io.client.tracebacks import hide_lower_frames

            raise hide_lower_frames(error, handled)  # noqa: B904 - it is the same exception
        finally:
            is_own_request.set(before)

    def _result(self, call: Call[Any], ends: float, *, retry: bool) -> Response | Failure:
        """Make attempts until one succeeds or there is no retry left, and return the last result."""
        retries = None
        while True:
            seconds = max(ends - time.monotonic(), _MIN_SECONDS)
            result = self._attempt(call, min(self._settings.timeout, seconds))
            if not (result.is_error and retry):
                return result
            if retries is None:
                from healthchecks_io.client.retries import Retries

                retries = Retries(self._settings, call)
            delay = retries.next_delay(result, ends - time.monotonic())
            if delay is None:
                return result
            call = retries.call
            time.sleep(delay)

    def _attempt(self, call: Call[Any], seconds: float) -> Response | Failure:
        from healthchecks_io.client.http import BodyReader, result_of

        handled = sys.exc_info()[1]
        connections = self._connections()
        ends = time.monotonic() + seconds
        in_use: list[Any] = []
        try:
            response = connections.send(self._build_request(connections, call, seconds), in_use)
            try:
                body = BodyReader(response, call.max_bytes)
                chunks = response.iter_raw()
                while body.wants_more() and (chunk := next(chunks, None)) is not None:
                    body.add(chunk)
                    if time.monotonic() > ends:
                        raise TimeoutError(f"the response was not complete after {seconds:g} s")
            finally:
                response.close()
        except HCAPIError:
            raise
        except Exception as error:  # noqa: BLE001 - the lower layers may raise anything
            return result_of(error, self._settings, call, handled=handled, calls_user_code=self._client is not None)
        finally:
            for connection in in_use:
                connection.close()
        return body.result()

    def _build_request(self, connections: Connections, call: Call[Any], seconds: float) -> httpx.Request:
        return connections.build_request(self._settings, call, seconds)

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
        seconds: int | timedelta | str | None = None,
        start: float | datetime | None = None,
        end: float | datetime | None = None,
    ) -> list[CheckStatuses]:
        return self._send(self._get_check_flips(check_id, seconds, start, end))

    def get_integrations(self) -> list[Integration]:
        return self._send(self._get_integrations())

    def get_badges(self) -> dict[str, Badges]:
        return self._send(self._get_badges())

    def get_status(self) -> bool:
        return self._send(self._get_status())

    def get_report(self, check_id: str | UUID | None, days: int = 30) -> Report:
        from healthchecks_io.reports import fetch

        return carry_out(self, fetch.get_report(self, check_id, days))

    def get_reports(self, days: int = 30, tags: Iterable[str] | None = None) -> list[Report]:
        from healthchecks_io.reports import fetch

        return carry_out(self, fetch.get_reports(self, days, tags))

    def plan_checks(self, wanted: Iterable[CheckCreate], *, prune: bool = False, prune_tag: str | None = None) -> Plan:
        from healthchecks_io.provisioning import apply

        return carry_out(self, apply.plan_checks(self, wanted, prune=prune, prune_tag=prune_tag))

    def apply_plan(self, plan: Plan) -> list[Check]:
        from healthchecks_io.provisioning import apply

        return carry_out(self, apply.apply_plan(self, plan))

    def apply_checks(self, wanted: Iterable[CheckCreate], *, prune: bool = False, prune_tag: str | None = None) -> Plan:
        from healthchecks_io.provisioning import apply

        return carry_out(self, apply.apply_checks(self, wanted, prune=prune, prune_tag=prune_tag))

    def success_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return self._send(self._ping("", uuid, slug, data, rid=rid, create=create))

    def start_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return self._send(self._ping("start", uuid, slug, data, rid=rid, create=create))

    def fail_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return self._send(self._ping("fail", uuid, slug, data, rid=rid, create=create))

    def log_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult:
        return self._send(self._ping("log", uuid, slug, data, rid=rid, create=create))

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


send = Client._send  # pyright: ignore[reportPrivateUsage]  # the reporters send their own calls


def carry_out(client: Client, steps: Steps[T], within: float = float("inf"), *, retry: bool = True) -> T:
    """Carry out a procedure within a number of seconds, and return its result."""
    ends = time.monotonic() + within
    advance: Callable[[Any], Step] = steps.send
    received: Any = None
    try:
        while True:
            step = advance(received)
            try:
                received, advance = _perform(client, step, ends - time.monotonic(), retry=retry), steps.send
            except BaseException as error:  # noqa: BLE001 - the procedure handles it, or raises it again
                received, advance = error, steps.throw
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        received = None  # The exception refers to this frame.
        steps.close()  # A signal handler may have interrupted this function rather than the procedure.


def _perform(client: Client, step: Step, seconds: float, *, retry: bool) -> Any:
    if isinstance(step, Call):
        return send(client, step, seconds, retry=retry)
    if isinstance(step, (int, float)):
        return time.sleep(max(min(step, seconds), 0.0))
    from healthchecks_io.client.steps import wait_for

    return wait_for(step, seconds)
