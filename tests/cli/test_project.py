"""Tests of `integrations`, `badges`, `status` and `--help`, and of the output on a terminal."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import click
import pytest

from healthchecks_io import CheckCreate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cli.conftest import Result, Terminal

    from healthchecks_io import Client
    from healthchecks_io.sandbox import Sandbox

    Command = Callable[..., Result]


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

    assert lines[0] == ["Tag", "Format", "URL"]
    assert [line[:2] for line in lines[1:]] == [
        [tag, form] for tag in ("*", "prod") for form in ("svg", "svg3", "json", "json3", "shields", "shields3")
    ]
    assert lines[1][2] == badges["*"].svg


def test_badges_are_printed_as_json(call: Command, client: Client) -> None:
    client.create_check(CheckCreate(tags="prod"))

    assert json.loads(call("badges", "--json").stdout)["prod"]["json3"] == client.get_badges()["prod"].json3_url


def test_status_exits_with_0_if_the_service_is_up(run: Command, hc: Sandbox, environment: dict[str, str]) -> None:
    del environment["HEALTHCHECKS_API_KEY"]

    assert run("status") == (0, f"{hc.api_url} is up\n{hc.ping_url} was not checked: send a test ping\n", "")


def test_status_exits_with_1_if_the_service_is_down(call: Command, hc: Sandbox) -> None:
    hc.fail_next(500, times=2)

    status, output, errors = call("status", "--retries", "0")

    assert (status, output.splitlines()[0], errors) == (1, f"{hc.api_url} is down", "")
    assert call("status", "--retries", "0", "--json") == (1, '{\n  "works": false\n}\n', "")


def test_status_exits_with_1_if_the_server_is_unreachable(call: Command) -> None:
    result = call("status", "--api-url", "http://127.0.0.1:9/", "--retries", "0")

    assert (result.status, result.stdout, result.stderr.count("\n")) == (1, "", 1)


def test_a_terminal_shows_boxes_colours_and_progress(terminal: Terminal, client: Client) -> None:
    client.success_ping(client.create_check(CheckCreate(name="Backup [red]", slug="backup")).uuid)

    _, output = terminal.run("checks", "list")

    assert "Loading checks" in output
    assert "┏━━" in output
    assert re.search("\x1b\\[32mup", output)
    assert "[red]" in output


def test_no_color_is_honoured(terminal: Terminal, client: Client, environment: dict[str, str]) -> None:
    client.success_ping(client.create_check(CheckCreate(slug="backup")).uuid)
    environment["NO_COLOR"] = "1"

    _, output = terminal.run("pings", "backup")

    assert "┏━━" in output
    assert "success" in output
    assert "\x1b[3" not in output.replace("\x1b[3m", "")


@pytest.mark.parametrize("command", ["checks", "pings", "flips", "status"])
def test_help_does_not_import_expensive_modules(fresh_python: Callable[[str], str], command: str) -> None:
    # httpx is on the list because it imports rich, if installed, for its own command line.
    code = (
        "import sys\n"
        f"from healthchecks_io.cli import commands\ncommands.get_command(None, {command!r})\n"
        "print([name for name in ('pydantic', 'rich', 'httpx', 'croniter', 'pytz') if name in sys.modules])"
    )

    assert fresh_python(code) == "[]"


def test_help_lists_all_commands(call: Command) -> None:
    shown = call("--help").stdout

    assert re.findall(r"^  ([a-z]+)  ", shown.split("Commands:")[1], re.MULTILINE) == [
        "run", "crontab", "ping", "checks", "pings", "flips", "report", "integrations", "badges", "status",
        "sandbox", "demo",
    ]  # fmt: skip


def options_of(command: click.Command, *path: str) -> Iterator[tuple[str, set[str]]]:
    """Yield the options of a command, or of each of its subcommands."""
    if isinstance(command, click.Group):
        ctx = click.Context(command)
        for name in command.list_commands(ctx):
            subcommand = command.get_command(ctx, name)
            assert subcommand is not None
            yield from options_of(subcommand, *path, name)
    else:
        yield " ".join(path), {option for parameter in command.params for option in parameter.opts}


def test_the_http_timeout_has_the_same_name_in_every_command() -> None:
    from healthchecks_io.cli import commands

    options = dict(options_of(commands))

    assert {name for name, found in options.items() if "--http-timeout" not in found} == {"sandbox", "demo"}
    assert {name for name, found in options.items() if "--timeout" in found} == set()
    assert {name for name, found in options.items() if "--period" in found} >= {"checks create", "checks update"}


@pytest.mark.parametrize(
    ("command", "suggestion"),
    [
        (["checkz"], " Did you mean 'checks'?"),
        (["list"], " Did you mean 'checks list'?"),
        (["delete"], " Did you mean 'checks delete'?"),
        (["creat"], " Did you mean 'checks create'?"),
        (["pin"], " Did you mean 'ping' or 'pings'?"),
        (["checks", "lst"], " Did you mean 'py-healthchecks.io checks list'?"),
        (["checks", "report"], " Did you mean 'py-healthchecks.io report'?"),
        (["xyzzy"], ""),
        (["checks", ""], ""),
    ],
)
def test_the_error_for_an_unknown_command_suggests_similar_ones(
    call: Command, command: list[str], suggestion: str
) -> None:
    result = call(*command)

    assert result.status == 2
    assert result.stderr.endswith(f"Error: No such command '{command[-1]}'.{suggestion}\n")


def test_an_unknown_option_before_the_command_is_an_error(call: Command) -> None:
    assert "No such option" in call("--slug", "backup", "ping").stderr
