"""Get the reports of all checks, several at once, and print the rate and the peak memory."""

import asyncio
import json
import sys
import time
from pathlib import Path

from healthchecks_io import AsyncClient, Report


async def main(url: str) -> tuple[list[Report], float]:
    """Get the reports, and measure the time in seconds."""
    async with AsyncClient(api_key="k" * 32, api_url=url) as client:
        await client.get_check_flips("c")
        started = time.perf_counter()
        return await client.get_reports(), time.perf_counter() - started


reports, seconds = asyncio.run(main(f"{sys.argv[1]}{sys.argv[2]}/"))
assert len(reports) == int(sys.argv[2])
assert all(report.durations is not None and len(report.durations.values) == 50 for report in reports)
# That of getrusage() would include the process that started this one.
status = Path("/proc/self/status").read_text()
memory = int(status.partition("VmHWM:")[2].split()[0]) * 1024
print(json.dumps({"reports_per_second": len(reports) / seconds, "memory": memory}))
