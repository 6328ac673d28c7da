"""The errors of the clients and of CheckTrap.

::

    HCAPIError                  the base of all; also: an answer that is not the documented one, a redirect
    ├── HCAPIAuthError          401, 403
    ├── CheckNotFoundError      404; a ping answered with "not found"
    ├── BadAPIRequestError      400; arguments refused before anything is sent
    ├── HCAPIRateLimitError     429; a ping answered with "rate limited"
    ├── NonUniqueSlugError      409 on a ping
    ├── CheckNotPausedError     409 on resume
    ├── HCAPIUnavailableError   no answer, 408 or 5xx, after the retries
    ├── PingFailedError         CheckTrap got an unexpected answer to a ping
    └── WrongClientError        ``with CheckTrap(async_client)`` and the reverse
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import httpx


class HCAPIError(Exception):
    """Something went wrong with the API of Healthchecks. The base of all errors of this library.

    Attributes:
        status_code: The HTTP status of the answer, or None when there was none.
        response: The answer, without the keys that were sent, or None. It is lost when the error is pickled or copied.
    """

    def __init__(self, message: str, *, status_code: int | None = None, response: httpx.Response | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.response = response

    def __reduce__(self) -> tuple[type[HCAPIError], tuple[object, ...], dict[str, object]]:
        return type(self), self.args, {**self.__dict__, "response": None}


class HCAPIAuthError(HCAPIError):
    """The service refused the key, or what this key may do: 401 or 403.

    When a check is created, 403 means that the account has reached its limit of checks.
    """


class CheckNotFoundError(HCAPIError):
    """There is no such check, ping or address: 404, or a ping answered with "not found"."""


class BadAPIRequestError(HCAPIError):
    """The request is wrong: the service answered 400, or the arguments were refused before anything was sent."""


class HCAPIRateLimitError(HCAPIError):
    """Too many requests: 429, or a ping answered with "rate limited".

    Attributes:
        retry_after: For how many seconds the service asked to wait, or None when it did not say.
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
    """The service could not be reached, did not answer in time or is out of order (408, 5xx), after the retries.

    ``__cause__`` is the error of httpx where there is one.
    """


class PingFailedError(HCAPIError):
    """The service gave an unexpected answer to a ping of a CheckTrap."""


class WrongClientError(HCAPIError):
    """A CheckTrap was used with the wrong kind of client: ``with`` needs a Client, ``async with`` an AsyncClient."""
