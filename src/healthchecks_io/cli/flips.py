"""TODO."""

import click


@click.command()
def flips() -> None:
    """TODO."""
