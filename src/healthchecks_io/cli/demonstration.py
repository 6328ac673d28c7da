"""The demo: a check, two runs of a job, and what the server recorded."""

from __future__ import annotations

import time
from textwrap import indent
from typing import TYPE_CHECKING, Any

from rich.padding import Padding
from rich.text import Text

from healthchecks_io import monitor
from healthchecks_io.cli import output
from healthchecks_io.cli.pings import pings_table
from healthchecks_io.sandbox import Sandbox

if TYPE_CHECKING:
    from rich.console import Console

    from healthchecks_io import Check, CheckTrap, Client
    from healthchecks_io.monitoring.monitor import Monitor

_ITEMS = {"photos": 0.2, "letters": 0.1, "accounts": 0.1}
"""The items that the job backs up, and how many seconds each one takes."""

_KEYS_SETUP = """\
export HEALTHCHECKS_API_KEY=...     # Project Settings, API Access: read-write
export HEALTHCHECKS_PING_KEY=...    # Project Settings, API Access: ping key
"""
_URLS_SETUP = """\
export HEALTHCHECKS_API_URL=https://healthchecks.example.org/api/
export HEALTHCHECKS_PING_URL=https://healthchecks.example.org/ping/
"""
_JOB_CODE = """\
from healthchecks_io import add_log, monitor

@monitor("nightly-backup", period="1d", grace="1h")
def back_up():
    add_log("saved photos")
"""


def run_demo() -> None:
    """Run the demo and print what happens."""
    console = output.console()
    console.soft_wrap = True
    with Sandbox() as hc, hc.client() as client:
        console.print(f"A local Healthchecks server runs at [bold]{hc.api_url}[/] until this demo ends.")
        monitored = monitor(
            "nightly-backup", client=client, period="1d", grace="1h", name="Nightly backup", tags="demo"
        )
        _show_run(console, monitored, "A successful run", disk_is_full=False)
        (check,) = client.get_checks(slug="nightly-backup")
        console.print(
            f"  This created the check [bold]{check.name}[/]: it expects a run every day, with a grace time of an hour."
        )
        _show_run(console, monitored, "A failed run", disk_is_full=True)
        _show_result(console, client, check.uuid or "")
    _show_next_steps(console)


def _back_up(trap: CheckTrap[Client, Any], *, disk_is_full: bool) -> None:
    for name, seconds in _ITEMS.items():
        time.sleep(seconds)
        if disk_is_full and name == "accounts":
            raise OSError(f"no space left on device, while saving {name}")
        trap.add_log(f"saved {name}")


def _show_run(console: Console, monitored: Monitor[Client, Any], title: str, *, disk_is_full: bool) -> None:
    console.print(f"\n[bold]{title}[/]")
    try:
        with monitored as trap:
            console.print(f"  Running the job with run ID {trap.rid}")
            _back_up(trap, disk_is_full=disk_is_full)
        console.print("  The job succeeded. Sent a success ping with its log.")
    except OSError as error:
        console.print(f"  The job raised {error!r}. Sent a fail ping with its log and traceback.")


def _show_result(console: Console, client: Client, uuid: str) -> None:
    check = client.get_check(uuid)
    pings = client.get_check_pings(uuid)
    console.print("\n[bold]What the server recorded[/]")
    console.print(_summary(check))
    console.print(Padding(pings_table(pings, margin=4), (1, 2), expand=False))
    failed = next(ping for ping in pings if ping.type == "fail")
    console.print(f"[bold]The log of the failed run[/], stored with ping {failed.number_of_pings}")
    body = client.get_ping_body(uuid, failed.number_of_pings).decode()
    _show_text(console, body)


def _summary(check: Check) -> Text:
    style = output.STATUS_STYLES[check.status]
    return Text.assemble("  ", check.name, " is ", (check.status, style), f" after {check.n_pings} pings")


def _show_text(console: Console, text: str) -> None:
    console.print(Text(indent(text, "  ")))


def _show_next_steps(console: Console) -> None:
    console.print("\n[bold]To use healthchecks.io[/], set the keys of your project:")
    _show_text(console, _KEYS_SETUP)
    console.print("[bold]To use a self-hosted server[/], set its URLs too:")
    _show_text(console, _URLS_SETUP)
    console.print("The same code then monitors your job:")
    _show_text(console, _JOB_CODE)
