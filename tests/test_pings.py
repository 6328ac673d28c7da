"""The ping API, with both clients."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import (
    BadAPIRequestError,
    CheckCreate,
    CheckNotFoundError,
    HCAPIError,
    HCAPIRateLimitError,
    NonUniqueSlugError,
    PingResult,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox


PING_METHODS = ("success_ping", "start_ping", "fail_ping", "log_ping")
each_ping_method = pytest.mark.parametrize(
    ("method", "ping_type"),
    [
        ("success_ping", "success"),
        ("start_ping", "start"),
        ("fail_ping", "fail"),
        pytest.param("log_ping", "log", marks=pytest.mark.server("2.3")),
    ],
)


@each_ping_method
def test_a_ping_by_uuid_is_recorded_with_its_type(api: Api, hc: Sandbox, method: str, ping_type: Any) -> None:
    check = api.create_check(CheckCreate(name="Backup"))

    assert getattr(api, method)(check.uuid, data="a note") == PingResult(success=True, text="OK")
    (ping,) = hc.pings(check)
    assert (ping.type, ping.method, ping.body) == (ping_type, "POST", b"a note")


@pytest.mark.server("1.23")
@each_ping_method
def test_a_ping_by_slug_is_recorded_with_its_type(api: Api, hc: Sandbox, method: str, ping_type: Any) -> None:
    api.create_check(CheckCreate(name="backup", slug="backup"))

    assert getattr(api, method)(slug="backup") == (True, "OK")
    assert [ping.type for ping in hc.pings("backup")] == [ping_type]


@pytest.mark.server("1.18")
@pytest.mark.parametrize(("exit_code", "ping_type"), [(0, "success"), (1, "fail"), (255, "fail")])
def test_an_exit_code_is_recorded_as_success_or_failure(api: Api, hc: Sandbox, exit_code: Any, ping_type: Any) -> None:
    check = api.create_check(CheckCreate())

    assert api.exit_code_ping(exit_code, check.uuid).success
    assert [ping.type for ping in hc.pings(check)] == [ping_type]


@pytest.mark.server("2.10")
def test_a_ping_with_create_creates_the_check(api: Api, hc: Sandbox) -> None:
    assert api.success_ping(slug="new-one", create=True) == (True, "Created")
    assert [check.slug for check in hc.checks] == ["new-one"]


@pytest.mark.server("2.5")
def test_a_run_id_is_sent_in_canonical_form(api: Api, hc: Sandbox) -> None:
    check = api.create_check(CheckCreate())
    rid = uuid.uuid4()

    for form in (rid, str(rid), str(rid).upper(), rid.hex, f"{{{rid}}}"):
        api.start_ping(check.uuid, rid=form)

    assert {ping.rid for ping in hc.pings(check)} == {rid}


def test_text_is_sent_as_utf_8_and_lone_surrogates_are_replaced(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, "OK")

    connect(**stub.settings()).success_ping("u", data="ünï \ud800 end")

    assert stub.requests[0].body == "ünï ? end".encode()
    assert stub.requests[0].headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize("unit", ["a", "ü", "€", "😀"])
def test_only_the_end_of_long_text_is_sent_without_splitting_a_character(
    connect: Callable[..., Api], stub: Stub, unit: str
) -> None:
    stub.queue_response(200, "OK")
    text = unit * 1_000_000 + "end"

    connect(**stub.settings()).success_ping("u", data=text)

    sent = stub.requests[0].body
    assert 1_000_000 - 4 < len(sent) <= 1_000_000
    assert text.endswith(sent.decode())


def test_bytes_are_sent_unchanged_up_to_the_size_limit(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, "OK")

    connect(**stub.settings()).success_ping("u", data=b"\xff" * 1_000_001)

    assert stub.requests[0].body == b"\xff" * 1_000_000


def test_a_ping_without_data_sends_a_content_length_of_zero(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, "OK")

    connect(**stub.settings()).start_ping("u")

    assert stub.requests[0].headers["Content-Length"] == "0"


@pytest.mark.parametrize(
    ("status", "text"),
    [(200, "Created"), (201, "OK"), (200, "ok"), (200, "OK "), (200, ""), (200, "<html>Welcome to the WiFi</html>")],
)
def test_an_unexpected_response_is_not_a_success(
    connect: Callable[..., Api], stub: Stub, status: int, text: str
) -> None:
    stub.queue_response(status, text)

    assert connect(**stub.settings()).success_ping("u") == (False, text)


@pytest.mark.parametrize(
    ("text", "error_class"),
    [
        ("OK (not found)", CheckNotFoundError),
        ("OK (rate limited)", HCAPIRateLimitError),
        ("OK (rate-limited)", HCAPIRateLimitError),
        ("Rate Limited", HCAPIRateLimitError),
    ],
)
def test_an_error_text_with_status_200_raises_and_is_not_retried(
    connect: Callable[..., Api], stub: Stub, text: str, error_class: Any
) -> None:
    stub.queue_response(200, text)

    with pytest.raises(error_class) as caught:
        connect(**stub.settings(retries=2)).success_ping("u")
    assert caught.value.status_code == 200
    assert len(stub.requests) == 1


@pytest.mark.server("1.23")
def test_a_ping_for_an_unknown_slug_raises_check_not_found(api: Api) -> None:
    with pytest.raises(CheckNotFoundError, match="not found"):
        api.success_ping(slug="unknown")


@pytest.mark.server("1.23")
def test_a_slug_shared_by_several_checks_raises_non_unique_slug_error(api: Api) -> None:
    for _ in range(2):
        api.create_check(CheckCreate(name="twin", slug="twin"))

    with pytest.raises(NonUniqueSlugError, match="ambiguous slug") as caught:
        api.success_ping(slug="twin")
    assert caught.value.status_code == 409


@pytest.mark.parametrize("status", [202, 204, 302, 304, 418])
def test_any_other_status_code_raises_an_hcapi_error(connect: Callable[..., Api], stub: Stub, status: int) -> None:
    stub.queue_response(status)

    with pytest.raises(HCAPIError) as caught:
        connect(**stub.settings()).success_ping("u")
    assert type(caught.value) is HCAPIError
    assert caught.value.status_code == status


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either a UUID or a slug"),
        ({"uuid": "u", "slug": "s"}, "either a UUID or a slug"),
        ({"slug": "UPPER"}, "slug must consist of"),
        ({"slug": "a b"}, "slug must consist of"),
        ({"slug": 5}, "slug must be a string, not int"),
        ({"uuid": "pingkey"}, "the ping key was passed as the UUID"),
        ({"uuid": None}, "uuid is None: a check read with a read-only key has no uuid"),
        ({"uuid": "https://hc-ping.com/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"}, "uuid must be .* not a URL"),
        ({"uuid": 5}, "uuid must be a string or a uuid.UUID, not int"),
        ({"uuid": "u", "create": True}, "create needs a slug"),
        ({"uuid": "u", "rid": "not-a-uuid"}, "rid (is not a valid|must be a) UUID"),
        ({"uuid": "u", "rid": ""}, "rid (is not a valid|must be a) UUID"),
        ({"uuid": "u", "rid": "1_345678-1234-5678-1234-567812345678"}, "rid (is not a valid|must be a) UUID"),
        ({"uuid": "u", "rid": "+2345678123456781234567812345678"}, "rid (is not a valid|must be a) UUID"),
        ({"slug": "a" * 70_000}, "the arguments make the URL too long"),
        ({"uuid": "u", "rid": 5}, "rid (is not a valid|must be a) UUID"),
        ({"uuid": "u", "data": None}, "data must be str or bytes, not NoneType"),
        ({"uuid": "u", "data": 5}, "data must be str or bytes, not int"),
    ],
)
def test_invalid_arguments_are_rejected_before_sending(
    connect: Callable[..., Api], stub: Stub, arguments: dict[str, Any], message: str
) -> None:
    api = connect(**stub.settings())

    for method in PING_METHODS:
        with pytest.raises(BadAPIRequestError, match=message):
            getattr(api, method)(**arguments)
    with pytest.raises(BadAPIRequestError, match=message):
        api.exit_code_ping(1, **arguments)
    assert stub.requests == []


@pytest.mark.parametrize("exit_code", [-1, 256, 2**100, "1", 1.0, True, None])
def test_an_exit_code_must_be_an_integer_from_0_to_255(connect: Callable[..., Api], stub: Stub, exit_code: Any) -> None:
    with pytest.raises(BadAPIRequestError, match="exit_code"):
        connect(**stub.settings()).exit_code_ping(exit_code, "u")
    assert stub.requests == []


def test_a_ping_by_slug_needs_a_ping_key(connect: Callable[..., Api], stub: Stub) -> None:
    with pytest.raises(BadAPIRequestError, match="needs a ping key"):
        connect(**stub.settings(ping_key="")).success_ping(slug="backup")
    assert stub.requests == []
