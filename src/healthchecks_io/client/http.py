"""The boundary to httpx: build httpx requests from calls, and results from httpx responses and exceptions.

This module is imported by the first request of a client.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from healthchecks_io.client import redaction
from healthchecks_io.client.response import Failure, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from healthchecks_io.client.call import Call
    from healthchecks_io.client.settings import Settings

_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_PERMANENT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)

SHARE_TO_CONNECT = 0.9
"""The share of an async attempt's time after which connecting times out, so that the error names the cause."""


class Connections(Protocol):
    """Sends the requests of a Client: its own Transport, or a passed-in httpx client."""

    def build_request(self, settings: Settings, call: Call[Any], seconds: float) -> httpx.Request:
        """Build the request for a call, with a timeout in seconds."""
        ...

    def send(self, request: httpx.Request, in_use: list[Any]) -> httpx.Response:
        """Send a request, and read the status and headers of the response.

        Args:
            request: The request.
            in_use: Receives the connection while it is in use. The caller must close what is left in it at the end.
        """
        ...

    def close(self) -> None:
        """Close all connections."""
        ...


class AsyncConnections(Protocol):
    """Sends the requests of an AsyncClient: its own AsyncTransport, or a passed-in httpx client."""

    def build_request(
        self, settings: Settings, call: Call[Any], seconds: float, progress: Progress | None
    ) -> httpx.Request:
        """Build the request for a call, with a timeout in seconds."""
        ...

    async def send(self, request: httpx.Request, in_use: list[Any]) -> httpx.Response:
        """Send a request, and read the status and headers of the response.

        Args:
            request: The request.
            in_use: Receives the connection while it is in use. The caller must close what is left in it at the end.
        """
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


class PassedInClient:
    """Sends the requests of a Client through a passed-in httpx client."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def build_request(self, settings: Settings, call: Call[Any], seconds: float) -> httpx.Request:
        """Build the request for a call, including what the httpx client is configured to add."""
        timeouts = {"connect": seconds, "pool": seconds, "read": seconds, "write": seconds}
        return _merged_request(self._client, settings, call, {"timeout": timeouts})

    def send(self, request: httpx.Request, in_use: list[Any]) -> httpx.Response:  # noqa: ARG002 - httpx has its own
        """Send a request, and read the status and headers of the response."""
        return self._client.send(request, stream=True, follow_redirects=False)

    def close(self) -> None:
        """Close the httpx client."""
        self._client.close()


class PassedInAsyncClient:
    """Sends the requests of an AsyncClient through a passed-in httpx client."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    def build_request(
        self, settings: Settings, call: Call[Any], seconds: float, progress: Progress | None
    ) -> httpx.Request:
        """Build the request for a call, including what the httpx client is configured to add."""
        to_connect = seconds * SHARE_TO_CONNECT
        extensions: dict[str, Any] = {
            "timeout": {"connect": to_connect, "pool": to_connect, "read": seconds, "write": seconds}
        }
        if progress is not None:
            extensions["trace"] = progress
        return _merged_request(self._client, settings, call, extensions)

    async def send(self, request: httpx.Request, in_use: list[Any]) -> httpx.Response:  # noqa: ARG002 - httpx has its own
        """Send a request, and read the status and headers of the response."""
        return await self._client.send(request, stream=True, follow_redirects=False)

    async def aclose(self) -> None:
        """Close the httpx client."""
        await self._client.aclose()


# Requests.


def complete_request(settings: Settings, call: Call[Any], extensions: dict[str, Any]) -> httpx.Request:
    """Build a request with all its headers. httpx adds none to a request with a stream."""
    url = _parsed(call.url(settings))
    headers = {
        "Host": url.netloc.decode("ascii"),
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "User-Agent": settings.user_agent,
        **_content_type(call),
    }
    if settings.api_key and not call.is_ping:
        headers["X-Api-Key"] = settings.api_key
    if call.method == "POST":
        headers["Content-Length"] = str(len(call.body))
    stream = httpx.ByteStream(call.body) if call.body else _NO_BODY
    return httpx.Request(call.method, url, headers=headers, stream=stream, extensions=extensions)


def _content_type(call: Call[Any]) -> dict[str, str]:
    if call.is_ping:
        return {"Content-Type": "text/plain"}
    return {"Content-Type": "application/json"} if call.body else {}


@lru_cache(maxsize=256)
def _parsed(url: str) -> httpx.URL:
    """Parse a URL. Cached, because parsing takes 5% of a ping and the same checks are pinged again and again."""
    return httpx.URL(url)


def _merged_request(
    client: httpx.Client | httpx.AsyncClient, settings: Settings, call: Call[Any], extensions: dict[str, Any]
) -> httpx.Request:
    """Build a request with a passed-in httpx client, which adds its own headers, cookies and parameters."""
    headers = {"Accept-Encoding": "identity", **_content_type(call)}
    if client.headers.get("User-Agent", "").startswith("python-httpx/"):
        headers["User-Agent"] = settings.user_agent
    url = call.url(settings)
    request = client.build_request(call.method, url, headers=headers, content=call.body or None, extensions=extensions)
    if client.params:
        # httpx has replaced the query with the parameters of the httpx client. Merge them instead.
        request.url = httpx.URL(url, params=client.params.merge(httpx.URL(url).params))
    if call.is_ping:
        request.headers.pop("X-Api-Key", None)
    elif settings.api_key:
        request.headers["X-Api-Key"] = settings.api_key
    return request


class _NoBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """An empty body. httpx's own contains one empty chunk, and sending that through h11 takes 3% of a ping."""

    def __iter__(self) -> Iterator[bytes]:
        yield from ()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        no_chunks: tuple[bytes, ...] = ()
        for chunk in no_chunks:
            yield chunk


class Progress:
    """Tracks how far an attempt got, as a callback for httpcore's ``trace`` extension."""

    def __init__(self) -> None:
        self._steps: set[str] = set()

    async def __call__(self, event: str, _: object) -> None:
        """Record an event, such as ``connection.connect_tcp.started``."""
        self._steps.add(event.partition(".")[0])

    @property
    def never_sent(self) -> bool:
        """Whether the attempt got no further than opening a connection."""
        return self._steps == {"connection"}


_NO_BODY = _NoBody()


# Responses.


class BodyReader:
    """Collects the body of a response, up to a limit.

    Compressed bodies are not read: no request asks for compression, and a few bytes could expand to gigabytes. If an
    event hook of a passed-in httpx client has already read the body, it is used as is.
    """

    def __init__(self, response: httpx.Response, max_bytes: int) -> None:
        self._response = response
        self._chunks: list[bytes] = []
        self._max_bytes = self._left = max_bytes
        self._problem = ""
        self._is_read = response.is_stream_consumed or response.is_closed
        if self._is_read:
            self.add(_body_if_read(response))
        elif response.headers.get("Content-Encoding", "identity").lower() not in ("identity", ""):
            self._problem = "the response is compressed"

    def wants_more(self) -> bool:
        """Whether to read another chunk."""
        return not (self._problem or self._is_read)

    def add(self, chunk: bytes) -> None:
        """Add a chunk."""
        self._chunks.append(chunk[: self._left])
        if len(chunk) > self._left:
            self._problem = f"the response is longer than {self._max_bytes} bytes"
        self._left -= len(chunk)

    def result(self) -> Response:
        """Return the response, with the part of the body that was read."""
        return Response(self._response.status_code, self._response.headers, b"".join(self._chunks), self._problem)


def result_of(
    error: Exception,
    settings: Settings,
    call: Call[Any],
    *,
    handled: BaseException | None,
    calls_user_code: bool,
) -> Response | Failure:
    """Return the result of an attempt that raised an exception.

    Args:
        error: The exception.
        settings: The settings of the client.
        call: The call.
        handled: The exception that was being handled when the attempt began.
        calls_user_code: Whether the attempt was made with a passed-in httpx client, which may call the user's code.

    Raises:
        Exception: Other code, such as a signal handler, raised the exception.
    """
    from healthchecks_io.client.tracebacks import find_foreign, hide_lower_frames

    foreign = find_foreign(error, handled=handled, calls_user_code=calls_user_code)
    if foreign is not None:
        raise foreign
    if isinstance(error, httpx.HTTPStatusError):
        # An event hook of the passed-in httpx client called raise_for_status().
        return Response(error.response.status_code, error.response.headers, _body_if_read(error.response))
    if isinstance(error, httpx.RequestError):
        error.request = redaction.redacted_request(settings, call)  # The original request contains keys.
    hide_lower_frames(error, handled)
    text = redaction.exception_text(settings, error)
    if isinstance(error, httpx.TimeoutException):
        # A tool that mocks httpx explains in the text why it does not respond.
        reason = "timed out" if text in ("", "timed out") else f"timed out: {text}"
    else:
        reason = f"{type(error).__name__}: {text}"
    return Failure(
        reason,
        cause=error,
        is_transient=isinstance(error, (httpx.TransportError, OSError)) and not isinstance(error, _PERMANENT),
        never_processed=isinstance(error, _NEVER_SENT),
    )


def _body_if_read(response: httpx.Response) -> bytes:
    try:
        return response.content
    except httpx.ResponseNotRead:
        return b""
