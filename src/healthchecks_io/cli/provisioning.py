"""The commands `checks plan`, `checks apply` and `checks export`."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from healthchecks_io.cli import lookup, output
from healthchecks_io.cli.completion import complete_tags
from healthchecks_io.cli.connection import with_client
from healthchecks_io.client.sync_client import carry_out

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from healthchecks_io.client import Client
    from healthchecks_io.provisioning.plan import Change, Plan
    from healthchecks_io.schemas.checks import Check, CheckCreate
    from healthchecks_io.schemas.integrations import Integration

_STYLES = {"create": "green", "update": "yellow", "delete": "bold red"}
_NO_SLUG = "it has no slug"
_SHARED_SLUG = "it shares its slug with another check"


class _Command(click.Command):
    """A command whose errors, including wrong usage, all have exit status 1: 2 means that there are changes."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _one_exit_status():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _one_exit_status():
            return super().invoke(ctx)


@contextlib.contextmanager
def _one_exit_status() -> Generator[None]:
    try:
        yield
    except click.ClickException as error:
        vars(error)["exit_code"] = 1
        raise


_file_argument = click.argument("file", type=click.Path(allow_dash=False))
_prune_option = click.option("--prune", is_flag=True, help="Delete the checks that FILE does not declare.")
_prune_tag_option = click.option(
    "--prune-tag",
    metavar="TAG",
    shell_complete=complete_tags,
    help="Delete only those of them with this tag. Implies --prune.",
)


@click.command(cls=_Command)
@_file_argument
@_prune_option
@_prune_tag_option
@click.option("--exit-code", is_flag=True, help="Exit with status 2 if there are changes.")
@output.json_option
@with_client()
def plan(client: Client, file: str, prune: bool, prune_tag: str | None, exit_code: bool, as_json: bool) -> None:
    """Show what `checks apply` would change.

    FILE declares checks: TOML, YAML or JSON. The exit status is 0, or 1 after an error.
    """
    found = _make_plan(client, file, prune=prune, prune_tag=prune_tag)
    _show(found, as_json)
    sys.exit(2 if exit_code and found else 0)


@click.command(cls=_Command)
@_file_argument
@_prune_option
@_prune_tag_option
@click.option("--yes", is_flag=True, help="Do not ask for confirmation before deleting checks.")
@output.json_option
@with_client()
def apply(client: Client, file: str, prune: bool, prune_tag: str | None, yes: bool, as_json: bool) -> None:
    """Create, update and delete checks as FILE declares.

    FILE declares checks: TOML, YAML or JSON. Checks are deleted only with --prune, and after a confirmation.
    """
    from healthchecks_io.provisioning.apply import require_read_write_key

    found = _make_plan(client, file, prune=prune, prune_tag=prune_tag)
    require_read_write_key(found)
    _show(found, as_json)
    if not found:
        return
    deletions = [change for change in found.changes if change.action == "delete"]
    if deletions and not yes:
        output.confirm_deletion(len(deletions))
    apply_or_fail(client, found)
    if not as_json:
        click.echo("Applied.")


@click.command(cls=_Command)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["toml", "yaml", "json"]),
    default="toml",
    show_default=True,
    help="The format of the file.",
)
@with_client()
def export(client: Client, file_format: str) -> None:
    """Print a file that declares the checks of the project.

    Checks without a slug, or with the slug of another check, cannot be declared. They are listed on standard error.
    """
    from healthchecks_io.provisioning.files import dump_checks

    with output.progress("Loading checks"):
        checks = sorted(client.get_checks(), key=lambda check: check.slug)
        if any(check.channels is None for check in checks):
            raise click.ClickException("exporting needs a read-write API key: read-only keys cannot see all fields")
        integrations = client.get_integrations()
    reasons = _reasons(checks)
    declared = [_declaration(check, integrations) for check, reason in zip(checks, reasons, strict=True) if not reason]
    _write(dump_checks(declared, file_format))
    for check, reason in zip(checks, reasons, strict=True):
        if reason:
            click.echo(f"Not exported: {_title(check)}: {reason}", err=True)


def _reasons(checks: Sequence[Check]) -> list[str]:
    """Return why each check cannot be declared, or an empty string."""
    counts = Counter(check.slug for check in checks)
    return [
        "" if check.slug and counts[check.slug] == 1 else _SHARED_SLUG if check.slug else _NO_SLUG for check in checks
    ]


def _declaration(check: Check, integrations: Sequence[Integration]) -> CheckCreate:
    from pydantic import ValidationError

    from healthchecks_io.schemas.checks import CheckCreate
    from healthchecks_io.schemas.problems import problems_of

    try:
        return CheckCreate.from_check(check, integrations)
    except ValidationError as error:
        field, message = next(problems_of(error))
        output.fail(f"could not export {_title(check)}: {field}: {message}")


def _title(check: Check) -> str:
    return output.printable(f"{check.name or '(no name)'} ({lookup.check_id(check)})")


def _write(text: str) -> None:
    """Print a file. It is UTF-8 wherever it is redirected to, whatever the encoding of standard output."""
    if sys.stdout.isatty():
        click.echo("\n".join(map(output.printable, text.split("\n"))), nl=False)
    else:
        click.echo(text.encode(), nl=False)


def _make_plan(client: Client, file: str, *, prune: bool, prune_tag: str | None) -> Plan:
    from healthchecks_io.provisioning.files import load_checks

    try:
        wanted = load_checks(file)
    except ValueError as error:
        output.fail(str(error))
    if prune and prune_tag is None and not wanted:
        output.fail(
            f"{file}: pruning with a file without checks would delete all checks of the project: pass --prune-tag"
        )
    found = plan_or_fail(client, wanted, prune=prune, prune_tag=prune_tag)
    if prune or prune_tag is not None:
        _report_undeletable(found, prune_tag)
    return found


def plan_or_fail(
    client: Client, wanted: Sequence[CheckCreate], *, prune: bool = False, prune_tag: str | None = None
) -> Plan:
    """Plan the checks of a project, and show the progress.

    Raises:
        click.ClickException: The wanted checks conflict with each other or with the project.
    """
    from healthchecks_io.provisioning.apply import plan_checks

    try:
        with output.progress_of_many() as show:
            show("Loading checks")
            steps = plan_checks(client, wanted, prune=prune, prune_tag=prune_tag, waiting=output.waiting(show))
            return carry_out(client, steps)
    except ValueError as error:
        output.fail(str(error))


def apply_or_fail(client: Client, found: Plan) -> None:
    """Apply a plan, and show the progress.

    Raises:
        click.ClickException: The user interrupted it.
    """
    from healthchecks_io.provisioning.apply import apply_plan

    with output.progress_of_many() as show:
        position = "before the first change"

        def started(number: int, change: Change) -> None:
            nonlocal position
            position = f"at change {number} of {len(found.changes)} ({change.action} {change.slug})"
            show(f"{number} of {len(found.changes)}: {change.action} {change.slug}")

        try:
            carry_out(client, apply_plan(client, found, started, output.waiting(show)))
        except KeyboardInterrupt:
            output.fail(f"interrupted {position}: apply again to continue")


def _report_undeletable(found: Plan, prune_tag: str | None) -> None:
    for check, reason in zip(found.unmanaged, _reasons(found.unmanaged), strict=True):
        if reason and (prune_tag is None or prune_tag in check.tags.split()):
            click.echo(f"Not deleted: {_title(check)}: {reason}", err=True)


def _show(found: Plan, as_json: bool) -> None:
    if as_json:
        click.echo(found.to_json())
        return
    from rich.text import Text

    console = output.console()
    for change in found.changes:
        for line in str(change).split("\n"):
            console.print(Text(output.printable(line), _STYLES[change.action]), soft_wrap=True)
    click.echo(found.summary())
