"""Requests go through a SOCKS proxy that the environment names."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from healthchecks_io import HCAPIUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub

pytest.importorskip("socksio")


def forward(source: socket.socket, target: socket.socket) -> None:
    while data := source.recv(65536):
        target.sendall(data)


def proxy(connection: socket.socket) -> None:
    """Speak SOCKS5 without authentication, and connect to an IPv4 address."""
    connection.recv(65536)
    connection.sendall(b"\x05\x00")
    request = connection.recv(65536)
    host, port = socket.inet_ntoa(request[4:8]), int.from_bytes(request[8:10], "big")
    with socket.create_connection((host, port)) as target:
        connection.sendall(b"\x05\x00\x00\x01" + bytes(6))
        threading.Thread(target=forward, args=[target, connection], daemon=True).start()
        forward(connection, target)


def test_requests_go_through_the_proxy(
    connect: Callable[..., Api],
    stub: Stub,
    serve: Callable[[Callable[[socket.socket], None]], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connections: list[socket.socket] = []

    def count_and_proxy(connection: socket.socket) -> None:
        connections.append(connection)
        proxy(connection)

    monkeypatch.setenv("ALL_PROXY", serve(count_and_proxy).replace("http://", "socks5://"))
    stub.queue_response(200, "OK")
    api = connect(**stub.settings())

    assert api.success_ping("u").success
    assert api.success_ping("u").success
    assert len(connections) == 1


def test_a_proxy_that_does_not_respond_is_held_to_the_timeout(
    connect: Callable[..., Api], silent_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", silent_server.replace("http://", "socks5://"))
    began = time.monotonic()

    with pytest.raises(HCAPIUnavailableError):
        connect(ping_url="http://127.0.0.1:1/", timeout=0.3, retries=0).success_ping("u")
    assert time.monotonic() - began < 5
