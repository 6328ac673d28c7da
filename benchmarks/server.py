"""A minimal server with negligible cost. It responds to pings and returns cached lists of checks.

The first segment of a path is a number. For a POST, it is the delay of the response in milliseconds; for a GET, the
number of checks to return. A POST to the management API returns a check. If the second segment is a number, too, the
first one is the delay of a GET and the second one the number of checks, which have flips and pings. Run as a script,
the server prints its root URLs and serves until standard input is closed.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

HOST = "127.0.0.1"

_PING_RESPONSE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 2\r\n"
    b"Ping-Body-Limit: 100000\r\nAccess-Control-Allow-Origin: *\r\n\r\nOK"
)


_NOW = datetime(2026, 4, 1, 12, tzinfo=timezone.utc)
"""The time at which the flips and pings are read."""

_FLIPS, _PINGS = 30, 100
"""The number of flips and pings of a check. By default, a server keeps 100 pings."""

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
        _, first, second, *_ = path.split(b"/")
        number = int(first)
        if second.isdigit():
            response = response_for_reports(int(second), path.rsplit(b"/", 2)[1])
        elif not is_post:
            self._write(_INTEGRATIONS if path.endswith(b"/channels/") else response_with_checks(number))
            return
        else:
            response = response_with_check() if b"/checks/" in path else _PING_RESPONSE
        if number:
            asyncio.get_running_loop().call_later(number / 1000, self._write, response)
        else:
            self._write(response)

    def _write(self, response: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(response)


def _json_response(body: bytes, more_headers: str = "") -> bytes:
    headers = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{more_headers}"
    head = f"HTTP/1.1 200 OK\r\n{headers}\r\n"
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


@lru_cache
def response_for_reports(count: int, kind: bytes) -> bytes:
    """Return the response to a request for a list of ``checks``, or for the ``flips`` or ``pings`` of a check."""
    bodies = {b"checks": lambda: body_with_checks(count), b"flips": body_with_flips, b"pings": body_with_pings}
    return _json_response(bodies[kind](), f"Date: {format_datetime(_NOW, usegmt=True)}\r\n")


def body_with_flips() -> bytes:
    """Return the flips of a check that is down for an hour every third day, newest first."""
    times = [_NOW - timedelta(days=3 * (number // 2), hours=1 + number % 2) for number in range(_FLIPS)]
    flips = [{"timestamp": time.isoformat(), "up": 1 - number % 2} for number, time in enumerate(times)]
    return json.dumps({"flips": flips}).encode()


def body_with_pings() -> bytes:
    """Return the pings of a check whose job runs twice a day, newest first."""
    return json.dumps({"pings": [_ping(number) for number in range(_PINGS, 0, -1)]}).encode()


def _ping(number: int) -> dict[str, Any]:
    run, is_end = divmod(number - 1, 2)
    check = UUID(int=0x9E3779B97F4A7C15F39CC0605CEDC834)
    start = _NOW - timedelta(hours=12 * (_PINGS // 2 - run), microseconds=123_456)
    duration = 600 + 7.25 * (run % 40)
    ping = {
        "type": ("start", "success")[is_end],
        "date": (start + timedelta(seconds=is_end * duration)).isoformat(),
        "n": 1000 + number,
        "scheme": "https",
        "remote_addr": "203.0.113.17",
        "method": "POST",
        "ua": "py-healthchecks.io/1.0.0",
        "rid": str(UUID(int=run + 2**100)),
        "body_url": f"https://healthchecks.example/api/v3/checks/{check}/pings/{1000 + number}/body",
    }
    return ping | ({"duration": duration} if is_end else {})


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
