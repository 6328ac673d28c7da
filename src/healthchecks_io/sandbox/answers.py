"""The kinds of answers that a server sends, and the request as the endpoints see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.requests import Request

    from healthchecks_io.sandbox.state import Account

UUID = r"(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
"""How a UUID is written in a path: in no other way."""
_MAX_REQUEST_BODY = 2_621_440
NO_CACHE = {"Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private"}


@dataclass(frozen=True)
class Site:
    """A server: its state, its address, its settings."""

    account: Account
    root: str
    ping_body_limit: int | None


@dataclass(frozen=True)
class Call:
    """A request that has arrived, and when."""

    site: Site
    request: Request
    body: bytes
    now: datetime

    def checked_body(self) -> bytes:
        """Return the body, unless it is larger than the server takes.

        Raises:
            PageError: It is.
        """
        if len(self.body) > _MAX_REQUEST_BODY:
            raise PageError(400)
        return self.body


Endpoint = Callable[..., Response]
"""A function of a Call and of the parts of the path that its route names."""


class PageError(Exception):
    """The request fails outside any endpoint: the answer is one of the server's general HTML pages."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


_PAGES = {
    400: ("Bad Request (400)", ""),
    403: ("403 Forbidden", "CSRF verification failed. Request aborted."),
    404: ("Not Found", "The requested resource was not found on this server."),
    500: ("Server Error (500)", ""),
}


def page(status: int) -> Response:
    """Make a general HTML page."""
    title, message = _PAGES[status]
    head = f'<!doctype html>\n<html lang="en">\n<head>\n  <title>{title}</title>\n</head>'
    return text(f"\n{head}\n<body>\n  <h1>{title}</h1><p>{message}</p>\n</body>\n</html>\n", status)


def text(content: str = "", status: int = 200) -> Response:
    """Make an answer of plain text, which this server calls HTML."""
    return Response(content, status, media_type="text/html")


def document(content: dict[str, Any], status: int = 200) -> Response:
    """Make an answer of JSON, in ASCII."""
    return Response(json.dumps(content), status, media_type="application/json")


def by_method(call: Call, methods: Mapping[str, Callable[[], Response]]) -> Response:
    """Let the function for the HTTP method answer; scripts of any web page may ask."""
    method = call.request.method
    if method == "OPTIONS":
        response = text(status=204)
    elif method in methods:
        response = methods[method]()
    else:
        response = text(status=405)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "X-Api-Key"
    response.headers["Access-Control-Allow-Methods"] = ", ".join((*methods, "OPTIONS"))
    response.headers["Access-Control-Max-Age"] = "600"
    return response


def refuse_forged(call: Call) -> None:
    """Refuse what the server takes for a forged request of a browser: all that would change something.

    Raises:
        PageError: It is such a request.
    """
    if call.request.method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
        raise PageError(403)
