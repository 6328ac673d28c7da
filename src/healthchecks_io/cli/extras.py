"""Optional dependencies of some commands."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Generator


@contextlib.contextmanager
def sandbox_extra() -> Generator[None]:
    """Report a missing `sandbox` extra in one line, without a traceback, if an import in the block needs it."""
    try:
        yield
    except ModuleNotFoundError:
        raise
    except ImportError as error:
        raise click.ClickException(str(error)) from None
