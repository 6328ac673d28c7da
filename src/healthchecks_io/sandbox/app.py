"""Route requests to the endpoints of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from healthchecks_io.sandbox import badges, management, pings
from healthchecks_io.sandbox.responses import PageError, error_page

if TYPE_CHECKING:
    from healthchecks_io.sandbox.responses import RequestContext

_ROUTES = [*management.ROUTES, *pings.ROUTES, *badges.ROUTES]


def handle_request(context: RequestContext) -> Response:
    """Return the response to a request."""
    try:
        return _dispatch(context)
    except PageError as error:
        return error_page(error.status)


def _dispatch(context: RequestContext) -> Response:
    path: str = context.request.scope["path"]
    server = context.site.version
    for route in _ROUTES:
        parts = route.match(path, server)
        if parts is not None:
            return route.endpoint(context, **parts)
    if any(route.match(f"{path}/", server) is not None for route in _ROUTES):
        target, query = context.request.scope["raw_path"].decode(), context.request.scope["query_string"].decode()
        location = f"{target}/?{query}" if query else f"{target}/"
        return Response(status_code=301, headers={"Location": location}, media_type="text/html")
    raise PageError(404)
