from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import re
import select
import socket
import ssl
import struct
import threading
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

import pytest
import trustme

from healthchecks_io import AsyncClient, CheckCreate, Client, HCAPIError, HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from faults.test_fault_matrix import Fault

HOST = "127.0.0.1"
CHECK = b'{"name":"x","grace":60,"n_pings":0,"status":"new"}'
CLIENTS = ("sync", "async")
CALLS = ("ping", "management")
CALLS_WHEN_IT_PASSES = (*CALLS, "create")
RECORDED: pytest.StashKey[list[tuple[str, int, int]]] = pytest.StashKey()
LOST_PROPERTY = "fault, tried, lost"

LONGEST_WAIT = 0.75
"""Seconds before the first retry, at most, where the server asks for nothing else."""
PATIENCE = 5.0
"""Seconds beyond its budget after which a call is said to hang, and before which it is on time: machines are slow."""
AT_ONCE = 48
"""Calls: more of them would keep each other from being in time."""


class ClientHasGoneError(Exception):
    """There is nobody left to answer."""


class Wire:
    """A connection, as the server has it."""

    def __init__(self, connection: socket.socket, server: FaultyServer) -> None:
        self.connection = connection
        self.server: FaultyServer = server

    def request(self) -> bytes:
        """Read a request to its end: from then on, it counts as one that the server may have processed."""
        text = b""
        while b"\r\n\r\n" not in text:
            text += self._read()
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", text)
        while length and len(text.partition(b"\r\n\r\n")[2]) < int(length[1]):
            text += self._read()
        self.server.requests.append(text)
        return text

    def _read(self) -> bytes:
        text = self.connection.recv(65536)
        if not text:
            raise ClientHasGoneError
        return text

    def say(self, text: bytes) -> None:
        self.connection.sendall(text)

    def drip(self, text: bytes, seconds: float = 0.05) -> None:
        """Say something byte after byte."""
        for byte in text:
            self.say(bytes([byte]))
            self.pause(seconds)

    def say_for_ever(self, text: bytes, seconds: float) -> None:
        """Say the same again and again, with a pause that leaves the machine to the others."""
        while True:
            self.say(text)
            self.pause(seconds)

    def pause(self, seconds: float) -> None:
        if self.server.is_over.wait(seconds):
            raise ClientHasGoneError

    def say_nothing(self) -> None:
        """Say nothing, and read nothing, until the client has gone."""
        waiting = select.poll()
        waiting.register(self.connection, select.POLLRDHUP)
        while not waiting.poll(20):
            self.pause(0)

    def reset(self) -> None:
        """Break off in the way of a crashed machine."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class FaultyServer:
    """A server that has a fault, until it is mended."""

    def __init__(self, fault: Fault, certificates: Certificates) -> None:
        self.requests: list[bytes] = []
        self.recorded: list[bytes] = []
        self.connections = 0
        self.handlers: list[threading.Thread] = []
        self.is_over = threading.Event()
        self._fault = fault
        self._certificates = certificates
        self._is_mended = False
        self._stack = contextlib.ExitStack()
        self._socket = self._stack.enter_context(socket.socket())
        self._socket.bind((HOST, 0))
        self.port: int = self._socket.getsockname()[1]
        self._queue = self._stack.enter_context(contextlib.ExitStack())
        if fault.listens == "full":
            self._socket.listen(0)
            for _ in range(4):
                waiting = self._queue.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex((HOST, self.port))
        elif fault.listens != "no":
            self._listen()

    @property
    def url(self) -> str:
        host = "nonexistent.invalid" if self._fault.listens == "nowhere" else HOST
        return f"{self._fault.scheme}://{host}:{self.port}"

    def mend(self) -> None:
        """Answer well from now on."""
        if self._is_mended:
            return
        self._is_mended = True
        self._queue.close()
        if self._fault.listens in ("no", "full"):
            self._listen()

    def all_have_gone(self) -> bool:
        """Wait for the clients to hang up, and say whether they did."""
        ends = time.monotonic() + PATIENCE
        for handler in self.handlers:
            handler.join(max(0.0, ends - time.monotonic()))
        return not any(handler.is_alive() for handler in self.handlers)

    def close(self) -> None:
        self.is_over.set()
        self._stack.close()

    def _listen(self) -> None:
        self._socket.listen(64)
        self._socket.settimeout(None)
        threading.Thread(target=self._accept, daemon=True).start()
        self._stack.callback(self._stop_accepting)

    def _stop_accepting(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.connections += 1
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                handler = threading.Thread(target=self._serve, args=(connection,), daemon=True)
                self.handlers.append(handler)
                handler.start()

    def _serve(self, connection: socket.socket) -> None:
        act = self._answer_well if self._is_mended else self._fault.act
        certificate: str = self._fault.certificate
        if self._is_mended:
            certificate = "good" if self._fault.scheme == "https" else ""
        # Nobody waits here for ever: not for a client that was given up either.
        connection.settimeout(30)
        with connection, contextlib.suppress(OSError, ClientHasGoneError):
            if certificate:
                with self._certificates.context(certificate).wrap_socket(connection, server_side=True) as encrypted:
                    act(Wire(encrypted, self))
            else:
                act(Wire(connection, self))

    def _answer_well(self, wire: Wire) -> None:
        request = wire.request()
        self.recorded.append(request)
        wire.say(self.good_answer(request))

    @staticmethod
    def good_answer(request: bytes) -> bytes:
        body = b'{"checks":[%b]}' % CHECK
        if request.startswith(b"POST /ping/"):
            body = b"OK"
        elif request.startswith(b"POST"):
            body = CHECK
        return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class Certificates:
    """What the servers show that they are."""

    def __init__(self) -> None:
        self._authority = trustme.CA()
        self.context = cache(self._context)

    def trust(self, path: Path) -> None:
        self._authority.cert_pem.write_to_path(str(path))

    def _context(self, kind: str) -> ssl.SSLContext:
        from datetime import datetime, timezone

        authority = trustme.CA() if kind == "untrusted" else self._authority
        expires = datetime(2001, 1, 1, tzinfo=timezone.utc) if kind == "expired" else None
        starts = datetime(2000, 1, 1, tzinfo=timezone.utc) if kind == "expired" else None
        name = "another.example" if kind == "of another host" else HOST
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(name, not_after=expires, not_before=starts).configure_cert(context)
        return context


@dataclass
class Outcome:
    """What became of a call."""

    result: Any = None
    error: BaseException | None = None
    seconds: float = 0.0
    budget: float = 0.0
    has_ended: bool = False
    has_hung_up: bool = False
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    recorded: list[bytes] = field(default_factory=list)

    @property
    def is_told(self) -> bool:
        """Whether the caller knows that it did not work."""
        return isinstance(self.error, HCAPIError) or getattr(self.result, "success", True) is False

    @property
    def is_in_time(self) -> bool:
        return self.has_ended and self.seconds < self.budget + PATIENCE


@dataclass
class Try:
    """A call that is to be made while a server has a fault: at each attempt, or at the first one only."""

    fault: Fault
    client: str
    call: str
    passes: bool
    outcome: Outcome = field(default_factory=Outcome)

    def make(self, certificates: Certificates) -> None:
        """Make the call in a thread of its own, which is given up when it hangs."""
        server = FaultyServer(self.fault, certificates)
        mending = _MendingHandler(server)
        logger = logging.getLogger("healthchecks_io")
        if self.passes:
            logger.addHandler(mending)
        # Only what is ended by the time-out has a short one: else a slow machine would add time-outs of its own.
        is_cut_short = self.fault.is_slow and self.fault.ending_of(self.call) is HCAPIUnavailableError
        timeout = (1.0 if self.passes else 0.3) if is_cut_short else 3.0
        self.outcome.budget = 2 * timeout + max(LONGEST_WAIT, self.fault.retry_after)
        thread = threading.Thread(target=self._call, args=(server.url, timeout), daemon=True)
        thread.start()
        thread.join(self.outcome.budget + PATIENCE)
        self.outcome.has_ended = not thread.is_alive()
        self.outcome.has_hung_up = self.outcome.has_ended and server.all_have_gone()
        logger.removeHandler(mending)
        server.close()
        thread.join(PATIENCE)
        self.outcome.connections = server.connections
        self.outcome.requests = list(server.requests)
        self.outcome.recorded = list(server.recorded)

    def _call(self, url: str, timeout: float) -> None:
        settings: dict[str, Any] = {"api_url": f"{url}/api/", "ping_url": f"{url}/ping/", "timeout": timeout}
        try:
            if self.client == "sync":
                self._call_client(settings)
            else:
                asyncio.run(self._call_async_client(settings))
        except BaseException as error:  # noqa: BLE001 - which it is, is for the tests to judge
            self.outcome.error = error

    def _call_client(self, settings: dict[str, Any]) -> None:
        with Client(retries=1, **settings) as client:
            begun = time.monotonic()
            try:
                if self.call == "ping":
                    self.outcome.result = client.success_ping("u")
                elif self.call == "management":
                    self.outcome.result = client.get_checks()
                else:
                    self.outcome.result = client.create_check(CheckCreate(name="x"))
            finally:
                self.outcome.seconds = time.monotonic() - begun

    async def _call_async_client(self, settings: dict[str, Any]) -> None:
        async with AsyncClient(retries=1, **settings) as client:
            begun = time.monotonic()
            try:
                if self.call == "ping":
                    self.outcome.result = await client.success_ping("u")
                elif self.call == "management":
                    self.outcome.result = await client.get_checks()
                else:
                    self.outcome.result = await client.create_check(CheckCreate(name="x"))
            finally:
                self.outcome.seconds = time.monotonic() - begun


class _MendingHandler(logging.Handler):
    """Mends a server when the client says that it will try again: so the fault hits the first attempt only."""

    def __init__(self, server: FaultyServer) -> None:
        super().__init__(logging.INFO)
        self._server = server

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.INFO and f":{self._server.port}/" in record.getMessage():
            self._server.mend()


class Trials:
    """Makes the calls that tests ask about, many at once, and each of them once."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        self._outcomes: dict[tuple[str, str, str, bool], Outcome] = {}

    def outcome(self, fault: Fault, client: str, call: str, *, passes: bool = False) -> Outcome:
        """What became of a call that was made before, with `make_all`."""
        return self._outcomes[fault.name, client, call, passes]

    def make_all(self, faults: Sequence[Fault]) -> None:
        """Make all calls that there are with these faults, unless they were made already."""
        tries = [
            Try(fault, client, call, passes)
            for passes in (False, True)
            for fault in faults
            if fault.passes or not passes
            for client in CLIENTS
            for call in (CALLS_WHEN_IT_PASSES if passes else CALLS)
            if (fault.name, client, call, passes) not in self._outcomes
        ]
        if not tries:
            return
        slots = threading.Semaphore(AT_ONCE)

        def make(each: Try) -> None:
            with slots:
                each.make(self._certificates)

        threads = [threading.Thread(target=make, args=(each,), daemon=True) for each in tries]
        # What is left open must not be closed by chance, before it is looked for.
        gc.disable()
        for thread in threads:
            thread.start()
        for each, thread in zip(tries, threads, strict=True):
            thread.join()
            self._outcomes[each.fault.name, each.client, each.call, each.passes] = each.outcome
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        gc.enable()


@pytest.fixture(scope="session")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    """What becomes of calls to servers with faults."""
    certificates = Certificates()
    path = tmp_path_factory.mktemp("tls") / "authority.pem"
    certificates.trust(path)
    logger = logging.getLogger("healthchecks_io")
    level = logger.level
    with pytest.MonkeyPatch.context() as patch:
        # An exception from proxies is no proxy: the deadlines hold all the same.
        patch.setenv("NO_PROXY", "elsewhere.example")
        patch.setenv("SSL_CERT_FILE", str(path))
        logger.setLevel(logging.INFO)
        yield Trials(certificates)
        logger.setLevel(level)


class Recorder(Protocol):
    def __call__(self, fault: str, *, tried: int, lost: int) -> None: ...


@pytest.fixture
def record_losses(record_property: Callable[[str, object], None]) -> Recorder:
    """Say how many calls were tried with a fault, and how many were lost: for the table at the end of the session."""

    def record(fault: str, *, tried: int, lost: int) -> None:
        record_property(LOST_PROPERTY, [fault, tried, lost])

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was tried and what was lost."""
    tried: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                for name, value in report.user_properties:
                    if name == LOST_PROPERTY:
                        tried[value[0]] += value[1]
                        lost[value[0]] += value[2]
    if tried:
        terminalreporter.section("faults")
        width = max(map(len, tried))
        for fault, calls in tried.items():
            terminalreporter.write_line(f"{fault:{width}}  tried {calls:6}  lost {lost[fault]:3}")
        total = f"{len(tried)} faults"
        terminalreporter.write_line(f"{total:{width}}  tried {tried.total():6}  lost {lost.total():3}")
