"""The result of one attempt to send a request: a response, or the failure to get one."""

from __future__ import annotations

TYPE_CHECKING = False
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
    def is_error(self) -> bool:
        """Whether the status is that of an error."""
        return self.status_code >= 400

    @property
    def never_processed(self) -> bool:
        """Whether the server certainly did not process the request."""
        return self.status_code == 429

    @property
    def is_unusable(self) -> bool:
        """Whether the body is needed and was not read to its end. A server error needs no body."""
        return bool(self.problem) and self.status_code < 500

    def text(self) -> str:
        """Return the body as text, whatever its encoding."""
        return self.body.decode("utf-8", "replace")


class Failure:
    """No response: the connection failed, timed out or broke off.

    Attributes:
        reason: What happened, for messages: redacted.
        cause: The exception of httpx, if there is one.
        is_transient: Whether another attempt may succeed.
        never_processed: Whether the server certainly did not process the request, because it was never sent.
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
