"""Send pings with httpx.AsyncClient, one after the other."""

import asyncio
import sys

import httpx

HEADERS = {"Accept-Encoding": "identity", "User-Agent": "py-healthchecks.io/1.0.0", "Content-Type": "text/plain"}


async def main() -> None:
    """Send the pings."""
    async with httpx.AsyncClient() as client:
        for _ in range(int(sys.argv[2])):
            await client.post(f"{sys.argv[1]}5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278", headers=HEADERS)


asyncio.run(main())
