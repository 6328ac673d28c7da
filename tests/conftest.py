"""Fixtures shared by all tests: clients, servers and recorded responses."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import uuid
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from healthchecks_io import AsyncClient, Check, CheckCreate, CheckTrap, CheckUpdate, Client
from healthchecks_io.sandbox.versions import NEWEST, parse_version

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from healthchecks_io.sandbox import Sandbox


def pytest_configure() -> None:
    """Remove environment variables that affect clients and commands."""
    pattern = "HEALTHCHECKS_(?!LIVE_|SANDBOX_VERSION$).*|SSL_CERT_(FILE|DIR)|(NO|FORCE)_COLOR|COLUMNS|.*_PROXY"
    for name in [name for name in os.environ if re.fullmatch(pattern, name, re.IGNORECASE)]:
        del os.environ[name]


class Api:
    """A synchronous interface to either client. Coroutines are run to completion."""

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
        """Run the block in a CheckTrap that uses this client."""
        with self.entering(CheckTrap(self.client, *args, **kwargs)) as trap:
            yield trap

    @contextlib.contextmanager
    def entering(self, manager: Any) -> Iterator[Any]:
        """Enter the context manager with `with` or `async with`, depending on the client."""
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
    """Return a function that creates a client. Tests that use it run with both client classes."""
    apis: list[Api] = []

    def create(*args: Any, **settings: Any) -> Api:
        client_class = Client if request.param == "sync" else AsyncClient
        apis.append(Api(client_class(*args, **settings), loop))
        return apis[-1]

    yield create
    for api in apis:
        api.close()


@pytest.fixture
def http_client(connect: Callable[..., Api], request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Return the httpx client class that matches the client under test."""
    return httpx.Client if request.node.callspec.params["connect"] == "sync" else httpx.AsyncClient


@pytest.fixture
def connect_with_httpx_client(connect: Callable[..., Api], http_client: Callable[..., Any]) -> Callable[..., Api]:
    """Return a function that creates a client with a passed-in httpx client that has a response hook and headers."""

    def create(hook: Callable[[httpx.Response], None] | None = None, headers: Any = None, **settings: Any) -> Api:
        async def async_hook(response: httpx.Response) -> None:
            if hook is not None:
                hook(response)

        hooks = [] if hook is None else [hook if http_client is httpx.Client else async_hook]
        http = http_client(headers=headers, event_hooks={"response": hooks})
        api = connect(client=http, **settings)
        api.http = http
        return api

    return create


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """Return a function that starts a server and returns its URL. Each connection is handled in a new thread."""
    with contextlib.ExitStack() as stack:

        def start(handle: Callable[[socket.socket], None]) -> str:
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

        yield start


@pytest.fixture
def raw_server(serve: Callable[[Callable[[socket.socket], None]], str]) -> Callable[[bytes], str]:
    """Return a function that starts a server that sends the given bytes as its response."""

    def start(response: bytes) -> str:
        def handle(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(response)

        return serve(handle)

    return start


@pytest.fixture
def full_server() -> Iterator[str]:
    """The URL of a server whose backlog is full, so that connection attempts time out."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def silent_server() -> Iterator[str]:
    """The URL of a server that accepts connections but never responds."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


IS_LIVE = "HEALTHCHECKS_LIVE_API_URL" in os.environ
SANDBOX_VERSION = None if IS_LIVE else os.environ.get("HEALTHCHECKS_SANDBOX_VERSION")
SERVER_VERSION = parse_version(
    os.environ.get("HEALTHCHECKS_LIVE_VERSION", str(NEWEST)) if IS_LIVE else SANDBOX_VERSION or str(NEWEST)
)
API_VERSION = 3 if SERVER_VERSION.has("api/v3") else 2 if SERVER_VERSION.has("api/v2") else 1
BODIES_ARE_READABLE_SINCE = parse_version("2.5")


@dataclass(frozen=True)
class LivePing:
    """A ping as reported by a real server."""

    type: str
    method: str
    rid: uuid.UUID | None
    duration: float | None
    read_body: Callable[[], bytes]

    @property
    def body(self) -> bytes:
        if SERVER_VERSION < BODIES_ARE_READABLE_SINCE:
            pytest.skip(f"needs Healthchecks {BODIES_ARE_READABLE_SINCE} to read the body of a ping")
        return self.read_body()

    @property
    def exit_status(self) -> int:
        pytest.skip("the API does not report the exit status of a ping")


class LiveServer:
    """A real Healthchecks server in place of the sandbox. Using a feature that only the sandbox has skips the test."""

    def __init__(self) -> None:
        self.api_url = os.environ["HEALTHCHECKS_LIVE_API_URL"]
        self.ping_url = os.environ["HEALTHCHECKS_LIVE_PING_URL"]
        self.api_key = os.environ["HEALTHCHECKS_LIVE_API_KEY"]
        self.read_only_key = os.environ["HEALTHCHECKS_LIVE_READ_ONLY_KEY"]
        self.ping_key = os.environ["HEALTHCHECKS_LIVE_PING_KEY"]
        self.other_api_key = os.environ["HEALTHCHECKS_LIVE_OTHER_API_KEY"]

    def _request(self, method: str, path: str) -> httpx.Response:
        url = f"{self.api_url}v{API_VERSION}/checks/{path}"
        return httpx.request(method, url, headers={"X-Api-Key": self.api_key}).raise_for_status()

    def reset(self) -> None:
        for check in self.checks:
            self._request("DELETE", check.uuid or "")

    def client(self, **options: Any) -> Client:
        urls = {"api_url": self.api_url, "ping_url": self.ping_url}
        return Client(self.api_key, self.ping_key, **{"api_version": API_VERSION, **urls, **options})

    @property
    def checks(self) -> list[Check]:
        return [Check.from_api_result(check) for check in self._request("GET", "").json()["checks"]]

    def pings(self, check: Check | str) -> list[LivePing]:
        name = check if isinstance(check, str) else check.uuid
        (check_id,) = [each.uuid for each in self.checks if name in (each.slug, each.uuid)]
        return [
            LivePing(
                ping["type"],
                ping["method"],
                # Servers older than 2.5 have neither run IDs nor URLs of bodies.
                uuid.UUID(ping["rid"]) if ping.get("rid") else None,
                ping.get("duration"),
                partial(self._body, check_id, ping),
            )
            for ping in self._request("GET", f"{check_id}/pings/").json()["pings"]
        ]

    def _body(self, check_id: str | None, ping: dict[str, Any]) -> bytes:
        return self._request("GET", f"{check_id}/pings/{ping['n']}/body").content if ping["body_url"] else b""

    @property
    def now(self) -> datetime:
        pytest.skip("cannot advance the clock of a real server")

    def advance(self, **_: float) -> None:
        pytest.skip("cannot advance the clock of a real server")

    def fail_next(self, **_: object) -> None:
        pytest.skip("a real server does not fail on demand")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Select only the tests that use the `hc` fixture when the server or its version is given."""
    if IS_LIVE or SANDBOX_VERSION:
        others = [item for item in items if "hc" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


@pytest.fixture(scope="session")
def old_sandbox() -> Iterator[Sandbox]:
    """A sandbox that behaves like the version HEALTHCHECKS_SANDBOX_VERSION."""
    from healthchecks_io.sandbox import Sandbox

    with Sandbox(version=SANDBOX_VERSION) as sandbox:
        yield sandbox


@pytest.fixture
def hc(request: pytest.FixtureRequest) -> Iterator[Sandbox | LiveServer]:
    """An empty sandbox, or the real server at HEALTHCHECKS_LIVE_API_URL with all checks deleted.

    Skips tests whose `server` marker names a newer version than the server has.
    """
    needed = max((parse_version(*mark.args) for mark in request.node.iter_markers("server")), default=SERVER_VERSION)
    if needed > SERVER_VERSION:
        pytest.skip(f"needs Healthchecks {needed}")
    if not IS_LIVE:
        sandbox: Sandbox = request.getfixturevalue("old_sandbox" if SANDBOX_VERSION else "healthchecks_sandbox")
        yield sandbox
        if SANDBOX_VERSION:
            sandbox.reset()
            if not sandbox.is_running:
                sandbox.start()
        return
    server = LiveServer()
    server.reset()
    yield server


@pytest.fixture
def faults(hc: Sandbox | LiveServer) -> None:
    """Skip the test before it starts if the server does not fail on demand.

    For tests that call `fail_next` in a job, where a test that is skipped is a job that fails.
    """
    if isinstance(hc, LiveServer):
        hc.fail_next()


@pytest.fixture
def settings(hc: Sandbox) -> dict[str, Any]:
    """Constructor arguments for a client of `hc`."""
    return {
        "api_key": hc.api_key,
        "ping_key": hc.ping_key,
        "api_url": hc.api_url,
        "ping_url": hc.ping_url,
        "api_version": API_VERSION,
    }


@pytest.fixture
def api(connect: Callable[..., Api], settings: dict[str, Any]) -> Api:
    """A client of `hc`. Tests that use it run with both client classes."""
    return connect(**settings)


@dataclass
class ReceivedRequest:
    """A request that a Stub received."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    port: int


@dataclass
class Stub:
    """A server that sends queued responses and records the requests it receives."""

    url: str = ""
    requests: list[ReceivedRequest] = field(default_factory=list)
    seconds_between_bytes: float = 0
    _responses: list[tuple[int, bytes, dict[str, str]]] = field(default_factory=list)

    def queue_response(self, status: int = 200, body: bytes | str = b"", headers: dict[str, str] | None = None) -> None:
        """Send this response after those already queued. The last response in the queue is repeated."""
        self._responses.append((status, body.encode() if isinstance(body, str) else body, headers or {}))

    def set_response(self, status: int = 200, body: bytes | str = b"", headers: dict[str, str] | None = None) -> None:
        """Discard the queued responses and send this one from now on."""
        self._responses.clear()
        self.queue_response(status, body, headers)

    def next_response(self) -> tuple[int, bytes, dict[str, str]]:
        return self._responses.pop(0) if len(self._responses) > 1 else self._responses[0]

    def settings(self, **overrides: Any) -> dict[str, Any]:
        """Return constructor arguments for a client of this server."""
        urls = {"api_url": f"{self.url}/api/", "ping_url": f"{self.url}/ping/"}
        return {"api_key": "k" * 32, "ping_key": "pingkey", "retries": 0, **urls, **overrides}


def _handler_class(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle_one_request(self) -> None:
            with contextlib.suppress(ConnectionError):
                super().handle_one_request()

        def respond(self) -> None:
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

        do_GET = do_POST = do_DELETE = respond  # noqa: N815 - names required by http.server

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - name used by http.server
            """Do not log requests to standard error."""

    return Handler


@pytest.fixture
def started() -> Iterator[list[subprocess.Popen[Any]]]:
    """A list of processes, which end with the test."""
    processes: list[subprocess.Popen[Any]] = []
    yield processes
    for process in processes:
        process.kill()
        with process:
            pass


@pytest.fixture
def make_stub() -> Iterator[Callable[..., Stub]]:
    with contextlib.ExitStack() as stack:

        def start(tls: ssl.SSLContext | None = None) -> Stub:
            stub = Stub()
            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _handler_class(stub)))
            server.daemon_threads = True
            if tls is not None:
                server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            stub.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return stub

        yield start


@pytest.fixture
def stub(make_stub: Callable[[], Stub]) -> Stub:
    return make_stub()


def _read_json_lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def recordings() -> list[dict[str, Any]]:
    """Requests sent to real servers, with their responses."""
    return _read_json_lines("recordings.jsonl")


@pytest.fixture(scope="session")
def recorded_fields(recordings: list[dict[str, Any]]) -> list[tuple[dict[str, Any], type[CheckUpdate], dict[str, Any]]]:
    """The recorded requests that create or update a check, as tuples of recording, schema and request body."""
    found = []
    for recording in recordings:
        request, status = recording["request"], recording["response"]["status"]
        is_check_path = re.fullmatch(r"/api/v\d/checks/([0-9a-f-]{36})?", request["path"])
        is_create_or_update = request["method"] == "POST" and is_check_path and status in (200, 201, 400)
        body = _expand(request["body"])
        if is_create_or_update and isinstance(body, dict) and "$hex" not in body:
            schema = CheckCreate if request["path"].endswith("/") else CheckUpdate
            found.append((recording, schema, body))
    return found


def _expand(value: Any) -> Any:
    """Expand the `$repeat` abbreviations of the recordings."""
    if isinstance(value, list):
        return [_expand(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$repeat" in value:
        return value["$repeat"]["text"] * value["$repeat"]["count"]
    return {name: _expand(item) for name, item in value.items()}


@pytest.fixture(scope="session")
def documented() -> list[dict[str, Any]]:
    """The example responses from the documentation of the management API."""
    return _read_json_lines("documented.jsonl")


@pytest.fixture
def fresh_python() -> Callable[[str], str]:
    """Return a function that runs code in a new interpreter and returns its output."""
    import sys

    def run(code: str) -> str:
        completed = subprocess.run(  # noqa: S603 - trusted code
            [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
        )
        return completed.stdout.strip()

    return run


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


@pytest.fixture(scope="session")
def redis_port() -> Iterator[int]:
    """The port of a Redis server that keeps nothing on disk."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("needs redis-server")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    redis = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd="/")  # noqa: S603 - trusted input
    deadline = time.monotonic() + 10
    try:
        while not _accepts(port):
            assert time.monotonic() < deadline, "redis-server did not start"
            time.sleep(0.01)
        yield port
    finally:
        redis.terminate()
        redis.wait()
