"""Import click, as every command line that uses it does."""

import click  # noqa: F401 - its import is what is measured
