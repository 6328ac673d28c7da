"""Get the reports of all checks one after the other, and print the rate."""

import json
import sys
import time

from healthchecks_io import Client

with Client(api_key="k" * 32, api_url=f"{sys.argv[1]}{sys.argv[2]}/") as client:
    client.get_check_flips("c")
    started = time.perf_counter()
    reports = client.get_reports()
    seconds = time.perf_counter() - started
assert len(reports) == int(sys.argv[2])
assert all(report.durations is not None and len(report.durations.values) == 50 for report in reports)
print(json.dumps({"reports_per_second": len(reports) / seconds}))
