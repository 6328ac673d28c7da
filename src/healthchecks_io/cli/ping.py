"""TODO."""

import click


@click.command()
def ping() -> None:
    """TODO."""
