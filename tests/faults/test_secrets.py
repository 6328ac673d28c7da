"""Keys are never exposed, and the API key is sent only to the management API."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import json
import logging
import pickle
import random
import signal
import sys
import traceback
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from endpoints import ENDPOINTS, Endpoint, each_endpoint

from healthchecks_io import AsyncClient, BadAPIRequestError, CheckTrap, Client, HCAPIError, PingResult

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

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
    shown: list[str] = []
    waiting: list[BaseException | None] = [error]
    seen: list[BaseException] = []
    while waiting:
        each = waiting.pop()
        if each is None or each in seen:
            continue
        seen.append(each)
        waiting += [each.__cause__, each.__context__]
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if frame.f_code.co_filename != __file__:
                shown += [f"{name}={value!r}" for name, value in frame.f_locals.items()]
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
SLOW_FAILURES = (
    "server error with malformed Retry-After",
    "truncated response",
    "unknown host",
    "no response",
    "listen backlog full",
)


@pytest.fixture(params=[*RESPONSES, *RAW_RESPONSES, *NO_RESPONSE])
def failure(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def failing_settings(
    request: pytest.FixtureRequest, failure: str, stub: Stub, raw_server: Callable[[bytes], str]
) -> dict[str, Any]:
    """Return settings for a client whose calls all fail."""
    settings = {"api_key": API_KEY, "ping_key": PING_KEY, "timeout": 0.2, "retries": 0}
    if failure in RESPONSES:
        stub.queue_response(*RESPONSES[failure])
        return stub.settings(**settings | {"retries": 1, "timeout": 5})
    if failure in RAW_RESPONSES:
        stub.url = raw_server(RAW_RESPONSES[failure].encode())
    else:
        target = NO_RESPONSE[failure]
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


CALLS: dict[str, Callable[[Api], Any]] = {
    **{str(endpoint): endpoint.call for endpoint in ENDPOINTS},
    "ping with a run ID": lambda api: api.success_ping(slug="backup", rid="00000000-0000-0000-0000-000000000001"),
    "job in a trap": run_job_in_trap,
}
CALLS_WITH_A_KEY: dict[str, Callable[[Api], Any]] = {
    **{
        f"{endpoint} with the API key": partial(endpoint.call, uuid=API_KEY)
        for endpoint in ENDPOINTS
        if endpoint.has_uuid and not endpoint.is_ping
    },
    **{
        f"{endpoint} with the ping key": partial(endpoint.call, uuid=PING_KEY)
        for endpoint in ENDPOINTS
        if endpoint.has_uuid and endpoint.is_ping
    },
}


def made_with(failure: str, calls: dict[str, Callable[[Api], Any]], *few: str) -> dict[str, Callable[[Api], Any]]:
    """Return the calls to make with a failure: only a few if it is slow."""
    return {name: calls[name] for name in few} if failure in SLOW_FAILURES else calls


def error_of(call: Callable[[Api], Any], api: Api) -> HCAPIError | None:
    """Return the error that a call raises. A few calls do not raise one for some of the failures."""
    try:
        result = call(api)
    except HCAPIError as error:
        return error
    # A result without success, the content of a response, and False from get_status.
    assert isinstance(result, (PingResult, bytes)) or result is False
    return None


def capture_logs(caplog: pytest.LogCaptureFixture) -> None:
    # Set the level of httpx first: set_level() also sets the level of the capturing handler.
    caplog.set_level(logging.WARNING, "httpx")
    caplog.set_level(logging.DEBUG, "healthchecks_io")


def test_no_failure_exposes_a_key(
    connect: Callable[..., Api], failure: str, failing_settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    capture_logs(caplog)
    api = connect(**failing_settings)

    few = ("get_checks", "create_check", "ping with a run ID", "job in a trap")
    for name, call in made_with(failure, CALLS, *few).items():
        caplog.clear()
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            error = error_of(call, api)
        shown = caplog.text + "".join(str(each) for each in warned)
        if error is not None:
            shown += exposed_by(error) + local_variables_of(error)
            assert "/ping/" in shown or "/api/" in shown
        assert API_KEY not in shown, name
        assert PING_KEY not in shown, name


def test_no_message_exposes_a_key_passed_as_an_argument(
    connect: Callable[..., Api], failure: str, failing_settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    capture_logs(caplog)
    api = connect(**failing_settings)

    few = ("get_check with the API key", "success_ping by uuid with the ping key")
    for name, call in made_with(failure, CALLS_WITH_A_KEY, *few).items():
        caplog.clear()
        error = error_of(call, api)
        shown = caplog.text + (exposed_by(error) if error is not None else "")
        assert API_KEY not in shown, name
        assert PING_KEY not in shown, name


def test_an_http_status_error_raised_by_a_hook_exposes_no_key(
    connect_with_httpx_client: Callable[..., Api], stub: Stub, secret_settings: dict[str, Any]
) -> None:
    def hook(response: httpx.Response) -> None:
        response.raise_for_status()

    stub.queue_response(404, "not found")
    api = connect_with_httpx_client(hook, **secret_settings)
    for name, call in CALLS.items():
        with pytest.raises(HCAPIError) as caught:
            call(api)
        assert API_KEY not in exposed_by(caught.value), name
        assert PING_KEY not in exposed_by(caught.value), name


def test_an_error_raised_by_a_hook_passes_through_without_a_key_in_local_variables(
    connect_with_httpx_client: Callable[..., Api], stub: Stub, secret_settings: dict[str, Any]
) -> None:
    def hook(_: httpx.Response) -> None:
        raise ValueError("raised by a hook")

    stub.queue_response(200, "OK")
    api = connect_with_httpx_client(hook, **secret_settings)
    for name, call in CALLS.items():
        with pytest.raises(ValueError, match="^raised by a hook$") as caught:
            call(api)
        assert PING_KEY not in local_variables_of(caught.value), name


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
    management.queue_response(400)
    pings.queue_response(200, "OK")
    api = connect(API_KEY, PING_KEY, f"{management.url}/api/", f"{pings.url}/ping/")

    for endpoint in ENDPOINTS:
        with contextlib.suppress(BadAPIRequestError):
            endpoint.call(api)
    api.success_ping(slug="backup", data="x")

    assert {request.headers.get("X-Api-Key") for request in management.requests} == {API_KEY}
    assert all(API_KEY not in str(request) for request in pings.requests)
    assert all("X-Api-Key" not in request.headers for request in pings.requests)
    assert all(PING_KEY not in str(request) for request in management.requests)
    assert len(pings.requests) == 1 + len([endpoint for endpoint in ENDPOINTS if endpoint.is_ping])


@each_endpoint(endpoint for endpoint in ENDPOINTS if endpoint.is_ping)
def test_an_api_key_header_of_a_custom_httpx_client_is_not_sent_to_the_ping_host(
    connect_with_httpx_client: Callable[..., Api], stub: Stub, endpoint: Endpoint
) -> None:
    stub.queue_response(200, "OK")
    api = connect_with_httpx_client(None, headers={"X-Api-Key": API_KEY}, **stub.settings())

    endpoint.call(api)

    assert "X-Api-Key" not in stub.requests[0].headers


def test_no_key_is_sent_to_the_target_of_a_redirect(connect: Callable[..., Api], make_stub: Callable[[], Stub]) -> None:
    first, second = make_stub(), make_stub()
    first.queue_response(302, headers={"Location": f"{second.url}/api/v1/checks/"})
    second.queue_response(200, '{"checks": []}')

    with pytest.raises(HCAPIError):
        connect(**first.settings()).get_checks()
    assert second.requests == []


class JobInterruptedError(Exception):
    """Raised by a signal handler."""


@pytest.fixture(params=["own connections", "passed-in client"])
def passes_in(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "passed-in client")


INTERRUPTIONS = 60


# A connection that was being opened is closed by garbage collection.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("slug", ["", "backup"], ids=["management", "ping by slug"])
def test_a_call_that_a_signal_handler_interrupts_exposes_no_key_in_local_variables(
    stub: Stub, secret_settings: dict[str, Any], passes_in: bool, slug: str
) -> None:
    def interrupt(*_: object) -> None:
        raise JobInterruptedError

    stub.queue_response(200, "OK" if slug else '{"checks": []}')
    stub.seconds_between_bytes = 0.001
    interrupted = 0
    previous = signal.signal(signal.SIGALRM, interrupt)
    try:
        for _ in range(INTERRUPTIONS):
            client = Client(client=httpx.Client() if passes_in else None, **secret_settings)
            try:
                signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0002, 0.02))
                client.success_ping(slug=slug) if slug else client.get_checks()
                signal.setitimer(signal.ITIMER_REAL, 0)
            except JobInterruptedError as error:
                interrupted += 1
                shown = local_variables_of(error)
                assert API_KEY not in shown
                assert PING_KEY not in shown
            client.close()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert interrupted


def interrupt_ping_in(module: str, client: Client) -> JobInterruptedError:
    """Raise an exception in the first call of a function of a module during a ping, as a signal handler may."""

    def interrupt(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_globals.get("__name__", "").startswith(module):
            sys.setprofile(None)
            raise JobInterruptedError

    sys.setprofile(interrupt)
    try:
        with client, pytest.raises(JobInterruptedError) as caught:
            client.success_ping(slug="backup")
    finally:
        sys.setprofile(None)
    return caught.value


def test_an_exception_raised_in_the_constructor_of_a_named_tuple_exposes_no_key(
    stub: Stub, secret_settings: dict[str, Any]
) -> None:
    stub.queue_response(200, "OK")
    shown = local_variables_of(interrupt_ping_in("namedtuple_", Client(client=httpx.Client(), **secret_settings)))

    assert API_KEY not in shown
    assert PING_KEY not in shown


def test_an_exception_of_a_signal_handler_leaves_a_call_although_a_codec_wraps_it(
    stub: Stub, secret_settings: dict[str, Any], passes_in: bool
) -> None:
    codecs.lookup("idna")
    stub.queue_response(200, "OK")
    secret_settings["ping_url"] = secret_settings["ping_url"].replace("127.0.0.1", "localhost")
    client = Client(client=httpx.Client() if passes_in else None, **secret_settings)
    shown = local_variables_of(interrupt_ping_in("encodings.idna", client))

    assert API_KEY not in shown
    assert PING_KEY not in shown


@pytest.mark.parametrize("slug", ["", "backup"], ids=["management", "ping by slug"])
def test_a_cancelled_call_exposes_no_key_in_local_variables(
    stub: Stub, secret_settings: dict[str, Any], passes_in: bool, slug: str
) -> None:
    stub.queue_response(200, "OK" if slug else '{"checks": []}')
    stub.seconds_between_bytes = 0.001

    async def cancel_some_calls() -> int:
        cancelled = 0
        for _ in range(INTERRUPTIONS):
            http = httpx.AsyncClient() if passes_in else None
            async with AsyncClient(client=http, **secret_settings) as client:
                call = client.success_ping(slug=slug) if slug else client.get_checks()
                task = asyncio.ensure_future(call)
                await asyncio.sleep(random.uniform(0, 0.02))
                task.cancel()
                try:
                    await task
                except asyncio.CancelledError as error:
                    cancelled += 1
                    shown = local_variables_of(error)
                    assert API_KEY not in shown
                    assert PING_KEY not in shown
        return cancelled

    assert asyncio.run(cancel_some_calls())


def test_an_unusable_proxy_exposes_neither_its_password_nor_a_key(
    connect: Callable[..., Api], secret_settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "nonsense://user:the-password@proxy.example")
    api = connect(**secret_settings)
    with pytest.raises(HCAPIError) as caught:
        api.success_ping(slug="backup")

    shown = local_variables_of(caught.value) + "".join(traceback.format_exception(caught.value))
    assert "the-password" not in shown
    assert PING_KEY not in shown


def test_a_proxy_that_rejects_the_password_exposes_neither_it_nor_a_key(
    connect: Callable[..., Api], secret_settings: dict[str, Any], stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", stub.url.replace("://", "://user:the-password@"))
    stub.queue_response(407)
    api = connect(**secret_settings | {"ping_url": "https://healthchecks.invalid/ping/"})
    with pytest.raises(HCAPIError) as caught:
        api.success_ping(slug="backup")

    shown = local_variables_of(caught.value) + "".join(traceback.format_exception(caught.value))
    assert "the-password" not in shown
    assert PING_KEY not in shown
