"""Faulty servers, and calls to them."""

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
from endpoints import endpoint_named

from healthchecks_io import AsyncClient, Client, HCAPIError, HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from faults.test_fault_matrix import Fault

HOST = "127.0.0.1"
CHECK = b'{"name":"x","grace":60,"n_pings":0,"status":"new"}'
CLIENTS = ("sync", "async")
CALLS = {
    "ping": endpoint_named("success_ping by uuid"),
    "management": endpoint_named("get_checks"),
    "create": endpoint_named("create_check"),
}
"""One endpoint of each kind: all others take the same way through the client."""
LOSS_PROPERTY = "fault, calls, lost"

MAX_FIRST_DELAY = 0.75
"""Maximum delay before the first retry, in seconds, if the response has no Retry-After header."""
TOLERANCE = 5.0
"""Seconds by which a call may exceed its budget before it counts as late or hung, to allow for slow machines."""
MAX_CONCURRENT_CALLS = 48
"""More concurrent calls would slow each other down and exceed their budgets."""


class ClientDisconnectedError(Exception):
    """The client has closed the connection, or the server is being stopped."""


class Wire:
    """The server's end of a connection."""

    def __init__(self, connection: socket.socket, server: FaultyServer) -> None:
        self.connection = connection
        self.server: FaultyServer = server

    def read_request(self) -> bytes:
        """Read a complete request. From then on, the server may have processed it."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._read()
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", data)
        while length and len(data.partition(b"\r\n\r\n")[2]) < int(length[1]):
            data += self._read()
        self.server.requests.append(data)
        return data

    def _read(self) -> bytes:
        data = self.connection.recv(65536)
        if not data:
            raise ClientDisconnectedError
        return data

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def send_bytewise(self, data: bytes, seconds: float = 0.05) -> None:
        """Send data one byte at a time."""
        for byte in data:
            self.send(bytes([byte]))
            self.pause(seconds)

    def send_forever(self, data: bytes, seconds: float) -> None:
        """Send the same data repeatedly, with pauses that leave CPU time to other calls."""
        while True:
            self.send(data)
            self.pause(seconds)

    def pause(self, seconds: float) -> None:
        if self.server.stopped.wait(seconds):
            raise ClientDisconnectedError

    def stay_silent(self) -> None:
        """Neither send nor read anything until the client disconnects."""
        poller = select.poll()
        poller.register(self.connection, select.POLLRDHUP)
        while not poller.poll(20):
            self.pause(0)

    def reset(self) -> None:
        """Reset the connection, as a crashed machine would."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class FaultyServer:
    """A server that has a fault until it is repaired."""

    def __init__(self, fault: Fault, certificates: Certificates) -> None:
        self.requests: list[bytes] = []
        self.recorded: list[bytes] = []
        self.connections = 0
        self.handlers: list[threading.Thread] = []
        self.stopped = threading.Event()
        self._fault = fault
        self._certificates = certificates
        self._is_repaired = False
        self._stack = contextlib.ExitStack()
        self._socket = self._stack.enter_context(socket.socket())
        self._socket.bind((HOST, 0))
        self.port: int = self._socket.getsockname()[1]
        self._backlog = self._stack.enter_context(contextlib.ExitStack())
        if fault.unreachable == "backlog full":
            self._socket.listen(0)
            for _ in range(4):
                pending = self._backlog.enter_context(socket.socket())
                pending.setblocking(False)
                pending.connect_ex((HOST, self.port))
        elif fault.unreachable != "refused":
            self._listen()

    @property
    def url(self) -> str:
        host = "nonexistent.invalid" if self._fault.unreachable == "no such host" else HOST
        return f"{self._fault.scheme}://{host}:{self.port}"

    def repair(self) -> None:
        """Send valid responses from now on."""
        if self._is_repaired:
            return
        self._is_repaired = True
        self._backlog.close()
        if self._fault.unreachable in ("refused", "backlog full"):
            self._listen()

    def wait_for_disconnects(self) -> bool:
        """Wait for all clients to disconnect, and return whether they did."""
        deadline = time.monotonic() + TOLERANCE
        for handler in self.handlers:
            handler.join(max(0.0, deadline - time.monotonic()))
        return not any(handler.is_alive() for handler in self.handlers)

    def close(self) -> None:
        self.stopped.set()
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
        act = self._respond if self._is_repaired else self._fault.act
        certificate: str = self._fault.certificate
        if self._is_repaired:
            certificate = "valid" if self._fault.scheme == "https" else ""
        # Do not wait forever for a client whose call was abandoned.
        connection.settimeout(30)
        with connection, contextlib.suppress(OSError, ClientDisconnectedError):
            if certificate:
                with self._certificates.context(certificate).wrap_socket(connection, server_side=True) as encrypted:
                    act(Wire(encrypted, self))
            else:
                act(Wire(connection, self))

    def _respond(self, wire: Wire) -> None:
        request = wire.read_request()
        self.recorded.append(request)
        wire.send(self.valid_response(request))

    @staticmethod
    def valid_response(request: bytes) -> bytes:
        body = b'{"checks":[%b]}' % CHECK
        if request.startswith(b"POST /ping/"):
            body = b"OK"
        elif request.startswith(b"POST"):
            body = CHECK
        return b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class Certificates:
    """A certificate authority, and the server certificates that it issues."""

    def __init__(self) -> None:
        self._ca = trustme.CA()
        self.context = cache(self._context)

    def write_ca(self, path: Path) -> None:
        self._ca.cert_pem.write_to_path(str(path))

    def _context(self, kind: str) -> ssl.SSLContext:
        from datetime import datetime, timezone

        ca = trustme.CA() if kind == "untrusted" else self._ca
        expires = datetime(2001, 1, 1, tzinfo=timezone.utc) if kind == "expired" else None
        valid_from = datetime(2000, 1, 1, tzinfo=timezone.utc) if kind == "expired" else None
        name = "another.example" if kind == "other host" else HOST
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert(name, not_after=expires, not_before=valid_from).configure_cert(context)
        return context


@dataclass
class Outcome:
    """The outcome of a call."""

    result: Any = None
    error: BaseException | None = None
    seconds: float = 0.0
    budget: float = 0.0
    has_ended: bool = False
    has_disconnected: bool = False
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)
    recorded: list[bytes] = field(default_factory=list)

    @property
    def is_reported(self) -> bool:
        """Whether the caller can tell that the call failed, from an exception or from `success`."""
        return isinstance(self.error, HCAPIError) or getattr(self.result, "success", True) is False

    @property
    def is_on_time(self) -> bool:
        return self.has_ended and self.seconds < self.budget + TOLERANCE


@dataclass
class Trial:
    """A call to a server with a fault."""

    fault: Fault
    client: str
    call: str
    recovers: bool
    """Whether the fault affects only the first attempt."""
    outcome: Outcome = field(default_factory=Outcome)

    def run(self, certificates: Certificates) -> None:
        """Make the call in a separate thread, which is abandoned if it hangs."""
        server = FaultyServer(self.fault, certificates)
        repair_handler = _RepairingHandler(server)
        logger = logging.getLogger("healthchecks_io")
        if self.recovers:
            logger.addHandler(repair_handler)
        # Only calls that are meant to time out get a short timeout: other calls must not time out on a slow machine.
        times_out = self.fault.is_slow and self.fault.ending_of(self.call) is HCAPIUnavailableError
        timeout = (1.0 if self.recovers else 0.3) if times_out else 3.0
        self.outcome.budget = 2 * timeout + max(MAX_FIRST_DELAY, self.fault.retry_after)
        thread = threading.Thread(target=self._call, args=(server.url, timeout), daemon=True)
        thread.start()
        thread.join(self.outcome.budget + TOLERANCE)
        self.outcome.has_ended = not thread.is_alive()
        self.outcome.has_disconnected = self.outcome.has_ended and server.wait_for_disconnects()
        logger.removeHandler(repair_handler)
        server.close()
        thread.join(TOLERANCE)
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
        except BaseException as error:  # noqa: BLE001 - the tests check its type
            self.outcome.error = error

    def _call_client(self, settings: dict[str, Any]) -> None:
        with Client(retries=1, **settings) as client:
            start = time.monotonic()
            try:
                self.outcome.result = CALLS[self.call].call(client)
            finally:
                self.outcome.seconds = time.monotonic() - start

    async def _call_async_client(self, settings: dict[str, Any]) -> None:
        async with AsyncClient(retries=1, **settings) as client:
            start = time.monotonic()
            try:
                self.outcome.result = await CALLS[self.call].call(client)
            finally:
                self.outcome.seconds = time.monotonic() - start


class _RepairingHandler(logging.Handler):
    """Repairs a server when the client logs a retry, so that the fault affects the first attempt only."""

    def __init__(self, server: FaultyServer) -> None:
        super().__init__(logging.INFO)
        self._server = server

    def emit(self, record: logging.LogRecord) -> None:
        if record.levelno == logging.INFO and f":{self._server.port}/" in record.getMessage():
            self._server.repair()


class Trials:
    """Runs each trial that the tests need once, many of them concurrently, and keeps the outcomes."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates
        self._outcomes: dict[tuple[str, str, str, bool], Outcome] = {}

    def outcome(self, fault: Fault, client: str, call: str, *, recovers: bool = False) -> Outcome:
        """Return the outcome of a call that `run_all` made."""
        return self._outcomes[fault.name, client, call, recovers]

    def run_all(self, faults: Sequence[Fault]) -> None:
        """Make all calls for these faults that have not been made yet."""
        trials = [
            Trial(fault, client, call, recovers)
            for recovers in (False, True)
            for fault in faults
            if fault.can_recover or not recovers
            for client in CLIENTS
            for call in CALLS
            if call != "create" or recovers
            if (fault.name, client, call, recovers) not in self._outcomes
        ]
        if not trials:
            return
        slots = threading.Semaphore(MAX_CONCURRENT_CALLS)

        def run(trial: Trial) -> None:
            with slots:
                trial.run(self._certificates)

        threads = [threading.Thread(target=run, args=(trial,), daemon=True) for trial in trials]
        # Garbage collection must not close leaked connections before they are detected.
        gc.disable()
        for thread in threads:
            thread.start()
        for trial, thread in zip(trials, threads, strict=True):
            thread.join()
            self._outcomes[trial.fault.name, trial.client, trial.call, trial.recovers] = trial.outcome
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()
        gc.enable()


@pytest.fixture(scope="session")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trials]:
    """The outcomes of calls to faulty servers, shared by the whole session."""
    certificates = Certificates()
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    certificates.write_ca(path)
    logger = logging.getLogger("healthchecks_io")
    level = logger.level
    with pytest.MonkeyPatch.context() as patch:
        # NO_PROXY alone does not configure a proxy, so it must not loosen the deadlines.
        patch.setenv("NO_PROXY", "elsewhere.example")
        patch.setenv("SSL_CERT_FILE", str(path))
        logger.setLevel(logging.INFO)
        yield Trials(certificates)
        logger.setLevel(level)


class LossRecorder(Protocol):
    def __call__(self, fault: str, *, calls: int, lost: int) -> None: ...


@pytest.fixture
def record_losses(record_property: Callable[[str, object], None]) -> LossRecorder:
    """Return a function that records how many calls were made and lost, for the table in the terminal summary."""

    def record(fault: str, *, calls: int, lost: int) -> None:
        record_property(LOSS_PROPERTY, [fault, calls, lost])

    return record


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a table of the calls made and lost with each fault."""
    calls: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                for name, value in report.user_properties:
                    if name == LOSS_PROPERTY:
                        calls[value[0]] += value[1]
                        lost[value[0]] += value[2]
    if calls:
        terminalreporter.section("faults")
        width = max(map(len, calls))
        for fault, count in calls.items():
            terminalreporter.write_line(f"{fault:{width}}  calls {count:6}  lost {lost[fault]:3}")
        total = f"{len(calls)} faults"
        terminalreporter.write_line(f"{total:{width}}  calls {calls.total():6}  lost {lost.total():3}")
