"""Every call ends in time, whatever the server does. Time spent queueing does not count toward an attempt's timeout."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from healthchecks_io import AsyncClient, CheckCreate, Client, HCAPIError, HCAPIUnavailableError, PingResult
from healthchecks_io.client.async_client import MAX_CONCURRENT_REQUESTS
from healthchecks_io.client.async_deadline import within_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api, Stub


@pytest.fixture
def endless_server(
    serve: Callable[[Callable[[socket.socket], None]], str],
) -> Callable[[bytes, bytes, float], str]:
    """Return a function that starts a server that sends `beginning`, then repeats `repeated` forever with pauses."""

    def start(beginning: bytes, repeated: bytes, pause: float) -> str:
        def handle(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(beginning)
            while True:
                connection.sendall(repeated)
                time.sleep(pause)

        return serve(handle)

    return start


ENDLESS = {
    "dripping status line": (b"", b"H", 0.05),
    "dripping headers": (b"HTTP/1.1 200 OK\r\nX-Drip: ", b"x", 0.05),
    "endless interim responses": (b"", b"HTTP/1.1 102 Processing\r\n\r\n", 0.0),
    "slow interim responses": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
    "dripping body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"x", 0.05),
    "body that never arrives": (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"", 0.05),
}


@pytest.mark.parametrize(("beginning", "repeated", "pause"), ENDLESS.values(), ids=ENDLESS)
def test_an_attempt_ends_in_time_however_slow_the_response_is(
    connect: Callable[..., Api],
    endless_server: Callable[[bytes, bytes, float], str],
    beginning: bytes,
    repeated: bytes,
    pause: float,
) -> None:
    api = connect(ping_url=endless_server(beginning, repeated, pause), timeout=0.4, retries=0)
    began = time.monotonic()

    with pytest.raises(HCAPIUnavailableError):
        api.success_ping("u")
    assert time.monotonic() - began < 3


def test_the_timeout_applies_to_each_attempt(connect: Callable[..., Api], silent_server: str) -> None:
    began = time.monotonic()

    with pytest.raises(HCAPIUnavailableError, match="timed out|not complete") as caught:
        connect(ping_url=silent_server, timeout=0.2, retries=1).success_ping("u")
    assert caught.value.status_code is None
    assert 0.4 <= time.monotonic() - began < 5


def test_an_attempt_ends_in_time_however_slowly_the_server_reads_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def read_slowly() -> None:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            while connection.recv(2000):
                time.sleep(0.02)

    def connect_with_a_small_buffer(*args: Any, **options: Any) -> socket.socket:
        connection = connect(*args, **options)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return connection

    connect = socket.create_connection
    # Otherwise the whole request would fit into the socket buffers.
    monkeypatch.setattr(socket, "create_connection", connect_with_a_small_buffer)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        thread = threading.Thread(target=read_slowly)
        thread.start()
        began = time.monotonic()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        with Client(ping_url=url, timeout=0.4, retries=0) as client, pytest.raises(HCAPIUnavailableError):
            client.success_ping("u", data="x" * 1_000_000)
        assert time.monotonic() - began < 4
        thread.join()


def test_a_cancellation_is_not_lost_if_the_attempt_finishes_at_the_same_time() -> None:
    async def main() -> None:
        work = asyncio.get_running_loop().create_future()

        async def attempt() -> None:
            await work

        task = asyncio.create_task(within_seconds(10, attempt()))
        await asyncio.sleep(0.01)
        work.set_result(None)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_the_timeout_covers_the_response_body_with_a_passed_in_httpx_client(
    connect_with_httpx_client: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(200, "x" * 200)
    stub.seconds_between_bytes = 0.05
    began = time.monotonic()

    with pytest.raises(HCAPIUnavailableError):
        connect_with_httpx_client(None, **stub.settings(timeout=0.3)).get_checks()
    assert time.monotonic() - began < 3


def test_an_unresolvable_host_name_is_a_connect_error(connect: Callable[..., Api]) -> None:
    with pytest.raises(HCAPIUnavailableError) as caught:
        connect(ping_url="http://healthchecks.invalid/", retries=0).success_ping("u")
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


def resolve_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """Let the name healthchecks.invalid have these addresses."""
    resolve = socket.getaddrinfo

    def getaddrinfo(host: str, *args: Any, **options: Any) -> list[Any]:
        if host == "healthchecks.invalid":
            if options.get("flags") == socket.AI_NUMERICHOST:
                raise socket.gaierror
            return [found for address in addresses for found in resolve(address, *args, **options)]
        return list(resolve(host, *args, **options))

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_every_address_of_a_host_is_tried(
    connect: Callable[..., Api], stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.queue_response(200, "OK")
    resolve_to(monkeypatch, "127.0.0.3", "127.0.0.2", "127.0.0.1")
    url = stub.url.replace("127.0.0.1", "healthchecks.invalid")

    assert connect(ping_url=f"{url}/ping/", retries=0).success_ping("u").success


def test_if_no_address_accepts_the_error_is_a_connect_error(
    connect: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    with pytest.raises(HCAPIUnavailableError) as caught:
        connect(ping_url="http://healthchecks.invalid:1/", retries=0).success_ping("u")
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


@contextlib.contextmanager
def dead(address: str, port: int = 0) -> Iterator[int]:
    """Let connections to an address never be accepted, and return the port."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.create_server((address, port), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def test_a_dead_address_does_not_use_up_the_time_of_the_others(
    connect: Callable[..., Api], stub: Stub, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub.queue_response(200, "OK")
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.1")
    port = int(stub.url.rpartition(":")[2])
    with dead("127.0.0.2", port):
        began = time.monotonic()
        api = connect(ping_url=f"http://healthchecks.invalid:{port}/ping/", timeout=20, retries=0)
        assert api.success_ping("u").success
    assert time.monotonic() - began < 10


def test_if_all_addresses_are_dead_the_attempt_ends_in_time(
    connect: Callable[..., Api], monkeypatch: pytest.MonkeyPatch
) -> None:
    resolve_to(monkeypatch, "127.0.0.2", "127.0.0.3")
    with dead("127.0.0.2") as port, dead("127.0.0.3", port):
        began = time.monotonic()
        with pytest.raises(HCAPIUnavailableError, match="timed out"):
            connect(ping_url=f"http://healthchecks.invalid:{port}/", timeout=1, retries=0).success_ping("u")
    assert time.monotonic() - began < 10


def test_the_attempts_of_110_threads_end_in_time(silent_server: str) -> None:
    def ping(_: int) -> HCAPIUnavailableError | None:
        try:
            client.success_ping("u")
        except HCAPIUnavailableError as error:
            return error
        return None

    threads = 110
    began = time.monotonic()
    with Client(ping_url=silent_server, timeout=1, retries=0) as client, ThreadPoolExecutor(threads) as pool:
        assert all(pool.map(ping, range(threads)))
    assert time.monotonic() - began < 5


def test_create_check_is_retried_after_a_tls_handshake_timeout(
    connect: Callable[..., Api], silent_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "healthchecks_io")
    api = connect(api_url=silent_server.replace("http", "https"), timeout=0.3, retries=1)

    with pytest.raises(HCAPIUnavailableError):
        api.create_check(CheckCreate())
    assert "attempt 2 of 2" in caplog.text


def test_a_call_cancelled_during_the_tls_handshake_closes_its_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        async def cancel() -> bytes:
            async with AsyncClient(ping_url=f"https://127.0.0.1:{server.getsockname()[1]}/") as client:
                ping = asyncio.create_task(client.success_ping("u"))
                connection, _ = await asyncio.to_thread(server.accept)
                with connection:
                    connection.settimeout(5)
                    received = await asyncio.to_thread(connection.recv, 65536)
                    ping.cancel()
                    await asyncio.wait([ping])
                    while received:
                        received = await asyncio.to_thread(connection.recv, 65536)
            return received

        assert asyncio.run(cancel()) == b""


@pytest.fixture
def slow_server() -> Iterator[tuple[str, list[int]]]:
    """The URL of a server that takes 0.4 s per response, and the number of concurrent requests at each arrival."""
    concurrent: list[int] = []
    active = 0

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal active
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                active += 1
                concurrent.append(active)
                await asyncio.sleep(0.4)
                active -= 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(respond, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", concurrent
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    server.close()
    loop.run_until_complete(_end_all_tasks())
    loop.close()


async def _end_all_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # asyncio closes the sockets in the next iteration of its event loop.
    await asyncio.sleep(0)


def test_hundreds_of_concurrent_pings_queue_without_timing_out(slow_server: tuple[str, list[int]]) -> None:
    url, concurrent = slow_server

    async def ping_all() -> list[PingResult]:
        async with AsyncClient(ping_url=url, timeout=3, retries=1) as client:
            return await asyncio.gather(*(client.success_ping("u") for _ in range(pings)))

    # The nine batches of 0.4 s take 3.6 s, longer than the timeout of a single ping.
    pings = 9 * MAX_CONCURRENT_REQUESTS
    assert asyncio.run(ping_all()) == [(True, "OK")] * pings
    assert max(concurrent) <= MAX_CONCURRENT_REQUESTS


# asyncio loses the socket of a connection that is established at the moment when opening it is cancelled.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_time_spent_queueing_counts_toward_the_deadline_of_the_call(
    silent_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("healthchecks_io.client.retries.MAX_DELAYS", 0.0)

    async def ping_all() -> list[Any]:
        async with AsyncClient(ping_url=silent_server, timeout=0.3, retries=0) as client:
            pings = [client.success_ping("u") for _ in range(3 * MAX_CONCURRENT_REQUESTS)]
            return await asyncio.gather(*pings, return_exceptions=True)

    began = time.monotonic()
    outcomes = asyncio.run(ping_all())

    assert all(isinstance(outcome, HCAPIUnavailableError) for outcome in outcomes)
    assert time.monotonic() - began < 3
    # While the warning is ignored.
    gc.collect()


def test_a_queued_call_fails_if_the_client_is_closed(slow_server: tuple[str, list[int]]) -> None:
    async def close_while_queued() -> list[Any]:
        client = AsyncClient(ping_url=slow_server[0], retries=0)
        pings = [asyncio.create_task(client.success_ping("u")) for _ in range(MAX_CONCURRENT_REQUESTS + 1)]
        await asyncio.sleep(0.05)
        await client.aclose()
        return await asyncio.gather(*pings, return_exceptions=True)

    outcome = asyncio.run(close_while_queued())[-1]

    assert isinstance(outcome, HCAPIError)
    assert "the client is closed" in str(outcome)
