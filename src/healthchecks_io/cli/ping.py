"""The `ping` command."""

from __future__ import annotations

import signal
import sys
from typing import Any

import click

from healthchecks_io.cli.client import connect, warnings_printed
from healthchecks_io.cli.connection import checked_by, ping_options
from healthchecks_io.cli.output import print_warning
from healthchecks_io.cli.target import target, target_options
from healthchecks_io.client import arguments
from healthchecks_io.client.abstract_client import settings_of
from healthchecks_io.client.settings import warn_if_url_is_missing

_SERVICE_RESULTS = (
    "core-dump",
    "exec-condition",
    "exit-code",
    "oom-kill",
    "protocol",
    "resources",
    "signal",
    "start-limit-hit",
    "timeout",
    "watchdog",
)
"""The values of systemd's $SERVICE_RESULT for a failed service."""


@click.command()
@click.argument("signal_", metavar="[SIGNAL]", default="success")
@target_options
@click.option(
    "--rid", type=checked_by(arguments.run_id), metavar="UUID", help="Run ID, the same for all pings of a run."
)
@click.option("--data", metavar="TEXT", default="", help='Body of the ping; "-" reads it from standard input.')
@click.option("--json", "as_json", is_flag=True, help="Print the response as JSON.")
@ping_options
def ping(
    signal_: str,
    uuid: str | None,
    slug: str | None,
    create: bool,
    rid: str | None,
    data: str,
    as_json: bool,
    **connection: Any,
) -> None:
    """Send a single ping.

    SIGNAL is success (the default), start, fail, log, or an exit status from 0 to 255. It can also be the value of
    systemd's $EXIT_STATUS (a number or the name of a signal) or $SERVICE_RESULT.
    """
    kind = _kind_of(signal_)
    check = target(uuid, slug, create=create)
    body = sys.stdin.buffer.read() if data == "-" else data
    with connect(**connection) as client, warnings_printed(print_warning):
        warn_if_url_is_missing(settings_of(client), "PING")
        result = check.ping(client, kind, body, rid)
    if as_json:
        import json

        click.echo(json.dumps(result._asdict(), indent=2))
    if not result.success:
        from healthchecks_io.client.redaction import quote

        raise click.ClickException(
            f"the ping was not recorded; the response was {quote(settings_of(client), result.text)!r}"
        )
    if not as_json:
        click.echo(result.text)


def _kind_of(text: str) -> str | int:
    if text in ("success", "start", "fail", "log"):
        return text
    if text in _SERVICE_RESULTS:
        return "fail"
    if text.isascii() and text.isdecimal() and int(text) <= 255:
        return int(text)
    name, _, offset = text.removeprefix("SIG").partition("+")
    try:
        return 128 + signal.Signals[f"SIG{name}"] + int(offset or 0)
    except (KeyError, ValueError):
        raise click.UsageError(
            f"{text!r} is not a valid SIGNAL: use success, start, fail, log, an exit status from 0 to 255, or the name "
            "of the signal that ended the job. Select the check with --slug or --uuid."
        ) from None
