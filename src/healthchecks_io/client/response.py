"""The result of an attempt: a response, or the failure to get one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import httpx

_TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})


class Response:
    """A response. Its body was read to the end, or up to the limit of the call.

    Attributes:
        status_code: The HTTP status.
        headers: The headers.
        body: The body, or the part of it that was read.
        problem: Why the body was not read to the end, or an empty string.
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
    def is_error(self) -> bool:
        """Whether the status reports an error."""
        return self.status_code >= 400

    @property
    def never_processed(self) -> bool:
        """Whether it is certain that the server did not process the request."""
        return self.status_code == 429

    @property
    def is_unusable(self) -> bool:
        """Whether the body is needed but incomplete. A server error needs no body."""
        return bool(self.problem) and self.status_code < 500

    def text(self) -> str:
        """Return the body as text, decoded as UTF-8. Invalid bytes are replaced."""
        return self.body.decode("utf-8", "replace")


class Failure:
    """The failure to get a response: the connection failed, timed out or was lost.

    Attributes:
        reason: What happened, in redacted form, for error messages.
        cause: The exception that ended the attempt, if any.
        is_transient: Whether another attempt may succeed.
        never_processed: Whether it is certain that the server did not process the request, because it was never sent.
    """

    __slots__ = ("cause", "is_transient", "never_processed", "reason")
    is_error = True

    def __init__(
        self, reason: str, *, cause: Exception | None = None, is_transient: bool = True, never_processed: bool = False
    ) -> None:
        self.reason = reason
        self.cause = cause
        self.is_transient = is_transient
        self.never_processed = never_processed
