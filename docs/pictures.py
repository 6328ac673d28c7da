"""Draws screenshots of commands in a terminal.

Run it after changing the output of these commands: ``python docs/pictures.py``.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5

from rich.console import Console
from rich.text import Text

from healthchecks_io import CheckCreate
from healthchecks_io.cli import commands
from healthchecks_io.reports import to_svg
from healthchecks_io.sandbox import Sandbox

if TYPE_CHECKING:
    from healthchecks_io import Client

FOLDER = Path(__file__).parent / "_static"
COMMANDS = ["checks list", "pings nightly-backup"]
CHECKS = [
    CheckCreate(name="Nightly backup", slug="nightly-backup", tags="prod db", timeout=timedelta(days=1)),
    CheckCreate(name="Mail queue", slug="mail-queue", tags="prod", timeout=timedelta(minutes=5), grace=60),
    CheckCreate(name="Weekly report", slug="weekly-report", schedule="0 9 * * MON", tz="Europe/Riga"),
    CheckCreate(name="Certificates", slug="certificates", tags="web", timeout=timedelta(days=30)),
    CheckCreate(
        name="Thumbnails", slug="thumbnails", tags="web", timeout=timedelta(minutes=10), grace=timedelta(days=2)
    ),
]


CRONTAB = """\
MAILTO=ops@example.org
0 3 * * *    pg_dump shop | gzip > shop-$(date +\\%u).gz
*/15 * * * * nice -n 10 getmail --quiet
0 9 * * MON  weekly-report ops%Last week
@daily       certbot renew && curl -fsS https://hc-ping.com/5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278
@reboot      ssh-tunnel
"""


class Terminal(io.TextIOWrapper):
    """An in-memory standard output that claims to be a terminal."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        """Return True, to get boxes and colours."""
        return True

    def contents(self) -> str:
        """Return the output, including the escape sequences for colours."""
        self.seek(0)
        return self.read()


def fill(hc: Sandbox, client: Client) -> None:
    """Create the checks and simulate four nights of pings, with one failed backup."""
    for check in CHECKS:
        client.create_check(check)
    hc.advance(seconds=(hc.now.replace(hour=3, minute=0, second=0) + timedelta(days=1) - hc.now).total_seconds())
    for night, minutes in enumerate((12, 11, 25, 13)):
        rid = uuid5(NAMESPACE_URL, f"night {night}")
        client.start_ping(slug="nightly-backup", rid=rid)
        client.success_ping(slug="thumbnails")
        client.success_ping(slug="mail-queue")
        hc.advance(minutes=minutes)
        client.exit_code_ping(1 if night == 2 else 0, slug="nightly-backup", rid=rid)
        if night < 3:
            hc.advance(minutes=24 * 60 - minutes)


def fill_with_a_month(hc: Sandbox, client: Client) -> None:
    """Create the checks and simulate 40 days of pings, with some failures, and nights on which nothing ran."""
    random = Random(1)  # noqa: S311 - only for looks
    names = ("nightly-backup", "mail-queue", "thumbnails")
    for check in CHECKS:
        if check.slug in names:
            client.create_check(CheckCreate(name=check.name, slug=check.slug, timeout=timedelta(days=1)))
        else:
            client.create_check(check)
    hc.advance(seconds=(hc.now.replace(hour=3, minute=0, second=0) + timedelta(days=1) - hc.now).total_seconds())
    for night in range(40):
        running = [name for name in names if random.random() > 0.03]
        for name in running:
            client.start_ping(slug=name)
        hc.advance(minutes=10 + night // 4 + random.randrange(4))
        for name in running:
            has_failed = name == "thumbnails" and random.random() < 0.15
            client.exit_code_ping(int(has_failed), slug=name)
        hc.advance(seconds=(hc.now.replace(hour=3, minute=0, second=0) + timedelta(days=1) - hc.now).total_seconds())


def picture(command: str, *hidden: str) -> str:
    """Run a command and return its output as an SVG image.

    Args:
        command: The command.
        *hidden: Further arguments, which the title does not show.
    """
    with contextlib.redirect_stdout(Terminal()) as terminal:
        commands.main([*command.split(), *hidden], standalone_mode=False)
    output = Text.from_ansi(terminal.contents())
    console = Console(record=True, file=io.StringIO(), width=max(map(len, output.plain.splitlines())))
    console.print(output)
    svg = console.export_svg(title=f"py-healthchecks.io {command}", unique_id=command.replace(" ", "-"))
    # Remove the web fonts, so that the image loads no external resources.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return "".join(f"{line.rstrip()}\n" for line in svg.splitlines())


def pictures() -> dict[Path, str]:
    """Return all images by file."""
    os.environ.pop("NO_COLOR", None)
    os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", COLUMNS="112", TZ="UTC")
    with Sandbox() as hc:
        fill(hc, hc.client(api_version=3))
        os.environ.update(HEALTHCHECKS_API_KEY=hc.api_key, HEALTHCHECKS_API_URL=hc.api_url)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "crontab"
            file.write_text(CRONTAB, encoding="utf-8")
            crontab = picture("crontab", str(file), "--prefix=web1", "--tz=Europe/Riga")
        drawn = {FOLDER / f"{command.replace(' ', '-')}.svg": picture(command) for command in COMMANDS}
    with Sandbox() as hc:
        fill_with_a_month(hc, hc.client(api_version=3))
        os.environ.update(HEALTHCHECKS_API_KEY=hc.api_key, HEALTHCHECKS_API_URL=hc.api_url)
        drawn[FOLDER / "crontab.svg"] = crontab
        drawn[FOLDER / "report.svg"] = picture("report")
        drawn[FOLDER / "report-page.svg"] = to_svg(hc.client(api_version=3).get_reports())
    return drawn


if __name__ == "__main__":
    for file, svg in pictures().items():
        file.write_text(svg, encoding="utf-8")
