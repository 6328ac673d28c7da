"""The command for the pings of a check."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

import click

from healthchecks_io.cli import durations, output
from healthchecks_io.cli.connection import with_client
from healthchecks_io.cli.lookup import check_argument, uuid_of

if TYPE_CHECKING:
    from rich.table import Table

    from healthchecks_io.cli.output import Cell
    from healthchecks_io.client import Client
    from healthchecks_io.schemas.checks import CheckPings

_WIDTHS = {"Ping": 6, "Time": 19, "Kind": 7, "Duration": 9, "": 12, "Run ID": 8}
"""The columns, and how wide they are where lines are printed one by one."""


@click.command()
@check_argument
@click.option("--limit", type=click.IntRange(0), metavar="N", help="Only the newest N pings.")
@click.option("--body", type=click.IntRange(1), metavar="N", help="Print the body of ping N instead, as it is.")
@click.option("--follow", is_flag=True, help="Show new pings as they come, oldest first, until interrupted.")
@click.option(
    "--interval",
    type=durations.duration,
    default="5s",
    show_default=True,
    metavar="DURATION",
    help="How often --follow looks for new pings.",
)
@output.json_option
@with_client()
def pings(
    client: Client,
    check_name: str,
    limit: int | None,
    body: int | None,
    follow: bool,
    interval: float,
    as_json: bool,
) -> None:
    """Show the pings of a check, newest first.

    The check is named by its UUID, slug or exact name.
    """
    if not interval:
        raise click.UsageError("--interval must be longer than nothing.")
    if body is not None and (follow or as_json):
        raise click.UsageError("--body goes with neither --follow nor --json.")
    check_id = uuid_of(client, check_name)
    if body is not None:
        click.echo(client.get_ping_body(check_id, body), nl=False)
    elif follow:
        with contextlib.suppress(KeyboardInterrupt):
            _follow(client, check_id, limit, interval, as_json)
    else:
        found = client.get_check_pings(check_id)[:limit]
        if as_json:
            output.print_json([output.fields_of(ping) for ping in found])
        else:
            output.draw(table_of(found))


def table_of(found: list[CheckPings]) -> Table:
    """Draw pings."""
    longest = _longest(found)
    return output.table(tuple(_WIDTHS), [_cells(ping, longest) for ping in found])


def _follow(client: Client, check_id: str, limit: int | None, interval: float, as_json: bool) -> None:
    import time

    from healthchecks_io.client.exceptions import HCAPIRateLimitError, HCAPIUnavailableError

    found = client.get_check_pings(check_id)
    if not as_json:
        output.print_line(tuple(_WIDTHS), tuple(_WIDTHS.values()))
    new, longest = found[:limit], 0.0
    while True:
        longest = max(longest, _longest(found))
        for ping in reversed(new):
            if as_json:
                click.echo(json.dumps(output.fields_of(ping)))
            else:
                output.print_line(_cells(ping, longest), tuple(_WIDTHS.values()))
        last = found[0].number_of_pings if found else 0
        time.sleep(interval)
        try:
            found = client.get_check_pings(check_id) or found
        except (HCAPIUnavailableError, HCAPIRateLimitError) as error:
            click.echo(f"Warning: {output.printable(str(error))}", err=True)
        new = [ping for ping in found if ping.number_of_pings > last]


def _longest(found: list[CheckPings]) -> float:
    return max((ping.duration or 0 for ping in found), default=0)


def _cells(ping: CheckPings, longest: float) -> tuple[Cell, ...]:
    style = output.KIND_STYLES.get(ping.type, "")
    return (
        str(ping.number_of_pings),
        output.local_time(ping.date),
        (ping.type, style),
        "" if ping.duration is None else durations.shown(ping.duration),
        (output.bar(ping.duration or 0, longest), style),
        (ping.rid or "")[:8],
    )
