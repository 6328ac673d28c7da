"""The command line."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthchecks_io._version import __version__

if TYPE_CHECKING:
    from collections.abc import Generator


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def commands() -> None:
    """Watch cron jobs and other jobs with Healthchecks."""


@commands.command()
def demo() -> None:
    """Show a monitored job, on a server of its own: no account is needed."""
    with _needing_the_sandbox():
        from healthchecks_io.cli.demo import run
    run()


@commands.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=0, type=click.IntRange(0, 65535), help="The port; any that is free if it is not given.")
@click.option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file that keeps the contents across restarts.",
)
def sandbox(host: str, port: int, state: Path | None) -> None:
    """Serve a local Healthchecks until interrupted: for demos, development and tests."""
    with _needing_the_sandbox():
        from healthchecks_io.cli.sandbox import serve
    serve(host, port, state)


@contextlib.contextmanager
def _needing_the_sandbox() -> Generator[None]:
    try:
        yield
    except ModuleNotFoundError:
        raise
    except ImportError as error:
        raise click.ClickException(str(error)) from None
