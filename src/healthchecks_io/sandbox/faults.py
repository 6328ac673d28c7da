"""Faults that tests inject into responses."""

from __future__ import annotations

import asyncio
import contextlib
import math
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from typing import Any

    from starlette.types import Receive, Scope, Send

_MIN_STATUS, _MAX_STATUS = 200, 599
_BODILESS_STATUSES = (204, 304)


@dataclass(frozen=True)
class Fault:
    """A fault to inject into one response. The defaults inject none.

    See `Sandbox.fail_next` for the attributes.

    Raises:
        ValueError: An argument is invalid, or the arguments conflict.
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
            raise ValueError(f"delay must be a finite, non-negative number of seconds, not {self.delay!r}")
        if self.drop not in (False, True, "body"):
            raise ValueError(f'drop must be True, False or "body", not {self.drop!r}')
        if self.drop is True and (self.status is not None or self.headers):
            raise ValueError('drop=True sends no response: omit status and headers, or use drop="body"')
        if self.body and self.status is None:
            raise ValueError("body requires a status")
        if self.status in _BODILESS_STATUSES and (self.body or self.drop):
            raise ValueError(f"a response with status {self.status} has no body")
        for name, value in self.headers.items():
            if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]+", name, re.ASCII) or not re.fullmatch(r"[\t -~]*", value):
                raise ValueError(f"invalid header: {name!r}: {value!r}")
            if name.lower() in ("content-length", "transfer-encoding"):
                raise ValueError(f'the server sets {name}: to truncate a response, use drop="body"')

    @property
    def processes_request(self) -> bool:
        """Whether the sandbox still processes the request."""
        return self.status is None and self.drop is not True

    def canned_response(self) -> Response:
        """Return the response to send instead of the real one."""
        return Response(self.body, self.status or _MIN_STATUS, media_type="text/html")

    async def send_response(self, response: Response, scope: Scope, receive: Receive, send: Send) -> None:
        """Send a response with the fault applied."""
        response.headers.update(self.headers)
        if self.delay:
            # A disconnect or a stopping server ends the delay.
            disconnect = asyncio.ensure_future(receive())
            with _cancel_after(self.delay, disconnect):
                await asyncio.wait([disconnect])
            if not disconnect.cancelled():
                return
        if not self.drop:
            await response(scope, receive, send)
            return
        # A response without a body cannot be truncated: drop the connection without sending it.
        if self.drop == "body" and scope["method"] != "HEAD" and response.status_code not in _BODILESS_STATUSES:
            content = bytes(response.body)
            response.headers["Content-Length"] = str(max(len(content), 1))
            await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
            await send({"type": "http.response.body", "body": content[: len(content) // 2], "more_body": True})
        scope["state"]["transport"].close()
        # The request has been read: the next message is the disconnect.
        await receive()


@contextlib.contextmanager
def _cancel_after(seconds: float, future: asyncio.Future[Any]) -> Generator[None]:
    """Cancel a future that is not done after a number of real seconds.

    A thread waits for them: tests may freeze the clock of the event loop.
    """
    call_in_loop = future.get_loop().call_soon_threadsafe
    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), call_in_loop, [future.cancel])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
