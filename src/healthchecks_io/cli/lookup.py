"""Finds checks by their UUIDs, unique keys, slugs or names."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING

import click

from healthchecks_io.cli.completion import complete_slugs
from healthchecks_io.cli.output import printable, progress
from healthchecks_io.client.exceptions import CheckNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthchecks_io.client import Client
    from healthchecks_io.schemas.checks import Check

_UUID = "(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_UNIQUE_KEY = "[0-9a-f]{40}"

check_argument = click.argument("check_name", metavar="ID", shell_complete=complete_slugs)
"""A check's UUID, unique key, slug or exact name."""

checks_argument = click.argument("check_names", metavar="ID...", nargs=-1, required=True, shell_complete=complete_slugs)
"""The UUIDs, unique keys, slugs or exact names of one or more checks."""


def find_id(client: Client, name: str) -> str:
    """Return the UUID of a check, or its unique key if the API key is read-only.

    Args:
        client: The client to look up the check with.
        name: The UUID, unique key, slug or exact name of the check.

    Raises:
        click.ClickException: No check matches, or more than one does.
    """
    return name if re.fullmatch(_UUID, name) else check_id(*find_checks(client, [name]))


def find_uuids(client: Client, names: Sequence[str]) -> list[str]:
    """Return the UUIDs of checks, for requests that do not accept unique keys.

    Args:
        client: The client to look up the checks with.
        names: See find_checks.

    Raises:
        click.ClickException: No check matches a name, or more than one does, or the API key is read-only.
    """
    if len(names) == 1 and re.fullmatch(_UUID, names[0]):
        return list(names)
    return uuids_of(find_checks(client, names))


def uuids_of(checks: Sequence[Check]) -> list[str]:
    """Return the UUIDs of checks.

    Raises:
        click.ClickException: The API key is read-only.
    """
    uuids = [check.uuid for check in checks if check.uuid is not None]
    if not uuids:
        raise click.ClickException("this command needs a read-write API key: read-only keys cannot see UUIDs")
    return uuids


def find_checks(client: Client, names: Sequence[str]) -> list[Check]:
    """Return checks in the order of their names, each check once.

    Args:
        client: The client to look up the checks with.
        names: The UUID, unique key, slug or exact name of each check.

    Raises:
        click.ClickException: No check matches a name, or more than one does. The message lists all such names.
    """
    if len(names) == 1 and re.fullmatch(_UUID, names[0]):
        return [client.get_check(names[0])]
    with progress("Loading checks"):
        checks = client.get_checks()
    return choose_checks(client, names, checks)


def choose_checks(client: Client, names: Sequence[str], checks: list[Check]) -> list[Check]:
    """Return checks in the order of their names, each check once.

    Args:
        client: The client to look up unique keys with.
        names: The UUID, unique key, slug or exact name of each check.
        checks: The checks of the project.

    Raises:
        click.ClickException: No check matches a name, or more than one does. The message lists all such names.
    """
    found: dict[str, Check] = {}
    problems: list[str] = []
    for name in names:
        matches = _matches(client, name, checks)
        if len(matches) == 1:
            found[check_id(matches[0])] = matches[0]
        else:
            problems.append(_ambiguous_message(name, matches) if matches else _not_found_message(name, checks))
    if problems:
        raise click.ClickException("\n".join(map(printable, problems)))
    return list(found.values())


def _matches(client: Client, name: str, checks: list[Check]) -> list[Check]:
    if not name:
        return []
    found = [each for each in checks if each.uuid == name.lower()]
    if found:
        return found
    if re.fullmatch(f"{_UUID}|{_UNIQUE_KEY}", name):
        # Ask the server: the list of checks contains no UUIDs with a read-only key, and no unique keys otherwise.
        with contextlib.suppress(CheckNotFoundError):
            return [client.get_check(name)]
    return [each for each in checks if each.slug == name] or [each for each in checks if each.name == name]


def check_id(check: Check) -> str:
    """Return the ID of a check in API requests: its UUID, or its unique key if the API key is read-only."""
    return check.uuid or check.unique_key or ""


def _ambiguous_message(name: str, matches: list[Check]) -> str:
    candidates = ", ".join(sorted(f"{each.name} ({check_id(each)})" for each in matches))
    return f"{name!r} matches {len(matches)} checks. Use the ID of one: {candidates}"


def _not_found_message(name: str, checks: list[Check]) -> str:
    from difflib import get_close_matches

    known = dict.fromkeys(text for check in checks for text in (check.slug, check.name) if text)
    close = get_close_matches(name, known)
    hint = f"did you mean {' or '.join(map(repr, close))}?" if close else "run `checks list` to see all checks"
    return f"no check has the UUID, unique key, slug or name {name!r}: {hint}"
