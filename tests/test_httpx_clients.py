"""Proxies, TLS certificates and auth, set on a passed-in httpx client or through the environment."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from healthchecks_io import CheckCreate, HCAPIError, HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Api, Stub


@pytest.fixture
def ca() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_stub(make_stub: Callable[..., Stub], ca: trustme.CA) -> Stub:
    """A server that has a certificate from a private CA and requests an optional client certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(context)
    ca.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    stub = make_stub(context)
    stub.queue_response(200, "OK")
    return stub


def test_a_certificate_from_an_unknown_ca_is_rejected(connect: Callable[..., Api], tls_stub: Stub) -> None:
    with pytest.raises(HCAPIUnavailableError, match="certificate verify failed"):
        connect(**tls_stub.settings()).success_ping("u")
    assert tls_stub.requests == []


def test_a_private_ca_can_be_trusted_through_a_passed_in_httpx_client(
    connect: Callable[..., Api], http_client: Callable[..., Any], tls_stub: Stub, ca: trustme.CA
) -> None:
    context = ssl.create_default_context()
    ca.configure_trust(context)
    http = http_client(verify=context)

    assert connect(client=http, **tls_stub.settings()).success_ping("u").success


def test_a_private_ca_can_be_trusted_through_the_environment(
    connect: Callable[..., Api], tls_stub: Stub, ca: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ca.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    assert connect(**tls_stub.settings()).success_ping("u").success


def test_a_client_certificate_can_be_sent_through_a_passed_in_httpx_client(
    connect: Callable[..., Api], http_client: Callable[..., Any], make_stub: Callable[..., Stub], ca: trustme.CA
) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("127.0.0.1").configure_cert(server)
    ca.configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    stub = make_stub(server)
    stub.queue_response(200, "OK")
    context = ssl.create_default_context()
    ca.configure_trust(context)

    # The server closes the connection after the handshake, so the client never gets a response.
    with pytest.raises(HCAPIUnavailableError):
        connect(client=http_client(verify=context), **stub.settings()).success_ping("u")

    ca.issue_cert("client@example.org").configure_cert(context)
    assert connect(client=http_client(verify=context), **stub.settings()).success_ping("u").success


def test_a_proxy_can_be_set_on_a_passed_in_httpx_client(
    connect: Callable[..., Api], http_client: Callable[..., Any], stub: Stub
) -> None:
    stub.queue_response(200, "OK")
    http = http_client(proxy=stub.url)

    assert connect(client=http, ping_url="http://healthchecks.invalid/ping/").success_ping("u").success
    assert stub.requests[0].path == "http://healthchecks.invalid/ping/u"


def test_a_proxy_can_be_set_through_the_environment(
    connect: Callable[..., Api], stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.queue_response(200, "OK")
    monkeypatch.setenv("HTTP_PROXY", stub.url)

    assert connect(ping_url="http://healthchecks.invalid/ping/").success_ping("u").success
    assert stub.requests[0].path == "http://healthchecks.invalid/ping/u"


def test_an_invalid_redirect_through_a_proxy_is_reported_as_a_redirect(
    connect: Callable[..., Api], stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.queue_response(301, headers={"Location": "http://["})
    monkeypatch.setenv("HTTP_PROXY", stub.url)

    with pytest.raises(HCAPIError, match="is not a valid URL: check the ping URL"):
        connect(ping_url="http://healthchecks.invalid/", retries=0).success_ping("u")


def test_a_proxy_that_rejects_the_connection_raises_an_hcapi_error(
    connect: Callable[..., Api], http_client: Callable[..., Any], stub: Stub
) -> None:
    stub.queue_response(407)
    http = http_client(proxy=stub.url)

    with pytest.raises(HCAPIError):
        connect(client=http, ping_url="https://healthchecks.invalid/ping/", retries=0).success_ping("u")


def test_the_auth_of_a_passed_in_httpx_client_is_used(
    connect: Callable[..., Api], http_client: Callable[..., Any], stub: Stub
) -> None:
    stub.queue_response(200, "OK")
    http = http_client(auth=("user", "password"))

    connect(client=http, **stub.settings()).success_ping("u")

    assert stub.requests[0].headers["Authorization"].startswith("Basic ")


def test_a_create_through_a_passed_in_httpx_client_is_sent_as_json_and_not_repeated(
    connect_with_httpx_client: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(500, "")
    with pytest.raises(HCAPIUnavailableError, match="500"):
        connect_with_httpx_client(**stub.settings()).create_check(CheckCreate(name="x"))
    (request,) = stub.requests
    assert request.headers["Content-Type"] == "application/json"
