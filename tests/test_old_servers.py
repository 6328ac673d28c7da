"""Errors and warnings name what a server may be too old for: see docs/reference/server-versions.md."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from endpoints import ENDPOINTS, SLUG, UUID, Endpoint, each_endpoint, endpoint_named

from healthchecks_io import BadAPIRequestError, CheckCreate, CheckNotFoundError, CheckUpdate, HCAPIError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub

HTML_400 = "<!doctype html><html><head><title>Bad Request (400)</title></head></html>"
"""What Django responds to a request that it rejects before it gets to Healthchecks."""


# 404.


NO_CHECK = {
    "by uuid": ["no check with this UUID", "ping URL is wrong"],
    "by slug": ["no check with this slug", "ping key or the ping URL is wrong", "older than 1.23.* no slugs"],
    "create": [
        "ping key or the ping URL is wrong",
        "twice its check limit",
        "older than 2.10.* cannot create",
    ],
}
NO_ACTION = {
    "success_ping": [],
    "start_ping": [],
    "fail_ping": [],
    "log_ping": ["older than 2.3.* no log pings"],
    "exit_code_ping": ["older than 1.18.* no exit statuses"],
}


@pytest.mark.parametrize("method", NO_ACTION)
@pytest.mark.parametrize(
    ("variant", "arguments"),
    [("by uuid", {"uuid": UUID}), ("by slug", {"slug": SLUG}), ("create", {"slug": SLUG, "create": True})],
    ids=NO_CHECK,
)
def test_the_error_for_a_ping_that_is_not_found_names_all_likely_reasons(
    connect: Callable[..., Api], stub: Stub, method: str, variant: str, arguments: dict[str, Any]
) -> None:
    stub.queue_response(404, "not found")
    if method == "exit_code_ping":
        arguments = {"exit_code": 3, **arguments}

    with pytest.raises(CheckNotFoundError) as caught:
        getattr(connect(**stub.settings()), method)(**arguments)
    reasons = str(caught.value).partition("Likely reasons: ")[2].split("; ")
    expected = [*NO_CHECK[variant], *NO_ACTION[method]]
    assert len(reasons) == len(expected)
    assert all(re.search(pattern, reason) for pattern, reason in zip(expected, reasons, strict=True)), reasons


@each_endpoint(endpoint for endpoint in ENDPOINTS if not endpoint.is_ping)
@pytest.mark.parametrize(
    ("version", "advice"),
    [
        (1, None),
        (2, "the server is older than 2.6 and does not have version 2 of the API (try version 1)"),
        (3, "the server is older than 2.10 and does not have version 3 of the API (try version 2 or 1)"),
    ],
)
def test_the_error_for_an_endpoint_that_is_not_found_names_the_server_that_the_api_version_needs(
    connect: Callable[..., Api], stub: Stub, endpoint: Endpoint, version: int, advice: str | None
) -> None:
    stub.queue_response(404)

    with pytest.raises(CheckNotFoundError) as caught:
        endpoint.call(connect(**stub.settings(api_version=version)))
    reasons = re.split("Likely reasons?: |; |[.]$", str(caught.value))
    assert [reason for reason in reasons if "version" in reason] == ([advice] if advice else [])


@each_endpoint(endpoint for endpoint in ENDPOINTS if endpoint.is_ping)
def test_the_error_for_a_ping_that_is_not_found_does_not_blame_the_api_version(
    connect: Callable[..., Api], stub: Stub, endpoint: Endpoint
) -> None:
    stub.queue_response(404, "not found")

    with pytest.raises(CheckNotFoundError) as caught:
        endpoint.call(connect(**stub.settings(api_version=3)))
    assert "version" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("get_check", ["no such check", "since Healthchecks 1.16 its unique key", "API URL is wrong"]),
        ("update_check", ["no check with this UUID", "API URL is wrong"]),
        ("pause_check", ["no check with this UUID", "API URL is wrong"]),
        ("delete_check", ["no check with this UUID", "API URL is wrong"]),
        ("get_check_pings", ["no check with this UUID", "older than 1.16 and does not list pings", "API URL is wrong"]),
        ("get_check_flips", ["no such check", "older than 1.16 and has no flips", "API URL is wrong"]),
        ("resume_check", ["no check with this UUID", "older than 2.3", "API URL is wrong"]),
        ("get_ping_body", ["no such check or ping", "the ping has no body", "older than 2.5", "API URL is wrong"]),
        ("get_badges", ["older than 1.23 and has no badges", "API URL is wrong"]),
        ("get_checks", ["API URL is wrong"]),
        ("create_check", ["API URL is wrong"]),
        ("get_integrations", ["API URL is wrong"]),
        ("get_status", ["API URL is wrong"]),
    ],
)
def test_the_error_for_an_endpoint_that_is_not_found_names_all_likely_reasons(
    connect: Callable[..., Api], stub: Stub, name: str, reasons: list[str]
) -> None:
    stub.queue_response(404)

    with pytest.raises(CheckNotFoundError, match=".*".join([*reasons, "version 3 of the API"])):
        endpoint_named(name).call(connect(**stub.settings(api_version=3)))


@pytest.mark.parametrize("name", ["update_check", "delete_check"])
def test_the_error_for_a_unique_key_where_the_server_expects_a_uuid_asks_for_the_uuid(
    connect: Callable[..., Api], stub: Stub, name: str
) -> None:
    stub.queue_response(405)

    with pytest.raises(HCAPIError, match="Pass the UUID of the check: its unique key works only for"):
        endpoint_named(name).call(connect(**stub.settings()))


# 400.


@each_endpoint()
def test_the_error_for_a_request_that_is_rejected_as_a_whole_names_all_likely_reasons(
    connect: Callable[..., Api], stub: Stub, endpoint: Endpoint
) -> None:
    stub.queue_response(400, HTML_400)
    setting = "ping URL" if endpoint.is_ping else "API URL"

    with pytest.raises(
        BadAPIRequestError,
        match=f"ALLOWED_HOSTS setting does not include the host of the {setting}; the request is too long",
    ):
        endpoint.call(connect(**stub.settings()))


@pytest.mark.parametrize("body", ['{"error": "timeout is too large"}', "invalid url format", ""])
def test_the_error_for_a_request_that_healthchecks_rejects_does_not_blame_allowed_hosts(
    connect: Callable[..., Api], stub: Stub, body: str
) -> None:
    stub.queue_response(400, body)

    with pytest.raises(BadAPIRequestError) as caught:
        connect(**stub.settings()).get_checks()
    assert "ALLOWED_HOSTS" not in str(caught.value)


def test_the_error_for_a_server_that_cannot_find_checks_by_slug_names_the_version_that_can(
    connect: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(400, """{"error": "json validation error: an item in 'unique' has unexpected value"}""")

    with pytest.raises(BadAPIRequestError, match="needs Healthchecks 2.10 or newer"):
        connect(**stub.settings()).create_check(CheckCreate(slug="a", unique=["slug"]))


# Parameters and fields that are ignored.


def check(**fields: Any) -> dict[str, Any]:
    """Return a check as a server sends it: with these fields and those that every server has."""
    every_server = {"name": "", "tags": "", "desc": "", "grace": 3600, "n_pings": 0, "status": "new", "channels": ""}
    return {**every_server, "ping_url": f"https://healthchecks.example/ping/{UUID}", **fields}


def test_get_checks_filters_by_slug_even_if_the_server_does_not(connect: Callable[..., Api], stub: Stub) -> None:
    checks = [check(name="payroll", slug="payroll"), check(name="database", slug="database"), check(name="no slug")]
    stub.queue_response(200, json.dumps({"checks": checks}))
    api = connect(**stub.settings())

    assert [each.name for each in api.get_checks(slug="database")] == ["database"]
    assert api.get_checks(slug="other") == []
    assert [each.name for each in api.get_checks()] == ["payroll", "database", "no slug"]
    assert [request.path for request in stub.requests[:2]] == [
        "/api/v1/checks/?slug=database",
        "/api/v1/checks/?slug=other",
    ]


def save(api: Api, method: str, **fields: Any) -> Any:
    if method == "create_check":
        return api.create_check(CheckCreate(**fields))
    return api.update_check(UUID, CheckUpdate(**fields))


@pytest.fixture(params=["create_check", "update_check"])
def method(request: pytest.FixtureRequest) -> str:
    """The method that saves a check. Tests that use it run with both methods."""
    name: str = request.param
    return name


def test_a_warning_names_the_fields_that_the_server_ignored(
    connect: Callable[..., Api], stub: Stub, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    stub.queue_response(200, json.dumps(check(name="Backup", timeout=60, methods="POST")))
    api = connect(**stub.settings())

    saved = save(api, method, name="Backup", timeout=60, methods="POST", start_kw="go", filter_http_body=False)

    assert saved.name == "Backup"
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("healthchecks_io", "WARNING")
    assert record.message.endswith("ignored them: filter_http_body, start_kw")


def test_a_warning_names_the_slug_if_the_server_derived_another_one_from_the_name(
    connect: Callable[..., Api], stub: Stub, method: str, caplog: pytest.LogCaptureFixture
) -> None:
    stub.queue_response(200, json.dumps(check(name="Nightly backup", slug="nightly-backup", timeout=60)))

    saved = save(connect(**stub.settings()), method, name="Nightly backup", slug="backup")

    assert saved.slug == "nightly-backup"
    (record,) = caplog.records
    assert record.message.endswith("ignored them: slug")


@pytest.mark.parametrize(
    ("sent", "returned"),
    [
        ({"slug": "backup", "methods": ""}, {"slug": "backup", "methods": "", "timeout": 86400}),
        ({"name": "Backup", "unique": ["name"]}, {"timeout": 86400}),
        ({"name": "Backup", "unique": ["name"], "schedule": "0 3 * * *"}, {"schedule": "0 3 * * *", "tz": "UTC"}),
        ({"tz": "Europe/Riga"}, {"timeout": 86400}),
        ({"timeout": 60, "schedule": "0 3 * * *", "tz": "UTC"}, {"schedule": "0 3 * * *", "tz": "UTC"}),
        ({"tz": "America/Argentina/ComodRivadavia"}, {"schedule": "0 3 * * *", "tz": "America/Argentina/Catamarca"}),
        ({"channels": "*", "tags": ["prod"], "desc": "x", "grace": 60}, {"timeout": 86400}),
    ],
    ids=[
        "known fields",
        "unique",
        "unique with schedule",
        "tz without schedule",
        "timeout with schedule",
        "another name of tz",
        "old fields",
    ],
)
def test_there_is_no_warning_about_fields_that_responses_need_not_have(
    connect: Callable[..., Api],
    stub: Stub,
    method: str,
    sent: dict[str, Any],
    returned: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    stub.queue_response(200, json.dumps(check(**returned)))

    save(connect(**stub.settings()), method, **sent)

    assert [record.message for record in caplog.records] == []
