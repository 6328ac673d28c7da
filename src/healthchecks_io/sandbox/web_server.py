"""Serve an ASGI application in a thread, without side effects on signals or logging in the host process.

Tests freeze, move and mock the clock, also that of asyncio (freezegun does). A timer set before such a change may never
expire. So nothing here depends on a timer of the event loop.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

if TYPE_CHECKING:
    from starlette.types import ASGIApp

# Never, even if the clock is moved by centuries: the server must not close a connection that is about to be reused.
_KEEP_ALIVE_SECONDS = 10**12
_MAX_STOP_SECONDS = 10.0

_logger = logging.getLogger(__name__)
# Without a handler, warnings would go to standard error.
_logger.addHandler(logging.NullHandler())


class _Protocol(H11Protocol):
    """Pass the transport to the application, which closes it to inject faults."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # same as in uvicorn
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}
        # Headers and body are written separately: with Nagle's algorithm, the body would arrive 40 ms later.
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # uvicorn's own setting would change the logging of the whole process.
        self.access_log = False
        self.logger = _logger


class WebServer:
    """An HTTP server in a background thread, running from `start()` to `stop()`.

    The socket listens as soon as the object exists: earlier connections wait for `start()`.

    It uses uvicorn's HTTP protocol, but not `uvicorn.Server`, which looks every 0.1 seconds whether it should stop.

    Args:
        app: The ASGI application that handles the requests. It sets the Date header.
        host: The address to listen on.
        port: The port to listen on. 0 picks a free port.
    """

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        self._config = uvicorn.Config(
            app,
            loop="asyncio",
            http=_Protocol,
            ws="none",
            interface="asgi3",
            lifespan="off",
            log_config=None,
            workers=1,
            proxy_headers=False,
            server_header=False,
            date_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        self._config.load()
        self._state = ServerState()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        self._loop = asyncio.SelectorEventLoop()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="healthchecks-sandbox", daemon=True)

    @property
    def root(self) -> str:
        """The URL of the server, without a trailing slash."""
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Start serving requests."""
        self._thread.start()

    def stop(self) -> None:
        """Close all connections and end the thread.

        Raises:
            RuntimeError: The thread is stuck.
        """
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_MAX_STOP_SECONDS)
        if self._thread.is_alive():
            raise RuntimeError(f"the sandbox did not stop within {_MAX_STOP_SECONDS:.0f} seconds")

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._socket.close()
            self._loop.close()

    async def _serve(self) -> None:
        server = await self._loop.create_server(self._create_protocol, sock=self._socket)
        await self._stopping.wait()
        # First stop accepting: asyncio fails if its server is closed while it creates the transport of a connection.
        self._loop.remove_reader(self._socket)
        # Do not wait for delayed responses or for clients that do not read.
        while self._state.connections or len(asyncio.all_tasks()) > 1:
            for connection in self._state.connections:
                connection.transport.abort()
            await asyncio.sleep(0)
        server.close()

    def _create_protocol(self) -> _Protocol:
        return _Protocol(self._config, self._state, app_state={}, _loop=self._loop)
