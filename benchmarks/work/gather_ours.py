"""Send many pings at once, over and over, and print how fast they were."""

import asyncio
import json
import sys
import time

from healthchecks_io import AsyncClient


async def main(at_once: int) -> None:
    """Send them."""
    times = max(1, 300 // at_once)
    async with AsyncClient(ping_url=sys.argv[1]) as client:
        await client.success_ping("5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278")
        begun, cpu = time.perf_counter(), time.process_time()
        for _ in range(times):
            pings = [client.success_ping("5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278") for _ in range(at_once)]
            await asyncio.gather(*pings)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    sent = times * at_once
    print(json.dumps({"pings_per_second": sent / seconds, "cpu_per_ping": cpu / sent}))


asyncio.run(main(int(sys.argv[2])))
