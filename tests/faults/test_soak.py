"""Thousands of pings through a server that fails one in five requests: what is lost, and what is left behind.

SOAK_PINGS says how many pings each run sends.
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

    from faults.conftest import Recorder

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

PINGS = int(os.environ.get("SOAK_PINGS", "1000"))
WARM_UP = 100
"""Pings after which caches and free lists are as large as they get."""
MEASURED = PINGS // 4
"""Pings by which is measured what they leave behind: to measure it takes longer than to send them."""
THREADS = 8
TASKS = 10
DEFAULT_RETRIES = 2
ROUNDS = 3
MAX_GROWTH = 20_000
"""Bytes that may stay behind in a round: of the full run, 25 for each ping, and less than one connection."""


class FailingServer:
    """A server in a thread of its own that fails one in five requests, each in a way that is settled beforehand."""

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
        self.hang_up()
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    def hang_up(self) -> None:
        """Close what is open of the connections."""

        async def abort() -> None:
            for transport in list(self.transports):
                transport.abort()
            # What was aborted is gone after a turn of the loop.
            await asyncio.sleep(0.01)

        asyncio.run_coroutine_threadsafe(abort(), self._loop).result()

    def start_anew(self) -> None:
        """Forget what was recorded."""
        self.recorded[:] = bytes(PINGS)
        self._attempts[:] = bytes(PINGS)

    def fault_of_next_attempt(self, ping: int) -> str:
        self._attempts[ping] += 1
        return fault_of(ping, self._attempts[ping])


def fault_of(ping: int, attempt: int) -> str:
    """What goes wrong with an attempt, or nothing: always the same, in whatever order the requests come."""
    chance = random.Random(f"{ping} {attempt}").random()  # noqa: S311 - no secret
    if chance > 0.2:
        return ""
    # Resets are rare because the wait after one of them is half a second and not nothing.
    return "reset" if chance < 0.002 else "503" if chance < 0.1 else "429"


def all_attempts_fail(ping: int, retries: int) -> bool:
    return all(fault_of(ping, attempt) for attempt in range(1, retries + 2))


class Connection(asyncio.Protocol):
    """One connection to the server."""

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
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        if body and len(body) == int(length):
            self._received = b""
            self._answer(int(body))

    def _answer(self, ping: int) -> None:
        fault = self._server.fault_of_next_attempt(ping)
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
    """Send pings with one client that threads share, and say which calls raised."""
    raised = bytearray(PINGS)
    with Client(ping_url=url, retries=retries) as client, ThreadPoolExecutor(THREADS) as threads:

        def send(ping: int) -> None:
            try:
                assert client.success_ping("u", data=str(ping)).success
            except HCAPIError:
                raised[ping] = 1

        # In parts: what waits to be sent would count as memory.
        for start in range(0, pings, 100):
            list(threads.map(send, range(start, min(start + 100, pings))))
    return raised


def send_with_tasks(url: str, retries: int, pings: int) -> bytearray:
    """Send pings with one client that tasks share, and say which calls raised; leave no task behind."""
    raised = bytearray(PINGS)

    async def send_all() -> None:
        numbers = iter(range(pings))
        async with AsyncClient(ping_url=url, retries=retries) as client:

            async def send(ping: int) -> None:
                try:
                    assert (await client.success_ping("u", data=str(ping))).success
                except HCAPIError:
                    raised[ping] = 1

            async def send_some() -> None:
                for ping in numbers:
                    await send(ping)

            await asyncio.gather(*(send_some() for _ in range(TASKS)))
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(send_all())
    return raised


each_way = pytest.mark.parametrize("send", [send_with_threads, send_with_tasks], ids=["sync", "async"])


@pytest.fixture(autouse=True)
def _silence(caplog: pytest.LogCaptureFixture) -> None:
    """Log nothing: pytest would keep it, and that would count as memory."""
    caplog.set_level(logging.CRITICAL, "healthchecks_io")


@pytest.fixture
def server() -> Iterator[FailingServer]:
    server = FailingServer()
    yield server
    server.close()


def test_one_in_five_requests_fails() -> None:
    faults = [fault_of(ping, attempt) for ping in range(1000) for attempt in range(1, 10)]

    assert sum(map(bool, faults)) / len(faults) == pytest.approx(0.2, abs=0.02)
    assert set(faults) == {"", "reset", "503", "429"}


@each_way
def test_with_eight_retries_every_ping_is_recorded_once(
    server: FailingServer, record_losses: Recorder, send: Callable[[str, int, int], bytearray]
) -> None:
    raised = send(server.url, 8, PINGS)
    record_losses("soak with 8 retries", tried=PINGS, lost=server.recorded.count(0))

    assert server.recorded == bytearray(b"\1") * PINGS
    assert not any(raised)


@each_way
def test_by_default_exactly_those_pings_are_missing_whose_call_raised(
    server: FailingServer, record_losses: Recorder, send: Callable[[str, int, int], bytearray]
) -> None:
    raised = send(server.url, DEFAULT_RETRIES, PINGS)
    missing = [ping for ping in range(PINGS) if not server.recorded[ping]]
    record_losses("soak with 2 retries, untold", tried=PINGS, lost=sum(not raised[ping] for ping in missing))

    assert missing == [ping for ping in range(PINGS) if raised[ping]]
    assert missing == [ping for ping in range(PINGS) if all_attempts_fail(ping, DEFAULT_RETRIES)]
    assert len(missing) > 0


def what_is_open() -> tuple[list[str], set[threading.Thread]]:
    """The sockets and files, and the threads, that there are in this process."""
    gc.collect()
    files = []
    for file in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            files.append(str(file.readlink()))
    return sorted(file for file in files if not file.startswith("/proc")), set(threading.enumerate())


@each_way
def test_neither_sockets_nor_threads_are_left_behind(
    server: FailingServer, send: Callable[[str, int, int], bytearray]
) -> None:
    send(server.url, DEFAULT_RETRIES, WARM_UP)
    server.hang_up()
    before = what_is_open()
    server.start_anew()

    send(server.url, DEFAULT_RETRIES, MEASURED)
    # What the server has open is not what is looked for.
    server.hang_up()

    assert what_is_open() == before


@each_way
def test_memory_does_not_grow(server: FailingServer, send: Callable[[str, int, int], bytearray]) -> None:
    sizes = []
    tracemalloc.start()
    try:
        send(server.url, DEFAULT_RETRIES, WARM_UP)
        for _ in range(ROUNDS + 1):
            server.start_anew()
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
            if len(sizes) <= ROUNDS:
                send(server.url, DEFAULT_RETRIES, MEASURED // ROUNDS)
    finally:
        tracemalloc.stop()

    # A leak shows in each round; a table of the interpreter that has become too small, in one.
    assert min(after - before for before, after in pairwise(sizes)) < MAX_GROWTH
