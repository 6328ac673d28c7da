"""A web server in a thread of its own: uvicorn, which leaves no trace in the process that it is a guest of."""

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

# Longer than any test waits between two requests: a connection must not be closed just when it is used again.
_KEEP_ALIVE_SECONDS = 3600

_logger = logging.getLogger(__name__)
# Nothing goes to standard error unless the process logs there.
_logger.addHandler(logging.NullHandler())


class _Protocol(H11Protocol):
    """HTTP that hands the connection itself to the application, for answers that are broken off."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}
        # Else headers and body, which are written one after the other, arrive 40 ms apart.
        connection: socket.socket = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Not by uvicorn's own setting: that one changes the logging of the whole process.
        self.access_log = False
        self.logger = _logger


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Neither a late answer nor a client that does not read may hold up the end.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await super().shutdown(sockets)


class Host:
    """A server, which runs from `start()` to `stop()`; who connects earlier waits for it.

    Args:
        app: What answers the requests.
        host: The address to listen on.
        port: The port, 0 for any that is free.
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
        """The URL of the server, without a slash at its end."""
        host, port = self._socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Close all connections, and end the thread."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))
