"""The request context that endpoints receive, and helpers that build their responses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from starlette.requests import Request

    from healthchecks_io.sandbox.state import Account
    from healthchecks_io.sandbox.versions import ServerVersion

UUID = r"(?P<uuid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
"""The only form of a UUID that the server accepts in a path."""
_MAX_REQUEST_BODY = 2_621_440
NO_CACHE = {"Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private"}


@dataclass(frozen=True)
class Site:
    """The server: its data, its root URL, its version, its settings."""

    account: Account
    root: str
    version: ServerVersion
    ping_body_limit: int | None


@dataclass(frozen=True)
class RequestContext:
    """A request, the time it was received, and the server that received it."""

    site: Site
    request: Request
    body: bytes
    now: datetime

    def read_body(self) -> bytes:
        """Return the body.

        Raises:
            PageError: The body is larger than the server accepts.
        """
        if len(self.body) > _MAX_REQUEST_BODY:
            raise PageError(400)
        return self.body


Endpoint = Callable[..., Response]
"""A function that takes a RequestContext and the named groups of its route."""


@dataclass(frozen=True)
class Route:
    """An endpoint with its paths.

    Attributes:
        path: A regular expression. The endpoint receives its named groups.
        endpoint: The endpoint.
        feature: The feature that it belongs to, if there are versions of the server without it.
    """

    path: str
    endpoint: Endpoint
    feature: str | None = None

    def match(self, path: str, server: ServerVersion) -> dict[str, str] | None:
        """Return the named groups of the route, or None if the server has no such route."""
        match = re.fullmatch(self.path, path)
        if match is None or (self.feature is not None and not server.has(self.feature)):
            return None
        parts = {name: part or "" for name, part in match.groupdict().items()}
        return parts if server.has(f"api/v{parts.get('version', 1)}") else None


class PageError(Exception):
    """Raised to respond with a generic HTML error page."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


_PAGES = {
    400: ("Bad Request (400)", ""),
    403: ("403 Forbidden", "CSRF verification failed. Request aborted."),
    404: ("Not Found", "The requested resource was not found on this server."),
    500: ("Server Error (500)", ""),
}


def error_page(status: int) -> Response:
    """Return a generic HTML error page."""
    title, message = _PAGES[status]
    head = f'<!doctype html>\n<html lang="en">\n<head>\n  <title>{title}</title>\n</head>'
    return text_response(f"\n{head}\n<body>\n  <h1>{title}</h1><p>{message}</p>\n</body>\n</html>\n", status)


def text_response(content: str = "", status: int = 200) -> Response:
    """Return a text response. Its content type is text/html, as on the real server."""
    return Response(content, status, media_type="text/html")


def json_response(content: dict[str, Any], status: int = 200) -> Response:
    """Return a JSON response, in ASCII."""
    return Response(json.dumps(content), status, media_type="application/json")


def dispatch_by_method(context: RequestContext, methods: Mapping[str, Callable[[], Response]]) -> Response:
    """Call the function for the HTTP method, and add CORS headers to its response."""
    method = context.request.method
    if method == "OPTIONS":
        response = text_response(status=204)
    elif method in methods:
        response = methods[method]()
    else:
        response = text_response(status=405)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "X-Api-Key"
    response.headers["Access-Control-Allow-Methods"] = ", ".join((*methods, "OPTIONS"))
    response.headers["Access-Control-Max-Age"] = "600"
    return response


def check_csrf(context: RequestContext) -> None:
    """Apply Django's CSRF protection: reject every request with an unsafe method.

    Raises:
        PageError: The method is unsafe.
    """
    if context.request.method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
        raise PageError(403)
