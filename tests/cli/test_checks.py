"""Tests of the `checks` commands."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import CheckCreate, CheckUpdate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Result, Terminal
    from conftest import Stub

    from healthchecks_io import Check, Client
    from healthchecks_io.sandbox import Sandbox

    Command = Callable[..., Result]


@pytest.fixture
def backup(client: Client) -> Check:
    return client.create_check(CheckCreate(name="Nightly backup", slug="backup", tags="prod db", timeout=3600))


def id_of(check: Check) -> str:
    assert check.uuid is not None
    return check.uuid


def test_list_prints_plain_columns_sorted_by_name(run: Command, client: Client, backup: Check) -> None:
    weekly = client.create_check(CheckCreate(name="a report", schedule="0 5 * * 1"))
    client.success_ping(backup.uuid)

    result = run("checks", "list")

    header, first, second = result.stdout.splitlines()
    assert (result.status, result.stderr) == (0, "")
    assert header.split() == ["Name", "Slug", "Tags", "Status", "Schedule", "Last", "ping", "ID"]
    assert re.split(r"  +", first) == ["a report", "new", "0 5 * * 1", id_of(weekly)]
    assert re.match(
        rf"Nightly backup  backup  prod db  up +1 h +\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  {backup.uuid}$", second
    )


@pytest.mark.parametrize("option", [["--tag", "a"], ["--slug", "a"], ["--status", "up"]])
def test_an_empty_list_is_a_sentence(call: Command, option: list[str]) -> None:
    assert call("checks", "list") == (0, "There are no checks.\n", "")
    assert call("checks", "list", *option) == (0, "No check matches.\n", "")
    assert call("checks", "list", "--json") == (0, "[]\n", "")


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--tag", "prod"], ["db", "web"]),
        (["--tag", "prod", "--tag", "big"], ["db"]),
        (["--slug", "web"], ["web"]),
        (["--status", "up"], ["web"]),
        (["--status", "new", "--status", "paused"], ["db", "mail"]),
        (["--status", "started"], ["mail"]),
        (["--status", "down"], []),
    ],
)
def test_list_filters_by_tag_slug_and_status(
    call: Command, client: Client, options: list[str], names: list[str]
) -> None:
    db = client.create_check(CheckCreate(name="db", slug="db", tags="prod big"))
    web = client.create_check(CheckCreate(name="web", slug="web", tags="prod"))
    mail = client.create_check(CheckCreate(name="mail", slug="mail"))
    client.pause_check(db.uuid)
    client.success_ping(web.uuid)
    client.start_ping(mail.uuid)

    listed = json.loads(call("checks", "list", "--json", *options).stdout)

    assert [check["name"] for check in listed] == names


def test_list_shows_a_run_in_progress(call: Command, client: Client, backup: Check) -> None:
    client.start_ping(backup.uuid)

    assert " new, started  " in call("checks", "list").stdout
    assert " started  " in call("checks", "list", "--api-version", "1").stdout


def test_json_contains_all_fields_that_the_api_returned(run: Command, client: Client, backup: Check) -> None:
    (listed,) = json.loads(run("checks", "list", "--json").stdout)

    assert listed == backup.model_dump(mode="json", exclude_unset=True)


@pytest.mark.parametrize("name", ["uuid", "upper", "backup", "Nightly backup"])
def test_a_check_is_identified_by_uuid_slug_or_name(call: Command, backup: Check, name: str) -> None:
    name = {"uuid": id_of(backup), "upper": id_of(backup).upper()}.get(name, name)

    assert json.loads(call("checks", "get", name, "--json").stdout)["uuid"] == backup.uuid
    assert call("checks", "pause", name).stdout == f"Paused Nightly backup ({backup.uuid})\n"


def test_a_check_is_identified_by_unique_key(hc: Sandbox, call: Command, client: Client, backup: Check) -> None:
    (seen,) = json.loads(call("checks", "list", "--json", "--api-key", hc.read_only_key).stdout)

    assert json.loads(call("checks", "get", seen["unique_key"], "--json").stdout)["uuid"] == backup.uuid
    shown = call("checks", "get", seen["unique_key"], "--api-key", hc.read_only_key).stdout
    assert re.search(f"^unique_key +{seen['unique_key']}$", shown, re.MULTILINE)


def test_commands_that_need_the_uuid_reject_read_only_keys(hc: Sandbox, call: Command, backup: Check) -> None:
    result = call("checks", "pause", "backup", "--api-key", hc.read_only_key)

    assert result.status == 1
    assert result.stderr.startswith("Error: this command needs a read-write API key")


def test_a_slug_may_look_like_a_unique_key(call: Command, client: Client) -> None:
    client.create_check(CheckCreate(name="odd", slug="a" * 40))

    assert json.loads(call("checks", "get", "a" * 40, "--json").stdout)["name"] == "odd"


def test_slugs_take_precedence_over_names(call: Command, client: Client) -> None:
    client.create_check(CheckCreate(name="backup"))
    slugged = client.create_check(CheckCreate(name="other", slug="backup"))

    assert json.loads(call("checks", "get", "backup", "--json").stdout)["uuid"] == slugged.uuid


def test_an_ambiguous_name_lists_the_candidates(call: Command, client: Client) -> None:
    first = client.create_check(CheckCreate(name="A", slug="backup"))
    second = client.create_check(CheckCreate(name="B", slug="backup"))

    assert call("checks", "get", "backup") == (
        1,
        "",
        f"Error: 'backup' matches 2 checks. Use the ID of one: A ({first.uuid}), B ({second.uuid})\n",
    )


def test_the_error_for_an_unknown_name_suggests_a_similar_one(run: Command, backup: Check) -> None:
    assert run("checks", "get", "backupp") == (
        1,
        "",
        "Error: no check has the UUID, unique key, slug or name 'backupp': did you mean 'backup'?\n",
    )


@pytest.mark.parametrize("name", ["", "mail"])
def test_the_error_for_an_unknown_name_mentions_checks_list_if_none_is_similar(
    call: Command, client: Client, name: str
) -> None:
    client.create_check(CheckCreate())

    result = call("checks", "get", name)

    assert result.stderr == (
        f"Error: no check has the UUID, unique key, slug or name {name!r}: run `checks list` to see all checks\n"
    )


def test_an_unknown_uuid_is_a_one_line_error(call: Command) -> None:
    result = call("checks", "get", "00000000-0000-4000-8000-000000000000")

    assert (result.status, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("Error: GET ")
    assert "404 Not Found. Likely reasons: there is no such check (" in result.stderr


def test_get_formats_fields_for_people(call: Command, client: Client, backup: Check) -> None:
    client.start_ping(backup.uuid)
    client.success_ping(backup.uuid)

    shown = dict(re.findall(r"^(\w+) +(.*)$", call("checks", "get", "backup").stdout, re.MULTILINE))

    assert shown["Field"] == "Value"
    assert (shown["status"], shown["timeout"], shown["grace"]) == ("up", "1 h", "1 h")
    assert (shown["manual_resume"], shown["started"], shown["last_duration"]) == ("no", "no", "0 s")
    assert re.fullmatch(r"[\d-]{10} [\d:]{8}", shown["next_ping"])


def test_get_shows_an_empty_value_for_a_missing_field(call: Command, backup: Check) -> None:
    assert re.search("^last_ping$", call("checks", "get", "backup").stdout, re.MULTILINE)


FIELDS: dict[str, tuple[list[str], Any]] = {
    "name": (["--name", "Mail"], "Mail"),
    "slug": (["--slug", "mail"], "mail"),
    "tags": (["--tags", "a b"], "a b"),
    "desc": (["--desc", "two\nlines"], "two\nlines"),
    "timeout": (["--period", "1d"], 86400),
    "grace": (["--grace", "2h 30m"], 9000),
    "manual_resume": (["--manual-resume"], True),
    "methods": (["--methods", "POST"], "POST"),
    "start_kw": (["--start-kw", "begin"], "begin"),
    "success_kw": (["--success-kw", "done"], "done"),
    "failure_kw": (["--failure-kw", "error"], "error"),
    "filter_subject": (["--filter-subject"], True),
    "filter_body": (["--filter-body"], True),
    "filter_http_body": (["--filter-http-body"], True),
    "filter_default_fail": (["--filter-default-fail"], True),
}


@pytest.mark.parametrize("command", ["create", "update"])
def test_every_field_can_be_set_by_an_option(call: Command, client: Client, command: str) -> None:
    target = [id_of(client.create_check(CheckCreate()))] if command == "update" else []

    result = call("checks", command, *target, "--json", *(word for words, _ in FIELDS.values() for word in words))

    check = json.loads(result.stdout)
    assert {name: check[name] for name in FIELDS} == {name: value for name, (_, value) in FIELDS.items()}
    tested_separately = {"schedule", "tz", "subject", "subject_fail", "channels", "unique"}
    assert FIELDS.keys() | tested_separately == CheckUpdate.model_fields.keys()


def test_a_check_can_be_created_with_a_schedule(call: Command) -> None:
    result = call("checks", "create", "--schedule", "0 5 * * *", "--tz", "Europe/Riga", "--json")

    assert (json.loads(result.stdout)["schedule"], json.loads(result.stdout)["tz"]) == ("0 5 * * *", "Europe/Riga")


def test_deprecated_fields_can_be_set_by_options(call: Command) -> None:
    check = json.loads(call("checks", "create", "--subject", "done", "--subject-fail", "oh no", "--json").stdout)

    assert (check["success_kw"], check["failure_kw"], check["filter_subject"]) == ("done", "oh no", True)


def test_integrations_can_be_set_by_name(call: Command, client: Client) -> None:
    check = json.loads(call("checks", "create", "--channels", "Ops Email", "--json").stdout)

    assert check["channels"] in [each.id for each in client.get_integrations()]


def test_only_fields_that_were_set_are_sent(call: Command, stub: Stub) -> None:
    stub.queue_response(body=json.dumps({"name": "", "grace": 60, "n_pings": 0, "status": "new"}))

    call("checks", "create", "--desc", "", "--no-manual-resume", "--api-url", stub.url)

    assert json.loads(stub.requests[-1].body) == {"desc": "", "manual_resume": False}


def test_create_with_unique_updates_an_existing_check(call: Command, hc: Sandbox) -> None:
    for grace in ("1h", "2h"):
        call(
            "checks", "create", "--slug", "db", "--name", "DB", "--unique", "slug", "--unique", "name", "--grace", grace
        )

    assert [check.grace for check in hc.checks] == [7200]


def test_unique_requires_the_field_to_be_set(call: Command) -> None:
    result = call("checks", "create", "--unique", "slug")

    assert result.status == 1
    assert result.stderr.startswith("Error: slug is named in unique and must be set")


def test_the_period_can_be_unique(call: Command, hc: Sandbox) -> None:
    for name in ("A", "B"):
        call("checks", "create", "--name", name, "--period", "1h", "--unique", "period")

    assert [(check.name, check.timeout) for check in hc.checks] == [("B", 3600)]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--unique", "period"], "period is named in unique and must be set"),
        (["--period", "5s"], "period: must be from 60 to 31536000 whole seconds"),
    ],
)
def test_errors_name_the_period_like_the_option(call: Command, options: list[str], problem: str) -> None:
    assert call("checks", "create", *options).stderr.startswith(f"Error: {problem}")


def test_update_has_no_unique_option(call: Command, backup: Check) -> None:
    result = call("checks", "update", "backup", "--unique", "name")

    assert result.status == 2
    assert "No such option" in result.stderr


def test_update_leaves_other_fields_unchanged(run: Command, backup: Check) -> None:
    updated = json.loads(run("checks", "update", "backup", "--name", "Copy", "--json").stdout)

    assert updated == backup.model_copy(update={"name": "Copy"}).model_dump(mode="json", exclude_unset=True)


def test_update_without_any_field_is_an_error(call: Command, backup: Check) -> None:
    result = call("checks", "update", "backup")

    assert result.status == 2
    assert result.stderr.endswith("Error: nothing to update: set at least one field, or use --from\n")


def test_options_take_precedence_over_fields_from_a_file(call: Command, tmp_path: Path) -> None:
    file = tmp_path / "check.json"
    file.write_text('{"name": "From the file", "timeout": 3600}', encoding="utf-8")

    check = json.loads(call("checks", "create", "--from", str(file), "--name", "Mine", "--json").stdout)

    assert (check["name"], check["timeout"]) == ("Mine", 3600)


def test_a_period_option_overrides_a_schedule_from_a_file(call: Command) -> None:
    create = ("checks", "create", "--from", "-", "--period", "1h", "--json")

    check = json.loads(call(*create, stdin='{"schedule": "0 3 * * *", "tz": "Europe/Riga"}').stdout)

    assert (check["timeout"], check.get("schedule")) == (3600, None)


def test_the_output_of_get_can_be_used_to_copy_a_check(run: Command, backup: Check) -> None:
    printed = run("checks", "get", "backup", "--json").stdout

    copy = json.loads(run("checks", "create", "--from", "-", "--slug", "copy", "--json", stdin=printed.encode()).stdout)

    assert (copy["name"], copy["slug"], copy["tags"], copy["timeout"]) == ("Nightly backup", "copy", "prod db", 3600)
    assert copy["uuid"] != backup.uuid


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "--from: invalid JSON: Expecting property name"),
        ("[1]", "--from: expected a JSON object"),
        ("[" * 100_000, "--from: invalid JSON"),
        ('{"time_out": 60}', "time_out: unknown field"),
        ('{"timeout": 5}', "timeout: must be from 60 to 31536000 whole seconds"),
        ('{"timeout": "1d", "slug": "A"}', "slug: must consist of a-z, 0-9, '-' and '_'"),
    ],
)
def test_invalid_json_is_a_one_line_error(call: Command, text: str, problem: str) -> None:
    result = call("checks", "create", "--from", "-", stdin=text)

    assert (result.status, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith(f"Error: {problem}")


def test_an_invalid_slug_is_a_one_line_error(call: Command) -> None:
    result = call("checks", "create", "--slug", "Backup")

    assert (result.status, result.stderr) == (
        1,
        "Error: slug: must consist of a-z, 0-9, '-' and '_'\n",
    )


def test_an_invalid_schedule_is_a_one_line_error(run: Command) -> None:
    result = run("checks", "create", "--schedule", "61 * * * *")

    assert (result.status, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("Error: schedule: ")


def test_all_invalid_fields_are_reported_together(call: Command) -> None:
    result = call("checks", "create", "--grace", "5s", "--tz", "Nowhere")

    assert re.fullmatch(
        r"Error: grace: must be from 60 to 31536000 whole seconds .*; "
        r"tz: unknown time zone 'Nowhere'.*\n",
        result.stderr,
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("soon", "not a valid duration: use a number of seconds such as 90, or the units w, d, h, m and s"),
        ("1.5", "not a whole number of seconds"),
        ("9" * 400, "too long"),
        (f"{'9' * 5000}w", "too long"),
    ],
)
def test_duration_fields_accept_only_valid_whole_seconds(call: Command, text: str, problem: str) -> None:
    result = call("checks", "create", "--period", text)

    assert result.status == 2
    assert f"Invalid value for '--period': '{text}' is {problem}" in result.stderr


def test_pause_and_resume(call: Command, hc: Sandbox, backup: Check) -> None:
    assert call("checks", "pause", "backup").stdout == f"Paused Nightly backup ({backup.uuid})\n"
    assert hc.checks[0].status == "paused"
    assert json.loads(call("checks", "resume", "backup", "--json").stdout)["status"] == "new"

    result = call("checks", "resume", "backup")

    assert result.status == 1
    assert "check is not paused" in result.stderr


def test_a_write_error_on_stdout_is_a_one_line_error(start: Callable[..., Any]) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        process = start("checks", "list", stdout=full)
        _, errors = process.communicate(timeout=20)

    assert process.returncode == 1
    assert errors == b"Error: No space left on device\n"


def test_a_closed_stdout_pipe_prints_no_error(start: Callable[..., Any]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = start("checks", "list", stdout=writing)
    os.close(writing)
    _, errors = process.communicate(timeout=20)

    assert (process.returncode, errors) == (1, b"")


@pytest.mark.parametrize(("answer", "status", "left"), [("n\n", 1, 1), ("y\n", 0, 0)])
def test_delete_asks_for_confirmation(
    terminal: Terminal, hc: Sandbox, backup: Check, answer: str, status: int, left: int
) -> None:
    result, shown = terminal.run("checks", "delete", "backup", after="[y/N]:", type_=answer, width=200)

    assert (result, len(hc.checks)) == (status, left)
    assert f"Delete Nightly backup ({backup.uuid}) and all its pings? [y/N]:" in shown
    assert (f"Deleted Nightly backup ({backup.uuid})\n" in shown) is (status == 0)


def test_delete_with_yes_does_not_ask(call: Command, hc: Sandbox, client: Client) -> None:
    unnamed = id_of(client.create_check(CheckCreate()))

    result = call("checks", "delete", unnamed, "--yes")

    assert result == (0, f"Deleted the check ({unnamed})\n", "")
    assert hc.checks == []


def test_delete_without_confirmation_deletes_nothing(run: Command, hc: Sandbox, backup: Check) -> None:
    result = run("checks", "delete", "backup")

    assert result == (1, "", "Error: deleting 1 check needs confirmation: pass --yes. Nothing was changed\n")
    assert len(hc.checks) == 1


@pytest.fixture
def three(client: Client) -> list[Check]:
    return [client.create_check(CheckCreate(name=name.upper(), slug=name)) for name in ("a", "b", "c")]


def test_several_checks_are_shown(call: Command, three: list[Check]) -> None:
    shown = call("checks", "get", "c", id_of(three[0])).stdout

    assert re.findall("^slug +(.*)$", shown, re.MULTILINE) == ["c", "a"]
    assert shown.count("\n\n") == 1


def test_several_checks_are_updated(call: Command, hc: Sandbox, three: list[Check]) -> None:
    result = call("checks", "update", "a", "c", "--tags", "prod", "--json")

    assert [check["slug"] for check in json.loads(result.stdout)] == ["a", "c"]
    assert {check.slug: check.tags for check in hc.checks} == {"a": "prod", "b": "", "c": "prod"}


def test_several_checks_cannot_get_the_same_slug(call: Command, hc: Sandbox, three: list[Check]) -> None:
    result = call("checks", "update", "a", "b", "--slug", "x")

    assert (result.status, {check.slug for check in hc.checks}) == (2, {"a", "b", "c"})
    assert "several checks cannot have the same slug" in result.stderr


def test_several_checks_are_paused_and_resumed(call: Command, hc: Sandbox, three: list[Check]) -> None:
    a, b, _ = three

    assert call("checks", "pause", "a", "B").stdout == f"Paused A ({a.uuid})\nPaused B ({b.uuid})\n"
    assert {check.slug: check.status for check in hc.checks} == {"a": "paused", "b": "paused", "c": "new"}
    assert [check["status"] for check in json.loads(call("checks", "resume", "a", "b", "--json").stdout)] == ["new"] * 2


def test_deleting_several_checks_asks_for_confirmation_once(
    terminal: Terminal, hc: Sandbox, three: list[Check]
) -> None:
    a, b, _ = three

    _, shown = terminal.run("checks", "delete", "a", "b", after="[y/N]:", type_="y\n", width=200)

    assert f"A ({a.uuid})\nB ({b.uuid})\nDelete these 2 checks and all their pings? [y/N]:" in shown
    assert f"Deleted A ({a.uuid})\nDeleted B ({b.uuid})\n" in shown
    assert [check.slug for check in hc.checks] == ["c"]


@pytest.mark.parametrize(
    "command", [["get"], ["update", "--tags", "prod"], ["pause"], ["resume"], ["delete"], ["delete", "--yes"]]
)
def test_all_unknown_names_are_listed_before_anything_is_changed(
    call: Command, hc: Sandbox, three: list[Check], command: list[str]
) -> None:
    before = [check.model_dump() for check in hc.checks]
    unknown = "00000000-0000-4000-8000-000000000000"
    result = call("checks", *command, "a", "mail", unknown, "b", stdin="y\n")

    assert (result.status, result.stdout) == (1, "")
    assert re.fullmatch(rf"Error: no check .* 'mail': run .*\nno check .* '{unknown}': run .*\n", result.stderr)
    assert [check.model_dump() for check in hc.checks] == before


def test_the_names_of_several_checks_need_one_list(call: Command, stub: Stub) -> None:
    body = {"name": "", "grace": 60, "n_pings": 0, "status": "new"}
    checks = [{**body, "slug": slug, "uuid": f"00000000-0000-4000-8000-00000000000{slug}"} for slug in "123"]
    stub.queue_response(body=json.dumps({"checks": checks}))

    call("checks", "get", "1", "2", checks[2]["uuid"], "--api-url", stub.url)

    assert [request.path for request in stub.requests] == ["/v3/checks/"]


def test_a_check_that_is_named_twice_is_changed_once(call: Command, backup: Check) -> None:
    result = call("checks", "delete", "backup", "Nightly backup", id_of(backup).upper(), "--yes", "--json")

    assert (result.status, [check["slug"] for check in json.loads(result.stdout)]) == (0, ["backup"])


@pytest.mark.parametrize("as_json", [True, False])
def test_a_failed_change_ends_the_command_and_reports_the_changes_before(
    call: Command, client: Client, three: list[Check], as_json: bool
) -> None:
    client.pause_check(three[0].uuid)

    result = call("checks", "resume", "a", "b", "c", *["--json"] * as_json)

    assert result.status == 1
    assert re.match(r"Error: POST .*/resume .* \(not attempted: 1 of 3 checks\)\n", result.stderr)
    if as_json:
        assert [check["slug"] for check in json.loads(result.stdout)] == ["a"]
    else:
        assert result.stdout == f"Resumed A ({three[0].uuid})\n"


def test_several_uuids_can_be_shown_with_a_read_only_key(hc: Sandbox, call: Command, three: list[Check]) -> None:
    names = [id_of(check) for check in three[:2]]

    shown = json.loads(call("checks", "get", *names, "--json", "--api-key", hc.read_only_key).stdout)

    assert [check["slug"] for check in shown] == ["a", "b"]


def test_control_characters_from_the_server_are_escaped(call: Command, client: Client) -> None:
    name = "[red]x\x1b[2J\x9b1m\u202e\r\u2028y\u200d👩"
    client.create_check(CheckCreate(name=name, slug="evil", desc=name))

    shown = [call("checks", *words).stdout for words in (["list"], ["get", "evil"], ["pause", "evil"])]
    printed = call("checks", "list", "--json").stdout

    for text in shown:
        assert r"[red]x\x1b[2J\x9b1m\u202e  y" in text
    assert [text for text in shown if not text.replace("\n", "").replace("\u200d", "").isprintable()] == []
    assert printed.isascii()
    assert json.loads(printed)[0]["name"] == name


def test_control_characters_in_server_errors_are_escaped(call: Command, stub: Stub) -> None:
    stub.queue_response(400, json.dumps({"error": "no\x1b[2J\nError: fake"}))

    result = call("checks", "list", "--api-url", stub.url)

    assert (result.status, result.stderr.count("\n")) == (1, 1)
    assert "\x1b" not in result.stderr


def test_api_version_3_is_the_default(call: Command, client: Client, backup: Check) -> None:
    call("checks", "update", "backup", "--name", "Renamed")

    assert client.get_check(backup.uuid).slug == "backup"


def test_the_environment_can_set_the_api_version(
    call: Command, client: Client, backup: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTHCHECKS_API_VERSION", "2")

    call("checks", "update", "backup", "--name", "Renamed")

    assert client.get_check(backup.uuid).slug == "renamed"


def test_without_an_api_key_no_request_is_sent(call: Command, stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEALTHCHECKS_API_KEY")

    assert call("checks", "list", "--api-url", stub.url) == (
        1,
        "",
        "Error: no API key: set HEALTHCHECKS_API_KEY to the key or to file:PATH\n",
    )
    assert stub.requests == []


def test_an_unreachable_server_is_a_one_line_error(run: Command) -> None:
    result = run("checks", "list", "--api-url", "http://127.0.0.1:9/", "--retries", "0", "--http-timeout", "2s")

    assert (result.status, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith("Error: GET http://127.0.0.1:9/v3/checks/ got no response")


def test_an_invalid_option_value_is_an_error(call: Command) -> None:
    result = call("checks", "list", "--api-url", "nowhere")

    assert result.status == 2
    assert "Invalid value for '--api-url': it must be a URL with https://" in result.stderr


def test_dates_too_early_to_convert_are_shown(call: Command, stub: Stub) -> None:
    check = {"name": "x", "grace": 60, "n_pings": 0, "status": "odd", "last_ping": "0001-01-01T00:00:00+14:00"}
    stub.queue_response(body=json.dumps({"checks": [check]}))

    assert "0001-01-01 00:00:00+14:00" in call("checks", "list", "--api-url", stub.url).stdout


def test_characters_that_stdout_cannot_encode_are_escaped(
    run: Command, client: Client, environment: dict[str, str]
) -> None:
    client.create_check(CheckCreate(name="Ночь"))
    environment["PYTHONIOENCODING"] = "latin-1"

    assert r"\u041d\u043e\u0447\u044c" in run("checks", "list").stdout
