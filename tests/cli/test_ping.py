"""The command that sends one ping."""

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

    from cli.conftest import Done
    from conftest import Stub

    from healthchecks_io.sandbox import Sandbox


@pytest.fixture
def environment(environment: dict[str, str], hc: Sandbox) -> dict[str, str]:
    with hc.client() as client:
        client.create_check(CheckCreate(slug="backup"))
    return environment


@pytest.fixture
def ping(call: Callable[..., Done]) -> Callable[..., Done]:
    return functools.partial(call, "ping")


@pytest.mark.parametrize(
    ("given", "kind", "exit_status"),
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
def test_a_ping_is_what_was_asked_for(
    ping: Callable[..., Done], hc: Sandbox, given: list[str], kind: str, exit_status: int | None
) -> None:
    result = ping("--slug", "backup", *given)

    assert result == (0, "OK\n", "")
    assert [(sent.type, sent.exit_status) for sent in hc.pings("backup")] == [(kind, exit_status)]


def test_the_installed_command_takes_its_body_from_standard_input(environment: dict[str, str], hc: Sandbox) -> None:
    command = [sys.executable, "-m", "healthchecks_io", "ping", "--slug", "backup", "fail", "--data", "-"]
    done = subprocess.run(command, input=b"\xff no text", capture_output=True, check=True, env=environment)  # noqa: S603 - ours

    assert (done.stdout, done.stderr) == (b"OK\n", b"")
    assert [(sent.type, sent.body) for sent in hc.pings("backup")] == [("fail", b"\xff no text")]


def test_standard_input_is_left_alone_unless_it_is_asked_for(environment: dict[str, str], hc: Sandbox) -> None:
    line = f"{sys.executable} -m healthchecks_io ping --slug backup >&2"
    script = f"while read -r line; do echo $line; {line}; done"
    done = subprocess.run(  # noqa: S603 - ours
        ["sh", "-c", script],  # noqa: S607 - the shell of the system
        input="one\ntwo\n", capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip

    assert done.stdout == "one\ntwo\n"
    assert len(hc.pings("backup")) == 2


def test_a_ping_has_a_body_and_a_run_id(ping: Callable[..., Done], hc: Sandbox) -> None:
    rid = "00000000-0000-0000-0000-000000000001"
    ping("--slug", "backup", "--data", "3 files", "--rid", rid)
    ping("--slug", "new-one", "--create")

    assert (hc.pings("backup")[0].body, str(hc.pings("backup")[0].rid)) == (b"3 files", rid)
    assert len(hc.pings("new-one")) == 1


def test_a_check_is_named_by_its_uuid(ping: Callable[..., Done], hc: Sandbox) -> None:
    (check,) = hc.checks
    assert ping("--uuid", check.uuid or "").status == 0


def test_an_answer_can_be_had_as_json(ping: Callable[..., Done]) -> None:
    assert json.loads(ping("--slug", "backup", "--json").stdout) == {"success": True, "text": "OK"}


@pytest.mark.parametrize(
    ("arguments", "status", "problem"),
    [
        (["--slug", "nobody"], 1, "404 Not Found"),
        (["--slug", "backup", "succeed"], 2, "'succeed' is no signal"),
        (["--slug", "backup", "256"], 2, "'256' is no signal"),
        (["--slug", "backup", ""], 2, "'' is no signal"),
        (["--slug", "backup", "RTMIN+x"], 2, "'RTMIN+x' is no signal"),
        (["--slug", "backup", "--rid", "x"], 1, "rid must be a UUID"),
        (["--uuid", "u", "--create"], 2, "--create goes with --slug"),
        ([], 2, "either --uuid or --slug"),
        (["--slug", "backup", "--ping-url", "http://127.0.0.1:1", "--retries", "0"], 1, "Connection refused"),
        (["--slug", "backup", "--ping-url", "nowhere"], 1, "ping_url must be an address"),
        (["--slug", "backup", "--ping-key", "file:/no/such/file"], 1, "--ping-key names the file"),
        (["--slug", "backup", "--ping-key", "another-key"], 1, "ping key or the ping_url is wrong"),
    ],
)
def test_trouble_is_told_in_one_line(
    ping: Callable[..., Done], arguments: list[str], status: int, problem: str
) -> None:
    result = ping(*arguments)

    assert result.status == status
    assert problem in result.stderr.splitlines()[-1]


def test_without_a_ping_key_the_variable_is_named(ping: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEALTHCHECKS_PING_KEY")

    assert "HEALTHCHECKS_PING_KEY" in ping("--slug", "backup").stderr


def test_an_answer_that_is_none_is_an_error(ping: Callable[..., Done], stub: Stub) -> None:
    stub.queue_response(200, "Welcome to the WiFi")
    result = ping("--slug", "backup", "--ping-url", stub.url)

    assert result.status == 1
    assert "Error: the ping was not recorded; the answer was 'Welcome to the WiFi'" in result.stderr


def test_an_answer_with_the_key_in_it_shows_none(ping: Callable[..., Done], hc: Sandbox, stub: Stub) -> None:
    stub.queue_response(200, f"who is {hc.ping_key}?")

    assert "'who is ***?'" in ping("--slug", "backup", "--ping-url", stub.url).stderr


HEAVY = ("pydantic", "croniter", "pytz", "oncalendar", "healthchecks_io.schemas", "healthchecks_io.cli.checks")


@pytest.mark.parametrize("arguments", [["ping", "--slug", "backup"], ["run", "--slug", "backup", "true"]])
def test_a_ping_and_a_run_import_nothing_of_the_management(
    ping: Callable[..., Done], hc: Sandbox, fresh_python: Callable[[str], str], arguments: list[str]
) -> None:
    code = f"""
import sys
sys.argv[1:] = {arguments!r}
from healthchecks_io.__main__ import main
try:
    main()
except SystemExit:
    pass
print(*[name for name in {HEAVY!r} if name in sys.modules])
"""
    assert fresh_python(code).splitlines()[-1:] in ([], ["OK"])
    assert len(hc.pings("backup")) >= 1
