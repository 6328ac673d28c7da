"""What `--write` and `--undo` change in a file, byte by byte."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from crontab.conftest import REWRITTEN, pairs
from crontab.emulator import read
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crontab.conftest import Home, Result

    from healthchecks_io.sandbox import Sandbox

NAMES = ["server", "quotes", "percent", "schedules", "shells", "odd", "cronie"]
END = b"# End of py-healthchecks.io\n"


@pytest.mark.parametrize("name", NAMES)
def test_undo_restores_every_byte(
    write: Callable[..., bytes], undo: Callable[..., bytes], home: Home, name: str
) -> None:
    before = home.crontab(name)
    after = write(before)

    assert after != before
    assert undo(after) == before


@pytest.mark.parametrize("name", NAMES)
def test_writing_twice_is_writing_once(write: Callable[..., bytes], home: Home, name: str) -> None:
    once = write(home.crontab(name))

    assert write(once) == once


@pytest.mark.parametrize("name", NAMES)
def test_undoing_twice_is_undoing_once(undo: Callable[..., bytes], home: Home, name: str) -> None:
    before = home.crontab(name)

    assert undo(before) == before


def test_a_block_with_the_settings_comes_first(
    write: Callable[..., bytes], hc: Sandbox, key_file: Path, tmp_path: Path
) -> None:
    written = write("# jobs\n0 3 * * * backup\n").decode()

    assert written.startswith(
        "# Added by py-healthchecks.io crontab --write. To take it back: "
        f"py-healthchecks.io crontab {tmp_path}/written.crontab --undo\n"
        f"HEALTHCHECKS_PING_KEY=file:{key_file}\n"
        f"HEALTHCHECKS_PING_URL={hc.ping_url}\n"
        f"HEALTHCHECKS_API_URL={hc.api_url}\n"
        "# End of py-healthchecks.io\n"
        "# jobs\n"
    )


@pytest.mark.parametrize("white_space", [" ", "\t", "  \t "])
@pytest.mark.parametrize("indentation", ["", " ", "\t "])
@pytest.mark.parametrize("schedule", ["0 3 * * *", "0\t3  * * *", "@daily"])
def test_only_the_command_of_a_job_changes(
    write: Callable[..., bytes], white_space: str, indentation: str, schedule: str
) -> None:
    written = write(f"{indentation}{schedule}{white_space}backup --all \n").partition(END)[2]
    prefix = f"{indentation}{schedule}{white_space}".encode()

    assert written.startswith(prefix)
    match = REWRITTEN.fullmatch(written.removeprefix(prefix).removesuffix(b"\n"))
    assert match is not None
    assert match["command"] == b"backup --all "


@pytest.mark.parametrize(
    ("command", "rewritten"),
    [
        (rb"a 'b' c", rb"'a '\''b'\'' c'"),
        (rb"'", rb"''\'''"),
        (rb"date +\%F", rb"'date +\%F'"),
        (rb"send%hello%you", rb"'send'%hello%you"),
        (rb"send \% x%it's", rb"'send \% x'%it's"),
        (rb"send \\%in \% put", rb"'send \\'%in \% put"),
        (rb"it\'%in", rb"'it\'\'''%in"),
        (b"\xff\xfe", b"'\xff\xfe'"),
        (b"a\r", b"'a\r'"),
        (rb"echo \\", rb"'echo \\'"),
        (b"%only input", b"''%only input"),
    ],
)
def test_commands_are_quoted_and_their_input_is_kept(
    write: Callable[..., bytes], undo: Callable[..., bytes], command: bytes, rewritten: bytes
) -> None:
    before = b"0 3 * * * " + command + b"\n"
    written = write(before)
    line = written.partition(END)[2].removesuffix(b"\n")

    assert line.endswith(b' -- "$SHELL" -c ' + rewritten)
    assert undo(written) == before


@pytest.mark.parametrize(
    "options",
    [
        "--quiet-success --slug={}",
        "--slug={} --quiet-success",
        "--slug {} --max-time 2h  --ok-status=3,24",
        "--slug='{}' --schedule \"0 3 * * *\" --tags='a b'",
        "\t--grace 1h --slug \"{}\"  --header 'X: --slug=y'",
    ],
)
def test_lines_with_added_options_are_undone_and_stay_declared(
    write: Callable[..., bytes],
    undo: Callable[..., bytes],
    listing: Callable[..., list[dict[str, Any]]],
    options: str,
) -> None:
    before = b"0 3 * * * echo 'it''s' | backup%in\n"
    written = write(before).decode()
    slug = re.findall("--slug=([a-z0-9_-]+)", written)[0]
    edited = written.replace(f"--slug={slug}", options.format(slug))
    (job,) = listing(edited.replace("0 3 * * * /", "0 4 * * * /"), "--tz=UTC")

    assert edited != written
    assert (job["slug"], job["monitored"], job["action"]) == (slug, True, "update")
    assert job["command"] == "echo 'it''s' | backup%in"
    assert write(edited) == edited.encode()
    assert undo(edited.encode()) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("--slug=", "--uuid="),
        ("--slug=", "--slug=x --slug="),
        ("--slug=", "--slug=UPPER"),
        ("--slug=", "backup --slug="),
        ("--slug=", "-- backup --slug="),
        ('"$SHELL" -c', "sh -c"),
        ("'backup'", "'backup' >/dev/null"),
        ("'backup'", '"backup"'),
        ("--slug=", '--tags "$TAGS" --slug='),
    ],
)
def test_undo_keeps_the_variables_of_lines_that_it_cannot_take_back(
    crontab: Callable[..., Result], write: Callable[..., bytes], tmp_path: Path, old: str, new: str
) -> None:
    written = write("0 3 * * * backup\n0 4 * * * report\n").decode()
    edited = written.replace(old, new, 1)
    assert edited != written
    path = tmp_path / "crontab"
    path.write_text(edited)
    result = crontab(path, "--undo")
    restored = [*written.splitlines()[:-1], "0 4 * * * report"]
    again = crontab(path, "--undo")

    assert path.read_text().splitlines() == [line.replace(old, new) if old in line else line for line in restored]
    assert "Restored 1 job. " in result.stderr
    for each in (result, again):
        assert "line 6. The variables" in each.stderr
    assert "Nothing to undo" not in again.stderr


def test_a_crontab_in_which_nothing_was_added_has_nothing_to_undo(
    crontab: Callable[..., Result], tmp_path: Path
) -> None:
    path = tmp_path / "crontab"
    path.write_text("1 3 * * * py-healthchecks.io run -- x\n")

    assert crontab(path, "--undo").stderr == "Nothing to undo.\n"


def test_quiet_success_is_added_to_each_job_once(write: Callable[..., bytes], undo: Callable[..., bytes]) -> None:
    before = b"0 3 * * * backup\n@reboot tunnel\n0 4 * * * report --quiet-success\n"
    once = write(before, "--quiet-success")

    assert re.findall(rb"run --slug=\S+ --quiet-success -- \"\$SHELL\" -c '(.*)'", once) == [
        b"backup",
        b"report --quiet-success",
    ]
    assert write(once, "--quiet-success") == write(once) == once
    assert undo(once) == before


def test_quiet_success_is_added_to_jobs_that_are_under_run_already(
    crontab: Callable[..., Result], write: Callable[..., bytes], tmp_path: Path
) -> None:
    before = "0 3 * * * backup\n"
    path = tmp_path / "crontab"
    path.write_bytes(
        write(before).replace(b"--slug=", b"--max-time 2h --slug=")
        + b"0 4 * * * report\n0 5 * * * py-healthchecks.io run --slug=x -- y\n"
    )
    result = crontab(path, "--write", "--quiet-success")
    lines = path.read_text().splitlines()[-3:]

    assert "Put 1 job under monitoring. Added --quiet-success to 1 job." in result.stderr
    assert [" --quiet-success -- " in line for line in lines] == [True, True, False]
    assert " run --max-time 2h --slug=" in lines[0]
    again = crontab(path, "--write", "--quiet-success")
    assert path.read_text().splitlines()[-3:] == lines
    assert "There are no further jobs to monitor" in again.stderr


def test_quiet_success_is_not_added_where_the_line_would_be_too_long(write: Callable[..., bytes]) -> None:
    written = write("0 3 * * * backup\n")
    long = written.replace(b"backup'", b"backup " + b"x" * (995 - len(written.splitlines()[-1])) + b"'")

    assert write(long, "--quiet-success") == long


def test_undo_needs_no_keys_and_no_server(write: Callable[..., bytes], undo: Callable[..., bytes], hc: Sandbox) -> None:
    before = b"0 3 * * * backup\n"
    written = write(before)
    hc.stop()

    assert undo(written) == before
    hc.start()


@pytest.mark.parametrize(
    ("name", "argument"), [("it's #1", "'it'\"'\"'s #1'"), ("--undo", "./--undo"), ("a\nb", "FILE")]
)
def test_the_command_in_the_block_takes_a_file_back(
    crontab: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, argument: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_text("0 3 * * * backup\n")
    file = f"./{name}" if name.startswith("-") else name
    crontab(file, "--write")

    assert path.read_text().splitlines()[0].endswith(f"To take it back: py-healthchecks.io crontab {argument} --undo")
    crontab(file, "--undo")
    assert path.read_text() == "0 3 * * * backup\n"


def test_jobs_added_later_are_written_without_a_second_block(write: Callable[..., bytes]) -> None:
    once = write("0 3 * * * backup\n")
    twice = write(once + b"0 4 * * * report\n")

    assert twice.startswith(once)
    assert twice.count(END) == 1
    assert REWRITTEN.search(twice.removeprefix(once))


def test_writing_with_another_key_file_changes_the_block(
    write: Callable[..., bytes], key_file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other-key"
    other.write_bytes(key_file.read_bytes())
    once = write("0 3 * * * backup\n")
    twice = write(once, "--key-file", str(other))

    assert twice == once.replace(str(key_file).encode(), str(other).encode())


def test_a_crontab_without_jobs_stays_as_it_is(write: Callable[..., bytes]) -> None:
    for content in (
        b"",
        b"# nothing\n",
        b"@reboot tunnel\n",
        b"0 3 * * * curl https://hc-ping.com/" + b"a" * 36 + b"\n",
    ):
        assert write(content) == content


def test_lines_that_cron_refuses_stay(crontab: Callable[..., Result], home: Home, tmp_path: Path) -> None:
    path = tmp_path / "crontab"
    path.write_bytes(home.crontab("broken"))
    before = path.read_bytes().splitlines()
    crontab(path, "--write")
    after = path.read_bytes().splitlines()
    refused = read(home.crontab("broken")).refused

    assert len(refused) == 15
    for number in refused:
        assert before[number - 1] == after[number - 1 + len(after) - len(before)]


# The end of a line and the end of a string cannot be in a command.
_TEXT = st.binary(max_size=20).map(lambda text: text.replace(b"\n", b"").replace(b"\0", b""))
_PIECES = st.sampled_from(
    [b"see", b" ", b"'", b'"', b"\\", b"%", b"\\%", b"'\\''", b"$HOME", b"`", b"|", b"\t", b"\xff", b"#", b"="]
)
_COMMANDS = st.lists(_PIECES, min_size=1, max_size=8).map(b"".join) | _TEXT
_SCHEDULES = st.sampled_from(
    [b"* * * * *", b"0 3 * * *", b"@daily", b"@reboot", b"*/5\t*  * jan sun", b"0 0 1-7/2 * 1,7", b"61 * * * *"]
)
_BLANKS = st.sampled_from([b" ", b"\t", b"  \t"])
_LINES = st.one_of(
    st.tuples(st.sampled_from([b"", b" ", b"\t"]), _SCHEDULES, _BLANKS, _COMMANDS).map(b"".join),
    st.tuples(
        st.sampled_from([b"SHELL", b"PATH", b"A", b'"B"', b"MAILTO"]), st.sampled_from([b"=", b" = "]), _TEXT
    ).map(b"".join),
    st.sampled_from(
        [b"SHELL=/bin/bash", b"SHELL=/usr/bin/fish", b"CRON_TZ=Asia/Tokyo", b"", b"  ", b"# comment", b"\r"]
    ),
    _TEXT,
)
CRONTABS = st.tuples(st.lists(_LINES, max_size=8).map(b"\n".join), st.sampled_from([b"\n", b""])).map(b"".join)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(before=CRONTABS)
def test_any_crontab_can_be_written_and_undone(
    crontab: Callable[..., Result], undo: Callable[..., bytes], tmp_path: Path, before: bytes
) -> None:
    path = tmp_path / "crontab"
    path.write_bytes(before)
    result = crontab(path, "--write")
    after = path.read_bytes()
    if result.status:
        assert read(before).refused, result.stderr
        assert after == before
        return
    assert undo(after) == before
    path.write_bytes(after)
    assert crontab(path, "--write").status == 0
    assert path.read_bytes() == after
    for job, new_job in pairs(before, after):
        assert new_job.times == job.times
        assert new_job.stdin == job.stdin
        match = REWRITTEN.fullmatch(new_job.command)
        command = match["command"].replace(rb"'\''", b"'") if match else new_job.command
        assert command == job.command
