"""Tests of saving a sandbox to a file and loading it."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import stat
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import CheckCreate
from healthchecks_io.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
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


@pytest.fixture
def wide_umask() -> Iterator[None]:
    umask = os.umask(0)
    yield
    os.umask(umask)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_only_the_user_can_read_a_saved_file(tmp_path: Path, wide_umask: None) -> None:
    file = tmp_path / "state.sqlite"
    Sandbox().save(file)
    assert stat.filemode(file.stat().st_mode) == "-rw-------"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no file modes")
def test_save_restricts_the_mode_of_an_existing_file(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    Sandbox().save(file)
    file.chmod(0o644)
    Sandbox().save(file)
    assert stat.filemode(file.stat().st_mode) == "-rw-------"


def test_save_does_not_touch_a_file_that_is_not_a_database(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("Buy milk.\n" * 100, encoding="utf-8")
    before = file.stat()

    with pytest.raises(ValueError, match="as a sandbox file"):
        Sandbox().save(file)

    assert (file.stat().st_mode, file.stat().st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert file.read_text(encoding="utf-8") == "Buy milk.\n" * 100


def test_failed_save_leaves_the_earlier_contents(tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    first, second = Sandbox(), Sandbox()
    first.save(file)
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TRIGGER t AFTER INSERT ON sandbox BEGIN SELECT RAISE(ABORT, 'disk full'); END")

    with pytest.raises(ValueError, match="disk full"):
        second.save(file)

    second.load(file)
    assert second.api_key == first.api_key


def replace_contents(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the JSON document in a file that a sandbox saved."""
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        contents = json.loads(database.execute("SELECT contents FROM sandbox").fetchone()[0])
        change(contents)
        database.execute("UPDATE sandbox SET contents = ?", [json.dumps(contents)])


def first_check(contents: dict[str, Any]) -> dict[str, Any]:
    check: dict[str, Any] = next(iter(contents["account"]["projects"][0]["checks"].values()))
    return check


@pytest.mark.parametrize(
    "change",
    [
        lambda contents: contents.update(ahead="P999999999D"),
        lambda contents: contents.update(ahead="P2800000D"),
        lambda contents: contents.update(ahead="-P1D"),
        lambda contents: contents["account"]["projects"].pop(),
        lambda contents: first_check(contents).update(last_ping="2020-01-01T00:00:00"),
        lambda contents: first_check(contents)["pings"][0].update(date="2020-01-01T00:00:00"),
        lambda contents: first_check(contents)["flips"][0].update(date="2020-01-01T00:00:00"),
        lambda contents: first_check(contents).update(due="9999-12-31T23:59:59Z", grace="P1D"),
        lambda contents: first_check(contents).update(timeout="P999999999D"),
        lambda contents: first_check(contents).update(schedule="garbage"),
        lambda contents: first_check(contents).update(schedule="* * * * *", tz="Mars/Olympus"),
    ],
    ids=[
        "clock beyond the calendar",
        "clock near the end of the calendar",
        "clock behind",
        "one project",
        "check without time zone",
        "ping without time zone",
        "flip without time zone",
        "grace time beyond the calendar",
        "long timeout",
        "invalid schedule",
        "unknown time zone",
    ],
)
def test_load_rejects_contents_that_requests_would_fail_on(
    hc: Sandbox, tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    file = tmp_path / "state.sqlite"
    client = hc.client()
    client.success_ping(slug="backup", create=True)
    hc.save(file)
    replace_contents(file, change)
    key = hc.api_key

    with pytest.raises(ValueError, match="was not saved by this version"):
        hc.load(file)

    assert hc.api_key == key
    assert [check.slug for check in client.get_checks()] == ["backup"]


def test_clock_at_its_maximum_is_saved_and_loaded(hc: Sandbox, tmp_path: Path) -> None:
    file = tmp_path / "state.sqlite"
    client = hc.client()
    client.success_ping(slug="backup", create=True)
    hc.advance(seconds=(datetime(9000, 12, 31, tzinfo=timezone.utc) - hc.now).total_seconds())
    hc.save(file)
    hc.load(file)

    client.success_ping(slug="backup")
    assert client.get_checks()[0].status == "up"


def test_save_raises_if_the_file_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="as a sandbox file"):
        Sandbox().save(tmp_path / "missing folder" / "state.sqlite")
