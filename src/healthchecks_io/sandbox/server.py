"""The sandbox as its users see it."""

from __future__ import annotations

import contextlib
import threading
import uuid
from collections import deque
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from starlette.requests import ClientDisconnect, Request

from healthchecks_io.sandbox.answers import Call, Site
from healthchecks_io.sandbox.app import answer
from healthchecks_io.sandbox.documents import check_document
from healthchecks_io.sandbox.faults import Fault
from healthchecks_io.sandbox.hosting import Host
from healthchecks_io.sandbox.state import Account, Channel, Project

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send
    from typing_extensions import Self, Unpack

    from healthchecks_io.client import AsyncClient, Client
    from healthchecks_io.client.settings import AsyncClientSettings, ClientSettings, Settings
    from healthchecks_io.sandbox.state import Ping
    from healthchecks_io.schemas.checks import Check

_LAST_MOMENT = datetime(9001, 1, 1, tzinfo=timezone.utc)


class Sandbox:
    """A local Healthchecks server for demos, development and tests: real HTTP, all in memory.

    It answers as a Healthchecks server does, but notifies nobody. Its account has two projects, both without checks:
    the one that all is about, which has the integrations "Ops Email" and "Ops Webhook", and another one, to see what
    happens with a check that is not yours. It serves while a `with` block runs, or from `start()` to `stop()`::

        with Sandbox() as hc:
            client = hc.client()

    Args:
        host: The address to listen on: who can reach it can read and change everything.
        port: The port, 0 for any that is free.
        check_limit: How many checks the account may have; None for any number.
        ping_body_limit: How many bytes of the body of a ping are kept; None for all.

    Raises:
        ValueError: An argument is out of range.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        check_limit: int | None = None,
        ping_body_limit: int | None = 10_000,
    ) -> None:
        if not 0 <= port <= 65_535:
            raise ValueError(f"port must be from 0 to 65535, not {port!r}")
        if check_limit is not None and check_limit < 0:
            raise ValueError(f"check_limit must not be negative, not {check_limit!r}")
        if ping_body_limit is not None and ping_body_limit < 0:
            raise ValueError(f"ping_body_limit must not be negative, not {ping_body_limit!r}")
        self._address = (host, port)
        self._ping_body_limit = ping_body_limit
        integrations = [Channel(str(uuid.uuid4()), f"Ops {kind.title()}", kind) for kind in ("email", "webhook")]
        self._project, self._other_project = Project(channels=integrations), Project()
        self._account = Account(check_limit, projects=[self._project, self._other_project])
        self._ahead = timedelta()
        self._faults: deque[Fault] = deque()
        self._answered = 0
        # The test's threads and the server's: whoever looks at the state, or changes it, holds this.
        self._lock = threading.Lock()
        self._host: Host | None = None
        self._clients = contextlib.ExitStack()

    def start(self) -> None:
        """Begin to serve.

        Raises:
            ValueError: It serves already.
            OSError: The address cannot be used.
        """
        with self._lock:
            if self._host is not None:
                raise ValueError("the sandbox is running already")
            self._host = Host(self._serve, *self._address)
            self._host.start()

    def stop(self) -> None:
        """Stop serving, if it does, and close the clients that `client()` made; the state stays."""
        try:
            self._clients.close()
        finally:
            if self._host is not None:
                self._host.stop()
                self._host = None

    @property
    def is_running(self) -> bool:
        """Whether it serves."""
        return self._host is not None

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
        """The URL of the management API, for the clients' argument of this name."""
        return f"{self._root}/api/"

    @property
    def ping_url(self) -> str:
        """The URL of the ping API, for the clients' argument of this name."""
        return f"{self._root}/ping/"

    @property
    def api_key(self) -> str:
        """The project's API key, for reading and writing."""
        return self._project.api_key

    @property
    def read_only_key(self) -> str:
        """The project's API key for reading only."""
        return self._project.read_only_key

    @property
    def ping_key(self) -> str:
        """The project's ping key, for pings by slug."""
        return self._project.ping_key

    @property
    def other_api_key(self) -> str:
        """The API key of another project, for reading and writing."""
        return self._other_project.api_key

    def client(self, **options: Unpack[ClientSettings]) -> Client:
        """Make a client of this sandbox, which closes it when it stops or is reset.

        Args:
            **options: Arguments for Client; the keys and URLs are filled in where they are left out.

        Returns:
            The client.
        """
        from healthchecks_io.client import Client

        self._fill_in(options)
        return self._clients.enter_context(Client(**options))

    def async_client(self, **options: Unpack[AsyncClientSettings]) -> AsyncClient:
        """Make an asynchronous client of this sandbox; who asks for it closes it.

        Args:
            **options: Arguments for AsyncClient; the keys and URLs are filled in where they are left out.

        Returns:
            The client.
        """
        from healthchecks_io.client import AsyncClient

        self._fill_in(options)
        return AsyncClient(**options)

    @property
    def now(self) -> datetime:
        """The time by the sandbox's clock, in UTC, which is the real time and by how much `advance()` moved it."""
        return datetime.now(timezone.utc) + self._ahead

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
        """Move the sandbox's clock forward, as if this time passed. The arguments are those of a timedelta.

        Checks that nobody pings meanwhile become late and go down, each with a flip at its own moment. (A real server
        looks every few seconds which checks went down, so there these flips may be missing for a little while.)

        Raises:
            ValueError: The time would be negative, or end after the year 9000.
        """
        try:
            step = timedelta(days, seconds, microseconds, milliseconds, minutes, hours, weeks)
        except (OverflowError, ValueError) as error:
            raise ValueError(f"the sandbox's clock cannot move by this: {error}") from None
        if step < timedelta():
            raise ValueError(f"the sandbox's clock only moves forward, not by {step}")
        with self._lock:
            if step > _LAST_MOMENT - self.now:
                raise ValueError(f"the sandbox's clock ends with the year 9000: it cannot move by {step}")
            self._ahead += step

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
        """Let something go wrong with the next requests, whatever they ask for. Further calls queue up.

        A request that is answered with a made-up status, or not at all, is not processed: no ping is recorded, no
        check is changed. Without a status it is, and at once; its real answer then comes late or is broken off.

        Args:
            status: Answer with this status instead of the real answer.
            times: With how many requests.
            delay: Answer so many (real) seconds late.
            drop: True closes the connection without an answer; "body" in the middle of it, after its headers.
            headers: Headers to add to the answer.
            body: The body of the answer with the made-up status.

        Raises:
            ValueError: The arguments do not go together, or name no fault.
        """
        fault = Fault(status, delay, drop, dict(headers or {}), body)
        if fault == Fault():
            raise ValueError("name a fault: status, delay, drop or headers")
        if times < 1:
            raise ValueError(f"times must be at least 1, not {times!r}")
        with self._lock:
            self._faults.extend([fault] * times)

    def reset(self) -> None:
        """Forget checks, pings, faults and the clock's lead, and close the clients that `client()` made.

        Keys, integrations and URLs stay: one sandbox can serve many tests, each of which finds it empty.
        """
        self._clients.close()
        with self._lock:
            for project in self._account.projects:
                project.checks.clear()
            self._faults.clear()
            self._ahead = timedelta()

    def save(self, path: str | Path) -> None:
        """Write the contents to a file: keys, integrations, checks with their pings and flips, and the clock's lead.

        Args:
            path: A SQLite file, which is made if there is none.

        Raises:
            ValueError: The file cannot be written, or is something else.
        """
        from healthchecks_io.sandbox import storage

        with self._lock:
            text = storage.dumped(storage.Contents(self._account, self._ahead))
        storage.save(Path(path), text)

    def load(self, path: str | Path) -> None:
        """Take over the contents that were saved in a file; nothing happens where there is none yet.

        Args:
            path: The file.

        Raises:
            ValueError: The file cannot be read, or is something else.
        """
        from healthchecks_io.sandbox import storage

        contents = storage.load(Path(path))
        if contents is not None:
            with self._lock:
                limit = self._account.check_limit
                self._account, self._ahead = contents.account, contents.ahead
                self._account.check_limit = limit
                self._project, self._other_project = self._account.projects

    @property
    def checks(self) -> list[Check]:
        """The project's checks as they are now, in the order in which they were created."""
        from healthchecks_io.schemas.checks import Check

        root = self._root
        with self._lock:
            now = self.now
            checks = self._project.settled_checks(now)
            documents = [check_document(check, now, root=root, version=3) for check in checks]
        return [Check.from_api_result(document) for document in documents]

    def pings(self, check: Check | uuid.UUID | str) -> list[Ping]:
        """Return the pings of a check, newest first.

        Args:
            check: The check, its UUID or its slug.

        Returns:
            The pings, with their bodies.

        Raises:
            ValueError: There is no such check, or several have this slug.
        """
        name = str(check if isinstance(check, (str, uuid.UUID)) else check.uuid)
        with self._lock:
            found = [found for found in self._project.checks.values() if name in (found.uuid, found.slug)]
            if len(found) != 1:
                raise ValueError(f"{len(found)} checks have the UUID or slug {name!r}")
            return self._account.visible_pings(found[0])

    @property
    def answered(self) -> int:
        """How many requests it has answered, faults included."""
        return self._answered

    @property
    def _root(self) -> str:
        if self._host is None:
            raise ValueError("the sandbox is not running: use it in a with block, or call start()")
        return self._host.root

    def _fill_in(self, options: Settings) -> None:
        options.setdefault("api_key", self.api_key)
        options.setdefault("ping_key", self.ping_key)
        options.setdefault("api_url", self.api_url)
        options.setdefault("ping_url", self.ping_url)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        fault, response = self._answer(request, body)
        await fault.deliver(response, scope, receive, send)

    def _answer(self, request: Request, body: bytes) -> tuple[Fault, Response]:
        with self._lock:
            self._answered += 1
            fault = self._faults.popleft() if self._faults else Fault()
            if not fault.is_processed:
                return fault, fault.made_up_answer()
            site = Site(self._account, self._root, self._ping_body_limit)
            return fault, answer(Call(site, request, body, self.now))
