"""The `integrations`, `badges` and `status` commands."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from healthchecks_io.cli import output, tables
from healthchecks_io.cli.connection import with_client
from healthchecks_io.client.abstract_client import settings_of

if TYPE_CHECKING:
    from healthchecks_io.client import Client


@click.command()
@output.json_option
@with_client()
def integrations(client: Client, as_json: bool) -> None:
    """List the integrations (notification channels) of the project."""
    found = sorted(client.get_integrations(), key=lambda each: (each.name.casefold(), each.id))
    if as_json:
        output.print_json([output.to_fields(each) for each in found])
    else:
        tables.print_table(
            (tables.Column("Name", shortest=16), tables.Column("Kind", worth=0), tables.Column("ID")),
            [(each.name, each.kind, each.id) for each in found],
        )


@click.command()
@output.json_option
@with_client()
def badges(client: Client, as_json: bool) -> None:
    """List the URLs of the status badges.

    There is one set of badges for each tag, and one for all checks, shown as *.
    """
    found = {tag: output.to_fields(badges) for tag, badges in sorted(client.get_badges().items())}
    if as_json:
        output.print_json(found)
    else:
        tables.print_table(
            tuple(map(tables.Column, ("Tag", "Format", "URL"))),
            [(tag, form, str(url)) for tag, badges in found.items() for form, url in badges.items()],
        )


@click.command()
@output.json_option
@with_client(needs_key=False)
def status(client: Client, as_json: bool) -> None:
    """Check whether the management API is up.

    The exit status is 0 if it is up and 1 otherwise. No API key is needed. The ping URL is not checked: send a test
    ping, for example with `ping --slug test --create`.
    """
    is_up = client.get_status()
    if as_json:
        output.print_json({"works": is_up})
    else:
        settings = settings_of(client)
        click.echo(f"{settings.api_url} is {'up' if is_up else 'down'}")
        click.echo(f"{settings.ping_url} was not checked: send a test ping")
    sys.exit(0 if is_up else 1)
