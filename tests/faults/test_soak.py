"""Thousands of pings to a server that fails one in five requests: no ping is lost silently, and nothing leaks.

The environment variable SOAK_PINGS sets the number of pings per run.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import random
import socket
import struct
import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from healthchecks_io import AsyncClient, Client, HCAPIError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faults.conftest import LossRecorder

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

PINGS = int(os.environ.get("SOAK_PINGS", "500"))
WARM_UP = 100
"""Number of pings after which caches and free lists have reached their final size."""
LEAK_TEST_PINGS = PINGS // 4
"""Number of pings in the leak tests. It is smaller because tracing memory makes sending slow."""
THREADS = 8
TASKS = 10
DEFAULT_RETRIES = 2
ROUNDS = 3
MAX_GROWTH = 20_000
"""Maximum growth per round, in bytes. In the full run, this is about 25 bytes per ping, less than one connection."""


class FailingServer:
    """A server in a background thread that fails one in five requests, in a reproducible way."""

    def __init__(self) -> None:
        self.recorded = bytearray(PINGS)
        self.transports: set[asyncio.Transport] = set()
        self._attempts = bytearray(PINGS)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        started = asyncio.run_coroutine_threadsafe(self._start(), self._loop)
        self.url = f"http://127.0.0.1:{started.result()}"

    async def _start(self) -> int:
        self._server = await self._loop.create_server(lambda: Connection(self), "127.0.0.1", 0)
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    def close(self) -> None:
        self.disconnect_clients()
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    def disconnect_clients(self) -> None:
        """Abort all open connections."""

        async def abort() -> None:
            for transport in list(self.transports):
                transport.abort()
            # Aborted transports are closed in the next iteration of the event loop.
            await asyncio.sleep(0.01)

        asyncio.run_coroutine_threadsafe(abort(), self._loop).result()

    def reset(self) -> None:
        """Discard the recorded pings and the attempts."""
        self.recorded[:] = bytes(PINGS)
        self._attempts[:] = bytes(PINGS)

    def next_fault(self, ping: int) -> str:
        self._attempts[ping] += 1
        return fault_for(ping, self._attempts[ping])


def fault_for(ping: int, attempt: int) -> str:
    """Return the fault of an attempt, or an empty string. It does not depend on the order of the requests."""
    chance = random.Random(f"{ping} {attempt}").random()
    if chance > 0.2:
        return ""
    # Resets are rare because the client waits half a second after each of them, and not at all after other faults.
    return "reset" if chance < 0.002 else "503" if chance < 0.1 else "429"


def all_attempts_fail(ping: int, retries: int) -> bool:
    return all(fault_for(ping, attempt) for attempt in range(1, retries + 2))


class Connection(asyncio.Protocol):
    """A connection to the server."""

    def __init__(self, server: FailingServer) -> None:
        self._server = server
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.transports.add(transport)

    def connection_lost(self, _: Exception | None) -> None:
        self._server.transports.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, _, body = self._received.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if length and len(body) == length:
            self._received = b""
            self._respond(int(body))
        elif not length:
            # After the last attempt, the client sends a ping once more without its body, which contains its number.
            self._received = b""
            self._transport.write(b"HTTP/1.1 503 X\r\nContent-Length: 4\r\n\r\nbusy")

    def _respond(self, ping: int) -> None:
        fault = self._server.next_fault(ping)
        if fault == "reset":
            connection: socket.socket = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        elif fault:
            status = fault.encode()
            self._transport.write(b"HTTP/1.1 %b X\r\nRetry-After: 0\r\nContent-Length: 4\r\n\r\nbusy" % status)
        else:
            self._server.recorded[ping] += 1
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")


def send_with_threads(url: str, retries: int, pings: int) -> bytearray:
    """Send pings from several threads that share a client, and return which calls raised."""
    raised = bytearray(PINGS)
    with Client(ping_url=url, retries=retries) as client, ThreadPoolExecutor(THREADS) as threads:

        def send(ping: int) -> None:
            try:
                assert client.success_ping("u", data=str(ping)).success
            except HCAPIError:
                raised[ping] = 1

        # Send in batches: queued calls would count as memory growth.
        for start in range(0, pings, 100):
            list(threads.map(send, range(start, min(start + 100, pings))))
    return raised


def send_with_tasks(url: str, retries: int, pings: int) -> bytearray:
    """Send pings from several tasks that share a client, and return which calls raised. No task may be left over."""
    raised = bytearray(PINGS)

    async def send_all() -> None:
        numbers = iter(range(pings))
        async with AsyncClient(ping_url=url, retries=retries) as client:

            async def send(ping: int) -> None:
                try:
                    assert (await client.success_ping("u", data=str(ping))).success
                except HCAPIError:
                    raised[ping] = 1

            async def send_remaining() -> None:
                for ping in numbers:
                    await send(ping)

            await asyncio.gather(*(send_remaining() for _ in range(TASKS)))
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(send_all())
    return raised


each_client = pytest.mark.parametrize("send", [send_with_threads, send_with_tasks], ids=["sync", "async"])


@pytest.fixture(autouse=True)
def _no_logging(caplog: pytest.LogCaptureFixture) -> None:
    """Disable logging: pytest would keep the records, which would count as memory growth."""
    caplog.set_level(logging.CRITICAL, "healthchecks_io")


@pytest.fixture
def server() -> Iterator[FailingServer]:
    server = FailingServer()
    yield server
    server.close()


def test_one_in_five_requests_fails() -> None:
    faults = [fault_for(ping, attempt) for ping in range(1000) for attempt in range(1, 10)]

    assert sum(map(bool, faults)) / len(faults) == pytest.approx(0.2, abs=0.02)
    assert set(faults) == {"", "reset", "503", "429"}


@each_client
def test_with_eight_retries_every_ping_is_recorded_exactly_once(
    server: FailingServer, record_losses: LossRecorder, send: Callable[[str, int, int], bytearray]
) -> None:
    raised = send(server.url, 8, PINGS)
    record_losses("soak with 8 retries", calls=PINGS, lost=server.recorded.count(0))

    assert server.recorded == bytearray(b"\1") * PINGS
    assert not any(raised)


@each_client
def test_by_default_exactly_the_pings_whose_calls_raised_are_missing(
    server: FailingServer, record_losses: LossRecorder, send: Callable[[str, int, int], bytearray]
) -> None:
    raised = send(server.url, DEFAULT_RETRIES, PINGS)
    missing = [ping for ping in range(PINGS) if not server.recorded[ping]]
    record_losses("soak with 2 retries, unreported", calls=PINGS, lost=sum(not raised[ping] for ping in missing))

    assert missing == [ping for ping in range(PINGS) if raised[ping]]
    assert missing == [ping for ping in range(PINGS) if all_attempts_fail(ping, DEFAULT_RETRIES)]
    assert len(missing) > 0


def open_resources() -> tuple[list[str], set[threading.Thread]]:
    """Return the open files and sockets, and the threads, of this process."""
    gc.collect()
    files = []
    for file in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            files.append(str(file.readlink()))
    return sorted(file for file in files if not file.startswith("/proc")), set(threading.enumerate())


@each_client
def test_no_sockets_files_or_threads_are_leaked(
    server: FailingServer, send: Callable[[str, int, int], bytearray]
) -> None:
    send(server.url, DEFAULT_RETRIES, WARM_UP)
    server.disconnect_clients()
    before = open_resources()
    server.reset()

    send(server.url, DEFAULT_RETRIES, LEAK_TEST_PINGS)
    # Close the server's connections: only the client's resources count.
    server.disconnect_clients()

    assert open_resources() == before


@each_client
def test_memory_does_not_grow(server: FailingServer, send: Callable[[str, int, int], bytearray]) -> None:
    sizes = []
    tracemalloc.start()
    try:
        send(server.url, DEFAULT_RETRIES, WARM_UP)
        for _ in range(ROUNDS + 1):
            server.reset()
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
            if len(sizes) <= ROUNDS:
                send(server.url, DEFAULT_RETRIES, LEAK_TEST_PINGS // ROUNDS)
    finally:
        tracemalloc.stop()

    # A leak shows up in every round; a resized interpreter table shows up in only one.
    assert min(after - before for before, after in pairwise(sizes)) < MAX_GROWTH
