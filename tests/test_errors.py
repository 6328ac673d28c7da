"""Every failure raises the documented exception, with a message that helps to fix it."""

from __future__ import annotations

import contextlib
import copy
import inspect
import pickle
import re
import socket
import ssl
import threading
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trustme
from endpoints import ENDPOINTS, Endpoint, each_endpoint

import healthchecks_io
from healthchecks_io import (
    BadAPIRequestError,
    CheckCreate,
    CheckNotFoundError,
    HCAPIAuthError,
    HCAPIError,
    HCAPIRateLimitError,
    HCAPIUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub


STATUSES = [
    (400, BadAPIRequestError),
    (401, HCAPIAuthError),
    (402, HCAPIError),
    (403, HCAPIAuthError),
    (404, CheckNotFoundError),
    (405, HCAPIError),
    (408, HCAPIUnavailableError),
    (418, HCAPIError),
    (429, HCAPIRateLimitError),
    (500, HCAPIUnavailableError),
    (501, HCAPIUnavailableError),
    (502, HCAPIUnavailableError),
    (503, HCAPIUnavailableError),
    (504, HCAPIUnavailableError),
    (599, HCAPIUnavailableError),
    (600, HCAPIError),
    (999, HCAPIError),
]


@pytest.mark.parametrize(("status", "error_class"), STATUSES)
def test_each_status_code_raises_the_documented_exception(
    connect: Callable[..., Api], stub: Stub, status: int, error_class: Any
) -> None:
    stub.queue_response(status, "server message")
    api = connect(**stub.settings())

    for endpoint in ENDPOINTS:
        if endpoint.raises_server_errors or not 500 <= status < 600:
            method = endpoint.request.split()[0]
            with pytest.raises(HCAPIError, match=f"^{method} http://.* returned {status}.*server message") as caught:
                endpoint.call(api)
            assert type(caught.value) is error_class
            assert caught.value.status_code == status
            assert caught.value.response is not None
            assert caught.value.response.text == "server message"


@each_endpoint(endpoint for endpoint in ENDPOINTS if not endpoint.raises_server_errors)
def test_server_errors_are_the_result_of_some_endpoints(
    connect: Callable[..., Api], stub: Stub, endpoint: Endpoint
) -> None:
    api = connect(**stub.settings())

    for status in (500, 502, 599):
        stub.set_response(status, "server message")
        assert endpoint.call(api) is False


@each_endpoint()
def test_status_409_raises_an_exception_specific_to_the_endpoint(
    connect: Callable[..., Api], stub: Stub, endpoint: Endpoint
) -> None:
    stub.queue_response(409, "conflict")

    with pytest.raises(HCAPIError) as caught:
        endpoint.call(connect(**stub.settings()))
    assert type(caught.value) is endpoint.conflict


def test_the_error_mentions_the_check_limit_if_create_check_is_forbidden(
    connect: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(403)

    with pytest.raises(HCAPIAuthError, match="check limit"):
        connect(**stub.settings()).create_check(CheckCreate())


@pytest.mark.parametrize("method", ["get_checks", "get_integrations", "get_badges", "get_status"])
def test_the_error_for_a_forbidden_request_without_a_check_blames_a_proxy(
    connect: Callable[..., Api], stub: Stub, method: str
) -> None:
    stub.queue_response(403)

    with pytest.raises(HCAPIAuthError, match="a proxy in front of the server") as caught:
        getattr(connect(**stub.settings()), method)()
    assert "project" not in str(caught.value)


def test_the_error_for_a_key_that_the_server_reports_as_missing_suggests_that_it_is_malformed(
    connect: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(401, '{"error": "missing api key"}')

    with pytest.raises(HCAPIAuthError, match="malformed key, for example a ping key"):
        connect(**stub.settings(api_key="k" * 22)).get_checks()


def test_a_404_is_not_blamed_on_the_url_or_version_if_the_client_has_used_them(
    connect: Callable[..., Api], stub: Stub
) -> None:
    api = connect(**stub.settings(api_version=3))
    stub.set_response(200, '{"checks": []}')
    api.get_checks()

    stub.set_response(404)
    with pytest.raises(CheckNotFoundError, match=r"Likely reason: there is no such check \([^)]*\)\.$"):
        api.get_check("u")


def test_a_successful_ping_does_not_show_that_the_api_url_is_right(connect: Callable[..., Api], stub: Stub) -> None:
    api = connect(**stub.settings(api_version=3))
    stub.set_response(200, "OK")
    api.success_ping("u")

    stub.set_response(404)
    with pytest.raises(CheckNotFoundError, match="the API URL is wrong"):
        api.get_check("u")


def test_a_server_error_does_not_show_that_the_api_url_is_right(connect: Callable[..., Api], stub: Stub) -> None:
    api = connect(**stub.settings(api_version=3))
    stub.set_response(500)
    assert not api.get_status()

    stub.set_response(404)
    with pytest.raises(CheckNotFoundError, match="the API URL is wrong"):
        api.get_check("u")


@pytest.mark.parametrize("status", [401, 403])
def test_the_error_for_a_forbidden_ping_does_not_blame_the_api_key(
    connect: Callable[..., Api], stub: Stub, status: int
) -> None:
    stub.queue_response(status)

    with pytest.raises(HCAPIAuthError, match="a proxy in front of the server"):
        connect(**stub.settings(api_key="")).success_ping("u")


@pytest.mark.parametrize(
    ("status", "headers", "advice"),
    [
        (200, {}, "Check that the API URL is that of a Healthchecks server."),
        (301, {}, "Check that the API URL is that of a Healthchecks server."),
        (408, {}, "Try again later."),
        (410, {}, "Check that the API URL is that of a Healthchecks server."),
        (429, {"Retry-After": "12"}, "Try again in 12 s."),
        (500, {}, "Try again later."),
        (501, {}, "Try again later."),
    ],
)
def test_every_error_ends_with_advice(
    connect: Callable[..., Api], stub: Stub, status: int, headers: dict[str, str], advice: str
) -> None:
    stub.queue_response(status, "", headers)

    with pytest.raises(HCAPIError) as caught:
        connect(**stub.settings()).get_checks()
    assert str(caught.value).endswith(advice)


def test_the_error_for_a_refused_connection_names_the_url_to_check(connect: Callable[..., Api]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    with pytest.raises(HCAPIUnavailableError, match=r"Check that the ping URL is right, and that the server is up\.$"):
        connect(ping_url=url, ping_key="k", retries=0).success_ping(slug="s")


def test_the_error_for_an_unknown_certificate_says_how_to_make_it_known(connect: Callable[..., Api]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(context)
    with context.wrap_socket(socket.create_server(("localhost", 0)), server_side=True) as server:
        threading.Thread(target=_accept_once, args=(server,), daemon=True).start()
        api = connect(api_url=f"https://localhost:{server.getsockname()[1]}/api/", api_key="k" * 32, retries=0)
        with pytest.raises(HCAPIUnavailableError, match=r"set SSL_CERT_FILE to the authority's certificate\.$"):
            api.get_checks()


def _accept_once(server: ssl.SSLSocket) -> None:
    with contextlib.suppress(OSError):
        server.accept()


def test_the_error_for_a_request_without_a_response_suggests_to_try_again(
    connect: Callable[..., Api], silent_server: str
) -> None:
    with pytest.raises(HCAPIUnavailableError, match=r"Try again later\.$"):
        connect(ping_url=silent_server, ping_key="k", retries=0, timeout=0.2).success_ping(slug="s")


@pytest.mark.parametrize(
    ("status", "text", "headers"),
    [
        (301, "", {"Location": "https://elsewhere.example/"}),
        (301, "", {"Location": "http://["}),
        (400, "<p>", {}),
        (401, "", {}),
        (403, "", {}),
        (404, "", {}),
        (405, "", {}),
        (409, "", {}),
        (429, "", {}),
    ],
)
@pytest.mark.parametrize("api_key", ["", "k" * 32], ids=["no key", "key"])
def test_the_message_makes_sense_on_the_command_line_too(
    connect: Callable[..., Api], stub: Stub, status: int, text: str, headers: dict[str, str], api_key: str
) -> None:
    stub.set_response(status, text, headers)
    api = connect(**stub.settings(api_version=3, retries=0, api_key=api_key))

    for endpoint in ENDPOINTS:
        with pytest.raises(HCAPIError) as caught:
            endpoint.call(api)
        # Names in backquotes are those of arguments and of options.
        assert not re.search(r"[a-z]_[a-z]|=True|\buuid\b(?!`)|Client\b", str(caught.value)), str(caught.value)


def test_every_exception_is_a_direct_subclass_of_hcapi_error() -> None:
    error_classes = [getattr(healthchecks_io, name) for name in healthchecks_io.__all__ if name.endswith("Error")]

    assert len(error_classes) == 10
    assert all(cls.__bases__ == (HCAPIError,) for cls in error_classes if cls is not HCAPIError)
    assert all(inspect.getdoc(cls) for cls in error_classes)


def test_the_message_quotes_a_json_error_but_not_html(connect: Callable[..., Api], stub: Stub) -> None:
    api = connect(**stub.settings())
    stub.set_response(400, '{"error": "name is too long"}')
    with pytest.raises(BadAPIRequestError, match="'name is too long'"):
        api.get_checks()

    for html in (
        "<!doctype html><p>secret",
        "Oops <b>secret</b>",
        '{"error": "<p>secret"}',
        '{"other": "secret"}',
        '{"secret',
    ):
        stub.set_response(400, html)
        with pytest.raises(BadAPIRequestError) as caught:
            api.get_checks()
        assert "secret" not in str(caught.value)


def test_the_message_truncates_a_long_response_text(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(400, "x" * 10_000)

    with pytest.raises(BadAPIRequestError) as caught:
        connect(**stub.settings()).get_checks()
    assert str(caught.value).count("x") == 200


@pytest.mark.parametrize("malformed", [b"<html><b>Hello</b> ", b"x" * 100], ids=["HTML", "long"])
def test_the_message_does_not_quote_a_malformed_response_at_length(
    connect: Callable[..., Api], raw_server: Callable[[bytes], str], malformed: bytes
) -> None:
    with pytest.raises(HCAPIUnavailableError) as caught:
        connect(api_url=raw_server(malformed * 800 + b"\r\n\r\n"), retries=0).get_checks()
    assert len(str(caught.value)) < 400
    assert "Hello" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("location", "advice"),
    [
        ("https://new.example/api/v1/checks/", "set the API URL to 'https://new.example/api/'"),
        ("https://new.example/hc/api/v1/checks/?x=1", "set the API URL to 'https://new.example/hc/api/'"),
        ("//new.example/api/v1/checks/", "set the API URL to 'http://new.example/api/'"),
        ("/login/?next=/api/", "check the API URL, which redirects to 'http://127.0.0.1:[0-9]+/login/'"),
        ("http://[", "is not a valid URL: check the API URL"),
        ("", "check the API URL, which redirects to"),
        ("javascript:alert(1)", "is not a valid URL: check the API URL"),
        ("http://xn--/api/v1/checks/", "is not a valid URL: check the API URL"),
        ("ftp://elsewhere.example/api/v1/checks/", "is not a valid URL: check the API URL"),
        ("https://user:pw@elsewhere.example/api/v1/checks/", "is not a valid URL: check the API URL"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_and_the_error_names_the_setting(
    connect: Callable[..., Api], stub: Stub, status: int, location: str, advice: str
) -> None:
    stub.queue_response(status, headers={"Location": location})

    with pytest.raises(HCAPIError, match=advice) as caught:
        connect(**stub.settings()).get_checks()
    assert type(caught.value) is HCAPIError
    assert len(stub.requests) == 1


def test_the_error_for_a_redirected_ping_names_the_ping_url(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(301, headers={"Location": "https://ping.example/pingkey/s/start?create=1"})

    with pytest.raises(HCAPIError, match="set the ping URL to 'https://ping.example/'") as caught:
        connect(**stub.settings(ping_url=stub.url)).start_ping(slug="s", create=True)
    assert "pingkey" not in str(caught.value)


def test_a_connection_failure_is_chained_to_the_httpx_error(connect: Callable[..., Api]) -> None:
    with pytest.raises(HCAPIUnavailableError, match="^POST http://127.0.0.1:1/u got no response") as caught:
        connect(ping_url="http://127.0.0.1:1", retries=0).success_ping("u")
    assert caught.value.status_code is None
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0", 0.0), ("1.5", 1.5), ("-3", 0.0), ("soon", None), ("inf", None), ("nan", None), ("", None)],
)
def test_retry_after_is_parsed_from_seconds(
    connect: Callable[..., Api], stub: Stub, header: str, seconds: float | None
) -> None:
    stub.queue_response(429, headers={"Retry-After": header})

    with pytest.raises(HCAPIRateLimitError) as caught:
        connect(**stub.settings()).get_checks()
    assert caught.value.retry_after == seconds
    assert (f"Try again in {seconds:g} s." if seconds is not None else "Wait a minute") in str(caught.value)


@pytest.mark.parametrize("zone", ["GMT", "-0000"])
def test_retry_after_is_parsed_from_a_date(connect: Callable[..., Api], stub: Stub, zone: str) -> None:
    date = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=90), usegmt=True).replace("GMT", zone)
    stub.queue_response(429, headers={"Retry-After": date})

    with pytest.raises(HCAPIRateLimitError) as caught:
        connect(**stub.settings()).get_checks()
    assert caught.value.retry_after == pytest.approx(90, abs=10)


@pytest.mark.parametrize("charset", ["rot13", "idna", "undefined", "utf-16", "nothing", "latin-1"])
def test_the_response_text_is_readable_for_any_charset(connect: Callable[..., Api], stub: Stub, charset: str) -> None:
    stub.queue_response(400, "server message", {"Content-Type": f"text/plain; charset={charset}"})

    with pytest.raises(BadAPIRequestError) as caught:
        connect(**stub.settings()).get_checks()
    assert caught.value.response is not None
    assert isinstance(caught.value.response.text, str)


def test_an_error_can_be_pickled_and_copied_without_its_response() -> None:
    error = HCAPIRateLimitError("slow down", status_code=429, response=httpx.Response(429), retry_after=5.0)

    for copied in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):  # noqa: S301 - trusted data
        assert type(copied) is HCAPIRateLimitError
        assert (str(copied), copied.status_code, copied.retry_after) == ("slow down", 429, 5.0)
        assert copied.response is None


@pytest.mark.parametrize("status", [200, 404, 503])
def test_an_http_status_error_from_a_hook_becomes_the_exception_for_its_status(
    connect_with_httpx_client: Callable[..., Api], stub: Stub, status: int
) -> None:
    def hook(response: httpx.Response) -> None:
        raise httpx.HTTPStatusError("raised by a hook", request=response.request, response=response)

    stub.queue_response(status, "server message")
    error_class = {404: CheckNotFoundError, 503: HCAPIUnavailableError}.get(status, HCAPIError)

    with pytest.raises(HCAPIError) as caught:
        connect_with_httpx_client(hook, **stub.settings()).get_checks()
    assert type(caught.value) is error_class
    assert caught.value.status_code == status


def test_an_hcapi_error_from_a_hook_is_not_wrapped(connect_with_httpx_client: Callable[..., Api], stub: Stub) -> None:
    error = HCAPIError("raised by a hook")

    def hook(_: httpx.Response) -> None:
        raise error

    stub.queue_response(200, "OK")

    with pytest.raises(HCAPIError) as caught:
        connect_with_httpx_client(hook, **stub.settings()).success_ping("u")
    assert caught.value is error


@each_endpoint(endpoint for endpoint in ENDPOINTS if not endpoint.has_uuid and not endpoint.is_ping)
def test_the_error_blames_the_api_url_if_an_endpoint_without_a_check_is_not_found(
    connect: Callable[..., Api], stub: Stub, endpoint: Endpoint
) -> None:
    stub.queue_response(404)

    with pytest.raises(CheckNotFoundError, match="the API URL is wrong"):
        endpoint.call(connect(**stub.settings()))


@pytest.mark.parametrize(("status", "text"), [(404, "not found"), (200, "OK (not found)")])
@each_endpoint(endpoint for endpoint in ENDPOINTS if endpoint.is_ping)
def test_the_hint_for_a_missing_check_depends_on_how_it_was_identified(
    connect: Callable[..., Api], stub: Stub, endpoint: Endpoint, status: int, text: str
) -> None:
    stub.queue_response(status, text)

    with pytest.raises(CheckNotFoundError, match="pass a slug as `slug`" if endpoint.has_uuid else "create"):
        endpoint.call(connect(**stub.settings()))


@pytest.mark.parametrize("text", ["cannot connect to <healthchecks>", "x" * 300])
def test_the_text_of_an_exception_is_quoted_as_it_is(
    connect: Callable[..., Api], http_client: Callable[..., Any], text: str
) -> None:
    cause = httpx.ConnectError(text)

    def respond(_: httpx.Request) -> httpx.Response:
        raise cause

    with pytest.raises(HCAPIUnavailableError) as caught:
        connect(client=http_client(transport=httpx.MockTransport(respond)), retries=0).success_ping("u")
    assert text in str(caught.value)
    assert caught.value.__cause__ is cause
