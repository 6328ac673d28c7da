"""Send pings, one after the other."""

import sys

from healthchecks_io import Client

with Client(ping_url=sys.argv[1]) as client:
    for _ in range(int(sys.argv[2])):
        client.success_ping("5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278")
