"""TODO."""

import click


@click.command()
def checks() -> None:
    """TODO."""
