"""Fixtures for the tests of the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healthchecks_io.sandbox import Sandbox

    Api = Callable[..., Any]


@pytest.fixture
def hc(healthchecks_sandbox: Sandbox) -> Sandbox:
    """An empty sandbox."""
    return healthchecks_sandbox


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


@pytest.fixture
def api(hc: Sandbox, http: httpx.Client) -> Api:
    """Call the management API: `api("checks/", json={...})` sends a POST request, `api("checks/")` a GET request."""

    def call(path: str, version: int = 3, **options: Any) -> Any:
        method = "POST" if options else "GET"
        headers = {"X-Api-Key": hc.api_key}
        response = http.request(method, f"{hc.api_url}v{version}/{path}", headers=headers, **options)
        assert response.is_success, response.text
        return response.json()

    return call


@pytest.fixture
def ping(hc: Sandbox, http: httpx.Client) -> Callable[..., httpx.Response]:
    """Send a ping: `ping("<uuid>/start", content=b"...")`."""

    def call(path: str, **options: Any) -> httpx.Response:
        return http.post(f"{hc.ping_url}{path}", **options)

    return call


@pytest.fixture
def uuid(api: Api) -> str:
    """The UUID of a new check."""
    check: str = api("checks/", json={})["uuid"]
    return check
