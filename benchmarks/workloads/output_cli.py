"""Pass on the output of a command into a pipe. Print the CPU time, without that of the command."""

import atexit
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

from healthchecks_io.__main__ import main

shown = os.dup(1)
with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as consumer:
    assert consumer.stdin is not None
    os.dup2(consumer.stdin.fileno(), 1)
    consumer.stdin.close()

    def show() -> None:
        """Print the figures of this process."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        status = Path("/proc/self/status").read_text()
        memory = int(status.partition("VmHWM:")[2].split()[0]) * 1024
        figures = {"own_cpu": usage.ru_utime + usage.ru_stime, "memory": memory}
        os.write(shown, json.dumps(figures).encode())

    atexit.register(show)
    os.environ |= {"HEALTHCHECKS_PING_KEY": "key", "HEALTHCHECKS_PING_URL": sys.argv[1]}
    sys.argv = ["py-healthchecks.io", "run", "--slug", "job", "--", "head", "-c", sys.argv[2], "/dev/zero"]
    try:
        main()
    finally:
        os.close(1)
