"""The ping API."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from healthchecks_io.sandbox.answers import NO_CACHE, UUID, PageError, text
from healthchecks_io.sandbox.state import Check

if TYPE_CHECKING:
    from starlette.responses import Response

    from healthchecks_io.sandbox.answers import Call, Endpoint
    from healthchecks_io.sandbox.state import PingType, Project

_MAX_EXIT_STATUS = 255
_MAX_USER_AGENT_LENGTH = 200
_SIGNALS: dict[str, PingType] = {"": "success", "start": "start", "fail": "fail", "log": "log"}
_RUN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def ping_by_uuid(call: Call, uuid: str, action: str) -> Response:
    """Take a ping for the check with this UUID."""
    found = call.site.account.find(uuid, call.now)
    response = text("not found", 404) if found is None else _ping(call, found[1], action)
    response.headers.update(NO_CACHE)
    return response


def ping_by_slug(call: Call, ping_key: str, slug: str, action: str) -> Response:
    """Take a ping for the check with this slug, which may be created for it."""
    if slug != slug.lower():
        return text("invalid url format", 400)
    account = call.site.account
    project = next((project for project in account.projects if project.ping_key == ping_key), None)
    checks = [check for check in project.settled_checks(call.now) if check.slug == slug] if project else []
    if len(checks) > 1:
        return text("ambiguous slug", 409)
    if checks:
        return _ping(call, checks[0], action)
    # With create=1 an account may have twice as many checks as its limit says.
    if project is None or call.request.query_params.get("create") != "1" or account.is_full(times=2):
        return text("not found", 404)
    return _create(call, project, slug, action)


def _create(call: Call, project: Project, slug: str, action: str) -> Response:
    check = Check(name=slug, slug=slug, channels=project.find_channels("*"))
    # The check stays even if the ping is refused.
    project.checks[check.uuid] = check
    return _ping(call, check, action, created=True)


def _ping(call: Call, check: Check, action: str, *, created: bool = False) -> Response:
    error = _record(call, check, action)
    if error is not None:
        response = text(error, 400)
    else:
        response = text("Created", 201) if created else text("OK")
        if call.site.ping_body_limit is not None:
            response.headers["Ping-Body-Limit"] = str(call.site.ping_body_limit)
        response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers.update(NO_CACHE)
    return response


def _record(call: Call, check: Check, action: str) -> str | None:
    """Record a ping, or return what is wrong with it."""
    request = call.request
    exit_status = int(action) if action.isdigit() else None
    if exit_status is not None and exit_status > _MAX_EXIT_STATUS:
        return "invalid url format"
    body = call.checked_body()[: call.site.ping_body_limit]
    ping_type = _SIGNALS[action] if exit_status is None else "fail" if exit_status else "success"
    if check.methods and request.method != check.methods:
        ping_type = "ign"
    elif check.filter_http_body:
        ping_type = _filter(check, body)
    rid = request.query_params.get("rid")
    if rid is not None and not _RUN_ID.fullmatch(rid):
        # The server stumbles over a line break at the end.
        if _RUN_ID.fullmatch(rid.removesuffix("\n")):
            raise PageError(500)
        return "invalid uuid format"
    check.ping(
        ping_type,
        call.now,
        scheme=request.headers.get("X-Forwarded-Proto", "http"),
        remote_addr=_remote_address(call),
        method=request.method,
        user_agent=request.headers.get("User-Agent", "")[:_MAX_USER_AGENT_LENGTH],
        rid=None if rid is None else uuid.UUID(rid),
        exit_status=exit_status,
        body=body,
    )
    check.prune(call.site.account.ping_log_limit)
    return None


def _filter(check: Check, body: bytes) -> PingType:
    """Let the keywords in the body decide, whatever the URL says."""
    try:
        content = body.decode()
    except UnicodeDecodeError:
        raise PageError(500) from None
    rules: dict[PingType, str] = {"fail": check.failure_kw, "success": check.success_kw, "start": check.start_kw}
    for ping_type, keywords in rules.items():
        if any(keyword.strip() and keyword.strip() in content for keyword in keywords.split(",")):
            return ping_type
    return "fail" if check.filter_default_fail else "ign"


def _remote_address(call: Call) -> str:
    client = call.request.client
    address = call.request.headers.get("X-Forwarded-For", client.host if client else "").split(",")[0]
    # Some proxies add the port.
    return re.sub(r"^([0-9]+(?:\.[0-9]+){3}):.*", r"\1", address)


# Python converts no longer numbers.
_ACTION = r"(?P<action>start|fail|log|[0-9]{1,4300})"

ROUTES: dict[str, Endpoint] = {
    rf"/ping/{UUID}(?:/{_ACTION}?)?": ping_by_uuid,
    rf"/ping/(?P<ping_key>[-a-zA-Z0-9_]+)/(?P<slug>[-a-zA-Z0-9_]+)(?:/{_ACTION})?": ping_by_slug,
}
