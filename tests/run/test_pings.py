"""The pings leave in the background, in order, and never hold up the command."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from processes import RUN, Job, Probes, eventually

if TYPE_CHECKING:
    import socket
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from processes import Place, Result

    from healthchecks_io.sandbox import Sandbox

UUID = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"

CHECK = {
    "name": "backup",
    "slug": "backup",
    "tags": "",
    "desc": "",
    "grace": 3600,
    "n_pings": 5,
    "status": "up",
    "started": False,
    "last_ping": None,
    "next_ping": None,
    "manual_resume": False,
    "methods": "",
    "subject": "",
    "subject_fail": "",
    "start_kw": "",
    "success_kw": "",
    "failure_kw": "",
    "filter_subject": False,
    "filter_body": False,
    "uuid": UUID,
    "ping_url": f"https://hc-ping.com/{UUID}",
    "update_url": f"https://healthchecks.io/api/v3/checks/{UUID}",
    "pause_url": f"https://healthchecks.io/api/v3/checks/{UUID}/pause",
    "resume_url": f"https://healthchecks.io/api/v3/checks/{UUID}/resume",
    "channels": "",
    "schedule": "0 3 * * *",
    "tz": "UTC",
}
"""The response to a request that updates the check."""


@dataclass
class Request:
    """A request that a service received."""

    path: str
    body: bytes
    began: float
    ended: float = 0.0


@dataclass
class Service:
    """A service whose responses can be held back.

    Attributes:
        url: Its address.
        requests: The requests that it received.
        held: Parts of paths. A request whose path ends with one of them gets no response until `release` is set.
        delay: How long to wait before each response.
        headers: Headers of each response.
    """

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    held: tuple[str, ...] = ()
    release: threading.Event = field(default_factory=threading.Event)
    delay: float = 0.0
    headers: str = ""

    def handle(self, connection: socket.socket) -> None:
        file = connection.makefile("rb")
        while line := file.readline():
            path = line.split()[1].decode().split("?")[0]
            length = 0
            while header := file.readline().strip():
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            request = Request(path, file.read(length), time.monotonic())
            self.requests.append(request)
            if path.endswith(self.held):
                self.release.wait(100)
            time.sleep(self.delay)
            body = json.dumps(CHECK).encode() if "/checks/" in path else b"OK"
            connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{self.headers}\r\n".encode() + body)
            request.ended = time.monotonic()

    @property
    def kinds(self) -> list[str]:
        """The last parts of the paths of the pings: "start", an exit status, or the UUID for success."""
        return [request.path.rpartition("/")[2] for request in self.requests]


@pytest.fixture
def service(serve: Callable[[Callable[[socket.socket], None]], str]) -> Iterator[Service]:
    service = Service()
    service.url = serve(service.handle)
    yield service
    service.release.set()


@pytest.fixture
def environment(environment: dict[str, str], service: Service) -> dict[str, str]:
    """Environment variables that point commands to the service that can hold back its responses."""
    return {
        **{name: value for name, value in environment.items() if name != "HEALTHCHECKS_CHECK_SLUG"},
        "HEALTHCHECKS_PING_URL": service.url,
        "HEALTHCHECKS_CHECK_UUID": UUID,
    }


@pytest.fixture
def sandbox_environment(environment: dict[str, str], hc: Sandbox) -> dict[str, str]:
    """Environment variables that point commands to the sandbox, without a check."""
    return {name: value for name, value in environment.items() if "CHECK_UUID" not in name} | hc.environ


def test_the_command_starts_while_the_service_hangs(
    start: Callable[..., subprocess.Popen[bytes]], service: Service, tmp_path: Path
) -> None:
    service.held = ("start",)
    process = start("--http-timeout", "60", "--", "touch", str(tmp_path / "started"))

    assert eventually((tmp_path / "started").exists)
    assert eventually(lambda: service.kinds == ["start"])
    assert process.poll() is None
    service.release.set()
    assert process.wait(30) == 0
    assert service.kinds == ["start", UUID]


def test_the_final_ping_waits_for_the_response_to_the_start_ping(
    start: Callable[..., subprocess.Popen[bytes]], service: Service
) -> None:
    service.held = ("start",)
    process = start("--http-timeout", "60", "--", "true")
    assert eventually(lambda: service.kinds == ["start"])
    time.sleep(1)
    assert service.kinds == ["start"]
    service.release.set()
    process.wait(30)

    first, last = service.requests
    assert first.ended <= last.began


@pytest.mark.parametrize("retries", ["0", "5"])
def test_the_final_ping_waits_no_longer_than_one_timeout(
    start: Callable[..., subprocess.Popen[bytes]], service: Service, retries: str
) -> None:
    service.held = ("start",)
    started_at = time.monotonic()
    process = start("--http-timeout", "1", "--retries", retries, "--", "sh", "-c", "exit 3")

    assert process.wait(30) == 3
    assert time.monotonic() - started_at < 10
    assert service.kinds[0] == "start"
    assert service.kinds[-1] == "3"


def test_run_ends_although_the_service_never_responds(run: Callable[..., Result], service: Service) -> None:
    service.held = ("",)
    started_at = time.monotonic()
    status, output, errors = run("--http-timeout", "1", "--retries", "0", "--", "sh", "-c", "echo out; exit 3")

    assert (status, output) == (3, b"out\n")
    assert errors.startswith(b"py-healthchecks.io: the run was not reported: ")
    assert errors.count(b"\n") == 1
    assert time.monotonic() - started_at < 15


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_declared_check_is_updated_before_the_start_ping_and_the_final_ping_is_last(
    start: Callable[..., subprocess.Popen[bytes]], environment: dict[str, str], service: Service, seconds: int
) -> None:
    service.delay = 0.2
    variables = {name: value for name, value in environment.items() if "CHECK_UUID" not in name}
    variables |= {"HEALTHCHECKS_API_URL": f"{service.url}/api/", "HEALTHCHECKS_API_KEY": "k" * 32}
    command = ["--slug", "backup", "--schedule", "0 3 * * *", "--", "sleep", str(seconds)]
    assert start(*command, env=variables).wait(30) == 0

    upsert, *_, first, last = service.requests
    assert upsert.path.endswith("/checks/")
    assert first.path.endswith("/start")
    assert UUID in last.path
    for earlier, later in zip(service.requests, service.requests[1:], strict=False):
        assert earlier.ended <= later.began


def test_the_output_is_as_long_as_the_response_to_the_start_ping_allows(
    run: Callable[..., Result], service: Service
) -> None:
    service.headers = "Ping-Body-Limit: 200\r\n"
    run("--", "seq", "1000")
    assert 150 < len(service.requests[1].body) <= 200

    service.headers = "Ping-Body-Limit: 100000\r\n"
    run("--", "head", "-c", "50000", "/dev/zero")
    assert len(service.requests[3].body) == 50_000


@pytest.mark.parametrize(
    ("options", "length"),
    [
        ([], 50_000),
        (["--no-start"], 10_000),
        (["--no-start", "--body-limit", "100000"], 50_000),
        (["--body-limit", "500"], 500),
    ],
    ids=str,
)
def test_body_limit_sets_the_length_where_the_service_has_not(
    run: Callable[..., Result], service: Service, options: list[str], length: int
) -> None:
    service.headers = "Ping-Body-Limit: 100000\r\n"
    run("--quiet", *options, "--", "head", "-c", "50000", "/dev/zero")

    assert length - 50 < len(service.requests[-1].body) <= length


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        ([], ("TERM", "TERM")),
        ([], ("INT", "INT")),
        ([], ("TERM", "INT")),
        ([], ("INT", "TERM")),
        (["--no-start"], ("TERM", "TERM")),
        (["--no-start"], ("INT", "INT")),
    ],
    ids=str,
)
def test_a_second_signal_ends_the_pings(
    place: Callable[..., Job], probes: Probes, service: Service, options: list[str], numbers: tuple[str, str]
) -> None:
    service.held = ("",)
    job = place("none", *RUN, *options, "--http-timeout", "60", "--", *probes.command())
    probes.wait_until_ready()
    first, second = (signal.Signals[f"SIG{name}"] for name in numbers)
    job.send(first)
    assert eventually(lambda: not probes.running)
    time.sleep(0.5)
    assert job.status is None
    job.send(second)

    assert job.wait() == 128 + first


@pytest.mark.parametrize("where", ["terminal", "leader"])
def test_a_second_ctrl_c_ends_the_pings(
    place: Callable[..., Job], probes: Probes, service: Service, where: Place
) -> None:
    service.held = ("",)
    job = place(where, *RUN, "--http-timeout", "60", "--", *probes.command())
    probes.wait_until_ready()
    job.type(b"\x03")
    assert eventually(lambda: not probes.running)
    time.sleep(0.5)
    assert job.status is None
    job.type(b"\x03")

    assert job.wait() == 130


def test_signals_after_the_end_of_the_command_do_not_change_the_status(
    place: Callable[..., Job], probes: Probes, service: Service
) -> None:
    service.held = ("",)
    job = place("none", *RUN, "--http-timeout", "60", "--", *probes.command())
    probes.wait_until_ready()
    probes.end()
    assert eventually(lambda: not probes.running)
    for _ in range(2):
        time.sleep(0.3)
        job.send(signal.SIGTERM)

    assert job.wait() == 7


@pytest.mark.parametrize("hangs", [False, True], ids=["service-responds", "service-hangs"])
def test_signals_that_the_command_survives_end_neither_the_command_nor_its_report(
    place: Callable[..., Job], probes: Probes, service: Service, hangs: bool
) -> None:
    """In a REPL, Ctrl-C is common."""
    if hangs:
        service.held = ("",)
    job = place("none", *RUN, "--http-timeout", "60", "--", *probes.command("keep"))
    probes.wait_until_ready()
    for count in (1, 2, 3):
        job.send(signal.SIGTERM)
        assert eventually(lambda count=count: probes.received["command"] == ["SIGTERM"] * count)  # type: ignore[misc]  # python/mypy#15459
    assert job.status is None
    probes.end()
    if hangs:
        assert eventually(lambda: not probes.running)
        for _ in range(2):
            time.sleep(0.3)
            job.send(signal.SIGTERM)

    assert job.wait() == 7
    if not hangs:
        assert service.kinds == ["start", "7"]


def test_a_command_that_is_killed_while_the_service_hangs_has_its_status(
    place: Callable[..., Job], probes: Probes, service: Service
) -> None:
    service.held = ("start",)
    job = place("none", *RUN, "--http-timeout", "2", "--retries", "0", "--", *probes.command())
    probes.wait_until_ready()
    os.kill(probes.pid(), signal.SIGKILL)

    assert job.wait() == 137
    assert service.kinds == ["start", "137"]


def test_the_output_of_the_command_is_shown_while_the_service_hangs(
    start: Callable[..., subprocess.Popen[bytes]], service: Service
) -> None:
    service.held = ("",)
    process = start("--http-timeout", "60", "--", "sh", "-c", "echo first; cat >&2; sleep 60")
    assert process.stdout is not None
    assert process.stdout.readline() == b"first\n"
    assert process.poll() is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (
            ["--schedule", "0 3 * * *", "--tz", "Europe/Riga", "--grace", "2h"],
            {"schedule": "0 3 * * *", "tz": "Europe/Riga", "grace": 7200},
        ),
        (["--period", "1d", "--tags", "prod db"], {"timeout": 86400, "tags": "prod db"}),
    ],
    ids=str,
)
@pytest.mark.parametrize("slug", ["new", "backup"])
def test_options_declare_the_check(
    run: Callable[..., Result],
    sandbox_environment: dict[str, str],
    hc: Sandbox,
    options: list[str],
    expected: dict[str, Any],
    slug: str,
) -> None:
    result = run("--slug", slug, *options, "--", "sh", "-c", "echo out; exit 3", env=sandbox_environment)

    assert result == (3, b"out\n", b"")
    with hc.client() as client:
        (check,) = client.get_checks(slug=slug)
    assert {name: getattr(check, name) for name in expected} == expected
    assert [ping.type for ping in reversed(hc.pings(slug))] == ["start", "fail"]


def test_options_that_declare_a_check_are_skipped_with_a_warning_without_an_api_key(
    run: Callable[..., Result], sandbox_environment: dict[str, str], recorded: Callable[[], Any]
) -> None:
    variables = sandbox_environment | {"HEALTHCHECKS_API_KEY": ""}
    status, output, errors = run("--slug", "backup", "--period", "5m", "--", "sh", "-c", "echo out", env=variables)

    assert (status, output) == (0, b"out\n")
    assert errors.startswith(b"py-healthchecks.io: ")
    assert errors.count(b"\n") == 1
    assert recorded() == [("start", None, b""), ("success", None, b"out\n")]


@pytest.mark.parametrize(
    "options",
    [
        ["--period", "5m", "--schedule", "0 3 * * *"],
        ["--schedule", "not a schedule"],
        ["--schedule", "0 3 * * *", "--tz", "Mars/Olympus"],
        ["--period", "soon"],
    ],
    ids=str,
)
def test_mistakes_in_the_declaration_are_reported_before_the_command_starts(
    run: Callable[..., Result], sandbox_environment: dict[str, str], recorded: Callable[[], Any], options: list[str]
) -> None:
    status, output, errors = run("--slug", "backup", *options, "--", "echo", "out", env=sandbox_environment)

    assert (status, output) == (2, b"")
    assert b"Traceback" not in errors
    assert recorded() == []
