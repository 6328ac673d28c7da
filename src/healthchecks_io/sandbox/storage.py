"""The contents of a sandbox in a file, so that they outlast it."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from datetime import timedelta  # noqa: TC003 - pydantic reads it
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from healthchecks_io.sandbox.state import Account  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_FORMAT = 1


@dataclass
class Contents:
    """What is kept: the account with all that is in it, and by how much the clock was moved."""

    account: Account
    ahead: timedelta


_contents = TypeAdapter(Contents)


def dumped(contents: Contents) -> str:
    """Give the contents as they are kept."""
    return _contents.dump_json(contents).decode()


def save(path: Path, contents: str) -> None:
    """Write the contents to a file, all or nothing.

    Raises:
        ValueError: The file cannot be written, or is something else.
    """
    with _database(path) as database:
        database.execute("CREATE TABLE IF NOT EXISTS sandbox (format INTEGER PRIMARY KEY, contents TEXT NOT NULL)")
        database.execute("INSERT OR REPLACE INTO sandbox VALUES (?, ?)", (_FORMAT, contents))


def load(path: Path) -> Contents | None:
    """Read the contents from a file, or None where there is none yet, or an empty one.

    Raises:
        ValueError: The file cannot be read, or is something else.
    """
    if not path.exists() or path.stat().st_size == 0:
        return None
    with _database(path) as database:
        row = database.execute("SELECT contents FROM sandbox WHERE format = ?", (_FORMAT,)).fetchone()
    try:
        return _contents.validate_json(row[0])
    except (TypeError, ValidationError):
        raise ValueError(f"{path} does not hold what this version of the sandbox has saved") from None


@contextlib.contextmanager
def _database(path: Path) -> Generator[sqlite3.Connection]:
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            yield connection
    except sqlite3.Error as error:
        raise ValueError(f"{path} cannot be used for the contents of a sandbox: {error}") from None
