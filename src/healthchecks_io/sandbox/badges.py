"""Status badges: their URLs, and the images and JSON documents that they serve."""

from __future__ import annotations

import base64
import hmac
from collections import Counter
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from starlette.responses import Response

from healthchecks_io.sandbox.responses import (
    NO_CACHE,
    UUID,
    PageError,
    Route,
    check_csrf,
    dispatch_by_method,
    json_response,
    text_response,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthchecks_io.sandbox.responses import Endpoint, RequestContext, Site
    from healthchecks_io.sandbox.state import Check, Project

_ALL_CHECKS_LABEL = "Mychecks"
_FORMATS = ("svg", "json", "shields")
_SIGNATURE_LENGTH = 8
_TWO_STATES = "-2"
"""The suffix of the signature in the URL of a badge with two states, up and down."""
_SHIELDS_COLORS = {"up": "success", "late": "important", "down": "critical"}
_SVG_COLORS = {"up": "#4c1", "late": "#fe7d37", "down": "#e05d44"}


def badge_urls(site: Site, project: Project, tag: str) -> dict[str, str]:
    """Return the URLs of the six badges of a tag."""
    # The server quotes the tag twice: first as a path segment, then as part of the whole path.
    name = "" if tag == "*" else "/" + quote(quote(tag, safe=""))
    urls: dict[str, str] = {}
    for badge_format in _FORMATS:
        for states, suffix in (("", _TWO_STATES), ("3", "")):
            signature = _sign(site, project, tag) + suffix
            urls[badge_format + states] = f"{site.root}/badge/{project.badge_key}/{signature}{name}.{badge_format}"
    return urls


def tag_badge(context: RequestContext, badge_key: str, signature: str, badge_format: str, tag: str = "*") -> Response:
    """Return the badge of the checks with a tag, or of all checks."""
    tag = unquote(tag)
    for project in context.site.account.projects:
        if project.badge_key == badge_key and signature[:_SIGNATURE_LENGTH] == _sign(context.site, project, tag):
            checks = [check for check in project.current_checks(context.now) if tag == "*" or tag in check.tag_list]
            label = _ALL_CHECKS_LABEL if tag == "*" else tag
            return _render(
                context, checks, label, badge_format, states=2 if signature[_SIGNATURE_LENGTH:] == _TWO_STATES else 3
            )
    return text_response(status=404)


def check_badge(context: RequestContext, states: str, badge_key: str, badge_format: str) -> Response:
    """Return the badge of one check."""
    for project in context.site.account.projects:
        for check in project.current_checks(context.now):
            if check.badge_key == badge_key:
                return _render(context, [check], check.name or check.uuid, badge_format, states=int(states))
    raise PageError(404)


def _sign(site: Site, project: Project, tag: str) -> str:
    digest = hmac.digest(site.account.badge_secret.encode(), f"{project.badge_key} {tag}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode()[:_SIGNATURE_LENGTH]


def _render(
    context: RequestContext, checks: Iterable[Check], label: str, badge_format: str, *, states: int
) -> Response:
    counts = Counter(check.status_at(context.now, 3) for check in checks)
    late = counts["grace"] and states == 3
    status = "down" if counts["down"] else "late" if late else "up"
    if badge_format == "json":
        total, grace, down = counts.total(), counts["grace"], counts["down"]
        return json_response({"status": status, "total": total, "grace": grace, "down": down})
    if badge_format == "shields":
        return json_response({"schemaVersion": 1, "label": label, "message": status, "color": _SHIELDS_COLORS[status]})
    return Response(_svg(label, status), media_type="image/svg+xml")


def _svg(label: str, status: str) -> str:
    left, right = 7 * len(label) + 10, 7 * len(status) + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" '
        'font-family="Verdana,sans-serif" font-size="11" fill="#fff" text-anchor="middle">'
        f'<rect width="{left}" height="20" fill="#555"/><text x="{left / 2}" y="14">{escape(label)}</text>'
        f'<rect x="{left}" width="{right}" height="20" fill="{_SVG_COLORS[status]}"/>'
        f'<text x="{left + right / 2}" y="14">{status}</text></svg>'
    )


def _badge_endpoint(get_badge: Endpoint) -> Endpoint:
    def endpoint(context: RequestContext, badge_format: str, **parts: str) -> Response:
        check_csrf(context)

        def get() -> Response:
            # The server checks the format first.
            if badge_format not in _FORMATS:
                return text_response(status=404)
            return get_badge(context, badge_format=badge_format, **parts)

        response = dispatch_by_method(context, {"GET": get})
        response.headers.update(NO_CACHE)
        return response

    return endpoint


_BADGE = r"/badge/(?P<badge_key>[-a-zA-Z0-9_]+)/(?P<signature>[-a-zA-Z0-9_]+)"
_FORMAT = r"\.(?P<badge_format>[-a-zA-Z0-9_]+)"

ROUTES = [
    Route(rf"{_BADGE}/(?P<tag>[\w%~.-]+){_FORMAT}", _badge_endpoint(tag_badge)),
    Route(rf"{_BADGE}{_FORMAT}", _badge_endpoint(tag_badge)),
    Route(
        rf"/b/(?P<states>[0-9]{{1,9}})/{UUID.replace('uuid', 'badge_key')}{_FORMAT}",
        _badge_endpoint(check_badge),
        "badges of checks",
    ),
]
