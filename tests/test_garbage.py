"""Whatever a server sends, a call raises nothing but HCAPIError."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from endpoints import ENDPOINTS

from healthchecks_io import HCAPIError, HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub


CHECK = {"name": "x", "grace": 60, "n_pings": 0, "status": "new"}
GARBAGE = {
    "empty": b"",
    "HTML": b"<!doctype html><h1>It works!</h1>",
    "null": b"null",
    "number": b"5",
    "string": b'"checks"',
    "empty object": b"{}",
    "nested empty list": b"[[]]",
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "truncated": b'{"checks": [{"name": "x"',
    "deeply nested list": b"[" * 100_000,
    "deeply nested object": b'{"checks":' * 100_000,
    "huge number": b'{"checks": [{"grace": 1e999999}]}',
    "many digits": b'{"checks": [{"n_pings": ' + b"9" * 10_000 + b"}]}",
    "lone surrogate": b'{"checks": [{"name": "\\ud800"}]}',
    "envelopes with null": b'{"checks":null,"pings":null,"flips":null,"channels":null,"badges":null}',
    "envelopes with objects": b'{"checks":{},"pings":{},"flips":{},"channels":{},"badges":[]}',
    "envelopes with numbers": b'{"checks":[1],"pings":[1],"flips":[1],"channels":[1],"badges":{"x":1}}',
    "wrong types": json.dumps({**CHECK, "grace": "soon", "checks": [{**CHECK, "tags": 5}]}).encode(),
    "invalid time": json.dumps(
        {**CHECK, "last_ping": "2026-01-01", "checks": [{**CHECK, "last_ping": 1e300}]}
    ).encode(),
}
SHORT_GARBAGE = {name: garbage for name, garbage in GARBAGE.items() if len(garbage) < 65_536}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
@pytest.mark.parametrize("content_type", ["application/json", "text/html; charset=idna"])
def test_garbage_raises_an_hcapi_error(
    connect: Callable[..., Api], stub: Stub, content_type: str, garbage: bytes
) -> None:
    api = connect(**stub.settings())
    stub.queue_response(200, garbage, {"Content-Type": content_type})
    for endpoint in ENDPOINTS:
        if endpoint.garbage == "raises":
            with pytest.raises(HCAPIError, match=r"^[A-Z]+ http") as caught:
                endpoint.call(api)
            assert type(caught.value) is HCAPIError
            assert caught.value.__cause__ is None
            assert caught.value.__context__ is None


@pytest.mark.parametrize("garbage", SHORT_GARBAGE.values(), ids=SHORT_GARBAGE)
def test_garbage_is_not_a_successful_ping(connect: Callable[..., Api], stub: Stub, garbage: bytes) -> None:
    api = connect(**stub.settings())
    stub.queue_response(200, garbage)
    for endpoint in ENDPOINTS:
        if endpoint.garbage == "is a failure":
            assert endpoint.call(api) == (False, garbage.decode("utf-8", "replace")), str(endpoint)


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_what_is_not_parsed_is_returned_verbatim(connect: Callable[..., Api], stub: Stub, garbage: bytes) -> None:
    api = connect(**stub.settings())
    stub.queue_response(200, garbage)
    for endpoint in ENDPOINTS:
        if endpoint.garbage == "is returned":
            assert endpoint.call(api) == garbage, str(endpoint)


def test_the_error_names_the_invalid_field(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, json.dumps({"checks": [CHECK, {**CHECK, "grace": "soon"}]}))

    with pytest.raises(HCAPIError, match=r"200 OK.*checks\.1\.grace: Input should be a valid integer"):
        connect(**stub.settings()).get_checks()


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "GZIP"])
def test_a_compressed_response_is_rejected_unread(connect: Callable[..., Api], stub: Stub, encoding: str) -> None:
    stub.queue_response(200, b"\x1f\x8b", {"Content-Encoding": encoding})

    with pytest.raises(HCAPIError, match="compressed"):
        connect(**stub.settings()).get_checks()
    assert stub.requests[0].headers["Accept-Encoding"] == "identity"


def test_a_compressed_error_response_raises_the_exception_for_its_status(
    connect: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(502, b"\x1f\x8b", {"Content-Encoding": "gzip"})

    with pytest.raises(HCAPIUnavailableError) as caught:
        connect(**stub.settings()).get_checks()
    assert caught.value.response is not None
    assert caught.value.response.content == b""


def test_a_ping_response_may_be_at_most_64_kib(connect: Callable[..., Api], stub: Stub) -> None:
    api = connect(**stub.settings())
    stub.set_response(200, b"x" * 65536)
    assert api.success_ping("u").text == "x" * 65536

    stub.set_response(200, b"x" * 65537)
    with pytest.raises(HCAPIError, match="longer than 65536 bytes"):
        api.success_ping("u")


def test_a_ping_body_may_be_at_most_16_mib(connect: Callable[..., Api], stub: Stub) -> None:
    api = connect(**stub.settings())
    stub.set_response(200, bytes(16 * 1024 * 1024))
    assert len(api.get_ping_body("u", 1)) == 16 * 1024 * 1024

    stub.set_response(200, bytes(16 * 1024 * 1024 + 1))
    with pytest.raises(HCAPIError, match="longer than 16777216 bytes"):
        api.get_ping_body("u", 1)


@pytest.mark.parametrize(
    ("body", "headers"), [(b"x", {"Content-Encoding": "gzip"}), (b"x" * 70_000, {}), (b"\xff", {})]
)
def test_get_status_is_false_on_a_server_error_with_any_body(
    connect: Callable[..., Api], stub: Stub, body: bytes, headers: dict[str, str]
) -> None:
    stub.queue_response(503, body, headers)

    assert connect(**stub.settings()).get_status() is False


@pytest.mark.parametrize("text", ["", "ok", "OK\n", "<html>"])
def test_get_status_rejects_an_undocumented_text(connect: Callable[..., Api], stub: Stub, text: str) -> None:
    stub.queue_response(200, text)

    with pytest.raises(HCAPIError):
        connect(**stub.settings()).get_status()


@pytest.mark.parametrize("length", ["10", "5"])
def test_a_truncated_response_raises_an_unavailable_error(connect: Callable[..., Api], stub: Stub, length: Any) -> None:
    stub.queue_response(200, b'{"a', {"Content-Length": length})

    with pytest.raises(HCAPIUnavailableError):
        connect(**stub.settings()).get_checks()
