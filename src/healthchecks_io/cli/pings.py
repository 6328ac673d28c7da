"""The `pings` command."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from typing import TYPE_CHECKING

import click

from healthchecks_io._durations import format_duration
from healthchecks_io.cli import durations, output, tables
from healthchecks_io.cli.connection import checked_by, with_client
from healthchecks_io.cli.lookup import check_argument, find_uuids
from healthchecks_io.client import arguments

if TYPE_CHECKING:
    from rich.console import RenderableType

    from healthchecks_io.cli.tables import Cell
    from healthchecks_io.client import Client
    from healthchecks_io.schemas.checks import CheckPings

_COLUMNS = {
    tables.Column("Ping"): 6,
    tables.Column("Time"): 19,
    tables.Column("Kind"): 7,
    tables.Column("Duration"): 9,
    tables.Column("", worth=0): 12,
    tables.Column("Run ID", worth=1, shortest=7): 36,
}
"""The columns, with their widths for rows that are printed one by one."""
_BODIES = ("last", "last-fail")


def _parse_body(text: str) -> int | str:
    """Parse the number of a ping, ``last`` or ``last-fail``. Use it as the type of a click option."""
    if text in _BODIES:
        return text
    if re.fullmatch("[0-9]{1,18}", text):
        return checked_by(arguments.ping_number)(int(text))
    raise click.BadParameter(f"{text!r} is not the number of a ping, last or last-fail")


def _complete_body(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's signature
    return [word for word in _BODIES if word.startswith(incomplete)]


@click.command()
@check_argument
@click.option("--limit", type=click.IntRange(0), metavar="N", help="Show only the newest N pings.")
@click.option(
    "--body",
    type=_parse_body,
    metavar="N|last|last-fail",
    shell_complete=_complete_body,
    help="Print only the body of ping number N, of the last ping or of the last failure, unchanged.",
)
@click.option("--follow", is_flag=True, help="Keep showing new pings, oldest first, until interrupted.")
@click.option(
    "--interval",
    type=durations.parse_duration,
    default="5s",
    show_default=True,
    metavar="DURATION",
    help="How often --follow checks for new pings.",
)
@output.json_option
@with_client()
def pings(
    client: Client,
    check_name: str,
    limit: int | None,
    body: int | str | None,
    follow: bool,
    interval: float,
    as_json: bool,
) -> None:
    """List the pings of a check, newest first.

    Identify the check by its UUID, slug or exact name.
    """
    if not interval:
        raise click.UsageError("--interval must be greater than 0")
    if body is not None and (follow or as_json):
        raise click.UsageError("--body cannot be combined with --follow or --json")
    (check_id,) = find_uuids(client, [check_name])
    if body is not None:
        _print_body(_ping_body(client, check_id, body))
    elif follow:
        with contextlib.suppress(KeyboardInterrupt):
            _follow(client, check_id, limit, interval, as_json)
    else:
        found = client.get_check_pings(check_id)[:limit]
        if as_json:
            output.print_json([output.to_fields(ping) for ping in found])
        else:
            output.print_renderable(pings_table(found))


def _ping_body(client: Client, check_id: str, which: int | str) -> bytes:
    from healthchecks_io.client.exceptions import CheckNotFoundError

    if isinstance(which, int):
        try:
            return client.get_ping_body(check_id, which)
        except CheckNotFoundError:
            found = client.get_check_pings(check_id)
            ping = next((each for each in found if each.number_of_pings == which), None)
            if ping is None or ping.body_url is not None:
                raise
    else:
        found = client.get_check_pings(check_id)
        ping = next((each for each in found if which == "last" or each.type == "fail"), None)
        if ping is None:
            raise click.ClickException(
                f"none of the {len(found)} known pings is a failure" if found else "the check has no pings"
            )
        if ping.body_url is not None:
            return client.get_ping_body(check_id, ping.number_of_pings)
    raise click.ClickException(f"ping {ping.number_of_pings} ({ping.type}) has no body")


def _print_body(body: bytes) -> None:
    # A terminal would show the prompt in the same line.
    needs_newline = sys.stdout.isatty() and not body.endswith(b"\n")
    click.echo(body, nl=needs_newline)


def pings_table(found: list[CheckPings], *, margin: int = 0) -> RenderableType:
    """Build a table of pings. The margin is the part of the terminal's width that is not available."""
    longest = _longest_duration(found)
    return tables.table(tuple(_COLUMNS), [_cells(ping, longest) for ping in found], margin=margin)


def _follow(client: Client, check_id: str, limit: int | None, interval: float, as_json: bool) -> None:
    import time

    from healthchecks_io.client.exceptions import HCAPIRateLimitError, HCAPIUnavailableError

    found = client.get_check_pings(check_id)
    rows = tables.Rows(tuple(_COLUMNS), tuple(_COLUMNS.values()))
    if not as_json:
        rows.print_titles()
    new, longest = found[:limit], 0.0
    while True:
        longest = max(longest, _longest_duration(found))
        for ping in reversed(new):
            if as_json:
                click.echo(json.dumps(output.to_fields(ping)))
            else:
                rows.print(_cells(ping, longest))
        last = found[0].number_of_pings if found else 0
        time.sleep(interval)
        try:
            found = client.get_check_pings(check_id) or found
        except (HCAPIUnavailableError, HCAPIRateLimitError) as error:
            output.print_warning(str(error))
        new = [ping for ping in found if ping.number_of_pings > last]


def _longest_duration(found: list[CheckPings]) -> float:
    return max((ping.duration or 0 for ping in found), default=0)


def _cells(ping: CheckPings, longest: float) -> tuple[Cell, ...]:
    style = output.KIND_STYLES.get(ping.type, "")
    return (
        str(ping.number_of_pings),
        output.local_time(ping.date),
        (ping.type, style),
        "" if ping.duration is None else format_duration(ping.duration),
        (output.bar(ping.duration or 0, longest), style),
        ping.rid or "",
    )
