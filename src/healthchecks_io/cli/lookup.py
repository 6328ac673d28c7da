"""Which check is meant: by its UUID, unique key, slug or name."""

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
"""A check, by its UUID, unique key, slug or exact name."""


def id_of(client: Client, name: str) -> str:
    """Give the UUID of the check that a user named, or its unique key where the API key is a read-only one.

    Raises:
        click.ClickException: There is no such check, or there are several.
    """
    return name if re.fullmatch(_UUID, name) else api_id(find(client, name))


def uuid_of(client: Client, name: str) -> str:
    """Give the UUID of the check that a user named, for what is done by the UUID alone.

    Raises:
        click.ClickException: There is no such check, or there are several; or the API key is read-only.
    """
    uuid = name if re.fullmatch(_UUID, name) else find(client, name).uuid
    if uuid is None:
        raise click.ClickException("this needs a read-write API key: a read-only key does not tell the UUID of a check")
    return uuid


def find(client: Client, name: str) -> Check:
    """Get the check that a user named.

    Raises:
        click.ClickException: There is no such check, or there are several.
    """
    if re.fullmatch(_UUID, name):
        return client.get_check(name)
    if re.fullmatch(_UNIQUE_KEY, name):
        # The list has unique keys for read-only API keys alone.
        with contextlib.suppress(CheckNotFoundError):
            return client.get_check(name)
    with progress("Loading the checks"):
        checks = client.get_checks()
    found = name and ([each for each in checks if each.slug == name] or [each for each in checks if each.name == name])
    if not found:
        raise click.ClickException(_unknown(name, checks))
    if len(found) > 1:
        candidates = ", ".join(sorted(f"{each.name} ({api_id(each)})" for each in found))
        raise click.ClickException(printable(f"{name!r} names {len(found)} checks, use the ID of one: {candidates}"))
    return found[0]


def api_id(check: Check) -> str:
    """What names a check in the API; where the API key is a read-only one, that is the unique key."""
    return check.uuid or check.unique_key or ""


def _unknown(name: str, checks: list[Check]) -> str:
    from difflib import get_close_matches

    known = dict.fromkeys(text for check in checks for text in (check.slug, check.name) if text)
    close = get_close_matches(name, known)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "`checks list` shows all"
    return printable(f"no check has the UUID, unique key, slug or name {name!r}: {hint}")
