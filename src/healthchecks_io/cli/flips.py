"""The `flips` command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from healthchecks_io._durations import format_duration
from healthchecks_io.cli import durations, output, tables
from healthchecks_io.cli.connection import checked_by, with_client
from healthchecks_io.cli.lookup import check_argument, find_id
from healthchecks_io.client import arguments

if TYPE_CHECKING:
    from datetime import datetime

    from healthchecks_io.client import Client
    from healthchecks_io.schemas.checks import CheckStatuses


_KEPT_FOR = 90
"""For how many days servers keep flips, at least."""


def _parse_time(text: str) -> datetime:
    """Parse a UNIX timestamp or an ISO 8601 date with or without a time. Use it as the type of a click option."""
    from datetime import datetime, timezone

    try:
        if text.isdecimal():
            moment = datetime.fromtimestamp(int(text), timezone.utc)
        else:
            # Python 3.10 does not parse the suffix "Z".
            moment = datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(
            f"{text!r} is not a valid time: use a form such as 2026-01-31, 2026-01-31T12:00 or 1769860800"
        ) from None
    checked_by(arguments.unix_seconds)(moment)
    return moment


def _parse_seconds(text: str) -> int:
    """Parse the length of the interval. Use it as the type of a click option."""
    return checked_by(arguments.flip_seconds)(durations.parse_whole_seconds(text))


@click.command()
@check_argument
@click.option("--seconds", type=_parse_seconds, metavar="DURATION", help="Show only flips from the last DURATION.")
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
    was resumed but not pinged yet: the API does not distinguish these. The uptime covers the time since --start or
    --seconds, otherwise since the oldest flip. It is shown only if the status is known for all of that time.
    """
    from datetime import datetime, timedelta, timezone

    from healthchecks_io.reports.report import format_share

    found = client.get_check_flips(find_id(client, check_name), seconds, start, end)
    if as_json:
        output.print_json([output.to_fields(flip) for flip in found])
        return
    now = datetime.now(timezone.utc)
    until = now if end is None else min(end, now)
    status_durations = _status_durations(found, until)
    tables.print_table(
        tuple(map(tables.Column, ("Time", "Status", "Duration"))),
        [
            (
                output.local_time(flip.timestamp),
                ("up", output.STATUS_STYLES["up"]) if flip.up else ("not up", output.STATUS_STYLES["down"]),
                format_duration(seconds),
            )
            for flip, seconds in zip(found, status_durations, strict=True)
        ],
    )
    beginnings = [start] if start is not None else []
    if seconds:
        beginnings.append(now - timedelta(seconds=seconds))
    if beginnings and max(beginnings) < now - timedelta(days=_KEPT_FOR):
        return
    before = _seconds_up_before(found, max(beginnings, default=None))
    if before is None:
        return
    total = before + sum(status_durations)
    up = before + sum(seconds for flip, seconds in zip(found, status_durations, strict=True) if flip.up)
    if total:
        click.echo(f"Uptime: {format_share(up / total)} of {format_duration(total)}")


def _status_durations(found: list[CheckStatuses], end: datetime) -> list[float]:
    """Return for how many seconds each flip's status lasted, up to `end`."""
    ends = [end, *(flip.timestamp for flip in found)]
    # The server's clock may be ahead of the local one.
    return [max(0.0, (until - flip.timestamp).total_seconds()) for flip, until in zip(found, ends, strict=False)]


def _seconds_up_before(found: list[CheckStatuses], since: datetime | None) -> float | None:
    """Return for how many seconds before its oldest flip the check was up, or None if that is not known.

    Args:
        found: The flips since the beginning, newest first.
        since: The beginning. If it is None, the time before the oldest flip does not count.
    """
    if not found:
        return None
    oldest = found[-1]
    if since is None:
        # Nothing shows for how long the check had been up before it went down.
        return 0.0 if oldest.up else None
    # Before it went down, it was up. Before it went up, it was down or did not exist.
    return None if oldest.up else max(0.0, (oldest.timestamp - since).total_seconds())
