"""Save the contents of a sandbox to a SQLite file, and load them again."""

from __future__ import annotations

import contextlib
import sqlite3
import stat
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, TypeAdapter

from healthchecks_io.sandbox.schedules import is_schedule, stored_name
from healthchecks_io.sandbox.state import Account  # noqa: TC001 - pydantic needs it at runtime
from healthchecks_io.schemas.limits import MAX_SECONDS

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_FORMAT_VERSION = 1
_PRIVATE = stat.S_IRUSR | stat.S_IWUSR
# From this century to the end of the year 9000, where `Sandbox.advance` stops, and not to the end of Python's calendar.
_MAX_DAYS_AHEAD = 2_600_000


@dataclass
class Contents:
    """The saved contents of a sandbox. The attribute names are part of the file format.

    Attributes:
        account: The account with its projects, checks, pings and flips.
        ahead: How far the sandbox's clock is ahead of the real time.
    """

    account: Account
    ahead: Annotated[timedelta, Field(ge=timedelta(), le=timedelta(days=_MAX_DAYS_AHEAD))]


_adapter = TypeAdapter(Contents)


def serialize(contents: Contents) -> str:
    """Return the contents as JSON."""
    return _adapter.dump_json(contents).decode()


def save(path: Path, contents: str) -> None:
    """Write serialized contents to a file, in a single transaction. Only the user can read the file: it contains keys.

    Raises:
        ValueError: The file cannot be written, or is not a SQLite database.
    """
    with _database(path) as database:
        # Fails if the file is not a database: its mode must not change.
        database.execute("BEGIN IMMEDIATE")
        if stat.S_IMODE(path.stat().st_mode) & ~_PRIVATE:
            path.chmod(_PRIVATE)
        database.execute("CREATE TABLE IF NOT EXISTS sandbox (format INTEGER PRIMARY KEY, contents TEXT NOT NULL)")
        database.execute("INSERT OR REPLACE INTO sandbox VALUES (?, ?)", (_FORMAT_VERSION, contents))


def load(path: Path) -> Contents | None:
    """Read the contents from a file.

    Returns:
        The contents, or None if the file is missing or empty.

    Raises:
        ValueError: The file cannot be read, or was not written by this version of the sandbox.
    """
    if not path.exists() or path.stat().st_size == 0:
        return None
    with _database(path) as database:
        row = database.execute("SELECT contents FROM sandbox WHERE format = ?", (_FORMAT_VERSION,)).fetchone()
    try:
        contents = _adapter.validate_json(row[0])
        _validate(contents)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{path} was not saved by this version of the sandbox") from None
    return contents


def _validate(contents: Contents) -> None:
    """Raise an error for values of the right type that requests would fail on."""
    now = datetime.now(timezone.utc) + contents.ahead
    _main, _other = contents.account.projects
    for project in contents.account.projects:
        for check in project.current_checks(now):
            if max(check.timeout, check.grace) > timedelta(seconds=MAX_SECONDS):
                raise ValueError("too long a timeout or grace time")
            if check.schedule and not (is_schedule(check.schedule) and stored_name(check.tz, has_current_names=True)):
                raise ValueError("invalid schedule or time zone")


@contextlib.contextmanager
def _database(path: Path) -> Generator[sqlite3.Connection]:
    try:
        if not path.exists():
            # SQLite would create a file that others can read.
            path.touch(_PRIVATE)
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            yield connection
    except (OSError, sqlite3.Error) as error:
        raise ValueError(f"cannot use {path} as a sandbox file: {error}") from None
