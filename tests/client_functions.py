"""Functions that the tests of `client=` pickle: other processes must be able to import them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from healthchecks_io import Client

HEADERS = {"X-From": "function"}


def make_httpx_client() -> httpx.Client:
    return httpx.Client(headers=HEADERS)


def make_async_httpx_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(headers=HEADERS)


def ping(client: Client) -> str:
    with client:
        return client.success_ping("u").text
