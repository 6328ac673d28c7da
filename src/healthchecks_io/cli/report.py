"""The `report` command."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import click

from healthchecks_io._durations import format_duration
from healthchecks_io.cli import output, tables
from healthchecks_io.cli.completion import complete_slugs, complete_tags
from healthchecks_io.cli.connection import with_client
from healthchecks_io.cli.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from healthchecks_io.cli.tables import Cell
    from healthchecks_io.client import Client
    from healthchecks_io.reports import Report

_BLOCKS = "▁▂▃▄▅▆▇█"
_GOOD, _FAIR = 1.0, 0.95
"""The uptimes that are shown in green and yellow."""

_COLUMNS = (
    Column("Check", shortest=16),
    Column("Status"),
    Column("Since", worth=3),
    Column("Uptime"),
    Column("Days", worth=6),
    Column("Runs", worth=5),
    Column("Failures", worth=4),
    Column("Typical", worth=2),
    Column("Durations", worth=1),
)


@click.command()
@click.argument("checks", metavar="[ID]...", nargs=-1, shell_complete=complete_slugs)
@click.option(
    "--days",
    type=click.IntRange(1, 365),
    metavar="N",
    default=30,
    show_default=True,
    help="How far back the report goes.",
)
@click.option(
    "--tag",
    "tags",
    multiple=True,
    shell_complete=complete_tags,
    help="Report only checks with this tag; if repeated, with all of these tags.",
)
@click.option(
    "--svg",
    "picture",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the report to a file as a picture, instead of printing a table.",
)
@output.json_option
@with_client()
def report(
    client: Client, checks: tuple[str, ...], days: int, tags: tuple[str, ...], picture: str | None, as_json: bool
) -> None:
    """Report how checks have been doing.

    Each ID is the UUID, unique key, slug or exact name of a check. By default, all checks are reported.

    Each row shows how long the check has had its status, the uptime with a bar of the days, how many runs ended and
    failed, and the typical duration of a run (the median) with the durations of the last runs.

    With --json, since and until are the beginning and end of the report, and status_since is when the check got its
    status.
    """
    if checks and tags:
        raise click.UsageError("pass either checks or --tag")
    reports = sorted(_reports(client, checks, days, tags), key=lambda each: (each.title.casefold(), each.check.slug))
    if picture is not None:
        if tags and not reports:
            raise click.ClickException(f"no check has {' and '.join(map(repr, tags))}: the picture was not drawn")
        _draw(reports, picture)
    if as_json:
        output.print_json([each.to_fields() for each in reports])
    elif picture is not None:
        return
    elif not reports:
        click.echo(output.no_checks(is_filtered=bool(tags)))
    else:
        tables.print_table(_COLUMNS, map(_row, reports))
        for note in _notes(reports):
            click.echo(f"Note: {note}.")


def _reports(client: Client, names: Sequence[str], days: int, tags: Sequence[str]) -> list[Report]:
    from healthchecks_io.cli import lookup
    from healthchecks_io.client.sync_client import carry_out
    from healthchecks_io.reports import fetch

    with output.progress_of_many() as show:
        waiting = output.waiting(show)
        show("Loading checks")
        found, now = carry_out(client, fetch.list_checks(client, tags or None, waiting))
        if names:
            found = lookup.choose_checks(client, names, found)

        def started(number: int) -> None:
            show(f"Loading check {number} of {len(found)}")

        return carry_out(client, fetch.reports_of(client, found, days, now, started, waiting))


def _draw(reports: Sequence[Report], picture: str) -> None:
    from pathlib import Path

    from healthchecks_io.reports.svg import to_svg

    # A page that shows the picture must never see half of it.
    path = Path(picture)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(to_svg(reports), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        advice = " (its folder must be writable, because the file is replaced)" if error.errno == errno.EACCES else ""
        raise click.ClickException(f"{picture} could not be written: {error.strerror}{advice}") from None


def _row(report: Report) -> list[Cell]:
    from rich.text import Text

    from healthchecks_io.reports.marks import bar_of_days, sparkline
    from healthchecks_io.reports.report import format_share

    typical = "" if report.durations is None else format_duration(report.durations.median)
    uptime = report.uptime
    has_runs = report.runs_since is not None
    return [
        report.title,
        (report.check.status, output.STATUS_STYLES.get(report.check.status, "")),
        _since(report),
        ("-" if uptime is None else format_share(uptime), _style(uptime)),
        Text.assemble(*((_block(day.uptime), _style(day.uptime)) for day in bar_of_days(report))),
        str(report.runs) if has_runs else "",
        (str(report.failures), "bold red" if report.failures else "") if has_runs else "",
        typical,
        _spark(sparkline(report)),
    ]


def _since(report: Report) -> str:
    """Return for how long the check has had its status. It is not known when a new check was created."""
    start = report.status_since
    if start is None or report.check.status == "new":
        return "-"
    if start < report.since and start != report.down_since:
        return f"> {(report.until - report.since).days} d"
    return format_duration(max((report.until - start).total_seconds(), 0.0))


def _style(uptime: float | None) -> str:
    return "dim" if uptime is None else "green" if uptime == _GOOD else "yellow" if uptime >= _FAIR else "red"


def _block(uptime: float | None) -> str:
    if output.console().options.ascii_only:
        return "." if uptime is None else "#" if uptime == _GOOD else "+" if uptime > 0.0 else "-"
    if uptime is None:
        return "·"
    # Only a day without any downtime has a full block.
    return _BLOCKS[-1] if uptime == _GOOD else _BLOCKS[min(int(uptime * 7), 6)]


def _spark(values: Iterable[float]) -> str:
    if output.console().options.ascii_only:
        return ""
    return "".join(_BLOCKS[round(value * 7)] for value in values)


def _notes(reports: Sequence[Report]) -> list[str]:
    """Return the notes of the reports, each once, with how many checks it concerns."""
    from collections import Counter

    if len(reports) == 1:
        return list(reports[0].notes)
    # What follows the colon may differ.
    counts = Counter(note.partition(":")[0] for each in reports for note in each.notes)
    return [f"{note} ({count} of {len(reports)} checks)" for note, count in counts.items()]
