"""The command that sends one ping."""

from __future__ import annotations

import signal
import sys
from typing import Any

import click

from healthchecks_io.cli.connection import connect, ping_options
from healthchecks_io.cli.target import target, target_options

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
"""What systemd says of a service that failed, in $SERVICE_RESULT."""


@click.command()
@click.argument("signal_", metavar="[SIGNAL]", default="success")
@target_options
@click.option("--rid", metavar="UUID", help="The run ID, which the pings of one run have in common.")
@click.option("--data", metavar="TEXT", default="", help='What to store with the ping; "-" is standard input.')
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
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
    """Send one ping.

    SIGNAL is success (if none is given), start, fail, log, or an exit status from 0 to 255. systemd's $EXIT_STATUS (a
    number, or the name of a signal) and $SERVICE_RESULT are understood, too.
    """
    kind = _kind_of(signal_)
    check = target(uuid, slug, create=create)
    body = sys.stdin.buffer.read() if data == "-" else data
    with connect(**connection) as client:
        result = check.ping(client, kind, body, rid)
    if as_json:
        import json

        click.echo(json.dumps(result._asdict(), indent=2))
    if not result.success:
        raise click.ClickException(f"the ping was not recorded; the answer was {client._quoted(result.text)!r}")
    if not as_json:
        click.echo(result.text)


def _kind_of(text: str) -> str | int:
    if text in ("success", "start", "fail", "log"):
        return text
    if text in _SERVICE_RESULTS:
        return "fail"
    if text.isascii() and text.isdecimal() and int(text) <= 255:
        return int(text)
    name, _, further = text.removeprefix("SIG").partition("+")
    try:
        return 128 + signal.Signals[f"SIG{name}"] + int(further or 0)
    except (KeyError, ValueError):
        raise click.UsageError(
            f"{text!r} is no signal: give success, start, fail, log, an exit status from 0 to 255 or the name of a "
            "signal that ended the job; the check is named by --slug or --uuid"
        ) from None
