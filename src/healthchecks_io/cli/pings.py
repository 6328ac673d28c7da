"""TODO."""

import click


@click.command()
def pings() -> None:
    """TODO."""
