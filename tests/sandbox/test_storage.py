"""What a sandbox holds, kept in a file."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from healthchecks_io import CheckCreate
from healthchecks_io.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_saved_is_there_again_in_another_sandbox(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    with Sandbox() as hc:
        client = hc.client()
        check = client.create_check(CheckCreate(name="Backup", tags="prod", schedule="0 3 * * *", channels="*"))
        client.start_ping(check.uuid or "", rid="00000000-0000-4000-8000-000000000001")
        client.success_ping(check.uuid or "", data=b"\xff\x00 binary", rid="00000000-0000-4000-8000-000000000001")
        hc.advance(days=3)
        before = (hc.api_key, hc.ping_key, hc.read_only_key, hc.other_api_key, hc.pings(check))
        flips, status = client.get_check_flips(check.uuid or ""), client.get_check(check.uuid or "").status
        hc.save(file)

    with Sandbox() as hc:
        hc.load(file)
        client = hc.client()
        assert (hc.api_key, hc.ping_key, hc.read_only_key, hc.other_api_key, hc.pings(check)) == before
        assert client.get_check_flips(check.uuid or "") == flips
        assert client.get_check(check.uuid or "").status == status == "down"
        assert client.get_check(check.uuid or "").channels == check.channels


def test_what_is_saved_again_takes_the_place_of_the_old(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    with Sandbox() as hc:
        hc.client().create_check(CheckCreate(name="One"))
        hc.save(file)
        hc.reset()
        hc.save(file)
        hc.load(file)
        assert hc.checks == []


def test_loading_from_a_file_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    hc = Sandbox()
    key = hc.api_key
    hc.load(tmp_path / "nothing")
    assert hc.api_key == key


def test_an_empty_file_is_as_good_as_none(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    file.touch()
    hc = Sandbox()
    key = hc.api_key
    hc.load(file)
    assert hc.api_key == key


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    file.write_bytes(b"no database")

    with pytest.raises(ValueError, match="cannot be used for the contents of a sandbox"):
        Sandbox().load(file)


@pytest.mark.parametrize("row", [(1, "{}"), (2, "{}")])
def test_contents_of_another_version_are_refused(tmp_path: Path, row: tuple[int, str]) -> None:
    file = tmp_path / "state.sqlite"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE sandbox (format INTEGER PRIMARY KEY, contents TEXT NOT NULL)")
        database.execute("INSERT INTO sandbox VALUES (?, ?)", row)
    database.close()

    with pytest.raises(ValueError, match="does not hold what this version"):
        Sandbox().load(file)


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be used for the contents of a sandbox"):
        Sandbox().save(tmp_path / "no such folder" / "state.sqlite")
