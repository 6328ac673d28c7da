"""Suggests commands for one that does not exist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable


class SuggestingGroup(click.Group):
    """A group whose error for an unknown command suggests similar ones of the whole program."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first argument names, or raise an error with suggestions."""
        name = args[0]
        if name[:1].isalpha() and not ctx.resilient_parsing and self.get_command(ctx, name) is None:
            program = ctx.find_root()
            suggestions = _suggestions(program, name)
            if ctx is not program:
                suggestions = [f"{program.info_name} {path}" for path in suggestions]
            hint = f" Did you mean {' or '.join(map(repr, suggestions))}?" if suggestions else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)


def _suggestions(root: click.Context, name: str) -> list[str]:
    """Return the paths of commands whose last word is the name. If there are none, those that are similar to it."""
    from difflib import get_close_matches

    paths = list(_paths(root, root.command))
    by_name = {path.rpartition(" ")[2]: path for path in paths} | {path: path for path in paths}
    matches = [name] if name in by_name else get_close_matches(name, by_name, cutoff=0.7)
    return list(dict.fromkeys(by_name[match] for match in matches))


def _paths(ctx: click.Context, command: click.Command | None, prefix: str = "") -> Iterable[str]:
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(ctx):
        yield prefix + name
        yield from _paths(ctx, command.get_command(ctx, name), f"{prefix}{name} ")
