"""Proxies, certificates and the like: through an httpx client of one's own, or from the environment."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from healthchecks_io import HCAPIError, HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Api, Stub


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls_stub(make_stub: Callable[..., Stub], authority: trustme.CA) -> Stub:
    """A server with a certificate of an authority that nobody knows, which asks for a certificate of the client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_OPTIONAL
    stub = make_stub(context)
    stub.queue_response(200, "OK")
    return stub


def test_a_certificate_of_an_unknown_authority_is_refused(connect: Callable[..., Api], tls_stub: Stub) -> None:
    with pytest.raises(HCAPIUnavailableError, match="certificate verify failed"):
        connect(**tls_stub.settings()).success_ping("u")
    assert tls_stub.requests == []


def test_an_authority_of_ones_own_is_trusted_through_an_httpx_client(
    connect: Callable[..., Api], http_client: Callable[..., Any], tls_stub: Stub, authority: trustme.CA
) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    http = http_client(verify=context)

    assert connect(client=http, **tls_stub.settings()).success_ping("u").success


def test_an_authority_of_ones_own_is_trusted_through_the_environment(
    connect: Callable[..., Api], tls_stub: Stub, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    assert connect(**tls_stub.settings()).success_ping("u").success


def test_a_certificate_of_the_client_is_shown_through_an_httpx_client(
    connect: Callable[..., Api], http_client: Callable[..., Any], make_stub: Callable[..., Stub], authority: trustme.CA
) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(server)
    server.verify_mode = ssl.CERT_REQUIRED
    stub = make_stub(server)
    stub.queue_response(200, "OK")
    context = ssl.create_default_context()
    authority.configure_trust(context)

    # The server closes the connection after the handshake, which the client sees as no answer.
    with pytest.raises(HCAPIUnavailableError):
        connect(client=http_client(verify=context), **stub.settings()).success_ping("u")

    authority.issue_cert("client@example.org").configure_cert(context)
    assert connect(client=http_client(verify=context), **stub.settings()).success_ping("u").success


def test_a_proxy_is_used_through_an_httpx_client(
    connect: Callable[..., Api], http_client: Callable[..., Any], stub: Stub
) -> None:
    stub.queue_response(200, "OK")
    http = http_client(proxy=stub.url)

    assert connect(client=http, ping_url="http://healthchecks.invalid/ping/").success_ping("u").success
    assert stub.requests[0].path == "http://healthchecks.invalid/ping/u"


def test_a_proxy_is_used_through_the_environment(
    connect: Callable[..., Api], stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.queue_response(200, "OK")
    monkeypatch.setenv("HTTP_PROXY", stub.url)

    assert connect(ping_url="http://healthchecks.invalid/ping/").success_ping("u").success
    assert stub.requests[0].path == "http://healthchecks.invalid/ping/u"


def test_a_redirect_to_nowhere_through_a_proxy_is_a_redirect(
    connect: Callable[..., Api], stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.queue_response(301, headers={"Location": "http://["})
    monkeypatch.setenv("HTTP_PROXY", stub.url)

    with pytest.raises(HCAPIError, match="leads nowhere: check ping_url"):
        connect(ping_url="http://healthchecks.invalid/", retries=0).success_ping("u")


def test_a_proxy_that_refuses_is_an_error(
    connect: Callable[..., Api], http_client: Callable[..., Any], stub: Stub
) -> None:
    stub.queue_response(407)
    http = http_client(proxy=stub.url)

    with pytest.raises(HCAPIError):
        connect(client=http, ping_url="https://healthchecks.invalid/ping/", retries=0).success_ping("u")


def test_the_auth_of_a_passed_in_client_acts(
    connect: Callable[..., Api], http_client: Callable[..., Any], stub: Stub
) -> None:
    stub.queue_response(200, "OK")
    http = http_client(auth=("user", "password"))

    connect(client=http, **stub.settings()).success_ping("u")

    assert stub.requests[0].headers["Authorization"].startswith("Basic ")
