"""The management API, versions 1 to 3."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from starlette.responses import Response

from healthchecks_io.sandbox.answers import UUID, PageError, by_method, document, refuse_forged, text
from healthchecks_io.sandbox.badges import badge_urls
from healthchecks_io.sandbox.documents import check_document, flip_document, ping_documents
from healthchecks_io.sandbox.fields import Fields, InvalidFieldError, read_fields
from healthchecks_io.sandbox.state import BadChannelError, Check, Project

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healthchecks_io.sandbox.answers import Call, Endpoint

_API_KEY_LENGTH = 32
_MAX_FLIPS_SECONDS = 31_536_000
_MAX_FLIPS_TIMESTAMP = 10_000_000_000


class RefusedError(Exception):
    """The request ends here, with an answer of the API's own."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


@dataclass(frozen=True)
class ApiCall:
    """A request with a good key."""

    call: Call
    version: int
    project: Project
    read_only: bool
    json: dict[str, Any]

    def describe(self, check: Check) -> dict[str, Any]:
        """Describe a check for the one who asks."""
        return check_document(
            check, self.call.now, root=self.call.site.root, version=self.version, read_only=self.read_only
        )

    def find(self, uuid: str) -> Check:
        """Return the check that the path names.

        Raises:
            PageError: There is no such check.
            RefusedError: It belongs to another project.
        """
        found = self.call.site.account.find(uuid, self.call.now)
        if found is None:
            raise PageError(404)
        project, check = found
        if project is not self.project:
            raise RefusedError(text(status=403))
        return check

    def find_by_unique_key(self, unique_key: str) -> Check:
        """Return the check that the path names without its UUID.

        Raises:
            RefusedError: The project has no such check.
        """
        for check in self.project.settled_checks(self.call.now):
            if check.unique_key == unique_key:
                return check
        raise RefusedError(text(status=404))


def list_checks(api: ApiCall) -> Response:
    """List the checks that have all the tags and the slug that are asked for."""
    query = api.call.request.query_params
    tags, slug = set(query.getlist("tag")), query.get("slug")
    checks = [
        api.describe(check)
        for check in api.project.settled_checks(api.call.now)
        if tags.issubset(check.tag_list) and (not slug or check.slug == slug)
    ]
    return document({"checks": checks})


def create_check(api: ApiCall) -> Response:
    """Create a check, or update the one that agrees in the fields called unique."""
    fields = _fields(api)
    twin = api.project.find_twin(fields, api.call.now)
    if twin is None and api.call.site.account.is_full():
        raise RefusedError(text(status=403))
    check = twin or Check()
    _save(api, check, fields)
    return document(api.describe(check), 200 if twin else 201)


def get_check(api: ApiCall, uuid: str) -> Response:
    """Show a check."""
    return document(api.describe(api.find(uuid)))


def get_check_by_unique_key(api: ApiCall, unique_key: str) -> Response:
    """Show a check without a need for its UUID."""
    return document(api.describe(api.find_by_unique_key(unique_key)))


def update_check(api: ApiCall, uuid: str) -> Response:
    """Change the fields that are given."""
    check = api.find(uuid)
    _save(api, check, _fields(api))
    return document(api.describe(check))


def delete_check(api: ApiCall, uuid: str) -> Response:
    """Delete a check, and show what it was."""
    check = api.project.checks.pop(api.find(uuid).uuid)
    return document({**api.describe(check), "channels": ""})


def pause_check(api: ApiCall, uuid: str) -> Response:
    """Pause a check."""
    check = api.find(uuid)
    check.pause(api.call.now)
    return document(api.describe(check))


def resume_check(api: ApiCall, uuid: str) -> Response:
    """Resume a paused check."""
    check = api.find(uuid)
    if check.status != "paused":
        return text("check is not paused", 409)
    check.resume(api.call.now)
    return document(api.describe(check))


def list_pings(api: ApiCall, uuid: str) -> Response:
    """List the pings that the account may see."""
    check = api.find(uuid)
    check_url = f"{api.call.site.root}/api/v{api.version}/checks/{uuid}"
    return document({"pings": ping_documents(api.call.site.account.visible_pings(check), check_url)})


def get_ping_body(api: ApiCall, uuid: str, n: str) -> Response:
    """Give back what was sent with a ping."""
    for ping in api.call.site.account.visible_pings(api.find(uuid)):
        if ping.n == int(n) and ping.body:
            return Response(ping.body, headers={"Content-Type": "text/plain"})
    raise PageError(404)


def list_flips(api: ApiCall, uuid: str) -> Response:
    """List the flips of a span of time."""
    return _flips(api, api.find(uuid))


def list_flips_by_unique_key(api: ApiCall, unique_key: str) -> Response:
    """List the flips of a span of time without a need for the UUID."""
    return _flips(api, api.find_by_unique_key(unique_key))


def _flips(api: ApiCall, check: Check) -> Response:
    query = api.call.request.query_params
    try:
        seconds = _number(re.sub(r"\.0*\s*$", "", query.get("seconds", "")) or "0", _MAX_FLIPS_SECONDS)
        start = _timestamp(query.get("start", "0"))
        end = _timestamp(query.get("end", str(_MAX_FLIPS_TIMESTAMP)))
    except ValueError:
        return text(status=400)
    if seconds:
        start = max(start, api.call.now - timedelta(seconds=seconds))
    return document({"flips": [flip_document(flip) for flip in reversed(check.flips) if start <= flip.date < end]})


def list_channels(api: ApiCall) -> Response:
    """List the integrations."""
    channels = [{"id": channel.id, "name": channel.name, "kind": channel.kind} for channel in api.project.channels]
    return document({"channels": channels})


def list_badges(api: ApiCall) -> Response:
    """List the addresses of the badges of all tags."""
    tags = {"*"}.union(*(check.tag_list for check in api.project.checks.values()))
    return document({"badges": {tag: badge_urls(api.call.site, api.project, tag) for tag in sorted(tags)}})


def status(call: Call, **_: str) -> Response:
    """Answer whether the database works; no key is needed."""
    refuse_forged(call)
    return text("OK")


def metrics(call: Call, **_: str) -> Response:
    """Refuse: this server has no key for its own metrics."""
    refuse_forged(call)
    return text(status=403)


def take_notification_status(call: Call, **_: str) -> Response:
    """Take what a delivery service reports of a notification; this server sends none."""
    if call.request.method == "POST":
        return text()
    response = text(status=405)
    response.headers["Allow"] = "POST"
    return response


def take_bounce(_: Call, **__: str) -> Response:
    """Take an e-mail that came back; this server sends none, so all are forged."""
    return text("OK (bad signature)")


@dataclass(frozen=True)
class Resource:
    """What can be done at one path.

    Attributes:
        methods: The function for each HTTP method; it is given the parts of the path.
        public: Whether a read-only key may get it.
    """

    methods: Mapping[str, Callable[..., Response]]
    public: bool = False

    def __call__(self, call: Call, version: str, **parts: str) -> Response:
        """Answer a request for this path."""

        def answer(method: str) -> Response:
            try:
                api = _authorize(call, int(version), accepts_read_only=self.public and method == "GET")
                return self.methods[method](api, **parts)
            except RefusedError as refused:
                return refused.response

        return by_method(call, {method: partial(answer, method) for method in self.methods})


def _authorize(call: Call, version: int, *, accepts_read_only: bool) -> ApiCall:
    body = _read_json(call) if call.request.method == "POST" else {}
    # A header that is given twice counts as one with a comma in it.
    key = ",".join(call.request.headers.getlist("X-Api-Key") or [str(body.get("api_key", ""))])
    if len(key) != _API_KEY_LENGTH:
        raise RefusedError(document({"error": "missing api key"}, 401))
    for project in call.site.account.projects:
        if key == project.api_key or (key == project.read_only_key and accepts_read_only):
            return ApiCall(call, version, project, key == project.read_only_key, body)
    raise RefusedError(document({"error": "wrong api key"}, 401))


def _read_json(call: Call) -> dict[str, Any]:
    body = call.checked_body()
    try:
        value: object = json.loads(body.decode()) if body else {}
    except ValueError:
        raise RefusedError(document({"error": "could not parse request body"}, 400)) from None
    except RecursionError:
        raise PageError(500) from None
    if not isinstance(value, dict):
        raise RefusedError(document({"error": "json validation error: value is not an object"}, 400))
    # In JSON all keys are strings.
    return cast("dict[str, Any]", value)


def _fields(api: ApiCall) -> Fields:
    try:
        fields = read_fields(api.json)
        # Half a character is more than the server's database takes.
        "".join(value for value in vars(fields).values() if isinstance(value, str)).encode()
    except InvalidFieldError as error:
        raise RefusedError(document({"error": f"json validation error: {error}"}, 400)) from None
    except (OverflowError, UnicodeEncodeError):
        raise PageError(500) from None
    return fields


def _save(api: ApiCall, check: Check, fields: Fields) -> None:
    try:
        api.project.save(check, fields, api.call.now, api.version)
    except BadChannelError as error:
        raise RefusedError(document({"error": str(error)}, 400)) from None


def _number(digits: str, maximum: int) -> int:
    number = int(digits)
    if not 0 <= number <= maximum:
        raise ValueError
    return number


def _timestamp(digits: str) -> datetime:
    return datetime.fromtimestamp(_number(digits, _MAX_FLIPS_TIMESTAMP), timezone.utc)


_API = r"/api/v(?P<version>[123])"
# From "A" to "z" in ASCII, not only letters: so the server's route says.
_UNIQUE_KEY = r"(?P<unique_key>[A-z0-9]{40})"

ROUTES: dict[str, Endpoint] = {
    rf"{_API}/checks/": Resource({"GET": list_checks, "POST": create_check}, public=True),
    rf"{_API}/checks/{UUID}": Resource({"POST": update_check, "DELETE": delete_check, "GET": get_check}, public=True),
    rf"{_API}/checks/{_UNIQUE_KEY}": Resource({"GET": get_check_by_unique_key}, public=True),
    rf"{_API}/checks/{UUID}/pause": Resource({"POST": pause_check}),
    rf"{_API}/checks/{UUID}/resume": Resource({"POST": resume_check}),
    rf"{_API}/checks/{UUID}/pings/": Resource({"GET": list_pings}),
    rf"{_API}/checks/{UUID}/pings/(?P<n>[0-9]{{1,9}})/body": Resource({"GET": get_ping_body}),
    rf"{_API}/checks/{UUID}/flips/": Resource({"GET": list_flips}, public=True),
    rf"{_API}/checks/{_UNIQUE_KEY}/flips/": Resource({"GET": list_flips_by_unique_key}, public=True),
    rf"{_API}/channels/": Resource({"GET": list_channels}),
    rf"{_API}/badges/": Resource({"GET": list_badges}, public=True),
    rf"{_API}/status/": status,
    rf"{_API}/metrics/": metrics,
    rf"{_API}/notifications/{UUID}/status": take_notification_status,
    rf"{_API}/bounces/": take_bounce,
}
