"""Finds a check by its UUID, unique key, slug or name."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import click

from healthchecks_io.cli.output import printable, progress
from healthchecks_io.client.exceptions import CheckNotFoundError

if TYPE_CHECKING:
    from healthchecks_io.client import Client
    from healthchecks_io.schemas.checks import Check

_UUID = "(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_UNIQUE_KEY = "[0-9a-f]{40}"

check_argument = click.argument("check_name", metavar="ID")
"""A check's UUID, unique key, slug or exact name."""


def find_id(client: Client, name: str) -> str:
    """Return the UUID of a check, or its unique key if the API key is read-only.

    Args:
        client: The client to look up the check with.
        name: The UUID, unique key, slug or exact name of the check.

    Raises:
        click.ClickException: No check matches, or more than one does.
    """
    return name if re.fullmatch(_UUID, name) else check_id(find_check(client, name))


def find_uuid(client: Client, name: str) -> str:
    """Return the UUID of a check, for requests that do not accept a unique key.

    Args:
        client: The client to look up the check with.
        name: The UUID, unique key, slug or exact name of the check.

    Raises:
        click.ClickException: No check matches, more than one does, or the API key is read-only.
    """
    uuid = name if re.fullmatch(_UUID, name) else find_check(client, name).uuid
    if uuid is None:
        raise click.ClickException("this command needs a read-write API key: read-only keys cannot see UUIDs")
    return uuid


def find_check(client: Client, name: str) -> Check:
    """Return the check with this UUID, unique key, slug or exact name.

    Raises:
        click.ClickException: No check matches, or more than one does.
    """
    if re.fullmatch(_UUID, name):
        return client.get_check(name)
    if re.fullmatch(_UNIQUE_KEY, name):
        # Ask the server: with a read-write key, the list of checks contains no unique keys.
        with contextlib.suppress(CheckNotFoundError):
            return client.get_check(name)
    with progress("Loading checks"):
        checks = client.get_checks()
    found = name and ([each for each in checks if each.slug == name] or [each for each in checks if each.name == name])
    if not found:
        raise click.ClickException(_not_found_message(name, checks))
    if len(found) > 1:
        candidates = ", ".join(sorted(f"{each.name} ({check_id(each)})" for each in found))
        raise click.ClickException(printable(f"{name!r} matches {len(found)} checks. Use the ID of one: {candidates}"))
    return found[0]


def check_id(check: Check) -> str:
    """Return the ID of a check in API requests: its UUID, or its unique key if the API key is read-only."""
    return check.uuid or check.unique_key or ""


def _not_found_message(name: str, checks: list[Check]) -> str:
    from difflib import get_close_matches

    known = dict.fromkeys(text for check in checks for text in (check.slug, check.name) if text)
    close = get_close_matches(name, known)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "run `checks list` to see all checks"
    return printable(f"no check has the UUID, unique key, slug or name {name!r}: {hint}")
