"""Tests of starting and stopping the sandbox, and of its side effects on the process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import re
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from healthchecks_io import Client
from healthchecks_io.sandbox import Sandbox
from healthchecks_io.sandbox.web_server import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable

    Api = Callable[..., Any]
    Ping = Callable[..., httpx.Response]


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)  # noqa: S603 - trusted code


def open_sockets() -> int:
    gc.collect()
    sockets = 0
    for descriptor in os.listdir("/dev/fd"):  # noqa: PTH208 - file descriptors, not paths
        with contextlib.suppress(OSError):
            sockets += stat.S_ISSOCK(os.fstat(int(descriptor)).st_mode)
    return sockets


def test_urls_of_both_apis_are_available(hc: Sandbox, http: httpx.Client) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/api/", hc.api_url)
    assert hc.ping_url == hc.api_url.replace("/api/", "/ping/")
    assert http.get(f"{hc.api_url}v3/status/").text == "OK"


def test_keys_have_the_format_of_a_real_server(hc: Sandbox) -> None:
    assert re.fullmatch(r"hcw_[a-z0-9]{28}", hc.api_key)
    assert re.fullmatch(r"hcr_[a-z0-9]{28}", hc.read_only_key)
    assert re.fullmatch(r"hcw_[a-z0-9]{28}", hc.other_api_key)
    assert re.fullmatch(r"[a-z0-9]{22}", hc.ping_key)


def test_environ_connects_clients_to_the_sandbox(hc: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in hc.environ.items():
        monkeypatch.setenv(name, value)

    with Client.from_env() as client:
        client.success_ping(slug="backup", create=True)
        assert [check.slug for check in client.get_checks()] == ["backup"]
    assert len(hc.pings("backup")) == 1


def test_environ_raises_if_not_running() -> None:
    with pytest.raises(ValueError, match="not running"):
        _ = Sandbox().environ


def test_fifty_concurrent_clients_lose_no_ping(hc: Sandbox, api: Api) -> None:
    uuid = api("checks/", json={})["uuid"]

    def ping_twice(_: int) -> list[str]:
        with httpx.Client() as client:
            return [client.post(f"{hc.ping_url}{uuid}").text for _ in range(2)]

    with ThreadPoolExecutor(50) as threads:
        responses = list(threads.map(ping_twice, range(50)))
    assert responses == [["OK", "OK"]] * 50
    assert [ping.n for ping in hc.pings(uuid)] == list(range(100, 0, -1))


def test_sandboxes_are_isolated_from_each_other(hc: Sandbox, api: Api, http: httpx.Client) -> None:
    check = api("checks/", json={"slug": "job"})
    with Sandbox() as other:
        assert http.get(f"{other.api_url}v3/checks/", headers={"X-Api-Key": hc.api_key}).status_code == 401
        assert http.get(f"{other.ping_url}{check['uuid']}").status_code == 404
        other.advance(days=1)
        other.fail_next(503)
        assert other.checks == []
        assert hc.now < other.now
    assert http.get(check["ping_url"]).text == "OK"


def test_stop_leaves_no_threads_or_sockets_behind() -> None:
    threads, sockets = threading.active_count(), open_sockets()
    with Sandbox() as hc, httpx.Client() as client:
        client.get(f"{hc.api_url}v3/status/")
        # The client keeps this connection open.
        open_connection = socket.create_connection(("127.0.0.1", httpx.URL(hc.api_url).port or 0))
    open_connection.close()
    assert threading.active_count() <= threads
    assert open_sockets() <= sockets


def test_exception_leaves_no_threads_or_sockets_behind() -> None:
    threads, sockets = threading.active_count(), open_sockets()
    with pytest.raises(ZeroDivisionError), Sandbox():
        _ = 1 / 0
    assert threading.active_count() <= threads
    assert open_sockets() <= sockets


def test_stop_does_not_wait_for_delayed_responses(http: httpx.Client) -> None:
    with Sandbox() as hc, ThreadPoolExecutor(1) as threads:
        hc.fail_next(delay=60)
        response = threads.submit(http.get, f"{hc.api_url}v3/status/")
        while hc._faults:
            time.sleep(0.01)
        begin = time.monotonic()
        hc.stop()
        assert time.monotonic() - begin < 2
        assert isinstance(response.exception(), httpx.TransportError)


def test_stop_works_immediately_after_start() -> None:
    begin = time.monotonic()
    for _ in range(5):
        with Sandbox():
            pass
    assert time.monotonic() - begin < 5


def test_stop_raises_if_the_server_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthchecks_io.sandbox.web_server._MAX_STOP_SECONDS", 0.1)
    started, finish = threading.Event(), threading.Event()

    async def block(scope: object, receive: object, send: object) -> None:
        started.set()
        finish.wait()

    server = WebServer(block, "127.0.0.1", 0)
    server.start()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(httpx.get, server.root)
        assert started.wait(30)
        with pytest.raises(RuntimeError, match="did not stop"):
            server.stop()
        finish.set()


def test_contents_survive_a_restart(http: httpx.Client) -> None:
    sandbox = Sandbox()
    for expected in (0, 1):
        with sandbox as hc:
            assert len(hc.checks) == expected
            http.post(f"{hc.ping_url}{hc.ping_key}/job?create=1")


def test_start_works_inside_a_running_event_loop() -> None:
    async def ping() -> str:
        with Sandbox() as hc:
            async with httpx.AsyncClient() as client:
                return (await client.get(f"{hc.api_url}v3/status/")).text

    assert asyncio.run(ping()) == "OK"


def test_client_disconnect_during_a_request_is_harmless(
    hc: Sandbox, http: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    url = httpx.URL(hc.api_url)
    for _ in range(3):
        with socket.create_connection((url.host, url.port or 0)) as connection:
            connection.sendall(b"POST /ping/x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
    assert http.get(f"{hc.api_url}v3/status/").text == "OK"
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_port_can_be_set(http: httpx.Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Sandbox(port=port) as hc:
        assert hc.api_url == f"http://127.0.0.1:{port}/api/"
        with pytest.raises(OSError, match="in use"), Sandbox(port=port):
            pass
        assert http.get(f"{hc.api_url}v3/status/").text == "OK"


def test_ipv6_addresses_are_in_brackets(http: httpx.Client) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("IPv6 is not available")
    with Sandbox(host="::1") as hc:
        assert hc.api_url.startswith("http://[::1]:")
        assert http.get(f"{hc.api_url}v3/status/").text == "OK"


@pytest.mark.parametrize("option", [{"port": -1}, {"port": 65536}, {"check_limit": -1}, {"ping_body_limit": -1}])
def test_out_of_range_arguments_are_rejected(option: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(option))} must"):
        Sandbox(**option)  # type: ignore[arg-type]  # host is a string, but never passed


def test_start_raises_if_already_running(hc: Sandbox) -> None:
    with pytest.raises(ValueError, match="already running"):
        hc.start()


def test_url_raises_if_not_running() -> None:
    with pytest.raises(ValueError, match="not running"):
        _ = Sandbox().api_url


def test_stop_does_nothing_if_not_running() -> None:
    Sandbox().stop()


def test_start_and_stop_use_little_cpu_time(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import time; from healthchecks_io.sandbox import Sandbox\nwith Sandbox(): pass\nprint(time.process_time())"
    for name in [name for name in os.environ if name.startswith("COVERAGE")]:
        monkeypatch.delenv(name)
    assert min(float(run_python(code).stdout) for _ in range(3)) < 0.5


def test_sandbox_prints_nothing_and_does_not_change_logging_or_signals() -> None:
    code = """
import logging, signal, socket, urllib.request
def state():
    loggers = [logging.getLogger(name) for name in (None, "uvicorn", "uvicorn.access", "uvicorn.error")]
    signals = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    return [(logger.level, logger.handlers, logger.propagate, logger.filters) for logger in loggers], signals
before = state()
from healthchecks_io.sandbox import Sandbox
with Sandbox() as hc:
    assert urllib.request.urlopen(hc.api_url + "v3/status/").read() == b"OK"
    with socket.create_connection(("127.0.0.1", int(hc.api_url.split(":")[2].split("/")[0]))) as connection:
        connection.sendall(b"not HTTP\\r\\n\\r\\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    assert state() == before
assert state() == before
"""
    run = run_python(code)
    assert (run.stdout, run.stderr) == ("", "")


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "cronsim"])
def test_import_without_the_extra_shows_what_to_install(missing: str) -> None:
    code = f"""
import sys
sys.modules[{missing!r}] = None
try:
    import healthchecks_io.sandbox
except ImportError as error:
    print(error)
"""
    expected = (
        "healthchecks_io.sandbox requires Starlette, uvicorn and cronsim. "
        "Install them with: pip install 'healthchecks-io[sandbox]'"
    )
    assert run_python(code).stdout.strip() == expected
