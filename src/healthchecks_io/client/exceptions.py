"""The exceptions of the clients and of CheckTrap.

::

    HCAPIError                  base class; also a redirect, a closed client, or an undocumented response
    ├── HCAPIAuthError          401, 403
    ├── CheckNotFoundError      404; a ping with the response "not found"
    ├── BadAPIRequestError      400; arguments rejected before anything is sent
    ├── HCAPIRateLimitError     429; a ping with the response "rate limited"
    ├── NonUniqueSlugError      409 on a ping
    ├── CheckNotPausedError     409 on resume
    ├── HCAPIUnavailableError   no response, 408 or 5xx, after the retries
    ├── PingFailedError         CheckTrap got an unexpected response to a ping
    └── WrongClientError        the wrong kind of client: ``with`` needs a Client, ``async with`` an AsyncClient
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import httpx


class HCAPIError(Exception):
    """A call to the Healthchecks API failed. This is the base class of all exceptions of this library.

    Attributes:
        status_code: The HTTP status of the response, or None if there was no response.
        response: The response, with a redacted request, or None. Copies and pickles of the exception do not contain it.
    """

    def __init__(self, message: str, *, status_code: int | None = None, response: httpx.Response | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.response = response

    def __reduce__(self) -> tuple[type[HCAPIError], tuple[object, ...], dict[str, object]]:
        return type(self), self.args, {**self.__dict__, "response": None}


class HCAPIAuthError(HCAPIError):
    """The server rejected the key, or the key does not permit the request: 401 or 403.

    If ``create_check`` gets a 403, the account has reached its check limit.
    """


class CheckNotFoundError(HCAPIError):
    """There is no such check, ping or URL: 404, or a ping with the response "not found"."""


class BadAPIRequestError(HCAPIError):
    """The request is invalid: 400, or the arguments were rejected before anything was sent."""


class HCAPIRateLimitError(HCAPIError):
    """There were too many requests: 429, or a ping with the response "rate limited".

    Attributes:
        retry_after: How many seconds the server asked to wait, or None if it did not specify that.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        response: httpx.Response | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, status_code=status_code, response=response)
        self.retry_after = retry_after


class NonUniqueSlugError(HCAPIError):
    """Several checks of the project share the slug, and the ping was not recorded: 409."""


class CheckNotPausedError(HCAPIError):
    """The check cannot be resumed because it is not paused: 409."""


class HCAPIUnavailableError(HCAPIError):
    """The server could not be reached, did not respond in time or failed (408, 5xx), even after the retries.

    ``__cause__`` is the httpx exception, if any.
    """


class UnusableClientError(HCAPIError):
    """The client is closed, or its httpx client belongs to another process or event loop. Nothing was sent.

    Internal: CheckTrap treats it as a misconfiguration. To users it is an HCAPIError.
    """


class MissingPingKeyError(BadAPIRequestError):
    """A ping by slug needs a ping key, and the client has none. Nothing was sent.

    Internal: CheckTrap may log it when the job starts, instead of raising it. To users it is a BadAPIRequestError.
    """


class PingFailedError(HCAPIError):
    """The server sent an unexpected response to a ping of a CheckTrap."""


class WrongClientError(HCAPIError):
    """A CheckTrap was used with the wrong kind of client: ``with`` needs a Client, ``async with`` an AsyncClient."""
