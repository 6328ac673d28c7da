"""Proxies and certificates that the environment names are decided for each host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import HCAPIError
from healthchecks_io.client.environment import proxy_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub

BROKEN = [
    {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "localhost,127.0.0.1,[::1]"},
    {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,fd00::/8"},
    {"ALL_PROXY": "socks5://127.0.0.1:9", "NO_PROXY": "127.0.0.0/8"},
    {"HTTPS_PROXY": "nonsense://", "SSL_CERT_FILE": "/nonexistent"},
    {"ftp_proxy": "http://127.0.0.1:9", "SSL_CERT_FILE": "/nonexistent"},
]


@pytest.mark.parametrize("variables", BROKEN, ids=" ".join)
def test_a_host_that_needs_no_proxy_is_reached_whatever_is_wrong_with_the_variables(
    connect: Callable[..., Api], stub: Stub, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stub.queue_response(200, "OK")

    assert connect(**stub.settings()).success_ping("u").success


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_request_goes_through_the_proxy_of_the_environment(
    connect: Callable[..., Api], stub: Stub, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, stub.url)
    stub.queue_response(200, "OK")
    api = connect(ping_url="http://healthchecks.invalid/ping/")

    assert api.success_ping("u").success
    assert api.success_ping("u").success
    assert [request.path for request in stub.requests] == ["http://healthchecks.invalid/ping/u"] * 2
    assert len({request.port for request in stub.requests}) == 1


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        ("HTTPS_PROXY", "nonsense://user:pass@proxy.example", "HTTPS_PROXY.*'nonsense://\\*\\*\\*@proxy.example'"),
        ("ALL_PROXY", "http://user:pass@[::1", "ALL_PROXY.*'http://\\*\\*\\*@\\[::1'"),
        ("all_proxy", "socks5://user:pass@proxy.example:1080", "all_proxy.*socks5://\\*\\*\\*@proxy.example.*socksio"),
        ("SSL_CERT_FILE", __file__, f"SSL_CERT_FILE={re.escape(repr(__file__))}"),
        ("SSLKEYLOGFILE", "/nonexistent/log", "SSLKEYLOGFILE='/nonexistent/log'"),
    ],
)
def test_an_error_names_the_variable_and_its_value_without_the_password(
    connect: Callable[..., Api], monkeypatch: pytest.MonkeyPatch, variable: str, value: str, shown: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(HCAPIError, match=shown) as caught:
        connect(ping_url="https://127.0.0.1:9/", retries=0).success_ping("u")
    assert "pass@" not in str(caught.value)


@pytest.mark.parametrize(
    ("no_proxy", "host", "is_excluded"),
    [
        ("example.com", "example.com", True),
        ("example.com", "hc.example.com", True),
        ("example.com", "anexample.com", False),
        (".example.com", "hc.example.com", True),
        (".example.com", "example.com", False),
        ("*.example.com", "hc.example.com", True),
        ("example.com:443", "example.com", True),
        ("example.com:8000", "example.com", False),
        ("other.example, example.com", "example.com", True),
        ("EXAMPLE.com", "example.com", True),
        ("*", "example.com", True),
        ("https://example.com", "example.com", True),
        ("http://example.com", "example.com", False),
        ("all://example.com", "example.com", True),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.0/8", "127.1.2.3", True),
        ("10.0.0.0/8", "127.0.0.1", False),
        ("::1", "::1", True),
        ("[::1]", "::1", True),
        ("fd00::/8", "fd00::5", True),
        ("fd00::/8", "fe80::5", False),
        ("", "example.com", False),
        (",,", "example.com", False),
    ],
)
def test_an_entry_of_no_proxy_covers_a_host(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, host: str, is_excluded: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    monkeypatch.setenv("NO_PROXY", no_proxy)

    assert (proxy_for("https", host, 443) is None) is is_excluded


@pytest.mark.parametrize(("scheme", "used"), [("https", "secure.example"), ("http", "any.example")])
def test_the_variable_of_a_scheme_takes_precedence(monkeypatch: pytest.MonkeyPatch, scheme: str, used: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://secure.example")
    monkeypatch.setenv("ALL_PROXY", "any.example:3128")

    proxy: Any = proxy_for(scheme, "example.com", 443)
    assert proxy.url.host == used
