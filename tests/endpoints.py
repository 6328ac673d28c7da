"""The table of endpoints: one row for each method of the clients, or several if it sends different requests.

Tests of behaviour that all endpoints share run once per row. One test checks that every method has a row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import pytest

from healthchecks_io import CheckCreate, CheckNotPausedError, CheckUpdate, HCAPIError, NonUniqueSlugError
from healthchecks_io.sandbox.versions import parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable

UUID = "46788547-e873-48a9-a9af-975558bdaeff"
SLUG = "backup"
PING_KEY = "an-example-ping-key"

_CHECK = "(?:[0-9a-f-]{36}|[0-9a-f]{40})"
_RECORDED_SEGMENTS = {"check_id": _CHECK, "uuid": _CHECK, "ping_key": "[A-Z_]*PING_KEY"}
"""Patterns of the segments of recorded paths that must not be taken for each other."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Endpoint:
    """A call of a client's method, and what is expected of it."""

    method: str
    """The method of the clients."""
    variant: str = ""
    """How this row differs from the other rows of the method."""
    arguments: dict[str, Any]
    """Valid arguments. The only UUID among them is UUID."""
    request: str
    """The HTTP method and the path that the server receives. Names in braces stand for arguments, or the ping key."""
    field: str = ""
    """A field that the JSON body of this variant contains."""
    is_safe_to_repeat: bool
    """Whether the call may be repeated although the server may have processed it."""
    api_key: Literal["required", "optional", "never sent"] = "required"
    garbage: Literal["raises", "is a failure", "is returned"] = "raises"
    """What a response that makes no sense leads to: an HCAPIError, a PingResult without success, or its bytes."""
    document: str = ""
    """The kind of JSON document that the method parses, as in documented.jsonl."""
    conflict: type[HCAPIError] = HCAPIError
    """The exception for status 409."""
    raises_server_errors: bool = True
    """Whether a status of 5xx raises an exception. Otherwise the method returns False."""
    since: str = "1.15"
    """The oldest version of the server that has the endpoint, or 1.15, the oldest that the tests can run against."""

    def __str__(self) -> str:
        return f"{self.method} {self.variant}".rstrip()

    @property
    def is_ping(self) -> bool:
        return " /ping/" in self.request

    @property
    def has_uuid(self) -> bool:
        return UUID in self.arguments.values()

    def call(self, client: Any, uuid: object = UUID) -> Any:
        """Call the method: return its result, or an awaitable of an AsyncClient."""
        arguments = {name: uuid if value == UUID else value for name, value in self.arguments.items()}
        return getattr(client, self.method)(**arguments)

    def request_line(self) -> str:
        """Return the HTTP method and the path of the request of a client with version 1 of the API."""
        return self.request.format(**self.arguments, ping_key=PING_KEY)

    def has_sent(self, request: dict[str, Any]) -> bool:
        """Return whether this call sends such a request as the recorded one."""
        # The clients send all pings with POST. Most are recorded with GET, which servers treat alike.
        method = "POST" if self.is_ping and request["method"] == "GET" else request["method"]
        path = request["path"].partition("?")[0].removeprefix("/hc")
        has_field = not self.field or (isinstance(request["body"], dict) and self.field in request["body"])
        return has_field and re.fullmatch(self._recorded_request, f"{method} {path}") is not None

    @property
    def _recorded_request(self) -> str:
        template = self.request.replace("/api/v1/", r"/api/v\d/")
        return re.sub(r"\{(\w+)\}", lambda match: _RECORDED_SEGMENTS.get(match[1], r"[\w-]+"), template)


def _pings(method: str, ending: str = "", *, since: str = "1.15", **arguments: Any) -> Iterable[Endpoint]:
    """Return the rows of a ping method: it identifies the check by UUID or by slug."""
    for variant, check, path, variant_since in (
        ("by uuid", {"uuid": UUID}, "/ping/{uuid}", since),
        ("by slug", {"slug": SLUG}, "/ping/{ping_key}/{slug}", max("1.23", since, key=parse_version)),
    ):
        yield Endpoint(
            method=method,
            variant=variant,
            arguments={**arguments, **check},
            request=f"POST {path}{ending}",
            is_safe_to_repeat=True,
            api_key="never sent",
            garbage="is a failure",
            conflict=NonUniqueSlugError,
            since=variant_since,
        )


ENDPOINTS = (
    Endpoint(
        method="get_checks",
        arguments={},
        request="GET /api/v1/checks/",
        is_safe_to_repeat=True,
        document="checks",
    ),
    Endpoint(
        method="get_check",
        arguments={"check_id": UUID},
        request="GET /api/v1/checks/{check_id}",
        is_safe_to_repeat=True,
        document="check",
    ),
    Endpoint(
        method="create_check",
        variant="with unique",
        arguments={"new_check": CheckCreate(name="x", unique=["name"])},
        request="POST /api/v1/checks/",
        field="unique",
        is_safe_to_repeat=True,
        document="check",
    ),
    Endpoint(
        method="create_check",
        arguments={"new_check": CheckCreate(name="x")},
        request="POST /api/v1/checks/",
        is_safe_to_repeat=False,
        document="check",
    ),
    Endpoint(
        method="update_check",
        arguments={"uuid": UUID, "update_check": CheckUpdate(name="x")},
        request="POST /api/v1/checks/{uuid}",
        is_safe_to_repeat=True,
        document="check",
    ),
    Endpoint(
        method="pause_check",
        arguments={"check_id": UUID},
        request="POST /api/v1/checks/{check_id}/pause",
        is_safe_to_repeat=True,
        document="check",
    ),
    Endpoint(
        method="resume_check",
        arguments={"check_id": UUID},
        request="POST /api/v1/checks/{check_id}/resume",
        is_safe_to_repeat=False,
        document="check",
        conflict=CheckNotPausedError,
        since="2.3",
    ),
    Endpoint(
        method="delete_check",
        arguments={"check_id": UUID},
        request="DELETE /api/v1/checks/{check_id}",
        is_safe_to_repeat=False,
        document="check",
    ),
    Endpoint(
        method="get_check_pings",
        arguments={"check_id": UUID},
        request="GET /api/v1/checks/{check_id}/pings/",
        is_safe_to_repeat=True,
        document="pings",
        since="1.16",
    ),
    Endpoint(
        method="get_ping_body",
        arguments={"check_id": UUID, "n": 1},
        request="GET /api/v1/checks/{check_id}/pings/{n}/body",
        is_safe_to_repeat=True,
        garbage="is returned",
        since="2.5",
    ),
    Endpoint(
        method="get_check_flips",
        arguments={"check_id": UUID},
        request="GET /api/v1/checks/{check_id}/flips/",
        is_safe_to_repeat=True,
        document="flips",
        since="1.16",
    ),
    Endpoint(
        method="get_integrations",
        arguments={},
        request="GET /api/v1/channels/",
        is_safe_to_repeat=True,
        document="channels",
    ),
    Endpoint(
        method="get_badges",
        arguments={},
        request="GET /api/v1/badges/",
        is_safe_to_repeat=True,
        document="badges",
        since="1.23",
    ),
    Endpoint(
        method="get_status",
        arguments={},
        request="GET /api/v1/status/",
        is_safe_to_repeat=True,
        api_key="optional",
        raises_server_errors=False,
    ),
    *_pings("success_ping"),
    *_pings("start_ping", "/start"),
    *_pings("fail_ping", "/fail"),
    *_pings("log_ping", "/log", since="2.3"),
    *_pings("exit_code_ping", "/{exit_code}", since="1.18", exit_code=3),
)

PROCEDURES = ("apply_checks", "apply_plan", "get_report", "get_reports", "plan_checks")
"""The methods that call several endpoints."""

METHODS = sorted({endpoint.method for endpoint in ENDPOINTS})


def each_endpoint(endpoints: Iterable[Endpoint] = ENDPOINTS) -> pytest.MarkDecorator:
    """Run a test once for each of these rows, as its argument `endpoint`, if the server has the endpoint."""
    rows = [pytest.param(endpoint, marks=pytest.mark.server(endpoint.since)) for endpoint in endpoints]
    return pytest.mark.parametrize("endpoint", rows, ids=str)


def endpoint_named(name: str) -> Endpoint:
    """Return the row with this method and variant."""
    (found,) = (endpoint for endpoint in ENDPOINTS if str(endpoint) == name)
    return found


def endpoint_of(recording: dict[str, Any]) -> Endpoint | None:
    """Return the row whose call sends the request of a recording."""
    return next((endpoint for endpoint in ENDPOINTS if endpoint.has_sent(recording["request"])), None)
