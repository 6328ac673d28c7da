"""Badges: their addresses, and the documents behind them."""

from __future__ import annotations

import base64
import hmac
from collections import Counter
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from starlette.responses import Response

from healthchecks_io.sandbox.answers import NO_CACHE, UUID, PageError, by_method, document, refuse_forged, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from healthchecks_io.sandbox.answers import Call, Endpoint, Site
    from healthchecks_io.sandbox.state import Check, Project

_ALL_CHECKS_LABEL = "Mychecks"
_FORMATS = ("svg", "json", "shields")
_SIGNATURE_LENGTH = 8
_TWO_STATES = "-2"
"""How the signature ends in the address of a badge that knows only up and down."""
_SHIELDS_COLORS = {"up": "success", "late": "important", "down": "critical"}
_SVG_COLORS = {"up": "#4c1", "late": "#fe7d37", "down": "#e05d44"}


def badge_urls(site: Site, project: Project, tag: str) -> dict[str, str]:
    """Return the addresses of the six badges of a tag."""
    # Quoted twice, as the server does: first as a part of the path, then with the whole path.
    name = "" if tag == "*" else "/" + quote(quote(tag, safe=""))
    urls: dict[str, str] = {}
    for form in _FORMATS:
        for states, ending in (("", _TWO_STATES), ("3", "")):
            signature = _sign(site, project, tag) + ending
            urls[form + states] = f"{site.root}/badge/{project.badge_key}/{signature}{name}.{form}"
    return urls


def tag_badge(call: Call, badge_key: str, signature: str, form: str, tag: str = "*") -> Response:
    """Draw the badge of the checks with a tag, or of all of them."""
    tag = unquote(tag)
    for project in call.site.account.projects:
        if project.badge_key == badge_key and signature[:_SIGNATURE_LENGTH] == _sign(call.site, project, tag):
            checks = [check for check in project.settled_checks(call.now) if tag == "*" or tag in check.tag_list]
            label = _ALL_CHECKS_LABEL if tag == "*" else tag
            return _draw(call, checks, label, form, states=2 if signature[_SIGNATURE_LENGTH:] == _TWO_STATES else 3)
    return text(status=404)


def check_badge(call: Call, states: str, badge_key: str, form: str) -> Response:
    """Draw the badge of one check."""
    for project in call.site.account.projects:
        for check in project.settled_checks(call.now):
            if check.badge_key == badge_key:
                return _draw(call, [check], check.name or check.uuid, form, states=int(states))
    raise PageError(404)


def _sign(site: Site, project: Project, tag: str) -> str:
    digest = hmac.digest(site.account.badge_secret.encode(), f"{project.badge_key} {tag}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest).decode()[:_SIGNATURE_LENGTH]


def _draw(call: Call, checks: Iterable[Check], label: str, form: str, *, states: int) -> Response:
    numbers = Counter(check.status_at(call.now, 3) for check in checks)
    late = numbers["grace"] and states == 3
    status = "down" if numbers["down"] else "late" if late else "up"
    if form == "json":
        total, grace, down = numbers.total(), numbers["grace"], numbers["down"]
        return document({"status": status, "total": total, "grace": grace, "down": down})
    if form == "shields":
        return document({"schemaVersion": 1, "label": label, "message": status, "color": _SHIELDS_COLORS[status]})
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


def _badge(draw: Endpoint) -> Endpoint:
    def endpoint(call: Call, form: str, **parts: str) -> Response:
        refuse_forged(call)
        # The server looks at the format first.
        known = form in _FORMATS
        response = by_method(call, {"GET": lambda: draw(call, form=form, **parts) if known else text(status=404)})
        response.headers.update(NO_CACHE)
        return response

    return endpoint


_BADGE = r"/badge/(?P<badge_key>[-a-zA-Z0-9_]+)/(?P<signature>[-a-zA-Z0-9_]+)"
_FORM = r"\.(?P<form>[-a-zA-Z0-9_]+)"

ROUTES: dict[str, Endpoint] = {
    rf"{_BADGE}/(?P<tag>[\w%~.-]+){_FORM}": _badge(tag_badge),
    rf"{_BADGE}{_FORM}": _badge(tag_badge),
    rf"/b/(?P<states>[0-9]{{1,9}})/{UUID.replace('uuid', 'badge_key')}{_FORM}": _badge(check_badge),
}
