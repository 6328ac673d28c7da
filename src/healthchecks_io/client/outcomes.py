"""What became of an attempt: an answer or none, and what it means."""

from __future__ import annotations

from healthchecks_io.client.exceptions import (
    BadAPIRequestError,
    CheckNotFoundError,
    HCAPIAuthError,
    HCAPIError,
    HCAPIRateLimitError,
    HCAPIUnavailableError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    import httpx

    from healthchecks_io.client.operation import Operation

_STATUS_ERRORS: dict[int, type[HCAPIError]] = {
    400: BadAPIRequestError,
    401: HCAPIAuthError,
    403: HCAPIAuthError,
    404: CheckNotFoundError,
    408: HCAPIUnavailableError,
    429: HCAPIRateLimitError,
}
"""What a status means, unless an operation says otherwise. 5xx is HCAPIUnavailableError, the rest HCAPIError."""

_PING_TEXT_ERRORS: dict[str, type[HCAPIError]] = {
    "not found": CheckNotFoundError,
    "rate limited": HCAPIRateLimitError,
    "rate-limited": HCAPIRateLimitError,
}
"""What a text in the answer to a ping means, although the status is 200: the hosted service answers so."""

MAX_QUOTE = 200
"""Characters of a server's text in a message."""


def error_of(operation: Operation, answer: Answer) -> type[HCAPIError] | None:
    """Say which error an answer is, or None for a documented answer."""
    status = answer.status_code
    if status not in operation.statuses:
        error = operation.errors.get(status, _STATUS_ERRORS.get(status))
        return error or (HCAPIUnavailableError if 500 <= status < 600 else HCAPIError)
    if answer.problem and status < 500:
        return HCAPIError
    text = answer.text().lower() if operation.to_ping_host else ""
    return next((error for said, error in _PING_TEXT_ERRORS.items() if said in text), None)


def is_quotable(text: str) -> bool:
    """Whether a text can stand in a message: it is no HTML, and nothing binary."""
    import re

    return re.search("<[a-zA-Z!/?]|\ufffd", text) is None


class Answer:
    """An answer, read to its end or to the limit.

    Attributes:
        status_code: The HTTP status.
        headers: The headers.
        body: What was read of the body.
        problem: Why the body could not be read, or an empty string.
    """

    __slots__ = ("body", "headers", "problem", "status_code")

    def __init__(self, status_code: int, headers: httpx.Headers, body: bytes, problem: str = "") -> None:
        self.status_code = status_code
        self.headers = headers
        self.body = body
        self.problem = problem

    def text(self) -> str:
        """The body as text, whatever bytes it is made of."""
        return self.body.decode("utf-8", "replace")

    def said(self) -> str:
        """What the server said: the error text of its JSON, or the whole text."""
        import json

        text = self.text().strip()
        if not text.startswith("{"):
            return text
        try:
            error = json.loads(text)["error"]
        except (ValueError, LookupError, RecursionError):
            return ""
        return error if isinstance(error, str) else ""

    @property
    def is_redirect(self) -> bool:
        """Whether the server says that what was asked for is elsewhere."""
        return 300 <= self.status_code < 400 and "Location" in self.headers

    @property
    def retry_after(self) -> float | None:
        """For how many seconds the server asked to wait, or None when it did not say."""
        value = self.headers.get("Retry-After", "")
        try:
            wait = float(value)
        except ValueError:
            wait = _seconds_until(value)
        return max(wait, 0.0) if wait < float("inf") else None


def _seconds_until(date: str) -> float:
    from datetime import datetime, timezone
    from email.utils import parsedate_to_datetime

    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError, IndexError):
        return float("inf")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - datetime.now(timezone.utc)).total_seconds()


class NoAnswer:
    """No answer came, or it broke off.

    Attributes:
        reason: What happened, for a message.
        cause: The error of httpx, if there is one.
        may_pass: Whether another attempt may do better.
        is_unsent: Whether the service cannot have carried out the operation, because the request never reached it.
    """

    __slots__ = ("cause", "is_unsent", "may_pass", "reason")

    def __init__(
        self, reason: str, *, cause: Exception | None = None, may_pass: bool = True, is_unsent: bool = False
    ) -> None:
        self.reason = reason
        self.cause = cause
        self.may_pass = may_pass
        self.is_unsent = is_unsent
