"""Tests of saving a sandbox to a file and loading it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from healthchecks_io import CheckCreate
from healthchecks_io.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path


def test_another_sandbox_loads_the_saved_contents(tmp_path: Path) -> None:
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


def test_save_overwrites_earlier_contents(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    with Sandbox() as hc:
        hc.client().create_check(CheckCreate(name="One"))
        hc.save(file)
        hc.reset()
        hc.save(file)
        hc.load(file)
        assert hc.checks == []


def test_loading_a_missing_file_changes_nothing(tmp_path: Path) -> None:
    hc = Sandbox()
    key = hc.api_key
    hc.load(tmp_path / "missing")
    assert hc.api_key == key


def test_loading_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    file.touch()
    hc = Sandbox()
    key = hc.api_key
    hc.load(file)
    assert hc.api_key == key


def test_load_rejects_a_file_that_is_not_a_database(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    file.write_bytes(b"not a database")

    with pytest.raises(ValueError, match="as a sandbox file"):
        Sandbox().load(file)


@pytest.mark.parametrize("row", [(1, "{}"), (2, "{}")])
def test_load_rejects_contents_of_another_version(tmp_path: Path, row: tuple[int, str]) -> None:
    file = tmp_path / "state.sqlite"
    with sqlite3.connect(file) as database:
        database.execute("CREATE TABLE sandbox (format INTEGER PRIMARY KEY, contents TEXT NOT NULL)")
        database.execute("INSERT INTO sandbox VALUES (?, ?)", row)
    database.close()

    with pytest.raises(ValueError, match="was not saved by this version"):
        Sandbox().load(file)


def test_save_raises_if_the_file_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="as a sandbox file"):
        Sandbox().save(tmp_path / "missing folder" / "state.sqlite")
