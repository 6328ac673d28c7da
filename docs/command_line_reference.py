"""Generates the command line reference from the help texts.

Run it after changing a help text: ``python docs/command_line_reference.py``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthchecks_io.cli import commands

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parent / "reference" / "command-line.md"
WIDTH = 100


def page() -> str:
    """Return the text of the page."""
    layout = {"max_content_width": WIDTH, "terminal_width": WIDTH, **commands.context_settings}
    root = click.Context(commands, info_name="py-healthchecks.io", **layout)
    return "\n".join(["# Command line\n", *_sections(root)])


def _sections(ctx: click.Context) -> Iterator[str]:
    yield f"## {ctx.command_path}\n\n```text\n{ctx.get_help()}\n```\n"
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            if command is not None:
                yield from _sections(
                    click.Context(command, ctx, info_name=name, max_content_width=WIDTH, terminal_width=WIDTH)
                )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
