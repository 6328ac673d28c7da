"""One call of the API, described but not yet sent."""

from __future__ import annotations

from healthchecks_io.client.exceptions import BadAPIRequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping
    from typing import TypeAlias, TypeVar

    from healthchecks_io.client.exceptions import HCAPIError
    from healthchecks_io.client.outcomes import Answer

    T = TypeVar("T")
    Call: TypeAlias = tuple["Operation", Callable[[Answer], T]]
    """An operation, and the reading of its answer."""

KIB = 1024
MIB = 1024 * KIB

_MAX_PATH_LENGTH = 60_000


class Operation:
    """What is asked of the service, and what may come back.

    Attributes:
        name: The method of the client that asks, as messages name it.
        method: The HTTP method.
        path: The path after the version of the management API, or after the root of the ping API.
        to_ping_host: Whether it is a ping. Pings go to the ping host and never carry the API key.
        body: What is sent.
        is_repeatable: Whether the operation may be repeated when the service may have carried it out already.
        statuses: The statuses of the documented answers.
        errors: What other statuses mean here, where it is not what they mean elsewhere.
        hints: What to do about a status, where it is not what one would do elsewhere.
        max_bytes: How long an answer may be.
    """

    __slots__ = (
        "body",
        "errors",
        "hints",
        "is_repeatable",
        "max_bytes",
        "method",
        "name",
        "path",
        "statuses",
        "to_ping_host",
    )

    def __init__(
        self,
        name: str,
        method: str,
        path: str,
        *,
        is_repeatable: bool,
        to_ping_host: bool = False,
        body: bytes = b"",
        statuses: Container[int] = (200,),
        errors: Mapping[int, type[HCAPIError]] | None = None,
        hints: Mapping[int, str] | None = None,
        max_bytes: int = 256 * MIB,
    ) -> None:
        if len(path) > _MAX_PATH_LENGTH:
            raise BadAPIRequestError(f"{name}: the arguments are too long: {len(path)} characters of a URL")
        self.name = name
        self.method = method
        self.path = path
        self.is_repeatable = is_repeatable
        self.to_ping_host = to_ping_host
        self.body = body
        self.statuses = statuses
        self.errors = errors or {}
        self.hints = hints or {}
        self.max_bytes = max_bytes
