"""What commands print: tables for people, JSON for programs."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import click

if TYPE_CHECKING:
    import io
    from collections.abc import Generator, Iterable, Sequence
    from datetime import datetime

    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

    from healthchecks_io.schemas.api_result import APIResult

    Cell: TypeAlias = str | tuple[str, str]
    """A text, or a text and its style."""

STATUS_STYLES = {"up": "green", "down": "bold red", "grace": "yellow", "paused": "dim", "new": "dim"}
KIND_STYLES = {"success": "green", "fail": "bold red", "start": "cyan", "log": "dim", "ign": "dim"}

_JOINERS = "\u200c\u200d"
_BAR_WIDTH = 12
"""A table of pings fits a terminal of 80 columns."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print every field, as JSON.")


def printable(text: str) -> str:
    """Give a text as it may stand on a terminal: on one line, and without anything that could steer the terminal."""
    return "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return " " if character.isspace() else character.encode("unicode_escape").decode()


def local_time(moment: datetime) -> str:
    """Write a moment for people: in the time zone of this machine."""
    try:
        return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        # At the first and the last day of all calendars.
        return moment.isoformat(" ")


def bar(value: float, largest: float) -> str:
    """Draw how large a value is, compared with the largest one."""
    if value <= 0:
        return ""
    block = "#" if console().options.ascii_only else "█"
    return block * max(1, round(_BAR_WIDTH * value / largest))


def allow_any_text() -> None:
    """Keep a character that the encoding of standard output does not have from ending the command."""
    cast("io.TextIOWrapper", sys.stdout).reconfigure(errors="backslashreplace")


def console() -> Console:
    """Make a console that draws for people on a terminal, and writes plain lines of any length elsewhere."""
    from rich.console import Console

    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=100_000)


@contextlib.contextmanager
def progress(what: str) -> Generator[None]:
    """Show that something takes its time, where somebody watches."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(what):
        yield


def fields_of(result: APIResult) -> dict[str, Any]:
    """Every field that the API gave."""
    return result.model_dump(mode="json", by_alias=True, exclude_unset=True)


def print_json(value: object) -> None:
    """Print a value for programs, in ASCII: for any encoding, and with nothing in it that a terminal obeys."""
    click.echo(json.dumps(value, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Print a table: with a box and colours on a terminal, else in plain columns."""
    draw(table(columns, rows))


def table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Table:
    """Make a table, in which texts stand as they are: what looks like markup is none."""
    from rich.table import Table

    drawing = Table() if sys.stdout.isatty() else Table(box=None, pad_edge=False)
    for column in columns:
        drawing.add_column(column, overflow="fold")
    for row in rows:
        drawing.add_row(*map(_text, row))
    return drawing


def print_line(cells: Sequence[Cell], widths: Sequence[int]) -> None:
    """Print a line of a table whose other lines are not known yet."""
    from rich.text import Text

    texts = [_text(cell) for cell in cells]
    for text, width in zip(texts, widths, strict=True):
        text.pad_right(max(0, width - text.cell_len))
    line = Text("  ").join(texts)
    line.rstrip()
    console().print(line, soft_wrap=True)


def draw(drawing: RenderableType) -> None:
    """Draw a table, without blanks at the ends of lines where it is no terminal."""
    screen = console()
    if sys.stdout.isatty():
        screen.print(drawing)
    else:
        with screen.capture() as capture:
            screen.print(drawing)
        click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))


def _text(cell: Cell) -> Text:
    from rich.text import Text

    text, style = (cell, "") if isinstance(cell, str) else cell
    return Text(printable(text), style)
