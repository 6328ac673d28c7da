"""The management API, versions 1 to 3."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from starlette.responses import Response

from healthchecks_io.sandbox.badges import badge_urls
from healthchecks_io.sandbox.fields import Fields, InvalidFieldError, parse_fields
from healthchecks_io.sandbox.responses import (
    UUID,
    PageError,
    Route,
    check_csrf,
    dispatch_by_method,
    json_response,
    text_response,
)
from healthchecks_io.sandbox.serializers import serialize_check, serialize_flip, serialize_pings
from healthchecks_io.sandbox.state import BadChannelError, Check, Project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healthchecks_io.sandbox.responses import RequestContext
    from healthchecks_io.sandbox.versions import ServerVersion

_API_KEY_LENGTH = 32
_MAX_FLIPS_SECONDS = 31_536_000
_MAX_FLIPS_TIMESTAMP = 10_000_000_000


class ApiError(Exception):
    """Raised to respond with an error of the API."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True)
class ApiRequest:
    """A request with a valid API key."""

    context: RequestContext
    version: int
    project: Project
    read_only: bool
    json: dict[str, Any]

    @property
    def server(self) -> ServerVersion:
        """The version of the server."""
        return self.context.site.version

    def serialize(self, check: Check) -> dict[str, Any]:
        """Return the JSON object of a check, as visible to the API key of the request."""
        return serialize_check(
            check,
            self.context.now,
            root=self.context.site.root,
            version=self.version,
            read_only=self.read_only,
            server=self.server,
        )

    def find(self, uuid: str) -> Check:
        """Return the check with a UUID.

        Raises:
            PageError: There is no such check.
            ApiError: The check belongs to another project.
        """
        found = self.context.site.account.find(uuid, self.context.now)
        if found is None:
            raise PageError(404)
        project, check = found
        if project is not self.project:
            raise ApiError(text_response(status=403))
        return check

    def find_by_unique_key(self, unique_key: str) -> Check:
        """Return the check with a unique key.

        Raises:
            ApiError: The project has no such check.
        """
        for check in self.project.current_checks(self.context.now):
            if check.unique_key == unique_key:
                return check
        raise ApiError(text_response(status=404))


def list_checks(request: ApiRequest) -> Response:
    """List the checks, filtered by tags and slug."""
    query = request.context.request.query_params
    tags, slug = set(query.getlist("tag")), query.get("slug") if request.server.has("filter by slug") else None
    checks = [
        request.serialize(check)
        for check in request.project.current_checks(request.context.now)
        if tags.issubset(check.tag_list) and (not slug or check.slug == slug)
    ]
    return json_response({"checks": checks})


def create_check(request: ApiRequest) -> Response:
    """Create a check, or update the existing one that matches the `unique` fields."""
    fields = _parse_fields(request)
    existing = request.project.find_existing(fields, request.context.now)
    if existing is None and request.context.site.account.is_full():
        raise ApiError(text_response(status=403))
    check = existing or Check()
    _save(request, check, fields)
    return json_response(request.serialize(check), 200 if existing else 201)


def get_check(request: ApiRequest, uuid: str) -> Response:
    """Return a check."""
    return json_response(request.serialize(request.find(uuid)))


def get_check_by_unique_key(request: ApiRequest, unique_key: str) -> Response:
    """Return a check by its unique key."""
    return json_response(request.serialize(request.find_by_unique_key(unique_key)))


def update_check(request: ApiRequest, uuid: str) -> Response:
    """Update the fields of a check that the request sets."""
    check = request.find(uuid)
    _save(request, check, _parse_fields(request))
    return json_response(request.serialize(check))


def delete_check(request: ApiRequest, uuid: str) -> Response:
    """Delete a check and return it."""
    check = request.project.checks.pop(request.find(uuid).uuid)
    return json_response({**request.serialize(check), "channels": ""})


def pause_check(request: ApiRequest, uuid: str) -> Response:
    """Pause a check."""
    check = request.find(uuid)
    check.pause(request.context.now)
    return json_response(request.serialize(check))


def resume_check(request: ApiRequest, uuid: str) -> Response:
    """Resume a paused check."""
    check = request.find(uuid)
    if check.status != "paused":
        return text_response("check is not paused", 409)
    check.resume(request.context.now)
    return json_response(request.serialize(check))


def list_pings(request: ApiRequest, uuid: str) -> Response:
    """List the pings of a check within the ping log limit."""
    check = request.find(uuid)
    check_url = f"{request.context.site.root}/api/v{request.version}/checks/{uuid}"
    pings = request.context.site.account.visible_pings(check)
    return json_response({"pings": serialize_pings(pings, check_url, request.server)})


def get_ping_body(request: ApiRequest, uuid: str, n: str) -> Response:
    """Return the body of a ping."""
    for ping in request.context.site.account.visible_pings(request.find(uuid)):
        if ping.n == int(n) and ping.body:
            return Response(ping.body, headers={"Content-Type": "text/plain"})
    raise PageError(404)


def list_flips(request: ApiRequest, uuid: str) -> Response:
    """List the flips of a check, filtered by time."""
    return _list_flips(request, request.find(uuid))


def list_flips_by_unique_key(request: ApiRequest, unique_key: str) -> Response:
    """List the flips of a check by its unique key, filtered by time."""
    return _list_flips(request, request.find_by_unique_key(unique_key))


def _list_flips(request: ApiRequest, check: Check) -> Response:
    query = request.context.request.query_params
    try:
        seconds = _parse_int(re.sub(r"\.0*\s*$", "", query.get("seconds", "")) or "0", _MAX_FLIPS_SECONDS)
        start = _parse_timestamp(query.get("start", "0"))
        end = _parse_timestamp(query.get("end", str(_MAX_FLIPS_TIMESTAMP)))
    except ValueError:
        return text_response(status=400)
    if seconds:
        start = max(start, request.context.now - timedelta(seconds=seconds))
    return json_response(
        {"flips": [serialize_flip(flip) for flip in reversed(check.flips) if start <= flip.date < end]}
    )


def list_channels(request: ApiRequest) -> Response:
    """List the integrations of the project."""
    channels = [{"id": channel.id, "name": channel.name, "kind": channel.kind} for channel in request.project.channels]
    return json_response({"channels": channels})


def list_badges(request: ApiRequest) -> Response:
    """List the URLs of the badges of all tags."""
    tags = {"*"}.union(*(check.tag_list for check in request.project.checks.values()))
    return json_response(
        {"badges": {tag: badge_urls(request.context.site, request.project, tag) for tag in sorted(tags)}}
    )


def status(context: RequestContext, **_: str) -> Response:
    """Report that the database works. No key is required."""
    check_csrf(context)
    return text_response("OK")


def metrics(context: RequestContext, **_: str) -> Response:
    """Deny access: no key for the server's own metrics is configured."""
    check_csrf(context)
    return text_response(status=403)


def receive_notification_status(context: RequestContext, **_: str) -> Response:
    """Accept the delivery status of a notification. The sandbox sends no notifications."""
    if context.request.method == "POST":
        return text_response()
    response = text_response(status=405)
    response.headers["Allow"] = "POST"
    return response


def receive_bounce(_: RequestContext, **__: str) -> Response:
    """Reject a bounced email. The sandbox sends no emails, so the signature is always invalid."""
    return text_response("OK (bad signature)")


@dataclass(frozen=True)
class Resource:
    """An endpoint that requires an API key.

    Attributes:
        methods: The handler for each HTTP method. Handlers take the request and the named groups of the route.
        allows_read_only: Whether read-only keys are accepted for GET requests.
    """

    methods: Mapping[str, Callable[..., Response]]
    allows_read_only: bool = False

    def __call__(self, context: RequestContext, version: str, **parts: str) -> Response:
        """Authorize a request and pass it to the handler for its method."""

        def handle(method: str) -> Response:
            try:
                request = _authorize(context, int(version), allows_read_only=self.allows_read_only and method == "GET")
                return self.methods[method](request, **parts)
            except ApiError as error:
                return error.response

        return dispatch_by_method(context, {method: partial(handle, method) for method in self.methods})


def _authorize(context: RequestContext, version: int, *, allows_read_only: bool) -> ApiRequest:
    body = _read_json(context) if context.request.method == "POST" else {}
    # A repeated header counts as one header, its values joined by commas.
    key = ",".join(context.request.headers.getlist("X-Api-Key") or [str(body.get("api_key", ""))])
    if len(key) != _API_KEY_LENGTH:
        raise ApiError(json_response({"error": "missing api key"}, 401))
    for project in context.site.account.projects:
        if key == project.api_key or (key == project.read_only_key and allows_read_only):
            return ApiRequest(context, version, project, key == project.read_only_key, body)
    raise ApiError(json_response({"error": "wrong api key"}, 401))


def _read_json(context: RequestContext) -> dict[str, Any]:
    body = context.read_body()
    try:
        value: object = json.loads(body.decode()) if body else {}
    except ValueError:
        raise ApiError(json_response({"error": "could not parse request body"}, 400)) from None
    except RecursionError:
        raise PageError(500) from None
    if not isinstance(value, dict):
        raise ApiError(json_response({"error": "json validation error: value is not an object"}, 400))
    # The keys of a JSON object are strings.
    return cast("dict[str, Any]", value)


def _parse_fields(request: ApiRequest) -> Fields:
    try:
        fields = parse_fields(request.json, request.server)
        # A lone surrogate makes the server's database fail.
        "".join(value for value in vars(fields).values() if isinstance(value, str)).encode()
    except InvalidFieldError as error:
        raise ApiError(json_response({"error": f"json validation error: {error}"}, 400)) from None
    except (OverflowError, UnicodeEncodeError):
        raise PageError(500) from None
    return fields


def _save(request: ApiRequest, check: Check, fields: Fields) -> None:
    try:
        request.project.save(
            check,
            fields,
            request.context.now,
            derives_slug=request.version < 3 and request.server.has("slugs"),
            finds_channels_by_name=request.server.has("channels by name"),
        )
    except BadChannelError as error:
        raise ApiError(json_response({"error": str(error)}, 400)) from None


def _parse_int(digits: str, maximum: int) -> int:
    number = int(digits)
    if not 0 <= number <= maximum:
        raise ValueError
    return number


def _parse_timestamp(digits: str) -> datetime:
    return datetime.fromtimestamp(_parse_int(digits, _MAX_FLIPS_TIMESTAMP), timezone.utc)


_API = r"/api/v(?P<version>[123])"
# A-z, as in the server's own route: it matches more than letters.
_UNIQUE_KEY = r"(?P<unique_key>[A-z0-9]{40})"

ROUTES = [
    Route(rf"{_API}/checks/", Resource({"GET": list_checks, "POST": create_check}, allows_read_only=True)),
    Route(
        rf"{_API}/checks/{UUID}",
        Resource({"POST": update_check, "DELETE": delete_check, "GET": get_check}, allows_read_only=True),
    ),
    Route(
        rf"{_API}/checks/{_UNIQUE_KEY}",
        Resource({"GET": get_check_by_unique_key}, allows_read_only=True),
        "unique keys",
    ),
    Route(rf"{_API}/checks/{UUID}/pause", Resource({"POST": pause_check})),
    Route(rf"{_API}/checks/{UUID}/resume", Resource({"POST": resume_check}), "resume"),
    Route(rf"{_API}/checks/{UUID}/pings/", Resource({"GET": list_pings}), "pings"),
    Route(
        rf"{_API}/checks/{UUID}/pings/(?P<n>[0-9]{{1,9}})/body",
        Resource({"GET": get_ping_body}),
        "access to ping bodies",
    ),
    Route(rf"{_API}/checks/{UUID}/flips/", Resource({"GET": list_flips}, allows_read_only=True), "flips"),
    Route(
        rf"{_API}/checks/{_UNIQUE_KEY}/flips/",
        Resource({"GET": list_flips_by_unique_key}, allows_read_only=True),
        "unique keys",
    ),
    Route(rf"{_API}/channels/", Resource({"GET": list_channels})),
    Route(rf"{_API}/badges/", Resource({"GET": list_badges}, allows_read_only=True), "badges"),
    Route(rf"{_API}/status/", status),
    Route(rf"{_API}/metrics/", metrics),
    Route(rf"{_API}/notifications/{UUID}/status", receive_notification_status),
    Route(rf"{_API}/bounces/", receive_bounce),
]
