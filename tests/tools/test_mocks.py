"""Tools that mock httpx answer the requests of both clients, and nothing is sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Protocol

import httpx
import pytest
import respx

from healthchecks_io import CheckCreate, HCAPIError, HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api, Stub
    from pytest_httpx import HTTPXMock

UUID = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"


class Mock(Protocol):
    """A tool that mocks httpx."""

    def respond(self, url: str, status: int = 200, text: str = "OK", error: Exception | None = None) -> None:
        """Answer requests to a URL with this response or exception."""
        ...

    def requests(self) -> list[httpx.Request]:
        """Return the requests that the tool has seen."""
        ...

    def remove(self) -> None:
        """Stop mocking."""
        ...


class PytestHTTPX:
    """pytest-httpx: patches httpx's transports."""

    def __init__(self, mock: HTTPXMock, monkeypatch: pytest.MonkeyPatch) -> None:
        self._mock = mock
        self._monkeypatch = monkeypatch

    def respond(self, url: str, status: int = 200, text: str = "OK", error: Exception | None = None) -> None:
        if error is not None:
            self._mock.add_exception(error, url=url)
        else:
            self._mock.add_response(url=url, status_code=status, text=text)

    def requests(self) -> list[httpx.Request]:
        return list(self._mock.get_requests())

    def remove(self) -> None:
        self._monkeypatch.undo()


class Respx:
    """respx: patches httpcore's connections by default."""

    def __init__(self, mock: respx.MockRouter) -> None:
        self._mock = mock

    def respond(self, url: str, status: int = 200, text: str = "OK", error: Exception | None = None) -> None:
        self._mock.route(url=url).mock(side_effect=error, return_value=httpx.Response(status, text=text))

    def requests(self) -> list[httpx.Request]:
        return [call.request for call in self._mock.calls]

    def remove(self) -> None:
        self._mock.stop()


@pytest.fixture(params=["pytest-httpx", "respx"])
def install_mock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Mock]]:
    """Return a function that starts to mock httpx. Tests that use it run with each tool."""
    routers: list[respx.MockRouter] = []

    def install() -> Mock:
        if request.param == "pytest-httpx":
            return PytestHTTPX(request.getfixturevalue("httpx_mock"), monkeypatch)
        routers.append(respx.mock(assert_all_called=False))
        routers[-1].start()
        return Respx(routers[-1])

    yield install
    for router in routers:
        router.stop()


@pytest.fixture
def server(stub: Stub) -> Stub:
    """The real server, which no mocked request may reach."""
    stub.queue_response(200, "from the server")
    return stub


def test_the_response_is_that_of_the_mock_and_nothing_is_sent(
    connect: Callable[..., Api], server: Stub, install_mock: Callable[[], Mock]
) -> None:
    mock = install_mock()
    mock.respond(f"{server.url}/ping/{UUID}", text="from the mock")

    assert connect(**server.settings()).success_ping(UUID).text == "from the mock"
    assert server.requests == []


def test_a_mock_sees_the_whole_ping(
    connect: Callable[..., Api], server: Stub, install_mock: Callable[[], Mock]
) -> None:
    mock = install_mock()
    url = f"{server.url}/ping/pingkey/nightly-backup/fail?create=1"
    mock.respond(url)

    connect(**server.settings()).fail_ping(slug="nightly-backup", data="disk full", create=True)

    (request,) = mock.requests()
    assert (request.method, str(request.url), request.content) == ("POST", url, b"disk full")
    assert request.headers["Host"] == request.url.netloc.decode()
    assert request.headers["Content-Type"] == "text/plain"
    assert "healthchecks.io" in request.headers["User-Agent"]


def test_a_mock_sees_the_whole_call_of_the_management_api(
    connect: Callable[..., Api], server: Stub, install_mock: Callable[[], Mock]
) -> None:
    mock = install_mock()
    created = '{"name": "from the mock", "grace": 60, "n_pings": 0, "status": "new"}'
    mock.respond(f"{server.url}/api/v1/checks/", status=201, text=created)

    check = connect(**server.settings()).create_check(CheckCreate(name="Nightly backup"))

    (request,) = mock.requests()
    assert check.name == "from the mock"
    assert (request.method, request.url.path) == ("POST", "/api/v1/checks/")
    assert json.loads(request.content) == {"name": "Nightly backup"}
    assert request.headers["X-Api-Key"] == "k" * 32
    assert server.requests == []


def test_the_pings_of_a_trap_are_mocked(
    connect: Callable[..., Api], server: Stub, install_mock: Callable[[], Mock]
) -> None:
    mock = install_mock()
    start, success = (f"{server.url}/ping/pingkey/nightly-backup{path}?rid={UUID}" for path in ("/start", ""))
    mock.respond(start)
    mock.respond(success)

    with connect(**server.settings()).trap(slug="nightly-backup", rid=UUID) as trap:
        trap.add_log("saved /home")

    seen = [(str(request.url), request.content) for request in mock.requests()]
    assert seen == [(start, b""), (success, b"saved /home")]
    assert server.requests == []


def test_a_client_that_has_an_open_connection_is_mocked(
    connect: Callable[..., Api], server: Stub, install_mock: Callable[[], Mock]
) -> None:
    api = connect(**server.settings())
    assert api.success_ping(UUID).text == "from the server"

    mock = install_mock()
    mock.respond(f"{server.url}/ping/{UUID}", text="from the mock")

    assert api.success_ping(UUID).text == "from the mock"
    assert len(server.requests) == 1


def test_after_the_mock_is_removed_requests_are_sent(
    connect: Callable[..., Api], server: Stub, install_mock: Callable[[], Mock]
) -> None:
    api = connect(**server.settings())
    mock = install_mock()
    mock.respond(f"{server.url}/ping/{UUID}", text="from the mock")
    assert api.success_ping(UUID).text == "from the mock"

    mock.remove()

    assert [api.success_ping(UUID).text for _ in range(2)] == ["from the server"] * 2
    assert len({request.port for request in server.requests}) == 1


def test_a_mocked_connection_error_is_reported_as_one(
    connect: Callable[..., Api], server: Stub, install_mock: Callable[[], Mock]
) -> None:
    mock = install_mock()
    mock.respond(f"{server.url}/ping/{UUID}", error=httpx.ConnectError("connection refused"))

    with pytest.raises(HCAPIUnavailableError, match="connection refused"):
        connect(**server.settings()).success_ping(UUID)
    assert server.requests == []


@pytest.mark.httpx_mock(assert_all_requests_were_expected=False)
def test_a_request_that_is_not_mocked_fails_and_is_not_sent(
    connect: Callable[..., Api], server: Stub, install_mock: Callable[[], Mock]
) -> None:
    install_mock()

    # respx raises an AssertionError, which passes through. pytest-httpx raises a timeout, which says why.
    with pytest.raises((HCAPIError, AssertionError), match="timed out: No response|not mocked"):
        connect(**server.settings()).success_ping(UUID)
    assert server.requests == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_request_is_mocked_although_the_environment_names_a_proxy(
    connect: Callable[..., Api],
    server: Stub,
    install_mock: Callable[[], Mock],
    scheme: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(f"{scheme}_proxy", server.url)
    mock = install_mock()
    mock.respond(f"{scheme}://healthchecks.invalid/ping/{UUID}", text="from the mock")

    api = connect(**server.settings(ping_url=f"{scheme}://healthchecks.invalid/ping/"))

    assert api.success_ping(UUID).text == "from the mock"
    assert server.requests == []
