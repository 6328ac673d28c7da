"""A minimal server with negligible cost. It responds to pings and returns cached lists of checks.

The first segment of a path is a number. For a POST, it is the delay of the response in milliseconds; for a GET, the
number of checks to return. A POST to the management API returns a check. Run as a script, the server prints its root
URLs and serves until standard input is closed.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from functools import lru_cache
from typing import Any
from uuid import UUID

HOST = "127.0.0.1"

_PING_RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n"
    b"Ping-Body-Limit: 100000\r\nAccess-Control-Allow-Origin: *\r\n\r\nOK"
)


_INTEGRATION_IDS = ("4ec5a071-2d08-4baa-898a-eb4eb3cd6941", "746a083e-f542-4554-be1a-707ce16d3acc")


class Connection(asyncio.Protocol):
    """A keep-alive connection that handles one request after the other."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Respond to each complete request."""
        self._received += data
        while (head_length := self._received.find(b"\r\n\r\n") + 4) > 3:
            head = self._received[:head_length].lower()
            _, has_body, rest = head.partition(b"content-length:")
            length = head_length + (int(rest[: rest.index(b"\r")]) if has_body else 0)
            if len(self._received) < length:
                return
            self._received = self._received[length:]
            self._respond(head.split(b" ", 2)[1], is_post=head.startswith(b"post"))

    def _respond(self, path: bytes, *, is_post: bool) -> None:
        number = int(path.split(b"/", 2)[1])
        if not is_post:
            self._write(_INTEGRATIONS if path.endswith(b"/channels/") else response_with_checks(number))
            return
        response = response_with_check() if b"/checks/" in path else _PING_RESPONSE
        if number:
            asyncio.get_running_loop().call_later(number / 1000, self._write, response)
        else:
            self._write(response)

    def _write(self, response: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(response)


def _json_response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


_INTEGRATIONS = _json_response(
    json.dumps(
        {"channels": [{"id": each, "name": f"Team {each[0]}", "kind": "email"} for each in _INTEGRATION_IDS]}
    ).encode()
)


@lru_cache
def response_with_checks(count: int) -> bytes:
    """Return the response to a request for a list of checks."""
    return _json_response(body_with_checks(count))


@lru_cache
def response_with_check() -> bytes:
    """Return the response to a request that updates a check."""
    return _json_response(json.dumps(_check(3)).encode())


def body_with_checks(count: int) -> bytes:
    """Return a list of checks as a Healthchecks server encodes it."""
    return json.dumps({"checks": [_check(number) for number in range(count)]}).encode()


def _check(number: int) -> dict[str, Any]:
    uuid = UUID(int=(0x9E3779B97F4A7C15F39CC0605CEDC834 * (number + 1)) % 2**128)
    has_schedule = number % 3 == 0
    url = f"https://healthchecks.example/api/v3/checks/{uuid}"
    return {
        "name": f"Nightly backup of database {number}",
        "slug": f"nightly-backup-of-database-{number}",
        "tags": "production database backup",
        "desc": "Dumps the database, uploads it, and deletes the dumps of last month.",
        "grace": 3600,
        "n_pings": 17 * number,
        "status": ("up", "down", "grace", "new", "paused")[number % 5],
        "started": number % 7 == 0,
        "last_ping": f"2026-03-{number % 28 + 1:02}T04:05:06+00:00",
        "next_ping": f"2026-04-{number % 28 + 1:02}T04:05:06+00:00",
        "last_duration": number % 900,
        "manual_resume": False,
        "methods": "",
        "subject": "",
        "subject_fail": "",
        "start_kw": "",
        "success_kw": "",
        "failure_kw": "",
        "filter_subject": False,
        "filter_body": False,
        "filter_http_body": False,
        "filter_default_fail": False,
        "badge_url": f"https://healthchecks.example/b/2/{uuid}.svg",
        "unique_key": f"{uuid.hex}{number:08x}",
        "uuid": str(uuid),
        "ping_url": f"https://healthchecks.example/ping/{uuid}",
        "update_url": url,
        "pause_url": f"{url}/pause",
        "resume_url": f"{url}/resume",
        "channels": ",".join(_INTEGRATION_IDS),
        "timeout": None if has_schedule else 86400,
        "schedule": "5 4 * * *" if has_schedule else None,
        "tz": "Europe/Riga" if has_schedule else None,
    }


async def _serve(certificate: str) -> None:
    loop = asyncio.get_running_loop()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    root_urls: dict[str, str] = {}
    for scheme, context in (("http", None), ("https", tls)):
        server = await loop.create_server(Connection, HOST, 0, ssl=context, backlog=2000)
        root_urls[scheme] = f"{scheme}://{HOST}:{server.sockets[0].getsockname()[1]}/"
    print(json.dumps(root_urls), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
