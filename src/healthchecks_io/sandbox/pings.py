"""The ping API."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from healthchecks_io.sandbox.responses import NO_CACHE, UUID, PageError, Route, text_response
from healthchecks_io.sandbox.state import Check

if TYPE_CHECKING:
    from starlette.responses import Response

    from healthchecks_io.sandbox.responses import RequestContext
    from healthchecks_io.sandbox.state import PingType, Project

_MAX_EXIT_STATUS = 255
_MAX_USER_AGENT_LENGTH = 200
_SIGNALS: dict[str, PingType] = {"": "success", "start": "start", "fail": "fail", "log": "log"}
_RUN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def ping_by_uuid(context: RequestContext, uuid: str, action: str) -> Response:
    """Handle a ping by UUID."""
    found = context.site.account.find(uuid, context.now)
    if found is None and not context.site.version.has("text for unknown checks"):
        raise PageError(404)
    response = text_response("not found", 404) if found is None else _ping(context, found[1], action)
    response.headers.update(NO_CACHE)
    return response


def ping_by_slug(context: RequestContext, ping_key: str, slug: str, action: str) -> Response:
    """Handle a ping by slug. With create=1, create the check if it does not exist."""
    account, server = context.site.account, context.site.version
    if slug != slug.lower() and server.has("lower-case slugs only"):
        return text_response("invalid url format", 400)
    project = next((project for project in account.projects if project.ping_key == ping_key), None)
    checks = [check for check in project.current_checks(context.now) if check.slug == slug] if project else []
    if len(checks) > 1:
        return text_response("ambiguous slug", 409)
    if checks:
        return _ping(context, checks[0], action)
    may_create = context.request.query_params.get("create") == "1" and server.has("create=1")
    # create=1 works up to twice the check limit of the account.
    is_full = account.is_full(factor=2) and server.has("limit for create=1")
    if project is None or not may_create or is_full:
        return text_response("not found", 404)
    return _create(context, project, slug, action)


def _create(context: RequestContext, project: Project, slug: str, action: str) -> Response:
    check = Check(name=slug, slug=slug, channels=project.find_channels("*"))
    # The check is created even if the server then rejects the ping.
    project.checks[check.uuid] = check
    return _ping(context, check, action, created=True)


def _ping(context: RequestContext, check: Check, action: str, *, created: bool = False) -> Response:
    error = _record(context, check, action)
    if error is not None:
        response = text_response(error, 400)
    else:
        response = text_response("Created", 201) if created else text_response("OK")
        if context.site.ping_body_limit is not None and context.site.version.has("Ping-Body-Limit"):
            response.headers["Ping-Body-Limit"] = str(context.site.ping_body_limit)
        response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers.update(NO_CACHE)
    return response


def _record(context: RequestContext, check: Check, action: str) -> str | None:
    """Record a ping, or return an error message if it is invalid."""
    request, server = context.request, context.site.version
    exit_status = int(action) if action.isdigit() else None
    if exit_status is not None and exit_status > _MAX_EXIT_STATUS and server.has("limit of exit statuses"):
        return "invalid url format"
    body = _read_body(context)
    ping_type = _SIGNALS[action] if exit_status is None else "fail" if exit_status else "success"
    if check.methods and request.method != check.methods:
        ping_type = "ign"
    elif check.filter_http_body:
        ping_type = _classify_by_keywords(check, body)
    rid = request.query_params.get("rid") if server.has("run IDs") else None
    if rid is not None and not _RUN_ID.fullmatch(rid):
        # The server fails on a trailing line break.
        if _RUN_ID.fullmatch(rid.removesuffix("\n")):
            raise PageError(500)
        return "invalid uuid format"
    check.ping(
        ping_type,
        context.now,
        scheme=request.headers.get("X-Forwarded-Proto", "http"),
        remote_addr=_remote_address(context),
        method=request.method,
        user_agent=request.headers.get("User-Agent", "")[:_MAX_USER_AGENT_LENGTH],
        rid=None if rid is None else uuid.UUID(rid),
        exit_status=exit_status,
        body=body,
    )
    check.prune(context.site.account.ping_log_limit)
    return None


def _read_body(context: RequestContext) -> bytes:
    """Return the part of the body that the server stores."""
    server, limit = context.site.version, context.site.ping_body_limit
    body = context.read_body()
    if server.has("ping bodies as bytes"):
        return body[:limit]
    try:
        text = body.decode(errors="replace" if server.has("ping bodies that are not UTF-8") else "strict")
    except UnicodeDecodeError:
        raise PageError(500) from None
    # The limit counts characters.
    return text[:limit].encode()


def _classify_by_keywords(check: Check, body: bytes) -> PingType:
    """Return the type of a ping by the keywords in its body, regardless of its URL."""
    try:
        content = body.decode()
    except UnicodeDecodeError:
        raise PageError(500) from None
    rules: dict[PingType, str] = {"fail": check.failure_kw, "success": check.success_kw, "start": check.start_kw}
    for ping_type, keywords in rules.items():
        if any(keyword.strip() and keyword.strip() in content for keyword in keywords.split(",")):
            return ping_type
    return "fail" if check.filter_default_fail else "ign"


def _remote_address(context: RequestContext) -> str:
    client = context.request.client
    address = context.request.headers.get("X-Forwarded-For", client.host if client else "").split(",")[0]
    # Some proxies append the port.
    return re.sub(r"^([0-9]+(?:\.[0-9]+){3}):.*", r"\1", address)


_BY_UUID = rf"/ping/{UUID}"
_BY_SLUG = r"/ping/(?P<ping_key>[-a-zA-Z0-9_]+)/(?P<slug>[-a-zA-Z0-9_]+)"
# int() rejects longer strings of digits.
_EXIT_STATUS = "[0-9]{1,4300}"

# Without log pings, /ping/<uuid>/log is a ping by slug.
ROUTES = [
    Route(rf"{_BY_UUID}(?:/(?P<action>start|fail)?)?", ping_by_uuid),
    Route(rf"{_BY_UUID}/(?P<action>{_EXIT_STATUS})", ping_by_uuid, "exit statuses"),
    Route(rf"{_BY_UUID}/(?P<action>log)", ping_by_uuid, "log pings"),
    Route(rf"{_BY_SLUG}(?:/(?P<action>start|fail|{_EXIT_STATUS}))?", ping_by_slug, "slugs"),
    Route(rf"{_BY_SLUG}/(?P<action>log)", ping_by_slug, "log pings"),
]
