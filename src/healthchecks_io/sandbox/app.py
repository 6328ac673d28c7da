"""Route requests to the endpoints of the server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.responses import Response

from healthchecks_io.sandbox import badges, management, pings
from healthchecks_io.sandbox.responses import PageError, error_page

if TYPE_CHECKING:
    from healthchecks_io.sandbox.responses import Endpoint, RequestContext

_ROUTES: list[tuple[re.Pattern[str], Endpoint]] = [
    (re.compile(path), endpoint) for path, endpoint in {**management.ROUTES, **pings.ROUTES, **badges.ROUTES}.items()
]


def handle_request(context: RequestContext) -> Response:
    """Return the response to a request."""
    try:
        return _dispatch(context)
    except PageError as error:
        return error_page(error.status)


def _dispatch(context: RequestContext) -> Response:
    path: str = context.request.scope["path"]
    for pattern, endpoint in _ROUTES:
        match = pattern.fullmatch(path)
        if match:
            return endpoint(context, **{name: part or "" for name, part in match.groupdict().items()})
    if any(pattern.fullmatch(f"{path}/") for pattern, _ in _ROUTES):
        target, query = context.request.scope["raw_path"].decode(), context.request.scope["query_string"].decode()
        location = f"{target}/?{query}" if query else f"{target}/"
        return Response(status_code=301, headers={"Location": location}, media_type="text/html")
    raise PageError(404)
