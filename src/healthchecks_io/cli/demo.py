"""The command that shows a monitored job."""

from __future__ import annotations

import click

from healthchecks_io.cli.extras import needing_the_sandbox


@click.command()
def demo() -> None:
    """Show a monitored job, on a server of its own: no account is needed."""
    with needing_the_sandbox():
        from healthchecks_io.cli.demonstration import show
    show()
