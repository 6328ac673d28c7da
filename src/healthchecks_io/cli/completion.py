"""Shell completion of slugs, and of the command after `run --`."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

_SECONDS = 2.0
"""How long a shell waits for the server."""


def complete_slugs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Return the slugs that start with the typed text, except those that were typed already.

    Without a key, or if the server does not respond in time, there are none: a shell has no place for an error.
    """
    try:
        slugs = _slugs(ctx)
    except (Exception, KeyboardInterrupt):  # noqa: BLE001 - whatever it is, it must not end up in the command line
        return []
    typed = ctx.params.get(param.name or "") if param.nargs == -1 else None
    offered = slugs.difference(typed or ())
    # The shell would interpret other characters.
    return sorted(slug for slug in offered if slug.startswith(incomplete) and re.fullmatch("[a-z0-9_-]+", slug))


def _slugs(ctx: click.Context) -> set[str]:
    from healthchecks_io.cli.client import connect
    from healthchecks_io.client.abstract_client import settings_of

    with connect(
        api_key=ctx.params.get("api_key"),
        api_url=ctx.params.get("api_url"),
        api_version=ctx.params.get("api_version"),
        timeout=_SECONDS,
        retries=0,
    ) as client:
        return {check.slug for check in client.get_checks()} if settings_of(client).api_key else set()


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
