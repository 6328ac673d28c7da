"""Get a list of checks."""

import sys

from healthchecks_io import Client

with Client(api_key="key", api_url=sys.argv[1]) as client:
    for _ in range(int(sys.argv[2])):
        client.get_checks()
