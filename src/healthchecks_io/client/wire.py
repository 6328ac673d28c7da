"""Where httpx ends and the library begins: requests, answers and errors of httpx, for both clients.

This module imports httpx, and is imported with the first request.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

import httpcore
import httpx

from healthchecks_io.client.exceptions import HCAPIError
from healthchecks_io.client.outcomes import MAX_QUOTE, Answer, NoAnswer
from healthchecks_io.client.transports import AsyncTransport, Transport

if TYPE_CHECKING:
    import ssl
    from collections.abc import Generator

    from healthchecks_io.client.operation import Operation

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
LOWER_LAYERS = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    httpcore.ConnectionNotAvailable,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What httpx and what it is built on raise, mistakes of theirs included."""

_PERMANENT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


def new_client() -> httpx.Client | Transport:
    """Make our own way to the network. Through a proxy of the environment, it is the one of httpx."""
    if not _has_proxies():
        return Transport(_tls_context)
    tls = _tls_context()
    with _usable_environment():
        return httpx.Client(verify=tls, cookies=_no_cookies(), event_hooks={"response": [_hide_location]})


def new_async_client() -> httpx.AsyncClient | AsyncTransport:
    """Make our own way to the network for asyncio: see new_client."""
    if not _has_proxies():
        return AsyncTransport(_tls_context)
    tls = _tls_context()
    with _usable_environment():
        return httpx.AsyncClient(verify=tls, cookies=_no_cookies(), event_hooks={"response": [_hide_location_async]})


def send(http: httpx.Client | Transport, request: httpx.Request) -> httpx.Response:
    """Send a request, and read the headers of its answer."""
    if isinstance(http, Transport):
        return http.handle_request(request)
    return http.send(request, stream=True, follow_redirects=False)


async def send_async(http: httpx.AsyncClient | AsyncTransport, request: httpx.Request) -> httpx.Response:
    """Send a request, and read the headers of its answer."""
    if isinstance(http, AsyncTransport):
        return await http.handle_async_request(request)
    return await http.send(request, stream=True, follow_redirects=False)


def _has_proxies() -> bool:
    return bool(getproxies().keys() - {"no"})


def _hide_location(response: httpx.Response) -> None:
    # httpx reads the address of a redirect, also where it follows none, and fails on one that is no address.
    if "Location" in response.headers:
        response.extensions["location"] = response.headers.pop("Location")


async def _hide_location_async(response: httpx.Response) -> None:
    _hide_location(response)


@contextmanager
def _usable_environment() -> Generator[None]:
    """Httpx reads proxies and certificates from the environment, and takes offence in many ways."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an HCAPIError
        problem = f"{type(error).__name__}: {error}"
    else:
        return
    raise HCAPIError(f"the proxies or certificates that the environment names cannot be used: {problem[:MAX_QUOTE]}")


def _no_cookies() -> CookieJar:
    # The API has none. What a server sets would only come back with each request, or break it.
    return CookieJar(DefaultCookiePolicy(allowed_domains=[]))


def _tls_context() -> ssl.SSLContext:
    """Give the TLS settings that httpx has by default. To make them takes longer than a ping: clients share them."""
    with _usable_environment():
        return _tls_context_for(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=1)
def _tls_context_for(*_variables_that_httpx_reads: str | None) -> ssl.SSLContext:
    return httpx.create_ssl_context()


def build_request(
    http: httpx.Client | httpx.AsyncClient | Transport | AsyncTransport,
    operation: Operation,
    url: str,
    *,
    api_key: str,
    user_agent: str,
    seconds: float,
    seconds_to_connect: float,
    progress: Progress | None,
) -> httpx.Request:
    """Build a request; with an httpx client, by it, so that what a user has set there acts on it."""
    timeout = {"connect": seconds_to_connect, "pool": seconds_to_connect, "read": seconds, "write": seconds}
    extensions = {"timeout": timeout} if progress is None else {"timeout": timeout, "trace": progress}
    headers = {"Accept-Encoding": "identity"}
    if operation.to_ping_host:
        headers["Content-Type"] = "text/plain"
    elif operation.body:
        headers["Content-Type"] = "application/json"
    if isinstance(http, (Transport, AsyncTransport)):
        return _own_request(operation, url, headers, api_key, user_agent, extensions)
    if http.headers.get("User-Agent", "").startswith("python-httpx/"):
        headers["User-Agent"] = user_agent
    request = http.build_request(
        operation.method, url, headers=headers, content=operation.body or None, extensions=extensions
    )
    if http.params:
        # httpx puts the parameters of the client in the place of ours.
        request.url = httpx.URL(url, params=http.params.merge(httpx.URL(url).params))
    if operation.to_ping_host:
        request.headers.pop("X-Api-Key", None)
    elif api_key:
        request.headers["X-Api-Key"] = api_key
    return request


def _own_request(
    operation: Operation,
    url: str,
    headers: dict[str, str],
    api_key: str,
    user_agent: str,
    extensions: dict[str, Any],
) -> httpx.Request:
    # With a stream, httpx takes the headers as they are, and works nothing out.
    parsed = _parsed(url)
    headers["Host"] = parsed.netloc.decode("ascii")
    headers["Accept"] = "*/*"
    headers["User-Agent"] = user_agent
    if api_key and not operation.to_ping_host:
        headers["X-Api-Key"] = api_key
    if operation.method == "POST":
        headers["Content-Length"] = str(len(operation.body))
    return httpx.Request(
        operation.method, parsed, headers=headers, stream=httpx.ByteStream(operation.body), extensions=extensions
    )


@lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    """Parse a URL, which takes a twentieth of a ping: the same checks are pinged again and again."""
    return httpx.URL(url)


class Progress:
    """How far an attempt has come, as httpcore tells it step by step: the trace extension of a request."""

    def __init__(self) -> None:
        self._steps: set[str] = set()

    async def __call__(self, event: str, _: object) -> None:
        """Take the name of a step, such as ``connection.connect_tcp.started``."""
        self._steps.add(event.partition(".")[0])

    @property
    def is_unsent(self) -> bool:
        """Whether it has come no further than to making a connection."""
        return self._steps == {"connection"}


class Body:
    """The body of an answer while it is read, up to a limit.

    Compressed answers are not read: nobody asked for them, and a few bytes of them may unpack to any number. What an
    event hook of a passed-in client has read already is taken as it is.
    """

    def __init__(self, response: httpx.Response, max_bytes: int) -> None:
        if "location" in response.extensions:
            response.headers["Location"] = response.extensions["location"]
        self._response = response
        self._chunks: list[bytes] = []
        self._max_bytes = self._left = max_bytes
        self._problem = ""
        self._is_read = response.is_stream_consumed or response.is_closed
        if self._is_read:
            self.add(_body_if_read(response))
        elif response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
            self._problem = "the answer is compressed"

    @property
    def is_wanted(self) -> bool:
        """Whether there is a reason to read on."""
        return not (self._problem or self._is_read)

    def add(self, chunk: bytes) -> None:
        """Take what was read."""
        self._chunks.append(chunk[: self._left])
        if len(chunk) > self._left:
            self._problem = f"the answer is longer than {self._max_bytes} bytes"
        self._left -= len(chunk)

    def answer(self) -> Answer:
        """Give the answer, as far as it was read."""
        return Answer(self._response.status_code, self._response.headers, b"".join(self._chunks), self._problem)


def outcome_of(error: Exception, *, shown_request: httpx.Request) -> Answer | NoAnswer:
    """Say what an error means that was raised while a request was sent or its answer was read.

    Args:
        error: What was raised.
        shown_request: The request without keys; it takes the place of the one that the error carries.
    """
    if isinstance(error, httpx.HTTPStatusError):
        # By an event hook of a passed-in client, which called raise_for_status().
        return Answer(error.response.status_code, error.response.headers, _body_if_read(error.response))
    if isinstance(error, httpx.RequestError):
        error.request = shown_request
    _forget_frames(error)
    return NoAnswer(
        "timed out" if isinstance(error, httpx.TimeoutException) else f"{type(error).__name__}: {error}",
        cause=error,
        may_pass=isinstance(error, (httpx.TransportError, OSError)) and not isinstance(error, _PERMANENT),
        is_unsent=isinstance(error, _UNSENT),
    )


def _forget_frames(error: BaseException) -> None:
    """Leave out where in httpx and below an error was raised: there, variables hold the keys, and the connection."""
    each: BaseException | None = error
    while each is not None and each.__traceback__ is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__


def _body_if_read(response: httpx.Response) -> bytes:
    try:
        return response.content
    except httpx.ResponseNotRead:
        return b""


def shown_response(answer: Answer, request: httpx.Request) -> httpx.Response:
    """Make the response that an error carries: with what was read of the body, and a request without keys."""
    headers = [
        (name, value)
        for name, value in answer.headers.raw
        if name.lower() not in (b"content-encoding", b"content-length", b"transfer-encoding")
    ]
    response = httpx.Response(answer.status_code, headers=headers, content=answer.body, request=request)
    try:
        response.text  # noqa: B018 - reading it is what fails with charsets such as rot13
    except Exception:  # noqa: BLE001 - a codec may raise anything
        response.encoding = "utf-8"
    return response
