"""Run an empty job with a monitor that declares the schedule of its check."""

import os
import sys

from healthchecks_io import monitor

os.environ["HEALTHCHECKS_PING_URL"] = os.environ["HEALTHCHECKS_API_URL"] = sys.argv[1]
os.environ["HEALTHCHECKS_API_KEY"] = "k" * 32


@monitor("nightly-backup", schedule="0 3 * * *", tz="Europe/Riga")
def job() -> None:
    """Do nothing."""


job()
