"""The `sandbox` command."""

from __future__ import annotations

from pathlib import Path

import click

from healthchecks_io.cli.extras import sandbox_extra


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=0,
    type=click.IntRange(0, 65535),
    metavar="N",
    help="Port to listen on; any free port by default.",
)
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the data in this file across restarts.",
)
@click.option("--server-version", metavar="VERSION", help="Behave like this version of Healthchecks, such as 2.10.")
def sandbox(host: str, port: int, state: Path | None, server_version: str | None) -> None:
    """Run a local Healthchecks server for demos, development and tests.

    The server runs until it is interrupted. Its keys and URLs are printed as export statements for a shell, and further
    keys as comments.
    """
    with sandbox_extra():
        from healthchecks_io.cli.serving import serve
    serve(host, port, state, server_version)
