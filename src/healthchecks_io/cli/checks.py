"""The commands for checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from healthchecks_io.cli import durations, lookup, output
from healthchecks_io.cli.connection import with_client
from healthchecks_io.cli.fields import field_options, fields_from

if TYPE_CHECKING:
    from typing import BinaryIO

    from healthchecks_io.cli.output import Cell
    from healthchecks_io.client import Client
    from healthchecks_io.schemas.checks import Check

_DURATIONS = ("timeout", "grace", "last_duration")
_MOMENTS = ("last_ping", "next_ping")


@click.group()
def checks() -> None:
    """See and change checks.

    A check is named by its UUID, unique key, slug or exact name.
    """


@checks.command("list")
@click.option("--tag", "tags", multiple=True, help="Only checks with this tag; may be repeated: with all of them.")
@click.option("--slug", help="Only checks with this slug.")
@click.option(
    "--status",
    "statuses",
    type=click.Choice(["new", "up", "grace", "down", "paused", "started"]),
    multiple=True,
    help="Only checks with this status; may be repeated: with any of them.",
)
@output.json_option
@with_client()
def list_(client: Client, tags: tuple[str, ...], slug: str | None, statuses: tuple[str, ...], as_json: bool) -> None:
    """List the checks, by name."""
    with output.progress("Loading the checks"):
        found = client.get_checks(tags or None, slug)
    found = [check for check in found if not statuses or not _statuses(check).isdisjoint(statuses)]
    found.sort(key=lambda check: (check.name.casefold(), check.slug, lookup.api_id(check)))
    if as_json:
        output.print_json([output.fields_of(check) for check in found])
    else:
        output.print_table(
            ("Name", "Slug", "Tags", "Status", "Schedule", "Last ping", "ID"),
            [
                (
                    check.name,
                    check.slug,
                    check.tags,
                    _status_cell(check),
                    check.schedule or ("" if check.timeout is None else durations.shown(check.timeout)),
                    "" if check.last_ping is None else output.local_time(check.last_ping),
                    lookup.api_id(check),
                )
                for check in found
            ],
        )


@checks.command()
@lookup.check_argument
@output.json_option
@with_client()
def get(client: Client, check_name: str, as_json: bool) -> None:
    """Show a check."""
    _show(lookup.find(client, check_name), as_json)


@checks.command()
@field_options
@click.option(
    "--unique",
    type=click.Choice(["name", "slug", "tags", "timeout", "grace"]),
    multiple=True,
    help="Update the check with the same value of this field instead, if there is one; may be repeated.",
)
@output.json_option
@with_client()
def create(client: Client, file: BinaryIO | None, as_json: bool, **options: Any) -> None:
    """Create a check.

    Durations are written as 90, 90s, 2h30m or 1d. What is not given, the server decides.
    """
    from healthchecks_io.schemas.checks import CheckCreate

    _show(client.create_check(fields_from(CheckCreate, file, options)), as_json)


@checks.command()
@lookup.check_argument
@field_options
@output.json_option
@with_client()
def update(client: Client, check_name: str, file: BinaryIO | None, as_json: bool, **options: Any) -> None:
    """Change a check: what is given, and nothing else.

    Durations are written as 90, 90s, 2h30m or 1d. An empty text clears.
    """
    from healthchecks_io.schemas.checks import CheckUpdate

    fields = fields_from(CheckUpdate, file, options)
    if not fields.model_fields_set:
        raise click.UsageError("There is nothing to change: give an option, or --from.")
    _show(client.update_check(lookup.uuid_of(client, check_name), fields), as_json)


@checks.command()
@lookup.check_argument
@output.json_option
@with_client()
def pause(client: Client, check_name: str, as_json: bool) -> None:
    """Pause a check: it is not watched until it is pinged or resumed."""
    _tell("Paused", client.pause_check(lookup.uuid_of(client, check_name)), as_json)


@checks.command()
@lookup.check_argument
@output.json_option
@with_client()
def resume(client: Client, check_name: str, as_json: bool) -> None:
    """Resume a paused check."""
    _tell("Resumed", client.resume_check(lookup.uuid_of(client, check_name)), as_json)


@checks.command()
@lookup.check_argument
@click.option("--yes", is_flag=True, help="Don't ask.")
@output.json_option
@with_client()
def delete(client: Client, check_name: str, yes: bool, as_json: bool) -> None:
    """Delete a check, and all its pings."""
    if not yes:
        check = lookup.find(client, check_name)
        click.confirm(f"Delete {_title(check)} and all its pings?", abort=True, err=True)
        check_name = lookup.api_id(check)
    _tell("Deleted", client.delete_check(lookup.uuid_of(client, check_name)), as_json)


def _statuses(check: Check) -> set[str]:
    return {check.status, "started"} if check.started else {check.status}


def _status_cell(check: Check) -> Cell:
    text = check.status if check.status == "started" or not check.started else f"{check.status}, started"
    return text, output.STATUS_STYLES.get(check.status, "")


def _show(check: Check, as_json: bool) -> None:
    fields = output.fields_of(check)
    if as_json:
        output.print_json(fields)
    else:
        output.print_table(
            ("Field", "Value"), [(name, _value_cell(check, name, value)) for name, value in fields.items()]
        )


def _value_cell(check: Check, name: str, value: Any) -> Cell:
    if value is None:
        return ""
    if name == "status":
        return _status_cell(check)
    if name in _DURATIONS:
        return durations.shown(value)
    if name in _MOMENTS:
        return output.local_time(getattr(check, name))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _tell(done: str, check: Check, as_json: bool) -> None:
    if as_json:
        output.print_json(output.fields_of(check))
    else:
        click.echo(f"{done} {_title(check)}")


def _title(check: Check) -> str:
    return output.printable(f"{check.name or 'the check'} ({lookup.api_id(check)})")
