"""A body never costs the ping: it is sent again with a smaller body where the server fails on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healthchecks_io import CheckNotFoundError, HCAPIError, HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub

AT_ONCE = {"Retry-After": "0"}


def bodies(stub: Stub) -> list[bytes]:
    return [request.body for request in stub.requests]


def test_a_body_that_the_server_fails_on_is_sent_as_ascii(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(500, headers=AT_ONCE)
    stub.queue_response(500, headers=AT_ONCE)
    stub.queue_response(200, "OK")

    assert connect(**stub.settings(retries=1)).success_ping("u", data="größer").success
    assert bodies(stub) == ["größer".encode(), "größer".encode(), b"gr????er"]


def test_an_ascii_body_that_the_server_fails_on_is_left_out(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(500)
    stub.queue_response(200, "OK")

    assert connect(**stub.settings()).fail_ping("u", data="log").success
    assert bodies(stub) == [b"log", b""]


def test_the_last_attempt_has_no_body(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(501)

    with pytest.raises(HCAPIUnavailableError):
        connect(**stub.settings(retries=2)).success_ping("u", data=b"\xff")
    assert bodies(stub) == [b"\xff", b"?", b""]


def test_a_body_that_is_too_large_is_left_out_at_once(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(413)
    stub.queue_response(200, "OK")

    assert connect(**stub.settings(retries=2)).success_ping("u", data="größer").success
    assert bodies(stub)[1:] == [b""]


def test_a_ping_without_a_body_is_not_repeated(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(413)

    with pytest.raises(HCAPIError):
        connect(**stub.settings()).success_ping("u")
    assert len(stub.requests) == 1


def test_a_client_error_is_not_repeated(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(404)

    with pytest.raises(CheckNotFoundError):
        connect(**stub.settings()).success_ping("u", data="log")
    assert len(stub.requests) == 1


def test_a_warning_states_what_was_sent_instead_of_the_body(
    connect: Callable[..., Api], stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    stub.queue_response(500)
    stub.queue_response(500)
    stub.queue_response(200, "OK")

    connect(**stub.settings()).success_ping("u", data="größer")

    as_ascii, without_body = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert "with ? in place of each non-ASCII byte" in as_ascii
    assert "without its body: a check that filters HTTP bodies may ignore it" in without_body
