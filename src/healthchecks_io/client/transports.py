"""The way to the network of our own httpx clients.

httpx bounds each operation of the network: a server can hold up a call for as long as it drips its headers, or sends
interim answers. It has no public way to bound the whole; httpcore, on which it is built, has one: the backend that
opens the connections. For Client it holds all that an attempt does to one deadline. What stays unbounded is the
resolution of names, which no time-out of a socket covers. AsyncClient cancels an attempt at its deadline; its backend
holds the making of a connection to one time-out, and closes what was cancelled in the TLS handshake.
"""

from __future__ import annotations

import socket
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import httpcore
import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterable, Iterator

_deadline: ContextVar[float] = ContextVar("deadline")
"""Until when the attempt of this thread may take, by time.monotonic()."""

_MAX_WRITE = 16_384
"""Bytes that are handed on at once: whoever reads slowly is given a time-out for each part that it takes."""
_MAX_CONNECTIONS, _MAX_IDLE_CONNECTIONS, _MAX_IDLE_SECONDS = 100, 20, 5.0
"""As httpx has them by default."""

_ERRORS: dict[type[Exception], type[httpx.TransportError]] = {
    httpcore.ConnectTimeout: httpx.ConnectTimeout,
    httpcore.ReadTimeout: httpx.ReadTimeout,
    httpcore.WriteTimeout: httpx.WriteTimeout,
    httpcore.PoolTimeout: httpx.PoolTimeout,
    httpcore.ConnectError: httpx.ConnectError,
    httpcore.ReadError: httpx.ReadError,
    httpcore.WriteError: httpx.WriteError,
    httpcore.LocalProtocolError: httpx.LocalProtocolError,
    httpcore.RemoteProtocolError: httpx.RemoteProtocolError,
}


class Transport(httpx.BaseTransport):
    """What httpx.HTTPTransport is, held to the deadline.

    Args:
        tls_context: Makes the TLS settings. That takes longer than a ping, and is done when https is used.
    """

    def __init__(self, tls_context: Callable[[], ssl.SSLContext]) -> None:
        self._tls_context = tls_context
        self._pools: dict[str, httpcore.ConnectionPool] = {}

    def _pool(self, scheme: str) -> httpcore.ConnectionPool:
        pool = self._pools.get(scheme)
        if pool is None:
            made = httpcore.ConnectionPool(
                ssl_context=self._tls_context() if scheme == "https" else None,
                max_connections=_MAX_CONNECTIONS,
                max_keepalive_connections=_MAX_IDLE_CONNECTIONS,
                keepalive_expiry=_MAX_IDLE_SECONDS,
                network_backend=_Backend(),
            )
            # Threads may come here at once: they share the pool that was first.
            pool = self._pools.setdefault(scheme, made)
        return pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and read the headers of its answer."""
        _deadline.set(time.monotonic() + request.extensions["timeout"]["read"])
        with _errors_of_httpx():
            response = self._pool(request.url.scheme).handle_request(
                _request(request, {"timeout": {"pool": _seconds_left(httpcore.PoolTimeout)}})
            )
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    def close(self) -> None:
        """Close the connections."""
        for pool in self._pools.values():
            pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        with _errors_of_httpx():
            yield from self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class AsyncTransport(httpx.AsyncBaseTransport):
    """What httpx.AsyncHTTPTransport is, on asyncio alone, with one time-out for the making of a connection.

    It has no pool of httpcore's, which takes a fifth of a ping, and the longer the more wait in it: AsyncClient bounds
    what is under way, and so there is always a connection, or room for one.

    Args:
        tls_context: Makes the TLS settings, when https is used.
    """

    def __init__(self, tls_context: Callable[[], ssl.SSLContext]) -> None:
        self._tls_context = tls_context
        self._backend = _AsyncBackend()
        self._idle: list[httpcore.AsyncHTTPConnection] = []
        self._busy: set[httpcore.AsyncHTTPConnection] = set()
        self._is_closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and read the headers of its answer."""
        asked = _request(request, request.extensions)
        connection = await self._idle_connection(asked.url.origin) or self._new_connection(asked.url.origin)
        self._busy.add(connection)
        try:
            with _errors_of_httpx():
                response = await connection.handle_async_request(asked)
        except BaseException:
            await self._give_back(connection)
            raise
        body = _AsyncBody(response, lambda: self._give_back(connection))
        return httpx.Response(response.status, headers=response.headers, stream=body)

    async def _idle_connection(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection | None:
        for connection in reversed(self._idle):
            if connection.can_handle_request(origin):
                self._idle.remove(connection)
                if not connection.has_expired():
                    return connection
                await connection.aclose()
        return None

    def _new_connection(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        return httpcore.AsyncHTTPConnection(
            origin,
            ssl_context=self._tls_context() if origin.scheme == b"https" else None,
            keepalive_expiry=_MAX_IDLE_SECONDS,
            network_backend=self._backend,
        )

    async def _give_back(self, connection: httpcore.AsyncHTTPConnection) -> None:
        self._busy.discard(connection)
        # A connection that could not be made counts as idle, and as closed.
        if connection.is_idle() and not connection.is_closed() and not self._is_closed:
            self._idle.append(connection)
        else:
            await connection.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        self._is_closed = True
        for connection in (*self._idle, *self._busy):
            await connection.aclose()
        self._idle.clear()


class _AsyncBody(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response, give_back: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._response = response
        self._give_back = give_back

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _errors_of_httpx():
            async for part in self._response.aiter_stream():
                yield part

    async def aclose(self) -> None:
        try:
            await self._response.aclose()
        finally:
            await self._give_back()


def _request(request: httpx.Request, extensions: dict[str, Any]) -> httpcore.Request:
    return httpcore.Request(
        request.method,
        httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        ),
        headers=request.headers.raw,
        content=request.stream,
        extensions=extensions,
    )


@contextmanager
def _errors_of_httpx() -> Generator[None]:
    try:
        yield
    except tuple(_ERRORS) as error:
        raise _ERRORS[type(error)](str(error)) from error


class _Backend(httpcore.NetworkBackend):
    """Opens connections, to one address of a host after the other, which share the time that is left.

    The deadline takes the place of the time-outs that httpcore hands down.
    """

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - see the class
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        while True:
            seconds = _seconds_left(httpcore.ConnectTimeout) / len(addresses)
            try:
                return _Stream(
                    self._backend.connect_tcp(addresses.pop(0), port, seconds, local_address, socket_options)
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not addresses:
                    raise


class _Stream(httpcore.NetworkStream):
    """A connection that is held to the deadline, which takes the place of the time-outs that httpcore hands down."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - see the class
        return self._stream.read(max_bytes, _seconds_left(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - see the class
        for start in range(0, len(buffer), _MAX_WRITE):
            self._stream.write(buffer[start : start + _MAX_WRITE], _seconds_left(httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - see the class
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _seconds_left(httpcore.ConnectTimeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _seconds_left(error: type[Exception]) -> float:
    seconds = _deadline.get() - time.monotonic()
    if seconds <= 0:
        raise error("the deadline has passed")
    return seconds


class _AsyncBackend(httpcore.AsyncNetworkBackend):
    """Opens connections: the time-out for it covers the TLS handshake too."""

    def __init__(self) -> None:
        # Without anyio, on which httpx depends, it would be a stand-in that raises, and that pyright sees.
        self._backend: httpcore.AsyncNetworkBackend = httpcore.AnyIOBackend()  # pyright: ignore[reportAttributeAccessIssue]

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        begun = time.monotonic()
        stream = await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return _AsyncStream(stream, time.monotonic() - begun)


class _AsyncStream(httpcore.AsyncNetworkStream):
    """A connection before it is encrypted, or one that never is."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, seconds_taken: float) -> None:
        self._stream = stream
        self._seconds_taken = seconds_taken

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        seconds_left = None if timeout is None else max(timeout - self._seconds_taken, 0.0)
        try:
            return await self._stream.start_tls(ssl_context, server_hostname, seconds_left)
        except BaseException:
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
