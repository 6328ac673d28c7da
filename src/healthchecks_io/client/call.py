"""An API call, before it is sent."""

from __future__ import annotations

from healthchecks_io.client.exceptions import BadAPIRequestError, HCAPIError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping, Sequence
    from typing import Any, Generic, TypeVar

    from healthchecks_io.client.response import Response
    from healthchecks_io.client.settings import Settings

    T = TypeVar("T")
else:
    T = None

    class Generic:
        """A run-time substitute for typing.Generic. Importing typing is too slow: see `_lazy`."""

        __slots__ = ()

        def __class_getitem__(cls, parameter: object) -> type:
            """Return the class itself."""
            return cls


KIB = 1024
MIB = 1024 * KIB

_MAX_PATH_LENGTH = 60_000
"""In characters. httpx rejects URLs longer than 65,536."""


class Call(Generic[T]):
    """A request, how its response is parsed, and which responses are errors.

    Attributes:
        method: The HTTP method.
        path: The path relative to the versioned root of the management API, or to the root of the ping API. It never
            contains the ping key: error reporters show variables, so no object that is kept may contain a key.
        parse: Turns an expected response into the result of the call.
        is_ping: Whether the call is a ping. Pings go to the ping API, without the API key.
        needs_ping_key: Whether the URL must contain the ping key, as for a ping by slug.
        body: The body of the request.
        is_idempotent: Whether the call may be retried even if the server may have processed it.
        statuses: The status codes of expected responses.
        hints: Advice for status codes, where the general advice does not fit.
        conflict: The class of the exception for a 409.
        not_found: Likely reasons for a 404. For the management API, without a wrong URL or version of the API.
        max_bytes: The maximum length of the response body in bytes.
        was_sent: Whether the request may have reached the server. Known only for a client's own connections.
    """

    __slots__ = (
        "body",
        "conflict",
        "hints",
        "is_idempotent",
        "is_ping",
        "max_bytes",
        "method",
        "needs_ping_key",
        "not_found",
        "parse",
        "path",
        "statuses",
        "was_sent",
    )

    def __init__(
        self,
        method: str,
        path: str,
        parse: Callable[[Response], T],
        *,
        is_idempotent: bool,
        is_ping: bool = False,
        needs_ping_key: bool = False,
        body: bytes = b"",
        statuses: Container[int] = (200,),
        hints: Mapping[int, str] | None = None,
        conflict: type[HCAPIError] = HCAPIError,
        not_found: Sequence[str] = (),
        max_bytes: int = 256 * MIB,
    ) -> None:
        if len(path) > _MAX_PATH_LENGTH:
            raise BadAPIRequestError(
                f"the arguments make the URL too long: {len(path)} characters of at most {_MAX_PATH_LENGTH}"
            )
        self.method = method
        self.path = path
        self.parse = parse
        self.is_idempotent = is_idempotent
        self.is_ping = is_ping
        self.needs_ping_key = needs_ping_key
        self.body = body
        self.statuses = statuses
        self.hints = hints or {}
        self.conflict = conflict
        self.not_found = not_found
        self.max_bytes = max_bytes
        self.was_sent = False

    def replace(self, **attributes: Any) -> Call[Any]:
        """Return a copy of the call with other values of some attributes."""
        changed = object.__new__(type(self))
        for name in Call.__slots__:
            setattr(changed, name, attributes.get(name, getattr(self, name)))
        return changed

    def url(self, settings: Settings, *, redacted: bool = False) -> str:
        """Return the URL.

        Args:
            settings: The settings of the client.
            redacted: Whether to redact the ping key.
        """
        if not self.is_ping:
            return settings.api_root + self.path
        if not self.needs_ping_key:
            return settings.ping_url + self.path
        return f"{settings.ping_url}{'***' if redacted else settings.ping_key}/{self.path}"
