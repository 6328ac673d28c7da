"""Print the CPU time that `run` has taken when its command runs, for services in several states."""

import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

PROGRAM = str(Path(sys.executable).with_name("py-healthchecks.io"))
COMMAND = [PROGRAM, "run", "--http-timeout", "0.5", "--retries", "0", "--slug", "job", "--"]
# The first number is the CPU time of the main thread in nanoseconds.
READ_TIME = ["sh", "-c", "cat /proc/$PPID/schedstat"]

host = f"http://{urlsplit(sys.argv[1]).netloc}"
services = {"works": sys.argv[1], "refuses": "http://127.0.0.1:9/", "hangs": f"{host}/10000/"}
figures = {}
for name, url in services.items():
    environment = {**os.environ, "HEALTHCHECKS_PING_KEY": "key", "HEALTHCHECKS_PING_URL": url}
    result = subprocess.run([*COMMAND, *READ_TIME], env=environment, capture_output=True, text=True, check=True)
    figures[name] = int(result.stdout.split()[0]) / 1e9
print(json.dumps(figures))
