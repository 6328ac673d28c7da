"""Get a list of checks, and print the peak memory."""

import json
import sys
from pathlib import Path

from healthchecks_io import Client

with Client(api_key="key", api_url=sys.argv[1]) as client:
    for _ in range(int(sys.argv[2])):
        client.get_checks()
# That of getrusage() would include the process that started this one.
status = Path("/proc/self/status").read_text()
print(json.dumps({"memory": int(status.partition("VmHWM:")[2].split()[0]) * 1024}))
