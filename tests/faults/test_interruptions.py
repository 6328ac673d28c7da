"""Calls that are interrupted at random moments: by signal handlers that raise or ping, and by cancellation.

The environment variable INTERRUPTIONS sets the number of interruptions of all tests together.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import random
import re
import signal
import ssl
import stat
import statistics
import sys
import threading
import time
import warnings
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from healthchecks_io import AsyncClient, Client, HCAPIError
from healthchecks_io.client.async_client import MAX_CONCURRENT_REQUESTS
from healthchecks_io.client.request_context import is_own_request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import FrameType

TOTAL = int(os.environ.get("INTERRUPTIONS", "2000"))
INTERRUPTIONS = TOTAL // 4
"""Interruptions per test at random moments."""
STRIDE = max(1, 20_000 // TOTAL)
"""Of all steps of a call, one in so many is interrupted."""
BATCH = 500
"""Interruptions after which all resources must have been released. Ports are not used again within a batch."""
SECONDS_TO_DISCONNECT = 10.0
MIN_STEPS = 300
"""Every call has more steps than these."""
SERVERS_OWN = "unclosed transport"
"""Warnings about the server: the synchronous client has no transports of asyncio."""
FAILED_HANDSHAKES = "unclosed transport <asyncio.sslproto." if sys.version_info < (3, 11) else "nothing"
"""Warnings after any failed handshake, by either side. The transport below is another one, and is closed."""

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="the platform has no interval timers"),
    # The other method of pytest-timeout uses the timer that interrupts the calls.
    pytest.mark.timeout(120 + INTERRUPTIONS // 20, method="thread"),
    # The server closes none after a failed handshake. Those of the clients would leave their sockets open.
    pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning"),
]


class Interruption(Exception):  # noqa: N818 - it is not an error
    """A time limit."""


class Exit(BaseException):
    """An exception like KeyboardInterrupt."""


class EchoServer:
    """A server in a background thread whose responses contain the name that the request contains.

    It closes connections only after its clients.
    """

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self.ports: set[int] = set()
        """The clients' ports from which requests were received."""
        self.held: list[Callable[[], None]] = []
        """The responses to requests that wait for others to arrive."""
        self.transports: set[asyncio.Transport] = set()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever)
        self._thread.start()
        port = asyncio.run_coroutine_threadsafe(self._start(tls), self.loop).result()
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{port}/"

    async def _start(self, tls: ssl.SSLContext | None) -> int:
        self._server = await self.loop.create_server(lambda: EchoConnection(self), "127.0.0.1", 0, ssl=tls, backlog=512)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _stop(self) -> None:
        self._server.close()
        for transport in list(self.transports):
            transport.abort()
        # Aborted transports are closed in the next iteration of the event loop.
        await asyncio.sleep(0.01)


class EchoConnection(asyncio.Protocol):
    """A connection to an EchoServer. How it sends a response depends on the name in the request."""

    def __init__(self, server: EchoServer) -> None:
        self._server = server
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._port: int = transport.get_extra_info("peername")[1]
        # Another connection may have had the same port.
        self._server.ports.discard(self._port)
        self._server.transports.add(transport)

    def connection_lost(self, _: Exception | None) -> None:
        self._server.transports.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._server.ports.add(self._port)
        self._received += data
        head, end, _ = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        self._received = b""
        line = head.partition(b"\r\n")[0].decode()
        kind, number = re.findall(r"\b(echo|hold)-(\d+)\b", line)[0]
        name = f"{kind}-{number}"
        if " /v1/checks/" in line:
            check = {"name": name, "grace": 60, "n_pings": 0, "status": "new"}
            body = json.dumps({"checks": [check]}).encode()
        else:
            body = name.encode()
        if kind == "hold":
            self._hold(body)
        else:
            self._respond(body, int(number))

    def _hold(self, body: bytes) -> None:
        """Respond when as many requests as a client may send at once have arrived."""
        held = self._server.held
        held.append(lambda: self._send(body))
        if len(held) == MAX_CONCURRENT_REQUESTS:
            for respond in held:
                respond()
            held.clear()

    def _respond(self, body: bytes, number: int) -> None:
        manner = random.Random(number).randrange(10)
        if manner == 0:
            self._transport.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            self._transport.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        elif manner == 1:
            self._server.loop.call_later(0.002, self._send, body)
        elif manner == 2:
            self._send(body + b" " * 30_000)
        elif manner == 3:
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
            self._server.loop.call_later(0.001, self._transport.write, body)
        else:
            self._send(body)

    def _send(self, body: bytes) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


@pytest.fixture(params=["http", "https"])
def server(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EchoServer]:
    tls = None
    if request.param == "https":
        ca = trustme.CA()
        ca.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("127.0.0.1").configure_cert(tls)
    server = EchoServer(tls)
    yield server
    server.close()


class Findings:
    """What must not happen. Exceptions in the midst of a call would not reach the test."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.random = random.Random(1)
        self._numbers = count()

    def next_name(self) -> str:
        return f"echo-{next(self._numbers)}"

    def assert_none(self) -> None:
        summary = Counter(re.sub(r"\d+", "N", finding) for finding in self.wrong)
        assert summary == Counter()

    def compare(self, expected: str, received: str) -> None:
        if expected != received.strip():
            self.wrong.append(f"{received.strip()!r} was taken for the response to {expected!r}")

    @contextlib.contextmanager
    def checking_resources(self, server: EchoServer, *, ignored: str) -> Iterator[None]:
        """Check the warnings and exceptions that finalizers report in the block.

        Args:
            server: The server.
            ignored: The beginning of warnings that are not about the client.
        """
        server.ports.clear()
        with warnings.catch_warnings(record=True) as caught, pytest.MonkeyPatch.context() as patch:
            warnings.simplefilter("always")
            patch.setattr(sys, "unraisablehook", self._check_unraisable)
            yield
            gc.collect()
        # The server may not have noticed yet that the port belongs to another connection.
        time.sleep(0.05)
        for warning in caught:
            message = str(warning.message)
            if message.startswith(ignored):
                continue
            # A socket of which the server saw no request was being opened.
            port = re.match(r"unclosed <(?:socket.socket|ssl.SSLSocket) (?:.* laddr=\('127.0.0.1', (\d+)\))?", message)
            if port is None or (port[1] and int(port[1]) in server.ports):
                self.wrong.append(f"{warning.category.__name__}: {message}")

    def _check_unraisable(self, unraisable: Any) -> None:
        # The interpreter drops an exception that a signal handler raises during a finalizer.
        if not isinstance(unraisable.exc_value, (Interruption, Exit, TimeoutError)):
            self.wrong.append(repr(unraisable))


def open_sockets() -> set[int]:
    """Return the inodes of the sockets of this process."""
    inodes = set()
    for name in os.listdir("/dev/fd"):  # noqa: PTH208 - names, not paths
        # The directory itself was open.
        with contextlib.suppress(OSError):
            status = os.fstat(int(name))
            if stat.S_ISSOCK(status.st_mode):
                inodes.add(status.st_ino)
    return inodes


def wait_for_disconnects(before: set[int]) -> set[int]:
    """Wait for the server to close its ends of the connections, and return the sockets that are left."""
    ends = time.monotonic() + SECONDS_TO_DISCONNECT
    while (left := open_sockets() - before) and time.monotonic() < ends:
        time.sleep(0.01)
    return left


def call(client: Client, findings: Findings) -> None:
    """Make one call, and check that it got its own response."""
    name = findings.next_name()
    if findings.random.random() < 0.2:
        findings.compare(name, client.get_checks([name])[0].name or "")
    else:
        findings.compare(name, client.success_ping(slug=name).text)


async def call_async(client: AsyncClient, findings: Findings) -> None:
    """Make one call, and check that it got its own response."""
    name = findings.next_name()
    if findings.random.random() < 0.2:
        findings.compare(name, (await client.get_checks([name]))[0].name or "")
    else:
        findings.compare(name, (await client.success_ping(slug=name)).text)


def is_descriptor_shared(frame: FrameType | None) -> bool:
    """Return whether the ssl module has just made a second socket of a file descriptor, and not yet detached the first.

    An exception at this moment makes Python close the descriptor twice, and the second time it may be another thread's.
    No caller of the ssl module can prevent that.
    """
    while frame is not None:
        if frame.f_code.co_name == "_create" and frame.f_globals.get("__name__") == "ssl":
            original = frame.f_locals["sock"]
            return "self" in frame.f_locals and original.fileno() != -1
        frame = frame.f_back
    return False


def typical_seconds(work: Callable[[], None]) -> float:
    """Return how long some work takes."""
    durations = []
    for _ in range(50):
        began = time.perf_counter()
        work()
        durations.append(time.perf_counter() - began)
    return statistics.median(durations)


class Interrupter:
    """Interrupts the calls of a client with a signal handler that raises, pings, or does both."""

    def __init__(self, client: Client, findings: Findings) -> None:
        self.interruptions = 0
        self._client = client
        self._findings = findings
        self._seconds = 0.0
        self._raised: type[BaseException] | None = None

    def measure(self) -> None:
        """Measure the time in which interruptions are to come: of calls with a new connection, and of others."""
        self._seconds = typical_seconds(lambda: call(self._client, self._findings)) * 2

    def handle(self, _: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if is_descriptor_shared(frame):
            return
        self.interruptions += 1
        choice = self._findings.random.random()
        if choice < 0.3:
            call(self._client, self._findings)
        if choice > 0.15:
            self._raised = self._findings.random.choice([Interruption, Exit, TimeoutError])
            raise self._raised

    def interrupt(self) -> None:
        """Make a call that is interrupted at a random moment, unless it ends before."""
        self._raised = None
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, self._findings.random.uniform(1e-6, self._seconds))
                call(self._client, self._findings)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except (Interruption, Exit, TimeoutError):
            pass
        except HCAPIError as error:
            # A TimeoutError cannot be told from the network's.
            if self._raised is not TimeoutError:
                self._findings.wrong.append(f"{error!r} after {self._raised}")
        if is_own_request.get():
            self._findings.wrong.append("after a call, log records still count as the client's own")
            is_own_request.set(False)


@contextlib.contextmanager
def calling_in_a_thread(client: Client, findings: Findings) -> Iterator[None]:
    """Make calls in a thread that must not notice the interruptions of another one."""
    is_over = threading.Event()

    def call_until_over() -> None:
        try:
            while not is_over.wait(0.001):
                call(client, findings)
        except HCAPIError as error:
            findings.wrong.append(f"in another thread: {error!r}")

    thread = threading.Thread(target=call_until_over)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_exceptions_of_signal_handlers_neither_harm_the_client_nor_leak_connections(server: EchoServer) -> None:
    findings = Findings()
    before = open_sockets()
    client = Client("", "key", server.url, server.url, retries=0)
    interrupter = Interrupter(client, findings)
    interrupter.measure()
    previous = signal.signal(signal.SIGALRM, interrupter.handle)
    try:
        while interrupter.interruptions < INTERRUPTIONS:
            end = min(interrupter.interruptions + BATCH, INTERRUPTIONS)
            with findings.checking_resources(server, ignored=SERVERS_OWN), calling_in_a_thread(client, findings):
                while interrupter.interruptions < end:
                    if findings.random.random() < 0.5:
                        call(client, findings)
                    interrupter.interrupt()
            findings.assert_none()
    finally:
        signal.signal(signal.SIGALRM, previous)

    for _ in range(10):
        call(client, findings)
    client.close()
    findings.assert_none()
    assert not wait_for_disconnects(before)


def interrupt_at(step: int, client: Client, findings: Findings) -> bool:
    """Make a call, raise an exception at one of its steps, and return whether it had so many.

    Steps are the moments at which the interpreter may call signal handlers: when a function begins or returns.
    """
    steps = 0

    def profile(frame: FrameType, event: str, _: object) -> None:
        nonlocal steps
        if event in ("call", "return", "c_return"):
            steps += 1
            if steps == step and not is_descriptor_shared(frame):
                sys.setprofile(None)
                raise Interruption

    try:
        try:
            sys.setprofile(profile)
            call(client, findings)
        finally:
            sys.setprofile(None)
    except Interruption:
        pass
    except HCAPIError as error:
        findings.wrong.append(f"{error!r} after an exception at step {step}")
    if is_own_request.get():
        findings.wrong.append(f"log records count as the client's own after an exception at step {step}")
        is_own_request.set(False)
    return steps >= step


@pytest.mark.parametrize("is_reused", [True, False], ids=["reused connection", "new connection"])
def test_an_exception_at_any_step_neither_harms_the_client_nor_leaks_connections(
    server: EchoServer, is_reused: bool
) -> None:
    findings = Findings()
    before = open_sockets()
    client = Client("", "key", server.url, server.url, retries=0)
    call(client, findings)
    step = random.randint(1, STRIDE)
    with findings.checking_resources(server, ignored=SERVERS_OWN):
        while interrupt_at(step, client, findings):
            if is_reused:
                call(client, findings)
            else:
                client.close()
                client = Client("", "key", server.url, server.url, retries=0)
            step += STRIDE
    client.close()

    findings.assert_none()
    assert step > MIN_STEPS
    assert not wait_for_disconnects(before)


async def interrupt_tasks(client: AsyncClient, findings: Findings, seconds: float) -> int:
    """Make several calls at once, cancel most of them at random moments, and return how many were cancelled."""
    # Sometimes more than the client sends at once.
    tasks = MAX_CONCURRENT_REQUESTS + 20 if findings.random.random() < 0.02 else findings.random.randint(1, 10)
    now = time.perf_counter()
    # Either after some iterations of the event loop, or after some time.
    moments = {
        asyncio.create_task(call_async(client, findings)): (
            findings.random.randrange(30),
            now + findings.random.uniform(0, seconds),
        )
        for _ in range(tasks)
    }
    waiting = [task for task in moments if findings.random.random() < 0.9]
    cancelled = []
    iteration = 0
    while waiting:
        for task in list(waiting):
            iterations, moment = moments[task]
            if task.done() or iteration >= iterations * 3 or time.perf_counter() > moment:
                waiting.remove(task)
                if task.cancel():
                    cancelled.append(task)
        await asyncio.sleep(0)
        iteration += 1
    await asyncio.wait(moments)
    for task in moments:
        if task.cancelled() != (task in cancelled):
            findings.wrong.append(f"a cancellation was lost or invented: {task!r}")
        elif not task.cancelled() and (error := task.exception()) is not None:
            findings.wrong.append(repr(error))
    return len(cancelled)


def test_cancellations_neither_harm_the_client_nor_leak_connections_or_tasks(server: EchoServer) -> None:
    findings = Findings()

    async def main() -> None:
        before = open_sockets()
        client = AsyncClient("", "key", server.url, server.url, retries=0)
        began = time.perf_counter()
        for _ in range(50):
            await call_async(client, findings)
        seconds = (time.perf_counter() - began) / 50 * 4
        interruptions = 0
        while interruptions < INTERRUPTIONS:
            end = min(interruptions + BATCH, INTERRUPTIONS)
            with findings.checking_resources(server, ignored=FAILED_HANDSHAKES):
                while interruptions < end:
                    interruptions += await interrupt_tasks(client, findings, seconds)
            findings.assert_none()
        # All slots are free again: the server responds when as many requests have arrived.
        names = [f"hold-{number}" for number in range(MAX_CONCURRENT_REQUESTS)]
        for name, result in zip(
            names, await asyncio.gather(*(client.success_ping(slug=name) for name in names)), strict=True
        ):
            findings.compare(name, result.text)
        with findings.checking_resources(server, ignored=FAILED_HANDSHAKES):
            await client.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert not await asyncio.to_thread(wait_for_disconnects, before)

    asyncio.run(main())

    findings.assert_none()
