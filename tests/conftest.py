from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import os
import re
import socket
import threading
import time
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from healthchecks_io import AsyncClient, Check, CheckCreate, CheckTrap, CheckUpdate, Client

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator

    from healthchecks_io.sandbox import Sandbox


def pytest_configure() -> None:
    """Leave nothing in the environment that changes what clients and commands do."""
    ours = "HEALTHCHECKS_(?!LIVE_).*|SSL_CERT_(FILE|DIR)|(NO|FORCE)_COLOR|COLUMNS|.*_PROXY"
    for name in [name for name in os.environ if re.fullmatch(ours, name, re.IGNORECASE)]:
        del os.environ[name]


class Api:
    """One of the two clients, called in the same way: what a coroutine gives is waited for."""

    def __init__(self, client: Client | AsyncClient, loop: asyncio.AbstractEventLoop) -> None:
        self.client = client
        self.http: Any = None
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.client, name)
        return (lambda *args, **kwargs: self.run(method(*args, **kwargs))) if callable(method) else method

    def close(self) -> None:
        if isinstance(self.client, Client):
            self.client.close()
        else:
            self.run(self.client.aclose())

    def run(self, result: Any) -> Any:
        return self._loop.run_until_complete(result) if inspect.isawaitable(result) else result

    @contextlib.contextmanager
    def trap(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Wrap the block in a CheckTrap of this client."""
        with self.entering(CheckTrap(self.client, *args, **kwargs)) as trap:
            yield trap

    @contextlib.contextmanager
    def entering(self, manager: Any) -> Iterator[Any]:
        """Use a context manager by the way that fits the client."""
        if isinstance(self.client, Client):
            with manager as entered:
                yield entered
            return
        stack = contextlib.AsyncExitStack()
        entered = self.run(stack.enter_async_context(manager))
        try:
            yield entered
        except BaseException as error:
            if not self.run(stack.__aexit__(type(error), error, error.__traceback__)):
                raise
        else:
            self.run(stack.aclose())


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture(params=["sync", "async"])
def connect(request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop) -> Iterator[Callable[..., Api]]:
    """Make a client with the given settings: a test that asks for this runs with both."""
    apis: list[Api] = []

    def make(*args: Any, **settings: Any) -> Api:
        kind = Client if request.param == "sync" else AsyncClient
        apis.append(Api(kind(*args, **settings), loop))
        return apis[-1]

    yield make
    for api in apis:
        api.close()


@pytest.fixture
def http_client(connect: Callable[..., Api], request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Make an httpx client of one's own, of the kind that the client takes."""
    return httpx.Client if request.node.callspec.params["connect"] == "sync" else httpx.AsyncClient


@pytest.fixture
def connect_with_httpx_client(connect: Callable[..., Api], http_client: Callable[..., Any]) -> Callable[..., Api]:
    """Make a client with an httpx client of one's own, which has a response hook and headers."""

    def make(hook: Callable[[httpx.Response], None] | None = None, headers: Any = None, **settings: Any) -> Api:
        async def async_hook(response: httpx.Response) -> None:
            if hook is not None:
                hook(response)

        hooks = [] if hook is None else [hook if http_client is httpx.Client else async_hook]
        http = http_client(headers=headers, event_hooks={"response": hooks})
        api = connect(client=http, **settings)
        api.http = http
        return api

    return make


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Make a server that does this with each connection, in a thread of its own, and closes it then."""
    with contextlib.ExitStack() as stack:

        def make(handle: Callable[[socket.socket], None]) -> str:
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def handle_and_close(connection: socket.socket) -> None:
                with connection, contextlib.suppress(OSError):
                    handle(connection)

            def accept() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        threading.Thread(target=handle_and_close, args=[server.accept()[0]], daemon=True).start()

            thread = threading.Thread(target=accept, daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown, socket.SHUT_RDWR)
            return f"http://127.0.0.1:{server.getsockname()[1]}"

        yield make


@pytest.fixture
def raw_server(serve: Callable[[Callable[[socket.socket], None]], str]) -> Callable[[bytes], str]:
    """Make a server that gives these bytes for an answer."""

    def make(answer: bytes) -> str:
        def handle(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(answer)

        return serve(handle)

    return make


@pytest.fixture
def full_server() -> Iterator[str]:
    """A server that accepts no further connection."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def silent_server() -> Iterator[str]:
    """A server that accepts connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@dataclass(frozen=True)
class LivePing:
    """A ping, as a real server tells of it."""

    type: str
    method: str
    rid: uuid.UUID | None
    duration: float | None
    body: bytes

    @property
    def exit_status(self) -> int:
        pytest.skip("no server tells the exit status of a ping")


class LiveServer:
    """A real Healthchecks server in the place of the sandbox: what only a sandbox can do skips the test."""

    def __init__(self) -> None:
        self.api_url = os.environ["HEALTHCHECKS_LIVE_API_URL"]
        self.ping_url = os.environ["HEALTHCHECKS_LIVE_PING_URL"]
        self.api_key = os.environ["HEALTHCHECKS_LIVE_API_KEY"]
        self.read_only_key = os.environ["HEALTHCHECKS_LIVE_READ_ONLY_KEY"]
        self.ping_key = os.environ["HEALTHCHECKS_LIVE_PING_KEY"]
        self.other_api_key = os.environ["HEALTHCHECKS_LIVE_OTHER_API_KEY"]

    def _ask(self, method: str, path: str) -> httpx.Response:
        url = f"{self.api_url}v3/checks/{path}"
        return httpx.request(method, url, headers={"X-Api-Key": self.api_key}).raise_for_status()

    def reset(self) -> None:
        for check in self.checks:
            self._ask("DELETE", check.uuid or "")

    def client(self, **options: Any) -> Client:
        urls = {"api_url": self.api_url, "ping_url": self.ping_url}
        return Client(self.api_key, self.ping_key, **{"api_version": 3, **urls, **options})

    @property
    def checks(self) -> list[Check]:
        return [Check.from_api_result(check) for check in self._ask("GET", "").json()["checks"]]

    def pings(self, check: Check | str) -> list[LivePing]:
        name = check if isinstance(check, str) else check.uuid
        (check_id,) = [each.uuid for each in self.checks if name in (each.slug, each.uuid)]
        return [
            LivePing(
                ping["type"],
                ping["method"],
                uuid.UUID(ping["rid"]) if ping["rid"] else None,
                ping.get("duration"),
                self._ask("GET", f"{check_id}/pings/{ping['n']}/body").content if ping["body_url"] else b"",
            )
            for ping in self._ask("GET", f"{check_id}/pings/").json()["pings"]
        ]

    def advance(self, **_: float) -> None:
        pytest.skip("the clock of a real server cannot be moved")

    def fail_next(self, **_: object) -> None:
        pytest.skip("a real server does not fail on demand")


IS_LIVE = "HEALTHCHECKS_LIVE_API_URL" in os.environ


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run, on a real server, the tests that need one; all others have nothing to do with it."""
    if IS_LIVE:
        others = [item for item in items if "hc" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.fixture
def hc(request: pytest.FixtureRequest) -> Sandbox | LiveServer:
    """An empty sandbox; or a real server, if the environment names one."""
    if not IS_LIVE:
        sandbox: Sandbox = request.getfixturevalue("healthchecks_sandbox")
        return sandbox
    server = LiveServer()
    server.reset()
    return server


@pytest.fixture
def settings(hc: Sandbox) -> dict[str, Any]:
    """What a client of the sandbox is made with."""
    return {
        "api_key": hc.api_key,
        "ping_key": hc.ping_key,
        "api_url": hc.api_url,
        "ping_url": hc.ping_url,
        "api_version": 3,
    }


@pytest.fixture
def api(connect: Callable[..., Api], settings: dict[str, Any]) -> Api:
    """A client of the sandbox: a test that asks for it runs with both."""
    return connect(**settings)


@dataclass
class ReceivedRequest:
    """What a client sent to a Stub."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int


@dataclass
class Stub:
    """A server that answers as it is told, and remembers what it was asked."""

    url: str = ""
    requests: list[ReceivedRequest] = field(default_factory=list)
    seconds_between_bytes: float = 0
    _responses: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)

    def queue_response(self, status: int = 200, body: bytes | str = b"", headers: dict[str, str] | None = None) -> None:
        """Give this answer after the ones before; the last one is given again and again."""
        self._responses.append((status, body.encode() if isinstance(body, str) else body, headers or {}))

    def set_response(self, status: int = 200, body: bytes | str = b"", headers: dict[str, str] | None = None) -> None:
        """Forget what was to come, and give this answer from now on."""
        self._responses.clear()
        self.queue_response(status, body, headers)

    def next_response(self) -> tuple[int, bytes, dict[str, str]]:
        return self._responses.pop(0) if len(self._responses) > 1 else self._responses[0]

    def settings(self, **more: Any) -> dict[str, Any]:
        """What a client of this server is made with."""
        urls = {"api_url": f"{self.url}/api/", "ping_url": f"{self.url}/ping/"}
        return {"api_key": "k" * 32, "ping_key": "pingkey", "retries": 0, **urls, **more}


def _handler_of(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_one_request(self) -> None:
            with contextlib.suppress(ConnectionError):
                super().handle_one_request()

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            stub.requests.append(
                ReceivedRequest(self.command, self.path, dict(self.headers), body, self.client_address[1])
            )
            status, body, headers = stub.next_response()
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(body))} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            for part in [body[i : i + 1] for i in range(len(body))] if stub.seconds_between_bytes else [body]:
                self.wfile.write(part)
                time.sleep(stub.seconds_between_bytes)
            self.close_connection = int(headers.get("Content-Length", 0)) > len(body)

        do_GET = do_POST = do_DELETE = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in http.server
            """Keep the tests' output for the tests."""

    return Handler


@pytest.fixture
def make_stub() -> Iterator[Callable[..., Stub]]:
    with contextlib.ExitStack() as stack:

        def make(tls: ssl.SSLContext | None = None) -> Stub:
            stub = Stub()
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(stub)))
            server.daemon_threads = True
            if tls is not None:
                server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            stub.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return stub

        yield make


@pytest.fixture
def stub(make_stub: Callable[[], Stub]) -> Stub:
    return make_stub()


def _lines_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def recordings() -> list[dict[str, Any]]:
    """What was asked of real servers, and what they answered."""
    return _lines_of("recordings.jsonl")


@pytest.fixture(scope="session")
def recorded_fields(recordings: list[dict[str, Any]]) -> list[tuple[dict[str, Any], type[CheckUpdate], dict[str, Any]]]:
    """The recorded requests that create and update a check: the recording, the schema for it, and what was sent."""
    found = []
    for recording in recordings:
        request, status = recording["request"], recording["response"]["status"]
        is_about_fields = re.fullmatch(r"/api/v\d/checks/([0-9a-f-]{36})?", request["path"]) and status in (
            200,
            201,
            400,
        )
        body = _unfolded(request["body"])
        if request["method"] == "POST" and is_about_fields and isinstance(body, dict) and "$hex" not in body:
            schema = CheckCreate if request["path"].endswith("/") else CheckUpdate
            found.append((recording, schema, body))
    return found


def _unfolded(value: Any) -> Any:
    """Write out what the recordings abbreviate."""
    if isinstance(value, list):
        return [_unfolded(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$repeat" in value:
        return value["$repeat"]["text"] * value["$repeat"]["count"]
    return {name: _unfolded(item) for name, item in value.items()}


@pytest.fixture(scope="session")
def documented() -> list[dict[str, Any]]:
    """The answers that are printed in the documents of the management API."""
    return _lines_of("documented.jsonl")


@pytest.fixture
def fresh_python() -> Callable[[str], str]:
    """Run some lines in an interpreter of their own, and give what they print."""
    import subprocess
    import sys

    def run(code: str) -> str:
        done = subprocess.run(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    return run
