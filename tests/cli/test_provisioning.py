"""Tests of the commands `checks plan`, `checks apply` and `checks export`."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import CheckCreate, CheckUpdate, load_checks
from healthchecks_io.sandbox import Sandbox

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Result, Terminal
    from conftest import Stub

    from healthchecks_io import Check, Client

    Command = Callable[..., Result]

CHECKS = """\
[checks.backup]
schedule = "0 3 * * *"
tz = "Europe/Riga"
tags = ["db", "prod"]

[checks.mail]
timeout = "5m"
channels = ["Ops Email"]
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes a file of checks and returns its path."""

    def write(text: str = CHECKS, name: str = "checks.toml") -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


@pytest.fixture
def mail(client: Client) -> Check:
    """A check that the file declares otherwise."""
    return client.create_check(CheckCreate(name="Mail", slug="mail", timeout=3600, channels="Ops Webhook"))


@pytest.fixture
def report(client: Client) -> Check:
    """A check that the file does not declare."""
    check = client.create_check(CheckCreate(name="Report", slug="report", tags="old"))
    client.success_ping(check.uuid)
    return check


UUID = "7029cdba-9e3f-4a5e-b18d-80f120dc6832"


def stored_check(**fields: object) -> dict[str, object]:
    return {
        "name": "Mail",
        "slug": "mail",
        "tags": "",
        "grace": 3600,
        "n_pings": 0,
        "status": "new",
        "channels": "",
        "schedule": "* * * * *",
        "uuid": UUID,
        **fields,
    }


def slugs(client: Client) -> list[str]:
    return sorted(check.slug for check in client.get_checks())


def state(client: Client) -> list[dict[str, Any]]:
    return sorted((check.model_dump() for check in client.get_checks()), key=lambda check: str(check["uuid"]))


# plan


PLAN = """\
+ backup
    name: backup
    channels: *
    schedule: 0 3 * * *
    tags: db prod
    tz: Europe/Riga
~ mail
    channels: Ops Webhook -> Ops Email
    timeout: 1h -> 5m
Plan: 1 to create, 1 to update, 0 unchanged
"""


def test_plan_prints_the_changes_and_a_summary(run: Command, write: Callable[..., str], mail: Check) -> None:
    assert run("checks", "plan", write()) == (0, PLAN, "")


def test_plan_reports_that_there_are_no_changes(call: Command, write: Callable[..., str], client: Client) -> None:
    client.apply_checks(load_checks(write()))

    assert call("checks", "plan", write()) == (0, "No changes: 2 unchanged\n", "")


def test_plan_counts_the_checks_that_it_does_not_manage(
    call: Command, write: Callable[..., str], client: Client, report: Check
) -> None:
    client.apply_checks(load_checks(write()))

    assert call("checks", "plan", write()) == (0, "No changes: 2 unchanged, 1 not managed\n", "")


def test_plan_changes_nothing(
    call: Command, write: Callable[..., str], client: Client, mail: Check, report: Check
) -> None:
    before = state(client)

    call("checks", "plan", write(), "--prune")

    assert state(client) == before


def test_plan_prints_a_long_change_in_two_lines(call: Command, write: Callable[..., str], client: Client) -> None:
    client.create_check(CheckCreate(slug="mail", desc="What to do: " + "a" * 40))
    file = write(f'[checks.mail]\ndesc = "What to do: {"b" * 40}"')

    assert call("checks", "plan", file).stdout.splitlines()[:-1] == [
        "~ mail",
        "    desc: What to do: " + "a" * 40,
        "       -> What to do: " + "b" * 40,
    ]


def test_plan_prints_json(call: Command, write: Callable[..., str], mail: Check, report: Check) -> None:
    plan = json.loads(call("checks", "plan", write(), "--json").stdout)

    assert [(change["action"], change["slug"], change["uuid"]) for change in plan["changes"]] == [
        ("create", "backup", None),
        ("update", "mail", mail.uuid),
    ]
    assert plan["changes"][1]["fields"]["timeout"] == {"old": 3600, "new": 300}
    assert plan["unmanaged"] == [{"slug": "report", "name": "Report", "uuid": report.uuid}]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_exit_code_2_reports_changes(
    call: Command, write: Callable[..., str], client: Client, options: list[str]
) -> None:
    assert call("checks", "plan", write(), "--exit-code", *options).status == 2

    client.apply_checks(load_checks(write()))

    assert call("checks", "plan", write(), "--exit-code", *options).status == 0


def test_prune_plans_to_delete_the_checks_that_the_file_does_not_declare(
    call: Command, write: Callable[..., str], client: Client, report: Check
) -> None:
    client.apply_checks(load_checks(write()))

    assert call("checks", "plan", write(), "--prune") == (
        0,
        "- report\n    1 ping\nPlan: 1 to delete, 2 unchanged\n",
        "",
    )


def test_prune_tag_limits_the_deletions(
    call: Command, write: Callable[..., str], client: Client, report: Check
) -> None:
    client.apply_checks(load_checks(write()))
    client.create_check(CheckCreate(slug="other", tags="older"))

    result = call("checks", "plan", write(), "--prune-tag", "old")

    assert result.stdout.splitlines() == ["- report", "    1 ping", "Plan: 1 to delete, 2 unchanged, 1 not managed"]


def test_prune_lists_the_checks_that_it_cannot_delete(call: Command, write: Callable[..., str], client: Client) -> None:
    client.apply_checks(load_checks(write()))
    unnamed = client.create_check(CheckCreate(name="No\x1bslug"))
    first = client.create_check(CheckCreate(name="A", slug="twice", tags="old"))
    second = client.create_check(CheckCreate(name="B", slug="twice"))

    result = call("checks", "plan", write(), "--prune")

    assert result.stdout == "No changes: 2 unchanged, 3 not managed\n"
    assert result.stderr.splitlines() == [
        f"Not deleted: No\\x1bslug ({unnamed.uuid}): it has no slug",
        f"Not deleted: A ({first.uuid}): it shares its slug with another check",
        f"Not deleted: B ({second.uuid}): it shares its slug with another check",
    ]
    only_tagged = call("checks", "plan", write(), "--prune-tag", "old").stderr
    assert only_tagged == f"Not deleted: A ({first.uuid}): it shares its slug with another check\n"


def test_control_characters_are_escaped(call: Command, write: Callable[..., str], client: Client) -> None:
    client.create_check(CheckCreate(slug="mail", name="\x1b[31mred\x9b\u2028- spoofed\x7f"))

    result = call("checks", "plan", write('[checks.mail]\nname = "Mail"'))

    assert result.stdout.splitlines()[1] == r'    name: "\u001b[31mred\x9b - spoofed\x7f" -> Mail'


def test_an_encoding_without_the_characters_of_a_name_is_no_error(
    run: Command, write: Callable[..., str], environment: dict[str, str]
) -> None:
    environment["PYTHONIOENCODING"] = "ascii"

    result = run("checks", "plan", write('[checks.mail]\nname = "Dzēst"'))

    assert (result.status, result.stdout.splitlines()[1]) == (0, r"    name: Dz\u0113st")


# Errors


COMMANDS = [["plan"], ["plan", "--exit-code"], ["apply", "--yes"]]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ([], "Missing argument 'FILE'"),
        (["checks.toml", "other.toml"], "unexpected extra argument"),
        (["checks.toml", "--prun3"], "No such option"),
        (["checks.toml", "--prune-tag"], "requires an argument"),
        (["checks.toml", "--retries", "x"], "Invalid value"),
        (["checks.toml", "--api-key", ""], "no API key"),
        (["missing.toml"], "missing.toml: cannot be read: No such file or directory"),
        (["."], "must end with .toml"),
    ],
)
def test_wrong_usage_has_status_1(
    call: Command, environment: dict[str, str], command: list[str], arguments: list[str], problem: str
) -> None:
    result = call("checks", *command, *arguments)

    assert (result.status, result.stdout) == (1, "")
    assert problem.casefold() in result.stderr.casefold()


@pytest.mark.parametrize("arguments", [["--frob"], ["file"], ["--format", "xml"], ["--api-key", ""]])
def test_wrong_usage_of_export_has_status_1(call: Command, arguments: list[str]) -> None:
    result = call("checks", "export", *arguments)

    assert (result.status, result.stdout) == (1, "")
    assert result.stderr != ""


@pytest.mark.parametrize("command", COMMANDS)
def test_all_mistakes_in_a_file_are_reported_and_nothing_is_changed(
    call: Command, write: Callable[..., str], client: Client, command: list[str]
) -> None:
    file = write('[checks.new]\ntimeuot = "5m"\n\n[checks.mail]\nschedule = "60 * * * *"\n')

    result = call("checks", *command, file)

    first, second = result.stderr.splitlines()
    assert (result.status, result.stdout) == (1, "")
    assert first == f"Error: {file}:2: checks.new: unknown field 'timeuot': did you mean 'timeout'?"
    assert second.startswith(f"{file}:5: checks.mail: schedule: ")
    assert slugs(client) == []


def test_control_characters_in_a_file_are_escaped_in_errors(call: Command, write: Callable[..., str]) -> None:
    result = call("checks", "plan", write('[checks.new]\n"\\u009b31m" = 1\n'))

    assert r"unknown field '\x9b31m'" in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_integration_is_an_error_and_nothing_is_changed(
    call: Command, write: Callable[..., str], client: Client, command: list[str]
) -> None:
    file = write(CHECKS.replace("Ops Email", "Ops Emial"))

    result = call("checks", *command, file)

    problem = "checks.mail: channels: there is no integration named 'Ops Emial': did you mean 'Ops Email'?"
    assert result == (1, "", f"Error: {file}:8: {problem}\n")
    assert slugs(client) == []


@pytest.mark.parametrize("command", COMMANDS)
def test_a_slug_that_two_checks_share_is_an_error_that_names_both(
    call: Command, write: Callable[..., str], client: Client, command: list[str]
) -> None:
    first = client.create_check(CheckCreate(name="A", slug="mail"))
    second = client.create_check(CheckCreate(name="B", slug="mail"))

    result = call("checks", *command, write())

    assert result.status == 1
    assert f"'A' ({first.uuid}) and 'B' ({second.uuid})" in result.stderr


@pytest.mark.parametrize("command", [*COMMANDS, ["export"]])
def test_an_unreachable_server_has_status_1(call: Command, write: Callable[..., str], command: list[str]) -> None:
    file = [] if command == ["export"] else [write()]

    result = call("checks", *command, *file, "--api-url", "http://127.0.0.1:9/", "--retries", "0")

    assert (result.status, result.stdout, result.stderr.count("\n")) == (1, "", 1)


@pytest.mark.parametrize("command", [*COMMANDS, ["export"]])
def test_a_read_only_key_is_refused(
    hc: Sandbox, call: Command, write: Callable[..., str], mail: Check, command: list[str]
) -> None:
    file = [] if command == ["export"] else [write()]

    result = call("checks", *command, *file, "--api-key", hc.read_only_key)

    assert (result.status, result.stdout) == (1, "")
    assert "read-write" in result.stderr


def test_a_read_only_key_can_plan_without_channels_and_not_apply(
    hc: Sandbox, call: Command, write: Callable[..., str], client: Client, mail: Check
) -> None:
    file = write("[checks.backup]\n[checks.mail]\ntimeout = '5m'\n")
    before = state(client)

    plan = call("checks", "plan", file, "--api-key", hc.read_only_key)
    apply = call("checks", "apply", file, "--prune", "--api-key", hc.read_only_key)

    assert (plan.status, plan.stdout.splitlines()[-1]) == (0, "Plan: 1 to create, 1 to update, 0 unchanged")
    assert (apply.status, apply.stdout) == (1, "")
    assert apply.stderr.startswith("Error: the plan was made with a read-only key")
    assert state(client) == before


@pytest.mark.parametrize("is_plan", [True, False])
def test_a_server_that_cannot_find_checks_by_slug_is_an_error_that_names_the_version_that_can(
    call: Command, write: Callable[..., str], is_plan: bool
) -> None:
    command = ["apply", write()] if is_plan else ["create", "--slug", "a", "--unique", "slug"]
    with Sandbox(version="2.9") as server:
        result = call(
            "checks", *command, "--api-url", server.api_url, "--api-key", server.api_key, "--api-version", "1"
        )

    assert result.status == 1
    assert "needs Healthchecks 2.10 or newer" in result.stderr


@pytest.mark.parametrize("options", [["--prune"], ["--prune", "--yes"]])
def test_a_file_without_checks_does_not_prune_a_whole_project(
    call: Command, write: Callable[..., str], client: Client, report: Check, options: list[str]
) -> None:
    result = call("checks", "apply", write("[checks]"), *options)

    assert (result.status, slugs(client)) == (1, ["report"])
    assert result.stderr.endswith("would delete all checks of the project: pass --prune-tag\n")


def test_a_file_without_checks_prunes_checks_with_a_tag(
    call: Command, write: Callable[..., str], client: Client, mail: Check, report: Check
) -> None:
    assert call("checks", "apply", write("[checks]"), "--prune-tag", "old", "--yes").status == 0

    assert slugs(client) == ["mail"]


# apply


def test_apply_prints_the_plan_and_carries_it_out(
    run: Command, write: Callable[..., str], client: Client, mail: Check, report: Check
) -> None:
    file = write()
    plan = run("checks", "plan", file, "--prune").stdout

    assert run("checks", "apply", file, "--prune", "--yes") == (0, plan + "Applied.\n", "")
    assert slugs(client) == ["backup", "mail"]
    assert client.get_check(mail.uuid).timeout == 300


def test_applying_again_changes_nothing(call: Command, write: Callable[..., str], client: Client) -> None:
    call("checks", "apply", write())
    before = state(client)

    assert call("checks", "apply", write()) == (0, "No changes: 2 unchanged\n", "")
    assert state(client) == before


def test_apply_prints_the_plan_as_json(call: Command, write: Callable[..., str], client: Client) -> None:
    result = call("checks", "apply", write(), "--json")

    assert [change["action"] for change in json.loads(result.stdout)["changes"]] == ["create", "create"]
    assert slugs(client) == ["backup", "mail"]


@pytest.mark.parametrize(
    ("status", "problem"), [(500, "500"), (404, "the check was deleted after the plan was made, so plan again")]
)
def test_the_error_of_an_interrupted_apply_lists_what_was_done(
    call: Command, write: Callable[..., str], stub: Stub, status: int, problem: str
) -> None:
    file = write("".join(f'[checks.{slug}]\ntimeout = "5m"\n' for slug in ("a", "b", "c")))
    checks = [stored_check(slug=slug, timeout=60, schedule=None) for slug in ("a", "b", "c")]
    stub.queue_response(body=json.dumps({"checks": checks}))
    stub.queue_response(body=json.dumps(checks[0]))
    stub.queue_response(status)

    result = call("checks", "apply", file, "--api-url", stub.settings()["api_url"], "--retries", "0")

    assert result.status == 1
    assert result.stdout.endswith("Plan: 3 to update, 0 unchanged\n")
    assert result.stderr.startswith("Error: could not update b: ")
    assert problem in result.stderr
    assert result.stderr.endswith(" (done before: updated a; not attempted: 1 of 3 changes)\n")


@pytest.mark.parametrize("stdin", ["", "y\n"])
def test_without_a_terminal_deletions_need_yes(
    call: Command, write: Callable[..., str], client: Client, report: Check, stdin: str
) -> None:
    before = state(client)

    result = call("checks", "apply", write(), "--prune", stdin=stdin)

    assert result.status == 1
    assert result.stderr == "Error: deleting 1 check needs confirmation: pass --yes. Nothing was changed\n"
    assert state(client) == before


def test_deletions_need_yes_if_standard_input_is_closed(
    start: Callable[..., subprocess.Popen[bytes]], write: Callable[..., str], client: Client, report: Check
) -> None:
    process = start("checks", "apply", write(), "--prune", preexec_fn=lambda: os.close(0))
    stderr = process.communicate(timeout=60)[1]

    assert (process.returncode, slugs(client)) == (1, ["report"])
    assert b"pass --yes" in stderr
    assert stderr.count(b"\n") == 1


def test_without_deletions_nothing_needs_confirmation(
    call: Command, write: Callable[..., str], client: Client, report: Check
) -> None:
    client.update_check(report.uuid, CheckUpdate(tags="new"))

    assert call("checks", "apply", write(), "--prune-tag", "old").status == 0
    assert slugs(client) == ["backup", "mail", "report"]


# On a terminal


@pytest.mark.parametrize(("typed", "status", "left"), [("y\n", 0, []), ("n\n", 1, ["report"]), ("\n", 1, ["report"])])
def test_apply_on_a_terminal_asks_for_confirmation_before_deleting(
    terminal: Terminal,
    write: Callable[..., str],
    client: Client,
    report: Check,
    typed: str,
    status: int,
    left: list[str],
) -> None:
    question = "Delete 1 check and all its pings? [y/N]: "

    result, output = terminal.run("checks", "apply", write(), "--prune", after=question, type_=typed)

    assert question in output
    assert result == status
    assert slugs(client) == (left if status else ["backup", "mail"])


def test_apply_with_yes_does_not_ask_for_confirmation(
    terminal: Terminal, write: Callable[..., str], client: Client, report: Check
) -> None:
    status, output = terminal.run("checks", "apply", write(), "--prune", "--yes")

    assert (status, slugs(client)) == (0, ["backup", "mail"])
    assert "[y/N]" not in output


def test_a_terminal_shows_colours(terminal: Terminal, write: Callable[..., str], mail: Check, report: Check) -> None:
    _, output = terminal.run("checks", "plan", write(), "--prune")

    assert "\x1b[32m+ backup\x1b[0m" in output
    assert "\x1b[33m~ mail\x1b[0m" in output
    assert "\x1b[1;31m- report\x1b[0m" in output


def test_a_terminal_shows_progress(terminal: Terminal, write: Callable[..., str], report: Check) -> None:
    _, output = terminal.run("checks", "apply", write())

    assert "Loading checks" in output
    assert "2 of 2: create mail" in output


def test_a_terminal_shows_the_wait_after_a_429(
    terminal: Terminal, write: Callable[..., str], environment: dict[str, str], stub: Stub
) -> None:
    environment["HEALTHCHECKS_API_URL"] = stub.settings()["api_url"]
    created = json.dumps(stored_check(slug="a", schedule=None, timeout=60))
    stub.queue_response(body='{"checks": []}')
    stub.queue_response(body='{"checks": []}')
    stub.queue_response(429, headers={"Retry-After": "1"})
    stub.queue_response(body=created)

    status, output = terminal.run("checks", "apply", write('[checks.a]\ntimeout = "1m"\n'), "--retries", "0")

    assert "The server has received too many requests: waiting for 1 s" in output
    assert (status, output.count("Applied.")) == (0, 1)


def test_ctrl_c_reports_where_applying_stopped_and_applying_again_continues(
    terminal: Terminal, write: Callable[..., str], hc: Sandbox, mail: Check, report: Check
) -> None:
    file = write('[checks.mail]\ntimeout = "5m"\n[checks.report]\ntimeout = "5m"\n')
    hc.fail_next(delay=0.001, times=2)  # The list of checks, and the first update.
    hc.fail_next(status=503, delay=5.0)

    status, output = terminal.run("checks", "apply", file, interrupt_after="2 of 2: update report")

    assert status == 1
    assert "Error: interrupted at change 2 of 2 (update report): apply again to continue" in output
    assert {check.slug: check.timeout for check in hc.checks} == {"mail": 300, "report": 86400}
    assert terminal.run("checks", "apply", file)[0] == 0
    assert {check.timeout for check in hc.checks} == {300}


def test_no_color_is_honoured(
    terminal: Terminal, write: Callable[..., str], environment: dict[str, str], mail: Check
) -> None:
    environment["NO_COLOR"] = "1"

    _, output = terminal.run("checks", "plan", write())

    assert re.search("^~ mail$", output, re.MULTILINE)
    assert "\x1b[3" not in output


def test_an_export_is_safe_to_show_on_a_terminal(terminal: Terminal, client: Client) -> None:
    client.create_check(CheckCreate(slug="mail", name="\x9b31mred"))

    _, output = terminal.run("checks", "export")

    assert r'name = "\x9b31mred"' in output


# export


@pytest.fixture
def project(client: Client) -> None:
    """Checks that differ in every field."""
    client.create_check(CheckCreate(slug="plain", name=""))
    client.create_check(
        CheckCreate(
            slug="full",
            name="Dzēst \"old\" files \\ # 'x'",
            tags="b a",
            desc="Line 1\n  line 2\t\x1b end \n",
            timeout=90061,
            grace=61,
            channels="*",
            manual_resume=True,
            methods="POST",
            start_kw="start",
            success_kw="ok, done",
            failure_kw="on",
            filter_subject=True,
            filter_body=True,
        )
    )
    client.create_check(CheckCreate(slug="cron", schedule="*/5 9-17 * * 1-5", tz="Europe/Riga", channels="Ops Email"))
    client.create_check(CheckCreate(slug="oncalendar", schedule="Mon..Fri 12:00", tz="UTC", channels=""))


@pytest.mark.parametrize("file_format", ["toml", "yaml", "json"])
@pytest.mark.usefixtures("project")
def test_planning_an_export_finds_no_change(run: Command, write: Callable[..., str], file_format: str) -> None:
    result = run("checks", "export", "--format", file_format)
    file = write(result.stdout, f"checks.{file_format}")

    assert (result.status, result.stderr) == (0, "")
    assert run("checks", "plan", file, "--prune", "--exit-code") == (0, "No changes: 4 unchanged\n", "")


@pytest.mark.usefixtures("project")
def test_an_export_is_utf_8_whatever_the_encoding_of_the_output(run: Command, environment: dict[str, str]) -> None:
    environment["PYTHONIOENCODING"] = "iso-8859-1"

    assert "Dzēst" in run("checks", "export").stdout


def test_export_prints_toml_by_default(call: Command, mail: Check) -> None:
    assert call("checks", "export") == (
        0,
        '[checks.mail]\nname = "Mail"\ntags = []\ntimeout = "1h"\ngrace = "1h"\nchannels = [\n    "Ops Webhook",\n]\n',
        "",
    )


def test_exports_are_sorted_by_slug(call: Command, client: Client) -> None:
    for slug in ("b", "c", "a"):
        client.create_check(CheckCreate(slug=slug))

    assert list(json.loads(call("checks", "export", "--format", "json").stdout)["checks"]) == ["a", "b", "c"]


def test_an_empty_project_can_be_exported(call: Command, write: Callable[..., str]) -> None:
    assert load_checks(write(call("checks", "export").stdout)) == []


def test_export_lists_the_checks_that_it_cannot_name(call: Command, client: Client, mail: Check) -> None:
    unnamed = client.create_check(CheckCreate(name="No\x1bslug"))
    nameless = client.create_check(CheckCreate())
    first = client.create_check(CheckCreate(name="A", slug="twice"))
    second = client.create_check(CheckCreate(name="B", slug="twice"))

    result = call("checks", "export", "--format", "json")

    assert (result.status, list(json.loads(result.stdout)["checks"])) == (0, ["mail"])
    assert sorted(result.stderr.splitlines()) == sorted(
        [
            f"Not exported: No\\x1bslug ({unnamed.uuid}): it has no slug",
            f"Not exported: (no name) ({nameless.uuid}): it has no slug",
            f"Not exported: A ({first.uuid}): it shares its slug with another check",
            f"Not exported: B ({second.uuid}): it shares its slug with another check",
        ]
    )


def test_a_check_that_no_file_can_declare_is_an_error(call: Command, stub: Stub) -> None:
    stub.queue_response(body=json.dumps({"checks": [stored_check(tz="Mars/Base")]}))
    stub.queue_response(body='{"channels": []}')

    result = call("checks", "export", "--api-url", stub.settings()["api_url"])

    assert (result.status, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error: could not export Mail ({UUID}): tz: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("file_format", ["toml", "yaml", "json"])
@pytest.mark.usefixtures("project")
def test_an_export_contains_no_key(call: Command, hc: Sandbox, file_format: str) -> None:
    exported = call("checks", "export", "--format", file_format).stdout

    assert all(key not in exported for key in (hc.api_key, hc.ping_key, hc.read_only_key))
    assert all(str(check.uuid) not in exported for check in hc.checks)
