"""Pass on the output of a command into a pipe with cat(1). Print its CPU time."""

import json
import os
import subprocess
import sys

source = subprocess.Popen(["head", "-c", sys.argv[2], "/dev/zero"], stdout=subprocess.PIPE)
consumer = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
cat = subprocess.Popen(["cat"], stdin=source.stdout, stdout=consumer.stdin)
assert source.stdout is not None
assert consumer.stdin is not None
source.stdout.close()
consumer.stdin.close()
_, status, usage = os.wait4(cat.pid, 0)
cat.returncode = os.waitstatus_to_exitcode(status)
source.wait()
consumer.wait()
print(json.dumps({"own_cpu": usage.ru_utime + usage.ru_stime}))
