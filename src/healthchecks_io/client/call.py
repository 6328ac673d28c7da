"""One call of the API, described but not yet sent."""

from __future__ import annotations

from healthchecks_io.client.exceptions import BadAPIRequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping
    from typing import Generic, TypeVar

    from healthchecks_io.client.response import Response
    from healthchecks_io.client.settings import Settings

    T = TypeVar("T")
else:
    T = None

    class Generic:
        """Replaces typing.Generic at run time, because typing is not imported here: see `_lazy`."""

        __slots__ = ()

        def __class_getitem__(cls, parameter: object) -> type:
            """Return the class itself."""
            return cls


KIB = 1024
MIB = 1024 * KIB

_MAX_PATH_LENGTH = 60_000
"""Characters: httpx accepts URLs of 65,536."""


class Call(Generic[T]):
    """A request, how its response is parsed, and which responses are errors.

    Attributes:
        name: The method of the client, for messages.
        method: The HTTP method.
        path: The path below the versioned root of the management API, or below the root of the ping API. That of a ping
            by slug lacks the ping key: error reporters show variables, and nothing that is kept contains a key.
        parse: Turns an expected response into the result of the call.
        is_ping: Whether it is a ping. Pings go to the ping host and never carry the API key.
        needs_ping_key: Whether it is a ping by slug.
        body: The body of the request.
        is_idempotent: Whether the call may be repeated after a request that the server may have processed.
        statuses: The statuses of expected responses.
        hints: Advice for statuses where it differs from that of other calls.
        max_bytes: The maximum length of the response body.
    """

    __slots__ = (
        "body",
        "hints",
        "is_idempotent",
        "is_ping",
        "max_bytes",
        "method",
        "name",
        "needs_ping_key",
        "parse",
        "path",
        "statuses",
    )

    def __init__(
        self,
        name: str,
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
        max_bytes: int = 256 * MIB,
    ) -> None:
        if len(path) > _MAX_PATH_LENGTH:
            raise BadAPIRequestError(
                f"{name}: the arguments make the URL too long: {len(path)} characters, at most {_MAX_PATH_LENGTH}"
            )
        self.name = name
        self.method = method
        self.path = path
        self.parse = parse
        self.is_idempotent = is_idempotent
        self.is_ping = is_ping
        self.needs_ping_key = needs_ping_key
        self.body = body
        self.statuses = statuses
        self.hints = hints or {}
        self.max_bytes = max_bytes

    def with_body(self, body: bytes) -> Call[T]:
        """Return the same call with another body."""
        changed = object.__new__(type(self))
        for name in Call.__slots__:
            setattr(changed, name, getattr(self, name))
        changed.body = body
        return changed

    def url(self, settings: Settings, *, redacted: bool = False) -> str:
        """Return the URL.

        Args:
            settings: The settings of the client.
            redacted: Whether to mask the ping key.
        """
        if not self.is_ping:
            return settings.api_root + self.path
        if not self.needs_ping_key:
            return settings.ping_url + self.path
        return f"{settings.ping_url}{'***' if redacted else settings.ping_key}/{self.path}"
