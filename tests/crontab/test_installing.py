"""How crontabs are read and written: files, the user's own, permissions, keys and failures."""

from __future__ import annotations

import json
import os
import resource
import socket
import stat
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from crontab.conftest import PROGRAMS

from healthchecks_io import CheckUpdate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from crontab.conftest import Result

    from healthchecks_io import Client
    from healthchecks_io.sandbox import Sandbox

CONTENT = b"# jobs\n0 3 * * * backup --token=s3cret\n0 4 * * * report\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "jobs" / "crontab"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    return path


class Spool:
    """Where the stand-in for crontab(1) keeps the crontab of the user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "operator"
        (folder / "before-reading").unlink(missing_ok=True)

    def change_before_writing(self, content: bytes) -> None:
        (self.folder / "before-reading").write_bytes(content)


@pytest.fixture
def spool(tmp_path: Path, environment: dict[str, str]) -> Spool:
    """The crontab of a user, which the program crontab installs."""
    for name in ("spool", "programs"):
        (tmp_path / name).mkdir()
    program = tmp_path / "programs" / "crontab"
    source = (PROGRAMS / "crontab.py").read_text(encoding="utf-8").replace("TESTS", str(PROGRAMS.parent.parent))
    program.write_text(f"#!{sys.executable} -I\n{source}", encoding="utf-8")
    program.chmod(0o755)
    environment["PATH"] = f"{program.parent}:{environment['PATH']}"
    spool = Spool(tmp_path / "spool")
    spool.file.write_bytes(CONTENT)
    return spool


@pytest.fixture
def changing_api(hc: Sandbox, serve: Callable[..., str], path: Path) -> str:
    """The URL of the sandbox, through a server that changes the crontab with the first request."""
    port = urlsplit(hc.api_url).port

    def forward(source: socket.socket, target: socket.socket) -> None:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)

    def handle(connection: socket.socket) -> None:
        path.write_bytes(CONTENT + b"# changed\n")
        with socket.create_connection(("127.0.0.1", port)) as server:
            thread = threading.Thread(target=forward, args=(server, connection), daemon=True)
            thread.start()
            forward(connection, server)
            thread.join()

    return f"{serve(handle)}/api/"


def copies(data_home: Path) -> list[Path]:
    return sorted((data_home / "healthchecks-io").glob("crontab-*"))


def test_the_users_crontab_is_listed_written_and_undone(
    crontab: Callable[..., Result], spool: Spool, client: Client
) -> None:
    listed = json.loads(crontab("--json").stdout)
    written = crontab("--write")

    assert [job["line"] for job in listed] == [2, 3]
    assert written.status == 0
    assert spool.file.read_bytes().count(b' -- "$SHELL" -c ') == 2
    assert b"To take it back: py-healthchecks.io crontab --undo\n" in spool.file.read_bytes()
    assert len(client.get_checks()) == 2
    assert crontab("--undo").status == 0
    assert spool.file.read_bytes() == CONTENT


def test_a_user_without_a_crontab_has_no_jobs(crontab: Callable[..., Result], spool: Spool) -> None:
    spool.file.unlink()

    assert json.loads(crontab("--json").stdout) == []
    assert crontab("--write").status == 0
    assert not spool.file.exists()


def test_what_crontab_refuses_is_not_installed(crontab: Callable[..., Result], spool: Spool) -> None:
    before = CONTENT + b"61 * * * * x\n"
    spool.file.write_bytes(before)
    result = crontab("--write")

    assert result.status == 1
    assert "4" in result.stderr
    assert spool.file.read_bytes() == before


def test_without_the_program_crontab_there_is_an_error(
    crontab: Callable[..., Result], environment: dict[str, str], tmp_path: Path
) -> None:
    environment["PATH"] = str(tmp_path)
    result = crontab()

    assert result.status == 1
    assert "crontab" in result.stderr


def test_a_users_crontab_that_has_changed_is_not_written(crontab: Callable[..., Result], spool: Spool) -> None:
    changed = CONTENT + b"# changed\n"
    spool.change_before_writing(changed)
    result = crontab("--write")

    assert result.status == 1
    assert "changed" in result.stderr
    assert spool.file.read_bytes() == changed


def test_a_file_that_has_changed_is_not_written(crontab: Callable[..., Result], changing_api: str, path: Path) -> None:
    result = crontab(path, "--write", variables={"HEALTHCHECKS_API_URL": changing_api})

    assert result.status == 1
    assert "changed" in result.stderr
    assert path.read_bytes() == CONTENT + b"# changed\n"


def test_cron_tz_counts_where_cron_is_cronie(crontab: Callable[..., Result], spool: Spool, client: Client) -> None:
    spool.file.write_bytes(b"0 3 * * * a\nCRON_TZ=Asia/Tokyo\n0 3 * * * b\nCRON_TZ='Europe/Riga'\n@daily c\n")
    others = [job["tz"] for job in json.loads(crontab("--json").stdout)]
    (spool.folder / "is-cronie").touch()
    zones = [job["tz"] for job in json.loads(crontab("--json").stdout)]
    crontab("--write")

    assert others == [others[0]] * 3
    assert zones == [others[0], "Asia/Tokyo", "Europe/Riga"]
    assert {check.tz for check in client.get_checks()} == {*zones}
    assert {job["tz"] for job in json.loads(crontab("--json", "--tz", "UTC").stdout)} == {"UTC"}


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o660])
@pytest.mark.parametrize("is_own", [True, False], ids=["own", "other"])
def test_the_mode_and_owner_of_a_file_stay(crontab: Callable[..., Result], path: Path, mode: int, is_own: bool) -> None:
    path.chmod(mode)
    if not is_own:
        if os.geteuid() != 0:
            pytest.skip("only root can change the owner of a file")
        os.chown(path, 1234, 2345)
    before = path.stat()
    assert crontab(path, "--write").status == 0
    after = path.stat()

    assert after.st_ino != before.st_ino
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)


def test_a_link_stays_a_link(crontab: Callable[..., Result], path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path)
    assert crontab(link, "--write").status == 0

    assert link.is_symlink()
    assert path.read_bytes() != CONTENT


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_the_old_crontab_is_kept_for_the_user_only(
    crontab: Callable[..., Result], path: Path, data_home: Path, umask: int
) -> None:
    old_umask = os.umask(umask)
    try:
        result = crontab(path, "--write")
    finally:
        os.umask(old_umask)
    (copy,) = copies(data_home)

    assert str(copy) in result.stdout + result.stderr
    assert copy.read_bytes() == CONTENT
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_each_old_crontab_is_kept(crontab: Callable[..., Result], path: Path, data_home: Path) -> None:
    crontab(path, "--write")
    written = path.read_bytes()
    crontab(path, "--undo")

    assert {copy.read_bytes() for copy in copies(data_home)} == {CONTENT, written}


def test_the_default_folder_is_in_the_home_directory(
    crontab: Callable[..., Result], path: Path, tmp_path: Path
) -> None:
    crontab(path, "--write", variables={"XDG_DATA_HOME": None, "HOME": str(tmp_path / "me")})

    assert len(copies(tmp_path / "me" / ".local" / "share")) == 1


def test_nothing_is_kept_where_nothing_changes(crontab: Callable[..., Result], path: Path, data_home: Path) -> None:
    path.write_bytes(b"# no jobs\n")
    crontab(path, "--write")
    crontab(path, "--undo")

    assert copies(data_home) == []


@pytest.mark.parametrize("failing", ["first", "second"])
def test_a_server_error_leaves_the_old_crontab(
    crontab: Callable[..., Result], hc: Sandbox, path: Path, data_home: Path, failing: str
) -> None:
    if failing == "second":
        # Listing the checks works, creating them does not.
        variables = {"HEALTHCHECKS_API_KEY": hc.read_only_key}
    else:
        variables = {}
        hc.fail_next(status=500, times=20)
    result = crontab(path, "--write", variables=variables | {"HEALTHCHECKS_RETRIES": "0"})

    assert result.status == 1
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["crontab"]


def test_a_full_disk_leaves_the_old_crontab(environment: dict[str, str], path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - trusted input
        [sys.executable, "-m", "healthchecks_io", "crontab", str(path), "--write"],
        env=environment,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200)),
        check=False,
    )

    assert done.returncode == 1
    assert "could not be written" in done.stderr
    assert path.read_bytes() == CONTENT
    assert [file.name for file in path.parent.iterdir()] == ["crontab"]


def test_the_same_jobs_are_written_after_a_failure(
    crontab: Callable[..., Result], hc: Sandbox, path: Path, client: Client
) -> None:
    hc.fail_next(status=500, times=20)
    crontab(path, "--write", variables={"HEALTHCHECKS_RETRIES": "0"})
    hc.reset()
    assert crontab(path, "--write").status == 0

    assert len(client.get_checks()) == 2


def test_no_key_is_written_or_shown(
    crontab: Callable[..., Result], hc: Sandbox, path: Path, data_home: Path, spool: Spool
) -> None:
    outputs: list[Any] = [
        crontab(*file, *option)
        for file in ((path,), ())
        for option in ((), ("--json",), ("--write",), ("--write",), (), ("--json",), ("--undo",))
    ]
    outputs += [crontab(path, "--write", variables={"HEALTHCHECKS_PING_KEY": hc.ping_key})]
    texts = [output.stdout + output.stderr for output in outputs]
    texts += [file.read_text() for file in [path, spool.file, *copies(data_home)]]

    assert len(texts) >= 19
    for text in texts:
        assert hc.ping_key not in text
        assert hc.api_key not in text


def test_the_key_file_can_be_named(crontab: Callable[..., Result], hc: Sandbox, path: Path, key_file: Path) -> None:
    variables = {"HEALTHCHECKS_PING_KEY": hc.ping_key}
    assert crontab(path, "--write", "--key-file", os.path.relpath(key_file), variables=variables).status == 0

    assert f"HEALTHCHECKS_PING_KEY=file:{key_file}\n" in path.read_text()


@pytest.mark.parametrize("has_option", [True, False])
def test_the_api_key_is_not_taken_for_the_ping_key(
    crontab: Callable[..., Result], hc: Sandbox, path: Path, key_file: Path, client: Client, has_option: bool
) -> None:
    key_file.write_text(f"{hc.api_key}\n")
    result = crontab(path, "--write", *(["--key-file", key_file] if has_option else []))

    assert result.status == 1
    assert result.stderr == f"Error: the file {str(key_file)!r} contains the API key instead of the ping key\n"
    assert path.read_bytes() == CONTENT
    assert client.get_checks() == []


def test_another_key_file_than_that_of_the_crontab_is_reported(
    crontab: Callable[..., Result], path: Path, key_file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other-key"
    other.write_bytes(key_file.read_bytes())
    variables = {"HEALTHCHECKS_PING_KEY": f"file:{other}"}
    note = f"The jobs use the key file {key_file}. To change it to {other}, pass --write and --key-file.\n"

    assert note not in crontab(path, variables=variables).stderr
    crontab(path, "--write")
    written = path.read_bytes()
    assert crontab(path, variables=variables).stderr == note
    assert note in crontab(path, "--write", variables=variables).stderr
    assert crontab(path, variables={"HEALTHCHECKS_PING_KEY": None}).stderr == ""
    assert path.read_bytes() == written


def test_the_message_names_what_was_changed_in_the_variables(
    crontab: Callable[..., Result], hc: Sandbox, path: Path, key_file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other-key"
    other.write_bytes(key_file.read_bytes())
    variables = {"HEALTHCHECKS_PING_URL": hc.ping_url.replace("127.0.0.1", "localhost")}
    messages = [
        crontab(path, "--write", *options, **keywords).stderr.partition(" The old crontab is in ")[0]
        for options, keywords in [
            ((), {}),
            (("--key-file", other), {}),
            (("--key-file", other), {"variables": variables}),
            (("--key-file", other), {"variables": variables}),
        ]
    ]

    assert messages == [
        "Put 2 jobs under monitoring.",
        f"Changed the key file to {other}.",
        "Changed the URLs.",
        "There are no further jobs to monitor.\n",
    ]
    with path.open("a") as file:
        file.write("0 5 * * * last\n")
    message = crontab(path, "--write").stderr
    assert f"Put 1 job under monitoring. Changed the key file to {key_file}. Changed the URLs." in message


@pytest.mark.parametrize("value", [None, "a-ping-key-1234567890abcdef", "file:/nowhere/key"])
def test_without_a_key_file_nothing_is_written(
    crontab: Callable[..., Result], path: Path, client: Client, value: str | None
) -> None:
    result = crontab(path, "--write", variables={"HEALTHCHECKS_PING_KEY": value})

    assert result.status == 1
    assert path.read_bytes() == CONTENT
    assert client.get_checks() == []


def test_without_an_api_key_nothing_is_written(crontab: Callable[..., Result], path: Path) -> None:
    result = crontab(path, "--write", variables={"HEALTHCHECKS_API_KEY": None})

    assert result.status == 1
    assert "HEALTHCHECKS_API_KEY" in result.stderr
    assert path.read_bytes() == CONTENT


def test_the_addresses_that_options_name_are_written(crontab: Callable[..., Result], hc: Sandbox, path: Path) -> None:
    arguments = ("--write", "--api-url", hc.api_url)
    assert crontab(path, *arguments, variables={"HEALTHCHECKS_API_URL": None}).status == 0

    lines = path.read_text().splitlines()
    assert f"HEALTHCHECKS_PING_URL={hc.ping_url}" in lines
    assert f"HEALTHCHECKS_API_URL={hc.api_url}" in lines


def test_checks_on_a_server_that_the_jobs_would_not_ping_are_an_error(
    crontab: Callable[..., Result], client: Client, path: Path
) -> None:
    result = crontab(path, "--write", variables={"HEALTHCHECKS_PING_URL": None})

    assert result.status == 1
    assert "set HEALTHCHECKS_PING_URL to the ping URL of that server" in result.stderr
    assert path.read_bytes() == CONTENT
    assert client.get_checks() == []


def test_the_crontab_may_set_the_ping_url(crontab: Callable[..., Result], hc: Sandbox, path: Path) -> None:
    path.write_bytes(f"HEALTHCHECKS_PING_URL={hc.ping_url}\n".encode() + CONTENT)

    assert crontab(path, "--write", variables={"HEALTHCHECKS_PING_URL": None}).status == 0


@pytest.mark.parametrize("option", ["--write", "--undo", "--json"])
def test_a_missing_file_is_an_error(crontab: Callable[..., Result], tmp_path: Path, option: str) -> None:
    result = crontab(tmp_path / "missing", option)

    assert result.status == 1
    assert "missing" in result.stderr
    assert not (tmp_path / "missing").exists()


def test_a_file_without_a_final_line_break_is_not_written(crontab: Callable[..., Result], path: Path) -> None:
    path.write_bytes(CONTENT + b"0 5 * * * last")
    result = crontab(path, "--write")

    assert result.status == 1
    assert path.read_bytes() == CONTENT + b"0 5 * * * last"


def test_new_checks_have_all_integrations_and_existing_ones_keep_theirs(
    crontab: Callable[..., Result], path: Path, client: Client
) -> None:
    assert crontab(path, "--write").status == 0
    first, second = client.get_checks()
    assert first.channels == second.channels
    assert len((first.channels or "").split(",")) == 2

    client.update_check(first.uuid, CheckUpdate(channels=""))
    path.write_bytes(path.read_bytes().replace(b"0 3", b"0 5").replace(b"0 4", b"0 6"))
    assert crontab(path, "--write").status == 0
    changed = client.get_check(first.uuid)
    assert (changed.channels, changed.schedule) in (("", "0 5 * * *"), ("", "0 6 * * *"))


def test_what_users_add_between_the_comments_of_the_variables_is_kept(
    crontab: Callable[..., Result], path: Path
) -> None:
    crontab(path, "--write")
    content = path.read_bytes()
    end = b"# End of py-healthchecks.io\n"
    path.write_bytes(content.replace(end, b"MAILTO=ops@example.org\n# Mine.\n" + end))

    crontab(path, "--write", "--key-file", path.parent / "other-key")
    assert b"MAILTO=ops@example.org\n# Mine.\n" in path.read_bytes()
    crontab(path, "--undo")
    assert path.read_bytes() == b"MAILTO=ops@example.org\n# Mine.\n" + CONTENT


def test_a_key_that_is_set_below_the_first_job_is_set_above_it_too(
    crontab: Callable[..., Result], path: Path, key_file: Path
) -> None:
    path.write_bytes(CONTENT + b"HEALTHCHECKS_PING_KEY=file:/etc/key\n0 9 * * * late\n")
    crontab(path, "--write")

    assert f"HEALTHCHECKS_PING_KEY=file:{key_file}" in path.read_text().splitlines()[:5]


def test_a_file_with_several_hard_links_is_refused(crontab: Callable[..., Result], path: Path) -> None:
    (path.parent / "other").hardlink_to(path)
    result = crontab(path, "--write")

    assert result.status == 1
    assert "has several hard links" in result.stderr
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["q'v", "100%"])
def test_a_program_whose_path_no_cron_line_can_contain_is_refused(
    crontab: Callable[..., Result], path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    program = tmp_path / name / "py-healthchecks.io"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setattr(sys, "argv", [str(program)])
    result = crontab(path)

    assert result.status == 1
    assert "install it elsewhere" in result.stderr
