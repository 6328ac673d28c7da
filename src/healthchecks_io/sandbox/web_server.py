"""Run uvicorn in a thread, without side effects on signals or logging in the host process."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    from starlette.types import ASGIApp

# Longer than any test waits between two requests, so that the server never closes a connection about to be reused.
_KEEP_ALIVE_SECONDS = 3600

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


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Do not wait for delayed responses or for clients that do not read.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


class WebServer:
    """An HTTP server in a background thread, running from `start()` to `stop()`.

    The socket listens as soon as the object exists: earlier connections wait for `start()`.

    Args:
        app: The ASGI application that handles the requests.
        host: The address to listen on.
        port: The port to listen on. 0 picks a free port.
    """

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        config = uvicorn.Config(
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
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        )
        self._server = _Server(config)
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
        """Close all connections and end the thread."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))
