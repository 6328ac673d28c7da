"""The `demo` command."""

from __future__ import annotations

import click

from healthchecks_io.cli.extras import sandbox_extra


@click.command()
def demo() -> None:
    """Run a monitored job against a temporary local server; no account needed."""
    with sandbox_extra():
        from healthchecks_io.cli.demonstration import run_demo
    run_demo()
