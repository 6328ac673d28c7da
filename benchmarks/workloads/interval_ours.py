"""Run a heartbeat, and print by how much the mean of its interval differs from what it should be."""

import json
import socket
import sys
import threading
import time

from healthchecks_io import Client
from healthchecks_io.monitoring import heartbeat

_INTERVAL = 0.1


def _serve(server: socket.socket, times: list[float]) -> None:
    """Respond after half an interval to a whole one."""
    while True:
        connection, _ = server.accept()
        with connection:
            while connection.recv(65536):
                times.append(time.monotonic())
                time.sleep((0.5, 1.0, 0.75)[len(times) % 3] * _INTERVAL)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")


def main(count: int) -> None:
    """Send the pings."""
    heartbeat.MIN_INTERVAL = _INTERVAL
    times: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_serve, args=(server, times), daemon=True).start()
        client = Client(ping_url=f"http://127.0.0.1:{server.getsockname()[1]}/")
        with client, heartbeat.heartbeat(uuid="u", every=_INTERVAL, client=client):
            while len(times) <= count:
                time.sleep(_INTERVAL)
    mean = (times[count] - times[0]) / count
    print(json.dumps({"deviation": abs(mean - _INTERVAL) / _INTERVAL}))


main(int(sys.argv[2]))
