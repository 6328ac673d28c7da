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
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import httpcore
import httpx

from healthchecks_io.client import environment, http

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Iterator

    from typing_extensions import Self

    from healthchecks_io.client.call import Call
    from healthchecks_io.client.settings import Settings

# The defaults of httpx.
MAX_IDLE_SECONDS = 5.0
_MAX_IDLE_CONNECTIONS = 20

_MAX_WRITE = 16_384
"""In bytes, per write. The deadline is checked before each write, because the peer may read slowly."""

_SHORT_TIMEOUT = 0.3
"""In seconds. How long to wait for each of several addresses before trying the next one."""

IN_USE = "healthchecks_io.in_use"
"""The extension of a request that names the list of the connections that it uses."""

CALL = "healthchecks_io.call"
"""The extension of a request that names its call."""

_NO_LIMIT = 1e6
"""In seconds. Sockets do not accept an infinite timeout."""

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

    There is no lock. A connection moves to the request that uses it, and back, in a single atomic step: see `move`.
    """

    def __init__(self) -> None:
        # httpcore's Origin is not hashable.
        self._by_origin: dict[tuple[bytes, bytes, int], deque[_Connection]] = {}

    def take(self, origin: httpcore.Origin, in_use: list[_Connection]) -> bool:
        """Move the most recently used connection to a request. Return whether there was one."""
        queue = self._by_origin.get(_key(origin))
        return queue is not None and move(queue.pop, in_use)

    def put(self, origin: httpcore.Origin, in_use: list[_Connection]) -> None:
        """Move the connection of a request back."""
        move(in_use.pop, self._by_origin.setdefault(_key(origin), deque()))

    def take_surplus(self, returned: _Connection, in_use: list[_Connection]) -> bool:
        """Move a connection that has expired or exceeds the limit. Return whether there was one.

        Args:
            returned: The connection that was just moved back, which has not expired.
            in_use: The list to move it to.
        """
        queues = tuple(self._by_origin.values())
        are_too_many = sum(map(len, queues)) > _MAX_IDLE_CONNECTIONS
        for queue in queues:
            # The first connection has been idle longest. Another thread may empty the queue in the meantime.
            with suppress(IndexError):
                if are_too_many or (queue[0] is not returned and queue[0].has_expired()):
                    return move(queue.popleft, in_use)
        return False

    def take_any(self, in_use: list[_Connection]) -> bool:
        """Move any connection. Return whether there was one."""
        return any(move(queue.pop, in_use) for queue in tuple(self._by_origin.values()))


def move(take: Callable[[], _Connection], destination: list[_Connection] | deque[_Connection]) -> bool:
    """Move a connection, and return whether there was one.

    Args:
        take: Removes it from its list or deque.
        destination: The list or deque to append it to.
    """
    try:
        # A single call of a function in C: in a statement such as `destination.append(take())`, a signal handler could
        # raise after take(), and the connection would be lost.
        destination.extend(islice(iter(take, None), 1))
    except IndexError:
        return False
    return True


def _key(origin: httpcore.Origin) -> tuple[bytes, bytes, int]:
    return origin.scheme, origin.host, origin.port


class Routes:
    """The proxies for origins. The environment is read once per origin, because that takes as long as connecting."""

    def __init__(self) -> None:
        self._proxies: dict[tuple[bytes, bytes, int], httpx.Proxy | None] = {}

    def find(self, origin: httpcore.Origin) -> tuple[httpx.Proxy | None, ssl.SSLContext | None]:
        """Return the proxy for an origin, if any, and the TLS context for the connection, if it needs one."""
        key = _key(origin)
        if key not in self._proxies:
            host = origin.host.decode("ascii")
            self._proxies[key] = environment.proxy_for(origin.scheme.decode("ascii"), host, origin.port)
        proxy = self._proxies[key]
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


def in_use_by(request: httpcore.Request) -> list[Any]:
    """Return the list of the connections that a request uses."""
    return request.extensions[IN_USE]  # type: ignore[no-any-return]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # untyped by httpcore


def call_of(request: httpcore.Request) -> Call[Any]:
    """Return the call of a request."""
    return request.extensions[CALL]  # type: ignore[no-any-return]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # untyped by httpcore


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
        timeout: A Deadline, a timeout that starts now, or None for no limit. A tool may send a request of its own.
        error: The exception to raise if the deadline has passed.
    """
    seconds = timeout.ends - time.monotonic() if isinstance(timeout, Deadline) else timeout or _NO_LIMIT
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
        return http.complete_request(settings, call, {"timeout": timeouts, CALL: call})

    def send(self, request: httpx.Request, in_use: list[Any]) -> httpx.Response:
        """Send a request, and read the status and headers of the response."""
        request.extensions[IN_USE] = in_use
        return self.handle_request(request)


class _Pool:
    """Opens connections, and keeps those that can be reused."""

    def __init__(self) -> None:
        self._idle: IdleConnections[httpcore.ConnectionInterface] = IdleConnections()
        self._routes = Routes()
        self._is_closed = False

    def handle_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request, and read the status and headers of the response.

        The connection is in the list that the request names, until it is idle again. The caller closes what it finds
        there after an exception.
        """
        origin = request.url.origin
        in_use: list[httpcore.ConnectionInterface] = in_use_by(request)
        call = call_of(request)
        if self._reuse(origin, in_use):
            call.was_sent = True
        else:
            in_use.append(_open(origin, self._routes, in_use, call))
        response = in_use[-1].handle_request(request)
        del in_use[:-1]
        response.stream = _Body(response.stream, partial(self.release, origin, response, in_use))
        return response

    def _reuse(self, origin: httpcore.Origin, in_use: list[httpcore.ConnectionInterface]) -> bool:
        while self._idle.take(origin, in_use):
            if not in_use[-1].has_expired():
                return True
            in_use[-1].close()
            in_use.pop()
        return False

    def release(
        self, origin: httpcore.Origin, response: httpcore.Response, in_use: list[httpcore.ConnectionInterface]
    ) -> None:
        """Keep a connection whose response was closed, or close it."""
        connection = in_use[-1]
        stream = network_stream(response)
        is_reusable = isinstance(stream, _Stream) and connection.is_idle() and stream.received.are_exactly(response)
        if self._is_closed or not is_reusable:
            connection.close()
            return
        self._idle.put(origin, in_use)
        while self._idle.take_surplus(connection, in_use):
            in_use[-1].close()

    def close(self) -> None:
        """Close the idle connections now, and all others after their responses."""
        self._is_closed = True
        in_use: list[httpcore.ConnectionInterface] = []
        try:
            while self._idle.take_any(in_use):
                in_use[-1].close()
        finally:
            for connection in in_use:
                connection.close()


def _open(origin: httpcore.Origin, routes: Routes, in_use: list[Any], call: Call[Any]) -> httpcore.ConnectionInterface:
    proxy, tls = routes.find(origin)
    backend = _Backend(in_use, call)
    if proxy is None:
        return httpcore.HTTPConnection(
            origin, ssl_context=tls, keepalive_expiry=MAX_IDLE_SECONDS, network_backend=backend
        )
    pool = (httpcore.SOCKSProxy if is_socks(proxy) else httpcore.HTTPProxy)(
        **proxy_options(proxy, tls), keepalive_expiry=MAX_IDLE_SECONDS, network_backend=backend
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

    def __init__(self, stream: Any, release: Callable[[], None]) -> None:
        self._stream = stream  # It can be closed, although httpcore's declared type has no such method.
        self._release = release

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        self._stream.close()
        self._release()


class _Backend(httpcore.NetworkBackend):
    """Opens TCP connections.

    Of several addresses, each gets a short time first, so that a dead one does not delay the others. Then those that
    did not respond share the time that is left.

    Args:
        in_use: The list to which a stream is added: httpcore would not close one that is being opened.
        call: The call for which the connection is opened.
    """

    def __init__(self, in_use: list[Any], call: Call[Any]) -> None:
        self._in_use = in_use
        self._call = call
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
        limit = _SHORT_TIMEOUT if len(addresses) > 1 else float("inf")
        while True:
            timed_out: list[str] = []
            for count, address in enumerate(addresses):
                seconds = seconds_left(timeout, httpcore.ConnectTimeout) / (len(addresses) - count)
                try:
                    connected = self._backend.connect_tcp(
                        address, port, min(seconds, limit), local_address, socket_options
                    )
                except httpcore.ConnectTimeout as error:
                    failure = error
                    timed_out.append(address)
                except httpcore.ConnectError as error:
                    failure = error
                else:
                    stream = _Stream(connected, timeout, self._call)
                    self._in_use.insert(0, stream)
                    return stream
            if not timed_out or limit == float("inf"):
                raise failure
            addresses, limit = timed_out, float("inf")


class _Stream(httpcore.NetworkStream):
    """A network connection that is held to the deadline of the request."""

    def __init__(self, stream: httpcore.NetworkStream, connect_timeout: float | None, call: Call[Any]) -> None:
        self._stream = stream
        self._call = call
        self._connect_timeout = connect_timeout
        self.received = ReceivedBytes()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        # httpcore negotiates with SOCKS proxies without a timeout.
        data = self._stream.read(max_bytes, seconds_left(timeout or self._connect_timeout, httpcore.ReadTimeout))
        self.received.add(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.received.reset()
        self._call.was_sent = True
        for start in range(0, len(buffer), _MAX_WRITE):
            seconds = seconds_left(timeout or self._connect_timeout, httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + _MAX_WRITE], seconds)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        seconds = seconds_left(timeout, httpcore.ConnectTimeout)
        self._stream = self._stream.start_tls(ssl_context, server_hostname, seconds)
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
