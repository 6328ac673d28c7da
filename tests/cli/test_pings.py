"""Tests of the `pings` command."""

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

    from cli.conftest import Result, Terminal
    from conftest import Stub

    from healthchecks_io import Check, Client
    from healthchecks_io.sandbox import Sandbox

    Command = Callable[..., Result]

RUN_ID = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def backup(client: Client) -> Check:
    return client.create_check(CheckCreate(name="Backup", slug="backup"))


def response_body(*pings: dict[str, object]) -> str:
    return json.dumps({"pings": [{"type": "success", "date": "2026-01-31T12:00:00Z", **ping} for ping in pings]})


def test_pings_are_shown_newest_first(run: Command, client: Client, backup: Check) -> None:
    client.start_ping(backup.uuid, rid=RUN_ID)
    client.fail_ping(backup.uuid, rid=RUN_ID)

    result = run("pings", "backup")

    header, newest, oldest = result.stdout.splitlines()
    assert (result.status, result.stderr) == (0, "")
    assert header.split() == ["Ping", "Time", "Kind", "Duration", "Run", "ID"]
    assert re.match(rf"2 +[\d-]+ [\d:]+  fail +0\.\d\d s +█* +{RUN_ID}$", newest)
    assert re.match(rf"1 +[\d-]+ [\d:]+  start +{RUN_ID}$", oldest)


def test_bars_are_proportional_to_the_durations(call: Command, stub: Stub) -> None:
    stub.queue_response(
        body=response_body({"n": 3, "duration": 80.0}, {"n": 2, "duration": 20.0}, {"n": 1, "duration": 0.1})
    )

    shown = call("pings", RUN_ID, "--api-url", stub.url).stdout

    assert re.findall(r"([\d.]+ m \d+ s|[\d.]+ s) +(█+)", shown) == [
        ("1 m 20 s", "█" * 12),
        ("20 s", "█" * 3),
        ("0.10 s", "█"),
    ]


def test_bars_are_drawn_in_ascii_if_necessary(run: Command, stub: Stub, environment: dict[str, str]) -> None:
    stub.queue_response(body=response_body({"n": 1, "duration": 80.0}))
    environment["PYTHONIOENCODING"] = "latin-1"

    assert f" {'#' * 12}\n" in run("pings", RUN_ID, "--api-url", stub.url).stdout


def test_the_number_of_pings_can_be_limited(call: Command, client: Client, backup: Check) -> None:
    for _ in range(3):
        client.success_ping(backup.uuid)

    assert [ping["n"] for ping in json.loads(call("pings", "backup", "--limit", "2", "--json").stdout)] == [3, 2]


def test_json_contains_all_fields_that_the_api_returned(call: Command, client: Client, backup: Check) -> None:
    client.success_ping(backup.uuid, data="done")

    (ping,) = json.loads(call("pings", "backup", "--json").stdout)

    assert set(ping) == {"type", "date", "n", "scheme", "remote_addr", "method", "ua", "rid", "body_url"}


def test_a_body_is_printed_unchanged(
    start: Callable[..., subprocess.Popen[bytes]], client: Client, backup: Check
) -> None:
    body = b"\x00\xff[red]\r\n\x1b[1m no line end"
    client.success_ping(backup.uuid, data=body)

    process = start("pings", "backup", "--body", "1")
    assert process.communicate(timeout=60) == (body, b"")


@pytest.mark.parametrize(("which", "body"), [("last", "done"), ("last-fail", "newer failure"), ("1", "older failure")])
def test_the_body_of_the_last_ping_or_failure_is_printed(
    call: Command, client: Client, backup: Check, which: str, body: str
) -> None:
    client.fail_ping(backup.uuid, data="older failure")
    client.exit_code_ping(3, backup.uuid, data="newer failure")
    client.success_ping(backup.uuid, data="done")

    assert call("pings", "backup", "--body", which) == (0, body, "")


@pytest.mark.parametrize(
    ("which", "pings", "problem"),
    [
        ("last", 0, "the check has no pings"),
        ("last-fail", 0, "the check has no pings"),
        ("last", 1, "ping 1 (success) has no body"),
        ("last-fail", 1, "none of the 1 known pings is a failure"),
    ],
)
def test_a_missing_last_body_is_a_one_line_error(
    call: Command, client: Client, backup: Check, which: str, pings: int, problem: str
) -> None:
    for _ in range(pings):
        client.success_ping(backup.uuid)

    assert call("pings", "backup", "--body", which) == (1, "", f"Error: {problem}\n")


@pytest.mark.parametrize("text", ["first", "-1", ""])
def test_an_invalid_body_option_is_an_error(call: Command, text: str) -> None:
    result = call("pings", "backup", "--body", text)

    assert result.status == 2
    assert f"Invalid value for '--body': {text!r} is not the number of a ping, last or last-fail" in result.stderr


@pytest.mark.parametrize("number", ["0", "2147483648"])
def test_the_number_of_a_body_must_be_in_the_range_of_the_library(call: Command, number: str) -> None:
    result = call("pings", "backup", "--body", number)

    assert result.status == 2
    assert "Invalid value for '--body': it must be from 1 to 2147483647" in result.stderr


def test_a_ping_without_a_body_is_a_one_line_error(call: Command, client: Client, backup: Check) -> None:
    client.success_ping(backup.uuid)

    assert call("pings", "backup", "--body", "1") == (1, "", "Error: ping 1 (success) has no body\n")


def test_the_body_of_an_unknown_ping_is_a_one_line_error(call: Command, client: Client, backup: Check) -> None:
    client.success_ping(backup.uuid)

    result = call("pings", "backup", "--body", "2")

    assert (result.status, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.endswith("the ping has no body; the server is older than 2.5.\n")


def test_a_terminal_shows_the_prompt_in_a_line_of_its_own(terminal: Terminal, client: Client, backup: Check) -> None:
    client.success_ping(backup.uuid, data="no line end")

    status, shown = terminal.run("pings", str(backup.uuid), "--body", "1")
    assert (status, shown.endswith("no line end\n")) == (0, True)


@pytest.mark.parametrize("option", ["--json", "--follow"])
def test_body_cannot_be_combined_with_json_or_follow(call: Command, option: str) -> None:
    result = call("pings", RUN_ID, "--body", "1", option)

    assert result.status == 2
    assert result.stderr.endswith("Error: --body cannot be combined with --follow or --json\n")


def test_follow_requires_an_interval_greater_than_0(call: Command) -> None:
    result = call("pings", RUN_ID, "--follow", "--interval", "0")

    assert result.status == 2
    assert result.stderr.endswith("Error: --interval must be greater than 0\n")


def test_follow_shows_new_pings_until_interrupted(
    start: Callable[..., subprocess.Popen[bytes]], hc: Sandbox, client: Client, backup: Check
) -> None:
    client.start_ping(backup.uuid, rid=RUN_ID)
    client.success_ping(backup.uuid, rid=RUN_ID)
    process = start("pings", "backup", "--follow", "--limit", "1", "--interval", "0.1", "--retries", "0")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().split() == [b"Ping", b"Time", b"Kind", b"Duration", b"Run", b"ID"]
    assert re.match(rb"2 +[\d-]+ [\d:]+  success  0\.\d\d s", process.stdout.readline())
    hc.fail_next(503)
    assert b"Warning: GET http" in process.stderr.readline()
    client.log_ping(backup.uuid)
    assert re.match(rb"3 +[\d-]+ [\d:]+  log\n", process.stdout.readline())
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == (b"", b"")
    assert process.returncode == 0


def test_follow_prints_one_json_object_per_line(
    start: Callable[..., subprocess.Popen[bytes]], client: Client, backup: Check
) -> None:
    process = start("pings", "backup", "--follow", "--json", "--interval", "0.1")
    assert process.stdout is not None
    for number in (1, 2):
        client.success_ping(backup.uuid)
        assert json.loads(process.stdout.readline())["n"] == number
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
