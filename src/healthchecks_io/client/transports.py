"""The connections of Client, below httpx's transport; and what those of AsyncClient share with them.

httpx bounds each operation on the network: a server that drips its headers, or sends interim responses, can hold up a
call for as long as it likes. And its pool holds a lock while it assigns connections: a signal handler that raises can
leave it locked for ever. So our transports replace the pool of httpx's transports, and nothing else: tools that hook
httpx's transports or httpcore's connections see every request.

The network stream holds all steps of an attempt to one deadline, except for the resolution of names, which no timeout
covers.
"""

from __future__ import annotations

import re
import socket
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import httpcore
import httpx

from healthchecks_io.client import environment, http

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Iterator

    from typing_extensions import Self

    from healthchecks_io.client.call import Call
    from healthchecks_io.client.settings import Settings

MAX_IDLE_SECONDS = 5.0
_MAX_IDLE_CONNECTIONS = 20
"""The defaults of httpx."""

_MAX_WRITE = 16_384
"""Bytes written in one step, each of which is held to the deadline: a peer may read slowly."""

_SHORT_PATIENCE = 0.3
"""Seconds that the first attempt to connect to one of several addresses may take."""

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_MAX_HEAD = 102_400
"""Bytes: the limit of httpcore."""


class ReceivedBytes:
    """Counts the bytes that follow a request, to prove that they are one response and nothing else."""

    __slots__ = ("_count", "_head", "_head_length")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start again: a request is being sent."""
        self._head = b""
        self._head_length = 0
        self._count = 0

    def add(self, data: bytes) -> None:
        """Count bytes that were read."""
        self._count += len(data)
        if not self._head_length:
            self._head += data
            if end := _END_OF_HEAD.search(self._head):
                self._head_length = end.end()
                self._head = b""
            elif len(self._head) > _MAX_HEAD:
                self._head_length = -1
                self._head = b""

    def are_exactly(self, response: httpcore.Response) -> bool:
        """Return whether nothing but this response was read: one head, and as many bytes as its Content-Length."""
        lengths = [value for name, value in response.headers if name.lower() == b"content-length"]
        if len(lengths) != 1 or not lengths[0].isdigit():
            return False
        return self._head_length > 0 and self._count == self._head_length + int(lengths[0])


_Connection = TypeVar("_Connection", httpcore.ConnectionInterface, httpcore.AsyncConnectionInterface)


class IdleConnections(Generic[_Connection]):
    """Idle connections by origin.

    There is no lock. Each step on a deque is atomic: threads, signal handlers, and exceptions that these raise can come
    in between.
    """

    def __init__(self) -> None:
        # httpcore's Origin is not hashable.
        self._by_origin: dict[tuple[bytes, bytes, int], deque[_Connection]] = {}

    def pop(self, origin: httpcore.Origin) -> _Connection | None:
        """Take the connection that was used last."""
        try:
            return self._by_origin[_key(origin)].pop()
        except LookupError:
            return None

    def append(self, origin: httpcore.Origin, connection: _Connection) -> None:
        """Keep a connection."""
        self._by_origin.setdefault(_key(origin), deque()).append(connection)

    def pop_surplus(self, returned: _Connection) -> Iterator[_Connection]:
        """Take the connections that have expired or exceed the limit, but not the one that was just returned."""
        queues = tuple(self._by_origin.values())
        surplus = sum(map(len, queues)) - _MAX_IDLE_CONNECTIONS
        for queue in queues:
            # The first one has been idle longest. Other threads may take the last one.
            with suppress(IndexError):
                while surplus > 0 or (queue[0] is not returned and queue[0].has_expired()):
                    yield queue.popleft()
                    surplus -= 1

    def pop_all(self) -> Iterator[_Connection]:
        """Take all connections."""
        for queue in tuple(self._by_origin.values()):
            with suppress(IndexError):
                while True:
                    yield queue.pop()


def _key(origin: httpcore.Origin) -> tuple[bytes, bytes, int]:
    return origin.scheme, origin.host, origin.port


def route(origin: httpcore.Origin) -> tuple[httpx.Proxy | None, ssl.SSLContext | None]:
    """Return the proxy to an origin and the TLS settings for it. These are created only when they are needed."""
    proxy = environment.proxy_for(origin.scheme.decode("ascii"), origin.host.decode("ascii"), origin.port)
    is_tls = origin.scheme == b"https" or (proxy is not None and proxy.url.scheme == "https")
    return proxy, environment.tls_context() if is_tls else None


def proxy_options(proxy: httpx.Proxy, tls: ssl.SSLContext | None) -> dict[str, Any]:
    """Return the arguments with which httpcore connects through a proxy."""
    url = httpcore.URL(
        scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=proxy.url.raw_path
    )
    options: dict[str, Any] = {"proxy_url": url, "proxy_auth": proxy.raw_auth, "ssl_context": tls}
    if not is_socks(proxy):
        options["proxy_headers"] = proxy.headers.raw
        options["proxy_ssl_context"] = tls if proxy.url.scheme == "https" else None
    return options


def is_socks(proxy: httpx.Proxy) -> bool:
    """Return whether it is a SOCKS proxy, and not an HTTP proxy."""
    return proxy.url.scheme.startswith("socks5")


def network_stream(response: httpcore.Response) -> object:
    """Return the network stream that a response was read from. A mocked response has none."""
    return response.extensions.get("network_stream")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # untyped by httpcore


class Deadline(float):
    """A timeout in seconds that has begun.

    httpcore passes the timeouts of a request on to its network stream. Ours asks for the time that is left; to other
    streams it is a number.
    """

    ends: float

    def __new__(cls, seconds: float) -> Self:
        """Begin now."""
        self = super().__new__(cls, seconds)
        self.ends = time.monotonic() + seconds
        return self


def seconds_left(timeout: float | None, error: type[Exception]) -> float:
    """Return the seconds that are left before a deadline.

    Args:
        timeout: The Deadline.
        error: The exception to raise when it has passed.
    """
    seconds = timeout.ends - time.monotonic() if isinstance(timeout, Deadline) else timeout or float("inf")
    if seconds <= 0:
        raise error("the deadline has passed")
    return seconds


class Transport(httpx.HTTPTransport):
    """httpx's transport on a pool of ours, as the connections of a Client."""

    def __init__(self) -> None:
        # Not the parent's __init__, which loads the certificates. Its methods use `_pool` and nothing else.
        self._pool = _Pool()  # type: ignore[assignment]  # it has the methods that they call

    def build_request(self, settings: Settings, call: Call[Any], seconds: float) -> httpx.Request:
        """Build the request of a call that may take so many seconds."""
        deadline = Deadline(seconds)
        timeouts = {"connect": deadline, "pool": deadline, "read": deadline, "write": deadline}
        return http.complete_request(settings, call, {"timeout": timeouts})

    def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and read the head of its response."""
        return self.handle_request(request)


class _Pool:
    """Opens connections, and keeps those that can serve another request."""

    def __init__(self) -> None:
        self._idle: IdleConnections[httpcore.ConnectionInterface] = IdleConnections()
        self._is_closed = False

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request, and read the head of its response."""
        origin = request.url.origin
        connection = self._reuse(origin) or _open(origin)
        try:
            response = connection.handle_request(request)
            response.stream = _Body(self, origin, connection, response)
        except BaseException:
            connection.close()
            raise
        return response

    def _reuse(self, origin: httpcore.Origin) -> httpcore.ConnectionInterface | None:
        while (connection := self._idle.pop(origin)) is not None:
            if not connection.has_expired():
                return connection
            connection.close()
        return None

    def release(
        self, origin: httpcore.Origin, connection: httpcore.ConnectionInterface, response: httpcore.Response
    ) -> None:
        """Keep a connection whose response was closed, or close it."""
        stream = network_stream(response)
        is_reusable = isinstance(stream, _Stream) and connection.is_idle() and stream.received.are_exactly(response)
        if self._is_closed or not is_reusable:
            connection.close()
            return
        self._idle.append(origin, connection)
        for surplus in self._idle.pop_surplus(connection):
            surplus.close()

    def close(self) -> None:
        """Close the idle connections now, and every other one after its response."""
        self._is_closed = True
        for connection in self._idle.pop_all():
            connection.close()


def _open(origin: httpcore.Origin) -> httpcore.ConnectionInterface:
    proxy, tls = route(origin)
    if proxy is None:
        return httpcore.HTTPConnection(
            origin, ssl_context=tls, keepalive_expiry=MAX_IDLE_SECONDS, network_backend=_Backend()
        )
    pool = (httpcore.SOCKSProxy if is_socks(proxy) else httpcore.HTTPProxy)(
        **proxy_options(proxy, tls), keepalive_expiry=MAX_IDLE_SECONDS, network_backend=_Backend()
    )
    return _ProxiedConnection(origin, pool.create_connection(origin))


class _ProxiedConnection(httpcore.HTTPConnection):
    """A connection through a proxy.

    Tools that hook httpcore's connections, such as respx, see the request itself, and not only what is sent to the
    proxy.
    """

    def __init__(self, origin: httpcore.Origin, connection: httpcore.ConnectionInterface) -> None:
        super().__init__(origin)
        # The parent's methods use it as if they had opened it.
        self._connection = connection


class _Body:
    """The body of a response, which releases its connection when it is closed."""

    def __init__(
        self,
        pool: _Pool,
        origin: httpcore.Origin,
        connection: httpcore.ConnectionInterface,
        response: httpcore.Response,
    ) -> None:
        self._pool = pool
        self._origin = origin
        self._connection = connection
        self._response = response
        self._stream: Any = response.stream  # It can be closed, which its declared type does not say.

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        try:
            self._stream.close()
            self._pool.release(self._origin, self._connection, self._response)
        except BaseException:
            self._connection.close()
            raise


class _Backend(httpcore.NetworkBackend):
    """Opens connections.

    Of several addresses, each gets a short time first, so that a dead one does not delay the others. Then those that
    did not respond share the time that is left.
    """

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        patience = _SHORT_PATIENCE if len(addresses) > 1 else float("inf")
        while True:
            silent: list[str] = []
            for count, address in enumerate(addresses):
                seconds = seconds_left(timeout, httpcore.ConnectTimeout) / (len(addresses) - count)
                try:
                    return _Stream(
                        self._backend.connect_tcp(address, port, min(seconds, patience), local_address, socket_options)
                    )
                except httpcore.ConnectTimeout as error:
                    failure = error
                    silent.append(address)
                except httpcore.ConnectError as error:
                    failure = error
            if not silent or patience == float("inf"):
                raise failure
            addresses, patience = silent, float("inf")


class _Stream(httpcore.NetworkStream):
    """A connection to a server that is held to the deadline of the request."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream
        self.received = ReceivedBytes()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, seconds_left(timeout, httpcore.ReadTimeout))
        self.received.add(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.received.reset()
        for start in range(0, len(buffer), _MAX_WRITE):
            self._stream.write(buffer[start : start + _MAX_WRITE], seconds_left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        seconds = seconds_left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, seconds))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
