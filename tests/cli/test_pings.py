"""The command for the pings of a check."""

from __future__ import annotations

import json
import re
import signal
from typing import TYPE_CHECKING

import pytest

from healthchecks_io import CheckCreate

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from cli.conftest import Done
    from conftest import Stub

    from healthchecks_io import Check, Client
    from healthchecks_io.sandbox import Sandbox

    Command = Callable[..., Done]

RUN = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def backup(client: Client) -> Check:
    return client.create_check(CheckCreate(name="Backup", slug="backup"))


def answer(*pings: dict[str, object]) -> str:
    return json.dumps({"pings": [{"type": "success", "date": "2026-01-31T12:00:00Z", **ping} for ping in pings]})


def test_pings_are_shown_newest_first(run: Command, client: Client, backup: Check) -> None:
    client.start_ping(backup.uuid, rid=RUN)
    client.fail_ping(backup.uuid, rid=RUN)

    done = run("pings", "backup")

    header, newest, oldest = done.stdout.splitlines()
    assert (done.status, done.stderr) == (0, "")
    assert header.split() == ["Ping", "Time", "Kind", "Duration", "Run", "ID"]
    assert re.match(r"2 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  fail +0\.\d\d s +█* +11111111$", newest)
    assert re.match(r"1 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  start +11111111$", oldest)


def test_bars_compare_the_durations(call: Command, stub: Stub) -> None:
    stub.queue_response(body=answer({"n": 3, "duration": 80.0}, {"n": 2, "duration": 20.0}, {"n": 1, "duration": 0.1}))

    shown = call("pings", RUN, "--api-url", stub.url).stdout

    assert re.findall(r"([\d.]+ m \d+ s|[\d.]+ s) +(█+)", shown) == [
        ("1 m 20 s", "█" * 12),
        ("20 s", "█" * 3),
        ("0.10 s", "█"),
    ]


def test_bars_are_drawn_in_any_encoding(run: Command, stub: Stub, environment: dict[str, str]) -> None:
    stub.queue_response(body=answer({"n": 1, "duration": 80.0}))
    environment["PYTHONIOENCODING"] = "latin-1"

    assert f" {'#' * 12}\n" in run("pings", RUN, "--api-url", stub.url).stdout


def test_the_number_of_pings_can_be_limited(call: Command, client: Client, backup: Check) -> None:
    for _ in range(3):
        client.success_ping(backup.uuid)

    assert [ping["n"] for ping in json.loads(call("pings", "backup", "--limit", "2", "--json").stdout)] == [3, 2]


def test_json_has_every_field_that_the_api_gave(call: Command, client: Client, backup: Check) -> None:
    client.success_ping(backup.uuid, data="done")

    (ping,) = json.loads(call("pings", "backup", "--json").stdout)

    assert set(ping) == {"type", "date", "n", "scheme", "remote_addr", "method", "ua", "rid", "body_url"}


def test_a_body_is_printed_as_it_is(
    start: Callable[..., subprocess.Popen[bytes]], client: Client, backup: Check
) -> None:
    body = b"\x00\xff[red]\r\n\x1b[1m no line end"
    client.success_ping(backup.uuid, data=body)

    process = start("pings", "backup", "--body", "1")
    assert process.communicate(timeout=60) == (body, b"")


def test_a_body_that_there_is_not_is_one_line(call: Command, client: Client, backup: Check) -> None:
    client.success_ping(backup.uuid)

    done = call("pings", "backup", "--body", "1")

    assert (done.status, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.endswith("There is no such check, or no such ping, or the ping has no body.\n")


@pytest.mark.parametrize("option", ["--json", "--follow"])
def test_a_body_is_neither_a_table_nor_json(call: Command, option: str) -> None:
    done = call("pings", RUN, "--body", "1", option)

    assert done.status == 2
    assert done.stderr.endswith("Error: --body goes with neither --follow nor --json.\n")


def test_following_leaves_the_server_some_time(call: Command) -> None:
    done = call("pings", RUN, "--follow", "--interval", "0")

    assert done.status == 2
    assert done.stderr.endswith("Error: --interval must be longer than nothing.\n")


def test_following_shows_new_pings_until_interrupted(
    start: Callable[..., subprocess.Popen[bytes]], hc: Sandbox, client: Client, backup: Check
) -> None:
    client.start_ping(backup.uuid, rid=RUN)
    client.success_ping(backup.uuid, rid=RUN)
    process = start("pings", "backup", "--follow", "--limit", "1", "--interval", "0.1", "--retries", "0")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().split() == [b"Ping", b"Time", b"Kind", b"Duration", b"Run", b"ID"]
    assert re.match(rb"2 +[\d-]+ [\d:]+  success  0\.\d\d s", process.stdout.readline())
    hc.fail_next(503)
    assert b"Warning: get_check_pings" in process.stderr.readline()
    client.log_ping(backup.uuid)
    assert re.match(rb"3 +[\d-]+ [\d:]+  log\n", process.stdout.readline())
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == 0


def test_following_prints_one_json_object_per_line(
    start: Callable[..., subprocess.Popen[bytes]], client: Client, backup: Check
) -> None:
    process = start("pings", "backup", "--follow", "--json", "--interval", "0.1")
    assert process.stdout is not None
    for number in (1, 2):
        client.success_ping(backup.uuid)
        assert json.loads(process.stdout.readline())["n"] == number
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
