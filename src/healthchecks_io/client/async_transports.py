"""The network connections of AsyncClient: see `transports`.

The network streams use asyncio directly. anyio's streams hide data that was read from the network but not yet used, so
it would be impossible to prove that a connection is clean.

AsyncClient cancels an attempt at its deadline. Only opening a connection, including the TLS handshake, has its own
timeout here.
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections import deque
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import httpcore
import httpx

from healthchecks_io.client import http
from healthchecks_io.client.async_deadline import within_seconds
from healthchecks_io.client.transports import (
    CALL,
    IN_USE,
    MAX_IDLE_SECONDS,
    Deadline,
    IdleConnections,
    ReceivedBytes,
    Routes,
    call_of,
    in_use_by,
    is_socks,
    network_stream,
    proxy_options,
    seconds_left,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable

    from healthchecks_io.client.call import Call
    from healthchecks_io.client.settings import Settings

_MAX_BUFFERED = 262_144
"""In bytes. Reading from the network pauses while more than this is buffered."""

_HAPPY_EYEBALLS_DELAY = 0.25
"""In seconds. How long to wait before trying the next address of a host as well (RFC 8305)."""


class AsyncTransport(httpx.AsyncHTTPTransport):
    """The connections of an AsyncClient in one event loop: httpx's transport with a pool of our own."""

    def __init__(self) -> None:
        # See Transport.
        self._pool = _AsyncPool()  # type: ignore[assignment]  # see Transport

    def build_request(
        self, settings: Settings, call: Call[Any], seconds: float, progress: http.Progress | None
    ) -> httpx.Request:
        """Build the request for a call, with a timeout in seconds."""
        connect = Deadline(seconds * http.SHARE_TO_CONNECT)
        extensions: dict[str, Any] = {"timeout": {"connect": connect}, CALL: call}
        if progress is not None:
            extensions["trace"] = progress
        return http.complete_request(settings, call, extensions)

    async def send(self, request: httpx.Request, in_use: list[Any]) -> httpx.Response:
        """Send a request, and read the status and headers of the response."""
        request.extensions[IN_USE] = in_use
        return await self.handle_async_request(request)


class _AsyncPool:
    """Opens connections, and keeps those that can be reused."""

    def __init__(self) -> None:
        self._idle: IdleConnections[httpcore.AsyncConnectionInterface] = IdleConnections()
        self._routes = Routes()
        self._is_closed = False

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request, and read the status and headers of the response.

        The connection is in the list that the request names, until it is idle again. The caller closes what it finds
        there after an exception.
        """
        origin = request.url.origin
        in_use: list[httpcore.AsyncConnectionInterface] = in_use_by(request)
        call = call_of(request)
        if await self._reuse(origin, in_use):
            call.was_sent = True
        else:
            in_use.append(_open_async(origin, self._routes, in_use, call))
        response = await in_use[-1].handle_async_request(request)
        del in_use[:-1]
        response.stream = _AsyncBody(response.stream, partial(self.release, origin, response, in_use))
        return response

    async def _reuse(self, origin: httpcore.Origin, in_use: list[httpcore.AsyncConnectionInterface]) -> bool:
        while self._idle.take(origin, in_use):
            if not in_use[-1].has_expired():
                return True
            await in_use[-1].aclose()
            in_use.pop()
        return False

    async def release(
        self, origin: httpcore.Origin, response: httpcore.Response, in_use: list[httpcore.AsyncConnectionInterface]
    ) -> None:
        """Keep a connection whose response was closed, or close it."""
        connection = in_use[-1]
        stream = network_stream(response)
        is_reusable = (
            isinstance(stream, _AsyncStream) and connection.is_idle() and stream.received.are_exactly(response)
        )
        if self._is_closed or not is_reusable:
            await connection.aclose()
            return
        self._idle.put(origin, in_use)
        while self._idle.take_surplus(connection, in_use):
            await in_use[-1].aclose()

    async def aclose(self) -> None:
        """Close the idle connections now, and all others after their responses."""
        self._is_closed = True
        in_use: list[httpcore.AsyncConnectionInterface] = []
        try:
            while self._idle.take_any(in_use):
                await in_use[-1].aclose()
        finally:
            for connection in in_use:
                await connection.aclose()
        # asyncio closes the sockets in the next iteration of its event loop, which may be the last.
        await asyncio.sleep(0)


def _open_async(
    origin: httpcore.Origin, routes: Routes, in_use: list[Any], call: Call[Any]
) -> httpcore.AsyncConnectionInterface:
    proxy, tls = routes.find(origin)
    backend = _AsyncBackend(in_use, call)
    if proxy is None:
        return httpcore.AsyncHTTPConnection(
            origin, ssl_context=tls, keepalive_expiry=MAX_IDLE_SECONDS, network_backend=backend
        )
    pool = (httpcore.AsyncSOCKSProxy if is_socks(proxy) else httpcore.AsyncHTTPProxy)(
        **proxy_options(proxy, tls), keepalive_expiry=MAX_IDLE_SECONDS, network_backend=backend
    )
    return _AsyncProxiedConnection(origin, pool.create_connection(origin))


class _AsyncProxiedConnection(httpcore.AsyncHTTPConnection):
    """A connection through a proxy: see _ProxiedConnection."""

    def __init__(self, origin: httpcore.Origin, connection: httpcore.AsyncConnectionInterface) -> None:
        super().__init__(origin)
        # The parent's methods use this connection as if they had opened it.
        self._connection = connection


class _AsyncBody:
    """The body of a response. Closing it releases the connection."""

    def __init__(self, stream: Any, release: Callable[[], Awaitable[None]]) -> None:
        self._stream = stream  # It can be closed, although httpcore's declared type has no such method.
        self._release = release

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        await self._stream.aclose()
        await self._release()


class _AsyncBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections with asyncio.

    Args:
        in_use: The list to which a stream is added: httpcore would not close one that is being opened.
        call: The call for which the connection is opened.
    """

    def __init__(self, in_use: list[Any], call: Call[Any]) -> None:
        self._in_use = in_use
        self._call = call

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - httpcore passes it; we never set it
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,  # noqa: ARG002 - the same
    ) -> httpcore.AsyncNetworkStream:
        stream = _AsyncStream(asyncio.get_running_loop(), self._call)
        self._in_use.insert(0, stream)
        with _connect_errors():
            await within_seconds(seconds_left(timeout, httpcore.ConnectTimeout), stream.connect(host, port))
        return stream


async def _connected_socket(loop: asyncio.AbstractEventLoop, host: str, port: int) -> socket.socket:
    """Return a socket connected to the first address of a host that accepts (RFC 8305, "Happy Eyeballs").

    asyncio's implementation leaks a connected socket if it is cancelled. anyio's loses cancellations on Python 3.10.
    """
    try:
        # Resolving an IP address does not block.
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if len(addresses) == 1:
        return await _connect_to(loop, addresses[0][0], addresses[0][4])
    pending: set[asyncio.Task[socket.socket]] = set()
    error: BaseException | None = None
    try:
        while addresses or pending:
            if addresses:
                family, _, _, _, address = addresses.pop(0)
                pending.add(loop.create_task(_connect_to(loop, family, address)))
            delay = _HAPPY_EYEBALLS_DELAY if addresses else None
            await asyncio.wait(pending, timeout=delay, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in pending if task.done()]:
                pending.remove(task)
                error = task.exception()
                if error is None:
                    return task.result()
        raise error or OSError(f"{host} has no address")
    finally:
        for task in pending:
            task.cancel()
            task.add_done_callback(_close_socket)


async def _connect_to(loop: asyncio.AbstractEventLoop, family: int, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _close_socket(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


@contextmanager
def _connect_errors() -> Generator[None]:
    try:
        yield
    except (TimeoutError, asyncio.TimeoutError) as error:
        raise httpcore.ConnectTimeout("timed out") from error
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error


class _AsyncStream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """A network connection. Reads and writes need no timeout: AsyncClient cancels an attempt at its deadline."""

    def __init__(self, loop: asyncio.AbstractEventLoop, call: Call[Any]) -> None:
        self._loop = loop
        self._call = call
        self._transport: asyncio.Transport | None = None
        self._chunks: deque[bytes] = deque()
        self._buffered = 0
        self._is_ended = False
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self.received = ReceivedBytes()

    async def connect(self, host: str, port: int) -> None:
        """Connect to a host."""
        sock = await _connected_socket(self._loop, host, port)
        try:
            await self._loop.create_connection(lambda: self, sock=sock)
        except BaseException:
            sock.close()
            raise

    # Called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._chunks.append(data)
        self._buffered += len(data)
        if self._buffered > _MAX_BUFFERED and self._transport is not None:
            self._transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> None:
        self._is_ended = True
        _wake(self._reader)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_ended = True
        self._error = exc
        _wake(self._reader)
        _wake(self._writer)

    def pause_writing(self) -> None:
        self._writer = self._loop.create_future()

    def resume_writing(self) -> None:
        _wake(self._writer)
        self._writer = None

    # Called by httpcore.

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - see the class
        while not (self._chunks or self._is_ended):
            self._reader = self._loop.create_future()
            await self._reader
        if not self._chunks:
            if self._error is not None:
                raise httpcore.ReadError(str(self._error)) from self._error
            return b""
        data = self._chunks.popleft()
        if len(data) > max_bytes:
            self._chunks.appendleft(data[max_bytes:])
            data = data[:max_bytes]
        if self._buffered > _MAX_BUFFERED >= self._buffered - len(data) and self._transport is not None:
            self._transport.resume_reading()
        self._buffered -= len(data)
        self.received.add(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - see the class
        if not buffer:
            return
        self.received.reset()
        self._call.was_sent = True
        if self._transport is None or self._transport.is_closing():
            raise httpcore.WriteError("the connection is closed")
        self._transport.write(buffer)
        if self._writer is not None:
            await self._writer

    async def aclose(self) -> None:
        if self._transport is not None:
            # close() would wait up to 30 seconds for the peer to end the TLS session.
            self._transport.abort()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        if self._transport is None:  # pragma: no cover - httpcore connects first
            raise httpcore.ConnectError("not connected")
        try:
            with _connect_errors():
                self._transport = await within_seconds(
                    seconds_left(timeout, httpcore.ConnectTimeout),
                    self._loop.start_tls(self._transport, self, ssl_context, server_hostname=server_hostname),
                )
        except BaseException:
            await self.aclose()
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        if self._transport is None:  # pragma: no cover - httpcore connects first
            return None
        if info == "is_readable":
            return bool(self._chunks) or self._is_ended or _is_readable(self._transport.get_extra_info("socket"))
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info))


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


def _is_readable(sock: socket.socket) -> bool:
    """Return whether a socket has data that asyncio has not read yet, or was closed by the peer."""
    if not hasattr(select, "poll"):  # pragma: no cover - Windows
        return bool(select.select([sock], [], [], 0)[0])
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(0))
