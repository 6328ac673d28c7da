"""Run many heartbeats in one event loop, and print the share of a core that they take at one ping a minute each."""

import asyncio
import json
import os
import sys
import time

from healthchecks_io.client import async_transports
from healthchecks_io.monitoring import heartbeat

_INTERVAL = 2.0
_ROUNDS = 3


async def main(count: int) -> None:
    """Run the heartbeats at a shorter interval."""
    heartbeat.MIN_INTERVAL = _INTERVAL
    # At one ping a minute, each ping opens a connection.
    vars(async_transports)["MAX_IDLE_SECONDS"] = 0.0
    is_over = asyncio.Event()

    async def run() -> None:
        async with heartbeat.heartbeat(uuid="5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278", every=_INTERVAL):
            await is_over.wait()

    tasks = [asyncio.create_task(run()) for _ in range(count)]
    await asyncio.sleep(_INTERVAL * 0.75)
    started = time.process_time()
    await asyncio.sleep(_INTERVAL * _ROUNDS)
    per_round = (time.process_time() - started) / _ROUNDS
    is_over.set()
    await asyncio.gather(*tasks)
    print(json.dumps({"share_of_core": per_round / 60}))


os.environ["HEALTHCHECKS_PING_URL"] = sys.argv[1]
asyncio.run(main(int(sys.argv[2])))
