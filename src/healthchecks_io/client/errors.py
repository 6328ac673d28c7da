"""Create the exception for a failed call: choose its class by the status, and add advice to its message."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
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
from healthchecks_io.client.redaction import exception_text, quote, redacted_request, redacted_response, redacted_url
from healthchecks_io.client.response import Failure, Response
from healthchecks_io.client.settings import checked_url

if TYPE_CHECKING:
    from healthchecks_io.client.call import Call
    from healthchecks_io.client.parsers import UnexpectedResponseError
    from healthchecks_io.client.settings import Settings

_STATUS_ERRORS: dict[int, type[HCAPIError]] = {
    400: BadAPIRequestError,
    401: HCAPIAuthError,
    403: HCAPIAuthError,
    404: CheckNotFoundError,
    408: HCAPIUnavailableError,
    429: HCAPIRateLimitError,
}
"""By status code. 5xx raises HCAPIUnavailableError, anything else HCAPIError."""

_HINTS = {
    403: "The check belongs to another project: use the API key of that project.",
    429: "Wait a minute, and try again.",
}

_TRY_LATER = "Try again later."
_WRONG_API_URL = "the API URL is wrong (it must be the root of the management API and end in /api/)"
_API_VERSIONS = {
    2: "the server is older than 2.6 and does not have version 2 of the API (try version 1)",
    3: "the server is older than 2.10 and does not have version 3 of the API (try version 2 or 1)",
}

_BAD_REQUEST = (
    "Likely reasons: the server's ALLOWED_HOSTS setting does not include the host of the {}; the request is too long."
)


_UNKNOWN_UNIQUE = "an item in 'unique' has unexpected value"
"""Part of the server's error text. CheckCreate accepts only known fields, so only ``slug`` can be new to a server."""


def error_of(
    settings: Settings,
    call: Call[Any],
    result: Response | Failure,
    unexpected: UnexpectedResponseError | None = None,
    *,
    api_works: bool = False,
) -> HCAPIError:
    """Create the exception for the result of a call.

    Args:
        settings: The settings of the client.
        call: The call.
        result: The result of its last attempt.
        unexpected: Why a response with an expected status could not be parsed.
        api_works: Whether the management API has responded to the client as expected before.
    """
    if isinstance(result, Failure):
        return _error_of_failure(settings, call, result)
    kind = unexpected.kind if unexpected else _class_of_status(call, result.status_code)
    description = describe(settings, call, result, str(unexpected) if unexpected else "")
    # healthchecks.io may report with status 200 that there is no such check.
    status = 404 if kind is CheckNotFoundError else result.status_code
    message = f"{description}. {_hint(settings, call, result, status, api_works=api_works)}".rstrip()
    response = redacted_response(result, redacted_request(settings, call))
    if issubclass(kind, HCAPIRateLimitError):
        return kind(message, status_code=result.status_code, response=response, retry_after=retry_after(result))
    return kind(message, status_code=result.status_code, response=response)


def _error_of_failure(settings: Settings, call: Call[Any], failure: Failure) -> HCAPIError:
    kind = HCAPIUnavailableError if failure.is_transient else HCAPIError
    error = kind(f"{describe(settings, call, failure)}{_hint_for_failure(call, failure)}")
    if failure.cause is not None and exception_text(settings, failure.cause) == str(failure.cause):
        error.__cause__ = failure.cause
    return error


def _class_of_status(call: Call[Any], status: int) -> type[HCAPIError]:
    if status == 409:
        return call.conflict
    return _STATUS_ERRORS.get(status) or (HCAPIUnavailableError if 500 <= status < 600 else HCAPIError)


def describe(settings: Settings, call: Call[Any], result: Response | Failure, problem: str = "") -> str:
    """Describe a request and its result, for error messages and log messages."""
    request = f"{call.method} {redacted_url(settings, call)}"
    if isinstance(result, Failure):
        outcome = "got no response" if result.is_transient else "failed"
        return f"{request} {outcome}: {result.reason}"
    status = f"{result.status_code} {httpx.codes.get_reason_phrase(result.status_code)}".rstrip()
    text = quote(settings, _error_text(result))
    problem = quote(settings, problem or result.problem)
    return f"{request} returned {status}{f': {text!r}' if text else ''}{f' ({problem})' if problem else ''}"


def _error_text(response: Response) -> str:
    """Return the server's error text: the ``error`` of its JSON, or the whole body."""
    text = response.text().strip()
    if not text.startswith("{"):
        return text
    try:
        error = json.loads(text)["error"]
    except (ValueError, LookupError, RecursionError):
        return ""
    return error if isinstance(error, str) else ""


def retry_after(response: Response) -> float | None:
    """Return how many seconds the server asks to wait, or None if it does not specify that."""
    value = response.headers.get("Retry-After", "")
    try:
        seconds = float(value)
    except ValueError:
        seconds = _seconds_until(value)
    return max(seconds, 0.0) if seconds < float("inf") else None


def _seconds_until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError, IndexError):
        return float("inf")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - datetime.now(timezone.utc)).total_seconds()


# Hints.


def _hint(settings: Settings, call: Call[Any], response: Response, status: int, *, api_works: bool) -> str:
    """Return advice on what to do about an error."""
    if 300 <= status < 400 and "Location" in response.headers:
        return _redirect_hint(settings, call, response)
    if status == 400 and (hint := _hint_for_400(call, response)):
        return hint
    if status == 401 and not call.is_ping:
        return _key_hint(settings, response)
    if status == 429 and (seconds := retry_after(response)) is not None:
        return f"Try again in {seconds:g} s."
    if status == 404:
        reasons = _reasons_for_404(settings, call, api_works=api_works)
        return f"Likely reason{'s' if len(reasons) > 1 else ''}: {'; '.join(reasons)}."
    return call.hints.get(status, _HINTS.get(status, _general_hint(call, status)))


def _general_hint(call: Call[Any], status: int) -> str:
    if status in (400, 409):
        return ""  # The server's error text explains it.
    return (
        _TRY_LATER
        if status >= 500 or status == 408
        else f"Check that the {_url_name(call)} is that of a Healthchecks server."
    )


def _hint_for_failure(call: Call[Any], failure: Failure) -> str:
    if not failure.is_transient:
        return ""
    if "CERTIFICATE_VERIFY_FAILED" in failure.reason:
        return ". If a private authority issued the certificate, set SSL_CERT_FILE to the authority's certificate."
    if isinstance(failure.cause, (httpx.ConnectError, httpx.ConnectTimeout)):
        return f". Check that the {_url_name(call)} is right, and that the server is up."
    return f". {_TRY_LATER}"


def _url_name(call: Call[Any]) -> str:
    return "ping URL" if call.is_ping else "API URL"


def _hint_for_400(call: Call[Any], response: Response) -> str:
    if "<" in response.text():
        return _BAD_REQUEST.format(_url_name(call))
    if _UNKNOWN_UNIQUE in _error_text(response):
        return "Finding a check by its slug (`slug` in `unique`) needs Healthchecks 2.10 or newer."
    return ""


def _key_hint(settings: Settings, response: Response) -> str:
    if not settings.api_key:
        return "There is no API key: set HEALTHCHECKS_API_KEY, or pass an API key."
    if "missing api key" in response.text():
        return "Check the API key. A malformed key, for example a ping key, causes the same error."
    return "Check the API key. A read-only key cannot change anything, and cannot read everything."


def _reasons_for_404(settings: Settings, call: Call[Any], *, api_works: bool) -> list[str]:
    reasons = list(call.not_found)
    if not call.is_ping and not (api_works and reasons):
        reasons.append(_WRONG_API_URL)
        if settings.api_version in _API_VERSIONS:
            reasons.append(_API_VERSIONS[settings.api_version])
    return reasons


def _redirect_hint(settings: Settings, call: Call[Any], response: Response) -> str:
    name, configured = _url_name(call), settings.ping_url if call.is_ping else settings.api_url
    url = call.url(settings)
    path = url.removeprefix(configured).partition("?")[0]
    try:
        target = urljoin(url, response.headers["Location"]).partition("?")[0]
        root = checked_url(name, target.removesuffix(path))
    except ValueError:
        return f"Redirects are not followed, and the target of this one is not a valid URL: check the {name}."
    if target == root + path and root != configured:
        return f"Redirects are not followed: set the {name} to {quote(settings, root)!r}."
    return f"Redirects are not followed: check the {name}, which redirects to {quote(settings, target)!r}."
