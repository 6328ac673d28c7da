"""Get a list of checks."""

import sys

from healthchecks_io import Client

with Client(api_key="key", api_url=sys.argv[1]) as client:
    client.get_checks()
