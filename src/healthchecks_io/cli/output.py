"""Output of the commands. See also tables."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import TYPE_CHECKING, Any, NoReturn, cast

import click

if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Generator
    from datetime import datetime

    from rich.console import Console, RenderableType

    from healthchecks_io.schemas.api_result import APIResult

STATUS_STYLES = {"up": "green", "down": "bold red", "grace": "yellow", "paused": "dim", "new": "dim"}
KIND_STYLES = {"success": "green", "fail": "bold red", "start": "cyan", "log": "dim", "ign": "dim"}

_JOINERS = "\u200c\u200d"
_BAR_WIDTH = 12
"""Narrow enough for a table of pings to fit into 80 columns."""


def confirm_deletion(count: int, question: str = "") -> None:
    """Ask whether to delete checks.

    Args:
        count: Their number.
        question: The question, instead of the default one.

    Raises:
        click.ClickException: There is no terminal.
        click.Abort: The user does not want to.
    """
    checks = f"{count} check{'s' if count > 1 else ''}"
    # Python has no standard input if it is closed.
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.ClickException(f"deleting {checks} needs confirmation: pass --yes. Nothing was changed")
    its = "their" if count > 1 else "its"
    click.confirm(question or f"Delete {checks} and all {its} pings?", abort=True, err=True)


json_option = click.option("--json", "as_json", is_flag=True, help="Print all fields as JSON.")


def printable(text: str) -> str:
    """Make text safe to print on a terminal: put it on one line and escape control characters."""
    return "".join(map(_printable_character, text))


def _printable_character(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    return " " if character.isspace() else character.encode("unicode_escape").decode()


def local_time(value: datetime) -> str:
    """Format a datetime in the local time zone."""
    try:
        return f"{value.astimezone():%Y-%m-%d %H:%M:%S}"
    except (OverflowError, ValueError, OSError):
        # Near datetime.min and datetime.max, the conversion can overflow.
        return value.isoformat(" ")


def bar(value: float, largest: float) -> str:
    """Draw a bar whose length shows a value in proportion to the largest one."""
    if value <= 0:
        return ""
    block = "#" if console().options.ascii_only else "█"
    return block * max(1, round(_BAR_WIDTH * value / largest))


def escape_unencodable_output() -> None:
    """Escape characters that standard output cannot encode, instead of raising an error."""
    cast("io.TextIOWrapper", sys.stdout).reconfigure(errors="backslashreplace")


def console() -> Console:
    """Return a console that uses the width of the terminal, or does not wrap lines if there is no terminal."""
    from rich.console import Console

    return Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=100_000)


@contextlib.contextmanager
def progress(message: str) -> Generator[None]:
    """Show a spinner and a message while the block runs, if standard error is a terminal."""
    if not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(message):
        yield


@contextlib.contextmanager
def progress_of_many() -> Generator[Callable[[str], None]]:
    """Show the last message on standard error, if it is a terminal. Otherwise, messages are dropped."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("") as status:
        yield lambda message: status.update(printable(message))


def no_checks(*, is_filtered: bool) -> str:
    """Return the sentence that is printed instead of an empty table."""
    return "No check matches." if is_filtered else "There are no checks."


def print_warning(text: str) -> None:
    """Print a warning to standard error."""
    click.echo(f"Warning: {printable(text)}", err=True)


def fail(problems: str) -> NoReturn:
    """End the command with a list of problems, each of them in one line."""
    raise click.ClickException("\n".join(printable(line) for line in problems.splitlines()))


def waiting(show: Callable[[str], None]) -> Callable[[float], None]:
    """Return a function that shows for how long the command waits after a 429."""
    return lambda seconds: show(f"The server has received too many requests: waiting for {seconds:.0f} s")


def to_fields(result: APIResult) -> dict[str, Any]:
    """Return the fields that the API sent, under their names in the API."""
    return result.model_dump(mode="json", by_alias=True, exclude_unset=True)


def print_json(value: object) -> None:
    """Print a value as JSON, in pure ASCII: safe for any encoding and any terminal."""
    click.echo(json.dumps(value, indent=2))


def print_renderable(renderable: RenderableType) -> None:
    """Print something that Rich can render, without trailing spaces if standard output is not a terminal."""
    target = console()
    if sys.stdout.isatty():
        target.print(renderable, soft_wrap=True)
    else:
        with target.capture() as capture:
            target.print(renderable, soft_wrap=True)
        click.echo("\n".join(line.rstrip() for line in capture.get().splitlines()))
