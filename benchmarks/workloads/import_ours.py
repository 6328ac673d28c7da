"""Import the client."""

from healthchecks_io import Client  # noqa: F401 - the import is what is measured
