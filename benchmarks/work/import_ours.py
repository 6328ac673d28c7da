"""Import the client."""

from healthchecks_io import Client  # noqa: F401 - that it is imported is what is measured
