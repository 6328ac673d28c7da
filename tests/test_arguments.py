"""Arguments that are rejected before a request is sent."""

from __future__ import annotations

import math
import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given, strategies

from healthchecks_io import BadAPIRequestError, CheckCreate, CheckTrap, CheckUpdate, Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub


HOSTILE_IDENTIFIERS = [
    "../x",
    "..",
    ".",
    "a/b",
    "x?y",
    "x#y",
    "%2f",
    "a\nb",
    "a\r\nHost: x",
    "a b",
    "ünï",
    "",
    "a;b",
    "\\",
    "\0",
    "٣",
]
NON_STRINGS: list[Any] = [None, 5, b"bytes", ["a"], 1.5]

CALLS: dict[str, Callable[..., Any]] = {
    "get_check": lambda api, check: api.get_check(check),
    "update_check": lambda api, check: api.update_check(check, CheckUpdate(name="x")),
    "pause_check": lambda api, check: api.pause_check(check),
    "resume_check": lambda api, check: api.resume_check(check),
    "delete_check": lambda api, check: api.delete_check(check),
    "get_check_pings": lambda api, check: api.get_check_pings(check),
    "get_ping_body": lambda api, check: api.get_ping_body(check, 1),
    "get_check_flips": lambda api, check: api.get_check_flips(check),
    "success_ping": lambda api, check: api.success_ping(check),
    "success_ping by slug": lambda api, check: api.success_ping(slug=check),
    "exit_code_ping": lambda api, check: api.exit_code_ping(0, check),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_an_identifier_that_could_change_the_url_is_rejected(
    connect: Callable[..., Api], stub: Stub, call: Callable[..., Any]
) -> None:
    api = connect(**stub.settings())

    for identifier in [*HOSTILE_IDENTIFIERS, *NON_STRINGS]:
        with pytest.raises(BadAPIRequestError):
            call(api, identifier)
    assert stub.requests == []


@given(strategies.text())
def test_an_identifier_is_sent_unchanged_or_rejected(identifier: str) -> None:
    client = Client(ping_key="key")
    try:
        call = client._get_check(identifier)
    except BadAPIRequestError:
        return
    path = call.path
    assert path.lower() == f"checks/{identifier}".lower()
    assert not set(path) & set("?#%. \\")


def test_a_uuid_is_sent_in_lower_case(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, "OK")
    check = uuid.uuid4()

    connect(**stub.settings()).success_ping(str(check).upper())

    assert stub.requests[0].path == f"/ping/{check}"


@pytest.mark.parametrize("tags", ["prod", b"prod", 5, list, [5], [None], ["a", b"b"], ["\ud800"]])
def test_tags_must_be_a_list_of_strings(connect: Callable[..., Api], stub: Stub, tags: Any) -> None:
    with pytest.raises(BadAPIRequestError, match="tag"):
        connect(**stub.settings()).get_checks(tags=tags)
    assert stub.requests == []


@pytest.mark.parametrize("slug", [5, b"x", "\udfff"])
def test_an_invalid_slug_filter_is_rejected(connect: Callable[..., Api], stub: Stub, slug: Any) -> None:
    with pytest.raises(BadAPIRequestError, match="slug"):
        connect(**stub.settings()).get_checks(slug=slug)
    assert stub.requests == []


@pytest.mark.parametrize("n", [0, -1, 2**31, 2**100, "1", 1.0, True, None])
def test_an_invalid_ping_number_is_rejected(connect: Callable[..., Api], stub: Stub, n: Any) -> None:
    with pytest.raises(BadAPIRequestError, match="n must be"):
        connect(**stub.settings()).get_ping_body("u", n)
    assert stub.requests == []


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"seconds": -1}, "seconds must be from 0 to 31536000"),
        ({"seconds": 31536001}, "seconds must be from 0 to 31536000"),
        ({"seconds": timedelta(days=-1)}, "seconds must be from 0 to 31536000"),
        ({"seconds": timedelta(microseconds=-1)}, "seconds must be from 0 to 31536000"),
        ({"seconds": timedelta(days=365, microseconds=1)}, "seconds must be from 0 to 31536000"),
        ({"seconds": timedelta.max}, "seconds must be from 0 to 31536000"),
        ({"seconds": "53w"}, "seconds must be from 0 to 31536000"),
        ({"seconds": "an hour"}, "seconds: 'an hour' is not a valid duration: use .* 90s, 1h30m or '1d 12h'"),
        ({"seconds": "1.5s"}, "seconds: '1.5s' is not a whole number of seconds"),
        ({"seconds": 1.5}, "seconds must be whole seconds, a timedelta or text such as '1h 30m', not float"),
        ({"seconds": True}, "seconds must be whole seconds, a timedelta or text such as '1h 30m', not bool"),
        ({"start": -1}, "start must be from 0 to 10000000000 UNIX seconds, or a datetime in that range"),
        ({"start": -0.5}, "start must be from 0 to 10000000000 UNIX seconds"),
        ({"end": -0.5}, "end must be from 0 to 10000000000 UNIX seconds"),
        ({"start": float("nan")}, "start must be from 0 to 10000000000 UNIX seconds"),
        ({"end": float("inf")}, "end must be from 0 to 10000000000 UNIX seconds"),
        ({"end": float("-inf")}, "end must be from 0 to 10000000000 UNIX seconds"),
        ({"end": 1e300}, "end must be from 0 to 10000000000 UNIX seconds"),
        ({"start": 10**400}, "start must be from 0 to 10000000000 UNIX seconds"),
        ({"end": 10_000_000_001}, "end must be from 0 to 10000000000 UNIX seconds"),
        ({"end": 10_000_000_000.5}, "end must be from 0 to 10000000000 UNIX seconds"),
        ({"start": True}, r"start must be UNIX seconds \(int or float\) or an aware datetime, not bool"),
        ({"start": timedelta(1)}, r"start must be UNIX seconds \(int or float\) or an aware datetime, not timedelta"),
        ({"end": "2026-01-01"}, r"end must be UNIX seconds \(int or float\) or an aware datetime, not str"),
        ({"start": datetime(2026, 1, 1)}, "start must be an aware datetime"),  # noqa: DTZ001 - naive on purpose
        ({"start": datetime(1960, 1, 1, tzinfo=timezone.utc)}, "start must be from 0"),
        ({"end": datetime(1969, 12, 31, 23, 59, 59, 500_000, timezone.utc)}, "end must be from 0"),
        ({"end": datetime.max.replace(tzinfo=timezone.utc)}, "end must be from 0"),
    ],
)
def test_invalid_flip_filters_are_rejected(
    connect: Callable[..., Api], stub: Stub, filters: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadAPIRequestError, match=message):
        connect(**stub.settings()).get_check_flips("u", **filters)
    assert stub.requests == []


EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
moments = strategies.timedeltas(timedelta(0), timedelta(seconds=9_999_999_999)).map(lambda time: EPOCH + time)


@given(strategies.floats(0, 10_000_000_000) | strategies.integers(0, 10_000_000_000))
def test_unix_seconds_are_extended_to_the_whole_seconds_around_them(moment: float) -> None:
    start, end = flip_filters(start=moment, end=moment)

    assert start == math.floor(moment)
    assert end == math.ceil(moment)


@given(moments)
@example(datetime(2286, 1, 1, 0, 0, 0, 999_999, timezone.utc))
def test_datetimes_are_extended_to_the_whole_seconds_around_them(moment: datetime) -> None:
    start, end = (EPOCH + timedelta(seconds=seconds) for seconds in flip_filters(start=moment, end=moment))

    assert start == moment.replace(microsecond=0)
    assert end == (start if moment == start else start + timedelta(seconds=1))


@given(strategies.timedeltas(timedelta(0), timedelta(days=365)))
@example(timedelta(microseconds=1))
def test_a_timedelta_is_rounded_up_to_whole_seconds(duration: timedelta) -> None:
    (seconds,) = flip_filters(seconds=duration)

    assert timedelta(0) <= timedelta(seconds=seconds) - duration < timedelta(seconds=1)


def flip_filters(**filters: Any) -> list[int]:
    call = Client(api_key="key")._get_check_flips("u", **{"seconds": None, "start": None, "end": None, **filters})
    return [int(value) for _, value in parse_qsl(urlsplit(call.path).query)]


@pytest.mark.parametrize("new_check", [None, {}, {"name": "x"}, "x", CheckUpdate(name="x")])
def test_create_check_requires_a_check_create(connect: Callable[..., Api], stub: Stub, new_check: Any) -> None:
    with pytest.raises(BadAPIRequestError, match="new_check must be a CheckCreate"):
        connect(**stub.settings()).create_check(new_check)
    assert stub.requests == []


@pytest.mark.parametrize("update", [None, {}, {"name": "x"}, "x"])
def test_update_check_requires_a_check_update(connect: Callable[..., Api], stub: Stub, update: Any) -> None:
    with pytest.raises(BadAPIRequestError, match="update_check must be a CheckUpdate"):
        connect(**stub.settings()).update_check("u", update)
    assert stub.requests == []


def test_a_check_create_modified_in_place_is_validated_again(connect: Callable[..., Api], stub: Stub) -> None:
    new_check: Any = CheckCreate(name="x", unique=["name"])
    new_check.unique.append("slug")

    with pytest.raises(BadAPIRequestError, match="slug is named in unique"):
        connect(**stub.settings()).create_check(new_check)
    assert stub.requests == []


FLAGS = ("suppress_exceptions", "send_start", "send_body", "handle_sigterm")
BODY_LIMIT_MESSAGE = "body_limit must be a number of bytes from 100 to 1000000, or None, not "
IGNORE_MESSAGE = r"ignore must be an exception class or a tuple of them, such as \(Retry,\), but contains "


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *(
            ({"body_limit": limit}, BODY_LIMIT_MESSAGE)
            for limit in (0, 99, 1_000_001, -500, "500", 500.0, True, b"500")
        ),
        ({"ignore": 5}, IGNORE_MESSAGE + "5"),
        ({"ignore": None}, IGNORE_MESSAGE + "None"),
        ({"ignore": "Retry"}, IGNORE_MESSAGE + "'Retry'"),
        ({"ignore": ValueError()}, IGNORE_MESSAGE + r"ValueError\(\)"),
        ({"ignore": (ValueError, int)}, IGNORE_MESSAGE + "<class 'int'>"),
        ({"ignore": [ValueError, (KeyError,)]}, IGNORE_MESSAGE),
        ({"ignore": list[ValueError]}, IGNORE_MESSAGE),
        ({"log_scope": "thread"}, "log_scope must be one of run, process, not 'thread'"),
        ({"log_scope": None}, "log_scope must be one of run, process, not None"),
        ({"log_scope": ["run"]}, r"log_scope must be one of run, process, not \['run'\]"),
        ({"ping_errors": "ignore"}, "ping_errors must be one of raise-config, raise, log, not 'ignore'"),
        *(({flag: 1}, f"{flag} must be True or False, not 1") for flag in FLAGS),
        *(({flag: None}, f"{flag} must be True or False, not None") for flag in FLAGS),
        *(({flag: "no"}, f"{flag} must be True or False, not 'no'") for flag in FLAGS),
        ({"create": 1}, "create must be True, False or a CheckCreate, not int"),
        ({"create": None}, "create must be True, False or a CheckCreate, not NoneType"),
        ({"create": {"slug": "s"}}, "create must be True, False or a CheckCreate, not dict"),
        ({"create": CheckUpdate(slug="s")}, "create must be True, False or a CheckCreate, not CheckUpdate"),
        (
            {"create": CheckCreate(slug="other")},
            "create has the slug 'other', but the slug of the CheckTrap is 's'",
        ),
    ],
)
def test_invalid_options_of_a_check_trap_are_rejected(
    connect: Callable[..., Api], stub: Stub, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadAPIRequestError, match=message):
        CheckTrap(connect(**stub.settings()).client, slug="s", **options)
    assert stub.requests == []


@pytest.mark.parametrize("create", [True, CheckCreate(), CheckCreate(name="x")])
def test_a_check_that_a_check_trap_creates_needs_a_slug(connect: Callable[..., Api], stub: Stub, create: Any) -> None:
    with pytest.raises(BadAPIRequestError):
        CheckTrap(connect(**stub.settings()).client, create=create)
    with pytest.raises(BadAPIRequestError, match="UUID"):
        CheckTrap(connect(**stub.settings()).client, "u", create=create)
    assert stub.requests == []
