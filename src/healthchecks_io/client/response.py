"""The result of one attempt to send a request: a response, or the failure to get one."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

_TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})


class Response:
    """A response, read to its end or to the limit of its call.

    Attributes:
        status_code: The HTTP status.
        headers: The headers.
        body: The body, as far as it was read.
        problem: Why the body was not read to its end, or an empty string.
    """

    __slots__ = ("body", "headers", "problem", "status_code")

    def __init__(self, status_code: int, headers: httpx.Headers, body: bytes, problem: str = "") -> None:
        self.status_code = status_code
        self.headers = headers
        self.body = body
        self.problem = problem

    @property
    def is_transient(self) -> bool:
        """Whether another attempt may succeed."""
        return self.status_code in _TRANSIENT_STATUSES

    @property
    def never_processed(self) -> bool:
        """Whether the server certainly did not process the request."""
        return self.status_code == 429

    @property
    def is_redirect(self) -> bool:
        """Whether the server redirects to another address."""
        return 300 <= self.status_code < 400 and "Location" in self.headers

    @property
    def retry_after(self) -> float | None:
        """The seconds that the server asked to wait, or None."""
        value = self.headers.get("Retry-After", "")
        try:
            wait = float(value)
        except ValueError:
            wait = _seconds_until(value)
        return max(wait, 0.0) if wait < float("inf") else None

    def text(self) -> str:
        """Return the body as text, whatever its encoding."""
        return self.body.decode("utf-8", "replace")

    def error_text(self) -> str:
        """Return the server's error text: the ``error`` of its JSON, or the whole body."""
        text = self.text().strip()
        if not text.startswith("{"):
            return text
        try:
            error = json.loads(text)["error"]
        except (ValueError, LookupError, RecursionError):
            return ""
        return error if isinstance(error, str) else ""


def _seconds_until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError, IndexError):
        return float("inf")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - datetime.now(timezone.utc)).total_seconds()


class Failure:
    """No response: the connection failed, timed out or broke off.

    Attributes:
        reason: What happened, for messages.
        cause: The exception of httpx, if there is one.
        is_transient: Whether another attempt may succeed.
        never_processed: Whether the server certainly did not process the request, because it was never sent.
        retry_after: None: only a server can ask to wait.
    """

    __slots__ = ("cause", "is_transient", "never_processed", "reason")
    retry_after = None

    def __init__(
        self, reason: str, *, cause: Exception | None = None, is_transient: bool = True, never_processed: bool = False
    ) -> None:
        self.reason = reason
        self.cause = cause
        self.is_transient = is_transient
        self.never_processed = never_processed
