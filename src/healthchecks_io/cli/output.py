"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from healthchecks_io.schemas.api_result import APIResult

STATUS_STYLES = {"up": "green", "down": "bold red", "grace": "yellow", "paused": "dim", "new": "dim"}
KIND_STYLES = {"success": "green", "fail": "bold red", "start": "cyan", "log": "dim", "ign": "dim"}

json_option = click.option("--json", "as_json", is_flag=True, help="Print every field, as JSON.")


def console() -> Console:
    """Make a console that draws for people on a terminal, and writes plain lines of any length elsewhere."""
    from rich.console import Console

    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=100_000)


def fields_of(result: APIResult) -> dict[str, Any]:
    """Every field that the API gave."""
    return result.model_dump(mode="json", by_alias=True, exclude_unset=True)


def print_json(value: object) -> None:
    """Print a value for programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> None:
    """Print a table: with a box and colours on a terminal, else in plain columns."""
    from rich.table import Table

    table = Table() if sys.stdout.isatty() else Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    draw(table)


def draw(table: Table) -> None:
    """Draw a table, without blanks at the ends of lines where it is no terminal."""
    screen = console()
    if screen.is_terminal:
        screen.print(table)
    else:
        with screen.capture() as capture:
            screen.print(table)
        click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))
