"""TODO."""

import click


@click.command()
def run() -> None:
    """TODO."""
