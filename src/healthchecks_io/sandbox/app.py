"""The server's routes: which endpoint answers a request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.responses import Response

from healthchecks_io.sandbox import badges, management, pings
from healthchecks_io.sandbox.answers import PageError, page

if TYPE_CHECKING:
    from healthchecks_io.sandbox.answers import Call, Endpoint

_ROUTES: list[tuple[re.Pattern[str], Endpoint]] = [
    (re.compile(path), endpoint) for path, endpoint in {**management.ROUTES, **pings.ROUTES, **badges.ROUTES}.items()
]


def answer(call: Call) -> Response:
    """Answer a request."""
    try:
        return _dispatch(call)
    except PageError as error:
        return page(error.status)


def _dispatch(call: Call) -> Response:
    path: str = call.request.scope["path"]
    for pattern, endpoint in _ROUTES:
        match = pattern.fullmatch(path)
        if match:
            return endpoint(call, **{name: part or "" for name, part in match.groupdict().items()})
    if any(pattern.fullmatch(f"{path}/") for pattern, _ in _ROUTES):
        target, query = call.request.scope["raw_path"].decode(), call.request.scope["query_string"].decode()
        location = f"{target}/?{query}" if query else f"{target}/"
        return Response(status_code=301, headers={"Location": location}, media_type="text/html")
    raise PageError(404)
