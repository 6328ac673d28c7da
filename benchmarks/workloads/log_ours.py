"""Log many lines in a CheckTrap, and print the time per line and the growth of memory."""

import json
import resource
import sys
import time

from healthchecks_io import CheckTrap, Client

lines = int(sys.argv[2])
with Client(ping_url=sys.argv[1]) as client:
    with CheckTrap(client, "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278") as trap:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        started = time.process_time()
        for number in range(lines):
            trap.add_log(f"saved file number {number}")
        seconds = time.process_time() - started
    growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) * 1024
print(json.dumps({"seconds_per_line": seconds / lines, "growth": growth}))
