"""The command for the flips of a check."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from healthchecks_io.cli import durations, output
from healthchecks_io.cli.connection import with_client
from healthchecks_io.cli.lookup import check_argument, id_of

if TYPE_CHECKING:
    from datetime import datetime

    from healthchecks_io.client import Client
    from healthchecks_io.schemas.checks import CheckStatuses


def _moment(text: str) -> datetime:
    """Read a moment, the type of an option: UNIX seconds, or a date with or without a time."""
    from datetime import datetime, timezone

    try:
        if text.isdecimal():
            return datetime.fromtimestamp(int(text), timezone.utc)
        # Python 3.10 does not know the Z.
        return datetime.fromisoformat(f"{text[:-1]}+00:00" if text.endswith("Z") else text).astimezone()
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(f"{text!r} is no moment, such as 2026-01-31, 2026-01-31T12:00 or 1769860800") from None


@click.command()
@check_argument
@click.option("--seconds", type=durations.whole_seconds, metavar="DURATION", help="Only flips so long ago at most.")
@click.option("--start", type=_moment, metavar="TIME", help="Only flips at or after this moment.")
@click.option("--end", type=_moment, metavar="TIME", help="Only flips before this moment.")
@output.json_option
@with_client()
def flips(
    client: Client, check_name: str, seconds: int | None, start: datetime | None, end: datetime | None, as_json: bool
) -> None:
    """Show when a check went up or down, newest first, and how long that lasted.

    The check is named by its UUID, unique key, slug or exact name. A moment is a date, a date with a time, or UNIX
    seconds. The API does not tell whether a check that is not up is down, paused or resumed and not pinged yet. The
    uptime is that of the time since the oldest flip that is shown.
    """
    from datetime import datetime, timezone

    found = client.get_check_flips(id_of(client, check_name), seconds, start, end)
    if as_json:
        output.print_json([output.fields_of(flip) for flip in found])
        return
    now = datetime.now(timezone.utc)
    lasted = _seconds_of(found, now if end is None else min(end, now))
    output.print_table(
        ("Time", "State", "Lasted"),
        [
            (
                output.local_time(flip.timestamp),
                ("up", output.STATUS_STYLES["up"]) if flip.up else ("not up", output.STATUS_STYLES["down"]),
                durations.shown(seconds),
            )
            for flip, seconds in zip(found, lasted, strict=True)
        ],
    )
    covered = sum(lasted)
    if covered:
        up = sum(seconds for flip, seconds in zip(found, lasted, strict=True) if flip.up)
        # Rounded down: a check that was down for a moment was not up for 100 %.
        percent = math.floor(up / covered * 10_000) / 100
        click.echo(f"Uptime: {percent:.2f} % of {durations.shown(covered)}")


def _seconds_of(found: list[CheckStatuses], end: datetime) -> list[float]:
    """How long the states lasted that the flips began, up to this end."""
    ends = [end, *(flip.timestamp for flip in found)]
    # The clock of the server may be ahead of ours.
    return [max(0.0, (then - flip.timestamp).total_seconds()) for flip, then in zip(found, ends, strict=False)]
