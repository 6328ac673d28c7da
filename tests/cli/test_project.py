"""The commands for a project as a whole, and what all commands do on a terminal."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from healthchecks_io import CheckCreate

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from cli.conftest import Done

    from healthchecks_io import Client
    from healthchecks_io.sandbox import Sandbox

    Command = Callable[..., Done]


def test_integrations_are_listed_by_name(call: Command, client: Client) -> None:
    first, second = sorted(client.get_integrations(), key=lambda each: each.name)

    assert [line.split() for line in call("integrations").stdout.splitlines()] == [
        ["Name", "Kind", "ID"],
        ["Ops", "Email", "email", first.id],
        ["Ops", "Webhook", "webhook", second.id],
    ]


def test_integrations_are_printed_as_json(call: Command, client: Client) -> None:
    printed = json.loads(call("integrations", "--json").stdout)

    assert {each["id"]: each["kind"] for each in printed} == {each.id: each.kind for each in client.get_integrations()}


def test_badges_are_listed_by_tag(call: Command, client: Client) -> None:
    client.create_check(CheckCreate(tags="prod"))
    badges = client.get_badges()

    lines = [line.split() for line in call("badges").stdout.splitlines()]

    assert lines[0] == ["Tag", "Format", "Address"]
    assert [line[:2] for line in lines[1:]] == [
        [tag, form] for tag in ("*", "prod") for form in ("svg", "svg3", "json", "json3", "shields", "shields3")
    ]
    assert lines[1][2] == badges["*"].svg


def test_badges_are_printed_as_json(call: Command, client: Client) -> None:
    client.create_check(CheckCreate(tags="prod"))

    assert json.loads(call("badges", "--json").stdout)["prod"]["json3"] == client.get_badges()["prod"].json3_url


def test_the_status_of_a_service_that_works_is_0(run: Command, hc: Sandbox, environment: dict[str, str]) -> None:
    del environment["HEALTHCHECKS_API_KEY"]

    assert run("status") == (0, f"{hc.api_url} works\n", "")


def test_the_status_of_a_service_that_is_out_of_order_is_1(call: Command, hc: Sandbox) -> None:
    hc.fail_next(500, times=2)

    assert call("status", "--retries", "0") == (1, f"{hc.api_url} does not work\n", "")
    assert call("status", "--retries", "0", "--json") == (1, '{\n  "works": false\n}\n', "")


def test_the_status_of_no_service_is_1(call: Command) -> None:
    done = call("status", "--api-url", "http://127.0.0.1:9/", "--retries", "0")

    assert (done.status, done.stdout, done.stderr.count("\n")) == (1, "", 1)


def on_a_terminal(start: Callable[..., subprocess.Popen[bytes]], *arguments: str) -> str:
    """Run a command on a terminal of its own, and give what is seen there."""
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = start(*arguments, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    while chunk := _read(ours):
        seen += chunk
    assert process.wait() == 0
    os.close(ours)
    return seen.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:
        # This is how Linux says that nobody is at the other end.
        return b""


def test_a_terminal_gets_boxes_and_colours_and_sees_progress(
    start: Callable[..., subprocess.Popen[bytes]], client: Client
) -> None:
    client.success_ping(client.create_check(CheckCreate(name="Backup [red]", slug="backup")).uuid)

    seen = on_a_terminal(start, "checks", "list")

    assert "Loading the checks" in seen
    assert "┏━━" in seen
    assert re.search("\x1b\\[32mup", seen)
    assert "[red]" in seen


def test_no_color_is_honoured(
    start: Callable[..., subprocess.Popen[bytes]], client: Client, environment: dict[str, str]
) -> None:
    client.success_ping(client.create_check(CheckCreate(slug="backup")).uuid)
    environment["NO_COLOR"] = "1"

    seen = on_a_terminal(start, "pings", "backup")

    assert "┏━━" in seen
    assert "success" in seen
    assert "\x1b[3" not in seen.replace("\x1b[3m", "")


@pytest.mark.parametrize("command", ["checks", "pings", "flips", "status"])
def test_the_help_loads_neither_the_schemas_nor_what_draws(fresh_python: Callable[[str], str], command: str) -> None:
    # httpx imports rich for its own command line, where it is installed.
    code = (
        "import sys\n"
        f"from healthchecks_io.cli import commands\ncommands.get_command(None, {command!r})\n"
        "print([name for name in ('pydantic', 'rich', 'httpx', 'croniter', 'pytz') if name in sys.modules])"
    )

    assert fresh_python(code) == "[]"


def test_the_help_names_all_commands(call: Command) -> None:
    shown = call("--help").stdout

    assert re.findall(r"^  ([a-z]+)  ", shown.split("Commands:")[1], re.MULTILINE) == [
        "run", "ping", "checks", "pings", "flips", "integrations", "badges", "status", "sandbox", "demo",
    ]  # fmt: skip


def test_an_unknown_command_is_an_error(call: Command) -> None:
    done = call("checkz")

    assert done.status == 2
    assert "No such command 'checkz'" in done.stderr


@pytest.mark.parametrize(("typed", "offered"), [("ru", "run"), ("checks up", "update"), ("pings --fo", "--follow")])
def test_shells_complete_commands_and_options(
    start: Callable[..., subprocess.Popen[bytes]], environment: dict[str, str], typed: str, offered: str
) -> None:
    words = f"py-healthchecks.io {typed}"
    completing = {
        "_PY_HEALTHCHECKS_IO_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }

    output, _ = start(env=environment | completing).communicate(timeout=20)

    assert output.decode().split() == [f"plain,{offered}"]
