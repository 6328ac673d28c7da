"""Extras that some commands need."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Generator


@contextlib.contextmanager
def needing_the_sandbox() -> Generator[None]:
    """Import what needs the extra `sandbox`, or say in one line that it is missing."""
    try:
        yield
    except ModuleNotFoundError:
        raise
    except ImportError as error:
        raise click.ClickException(str(error)) from None
