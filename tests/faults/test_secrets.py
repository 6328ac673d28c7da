"""Keys are never exposed, and the API key is sent only to the management API."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
import warnings
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from healthchecks_io import CheckCreate, CheckTrap, Client, HCAPIError, PingResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub


API_KEY = "hcw_the-secret-api-key-for-tests"
PING_KEY = "the-secret-ping-key"


def exposed_by(error: BaseException) -> str:
    """Return everything that an error reveals when it is logged, pickled or inspected."""
    parts = []
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        each = pending.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        pending += [each.__cause__, each.__context__]
        parts += [str(each), repr(each), *traceback.format_exception(each)]
        request = each.request if isinstance(each, httpx.RequestError) else None
        response = each.response if isinstance(each, HCAPIError) else None
        for found in (request, response.request if response else None):
            if found is not None:
                parts += [repr(found), str(found.url), str(found.headers.raw)]
    parts.append(repr(pickle.dumps(error)))
    return "\n".join(parts)


def local_variables_of(error: BaseException) -> str:
    """Return the local variables that an error reporter shows with the traceback, except those in this file."""
    shown = []
    each: BaseException | None = error
    while each is not None:
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if frame.f_code.co_filename != __file__:
                shown += [f"{name}={value!r}" for name, value in frame.f_locals.items()]
        each = each.__cause__ or each.__context__
    return "\n".join(shown)


@pytest.fixture
def secret_settings(stub: Stub) -> dict[str, Any]:
    return stub.settings(api_key=API_KEY, ping_key=PING_KEY)


RESPONSES: dict[str, tuple[int, str, dict[str, str]]] = {
    "unauthorized": (401, '{"error": "wrong api key"}', {}),
    "keys in a JSON error": (400, f'{{"error": "key {API_KEY} {PING_KEY} is bad"}}', {}),
    "keys in a long response": (400, "x" * 190 + API_KEY + PING_KEY, {}),
    "keys in plain text": (404, f"{PING_KEY} {API_KEY} not found", {}),
    "unexpected status": (418, f"{PING_KEY} {API_KEY}", {}),
    "unexpected JSON": (200, f'{{"checks": [{{"{API_KEY}": "{PING_KEY}"}}]}}', {}),
    "rate limited": (429, f"{API_KEY} {PING_KEY}", {"Retry-After": "0"}),
    "conflict": (409, f"{API_KEY} {PING_KEY}", {}),
    "redirect": (301, "", {"Location": f"https://elsewhere.example/{PING_KEY}/{API_KEY}"}),
    "redirect to an invalid URL": (301, "", {"Location": f"http://[{PING_KEY}:{API_KEY}"}),
    "server error": (503, f"{API_KEY} {PING_KEY}", {"Retry-After": "0"}),
    "server error with malformed Retry-After": (503, "", {"Retry-After": f"{API_KEY} {PING_KEY}"}),
    "truncated response": (200, "{", {"Content-Length": "100"}),
    "unknown Content-Encoding": (200, f"{API_KEY} {PING_KEY}", {"Content-Encoding": API_KEY}),
    "unknown charset": (400, f"{API_KEY} {PING_KEY}", {"Content-Type": f"text/plain; charset={PING_KEY}"}),
}
RAW_RESPONSES = {
    "not HTTP": f"{API_KEY} {PING_KEY}\r\n\r\n",
    "malformed status line": f"HTTP/1.1 {API_KEY} {PING_KEY}\r\n\r\n",
    "malformed header": f"HTTP/1.1 200 OK\r\n{API_KEY} {PING_KEY}: x\r\n\r\n",
    "malformed Content-Length": f"HTTP/1.1 200 OK\r\nContent-Length: {API_KEY}\r\n\r\n",
    "unknown transfer coding": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {PING_KEY}\r\n\r\n",
    "malformed chunk": f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{API_KEY}\r\n{PING_KEY}\r\n",
    "empty response": "",
}
NO_RESPONSE = {
    "connection refused": "http://127.0.0.1:1",
    "unknown host": "http://healthchecks.invalid",
    "no response": "silent_server",
    "listen backlog full": "full_server",
    "server without TLS": "https stub",
}


@pytest.fixture(params=[*RESPONSES, *RAW_RESPONSES, *NO_RESPONSE])
def failing_settings(request: pytest.FixtureRequest, stub: Stub, raw_server: Callable[[bytes], str]) -> dict[str, Any]:
    """Return settings for a client whose calls all fail."""
    settings = {"api_key": API_KEY, "ping_key": PING_KEY, "timeout": 0.2, "retries": 0}
    if request.param in RESPONSES:
        stub.queue_response(*RESPONSES[request.param])
        return stub.settings(**settings | {"retries": 1, "timeout": 5})
    if request.param in RAW_RESPONSES:
        stub.url = raw_server(RAW_RESPONSES[request.param].encode())
    else:
        target = NO_RESPONSE[request.param]
        stub.queue_response(200)
        if target == "https stub":
            stub.url = stub.url.replace("http", "https")
        else:
            stub.url = target if target.startswith("http") else request.getfixturevalue(target)
    return stub.settings(**settings)


def run_job_in_trap(api: Api) -> None:
    """Run a job whose pings fail, and raise the last failure that the trap collected."""
    with api.trap(slug="backup", ping_errors="log") as trap:
        trap.add_log("a line")
    raise trap.ping_failures[-1]


CALLS: dict[str, Callable[..., Any]] = {
    "management": lambda api: api.get_checks(),
    "create": lambda api: api.create_check(CheckCreate(name="x")),
    "ping by slug": lambda api: api.success_ping(slug="backup", rid="00000000-0000-0000-0000-000000000001"),
    "job in a trap": run_job_in_trap,
}
CALLS_WITH_A_KEY: dict[str, Callable[..., Any]] = {
    "API key as check ID": lambda api: api.get_check(API_KEY),
    "ping key as UUID": lambda api: api.success_ping(PING_KEY),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_no_failure_exposes_a_key(
    connect: Callable[..., Api],
    failing_settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    call: Callable[[Any], Any],
) -> None:
    # Set the level of httpx first: set_level() also sets the level of the capturing handler.
    caplog.set_level(logging.WARNING, "httpx")
    caplog.set_level(logging.DEBUG, "healthchecks_io")
    api = connect(**failing_settings)

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            assert isinstance(call(api), PingResult)
        except HCAPIError as error:
            shown = exposed_by(error) + local_variables_of(error) + caplog.text + "".join(str(each) for each in warned)
            assert "/ping/" in shown or "/api/" in shown
            assert API_KEY not in shown
            assert PING_KEY not in shown


@pytest.mark.parametrize("call", CALLS_WITH_A_KEY.values(), ids=CALLS_WITH_A_KEY)
def test_no_message_exposes_a_key_passed_as_an_argument(
    connect: Callable[..., Api],
    failing_settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    call: Callable[[Any], Any],
) -> None:
    # Set the level of httpx first: set_level() also sets the level of the capturing handler.
    caplog.set_level(logging.WARNING, "httpx")
    caplog.set_level(logging.DEBUG, "healthchecks_io")

    with pytest.raises(HCAPIError) as caught:
        call(connect(**failing_settings))
    shown = exposed_by(caught.value) + caplog.text
    assert API_KEY not in shown
    assert PING_KEY not in shown


def test_an_http_status_error_raised_by_a_hook_exposes_no_key(
    connect_with_httpx_client: Callable[..., Api], stub: Stub, secret_settings: dict[str, Any]
) -> None:
    def hook(response: httpx.Response) -> None:
        response.raise_for_status()

    stub.queue_response(404, "not found")
    api = connect_with_httpx_client(hook, **secret_settings)
    for call in CALLS.values():
        with pytest.raises(HCAPIError) as caught:
            call(api)
        assert API_KEY not in exposed_by(caught.value)
        assert PING_KEY not in exposed_by(caught.value)


def test_an_error_raised_by_a_hook_passes_through_without_a_key_in_local_variables(
    connect_with_httpx_client: Callable[..., Api], stub: Stub, secret_settings: dict[str, Any]
) -> None:
    def hook(_: httpx.Response) -> None:
        raise ValueError("raised by a hook")

    stub.queue_response(200, "OK")

    with pytest.raises(ValueError, match="^raised by a hook$") as caught:
        CALLS["ping by slug"](connect_with_httpx_client(hook, **secret_settings))
    assert PING_KEY not in local_variables_of(caught.value)


@pytest.mark.parametrize("arguments", [{"rid": "job-17"}, {"data": None}])
def test_an_invalid_argument_exposes_no_key_in_local_variables(
    connect: Callable[..., Api], secret_settings: dict[str, Any], arguments: dict[str, Any]
) -> None:
    with pytest.raises(HCAPIError) as caught:
        connect(**secret_settings).success_ping(slug="backup", **arguments)
    assert PING_KEY not in local_variables_of(caught.value)


def test_an_httpx_error_that_contains_a_key_is_not_exposed(
    connect_with_httpx_client: Callable[..., Api], secret_settings: dict[str, Any]
) -> None:
    api = connect_with_httpx_client(None, headers={"X-Copy": f"{API_KEY}\n"}, **secret_settings)

    with pytest.raises(HCAPIError, match="LocalProtocolError") as caught:
        api.get_checks()
    assert API_KEY not in exposed_by(caught.value)


def test_a_short_key_is_redacted_only_as_a_whole_word(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(404, "no k here, but a kangaroo")

    with pytest.raises(HCAPIError) as caught:
        connect(**stub.settings(api_key="k", ping_key="1")).get_checks()
    assert "/v1/checks/" in str(caught.value)
    assert "'no *** here, but a kangaroo'" in str(caught.value)


@pytest.mark.parametrize("key", ['"' * 20, "a\\b" * 10, "'quoted'-key-for-tests"])
def test_a_key_with_quotes_is_redacted_however_it_is_escaped(connect: Callable[..., Api], stub: Stub, key: str) -> None:
    for echo in (key, json.dumps([key]), repr(key.encode()), repr([key])):
        stub.set_response(400, echo)
        with pytest.raises(HCAPIError, match=r"\*\*\*") as caught:
            connect(**stub.settings(api_key=key)).get_checks()
        assert key not in str(caught.value)


def test_a_key_that_contains_the_other_key_is_redacted_completely(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(404, "not found")

    with pytest.raises(HCAPIError) as caught:
        connect(**stub.settings(api_key="secret", ping_key="my-secret-ping")).success_ping(slug="s")
    assert "/ping/***/s returned" in str(caught.value)


def test_no_argument_error_exposes_a_key(connect: Callable[..., Api], secret_settings: dict[str, Any]) -> None:
    api = connect(**secret_settings)
    for call in (
        lambda: api.get_check(f"{API_KEY}/x"),
        lambda: api.success_ping(slug=API_KEY.upper()),
        lambda: api.success_ping("u", rid=API_KEY),
        lambda: CheckTrap(api.client, slug=f"{PING_KEY} "),
    ):
        with pytest.raises(HCAPIError) as caught:
            call()
        assert API_KEY not in exposed_by(caught.value)
        assert PING_KEY not in exposed_by(caught.value)


@pytest.mark.parametrize(
    "settings", [{"api_key": "ke y"}, {"api_key": "kéy"}, {"ping_key": "k/y"}, {"ping_key": "k\ny"}]
)
def test_an_invalid_key_is_rejected_without_being_exposed(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must consist of") as caught:
        Client(**settings)
    assert not any(key in str(caught.value) for key in settings.values())


def test_the_repr_of_a_client_shows_its_urls_but_no_key(connect: Callable[..., Api]) -> None:
    api = connect(API_KEY, PING_KEY, ping_url=f"https://hc.example/{PING_KEY}", api_version=3)
    shown = repr(api.client)

    assert "api_url='https://healthchecks.io/api/'" in shown
    assert "api_version=3" in shown
    assert API_KEY not in shown
    assert PING_KEY not in shown


def test_the_api_key_is_sent_only_to_the_management_api(
    connect: Callable[..., Api], make_stub: Callable[[], Stub]
) -> None:
    management, pings = make_stub(), make_stub()
    management.queue_response(200, '{"checks": []}')
    pings.queue_response(200, "OK")
    api = connect(API_KEY, PING_KEY, f"{management.url}/api/", f"{pings.url}/ping/")

    api.get_checks()
    api.success_ping(slug="backup", data="x")
    api.start_ping("u")

    assert management.requests[0].headers["X-Api-Key"] == API_KEY
    assert all(API_KEY not in str(request) for request in pings.requests)
    assert all("X-Api-Key" not in request.headers for request in pings.requests)
    assert all(PING_KEY not in str(request) for request in management.requests)


def test_an_api_key_header_of_a_custom_httpx_client_is_not_sent_to_the_ping_host(
    connect_with_httpx_client: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(200, "OK")
    api = connect_with_httpx_client(None, headers={"X-Api-Key": API_KEY}, **stub.settings())

    api.success_ping("u")

    assert "X-Api-Key" not in stub.requests[0].headers


def test_no_key_is_sent_to_the_target_of_a_redirect(connect: Callable[..., Api], make_stub: Callable[[], Stub]) -> None:
    first, second = make_stub(), make_stub()
    first.queue_response(302, headers={"Location": f"{second.url}/api/v1/checks/"})
    second.queue_response(200, '{"checks": []}')

    with pytest.raises(HCAPIError):
        connect(**first.settings()).get_checks()
    assert second.requests == []
