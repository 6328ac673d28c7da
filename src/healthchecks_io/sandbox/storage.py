"""Save the contents of a sandbox to a SQLite file, and load them again."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from datetime import timedelta  # noqa: TC003 - pydantic needs it at runtime
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from healthchecks_io.sandbox.state import Account  # noqa: TC001 - pydantic needs it at runtime

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_FORMAT_VERSION = 1


@dataclass
class Contents:
    """The saved contents of a sandbox. The attribute names are part of the file format.

    Attributes:
        account: The account with its projects, checks, pings and flips.
        ahead: How far the sandbox's clock is ahead of the real time.
    """

    account: Account
    ahead: timedelta


_adapter = TypeAdapter(Contents)


def serialize(contents: Contents) -> str:
    """Return the contents as JSON."""
    return _adapter.dump_json(contents).decode()


def save(path: Path, contents: str) -> None:
    """Write serialized contents to a file, in a single transaction.

    Raises:
        ValueError: The file cannot be written, or is not a SQLite database.
    """
    with _database(path) as database:
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
        return _adapter.validate_json(row[0])
    except (TypeError, ValidationError):
        raise ValueError(f"{path} was not saved by this version of the sandbox") from None


@contextlib.contextmanager
def _database(path: Path) -> Generator[sqlite3.Connection]:
    try:
        with contextlib.closing(sqlite3.connect(path)) as connection, connection:
            yield connection
    except sqlite3.Error as error:
        raise ValueError(f"cannot use {path} as a sandbox file: {error}") from None
