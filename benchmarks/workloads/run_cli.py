"""Run a command that does nothing as a monitored job."""

import os
import sys

from healthchecks_io.__main__ import main

os.environ |= {"HEALTHCHECKS_PING_KEY": "key", "HEALTHCHECKS_PING_URL": sys.argv[1]}
sys.argv = ["py-healthchecks.io", "run", "--slug", "job", "--", "true"]
main()
