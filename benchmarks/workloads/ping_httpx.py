"""Send pings with httpx.Client, one after the other."""

import sys

import httpx

HEADERS = {"Accept-Encoding": "identity", "User-Agent": "py-healthchecks.io/1.0.0", "Content-Type": "text/plain"}

with httpx.Client() as client:
    for _ in range(int(sys.argv[2])):
        client.post(f"{sys.argv[1]}5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278", headers=HEADERS)
