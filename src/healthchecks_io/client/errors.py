"""The exceptions of a call: which status is which class, what the message says, what to do, and what is redacted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import httpx

from healthchecks_io.client.exceptions import (
    BadAPIRequestError,
    CheckNotFoundError,
    HCAPIAuthError,
    HCAPIError,
    HCAPIRateLimitError,
    HCAPIUnavailableError,
)
from healthchecks_io.client.response import Failure, Response
from healthchecks_io.client.settings import checked_url

if TYPE_CHECKING:
    from healthchecks_io.client.call import Call
    from healthchecks_io.client.settings import Settings

_STATUS_ERRORS: dict[int, type[HCAPIError]] = {
    400: BadAPIRequestError,
    401: HCAPIAuthError,
    403: HCAPIAuthError,
    404: CheckNotFoundError,
    408: HCAPIUnavailableError,
    429: HCAPIRateLimitError,
}
"""Classes of statuses, unless a call defines others. 5xx is HCAPIUnavailableError, everything else HCAPIError."""

_HINTS = {
    401: "Check the API key: a read-only key can read, but not everything.",
    403: "The check belongs to another project: use the API key of that project.",
    404: "There is no such check (pass its UUID or unique key, not its slug), or the api_url is wrong.",
}

MAX_QUOTE = 200
"""Characters of a server's text that a message quotes."""

_MIN_UNAMBIGUOUS_KEY = 16
"""Shorter keys, as in tests, can be part of ordinary words."""


def class_of_status(call: Call[Any], status: int) -> type[HCAPIError]:
    """Return the exception class of a status that the call does not expect."""
    return (
        call.errors.get(status)
        or _STATUS_ERRORS.get(status)
        or (HCAPIUnavailableError if 500 <= status < 600 else HCAPIError)
    )


def from_failure(settings: Settings, call: Call[Any], failure: Failure) -> HCAPIError:
    """Create the exception for a call that got no response."""
    kind = HCAPIUnavailableError if failure.is_transient else HCAPIError
    error = kind(describe(settings, call, failure))
    cause_text = str(failure.cause)
    if quote(settings, cause_text) == cause_text:
        error.__cause__ = failure.cause
    return error


def from_response(
    settings: Settings, call: Call[Any], response: Response, kind: type[HCAPIError], problem: str = ""
) -> HCAPIError:
    """Create the exception for a response that is an error.

    Args:
        settings: The settings of the client.
        call: The call.
        response: Its response.
        kind: The class of the exception.
        problem: What is wrong with the response, if its status does not tell.
    """
    message = f"{describe(settings, call, response, problem)}. {_hint(settings, call, response)}".rstrip()
    redacted = redacted_response(response, redacted_request(settings, call))
    if issubclass(kind, HCAPIRateLimitError):
        return kind(message, status_code=response.status_code, response=redacted, retry_after=response.retry_after)
    return kind(message, status_code=response.status_code, response=redacted)


def describe(settings: Settings, call: Call[Any], result: Response | Failure, problem: str = "") -> str:
    """Describe a request and its result, for messages and the log."""
    request = f"{call.name}: {call.method} {redacted_url(settings, call)}"
    if isinstance(result, Failure):
        return f"{request} {'got no response' if result.is_transient else 'failed'}: {quote(settings, result.reason)}"
    status = f"{result.status_code} {httpx.codes.get_reason_phrase(result.status_code)}".rstrip()
    text = quote(settings, result.error_text())
    problem = quote(settings, problem or result.problem)
    return f"{request} returned {status}{f': {text!r}' if text else ''}{f' ({problem})' if problem else ''}"


# Hints.


def _hint(settings: Settings, call: Call[Any], response: Response) -> str:
    """Return advice on what to do about an error."""
    status = response.status_code
    if response.is_redirect:
        return _redirect_hint(settings, call, response)
    if status in call.hints:
        return call.hints[status]
    if status == 401 and not settings.api_key:
        return "The client has no API key: pass api_key, or set HEALTHCHECKS_API_KEY."
    if status == 429 and response.retry_after is not None:
        return f"Try again in {response.retry_after:g} s."
    return _HINTS.get(status, "")


def _redirect_hint(settings: Settings, call: Call[Any], response: Response) -> str:
    setting, configured = ("ping_url", settings.ping_url) if call.is_ping else ("api_url", settings.api_url)
    path = call.url.removeprefix(configured).partition("?")[0]
    try:
        target = urljoin(call.url, response.headers["Location"]).partition("?")[0]
        root = checked_url(setting, target.removesuffix(path))
    except ValueError:
        return f"Redirects are not followed, and the target of this one is not a valid address: check {setting}."
    if target == root + path and root != configured:
        return f"Redirects are not followed: set {setting}={quote(settings, root)!r}."
    return f"Redirects are not followed: check {setting}, it redirects to {quote(settings, target)!r}."


# Redaction.


def redact(settings: Settings, text: str) -> str:
    """Replace the client's keys in a text."""
    # The longer key first: one may be part of the other.
    for key in sorted((settings.api_key, settings.ping_key), key=len, reverse=True):
        if key:
            # In JSON and in a repr, a backslash may precede quotes and backslashes.
            pattern = "".join(rf"\\?{re.escape(character)}" for character in key)
            is_unambiguous = len(key) >= _MIN_UNAMBIGUOUS_KEY
            text = re.sub(pattern if is_unambiguous else rf"(?<![\w-]){pattern}(?![\w-])", "***", text)
    return text


def quote(settings: Settings, text: str) -> str:
    """Return a server's text for use in a message: redacted and shortened, or nothing if it is HTML or binary."""
    is_quotable = re.search("<[a-zA-Z!/?]|\ufffd", text) is None
    return redact(settings, text)[:MAX_QUOTE] if is_quotable else ""


def redacted_url(settings: Settings, call: Call[Any]) -> str:
    """Return the URL of a call without keys."""
    scheme, _, rest = call.url.partition("://")
    host, _, path = rest.partition("/")
    return f"{scheme}://{host}/{redact(settings, path)}"


def redacted_request(settings: Settings, call: Call[Any]) -> httpx.Request:
    """Return the request of a call as exceptions carry it: without keys and body."""
    return httpx.Request(call.method, redacted_url(settings, call))


def redacted_response(response: Response, request: httpx.Request) -> httpx.Response:
    """Return a response as exceptions carry it: with the body as far as it was read, and a redacted request."""
    headers = [
        (name, value)
        for name, value in response.headers.raw
        if name.lower() not in (b"content-encoding", b"content-length", b"transfer-encoding")
    ]
    redacted = httpx.Response(response.status_code, headers=headers, content=response.body, request=request)
    try:
        redacted.text  # noqa: B018 - reading the text fails with charsets such as rot13
    except Exception:  # noqa: BLE001 - a codec may raise anything
        redacted.encoding = "utf-8"
    return redacted
