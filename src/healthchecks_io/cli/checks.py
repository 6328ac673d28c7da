"""The `checks` commands."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import click

from healthchecks_io._durations import format_duration
from healthchecks_io.cli import lookup, output, provisioning, tables
from healthchecks_io.cli.completion import complete_slugs, complete_tags
from healthchecks_io.cli.connection import with_client
from healthchecks_io.cli.fields import field_options, fields_from
from healthchecks_io.cli.suggestions import SuggestingGroup
from healthchecks_io.cli.tables import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from healthchecks_io.cli.tables import Cell
    from healthchecks_io.client import Client
    from healthchecks_io.schemas.checks import Check

_DURATIONS = ("timeout", "grace", "last_duration")
_TIMES = ("last_ping", "next_ping")
_FIELD_COLUMNS = (Column("Field"), Column("Value", wraps=True))


@click.group(cls=SuggestingGroup)
def checks() -> None:
    """Show and manage checks.

    Identify a check by its UUID, unique key, slug or exact name. Several checks are looked up before any of them is
    changed. With --json, several checks are printed as a list, and a single one as an object.
    """


@checks.command("list")
@click.option(
    "--tag",
    "tags",
    multiple=True,
    shell_complete=complete_tags,
    help="Show only checks with this tag; if repeated, with all of these tags.",
)
@click.option("--slug", shell_complete=complete_slugs, help="Show only checks with this slug.")
@click.option(
    "--status",
    "statuses",
    type=click.Choice(["new", "up", "grace", "down", "paused", "started"]),
    multiple=True,
    help="Show only checks with this status; if repeated, with any of these statuses.",
)
@output.json_option
@with_client()
def list_(client: Client, tags: tuple[str, ...], slug: str | None, statuses: tuple[str, ...], as_json: bool) -> None:
    """List checks, sorted by name."""
    with output.progress("Loading checks"):
        found = client.get_checks(tags or None, slug)
    columns = _columns(found)
    found = [check for check in found if not statuses or not _statuses(check).isdisjoint(statuses)]
    found.sort(key=lambda check: (check.name.casefold(), check.slug, lookup.check_id(check)))
    if as_json:
        output.print_json([output.to_fields(check) for check in found])
    elif not found:
        click.echo(output.no_checks(is_filtered=bool(tags or slug or statuses)))
    else:
        tables.print_table(
            columns,
            [
                (
                    check.name,
                    check.slug,
                    check.tags,
                    _status_cell(check),
                    check.schedule or ("" if check.timeout is None else format_duration(check.timeout)),
                    "" if check.last_ping is None else output.local_time(check.last_ping),
                    lookup.check_id(check),
                )
                for check in found
            ],
        )


@checks.command()
@lookup.checks_argument
@output.json_option
@with_client()
def get(client: Client, check_names: tuple[str, ...], as_json: bool) -> None:
    """Show checks."""
    _show(lookup.find_checks(client, check_names), as_json, is_list=len(check_names) > 1)


@checks.command()
@field_options
@click.option(
    "--unique",
    type=click.Choice(["name", "slug", "tags", "period", "grace"]),
    multiple=True,
    help="Update an existing check with the same value in this field instead; if repeated, all fields must match.",
)
@output.json_option
@with_client()
def create(client: Client, file: BinaryIO | None, as_json: bool, **options: Any) -> None:
    """Create a check.

    The server chooses the values of fields that are not set. Write a DURATION as 90 (seconds), 90s, 2h30m,
    "2h 30m" or 1d.
    """
    from healthchecks_io.schemas.checks import CheckCreate

    _show([client.create_check(fields_from(CheckCreate, file, options))], as_json, is_list=False)


@checks.command()
@lookup.checks_argument
@field_options
@output.json_option
@with_client()
def update(client: Client, check_names: tuple[str, ...], file: BinaryIO | None, as_json: bool, **options: Any) -> None:
    """Update checks.

    Only the fields that are set change. Pass "" to clear a text field. Write a DURATION as 90 (seconds), 90s, 2h30m,
    "2h 30m" or 1d.
    """
    from healthchecks_io.schemas.checks import CheckUpdate

    fields = fields_from(CheckUpdate, file, options)
    if not fields.model_fields_set:
        raise click.UsageError("nothing to update: set at least one field, or use --from")
    uuids = lookup.find_uuids(client, check_names)
    if fields.slug and len(uuids) > 1:
        raise click.UsageError("several checks cannot have the same slug: update one check at a time")
    _show(_each(lambda uuid: client.update_check(uuid, fields), uuids), as_json, is_list=len(check_names) > 1)


@checks.command()
@lookup.checks_argument
@output.json_option
@with_client()
def pause(client: Client, check_names: tuple[str, ...], as_json: bool) -> None:
    """Pause checks until they are pinged or resumed."""
    uuids = lookup.find_uuids(client, check_names)
    _print_results("Paused", _each(client.pause_check, uuids), as_json, is_list=len(check_names) > 1)


@checks.command()
@lookup.checks_argument
@output.json_option
@with_client()
def resume(client: Client, check_names: tuple[str, ...], as_json: bool) -> None:
    """Resume paused checks."""
    uuids = lookup.find_uuids(client, check_names)
    _print_results("Resumed", _each(client.resume_check, uuids), as_json, is_list=len(check_names) > 1)


@checks.command()
@lookup.checks_argument
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@output.json_option
@with_client()
def delete(client: Client, check_names: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Delete checks and all their pings."""
    uuids = lookup.find_uuids(client, check_names) if yes else _confirmed_uuids(client, check_names)
    _print_results("Deleted", _each(client.delete_check, uuids), as_json, is_list=len(check_names) > 1)


for command in (provisioning.plan, provisioning.apply, provisioning.export):
    checks.add_command(command)


def _columns(found: list[Check]) -> Sequence[Column]:
    """Return the columns of a list of checks, which always shows an ID of each."""
    slugs = [check.slug for check in found]
    is_slug_an_id = all(slugs) and len(set(slugs)) == len(slugs)
    return (
        Column("Name", worth=6, shortest=16),
        Column("Slug", worth=None if is_slug_an_id else 3),
        Column("Tags", worth=2, shortest=8),
        Column("Status"),
        Column("Schedule", worth=4, shortest=12),
        Column("Last ping", worth=5),
        Column("ID", worth=1 if is_slug_an_id else None),
    )


def _statuses(check: Check) -> set[str]:
    return {check.status, "started"} if check.started else {check.status}


def _status_cell(check: Check) -> Cell:
    text = check.status if check.status == "started" or not check.started else f"{check.status}, started"
    return text, output.STATUS_STYLES.get(check.status, "")


def _each(change: Callable[[str], Check], uuids: Sequence[str]) -> Iterator[Check]:
    """Change checks until a request fails."""
    from healthchecks_io.client.exceptions import HCAPIError

    left = len(uuids)
    try:
        for uuid in uuids:
            left -= 1
            yield change(uuid)
    except HCAPIError as error:
        if len(uuids) > 1:
            error.args = (f"{error} (not attempted: {left} of {len(uuids)} checks)",)
        raise


def _confirmed_uuids(client: Client, names: Sequence[str]) -> list[str]:
    found = lookup.find_checks(client, names)
    uuids = lookup.uuids_of(found)
    if len(found) == 1:
        question = f"Delete {_title(found[0])} and all its pings?"
    else:
        question = "\n".join([*map(_title, found), f"Delete these {len(found)} checks and all their pings?"])
    output.confirm_deletion(len(found), question)
    return uuids


def _show(found: Iterable[Check], as_json: bool, *, is_list: bool) -> None:
    with _json_output(as_json, is_list) as shown:
        for number, check in enumerate(found):
            fields = output.to_fields(check)
            shown.append(fields)
            if as_json:
                continue
            if number:
                click.echo()
            tables.print_table(_FIELD_COLUMNS, [(name, _value_cell(check, name, fields[name])) for name in fields])


def _value_cell(check: Check, name: str, value: Any) -> Cell:
    if value is None:
        return ""
    if name == "status":
        return _status_cell(check)
    if name in _DURATIONS:
        return format_duration(value)
    if name in _TIMES:
        return output.local_time(getattr(check, name))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).replace(",", ", ") if name == "channels" else str(value)


def _print_results(action: str, changed: Iterable[Check], as_json: bool, *, is_list: bool) -> None:
    with _json_output(as_json, is_list) as shown:
        for check in changed:
            shown.append(output.to_fields(check))
            if not as_json:
                click.echo(f"{action} {_title(check)}")


@contextlib.contextmanager
def _json_output(as_json: bool, is_list: bool) -> Generator[list[dict[str, Any]]]:
    """Print what the block adds to the list: a list if several checks were named, otherwise an object.

    If a request fails, the checks that were changed before are printed too.
    """
    shown: list[dict[str, Any]] = []
    try:
        yield shown
    finally:
        if as_json and is_list:
            output.print_json(shown)
        elif as_json and shown:
            output.print_json(shown[0])


def _title(check: Check) -> str:
    return output.printable(f"{check.name or check.slug or 'the check'} ({lookup.check_id(check)})")
