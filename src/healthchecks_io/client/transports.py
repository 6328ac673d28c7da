"""The network connections of Client, and the code that they share with the connections of AsyncClient.

The transports are httpx's, with a connection pool of our own:

* httpx limits the time of each network operation, but not of the whole attempt. A server that sends its headers byte by
  byte, or endless interim responses, could hold up a call forever.
* httpcore's pool holds a lock while it assigns connections. A signal handler that raises an exception could leave it
  locked forever.

Nothing else is replaced, so tools that hook httpx's transports or httpcore's connections see every request.

The network stream holds all operations of an attempt to one deadline, except name resolution, which cannot be
interrupted.
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

# The defaults of httpx.
MAX_IDLE_SECONDS = 5.0
_MAX_IDLE_CONNECTIONS = 20

_MAX_WRITE = 16_384
"""In bytes, per write. The deadline is checked before each write, because the peer may read slowly."""

_SHORT_PATIENCE = 0.3
"""In seconds. How long to wait for each of several addresses before trying the next one."""

_END_OF_HEAD = re.compile(rb"\n\r?\n")
_MAX_HEAD = 102_400
"""In bytes. The limit of httpcore."""


class ReceivedBytes:
    """Counts the bytes received after a request, to prove that they are one response and nothing else."""

    __slots__ = ("_count", "_head", "_head_length")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start over, for the next request."""
        self._head = b""
        self._head_length = 0
        self._count = 0

    def add(self, data: bytes) -> None:
        """Count received bytes."""
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
        """Return whether only this response was received: one head, and as many bytes as its Content-Length says."""
        lengths = [value for name, value in response.headers if name.lower() == b"content-length"]
        if len(lengths) != 1 or not lengths[0].isdigit():
            return False
        return self._head_length > 0 and self._count == self._head_length + int(lengths[0])


_Connection = TypeVar("_Connection", httpcore.ConnectionInterface, httpcore.AsyncConnectionInterface)


class IdleConnections(Generic[_Connection]):
    """Idle connections by origin.

    There is no lock. Each operation on a deque is atomic, so threads, signal handlers and their exceptions may come
    between any two of them.
    """

    def __init__(self) -> None:
        # httpcore's Origin is not hashable.
        self._by_origin: dict[tuple[bytes, bytes, int], deque[_Connection]] = {}

    def pop(self, origin: httpcore.Origin) -> _Connection | None:
        """Remove and return the most recently used connection, or None if there is none."""
        try:
            return self._by_origin[_key(origin)].pop()
        except LookupError:
            return None

    def append(self, origin: httpcore.Origin, connection: _Connection) -> None:
        """Add a connection that has become idle."""
        self._by_origin.setdefault(_key(origin), deque()).append(connection)

    def pop_surplus(self, returned: _Connection) -> Iterator[_Connection]:
        """Remove and yield connections that have expired or exceed the limit, except the one just returned."""
        queues = tuple(self._by_origin.values())
        surplus = sum(map(len, queues)) - _MAX_IDLE_CONNECTIONS
        for queue in queues:
            # The first connection has been idle longest. Another thread may empty the queue in the meantime.
            with suppress(IndexError):
                while surplus > 0 or (queue[0] is not returned and queue[0].has_expired()):
                    yield queue.popleft()
                    surplus -= 1

    def pop_all(self) -> Iterator[_Connection]:
        """Remove and yield all connections."""
        for queue in tuple(self._by_origin.values()):
            with suppress(IndexError):
                while True:
                    yield queue.pop()


def _key(origin: httpcore.Origin) -> tuple[bytes, bytes, int]:
    return origin.scheme, origin.host, origin.port


def route(origin: httpcore.Origin) -> tuple[httpx.Proxy | None, ssl.SSLContext | None]:
    """Return the proxy for an origin, if any, and the TLS context for the connection, if it needs one."""
    proxy = environment.proxy_for(origin.scheme.decode("ascii"), origin.host.decode("ascii"), origin.port)
    is_tls = origin.scheme == b"https" or (proxy is not None and proxy.url.scheme == "https")
    return proxy, environment.tls_context() if is_tls else None


def proxy_options(proxy: httpx.Proxy, tls: ssl.SSLContext | None) -> dict[str, Any]:
    """Return the arguments that make httpcore connect through a proxy."""
    url = httpcore.URL(
        scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=proxy.url.raw_path
    )
    options: dict[str, Any] = {"proxy_url": url, "proxy_auth": proxy.raw_auth, "ssl_context": tls}
    if not is_socks(proxy):
        options["proxy_headers"] = proxy.headers.raw
        options["proxy_ssl_context"] = tls if proxy.url.scheme == "https" else None
    return options


def is_socks(proxy: httpx.Proxy) -> bool:
    """Return whether a proxy is a SOCKS proxy rather than an HTTP proxy."""
    return proxy.url.scheme.startswith("socks5")


def network_stream(response: httpcore.Response) -> object:
    """Return the network stream that a response was read from. A mocked response has none."""
    return response.extensions.get("network_stream")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # untyped by httpcore


class Deadline(float):
    """A timeout in seconds that starts when it is created.

    httpcore passes the timeouts of a request on to its network stream. Our streams use the time that is left. To other
    streams, a deadline is an ordinary number.
    """

    ends: float

    def __new__(cls, seconds: float) -> Self:
        """Start the timeout."""
        self = super().__new__(cls, seconds)
        self.ends = time.monotonic() + seconds
        return self


def seconds_left(timeout: float | None, error: type[Exception]) -> float:
    """Return how many seconds are left.

    Args:
        timeout: A Deadline, a timeout that starts now, or None for no limit.
        error: The exception to raise if the deadline has passed.
    """
    seconds = timeout.ends - time.monotonic() if isinstance(timeout, Deadline) else timeout or float("inf")
    if seconds <= 0:
        raise error("the deadline has passed")
    return seconds


class Transport(httpx.HTTPTransport):
    """The connections of a Client: httpx's transport with a pool of our own."""

    def __init__(self) -> None:
        # Do not call the parent's __init__, which loads the certificates. Its methods need only `_pool`.
        self._pool = _Pool()  # type: ignore[assignment]  # it has the methods that the parent calls

    def build_request(self, settings: Settings, call: Call[Any], seconds: float) -> httpx.Request:
        """Build the request for a call, with a timeout in seconds."""
        deadline = Deadline(seconds)
        timeouts = {"connect": deadline, "pool": deadline, "read": deadline, "write": deadline}
        return http.complete_request(settings, call, {"timeout": timeouts})

    def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and read the status and headers of the response."""
        return self.handle_request(request)


class _Pool:
    """Opens connections, and keeps those that can be reused."""

    def __init__(self) -> None:
        self._idle: IdleConnections[httpcore.ConnectionInterface] = IdleConnections()
        self._is_closed = False

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request, and read the status and headers of the response."""
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
        """Keep a connection for reuse if possible, or close it, after its response was closed."""
        stream = network_stream(response)
        is_reusable = isinstance(stream, _Stream) and connection.is_idle() and stream.received.are_exactly(response)
        if self._is_closed or not is_reusable:
            connection.close()
            return
        self._idle.append(origin, connection)
        for surplus in self._idle.pop_surplus(connection):
            surplus.close()

    def close(self) -> None:
        """Close the idle connections now, and all others after their responses."""
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

    It lets tools that hook httpcore's connections, such as respx, see the actual request, and not only what is sent to
    the proxy.
    """

    def __init__(self, origin: httpcore.Origin, connection: httpcore.ConnectionInterface) -> None:
        super().__init__(origin)
        # The parent's methods use this connection as if they had opened it.
        self._connection = connection


class _Body:
    """The body of a response. Closing it releases the connection."""

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
        self._stream: Any = response.stream  # It has a close method that its type lacks.

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
    """Opens TCP connections.

    If a host has several addresses, each is first tried for a short time only, so that an unreachable one does not
    delay the others. Then the addresses that did not respond are tried again, and share the time that is left.
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
    """A network connection that is held to the deadline of the request."""

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
