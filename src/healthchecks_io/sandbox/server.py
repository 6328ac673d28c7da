"""The public Sandbox class."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections import deque
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from starlette.requests import ClientDisconnect, Request

from healthchecks_io.sandbox.app import handle_request
from healthchecks_io.sandbox.faults import Fault
from healthchecks_io.sandbox.responses import RequestContext, Site
from healthchecks_io.sandbox.serializers import serialize_check
from healthchecks_io.sandbox.state import Account, Channel, Project
from healthchecks_io.sandbox.versions import NEWEST, parse_version
from healthchecks_io.sandbox.web_server import WebServer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send
    from typing_extensions import Self, Unpack

    from healthchecks_io.client import AsyncClient, Client
    from healthchecks_io.client.settings import AsyncClientKeywords, ClientKeywords, CommonKeywords
    from healthchecks_io.sandbox.state import Ping
    from healthchecks_io.schemas.checks import Check

_MAX_TIME = datetime(9001, 1, 1, tzinfo=timezone.utc)


class Sandbox:
    """A local Healthchecks server for demos, development and tests. It serves HTTP and keeps all data in memory.

    It behaves like a real Healthchecks server, but sends no notifications. Its account has two projects, both without
    checks. Everything except `other_api_key` refers to the main project, which has two integrations, "Ops Email" and
    "Ops Webhook". The other project is for testing requests for another project's checks.

    Use it as a context manager, or call `start()` and `stop()`::

        with Sandbox() as hc:
            client = hc.client()

    Args:
        host: The address to listen on. Anyone who can connect to it can read and change everything.
        port: The port to listen on. 0 picks a free port.
        check_limit: The maximum number of checks in the account. None means no limit.
        ping_body_limit: The number of bytes to store of each ping body. None means no limit.
        version: The version of Healthchecks to behave like, such as "2.10" or "v2.8.1". None means the newest one.

    Raises:
        ValueError: An argument is out of range, or the version is unknown or older than 1.15.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        check_limit: int | None = None,
        ping_body_limit: int | None = 10_000,
        version: str | None = None,
    ) -> None:
        if not 0 <= port <= 65_535:
            raise ValueError(f"port must be from 0 to 65535, not {port!r}")
        if check_limit is not None and check_limit < 0:
            raise ValueError(f"check_limit must be None or at least 0, not {check_limit!r}")
        if ping_body_limit is not None and ping_body_limit < 0:
            raise ValueError(f"ping_body_limit must be None or at least 0, not {ping_body_limit!r}")
        self._address = (host, port)
        self._ping_body_limit = ping_body_limit
        self._version = NEWEST if version is None else parse_version(version)
        integrations = [Channel(str(uuid.uuid4()), f"Ops {kind.title()}", kind) for kind in ("email", "webhook")]
        self._project, self._other_project = Project(channels=integrations), Project()
        self._account = Account(check_limit, projects=[self._project, self._other_project])
        self._clock_offset = timedelta()
        self._faults: deque[Fault] = deque()
        self._answered = 0
        # Guards the state, which the server thread and the user's threads share.
        self._lock = threading.Lock()
        self._web_server: WebServer | None = None
        self._clients = contextlib.ExitStack()

    def start(self) -> None:
        """Start the server.

        Raises:
            ValueError: The sandbox is already running.
            OSError: The address is unavailable, for example because the port is in use.
        """
        with self._lock:
            if self._web_server is not None:
                raise ValueError("the sandbox is already running")
            self._web_server = WebServer(self._asgi_app, *self._address)
            self._web_server.start()

    def stop(self) -> None:
        """Stop the server and close the clients created with `client()`. The contents are kept.

        Do nothing if the sandbox is not running.

        Raises:
            RuntimeError: The server is stuck.
        """
        try:
            self._clients.close()
        finally:
            if self._web_server is not None:
                try:
                    self._web_server.stop()
                finally:
                    self._web_server = None

    @property
    def is_running(self) -> bool:
        """Whether the sandbox is running."""
        return self._web_server is not None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def api_url(self) -> str:
        """The URL of the management API, to pass to a client as `api_url`."""
        return f"{self._root}/api/"

    @property
    def ping_url(self) -> str:
        """The URL of the ping API, to pass to a client as `ping_url`."""
        return f"{self._root}/ping/"

    @property
    def api_key(self) -> str:
        """The read-write API key of the project."""
        return self._project.api_key

    @property
    def read_only_key(self) -> str:
        """The read-only API key of the project."""
        return self._project.read_only_key

    @property
    def ping_key(self) -> str:
        """The ping key of the project, for pings by slug."""
        return self._project.ping_key

    @property
    def other_api_key(self) -> str:
        """The read-write API key of the other project."""
        return self._other_project.api_key

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that connect `Client.from_env()` and the command line to this sandbox.

        The names are HEALTHCHECKS_API_KEY, HEALTHCHECKS_PING_KEY, HEALTHCHECKS_API_URL and HEALTHCHECKS_PING_URL.
        """
        return {
            "HEALTHCHECKS_API_KEY": self.api_key,
            "HEALTHCHECKS_PING_KEY": self.ping_key,
            "HEALTHCHECKS_API_URL": self.api_url,
            "HEALTHCHECKS_PING_URL": self.ping_url,
        }

    def client(self, **options: Unpack[ClientKeywords]) -> Client:
        """Create a client for this sandbox. `stop()` and `reset()` close it.

        Args:
            **options: Arguments for Client. The keys and URLs default to those of the sandbox.

        Returns:
            The client.

        Raises:
            ValueError: The sandbox is not running.
        """
        from healthchecks_io.client import Client

        self._add_connection_settings(options)
        return self._clients.enter_context(Client(**options))

    def async_client(self, **options: Unpack[AsyncClientKeywords]) -> AsyncClient:
        """Create an asynchronous client for this sandbox. The caller must close it.

        Args:
            **options: Arguments for AsyncClient. The keys and URLs default to those of the sandbox.

        Returns:
            The client.

        Raises:
            ValueError: The sandbox is not running.
        """
        from healthchecks_io.client import AsyncClient

        self._add_connection_settings(options)
        return AsyncClient(**options)

    @property
    def now(self) -> datetime:
        """The time of the sandbox's clock in UTC. It is the real time plus the offset added by `advance()`.

        The Date header of responses shows it, too.
        """
        return datetime.now(timezone.utc) + self._clock_offset

    def advance(
        self,
        *,
        weeks: float = 0,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        milliseconds: float = 0,
        microseconds: float = 0,
    ) -> None:
        """Move the sandbox's clock forward by the sum of the arguments.

        Overdue checks become late and go down. The timestamp of each flip is the time when the grace time of the check
        ended. (A real server looks for overdue checks every few seconds, so its flips can appear a little later.)

        Args:
            weeks: The number of weeks.
            days: The number of days.
            hours: The number of hours.
            minutes: The number of minutes.
            seconds: The number of seconds.
            milliseconds: The number of milliseconds.
            microseconds: The number of microseconds.

        Raises:
            ValueError: The total is negative, or moves the clock beyond the year 9000.
        """
        try:
            step = timedelta(days, seconds, microseconds, milliseconds, minutes, hours, weeks)
        except (OverflowError, ValueError) as error:
            raise ValueError(f"cannot advance the sandbox's clock: {error}") from None
        if step < timedelta():
            raise ValueError(f"cannot advance the sandbox's clock by {step}: it only moves forward")
        with self._lock:
            if step > _MAX_TIME - self.now:
                raise ValueError(f"cannot advance the sandbox's clock by {step}: it stops at the end of the year 9000")
            self._clock_offset += step

    def fail_next(
        self,
        status: int | None = None,
        *,
        times: int = 1,
        delay: float = 0.0,
        drop: bool | Literal["body"] = False,
        headers: Mapping[str, str] | None = None,
        body: str | bytes = b"",
    ) -> None:
        """Inject a fault into the next requests, whatever their path. Further calls append to the queue.

        With `status` or `drop=True`, the sandbox does not process the request: it records no ping and changes no
        check. Otherwise, it processes the request immediately, and then delays or truncates the real response, or adds
        headers to it.

        Args:
            status: The HTTP status to respond with, instead of the real response.
            times: The number of requests that fail.
            delay: The number of (real) seconds to wait before the response.
            drop: True closes the connection without a response. "body" closes it halfway through the response body.
            headers: Headers to add to the response.
            body: The body of the response. Requires `status`.

        Raises:
            ValueError: An argument is invalid, the arguments conflict, or they specify no fault.
        """
        fault = Fault(status, delay, drop, dict(headers or {}), body)
        if fault == Fault():
            raise ValueError("no fault specified: pass status, delay, drop or headers")
        if times < 1:
            raise ValueError(f"times must be at least 1, not {times!r}")
        with self._lock:
            self._faults.extend([fault] * times)

    def reset(self) -> None:
        """Delete all checks, pings and queued faults, and set the clock to the real time.

        Also close the clients created with `client()`. Keys, integrations and URLs do not change, so one sandbox can
        serve many tests.
        """
        self._clients.close()
        with self._lock:
            for project in self._account.projects:
                project.checks.clear()
            self._faults.clear()
            self._clock_offset = timedelta()

    def save(self, path: str | Path) -> None:
        """Save the contents to a file: keys, integrations, checks with their pings and flips, and the clock's offset.

        The file is replaced as a whole or not at all. Only the current user can read it (mode 0600).

        Args:
            path: The SQLite file. It is created if it does not exist.

        Raises:
            ValueError: The file cannot be written, or is not a SQLite database.
        """
        from healthchecks_io.sandbox import storage

        with self._lock:
            serialized = storage.serialize(storage.Contents(self._account, self._clock_offset))
        storage.save(Path(path), serialized)

    def load(self, path: str | Path) -> None:
        """Replace the contents with those saved in a file. Do nothing if the file is missing or empty.

        Args:
            path: A file written by `save()`.

        Raises:
            ValueError: The file cannot be read, or was not written by this version of the sandbox.
        """
        from healthchecks_io.sandbox import storage

        contents = storage.load(Path(path))
        if contents is not None:
            with self._lock:
                limit = self._account.check_limit
                self._account, self._clock_offset = contents.account, contents.ahead
                self._account.check_limit = limit
                self._project, self._other_project = self._account.projects

    @property
    def checks(self) -> list[Check]:
        """The current checks of the project, in order of creation."""
        from healthchecks_io.schemas.checks import Check

        root = self._root
        with self._lock:
            now = self.now
            checks = self._project.current_checks(now)
            serialized = [serialize_check(check, now, root=root, version=3) for check in checks]
        return [Check.from_api_result(item) for item in serialized]

    def pings(self, check: Check | uuid.UUID | str) -> list[Ping]:
        """Return the pings of a check, newest first.

        Args:
            check: The check, its UUID or its slug.

        Returns:
            The pings, including their bodies.

        Raises:
            ValueError: There is no such check, or several checks have the slug.
        """
        uuid_or_slug = str(check if isinstance(check, (str, uuid.UUID)) else check.uuid)
        with self._lock:
            matches = [check for check in self._project.checks.values() if uuid_or_slug in (check.uuid, check.slug)]
            if len(matches) != 1:
                raise ValueError(f"expected one check with the UUID or slug {uuid_or_slug!r}, found {len(matches)}")
            return self._account.visible_pings(matches[0])

    @property
    def answered(self) -> int:
        """The number of requests handled so far, including those with faults."""
        return self._answered

    @property
    def _root(self) -> str:
        if self._web_server is None:
            raise ValueError("the sandbox is not running: use it in a with block, or call start()")
        return self._web_server.root

    def _add_connection_settings(self, options: CommonKeywords) -> None:
        options.setdefault("api_key", self.api_key)
        options.setdefault("ping_key", self.ping_key)
        options.setdefault("api_url", self.api_url)
        options.setdefault("ping_url", self.ping_url)

    async def _asgi_app(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        fault, response = self._respond(request, body)
        await fault.send_response(response, scope, receive, send)

    def _respond(self, request: Request, body: bytes) -> tuple[Fault, Response]:
        with self._lock:
            self._answered += 1
            fault = self._faults.popleft() if self._faults else Fault()
            now = self.now
            if fault.processes_request:
                site = Site(self._account, self._root, self._version, self._ping_body_limit)
                response = handle_request(RequestContext(site, request, body, now))
            else:
                response = fault.canned_response()
            response.headers["Date"] = format_datetime(now, usegmt=True)
            return fault, response
