"""Tests of the `ping` command."""

from __future__ import annotations

import functools
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from healthchecks_io import CheckCreate

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.conftest import Result
    from conftest import Stub

    from healthchecks_io.sandbox import Sandbox


@pytest.fixture
def environment(environment: dict[str, str], hc: Sandbox) -> dict[str, str]:
    with hc.client() as client:
        client.create_check(CheckCreate(slug="backup"))
    return environment


@pytest.fixture
def ping(call: Callable[..., Result]) -> Callable[..., Result]:
    return functools.partial(call, "ping")


@pytest.mark.parametrize(
    ("arguments", "kind", "exit_status"),
    [
        ([], "success", None),
        (["success"], "success", None),
        (["start"], "start", None),
        (["fail"], "fail", None),
        (["log"], "log", None),
        (["0"], "success", 0),
        (["3"], "fail", 3),
        (["TERM"], "fail", 143),
        (["SIGKILL"], "fail", 137),
        (["RTMIN+1"], "fail", 128 + signal.SIGRTMIN + 1),
        (["exit-code"], "fail", None),
        (["oom-kill"], "fail", None),
    ],
)
def test_the_argument_sets_the_kind_of_ping(
    ping: Callable[..., Result], hc: Sandbox, arguments: list[str], kind: str, exit_status: int | None
) -> None:
    result = ping("--slug", "backup", *arguments)

    assert result == (0, "OK\n", "")
    assert [(sent.type, sent.exit_status) for sent in hc.pings("backup")] == [(kind, exit_status)]


def test_the_body_can_be_read_from_standard_input(environment: dict[str, str], hc: Sandbox) -> None:
    command = [sys.executable, "-m", "healthchecks_io", "ping", "--slug", "backup", "fail", "--data", "-"]
    result = subprocess.run(command, input=b"\xff no text", capture_output=True, check=True, env=environment)  # noqa: S603 - trusted input

    assert (result.stdout, result.stderr) == (b"OK\n", b"")
    assert [(sent.type, sent.body) for sent in hc.pings("backup")] == [("fail", b"\xff no text")]


def test_standard_input_is_not_read_without_data(environment: dict[str, str], hc: Sandbox) -> None:
    line = f"{sys.executable} -m healthchecks_io ping --slug backup >&2"
    script = f"while read -r line; do echo $line; {line}; done"
    result = subprocess.run(  # noqa: S603 - trusted input
        ["sh", "-c", script],  # noqa: S607 - the system's shell
        input="one\ntwo\n", capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip

    assert result.stdout == "one\ntwo\n"
    assert len(hc.pings("backup")) == 2


def test_a_ping_can_have_a_body_and_a_run_id_and_create_the_check(ping: Callable[..., Result], hc: Sandbox) -> None:
    rid = "00000000-0000-0000-0000-000000000001"
    ping("--slug", "backup", "--data", "3 files", "--rid", rid)
    ping("--slug", "new-one", "--create")

    assert (hc.pings("backup")[0].body, str(hc.pings("backup")[0].rid)) == (b"3 files", rid)
    assert len(hc.pings("new-one")) == 1


def test_a_check_can_be_selected_by_uuid(ping: Callable[..., Result], hc: Sandbox) -> None:
    (check,) = hc.checks
    assert ping("--uuid", check.uuid or "").status == 0


def test_the_response_can_be_printed_as_json(ping: Callable[..., Result]) -> None:
    assert json.loads(ping("--slug", "backup", "--json").stdout) == {"success": True, "text": "OK"}


@pytest.mark.parametrize(
    ("arguments", "status", "problem"),
    [
        (["--slug", "nobody"], 1, "404 Not Found"),
        (["--slug", "backup", "succeed"], 2, "'succeed' is not a valid SIGNAL"),
        (["--slug", "backup", "256"], 2, "'256' is not a valid SIGNAL"),
        (["--slug", "backup", ""], 2, "'' is not a valid SIGNAL"),
        (["--slug", "backup", "RTMIN+x"], 2, "'RTMIN+x' is not a valid SIGNAL"),
        (["--slug", "backup", "--rid", "x"], 2, "Invalid value for '--rid': it is not a valid UUID"),
        (["--slug", "Backup"], 2, "--slug must consist of a-z, 0-9, '-' and '_'"),
        (["--uuid", "u", "--create"], 2, "--create requires --slug"),
        ([], 2, "either --uuid or --slug"),
        (["--slug", "backup", "--ping-url", "http://127.0.0.1:1", "--retries", "0"], 1, "Connection refused"),
        (["--slug", "backup", "--ping-url", "nowhere"], 2, "'--ping-url': it must be a URL"),
        (["--slug", "backup", "--ping-key", "file:/no/such/file"], 1, "--ping-key names the file"),
        (["--slug", "backup", "--ping-key", "another-key"], 1, "ping key or the ping URL is wrong"),
    ],
)
def test_errors_are_reported_in_one_line(
    ping: Callable[..., Result], arguments: list[str], status: int, problem: str
) -> None:
    result = ping(*arguments)

    assert result.status == status
    assert problem in result.stderr.splitlines()[-1]


def test_the_error_for_a_missing_ping_key_names_the_variable(
    ping: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HEALTHCHECKS_PING_KEY")

    assert "HEALTHCHECKS_PING_KEY" in ping("--slug", "backup").stderr


def test_an_unexpected_response_is_an_error(ping: Callable[..., Result], stub: Stub) -> None:
    stub.queue_response(200, "Welcome to the WiFi")
    result = ping("--slug", "backup", "--ping-url", stub.url)

    assert result.status == 1
    assert "Error: the ping was not recorded; the response was 'Welcome to the WiFi'" in result.stderr


def test_a_key_in_the_response_is_redacted(ping: Callable[..., Result], hc: Sandbox, stub: Stub) -> None:
    stub.queue_response(200, f"unknown key {hc.ping_key}")

    assert "'unknown key ***'" in ping("--slug", "backup", "--ping-url", stub.url).stderr


EXPENSIVE_MODULES = (
    "pydantic",
    "croniter",
    "pytz",
    "oncalendar",
    "healthchecks_io.schemas",
    "healthchecks_io.cli.checks",
)


@pytest.mark.parametrize("arguments", [["ping", "--slug", "backup"], ["run", "--slug", "backup", "true"]])
def test_ping_and_run_do_not_import_the_management_api(
    ping: Callable[..., Result], hc: Sandbox, fresh_python: Callable[[str], str], arguments: list[str]
) -> None:
    code = f"""
import sys
sys.argv[1:] = {arguments!r}
from healthchecks_io.__main__ import main
try:
    main()
except SystemExit:
    pass
print(*[name for name in {EXPENSIVE_MODULES!r} if name in sys.modules])
"""
    assert fresh_python(code).splitlines()[-1:] in ([], ["OK"])
    assert len(hc.pings("backup")) >= 1
