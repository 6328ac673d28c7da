"""Faults: answers that go wrong because a test wants them to."""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

_MIN_STATUS, _MAX_STATUS = 200, 599
_BODILESS = (204, 304)


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one answer; nothing, if nothing else is said.

    Raises:
        ValueError: The arguments do not go together.
    """

    status: int | None = None
    delay: float = 0.0
    drop: bool | Literal["body"] = False
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str | bytes = b""

    def __post_init__(self) -> None:
        if self.status is not None and self.status not in range(_MIN_STATUS, _MAX_STATUS + 1):
            raise ValueError(f"status must be from {_MIN_STATUS} to {_MAX_STATUS}, not {self.status!r}")
        if not (math.isfinite(self.delay) and self.delay >= 0):
            raise ValueError(f"delay must be a number of seconds that is not negative, not {self.delay!r}")
        if self.drop not in (False, True, "body"):
            raise ValueError(f'drop must be True, False or "body", not {self.drop!r}')
        if self.drop is True and (self.status is not None or self.headers):
            raise ValueError('with drop=True nothing is answered: leave status and headers out, or use drop="body"')
        if self.body and self.status is None:
            raise ValueError("a body needs a status")
        if self.status in _BODILESS and (self.body or self.drop):
            raise ValueError(f"an answer of status {self.status} has no body")
        for name, value in self.headers.items():
            if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII) or not re.fullmatch(r"[\t -~]*", value):
                raise ValueError(f"not a header: {name!r}: {value!r}")
            if name.lower() in ("content-length", "transfer-encoding"):
                raise ValueError(f'{name} is set by the server: to break an answer off, use drop="body"')

    @property
    def is_processed(self) -> bool:
        """Whether the request is processed as if nothing were wrong."""
        return self.status is None and self.drop is not True

    def made_up_answer(self) -> Response:
        """The answer instead of the real one."""
        return Response(self.body, self.status or _MIN_STATUS, media_type="text/html")

    async def deliver(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        """Send an answer, as badly as wanted."""
        response.headers.update(self.headers)
        if self.delay:
            try:
                # A client that gives up, or a server that stops, ends the delay.
                await asyncio.wait_for(receive(), self.delay)
            except asyncio.TimeoutError:
                pass
            else:
                return
        if not self.drop:
            await response(scope, receive, send)
            return
        # Without a body there is nothing in the middle of which to break off: then nothing is answered.
        if self.drop == "body" and scope["method"] != "HEAD" and response.status_code not in _BODILESS:
            content = bytes(response.body)
            response.headers["Content-Length"] = str(max(len(content), 1))
            await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
            await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
        scope["state"]["transport"].close()
        # The request has been read: this is the end of the connection.
        await receive()
