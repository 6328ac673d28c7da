"""Every endpoint with both clients: what all have in common, and the management API against the sandbox."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from endpoints import ENDPOINTS, PING_KEY, SLUG, Endpoint, each_endpoint

from healthchecks_io import (
    BadAPIRequestError,
    CheckCreate,
    CheckNotFoundError,
    CheckNotPausedError,
    CheckUpdate,
    HCAPIAuthError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox


UNKNOWN_UUID = "00000000-0000-4000-8000-000000000000"
NEEDING_A_KEY = [endpoint for endpoint in ENDPOINTS if endpoint.api_key == "required"]


@each_endpoint()
def test_a_call_sends_one_request_with_its_method_and_path(
    connect: Callable[..., Api], stub: Stub, endpoint: Endpoint
) -> None:
    stub.queue_response(400)

    with pytest.raises(BadAPIRequestError):
        endpoint.call(connect(**stub.settings(ping_key=PING_KEY)))
    assert [f"{request.method} {request.path}" for request in stub.requests] == [endpoint.request_line()]


@each_endpoint()
def test_a_call_sends_the_api_key_unless_it_is_a_ping(
    connect: Callable[..., Api], stub: Stub, endpoint: Endpoint
) -> None:
    stub.queue_response(400)
    settings = stub.settings()

    with pytest.raises(BadAPIRequestError):
        endpoint.call(connect(**settings))
    sent = stub.requests[0].headers.get("X-Api-Key")
    assert sent == (None if endpoint.api_key == "never sent" else settings["api_key"])


@each_endpoint()
def test_a_call_succeeds(api: Api, endpoint: Endpoint) -> None:
    check = api.create_check(CheckCreate(name="Backup", slug=SLUG))
    api.success_ping(check.uuid, data="the body of the ping with number 1")
    # Only a paused check can be resumed.
    api.pause_check(check.uuid)

    result = endpoint.call(api, check.uuid)

    assert result is not False
    assert getattr(result, "success", True)


@pytest.mark.server("1.23")
def test_a_new_check_has_the_given_fields_and_server_defaults(api: Api, hc: Sandbox) -> None:
    check = api.create_check(CheckCreate(name="Backup", slug="backup", tags=["prod", "db"], timeout=timedelta(hours=1)))

    assert (check.name, check.slug, check.tags, check.timeout, check.grace) == (
        "Backup",
        "backup",
        "prod db",
        3600,
        3600,
    )
    assert (check.status, check.started, check.n_pings, check.last_ping) == ("new", False, 0, None)
    assert [stored.uuid for stored in hc.checks] == [check.uuid]


def test_a_check_with_a_schedule_is_a_cron_check(api: Api) -> None:
    check = api.create_check(CheckCreate(schedule="15 5 * * *", tz="Europe/Riga"))

    assert (check.schedule, check.tz, check.timeout) == ("15 5 * * *", "Europe/Riga", None)


def test_an_upsert_keeps_fields_that_are_not_set(api: Api, hc: Sandbox) -> None:
    check = api.create_check(CheckCreate(name="Backup", desc="keep me", schedule="15 5 * * *", grace=600))

    upserted = api.create_check(CheckCreate(name="Backup", tags="new", unique=["name"]))

    assert (upserted.uuid, upserted.desc, upserted.schedule, upserted.grace, upserted.tags) == (
        check.uuid, "keep me", "15 5 * * *", 600, "new",
    )  # fmt: skip
    assert len(hc.checks) == 1


def test_an_update_changes_only_the_fields_that_are_set(api: Api) -> None:
    check = api.create_check(CheckCreate(name="Backup", desc="keep me", timeout=600))

    updated = api.update_check(check.uuid, CheckUpdate(name="Renamed"))

    assert (updated.name, updated.desc, updated.timeout) == ("Renamed", "keep me", 600)


def test_an_update_with_an_empty_string_clears_the_field(api: Api) -> None:
    check = api.create_check(CheckCreate(desc="to be cleared"))

    assert api.update_check(check.uuid, CheckUpdate(desc="")).desc == ""


def test_update_check_accepts_a_check_create(api: Api) -> None:
    check = api.create_check(CheckCreate(name="Backup", timeout=600))

    assert api.update_check(check.uuid, CheckCreate(name="Renamed")).timeout == 600


def test_get_check_accepts_a_uuid_as_an_object_or_a_string_in_any_case(api: Api) -> None:
    check = api.create_check(CheckCreate(name="Backup"))

    for check_id in (check.uuid, uuid.UUID(check.uuid), check.uuid.upper()):
        assert api.get_check(check_id) == check


@pytest.mark.server("1.16")
def test_with_a_read_only_key_checks_are_identified_by_unique_key(
    api: Api, connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox
) -> None:
    api.create_check(CheckCreate(name="Backup"))
    read_only = connect(**settings | {"api_key": hc.read_only_key})

    (check,) = read_only.get_checks()

    assert (check.uuid, check.ping_url, check.channels) == (None, None, None)
    assert read_only.get_check(check.unique_key) == check
    assert read_only.get_check_flips(check.unique_key) == []


def test_a_tag_filter_matches_checks_that_have_all_the_tags(api: Api) -> None:
    for name, tags in (("a", "x"), ("b", "x y"), ("c", "y")):
        api.create_check(CheckCreate(name=name, tags=tags))

    assert [check.name for check in api.get_checks()] == ["a", "b", "c"]
    assert [check.name for check in api.get_checks(tags=["x"])] == ["a", "b"]
    assert [check.name for check in api.get_checks(tags=("x", "y"))] == ["b"]


@pytest.mark.parametrize("tag", ["a&tag=b", "50%", "ünï", "a/b", "x=y", "q?r", "#1", "c++"])
def test_special_characters_in_a_tag_filter_are_escaped(api: Api, tag: str) -> None:
    api.create_check(CheckCreate(name="it", tags=tag))
    api.create_check(CheckCreate(name="other", tags="b"))

    assert [check.name for check in api.get_checks(tags=[tag])] == ["it"]


@pytest.mark.server("1.23")
def test_checks_are_filtered_by_slug(api: Api) -> None:
    api.create_check(CheckCreate(name="one", slug="one"))
    api.create_check(CheckCreate(name="two", slug="two"))

    assert [check.slug for check in api.get_checks(slug="two")] == ["two"]


@pytest.mark.server("2.3")
def test_a_check_can_be_paused_and_resumed(api: Api) -> None:
    check = api.create_check(CheckCreate(name="Backup"))

    assert api.pause_check(check.uuid).status == "paused"
    assert api.resume_check(check.uuid).status == "new"


@pytest.mark.server("2.3")
def test_a_check_that_is_not_paused_cannot_be_resumed(api: Api) -> None:
    check = api.create_check(CheckCreate(name="Backup"))

    with pytest.raises(CheckNotPausedError, match="check is not paused") as caught:
        api.resume_check(check.uuid)
    assert caught.value.status_code == 409


def test_delete_check_returns_the_check_and_removes_it(api: Api, hc: Sandbox) -> None:
    check = api.create_check(CheckCreate(name="Backup"))

    assert api.delete_check(check.uuid).name == "Backup"
    assert hc.checks == []
    with pytest.raises(CheckNotFoundError):
        api.delete_check(check.uuid)


@pytest.mark.server("2.5")
def test_get_check_pings_lists_the_newest_ping_first_with_its_run_id(api: Api) -> None:
    check = api.create_check(CheckCreate(name="Backup"))
    rid = uuid.uuid4()
    api.start_ping(check.uuid, rid=rid)
    api.success_ping(check.uuid, data="done", rid=rid)

    success, start = api.get_check_pings(check.uuid)

    assert (success.type, success.number_of_pings, success.rid) == ("success", 2, str(rid))
    assert (start.type, start.number_of_pings, start.body_url) == ("start", 1, None)
    assert success.duration is not None
    assert success.date.tzinfo is not None
    assert success.user_agent.startswith("py-healthchecks.io")


@pytest.mark.server("2.5")
@pytest.mark.parametrize("data", [b"plain", b"\xff\x00\r\n binary", "ünï".encode()])
def test_get_ping_body_returns_the_exact_bytes(api: Api, data: bytes) -> None:
    check = api.create_check(CheckCreate(name="Backup"))
    api.success_ping(check.uuid, data=data)

    assert api.get_ping_body(check.uuid, 1) == data


@pytest.mark.server("2.5")
def test_get_ping_body_raises_not_found_for_a_ping_without_a_body(api: Api) -> None:
    check = api.create_check(CheckCreate(name="Backup"))
    api.success_ping(check.uuid)

    with pytest.raises(CheckNotFoundError, match="no body"):
        api.get_ping_body(check.uuid, 1)


@pytest.mark.server("1.16")
def test_get_check_flips_lists_status_changes_newest_first(api: Api) -> None:
    check = api.create_check(CheckCreate(name="Backup"))
    api.success_ping(check.uuid)
    api.fail_ping(check.uuid)

    assert [flip.up for flip in api.get_check_flips(check.uuid)] == [0, 1]


@pytest.mark.server("1.16")
def test_flips_are_filtered_by_time(api: Api, hc: Sandbox) -> None:
    check = api.create_check(CheckCreate(name="Backup"))
    api.success_ping(check.uuid)
    before = datetime.now(timezone.utc) + timedelta(minutes=30)
    hc.advance(hours=1)
    api.fail_ping(check.uuid)

    for minute in (60, timedelta(minutes=1), "1m"):
        assert [flip.up for flip in api.get_check_flips(check.uuid, seconds=minute)] == [0]
    for moment in (before, before.timestamp(), int(before.timestamp())):
        assert [flip.up for flip in api.get_check_flips(check.uuid, start=moment)] == [0]
        assert [flip.up for flip in api.get_check_flips(check.uuid, end=moment)] == [1]
    assert api.get_check_flips(check.uuid, start=int(before.timestamp()), end=before) == []


def test_null_in_one_check_does_not_fail_the_list(connect: Callable[..., Api], stub: Stub) -> None:
    check = {"name": "x", "grace": 60, "n_pings": 0, "status": "new"}
    stub.queue_response(200, json.dumps({"checks": [check, check | {"desc": None, "methods": None}]}))

    first, second = connect(**stub.settings()).get_checks()

    assert first == second
    assert second.desc == ""


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=timezone.utc), 1767225600.5])
def test_the_interval_of_a_flip_filter_is_extended_to_whole_seconds(
    connect: Callable[..., Api], stub: Stub, moment: datetime | float
) -> None:
    stub.queue_response(200, '{"flips": []}')

    connect(**stub.settings()).get_check_flips(UNKNOWN_UUID, seconds=timedelta(seconds=1.5), start=moment, end=moment)

    assert stub.requests[0].path.endswith("?seconds=2&start=1767225600&end=1767225601")


def test_get_integrations_lists_the_integrations_of_the_project(api: Api) -> None:
    assert [(integration.name, integration.kind) for integration in api.get_integrations()] == [
        ("Ops Email", "email"),
        ("Ops Webhook", "webhook"),
    ]


@pytest.mark.server("1.18")
def test_integrations_can_be_assigned_by_name(api: Api) -> None:
    check = api.create_check(CheckCreate(channels=["Ops Email"]))

    assert check.channels == api.get_integrations()[0].id


def test_the_error_for_an_unknown_integration_quotes_the_server(api: Api, hc: Sandbox) -> None:
    with pytest.raises(BadAPIRequestError, match="invalid channel identifier: Unknown"):
        api.create_check(CheckCreate(channels="Unknown"))
    assert hc.checks == []


@pytest.mark.server("1.23")
def test_get_badges_returns_badges_for_each_tag_and_for_all_checks(api: Api) -> None:
    api.create_check(CheckCreate(tags="prod"))

    badges = api.get_badges()

    assert set(badges) == {"*", "prod"}
    assert badges["prod"].json_url.endswith(".json")
    assert badges["prod"].shields3.endswith(".shields")


@each_endpoint(endpoint for endpoint in ENDPOINTS if endpoint.api_key == "optional")
def test_some_endpoints_need_no_api_key(
    connect: Callable[..., Api], settings: dict[str, Any], endpoint: Endpoint
) -> None:
    assert endpoint.call(connect(**settings | {"api_key": ""})) is True


def test_get_status_is_false_on_a_server_error(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox
) -> None:
    hc.fail_next(status=500)

    assert connect(**settings, retries=0).get_status() is False


@pytest.mark.parametrize(
    "version",
    [
        pytest.param(version, marks=pytest.mark.server(since))
        for version, since in ((1, "1.23"), (2, "2.6"), (3, "2.10"))
    ],
)
def test_every_api_version_is_supported(connect: Callable[..., Api], settings: dict[str, Any], version: int) -> None:
    api = connect(**settings | {"api_version": version})

    check = api.create_check(CheckCreate(name="My Backup"))

    assert f"/api/v{version}/" in check.update_url
    assert check.slug == ("" if version == 3 else "my-backup")


@each_endpoint(endpoint for endpoint in ENDPOINTS if endpoint.has_uuid)
def test_an_unknown_check_raises_check_not_found(api: Api, endpoint: Endpoint) -> None:
    with pytest.raises(CheckNotFoundError) as caught:
        endpoint.call(api, UNKNOWN_UUID)
    assert caught.value.status_code == 404


@each_endpoint(NEEDING_A_KEY)
def test_a_wrong_api_key_raises_an_auth_error(
    connect: Callable[..., Api], settings: dict[str, Any], endpoint: Endpoint
) -> None:
    with pytest.raises(HCAPIAuthError, match="wrong api key") as caught:
        endpoint.call(connect(**settings | {"api_key": "x" * 32}))
    assert caught.value.status_code == 401


@each_endpoint(NEEDING_A_KEY)
def test_a_missing_api_key_raises_an_auth_error_that_names_the_setting(
    connect: Callable[..., Api], settings: dict[str, Any], endpoint: Endpoint
) -> None:
    with pytest.raises(HCAPIAuthError, match="set HEALTHCHECKS_API_KEY"):
        endpoint.call(connect(**settings | {"api_key": ""}))


def test_a_check_of_another_project_raises_an_auth_error(
    api: Api, connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox
) -> None:
    check = api.create_check(CheckCreate())
    other_project = connect(**settings | {"api_key": hc.other_api_key})

    with pytest.raises(HCAPIAuthError, match="another project") as caught:
        other_project.get_check(check.uuid)
    assert caught.value.status_code == 403
