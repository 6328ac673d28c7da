"""The commands for a project as a whole: its integrations and badges, and the service that it is with."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from healthchecks_io.cli import output
from healthchecks_io.cli.connection import with_client

if TYPE_CHECKING:
    from healthchecks_io.client import Client


@click.command()
@output.json_option
@with_client()
def integrations(client: Client, as_json: bool) -> None:
    """List the integrations: where alerts go."""
    found = sorted(client.get_integrations(), key=lambda each: (each.name.casefold(), each.id))
    if as_json:
        output.print_json([output.fields_of(each) for each in found])
    else:
        output.print_table(("Name", "Kind", "ID"), [(each.name, each.kind, each.id) for each in found])


@click.command()
@output.json_option
@with_client()
def badges(client: Client, as_json: bool) -> None:
    """List the addresses of the status badges: * stands for all checks, other names are tags."""
    found = {tag: output.fields_of(badges) for tag, badges in sorted(client.get_badges().items())}
    if as_json:
        output.print_json(found)
    else:
        output.print_table(
            ("Tag", "Format", "Address"),
            [(tag, form, str(address)) for tag, badges in found.items() for form, address in badges.items()],
        )


@click.command()
@output.json_option
@with_client(needs_key=False)
def status(client: Client, as_json: bool) -> None:
    """Tell whether the service works: the exit status is 0 if it does, else 1. This needs no key."""
    works = client.get_status()
    if as_json:
        output.print_json({"works": works})
    else:
        click.echo(f"{client._api_url} {'works' if works else 'does not work'}")
    sys.exit(0 if works else 1)
