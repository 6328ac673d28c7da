"""The `flips` command."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from healthchecks_io.cli import durations, output, tables
from healthchecks_io.cli.connection import with_client
from healthchecks_io.cli.lookup import check_argument, find_id

if TYPE_CHECKING:
    from datetime import datetime

    from healthchecks_io.client import Client
    from healthchecks_io.schemas.checks import CheckStatuses


def _parse_time(text: str) -> datetime:
    """Parse a UNIX timestamp or an ISO 8601 date with or without a time. Use it as the type of a click option."""
    from datetime import datetime, timezone

    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text), timezone.utc)
        # Python 3.10 does not parse the suffix "Z".
        return datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(
            f"{text!r} is not a valid time: use a form such as 2026-01-31, 2026-01-31T12:00 or 1769860800"
        ) from None


@click.command()
@check_argument
@click.option(
    "--seconds", type=durations.parse_whole_seconds, metavar="DURATION", help="Show only flips from the last DURATION."
)
@click.option("--start", type=_parse_time, metavar="TIME", help="Show only flips at or after this time.")
@click.option("--end", type=_parse_time, metavar="TIME", help="Show only flips before this time.")
@output.json_option
@with_client()
def flips(
    client: Client, check_name: str, seconds: int | None, start: datetime | None, end: datetime | None, as_json: bool
) -> None:
    """List the flips (status changes) of a check, newest first.

    Identify the check by its UUID, unique key, slug or exact name. Write a TIME as a date, a date with a time, or a
    UNIX timestamp.

    For each flip, the duration of the new status is shown. "not up" means that the check is down or paused, or that it
    was resumed but not pinged yet: the API does not distinguish these. The uptime covers the time since the oldest flip
    in the list.
    """
    from datetime import datetime, timezone

    found = client.get_check_flips(find_id(client, check_name), seconds, start, end)
    if as_json:
        output.print_json([output.to_fields(flip) for flip in found])
        return
    now = datetime.now(timezone.utc)
    status_durations = _status_durations(found, now if end is None else min(end, now))
    tables.print_table(
        tuple(map(tables.Column, ("Time", "Status", "Duration"))),
        [
            (
                output.local_time(flip.timestamp),
                ("up", output.STATUS_STYLES["up"]) if flip.up else ("not up", output.STATUS_STYLES["down"]),
                durations.format_duration(seconds),
            )
            for flip, seconds in zip(found, status_durations, strict=True)
        ],
    )
    total = sum(status_durations)
    if total:
        up = sum(seconds for flip, seconds in zip(found, status_durations, strict=True) if flip.up)
        # Round down: 100% must mean that the check was never down.
        percent = math.floor(up / total * 10_000) / 100
        click.echo(f"Uptime: {percent:.2f}% of {durations.format_duration(total)}")


def _status_durations(found: list[CheckStatuses], end: datetime) -> list[float]:
    """Return for how many seconds each flip's status lasted, up to `end`."""
    ends = [end, *(flip.timestamp for flip in found)]
    # The server's clock may be ahead of the local one.
    return [max(0.0, (until - flip.timestamp).total_seconds()) for flip, until in zip(found, ends, strict=False)]
