"""The command that serves a sandbox."""

from __future__ import annotations

from pathlib import Path

import click

from healthchecks_io.cli.extras import needing_the_sandbox


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="The port; any that is free if it is not given.")
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file that keeps the contents across restarts.",
)
def sandbox(host: str, port: int, state: Path | None) -> None:
    """Serve a local Healthchecks until interrupted: for demos, development and tests."""
    with needing_the_sandbox():
        from healthchecks_io.cli.serving import serve
    serve(host, port, state)
