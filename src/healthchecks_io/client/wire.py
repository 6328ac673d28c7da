"""Where httpx ends and the library begins: requests, answers and errors of httpx, for both clients.

This module imports httpx, and is imported with the first request.
"""

from __future__ import annotations

import os
from functools import lru_cache
from typing import TYPE_CHECKING

import httpx

from healthchecks_io.client.outcomes import Answer, NoAnswer

if TYPE_CHECKING:
    import ssl

    from healthchecks_io.client.operation import Operation

ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError, OSError, UnicodeError)
"""What httpx and what lies below it may raise."""

_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_PERMANENT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


def tls_context() -> ssl.SSLContext:
    """Give the TLS settings that httpx has by default. To make them takes longer than a ping: clients share them."""
    return _tls_context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=1)
def _tls_context(*_variables_that_httpx_reads: str | None) -> ssl.SSLContext:
    return httpx.create_ssl_context()


def build_request(
    http: httpx.Client | httpx.AsyncClient,
    operation: Operation,
    url: str,
    *,
    api_key: str,
    user_agent: str,
    timeout: float,
) -> httpx.Request:
    """Build a request with the httpx client, so that what a user has set there acts on it."""
    headers = {"Accept-Encoding": "identity"}
    if http.headers.get("User-Agent", "").startswith("python-httpx/"):
        headers["User-Agent"] = user_agent
    if operation.to_ping_host:
        headers["Content-Type"] = "text/plain"
    elif operation.body:
        headers["Content-Type"] = "application/json"
    request = http.build_request(
        operation.method, url, headers=headers, content=operation.body or None, timeout=timeout
    )
    if operation.to_ping_host:
        request.headers.pop("X-Api-Key", None)
    elif api_key:
        request.headers["X-Api-Key"] = api_key
    return request


class Body:
    """The body of an answer while it is read, up to a limit.

    Compressed answers are not read: nobody asked for them, and a few bytes of them may unpack to any number.
    """

    def __init__(self, response: httpx.Response, max_bytes: int) -> None:
        self._response = response
        self._chunks: list[bytes] = []
        self._left = max_bytes
        encoding = response.headers.get("Content-Encoding", "identity")
        self._problem = "" if encoding.lower() in ("identity", "") else "the answer is compressed"
        self._too_long = f"the answer is longer than {max_bytes} bytes"

    @property
    def is_wanted(self) -> bool:
        """Whether there is a reason to read on."""
        return not self._problem

    def add(self, chunk: bytes) -> None:
        """Take what was read."""
        self._chunks.append(chunk[: self._left])
        if len(chunk) > self._left:
            self._problem = self._too_long
        self._left -= len(chunk)

    def answer(self) -> Answer:
        """Give the answer, as far as it was read."""
        return Answer(self._response.status_code, self._response.headers, b"".join(self._chunks), self._problem)


def outcome_of(error: Exception, *, shown_request: httpx.Request) -> Answer | NoAnswer:
    """Say what an error of the lower layers means.

    Args:
        error: What was raised.
        shown_request: The request without keys; it takes the place of the one that the error carries.
    """
    if isinstance(error, httpx.HTTPStatusError):
        return _answer_of_hook(error.response)
    if isinstance(error, httpx.RequestError):
        error.request = shown_request
    kind = "timed out" if isinstance(error, httpx.TimeoutException) else type(error).__name__
    return NoAnswer(
        f"{kind}: {error}".removesuffix(": "),
        cause=error,
        may_pass=not isinstance(error, _PERMANENT) and isinstance(error, (httpx.TransportError, OSError)),
        is_unsent=isinstance(error, _UNSENT),
    )


def _answer_of_hook(response: httpx.Response) -> Answer:
    """Take the answer on which an event hook of a passed-in client called raise_for_status()."""
    try:
        body = response.content
    except httpx.ResponseNotRead:
        body = b""
    return Answer(response.status_code, response.headers, body)


def shown_response(answer: Answer, request: httpx.Request) -> httpx.Response:
    """Make the response that an error carries: with what was read of the body, and a request without keys."""
    headers = [
        (name, value)
        for name, value in answer.headers.raw
        if name.lower() not in (b"content-encoding", b"content-length", b"transfer-encoding")
    ]
    return httpx.Response(answer.status_code, headers=headers, content=answer.body, request=request)
