"""Send batches of concurrent pings, and print the rate and the CPU time."""

import asyncio
import json
import sys
import time

from healthchecks_io import AsyncClient


async def main(concurrency: int) -> None:
    """Send the pings."""
    batches = max(1, 300 // concurrency)
    async with AsyncClient(ping_url=sys.argv[1]) as client:
        await client.success_ping("5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278")
        started, cpu = time.perf_counter(), time.process_time()
        for _ in range(batches):
            pings = [client.success_ping("5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278") for _ in range(concurrency)]
            await asyncio.gather(*pings)
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    sent = batches * concurrency
    print(json.dumps({"pings_per_second": sent / seconds, "cpu_per_ping": cpu / sent}))


asyncio.run(main(int(sys.argv[2])))
