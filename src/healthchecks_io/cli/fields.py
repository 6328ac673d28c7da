"""Reads the fields of a check from options and from a JSON file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from healthchecks_io.cli.durations import parse_whole_seconds
from healthchecks_io.cli.output import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from healthchecks_io.schemas.checks import CheckUpdate

    Fields = TypeVar("Fields", bound=CheckUpdate)
    F = TypeVar("F", bound=Callable[..., Any])

_HELP = {
    "--name": "Name of the check.",
    "--slug": "Slug for ping URLs: a-z, 0-9, - and _.",
    "--tags": "Tags, separated by spaces.",
    "--desc": "Description.",
    "--period": "Expected time between pings.",
    "--grace": "Grace time: how late a ping may be before the check goes down.",
    "--schedule": "Cron or OnCalendar expression, instead of a period.",
    "--tz": "Time zone of the schedule, such as Europe/Riga.",
    "--manual-resume/--no-manual-resume": "Whether a paused check stays paused when it is pinged.",
    "--methods": 'HTTP methods accepted for pings: POST, or "" for all.',
    "--channels": 'Integrations to notify: IDs or names separated by commas, * for all, or "" for none.',
    "--start-kw": "Keywords, separated by commas, that make an email or ping body a start signal.",
    "--success-kw": "Keywords for a success signal.",
    "--failure-kw": "Keywords for a failure signal.",
    "--filter-subject/--no-filter-subject": "Whether to look for the keywords in email subjects.",
    "--filter-body/--no-filter-body": "Whether to look for the keywords in email bodies.",
    "--filter-http-body/--no-filter-http-body": "Whether to look for the keywords in ping bodies.",
    "--filter-default-fail/--no-filter-default-fail": "Whether a ping without any of the keywords is a failure.",
    "--subject": "Deprecated: use --success-kw and --filter-subject.",
    "--subject-fail": "Deprecated: use --failure-kw and --filter-subject.",
}
_DURATIONS = ("--period", "--grace")


def field_options(function: F) -> F:
    """Add `--from`, and an option for each field that can be set."""
    for name, text in reversed(_HELP.items()):
        if name in _DURATIONS:
            option = click.option(name, type=parse_whole_seconds, metavar="DURATION", help=text)
        else:
            option = click.option(name, default=None, help=text)
        function = option(function)
    return click.option(
        "--from",
        "file",
        type=click.File("rb"),
        help='Read fields from a file with a JSON object, or from standard input if "-"; options take precedence.',
    )(function)


def fields_from(kind: type[Fields], file: BinaryIO | None, options: Mapping[str, Any]) -> Fields:
    """Validate the fields from the file and the options.

    Args:
        kind: The schema to validate with.
        file: A file with a JSON object, if any.
        options: The values of the options. Options that were not used are None or empty.

    Returns:
        An instance of the schema in which only the given fields are set.

    Raises:
        click.ClickException: A value is invalid, or the file is not a JSON object.
    """
    from pydantic import ValidationError

    given = {name: value for name, value in options.items() if value not in (None, ())}
    if "period" in given:
        given["timeout"] = given.pop("period")
    if "unique" in given:
        given["unique"] = ["timeout" if name == "period" else name for name in given["unique"]]
    content = _read_fields(file)
    if "timeout" in given:
        # Servers prefer the schedule if they get both.
        content.pop("schedule", None)
    try:
        return kind.model_validate(content | given)
    except ValidationError as error:
        problems = "; ".join(
            _error_message(problem["loc"], problem["type"], problem["msg"]) for problem in error.errors()
        )
        if file is None or "timeout" in given:
            # Name the option rather than the field of the API.
            problems = re.sub(r"(^|; )timeout(?=: | is named)", r"\1period", problems)
        raise click.ClickException(printable(problems)) from None


def _read_fields(file: BinaryIO | None) -> dict[str, object]:
    if file is None:
        return {}
    from healthchecks_io.schemas.checks import Check, CheckUpdate

    try:
        content: object = json.loads(file.read())
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"--from: invalid JSON: {error}") from None
    if not isinstance(content, dict):
        raise click.ClickException("--from: expected a JSON object")
    # Ignore read-only fields, so that the output of `checks get --json` can be used to copy a check.
    read_only = Check.model_fields.keys() - CheckUpdate.model_fields.keys()
    return {name: value for name, value in cast("dict[str, object]", content).items() if name not in read_only}


def _error_message(location: tuple[int | str, ...], kind: str, message: str) -> str:
    text = "unknown field" if kind == "extra_forbidden" else message.removeprefix("Value error, ")
    return f"{location[0]}: {text}" if location else text
