"""Keep keys out of messages and exceptions: texts, URLs, requests and responses are redacted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from healthchecks_io.client.call import Call
    from healthchecks_io.client.response import Response
    from healthchecks_io.client.settings import Settings

MAX_QUOTE = 200
"""In characters. How much of a response a message quotes at most."""

_MIN_UNAMBIGUOUS_KEY = 16
"""In characters. Shorter keys, such as those in tests, may be part of ordinary words."""


def redact(settings: Settings, text: str) -> str:
    """Redact the client's keys in a text."""
    # Start with the longer key, because it may contain the other.
    for key in sorted((settings.api_key, settings.ping_key), key=len, reverse=True):
        if key:
            # In JSON and in a repr, quotes and backslashes are escaped with a backslash.
            pattern = "".join(rf"\\?{re.escape(character)}" for character in key)
            is_unambiguous = len(key) >= _MIN_UNAMBIGUOUS_KEY
            text = re.sub(pattern if is_unambiguous else rf"(?<![\w-]){pattern}(?![\w-])", "***", text)
    return text


def quote(settings: Settings, text: str) -> str:
    """Return text from a server for a message: redacted and truncated, or empty if it is HTML or binary."""
    is_quotable = re.search("<[a-zA-Z!/?]|\ufffd", text) is None
    return redact(settings, text)[:MAX_QUOTE] if is_quotable else ""


def exception_text(settings: Settings, error: Exception) -> str:
    """Return the text of an exception for a message. For a malformed response, it quotes the server."""
    if isinstance(error, httpx.RemoteProtocolError):
        return quote(settings, str(error))
    return redact(settings, str(error))


def redacted_url(settings: Settings, call: Call[Any]) -> str:
    """Return the URL of a call without keys."""
    scheme, _, rest = call.url(settings, redacted=True).partition("://")
    host, _, path = rest.partition("/")
    return f"{scheme}://{host}/{redact(settings, path)}"


def redacted_request(settings: Settings, call: Call[Any]) -> httpx.Request:
    """Return the request of a call without its keys and body, to attach it to an exception."""
    return httpx.Request(call.method, redacted_url(settings, call))


def redacted_response(response: Response, request: httpx.Request) -> httpx.Response:
    """Return a response to attach to an exception, with a redacted request."""
    headers = [
        (name, value)
        for name, value in response.headers.raw
        if name.lower() not in (b"content-encoding", b"content-length", b"transfer-encoding")
    ]
    redacted = httpx.Response(response.status_code, headers=headers, content=response.body, request=request)
    try:
        redacted.text  # noqa: B018 - reading the text fails for charsets such as rot13
    except Exception as error:  # noqa: BLE001 - a codec may raise anything
        from healthchecks_io.client.tracebacks import raise_if_from_signal_handler

        raise_if_from_signal_handler(error)
        redacted.encoding = "utf-8"
    return redacted
