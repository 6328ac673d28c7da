"""The fields of a check as options, and as JSON in a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from healthchecks_io.cli.durations import whole_seconds
from healthchecks_io.cli.output import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from healthchecks_io.schemas.checks import CheckUpdate

    Fields = TypeVar("Fields", bound=CheckUpdate)
    F = TypeVar("F", bound=Callable[..., Any])

_HELP = {
    "--name": "The name.",
    "--slug": "The name in ping URLs: a-z, 0-9, - and _.",
    "--tags": "The tags, with spaces between them.",
    "--desc": "The description.",
    "--timeout": "How much time passes between two pings.",
    "--grace": "How late a ping may be before the check is down.",
    "--schedule": "A cron or OnCalendar expression, instead of a timeout.",
    "--tz": "The time zone of the schedule, such as Europe/Riga.",
    "--manual-resume/--no-manual-resume": "Whether a paused check stays paused when it is pinged.",
    "--methods": "POST to let only POST requests count as pings, or empty.",
    "--channels": "The integrations: * for all, or their IDs or names with commas between them, or empty.",
    "--start-kw": "Keywords that make an e-mail or a ping body a start signal, with commas between them.",
    "--success-kw": "The same for success.",
    "--failure-kw": "The same for failure.",
    "--filter-subject/--no-filter-subject": "Whether to look for the keywords in the subjects of e-mails.",
    "--filter-body/--no-filter-body": "Whether to look for the keywords in the bodies of e-mails.",
    "--filter-http-body/--no-filter-http-body": "Whether to look for the keywords in the bodies of pings.",
    "--filter-default-fail/--no-filter-default-fail": "Whether a ping without any of the keywords is a failure.",
    "--subject": "Deprecated: use --success-kw and --filter-subject.",
    "--subject-fail": "Deprecated: use --failure-kw and --filter-subject.",
}
_DURATIONS = ("--timeout", "--grace")


def field_options(function: F) -> F:
    """Add an option for each field that can be created and updated, and `--from`."""
    for name, text in reversed(_HELP.items()):
        if name in _DURATIONS:
            option = click.option(name, type=whole_seconds, metavar="DURATION", help=text)
        else:
            option = click.option(name, default=None, help=text)
        function = option(function)
    return click.option(
        "--from",
        "file",
        type=click.File("rb"),
        help="A JSON object of fields, which options win over; - is standard input.",
    )(function)


def fields_from(kind: type[Fields], file: BinaryIO | None, options: Mapping[str, Any]) -> Fields:
    """Check what the user set, and nothing else.

    Raises:
        click.ClickException: A value is one that servers refuse, or the file is no JSON object.
    """
    from pydantic import ValidationError

    given = {name: value for name, value in options.items() if value not in (None, ())}
    content = _content_of(file)
    if "timeout" in given:
        # A server takes the schedule where it is given both.
        content.pop("schedule", None)
    try:
        return kind.model_validate(content | given)
    except ValidationError as error:
        problems = (_problem(problem["loc"], problem["type"], problem["msg"]) for problem in error.errors())
        raise click.ClickException(printable("; ".join(problems))) from None


def _content_of(file: BinaryIO | None) -> dict[str, object]:
    if file is None:
        return {}
    from healthchecks_io.schemas.checks import Check, CheckUpdate

    try:
        content: object = json.loads(file.read())
    except (ValueError, RecursionError) as error:
        raise click.ClickException(f"--from: this is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise click.ClickException("--from: this is no JSON object")
    # What `checks get --json` printed makes a copy of a check.
    only_read = Check.model_fields.keys() - CheckUpdate.model_fields.keys()
    return {name: value for name, value in cast("dict[str, object]", content).items() if name not in only_read}


def _problem(where: tuple[int | str, ...], kind: str, message: str) -> str:
    said = (
        "there is no such field"
        if kind == "extra_forbidden"
        else message.removeprefix("Value error, ").removesuffix(", as int or timedelta")
    )
    return f"{where[0]}: {said}" if where else said
