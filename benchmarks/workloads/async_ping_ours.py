"""Send pings with AsyncClient, one after the other."""

import asyncio
import sys

from healthchecks_io import AsyncClient


async def main() -> None:
    """Send the pings."""
    async with AsyncClient(ping_url=sys.argv[1]) as client:
        for _ in range(int(sys.argv[2])):
            await client.success_ping("5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278")


asyncio.run(main())
