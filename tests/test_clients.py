"""Creating, using and closing clients."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import inspect
import math
import os
import re
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import create_autospec

import httpx
import pytest
from endpoints import METHODS, PROCEDURES
from hypothesis import example, given, strategies

from healthchecks_io import AsyncClient, Client, HCAPIError, PingResult, __version__
from healthchecks_io.client import transports
from healthchecks_io.client.abstract_client import AbstractClient
from healthchecks_io.client.settings import checked_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub


@pytest.mark.parametrize(
    ("settings", "error_class", "message"),
    [
        ({"api_url": "healthchecks.io/api/"}, ValueError, "api_url must be a URL"),
        ({"api_url": "ftp://healthchecks.io/api/"}, ValueError, "api_url must be a URL"),
        ({"api_url": "https:///api/"}, ValueError, "api_url must be a URL"),
        ({"api_url": "https://:80/api/"}, ValueError, "api_url must be a URL"),
        ({"api_url": "https://x:port/"}, ValueError, "api_url must be a URL"),
        ({"api_url": "https://x:99999/"}, ValueError, "api_url must be a URL"),
        ({"api_url": "https://[::1/"}, ValueError, "api_url must be a URL"),
        ({"api_url": "https://[v1.x]/"}, ValueError, "api_url must be a URL"),
        ({"api_url": "https://xn--/"}, ValueError, "api_url must be a URL"),
        ({"api_url": "https://a..b/"}, ValueError, "api_url must be a URL"),
        ({"api_url": "https://*/"}, ValueError, "api_url must be a URL"),
        ({"api_url": "http://192.168.1.256/"}, ValueError, "api_url must be a URL"),
        ({"api_url": "http://[::1]x/"}, ValueError, "api_url must be a URL"),
        ({"api_url": f"http://x/{'a' * 2000}"}, ValueError, "api_url must be a URL"),
        ({"api_url": f"https://{'a' * 64}/"}, ValueError, "api_url must be a URL"),
        ({"api_url": "https://x/?a=b"}, ValueError, "without a query"),
        ({"api_url": "https://x/ y"}, ValueError, "api_url must be a URL"),
        ({"api_url": ""}, ValueError, "api_url must be a URL"),
        ({"api_url": None}, TypeError, "api_url must be a string"),
        ({"ping_url": "https://user:secret@x/"}, ValueError, "user name"),
        ({"ping_url": "x"}, ValueError, "ping_url must be a URL"),
        ({"api_version": 0}, ValueError, "api_version must be 1, 2 or 3"),
        ({"api_version": 4}, ValueError, "api_version must be 1, 2 or 3"),
        ({"api_version": "3"}, ValueError, "api_version must be 1, 2 or 3"),
        ({"api_version": True}, ValueError, "api_version must be 1, 2 or 3"),
        ({"timeout": 0}, ValueError, "timeout must be a number of seconds above 0"),
        ({"timeout": -1}, ValueError, "timeout must be a number of seconds above 0"),
        ({"timeout": math.inf}, ValueError, "timeout must be a number of seconds above 0"),
        ({"timeout": math.nan}, ValueError, "timeout must be a number of seconds above 0"),
        ({"timeout": "10"}, TypeError, "timeout must be a number"),
        ({"timeout": True}, TypeError, "timeout must be a number"),
        ({"retries": -1}, ValueError, "retries must not be negative"),
        ({"retries": 1.5}, TypeError, "retries must be a whole number"),
        ({"api_key": None}, TypeError, "api_key must be a string"),
        ({"api_key": "a b"}, ValueError, "api_key must consist of printable ASCII"),
        ({"api_key": "a\n"}, ValueError, "api_key must consist of printable ASCII"),
        ({"ping_key": "a/b"}, ValueError, "ping_key must consist of letters"),
        ({"ping_key": 5}, TypeError, "ping_key must be a string"),
        ({"client": "httpx"}, TypeError, "client must be an httpx.(Async)?Client, or a function .* not builtins.str"),
    ],
)
@pytest.mark.parametrize("client_class", [Client, AsyncClient])
def test_an_invalid_setting_is_rejected(
    client_class: Any, settings: dict[str, Any], error_class: Any, message: str
) -> None:
    with pytest.raises(error_class, match=message) as caught:
        client_class(**settings)
    assert "secret" not in str(caught.value)


def test_an_httpx_client_of_the_wrong_kind_is_rejected() -> None:
    with (
        httpx.Client() as http,
        pytest.raises(TypeError, match="must be an httpx.AsyncClient, or a function .* not httpx.Client"),
    ):
        AsyncClient(client=http)  # type: ignore[arg-type]  # wrong class on purpose
    with pytest.raises(TypeError, match="must be an httpx.Client, or .* not httpx.AsyncClient"):
        Client(client=httpx.AsyncClient())  # type: ignore[arg-type]  # wrong class on purpose


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/",
        "http://[::1]:8000/",
        "HTTPS://hc.example.",
        "http://my_host/",
        "http://xn--bcher-kva.example/",
    ],
)
def test_a_valid_url_is_accepted(url: str) -> None:
    assert Client(api_url=url).is_closed is False


@given(strategies.text("0123456789.:[]%@xa-_ü", min_size=1, max_size=20))
@example("010.0.0.1")
@example("256x80[::1]")
def test_every_accepted_url_is_valid_for_httpx(host: str) -> None:
    with contextlib.suppress(ValueError):
        httpx.URL(checked_url("api_url", f"http://{host}/"))


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_trailing_slash_of_a_url_is_optional(connect: Callable[..., Api], stub: Stub, slash: str) -> None:
    stub.queue_response(200, "OK")
    api = connect(api_url=f"{stub.url}/hc/api{slash}", ping_url=f"{stub.url}/hc/ping{slash}")

    api.get_status()
    api.success_ping("u")

    assert [request.path for request in stub.requests] == ["/hc/api/v1/status/", "/hc/ping/u"]


def test_from_env_reads_settings_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, connect: Callable[..., Api], stub: Stub
) -> None:
    key_file = tmp_path / "key"
    key_file.write_text("  the-api-key\n")
    monkeypatch.setenv("HEALTHCHECKS_API_KEY", f"file:{key_file}")
    monkeypatch.setenv("HEALTHCHECKS_PING_KEY", "the-ping-key")
    monkeypatch.setenv("HEALTHCHECKS_API_URL", f"{stub.url}/api/")
    monkeypatch.setenv("HEALTHCHECKS_PING_URL", f"{stub.url}/ping/")
    monkeypatch.setenv("HEALTHCHECKS_API_VERSION", "2")
    stub.queue_response(200, '{"checks": []}')
    stub.queue_response(200, "OK")

    with Client.from_env() as client:
        client.get_checks()
        client.success_ping(slug="s")

    assert (stub.requests[0].path, stub.requests[0].headers["X-Api-Key"]) == ("/api/v2/checks/", "the-api-key")
    assert stub.requests[1].path == "/ping/the-ping-key/s"


@pytest.mark.parametrize("client_class", [Client, AsyncClient])
def test_from_env_uses_version_3_of_the_api_by_default(client_class: Any) -> None:
    assert "api_version=3" in repr(client_class.from_env())
    assert "api_version=1" in repr(client_class())


@pytest.mark.parametrize("text", ["the-ping-key\n", "  the-ping-key", "\tthe-ping-key\r\n"])
def test_white_space_around_the_value_of_a_variable_is_dropped(
    monkeypatch: pytest.MonkeyPatch, stub: Stub, text: str
) -> None:
    monkeypatch.setenv("HEALTHCHECKS_PING_KEY", text)
    stub.queue_response(200, "OK")

    with Client.from_env(ping_url=f"{stub.url}/ping/") as client:
        client.success_ping(slug="s")
    assert stub.requests[0].path == "/ping/the-ping-key/s"


@pytest.mark.parametrize("timeout", ["0.2", "0.2s", " 0.2\n"])
def test_from_env_reads_timeout_and_retries(
    monkeypatch: pytest.MonkeyPatch, silent_server: str, caplog: pytest.LogCaptureFixture, timeout: str
) -> None:
    monkeypatch.setenv("HEALTHCHECKS_TIMEOUT", timeout)
    monkeypatch.setenv("HEALTHCHECKS_RETRIES", "1")

    with Client.from_env(ping_url=silent_server) as client, pytest.raises(HCAPIError, match="timed out"):
        client.success_ping("u")
    assert "attempt 2 of 2" in caplog.text


@pytest.mark.parametrize("client_class", [Client, AsyncClient])
def test_keyword_arguments_override_the_environment_and_empty_variables_are_ignored(
    monkeypatch: pytest.MonkeyPatch, client_class: Any
) -> None:
    monkeypatch.setenv("HEALTHCHECKS_API_KEY", "file:/nowhere")
    monkeypatch.setenv("HEALTHCHECKS_API_URL", "https://env.example/api/")
    monkeypatch.setenv("HEALTHCHECKS_PING_URL", "")

    shown = repr(client_class.from_env(api_key="my-key", api_url="https://keyword.example/api/", retries=0))

    assert "https://keyword.example/api/" in shown
    assert "https://hc-ping.com/" in shown


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("HEALTHCHECKS_API_KEY", "file:/nowhere/key", "HEALTHCHECKS_API_KEY.*'/nowhere/key'.*No such file"),
        ("HEALTHCHECKS_PING_KEY", f"file:{Path(__file__).parent}", "HEALTHCHECKS_PING_KEY.*directory"),
        ("HEALTHCHECKS_API_VERSION", "4", "HEALTHCHECKS_API_VERSION must be 1, 2 or 3"),
        ("HEALTHCHECKS_API_URL", "nonsense", "HEALTHCHECKS_API_URL must be a URL"),
        ("HEALTHCHECKS_API_KEY", "a b", "HEALTHCHECKS_API_KEY must .* but contains ' '"),
        ("HEALTHCHECKS_TIMEOUT", "soon", "HEALTHCHECKS_TIMEOUT.*'soon' is not a valid duration"),
        ("HEALTHCHECKS_TIMEOUT", "0", "HEALTHCHECKS_TIMEOUT must be a number of seconds above 0"),
        ("HEALTHCHECKS_RETRIES", "-1", "HEALTHCHECKS_RETRIES must be a whole number, such as 2, not '-1'"),
        ("HEALTHCHECKS_PING_KEY", "a/b", "HEALTHCHECKS_PING_KEY must consist of letters"),
        ("HEALTHCHECKS_RETRIES", "1.5", "HEALTHCHECKS_RETRIES must be a whole number.*'1.5'"),
    ],
)
def test_the_error_names_the_invalid_environment_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(ValueError, match=message):
        Client.from_env()


def test_a_key_file_that_is_not_utf_8_is_rejected(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("HEALTHCHECKS_API_KEY", f"file:{tmp_path / 'key'}")

    with pytest.raises(ValueError, match="not UTF-8 text"):
        Client.from_env()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_to_which_nobody_writes_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "key")
    monkeypatch.setenv("HEALTHCHECKS_API_KEY", f"file:{tmp_path / 'key'}")

    with pytest.raises(ValueError, match="it is a pipe to which nobody writes"):
        Client.from_env()


def test_a_file_that_never_ends_is_not_read_for_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTHCHECKS_API_KEY", "file:/dev/zero")

    with pytest.raises(ValueError, match="it is longer than 10000 bytes"):
        Client.from_env()


def test_the_user_agent_identifies_the_client(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, "OK")
    api = connect(**stub.settings())

    api.get_status()

    kind = "" if isinstance(api.client, Client) else "-async"
    assert stub.requests[0].headers["User-Agent"] == f"py-healthchecks.io{kind}/{__version__}"


def test_the_headers_of_a_passed_in_httpx_client_are_sent_and_not_modified(
    connect_with_httpx_client: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(200, "OK")
    api = connect_with_httpx_client(None, headers={"X-Team": "ops", "User-Agent": "mine"}, **stub.settings())
    before = copy.copy(api.http.headers)

    api.get_status()

    assert (stub.requests[0].headers["X-Team"], stub.requests[0].headers["User-Agent"]) == ("ops", "mine")
    assert api.http.headers == before


def test_query_parameters_of_a_passed_in_httpx_client_are_sent_but_do_not_override_ours(
    connect: Callable[..., Api], http_client: Callable[..., Any], stub: Stub
) -> None:
    stub.queue_response(200, "OK")
    rid = "00000000-0000-4000-8000-000000000000"
    api = connect(client=http_client(params={"tenant": "1", "rid": "overridden"}), **stub.settings())

    api.success_ping(slug="s", rid=rid, create=True)

    path, _, query = stub.requests[0].path.partition("?")
    assert path == "/ping/pingkey/s"
    assert sorted(query.split("&")) == ["create=1", f"rid={rid}", "tenant=1"]


def test_get_status_through_a_passed_in_httpx_client_needs_no_api_key(
    connect_with_httpx_client: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(200, "OK")

    assert connect_with_httpx_client(**stub.settings(api_key="")).get_status()
    assert "X-Api-Key" not in stub.requests[0].headers


def test_a_connection_closed_by_the_server_is_not_reused(
    connect: Callable[..., Api], raw_server: Callable[[bytes], str]
) -> None:
    api = connect(ping_url=raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK"), retries=0)

    for _ in range(3):
        assert api.success_ping("u").success
        time.sleep(0.05)


def test_connections_to_two_servers_are_reused_separately(
    connect: Callable[..., Api], make_stub: Callable[[], Stub]
) -> None:
    management, pings = make_stub(), make_stub()
    management.queue_response(200, "OK")
    pings.queue_response(200, "OK")
    api = connect(api_url=f"{management.url}/api/", ping_url=f"{pings.url}/ping/", retries=0)

    for _ in range(2):
        assert api.get_status()
        assert api.success_ping("u").success
    assert [len({request.port for request in stub.requests}) for stub in (management, pings)] == [1, 1]


def test_a_mock_transport_works() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text="OK"))
    with Client(client=httpx.Client(transport=transport)) as client:
        assert client.success_ping("u") == (True, "OK")


def test_a_response_hook_may_read_the_response(
    connect: Callable[..., Api], http_client: Callable[..., Any], stub: Stub
) -> None:
    async def read_async(response: httpx.Response) -> None:
        await response.aread()

    stub.queue_response(200, "OK")
    read = httpx.Response.read if http_client is httpx.Client else read_async
    http = http_client(event_hooks={"response": [read]})

    assert connect(client=http, **stub.settings()).success_ping("u") == (True, "OK")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "nonsense://127.0.0.1:1"),
        ("HTTPS_PROXY", "http://[::1"),
        ("SSL_CERT_FILE", __file__),
    ],
)
def test_an_invalid_proxy_or_certificate_variable_fails_pings_but_not_the_job(
    connect: Callable[..., Api], monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    api = connect(ping_url="https://127.0.0.1:1/")

    with pytest.raises(HCAPIError, match=f"{variable}.*{re.escape(value)}"):
        api.success_ping("u")
    with api.trap("u") as trap:
        pass
    assert len(trap.ping_failures) == 2


def test_cookies_are_not_stored(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, "OK", {"Set-Cookie": "a=\xfc; Path=/"})
    api = connect(**stub.settings())

    for _ in range(2):
        assert api.success_ping("u").success
    assert "Cookie" not in stub.requests[1].headers


@pytest.mark.parametrize(
    "challenge",
    ["Digest foo", 'Digest realm="a", nonce="b", algorithm=foo', 'Digest realm="a", nonce="b", qop="auth-int"'],
)
def test_an_error_in_the_auth_of_a_passed_in_httpx_client_raises_an_hcapi_error(stub: Stub, challenge: str) -> None:
    stub.queue_response(401, headers={"WWW-Authenticate": challenge})
    http = httpx.Client(auth=httpx.DigestAuth("user", "password"))

    with Client(client=http, **stub.settings()) as client, pytest.raises(HCAPIError):
        client.success_ping("u")


def test_a_closed_client_reports_is_closed_and_rejects_calls(connect: Callable[..., Api], stub: Stub) -> None:
    api = connect(**stub.settings())
    assert not api.client.is_closed
    api.close()

    assert repr(api.client.is_closed) == "True"
    with pytest.raises(HCAPIError, match="client is closed"):
        api.get_status()


def test_leaving_the_with_block_closes_the_passed_in_httpx_client(
    connect_with_httpx_client: Callable[..., Api], stub: Stub
) -> None:
    api = connect_with_httpx_client(None, **stub.settings())

    with api.entering(api.client):
        pass

    assert api.http.is_closed
    assert api.client.is_closed


def test_a_call_fails_if_the_passed_in_httpx_client_is_closed(
    connect_with_httpx_client: Callable[..., Api], stub: Stub
) -> None:
    api = connect_with_httpx_client(None, **stub.settings())
    api.run(api.http.close() if isinstance(api.client, Client) else api.http.aclose())

    with pytest.raises(HCAPIError, match="client is closed"):
        api.success_ping("u")


def test_one_client_can_be_shared_by_many_threads(stub: Stub) -> None:
    stub.queue_response(200, "OK")
    results: list[PingResult] = []
    with Client(**stub.settings()) as client:
        threads = [threading.Thread(target=lambda: results.append(client.success_ping("u"))) for _ in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert results == [(True, "OK")] * 32


def test_threads_that_start_together_share_one_connection_pool(monkeypatch: pytest.MonkeyPatch, stub: Stub) -> None:
    stub.queue_response(200, "OK")
    created: list[transports.Transport] = []
    barrier = threading.Barrier(4)
    create = transports.Transport

    def create_together() -> transports.Transport:
        barrier.wait()
        created.append(create())
        return created[-1]

    monkeypatch.setattr(transports, "Transport", create_together)
    with Client(**stub.settings()) as client:
        threads = [threading.Thread(target=client.get_status) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [connections is client._connections() for connections in created].count(True) == 1
    assert len(stub.requests) == 4


# Run in a new interpreter, because connections of a closed event loop can no longer be closed.
IN_TWO_EVENT_LOOPS = """
import asyncio, httpx
from healthchecks_io import AsyncClient, HCAPIError

client = AsyncClient(client={client}, ping_url={ping_url!r})

async def ping():
    try:
        return (await client.success_ping("u")).text
    except HCAPIError as error:
        return str(error)

print([asyncio.run(ping()) for _ in range(2)])
"""


def test_an_async_client_works_in_successive_event_loops(fresh_python: Callable[[str], str], stub: Stub) -> None:
    stub.queue_response(200, "OK")

    assert fresh_python(IN_TWO_EVENT_LOOPS.format(client=None, ping_url=stub.url)) == "['OK', 'OK']"


def test_a_passed_in_httpx_client_is_rejected_in_another_event_loop(
    fresh_python: Callable[[str], str], stub: Stub
) -> None:
    stub.queue_response(200, "OK")

    output = fresh_python(IN_TWO_EVENT_LOOPS.format(client="httpx.AsyncClient()", ping_url=stub.url))

    assert output.startswith("['OK', 'the passed-in httpx client has been used in another event loop")


def test_a_passed_in_httpx_client_can_be_closed_in_another_event_loop(
    fresh_python: Callable[[str], str], stub: Stub
) -> None:
    stub.queue_response(200, "OK")
    code = IN_TWO_EVENT_LOOPS.format(client="httpx.AsyncClient()", ping_url=stub.url)

    output = fresh_python(f"{code}\nasyncio.run(client.aclose())\nprint(client.is_closed)")

    assert output.endswith("\nTrue")


def ping_in_a_child_process(api: Api) -> str:
    """Return the result, or the error, of a ping sent from a forked child process."""
    reader, writer = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            outcome = repr(api.success_ping("u"))
        except HCAPIError as error:
            outcome = str(error)
        except BaseException:  # noqa: BLE001 - the child must report any error and exit
            outcome = traceback.format_exc()
        os.write(writer, outcome.encode())
        os._exit(0)
    os.waitpid(pid, 0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        return pipe.read()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_a_fork_a_client_opens_new_connections(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, "OK")
    api = connect(**stub.settings())
    api.success_ping("u")

    assert ping_in_a_child_process(api) == "PingResult(success=True, text='OK')"
    assert api.success_ping("u").success
    assert len({request.port for request in stub.requests}) == 2


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_after_a_fork_a_passed_in_httpx_client_is_rejected(
    connect_with_httpx_client: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(200, "OK")
    api = connect_with_httpx_client(None, **stub.settings())

    assert "pass a function that returns an httpx client" in ping_in_a_child_process(api)
    assert api.success_ping("u").success


def public_methods(of: type) -> set[str]:
    return {name for name in dir(of) if not name.startswith("_") and callable(getattr(of, name))}


def test_the_table_of_endpoints_is_complete() -> None:
    methods = {*METHODS, *PROCEDURES}
    assert public_methods(AbstractClient) == methods
    assert public_methods(Client) == {*methods, "from_env", "close"}
    assert public_methods(AsyncClient) == {*methods, "from_env", "aclose"}


def test_both_clients_have_the_same_methods_with_the_same_parameters() -> None:
    for name in (*METHODS, *PROCEDURES):
        expected = inspect.signature(getattr(AbstractClient, name)).parameters
        assert inspect.signature(getattr(Client, name)).parameters == expected
        assert inspect.signature(getattr(AsyncClient, name)).parameters == expected
        assert inspect.iscoroutinefunction(getattr(AsyncClient, name))
    assert inspect.signature(Client).parameters.keys() == inspect.signature(AsyncClient).parameters.keys()


@pytest.mark.parametrize("name", METHODS)
def test_both_clients_have_the_same_docstring_for_every_method(name: str) -> None:
    doc = inspect.getdoc(getattr(Client, name))

    assert doc is not None
    assert doc == inspect.getdoc(getattr(AsyncClient, name))
    assert all(section in doc for section in ("Source: ", "Returns:"))


@pytest.mark.parametrize("name", PROCEDURES)
def test_both_clients_have_the_same_docstring_for_every_procedure(name: str) -> None:
    doc = inspect.getdoc(getattr(Client, name))

    assert doc is not None
    assert doc == inspect.getdoc(getattr(AsyncClient, name))
    assert "Returns:" in doc


def test_both_clients_can_be_mocked() -> None:
    client, async_client = create_autospec(Client, instance=True), create_autospec(AsyncClient, instance=True)
    client.success_ping.return_value = PingResult(success=True, text="OK")
    async_client.success_ping.return_value = PingResult(success=True, text="OK")

    assert client.success_ping("u", data="x").success
    assert asyncio.run(async_client.success_ping("u")).success
    with pytest.raises(TypeError):
        client.success_ping("u", colour="red")
