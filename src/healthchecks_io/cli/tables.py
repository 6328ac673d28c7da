"""Tables that fit the terminal without breaking identifiers into pieces."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from healthchecks_io.cli.output import console, print_renderable, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    Cell: TypeAlias = str | tuple[str, str] | Text
    """The text of a cell, its text and style, or its parts with their styles. The parts must be printable."""

_BORDER = 3
"""The width of a column's border and padding in a boxed table."""
_GAP = 2
"""The width of the space between two columns without a box."""
_BREAKABLE = r"\u2e80-\uffdf\U0001f000-\U0003ffff"
"""Characters of scripts that are written without spaces, and pictures: a line may be broken between any two."""
_WORD = rf"([^\s{_BREAKABLE}]+|\S)\s*"


class Column(NamedTuple):
    """A column, and how it may be adapted to a narrow terminal.

    Attributes:
        title: The title.
        worth: The columns of the lowest worth are left out first. None if the column is never left out.
        shortest: The width to which longer texts may be shortened. None if they are never shortened.
        wraps: Whether lines may be broken between words.
    """

    title: str
    worth: int | None = None
    shortest: int | None = None
    wraps: bool = False

    def least(self, text: Text) -> int:
        """Return the smallest width at which the column may show a text."""
        from rich.cells import cell_len

        if self.wraps:
            return max(map(cell_len, re.findall(_WORD, text.plain)), default=0)
        return text.cell_len if self.shortest is None else min(text.cell_len, self.shortest)


def print_table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> None:
    """Print a table: boxed, coloured and fitted on a terminal, in plain columns and in full elsewhere."""
    print_renderable(table(columns, rows))


def table(columns: Sequence[Column], rows: Iterable[Sequence[Cell]], *, margin: int = 0) -> RenderableType:
    """Build a table. Rich markup in the cells is not interpreted.

    If even the columns that cannot be left out do not fit the terminal, the cells of a row are spread over several
    lines, without a box.

    Args:
        columns: The columns.
        rows: The rows.
        margin: How much of the terminal's width is not available.
    """
    from rich.table import Table

    lines = [[_text((column.title, "bold")) for column in columns], *(list(map(_text, row)) for row in rows)]
    widths = [max(text.cell_len for text in texts) for texts in zip(*lines, strict=True)]
    if not sys.stdout.isatty():
        return _table(Table(box=None, pad_edge=False), columns, lines, dict(enumerate(widths)))
    available = console().width - margin
    least = [max(map(column.least, texts)) for column, texts in zip(columns, zip(*lines, strict=True), strict=True)]
    fitted = fit(columns, widths, least, available - 1, _BORDER)
    return _flow(columns, lines, widths, available) if fitted is None else _table(Table(), columns, lines, fitted)


def fit(
    columns: Sequence[Column], widths: Sequence[int], least: Sequence[int], available: int, border: int
) -> dict[int, int] | None:
    """Choose the columns that fit, and their widths.

    Args:
        columns: The columns.
        widths: How wide each column is in full.
        least: How wide each column is at least.
        available: The available width.
        border: The additional width of each column.

    Returns:
        The width of each chosen column by its index, or None if the columns that cannot be left out do not fit. Empty
        columns are left out.
    """
    fitted: dict[int, int] = {}
    by_worth = sorted(enumerate(columns), key=lambda item: (item[1].worth is not None, -(item[1].worth or 0)))
    for index, column in by_worth:
        if not widths[index]:
            continue
        if least[index] + border <= available:
            fitted[index] = least[index]
            available -= least[index] + border
        elif column.worth is None:
            return None
    while available > 0 and (narrow := [index for index in fitted if fitted[index] < widths[index]]):
        fitted[min(narrow, key=fitted.__getitem__)] += 1
        available -= 1
    return dict(sorted(fitted.items()))


class Rows:
    """Prints the rows of a table one by one, before the later ones are known."""

    def __init__(self, columns: Sequence[Column], widths: Sequence[int]) -> None:
        """Choose the columns that fit.

        Args:
            columns: The columns.
            widths: How wide each column is in full.
        """
        least = [
            width if column.shortest is None else min(width, column.shortest)
            for column, width in zip(columns, widths, strict=True)
        ]
        available = console().width + _GAP
        self._columns = columns
        self._widths = fit(columns, widths, least, available, _GAP) or dict(enumerate(widths))

    def print_titles(self) -> None:
        """Print the titles of the columns."""
        self.print([column.title for column in self._columns])

    def print(self, cells: Sequence[Cell]) -> None:
        """Print a row."""
        from rich.text import Text

        texts: list[Text] = []
        for index, width in self._widths.items():
            text = _text(cells[index])
            if self._columns[index].shortest is not None:
                text = _shortened(text, width)
            text.pad_right(max(0, width - text.cell_len))
            texts.append(text)
        line = Text(" " * _GAP).join(texts)
        line.rstrip()
        console().print(line, soft_wrap=True)


def _table(
    result: Table, columns: Sequence[Column], lines: Sequence[Sequence[Text]], widths: Mapping[int, int]
) -> Table:
    for index, width in widths.items():
        result.add_column(lines[0][index], width=width, no_wrap=True)
    for line in lines[1:]:
        result.add_row(*(_fitted(columns[index], line[index], width) for index, width in widths.items()))
    return result


def _fitted(column: Column, text: Text, width: int) -> Text:
    from rich.text import Text

    return Text("\n").join(_wrapped(text, width)) if column.wraps else _shortened(text, width)


def _flow(
    columns: Sequence[Column], lines: Sequence[Sequence[Text]], widths: Sequence[int], available: int
) -> RenderableType:
    """Spread each row over as many lines as it needs. Words and identifiers longer than a line are not broken."""
    from rich.console import Group

    return Group(*(_flowing(columns, line, widths, available) for line in lines))


def _flowing(columns: Sequence[Column], line: Sequence[Text], widths: Sequence[int], available: int) -> Text:
    from rich.text import Text

    result, position = Text(no_wrap=True, overflow="ignore"), 0
    for column, text, width in zip(columns, line, widths, strict=True):
        if not width:
            continue
        if position and position + column.least(text) > available:
            indent = _GAP if column.least(text) + _GAP <= available else 0
            result.rstrip()
            result.append("\n" + " " * indent)
            position = indent
        for number, part in enumerate(_wrapped(text, available - position) if column.wraps else [text]):
            if number:
                result.append("\n" + " " * position)
            result.append_text(part)
        # Align the next column, unless that leaves no room for it.
        room = width if width <= available // 3 else text.cell_len
        result.append(" " * (room - text.cell_len + _GAP))
        position += room + _GAP
    result.rstrip()
    return result


def _wrapped(text: Text, width: int) -> Iterable[Text]:
    """Break a text between words. A word longer than the width is not broken."""
    from rich.cells import cell_len

    if text.cell_len <= width:
        return [text]
    breaks: list[int] = []
    start = 0
    for word in re.finditer(_WORD, text.plain):
        if word.start() > start and cell_len(text.plain[start : word.end(1)]) > width:
            start = word.start()
            breaks.append(start)
    lines = text.divide(breaks)
    for line in lines:
        line.rstrip()
    return lines


def _shortened(text: Text, width: int) -> Text:
    if text.cell_len > width:
        ellipsis = "..." if console().options.ascii_only else "…"
        text.truncate(width - len(ellipsis), overflow="crop")
        text.rstrip()
        text.append(ellipsis)
    return text


def _text(cell: Cell) -> Text:
    from rich.text import Text

    if isinstance(cell, Text):
        return cell
    text, style = (cell, "") if isinstance(cell, str) else cell
    return Text(printable(text), style)
