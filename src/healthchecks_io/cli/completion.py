"""Shell completion of slugs and tags, and of the command after `run --`."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

    from healthchecks_io.schemas.checks import Check

_SECONDS = 2.0
"""How long a shell waits for the server."""


def complete_slugs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the slugs that start with the typed text, except those that were typed already.

    Without a key, or if the server does not respond in time, there are none: a shell has no place for an error.
    """
    typed = ctx.params.get(param.name or "") if param.nargs == -1 else None
    slugs = {check.slug for check in _checks(ctx)}
    return _offered(slugs.difference(typed or ()), incomplete)


def complete_tags(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's signature
    """Return the tags of checks that start with the typed text. Without a key or a response, there are none."""
    return _offered({tag for check in _checks(ctx) for tag in check.tags.split()}, incomplete)


def _offered(words: set[str], incomplete: str) -> list[str]:
    # The shell would interpret other characters, and bash splits words at = and :.
    return sorted(word for word in words if word.startswith(incomplete) and re.fullmatch(r"[\w.+/-]+", word, re.ASCII))


def _checks(ctx: click.Context) -> list[Check]:
    try:
        from healthchecks_io.cli.client import connect
        from healthchecks_io.client.abstract_client import settings_of

        with connect(
            api_key=ctx.params.get("api_key"),
            api_url=ctx.params.get("api_url"),
            api_version=ctx.params.get("api_version"),
            timeout=_SECONDS,
            retries=0,
        ) as client:
            return client.get_checks() if settings_of(client).api_key else []
    except (Exception, KeyboardInterrupt):  # noqa: BLE001 - whatever it is, it must not end up in the command line
        return []


def complete_command(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the programs on the PATH that start with the typed text, or let the shell complete files."""
    from click.shell_completion import (
        CompletionItem,
    )  # Slow to import for `run`, which adds this function to an option.

    is_program = not ctx.params.get(param.name or "") and incomplete and "/" not in incomplete
    programs = _programs(incomplete) if is_program else set[str]()
    return [CompletionItem(name) for name in sorted(programs)] or [CompletionItem(incomplete, type="file")]


def _programs(start: str) -> set[str]:
    from pathlib import Path

    found: set[str] = set()
    for folder in os.get_exec_path():
        try:
            files = [file for file in Path(folder).iterdir() if file.name.startswith(start)]
        except OSError:
            continue
        found.update(file.name for file in files if file.is_file() and os.access(file, os.X_OK))
    return found
