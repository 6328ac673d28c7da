"""Which connections are reused, which are closed, and when."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import signal
import socket
import ssl
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpcore
import httpx
import pytest
import trustme

from healthchecks_io import AsyncClient, CheckCreate, Client, HCAPIError, HCAPIUnavailableError
from healthchecks_io.client.async_transports import AsyncTransport
from healthchecks_io.client.transports import Transport

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api

    Handle = Callable[["ServerConnection"], None]

SECONDS_TO_ARRIVE = 5.0
MAX_IDLE_CONNECTIONS = 20
CONCURRENT_PINGS = 100
LARGE = 8_000_000
UUID = "11111111-1111-4111-8111-111111111111"


class ServerConnection:
    """The server's end of a connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        connection.settimeout(30)

    def read_name(self) -> str:
        """Read a ping, and return the name in its path, or an empty string if the client has disconnected."""
        data = b""
        while b"\r\n\r\n" not in data:
            received = self._connection.recv(65536)
            if not received:
                return ""
            data += received
        found = re.match(rb"POST /(\S+) ", data)
        assert found is not None
        return found[1].decode()

    def send(self, *responses: bytes) -> None:
        """Send responses in one packet."""
        self._connection.sendall(b"".join(responses))

    def end(self) -> None:
        """Close the connection in this direction."""
        self._connection.shutdown(1)


def response(body: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


class Server:
    """A server, and its connections."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.accepted = 0
        self.open = 0

    def wait_for_at_most(self, number: int) -> int:
        """Wait until at most so many connections are open, and return how many are."""
        ends = time.monotonic() + SECONDS_TO_ARRIVE
        while self.open > number and time.monotonic() < ends:
            time.sleep(0.01)
        return self.open


@pytest.fixture(params=["http", "https"])
def start(
    request: pytest.FixtureRequest,
    serve: Callable[[Callable[[socket.socket], None]], str],
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[Handle], Server]:
    """Return a function that starts a server. Tests that use it run with HTTP and with HTTPS."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if request.param == "https":
        ca = trustme.CA()
        ca.issue_cert("127.0.0.1").configure_cert(tls)
        ca.cert_pem.write_to_path(tmp_path / "ca.pem")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    def start(handle: Handle) -> Server:
        lock = threading.Lock()

        def handle_counted(connection: socket.socket) -> None:
            with lock:
                server.accepted += 1
                server.open += 1
            try:
                if request.param == "https":
                    with tls.wrap_socket(connection, server_side=True) as encrypted:
                        handle(ServerConnection(encrypted))
                else:
                    handle(ServerConnection(connection))
            finally:
                with lock:
                    server.open -= 1

        server = Server("")
        server.url = serve(handle_counted).replace("http", request.param)
        return server

    return start


def echo(connection: ServerConnection) -> None:
    while name := connection.read_name():
        connection.send(response(name))


def ping_repeatedly(api: Api, pings: int = 3) -> list[str]:
    """Ping several checks in turn, and return the texts of the responses."""
    return [api.success_ping(f"check-{number}").text for number in range(pings)]


OWN_RESPONSES = ["check-0", "check-1", "check-2"]


def test_a_connection_is_reused(connect: Callable[..., Api], start: Callable[[Handle], Server]) -> None:
    server = start(echo)

    assert ping_repeatedly(connect(ping_url=server.url, retries=0)) == OWN_RESPONSES
    assert server.accepted == 1


def test_a_second_response_in_the_same_packet_is_not_taken_for_the_next_one(
    connect: Callable[..., Api], start: Callable[[Handle], Server]
) -> None:
    def respond_twice(connection: ServerConnection) -> None:
        while name := connection.read_name():
            connection.send(response(name), response("stray"))

    server = start(respond_twice)

    assert ping_repeatedly(connect(ping_url=server.url, retries=0)) == OWN_RESPONSES
    assert server.accepted == 3


def test_a_second_response_right_behind_the_first_is_not_taken_for_the_next_one(
    connect: Callable[..., Api], start: Callable[[Handle], Server]
) -> None:
    def respond_twice(connection: ServerConnection) -> None:
        while name := connection.read_name():
            connection.send(response(name))
            connection.send(response("stray"))
            sent.release()

    sent = threading.Semaphore(0)
    server = start(respond_twice)
    api = connect(ping_url=server.url, retries=0)

    for number in range(8):
        assert api.success_ping(f"check-{number}").text == f"check-{number}"
        assert sent.acquire(timeout=SECONDS_TO_ARRIVE)
        time.sleep(0.02)  # On a busy machine, data that was sent may arrive later.


@pytest.mark.parametrize("seconds_idle", [0, 0.1], ids=["just before the request", "long before the request"])
@pytest.mark.parametrize("stray", [response("stray"), b"HTTP/1.1 200 OK\r\n", b"\0"], ids=["response", "part", "byte"])
def test_data_on_an_idle_connection_is_not_taken_for_the_next_response(
    connect: Callable[..., Api], start: Callable[[Handle], Server], seconds_idle: float, stray: bytes
) -> None:
    def respond_and_send_more_later(connection: ServerConnection) -> None:
        while name := connection.read_name():
            connection.send(response(name))
            assert is_idle.acquire(timeout=SECONDS_TO_ARRIVE)
            connection.send(stray)
            is_sent.release()

    is_idle, is_sent = threading.Semaphore(0), threading.Semaphore(0)
    server = start(respond_and_send_more_later)
    api = connect(ping_url=server.url, retries=0)

    for name in OWN_RESPONSES:
        assert api.success_ping(name).text == name
        is_idle.release()
        # Meanwhile, an event loop is not running: the data is still in the socket.
        assert is_sent.acquire(timeout=SECONDS_TO_ARRIVE)
        if seconds_idle:
            time.sleep(seconds_idle) if isinstance(api.client, Client) else api.run(asyncio.sleep(seconds_idle))
    assert server.accepted == 3


@pytest.mark.parametrize(
    "template",
    [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{}",
        "HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 7\r\n\r\n{}",
        "HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\n{}",
    ],
    ids=["chunked", "100", "103", "connection-close", "http-1.0"],
)
def test_a_connection_is_not_reused_after_a_response_that_is_not_just_a_head_and_its_content_length(
    connect: Callable[..., Api], start: Callable[[Handle], Server], template: str
) -> None:
    def respond(connection: ServerConnection) -> None:
        while name := connection.read_name():
            connection.send(template.format(name).encode())

    server = start(respond)

    assert ping_repeatedly(connect(ping_url=server.url, retries=0)) == OWN_RESPONSES
    assert server.accepted == 3


def test_a_response_without_a_length_ends_with_its_connection(
    connect: Callable[..., Api], start: Callable[[Handle], Server]
) -> None:
    def respond_and_close(connection: ServerConnection) -> None:
        connection.send(f"HTTP/1.1 200 OK\r\n\r\n{connection.read_name()}".encode())

    server = start(respond_and_close)

    assert ping_repeatedly(connect(ping_url=server.url, retries=0)) == OWN_RESPONSES
    assert server.accepted == 3


def test_a_connection_is_reused_after_an_error_response(
    connect: Callable[..., Api], start: Callable[[Handle], Server]
) -> None:
    def respond(connection: ServerConnection) -> None:
        connection.read_name()
        connection.send(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 4\r\n\r\nbusy")
        echo(connection)

    server = start(respond)

    assert connect(ping_url=server.url, retries=1).success_ping("check-0").text == "check-0"
    assert server.accepted == 1


def ping_at_once(api: Api, pings: int) -> list[str]:
    """Ping several checks at once, and return the texts of the responses."""
    names = [f"check-{number}" for number in range(pings)]
    client = api.client
    if isinstance(client, Client):
        with ThreadPoolExecutor(pings) as threads:
            return [result.text for result in threads.map(client.success_ping, names)]

    async def gather(client: AsyncClient) -> list[str]:
        return [result.text for result in await asyncio.gather(*map(client.success_ping, names))]

    texts: list[str] = api.run(gather(client))
    return texts


def echo_at_once(pings: int, then: Callable[[ServerConnection, str], None]) -> Handle:
    """Return what a server does that first responds when so many requests have arrived, each on its own connection."""
    barrier = threading.Barrier(pings)

    def handle(connection: ServerConnection) -> None:
        name = connection.read_name()
        barrier.wait(30)
        connection.send(response(name))
        then(connection, name)

    return handle


def test_at_most_20_idle_connections_are_kept(connect: Callable[..., Api], start: Callable[[Handle], Server]) -> None:
    server = start(echo_at_once(CONCURRENT_PINGS, lambda connection, _: echo(connection)))
    api = connect(ping_url=server.url, retries=0)

    texts = ping_at_once(api, CONCURRENT_PINGS)

    assert texts == [f"check-{number}" for number in range(CONCURRENT_PINGS)]
    # asyncio closes the sockets in the next iteration of its event loop.
    api.run(None if isinstance(api.client, Client) else asyncio.sleep(0))
    # Threads that return connections at the same moment may close one too many.
    assert server.wait_for_at_most(MAX_IDLE_CONNECTIONS) <= MAX_IDLE_CONNECTIONS
    assert server.accepted == CONCURRENT_PINGS
    assert ping_repeatedly(api) == OWN_RESPONSES
    assert server.accepted == CONCURRENT_PINGS


def close_at_once_and_ping(api: Api) -> None:
    """Ping once more, so that the idle connections are looked at."""
    api.success_ping("another")
    api.run(None if isinstance(api.client, Client) else asyncio.sleep(0))


def test_connections_that_have_been_idle_for_5_seconds_are_closed_when_another_is_returned(
    connect: Callable[..., Api], start: Callable[[Handle], Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = start(echo_at_once(3, lambda connection, _: echo(connection)))
    api = connect(ping_url=server.url, retries=0)
    now = time.monotonic
    ping_at_once(api, 3)

    monkeypatch.setattr(time, "monotonic", lambda: now() + 4)
    close_at_once_and_ping(api)
    assert server.accepted == 3
    # One of them was used now.
    monkeypatch.setattr(time, "monotonic", lambda: now() + 8)
    close_at_once_and_ping(api)

    assert server.wait_for_at_most(1) == 1
    assert server.accepted == 3


def test_connections_that_the_server_has_closed_are_closed_when_another_is_returned(
    connect: Callable[..., Api], start: Callable[[Handle], Server]
) -> None:
    def end_most(connection: ServerConnection, name: str) -> None:
        if name == "check-0":
            echo(connection)
            return
        assert is_idle.wait(SECONDS_TO_ARRIVE)
        connection.end()
        has_ended.release()
        # Until the client closes the connection as well.
        assert not connection.read_name()

    is_idle, has_ended = threading.Event(), threading.Semaphore(0)
    server = start(echo_at_once(3, end_most))
    api = connect(ping_url=server.url, retries=0)
    ping_at_once(api, 3)

    is_idle.set()
    for _ in range(2):
        assert has_ended.acquire(timeout=SECONDS_TO_ARRIVE)
    close_at_once_and_ping(api)

    assert server.wait_for_at_most(1) == 1


def test_closing_a_client_closes_its_idle_connections(
    connect: Callable[..., Api], start: Callable[[Handle], Server]
) -> None:
    server = start(echo_at_once(3, lambda connection, _: echo(connection)))
    api = connect(ping_url=server.url, retries=0)
    ping_at_once(api, 3)

    api.close()

    assert server.wait_for_at_most(0) == 0


def test_a_request_that_is_under_way_when_its_client_is_closed_closes_its_connection(
    connect: Callable[..., Api], start: Callable[[Handle], Server]
) -> None:
    def respond_after_close(connection: ServerConnection) -> None:
        name = connection.read_name()
        has_arrived.set()
        assert is_closed.wait(SECONDS_TO_ARRIVE)
        connection.send(response(name))
        assert not connection.read_name()

    has_arrived, is_closed = threading.Event(), threading.Event()
    server = start(respond_after_close)
    api = connect(ping_url=server.url, retries=0)
    client = api.client
    if isinstance(client, Client):
        with ThreadPoolExecutor(1) as threads:
            ping = threads.submit(client.success_ping, "check-0")
            assert has_arrived.wait(SECONDS_TO_ARRIVE)
            client.close()
            is_closed.set()
            assert ping.result().text == "check-0"
    else:

        async def close_meanwhile(client: AsyncClient) -> str:
            ping = asyncio.create_task(client.success_ping("check-0"))
            assert await asyncio.to_thread(has_arrived.wait, SECONDS_TO_ARRIVE)
            await client.aclose()
            is_closed.set()
            return (await ping).text

        assert api.run(close_meanwhile(client)) == "check-0"
        api.run(asyncio.sleep(0))

    assert server.wait_for_at_most(0) == 0


class TimeLimitError(Exception):
    """What a job raises in its signal handler."""


def raise_time_limit(*_: object) -> None:
    raise TimeLimitError


class Signaller(logging.Filter):
    """Sends a signal at a step of a request: a log record of httpcore."""

    def __init__(self, step: str) -> None:
        super().__init__()
        self._step = step

    def filter(self, record: logging.LogRecord) -> bool:
        if record.getMessage().startswith(self._step):
            self._step = "no further step"
            signal.raise_signal(signal.SIGINT)
        return False


@pytest.mark.parametrize(
    "step",
    [
        "connect_tcp.complete",
        "send_request_headers.complete",
        "receive_response_headers.complete",
        "receive_response_body.started",
        "response_closed.complete",
    ],
)
def test_an_exception_of_a_signal_handler_reaches_the_caller_and_closes_the_connection(
    connect: Callable[..., Api],
    start: Callable[[Handle], Server],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    step: str,
) -> None:
    server = start(echo)
    api = connect(ping_url=server.url, retries=0)
    signaller = Signaller(step)
    loggers = [logging.getLogger(f"httpcore.{name}") for name in ("connection", "http11")]
    with contextlib.ExitStack() as stack:
        stack.callback(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, raise_time_limit))
        for logger in loggers:
            caplog.set_level(logging.DEBUG, logger.name)
            logger.addFilter(signaller)
            stack.callback(logger.removeFilter, signaller)
        with pytest.raises(TimeLimitError):
            api.success_ping("check-0")

    api.run(None if isinstance(api.client, Client) else asyncio.sleep(0))
    assert server.wait_for_at_most(0) == 0
    assert ping_repeatedly(api) == OWN_RESPONSES


def test_a_server_may_read_a_large_request_slowly(
    connect: Callable[..., Api], serve: Callable[[Callable[[socket.socket], None]], str]
) -> None:
    received = 0

    def read_slowly(connection: socket.socket) -> None:
        nonlocal received
        while received < LARGE:
            time.sleep(0.005)
            received += len(connection.recv(262_144))
        connection.sendall(b"HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n")

    api = connect(api_key="key", api_url=serve(read_slowly), retries=0)

    with pytest.raises(HCAPIError, match="409"):
        api.create_check(CheckCreate(desc="x" * LARGE))
    assert received >= LARGE


def test_a_large_response_is_read_completely(
    connect: Callable[..., Api], serve: Callable[[Callable[[socket.socket], None]], str]
) -> None:
    def send_at_once(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(response("x" * LARGE))

    assert connect(api_key="key", api_url=serve(send_at_once)).get_ping_body(UUID, 1) == b"x" * LARGE


def test_headers_of_more_than_100_kilobytes_are_an_error(
    connect: Callable[..., Api], serve: Callable[[Callable[[socket.socket], None]], str]
) -> None:
    def send_headers(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 300_000)

    with pytest.raises(HCAPIUnavailableError):
        connect(ping_url=serve(send_headers), retries=0).success_ping("u")


def test_a_connection_that_the_server_resets_is_an_error(
    connect: Callable[..., Api], serve: Callable[[Callable[[socket.socket], None]], str]
) -> None:
    def reset(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with pytest.raises(HCAPIUnavailableError, match="reset"):
        connect(ping_url=serve(reset), retries=0).success_ping("u")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "https://127.0.0.1:1/"])
def test_an_exception_of_a_signal_handler_before_connecting_reaches_the_caller(
    connect: Callable[..., Api], monkeypatch: pytest.MonkeyPatch, tmp_path: Any, url: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1/")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setattr(httpx, "Proxy" if url.startswith("http:") else "create_ssl_context", raise_time_limit)

    with pytest.raises(TimeLimitError):
        connect(ping_url=url).success_ping("u")


class RecordingPool:
    """Records what is called."""

    def __init__(self) -> None:
        self.called: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def call(*_: object) -> Any:
            self.called.append(name)
            content: Any = httpx.ByteStream(b"OK")
            return httpcore.Response(200, headers=[(b"Content-Length", b"2")], content=content)

        async def call_async(*_: object) -> Any:
            return call()

        return call_async if name in ("handle_async_request", "aclose") else call


@pytest.mark.parametrize("transport_class", [httpx.HTTPTransport, httpx.AsyncHTTPTransport])
def test_the_transports_of_httpx_have_no_state_but_their_pool(transport_class: Any) -> None:
    """If this fails, httpx has changed: our transports, which replace the pool, must be adapted."""
    assert set(vars(transport_class(verify=False))) == {"_pool"}
    assert transport_class(verify=False)._pool.__class__.__module__.startswith("httpcore")


def test_the_transports_of_httpx_call_no_more_of_their_pool_than_ours_have(
    loop: asyncio.AbstractEventLoop,
) -> None:
    """If this fails, httpx has changed: our pools need the methods that its transports call."""
    pool, async_pool = RecordingPool(), RecordingPool()
    transport, async_transport = Transport(), AsyncTransport()
    ours, ours_async = transport._pool, async_transport._pool
    transport._pool = pool  # type: ignore[assignment]
    async_transport._pool = async_pool  # type: ignore[assignment]

    async def send() -> None:
        received = await async_transport.handle_async_request(httpx.Request("GET", "http://a/"))
        assert await received.aread() == b"OK"
        await async_transport.aclose()

    received = transport.handle_request(httpx.Request("GET", "http://a/"))
    assert received.read() == b"OK"
    transport.close()
    loop.run_until_complete(send())

    assert pool.called == ["handle_request", "close"]
    assert async_pool.called == ["handle_async_request", "aclose"]
    assert all(hasattr(ours, name) for name in pool.called)
    assert all(hasattr(ours_async, name) for name in async_pool.called)
