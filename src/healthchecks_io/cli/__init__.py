"""The command line."""

from __future__ import annotations

import click

from healthchecks_io._version import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def commands() -> None:
    """Watch cron jobs and other jobs with Healthchecks."""


@commands.command()
def demo() -> None:
    """Show a monitored job, on a server of its own: no account is needed."""
    try:
        from healthchecks_io.cli.demo import run
    except ModuleNotFoundError:
        raise
    except ImportError as error:
        raise click.ClickException(str(error)) from None
    run()
