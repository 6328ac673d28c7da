"""The ping API."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from healthchecks_io.sandbox.responses import NO_CACHE, UUID, PageError, text_response
from healthchecks_io.sandbox.state import Check

if TYPE_CHECKING:
    from starlette.responses import Response

    from healthchecks_io.sandbox.responses import Endpoint, RequestContext
    from healthchecks_io.sandbox.state import PingType, Project

_MAX_EXIT_STATUS = 255
_MAX_USER_AGENT_LENGTH = 200
_SIGNALS: dict[str, PingType] = {"": "success", "start": "start", "fail": "fail", "log": "log"}
_RUN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def ping_by_uuid(context: RequestContext, uuid: str, action: str) -> Response:
    """Handle a ping by UUID."""
    found = context.site.account.find(uuid, context.now)
    response = text_response("not found", 404) if found is None else _ping(context, found[1], action)
    response.headers.update(NO_CACHE)
    return response


def ping_by_slug(context: RequestContext, ping_key: str, slug: str, action: str) -> Response:
    """Handle a ping by slug. With create=1, create the check if it does not exist."""
    if slug != slug.lower():
        return text_response("invalid url format", 400)
    account = context.site.account
    project = next((project for project in account.projects if project.ping_key == ping_key), None)
    checks = [check for check in project.current_checks(context.now) if check.slug == slug] if project else []
    if len(checks) > 1:
        return text_response("ambiguous slug", 409)
    if checks:
        return _ping(context, checks[0], action)
    # create=1 works up to twice the check limit of the account.
    if project is None or context.request.query_params.get("create") != "1" or account.is_full(factor=2):
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
        if context.site.ping_body_limit is not None:
            response.headers["Ping-Body-Limit"] = str(context.site.ping_body_limit)
        response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers.update(NO_CACHE)
    return response


def _record(context: RequestContext, check: Check, action: str) -> str | None:
    """Record a ping, or return an error message if it is invalid."""
    request = context.request
    exit_status = int(action) if action.isdigit() else None
    if exit_status is not None and exit_status > _MAX_EXIT_STATUS:
        return "invalid url format"
    body = context.read_body()[: context.site.ping_body_limit]
    ping_type = _SIGNALS[action] if exit_status is None else "fail" if exit_status else "success"
    if check.methods and request.method != check.methods:
        ping_type = "ign"
    elif check.filter_http_body:
        ping_type = _classify_by_keywords(check, body)
    rid = request.query_params.get("rid")
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


# int() rejects longer strings of digits.
_ACTION = r"(?P<action>start|fail|log|[0-9]{1,4300})"

ROUTES: dict[str, Endpoint] = {
    rf"/ping/{UUID}(?:/{_ACTION}?)?": ping_by_uuid,
    rf"/ping/(?P<ping_key>[-a-zA-Z0-9_]+)/(?P<slug>[-a-zA-Z0-9_]+)(?:/{_ACTION})?": ping_by_slug,
}
