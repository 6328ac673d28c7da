"""What `crontab` shows: the jobs, their slugs and schedules, and what it leaves alone."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from crontab.conftest import HOST
from crontab.emulator import read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthchecks_io import CheckCreate, CheckUpdate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crontab.conftest import Home, Result

    from healthchecks_io import Client
    from healthchecks_io.sandbox import Sandbox

    Listing = Callable[..., list[dict[str, Any]]]

UUID = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"


def test_the_table_shows_the_jobs_with_their_lines(crontab: Callable[..., Result], home: Home, tmp_path: Path) -> None:
    path = tmp_path / "crontab"
    path.write_bytes(home.crontab("server"))
    result = crontab(path)
    rows = [line for line in result.stdout.splitlines() if re.match(r"\s*\d+ ", line)]

    assert result.status == 0
    assert [int(row.split()[0]) for row in rows] == [job.line for job in read(home.crontab("server")).jobs]
    assert f"{HOST}-pg-dump-" in rows[0]
    assert "@reboot has no schedule" in rows[-1]


def test_the_table_shows_the_state_of_the_jobs(crontab: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "crontab"
    path.write_text("0 3 * * * backup\n@reboot tunnel\n")
    listed, written = crontab(path).stdout, crontab(path, "--write").stdout

    assert re.search(r"^1 .* not monitored ", listed, re.MULTILINE)
    assert re.search(r"^2 .* left alone: @reboot has no schedule ", listed, re.MULTILINE)
    assert re.search(r"^6 .* monitored  ", written, re.MULTILINE)
    assert "not monitored" not in written


def test_the_json_has_all_about_a_job(listing: Listing) -> None:
    (job,) = listing("# first\n15 3 * * MON  backup --all%in\n", "--tz", "Europe/Riga")

    assert re.fullmatch(rf"{HOST}-backup-[0-9a-f]{{6}}", job.pop("slug"))
    assert job == {
        "line": 2,
        "schedule": "15 3 * * MON",
        "tz": "Europe/Riga",
        "command": "backup --all%in",
        "monitored": False,
        "reason": None,
        "action": "create",
    }


def test_without_an_api_key_there_are_no_actions(listing: Listing) -> None:
    (job,) = listing("0 3 * * * backup\n", variables={"HEALTHCHECKS_API_KEY": None})

    assert job["action"] is None


def test_after_writing_the_json_shows_what_was_done(crontab: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "crontab"
    path.write_text("0 3 * * * backup\n")
    (job,) = json.loads(crontab(path, "--write", "--json").stdout)

    assert (job["monitored"], job["action"], job["line"]) == (True, "create", 6)


def test_new_checks_have_all_integrations(write: Callable[..., bytes], client: Client) -> None:
    write("0 3 * * * backup\n")
    (check,) = client.get_checks()

    assert {*(check.channels or "").split(",")} == {integration.id for integration in client.get_integrations()} != {""}


def test_only_the_schedule_of_an_existing_check_changes(write: Callable[..., bytes], client: Client) -> None:
    once = write("0 3 * * * backup\n")
    (check,) = client.get_checks()
    client.update_check(check.uuid, CheckUpdate(name="Backup", grace=7200, channels="", tags="db"))
    write(once.replace(b"0 3", b"30 4"))
    (check,) = client.get_checks()

    assert (check.name, check.grace, check.channels, check.tags) == ("Backup", 7200, "", "db")
    assert check.schedule == "30 4 * * *"


def test_grace_and_tags_are_declared_with_the_schedules(
    write: Callable[..., bytes], listing: Listing, client: Client
) -> None:
    options = ("--grace", "2h", "--tags", "cron web1")
    once = write("0 3 * * * backup\n")
    (job,) = listing(once, "--tz=UTC", *options)
    twice = write(once + b"0 4 * * * report\n", *options)

    assert job["action"] == "update"
    assert {(check.grace, check.tags) for check in client.get_checks()} == {(7200, "cron web1")}
    assert [job["action"] for job in listing(twice, "--tz=UTC", *options)] == ["unchanged"] * 2
    assert [job["action"] for job in listing(twice, "--tz=UTC")] == ["unchanged"] * 2


def test_tags_that_cannot_be_sent_are_an_error(crontab: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "crontab"
    path.write_text("0 3 * * * backup\n")
    result = crontab(path, "--tags", "\udcff")

    assert result.status == 1
    assert result.stderr.startswith("Error: tags: ")


def test_listing_changes_nothing(
    crontab: Callable[..., Result], client: Client, home: Home, tmp_path: Path, data_home: Path
) -> None:
    path = tmp_path / "crontab"
    path.write_bytes(home.crontab("server"))
    crontab(path)

    assert path.read_bytes() == home.crontab("server")
    assert client.get_checks() == []
    assert not data_home.exists()


@pytest.mark.parametrize(
    ("change", "action"),
    [(("0 3", "0 3"), "unchanged"), (("0 3", "0 4"), "update"), (("* * MON", "* * TUE"), "update")],
)
def test_jobs_under_monitoring_show_what_would_change_in_their_checks(
    write: Callable[..., bytes], listing: Listing, change: tuple[str, str], action: str
) -> None:
    written = write("0 3 * * MON backup\n").decode()
    (job,) = listing(written.replace(*change), "--tz=UTC")

    assert (job["monitored"], job["action"], job["command"]) == (True, action, "backup")


@pytest.mark.parametrize(
    ("command", "program"),
    [
        ("/opt/jobs/bin/Backup.SH --all", "backup-sh"),
        ("report /home/secret token=secret", "report"),
        ("cd /opt/jobs && backup", "backup"),
        ("cd /opt/jobs; ./backup", "backup"),
        ("[ -x /usr/bin/backup ] && /usr/bin/backup", "backup"),
        ("FOO=1 BAR='a b' backup", "backup"),
        ("env FOO=1 backup", "backup"),
        ("sudo -u postgres backup", "backup"),
        ("sudo -n -u postgres -- backup", "backup"),
        ("nice backup", "backup"),
        ("nice -n 10 ionice -c3 backup", "backup"),
        ("flock -n /run/lock/x backup", "backup"),
        ("flock -w 5 /run/lock/x -c 'backup --all'", "backup"),
        ("timeout 10m backup", "backup"),
        ("timeout -k 5 10m backup", "backup"),
        ("/bin/sh -c 'cd /x && backup'", "backup"),
        ('bash -c "backup --all"', "backup"),
        ("backup | gzip > x", "backup"),
        ("(backup; report) > /dev/null", "backup"),
        ("backup > /dev/null 2>&1", "backup"),
        ("backup%input", "backup"),
        ("a=('x y' z); backup \"${a[@]}\"", "backup"),
    ],
)
def test_slugs_have_the_name_of_the_program(listing: Listing, command: str, program: str) -> None:
    (job,) = listing(f"0 3 * * * {command}\n")

    assert re.fullmatch(rf"{HOST}-{program}-[0-9a-f]{{6}}", job["slug"])


@pytest.mark.parametrize("command", ["$(which backup)", "'unterminated", "%in", "日本語", '"$X"', "-", "a" * 300])
def test_every_job_has_a_valid_slug(listing: Listing, command: str) -> None:
    (job,) = listing(f"0 3 * * * {command}\n")

    assert re.fullmatch("[a-z0-9_-]{1,100}", job["slug"])


def test_slugs_do_not_change_with_the_schedule_or_the_place(listing: Listing) -> None:
    first = listing("0 3 * * * backup --all\n0 4 * * * report\n")
    second = listing("A=b\n0 4 * * * report\n\n\n@daily\tbackup --all\n")

    assert {job["slug"] for job in first} == {job["slug"] for job in second}


def test_jobs_with_the_same_command_have_different_slugs(listing: Listing) -> None:
    jobs = listing("0 3 * * * backup\n0 15 * * 1 backup\n0 16 * * 1 backup --all\n")

    assert len({job["slug"] for job in jobs}) == 3


def test_the_prefix_replaces_the_name_of_the_host(listing: Listing) -> None:
    (plain,) = listing("0 3 * * * backup\n")
    (job,) = listing("0 3 * * * backup\n", "--prefix", "Web Servers")

    assert job["slug"] == plain["slug"].replace(HOST, "web-servers", 1)


@pytest.mark.parametrize(
    "command",
    [
        "py-healthchecks.io run --slug=backup -- backup",
        "/opt/venv/bin/py-healthchecks.io run -- backup",
        "'/my jobs/bin/py-healthchecks.io' run -- backup",
        "cd /opt && /opt/venv/bin/python -m healthchecks_io run -- backup",
        "runitor -slug backup -- backup",
        "/usr/local/bin/runitor -uuid x -- backup",
        f"backup && curl -fsS -m 10 --retry 5 https://hc-ping.com/{UUID} > /dev/null",
        f"backup; wget -q https://hc-ping.com/{UUID}/$? -O /dev/null",
        "backup && curl 'https://hc-ping.com/pingkey1234567890abcdef/backup'",
        f"backup && curl -s https://status.example.com/ping/{UUID}",
    ],
)
def test_monitored_jobs_are_recognised(listing: Listing, write: Callable[..., bytes], command: str) -> None:
    content = f"0 3 * * * {command}\n"
    (job,) = listing(content)

    assert (job["monitored"], job["reason"]) == (True, None)
    assert write(content) == content.encode()


@pytest.mark.parametrize(
    "command",
    [
        "curl -s https://example.com/",
        "echo https://hc-ping.com/",
        "curl-status",
        "echo runitor",
        "backup-py-healthchecks.io run",
        "ping -c 1 example.com",
    ],
)
def test_other_jobs_are_not_taken_for_monitored(listing: Listing, command: str) -> None:
    (job,) = listing(f"0 3 * * * {command}\n")

    assert not job["monitored"]


@pytest.mark.parametrize(
    ("nickname", "schedule"),
    [
        ("@yearly", "0 0 1 1 *"),
        ("@annually", "0 0 1 1 *"),
        ("@monthly", "0 0 1 * *"),
        ("@weekly", "0 0 * * 0"),
        ("@daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@hourly", "0 * * * *"),
    ],
)
def test_nicknames_are_translated_for_the_check(
    write: Callable[..., bytes], listing: Listing, client: Client, nickname: str, schedule: str
) -> None:
    (job,) = listing(f"{nickname} backup\n")
    write(f"{nickname} backup\n")

    assert job["schedule"] == nickname
    assert [check.schedule for check in client.get_checks()] == [schedule]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("@reboot backup\n", "@reboot has no schedule"),
        ("SHELL=/usr/bin/fish\n0 3 * * * backup\n", "SHELL"),
        ("SHELL=/usr/bin/python3\n0 3 * * * backup\n", "SHELL"),
        ("SHELL='/bin/tcsh'\n0 3 * * * backup\n", "SHELL"),
        (f"0 3 * * * report {'x' * 950}\n", "1000|1,000"),
        (f"0 3 * * * report {'ü' * 470}\n", "1000|1,000"),
        ("0 0 30 2 * backup\n", "schedule"),
        ("0 0 31 feb,4,jun/1,9-11/2 * backup\n", "differ"),
        ("0 0 31 feb,4,jun,9-11/2 1 backup\n", "schedule"),
        ("0 3 * * 5-1 backup\n", "5-1"),
    ],
)
def test_what_cannot_be_monitored_is_left_alone_with_a_reason(
    listing: Listing, write: Callable[..., bytes], content: str, reason: str
) -> None:
    (job,) = listing(content)

    assert not job["monitored"]
    assert re.search(reason, job["reason"])
    assert job["action"] is None
    assert write(content) == content.encode()


@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "ksh", "zsh", "ash", "busybox", "/usr/local/bin/bash"])
def test_shells_like_sh_are_supported(listing: Listing, shell: str) -> None:
    (job,) = listing(f"SHELL={shell if '/' in shell else '/bin/' + shell}\n0 3 * * * backup\n")

    assert job["reason"] is None


def test_a_shell_holds_for_the_jobs_after_it(listing: Listing) -> None:
    jobs = listing("0 3 * * * a\nSHELL=/bin/fish\n0 3 * * * b\nSHELL=/bin/bash\n0 3 * * * c\n")

    assert [job["reason"] is None for job in jobs] == [True, False, True]


def test_lines_that_cron_refuses_are_shown_with_their_numbers(listing: Listing, home: Home) -> None:
    jobs = listing(home.crontab("broken"))

    assert [job["line"] for job in jobs if job["reason"]] == list(read(home.crontab("broken")).refused)


@pytest.mark.parametrize("path", ["/etc/crontab", "/etc/cron.d/e2scrub_all", "/etc/cron.d/../crontab"])
@pytest.mark.parametrize("option", ["--json", "--write", "--undo"])
def test_system_crontabs_are_refused(crontab: Callable[..., Result], path: str, option: str) -> None:
    result = crontab(path, option)

    assert result.status == 1
    assert path in result.stderr


def test_a_column_of_users_is_recognised(crontab: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "crontab"
    path.write_text("PATH=/usr/bin:/bin\n17 * * * * root cd / && run-parts /etc/cron.hourly\n* * * * * nobody ls\n")
    result = crontab(path, "--write")

    assert result.status == 1
    assert "users" in result.stderr
    assert "py-healthchecks.io" not in path.read_text()


@pytest.mark.parametrize(
    "content",
    ["0 3 * * * backup\n", "0 3 * * * backup --all\n", "0 3 * * * backup | x\n", "* * * * * root x\n* * * * * y\n"],
)
def test_programs_named_like_users_are_not_taken_for_users(listing: Listing, content: str) -> None:
    assert listing(content)


def test_such_a_program_is_found_on_the_path_of_the_crontab(listing: Listing, tmp_path: Path) -> None:
    program = tmp_path / "mail"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    assert listing(f"PATH={tmp_path}\n0 3 * * * mail ops\n")


def test_an_unknown_time_zone_is_refused(crontab: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "crontab").write_text("0 3 * * * backup\n")

    assert crontab(tmp_path / "crontab", "--tz", "Europe/Nowhere").status == 2


def test_write_and_undo_exclude_each_other(crontab: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "crontab").write_text("0 3 * * * backup\n")

    assert crontab(tmp_path / "crontab", "--write", "--undo").status == 2


_TERMS = ["*", "0", "5", "*/5", "1-5", "5-1", "1-5/2", "*/99", "1,2", "mon", "JAN", "7", "8", "31", "0-7/2", "00", "a"]
_TERMS += ["5;", "2/3", "100", "sun-tue", "JAN-mar/2", "1--2", "*,1", "*x", "1-5/2/3", "*/0", "1,,2", "-", "~", "2~3"]
_FIELDS = st.lists(st.sampled_from(_TERMS), min_size=4, max_size=6).map(" ".join)
_BEGINNINGS = st.sampled_from(["@daily", "@reboot", "@Daily", "0 3 * * *", "A=b", "A=", "A='b'", "'A' = b", 'A="b" c'])
_ENDS = st.sampled_from(["", " ", " x", "\tx y", " *", " 'x'", "\rx", "=", "\xa0x"])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.tuples(_FIELDS | _BEGINNINGS, _ENDS).map("".join), min_size=1, max_size=20))
def test_lines_are_read_as_cron_reads_them(crontab: Callable[..., Result], tmp_path: Path, lines: list[str]) -> None:
    path = tmp_path / "crontab"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    result = crontab(path, "--json", variables={"HEALTHCHECKS_API_KEY": None})
    listed = {job["line"]: job for job in json.loads(result.stdout)}
    debian, cronie = read(path.read_bytes(), "debian"), read(path.read_bytes(), "cronie")
    accepted = {job.line for job in debian.jobs} & {job.line for job in cronie.jobs}

    assert {*listed} == {job.line for job in debian.jobs} | {*debian.refused}
    for number, job in listed.items():
        if job["reason"] is None:
            assert number in accepted
        if number in accepted:
            assert "refuses" not in (job["reason"] or "")


def test_the_table_shows_what_becomes_of_the_check_of_each_job(
    crontab: Callable[..., Result], tmp_path: Path, client: Client
) -> None:
    path = tmp_path / "jobs"
    path.write_text("0 3 * * * backup\n0 4 * * * report\n@reboot start\n")
    client.create_check(CheckCreate(slug="another"))
    before = crontab(path)
    created = crontab(path, "--write")
    path.write_text(path.read_text().replace("0 4", "0 5"))
    after = crontab(path)
    updated = crontab(path, "--write")

    assert [line.count(" create ") for line in before.stdout.splitlines()[1:4]] == [1, 1, 0]
    assert before.stdout.endswith("Plan: 2 to create, 0 unchanged\n")
    assert re.findall(r"(\w+)  +monitored", created.stdout) == ["created", "created"]
    assert re.findall(r"(\w+)  +monitored", after.stdout) == ["unchanged", "update"]
    assert re.findall(r"(\w+)  +monitored", updated.stdout) == ["unchanged", "updated"]


@pytest.mark.parametrize(
    "command", ["@reboot tunnel", f"0 3 * * * a; curl https://hc-ping.com/{UUID}", "@daily py-healthchecks.io run -- a"]
)
def test_jobs_that_write_leaves_alone_have_no_slug(
    crontab: Callable[..., Result], listing: Listing, tmp_path: Path, command: str
) -> None:
    path = tmp_path / "crontab"
    path.write_text(f"{command}\n")
    (job,) = listing(f"{command}\n")

    assert job["slug"] is None
    assert HOST not in crontab(path).stdout.splitlines()[1]


def test_without_an_api_key_there_is_no_column_of_checks(crontab: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "crontab"
    path.write_text("0 3 * * * backup\n")
    result = crontab(path, variables={"HEALTHCHECKS_API_KEY": None})

    assert result.stdout.splitlines()[0].split() == ["Line", "Schedule", "Slug", "State", "Command"]
    assert result.stderr == ""


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_a_server_that_is_down_does_not_keep_the_jobs_from_being_shown(
    crontab: Callable[..., Result], hc: Sandbox, tmp_path: Path, option: tuple[str, ...]
) -> None:
    path = tmp_path / "crontab"
    path.write_text("0 3 * * * backup\n")
    without_key = crontab(path, *option, variables={"HEALTHCHECKS_API_KEY": None})
    hc.fail_next(status=503, times=20)
    result = crontab(path, *option, variables={"HEALTHCHECKS_RETRIES": "0"})

    assert (result.status, result.stdout) == (0, without_key.stdout)
    assert result.stderr.startswith("Warning: the checks are not shown: ")
    assert result.stderr.count("\n") == 1


def test_an_api_key_that_is_refused_is_an_error(crontab: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "crontab"
    path.write_text("0 3 * * * backup\n")

    assert crontab(path, variables={"HEALTHCHECKS_API_KEY": "wrong"}).status == 1
