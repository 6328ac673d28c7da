"""The clients, and CheckTrap, which monitors a job with either of them."""

from __future__ import annotations

from healthchecks_io._lazy import lazy_getattr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from healthchecks_io.client.async_client import AsyncClient
    from healthchecks_io.client.ping_result import PingResult
    from healthchecks_io.client.sync_client import Client
    from healthchecks_io.trap.check_trap import CheckTrap

__all__ = ["AsyncClient", "CheckTrap", "Client", "PingResult"]

if not TYPE_CHECKING:  # With __getattr__, type checkers would accept misspelled names.
    __getattr__ = lazy_getattr(
        __name__,
        {
            "AsyncClient": "healthchecks_io.client.async_client",
            "CheckTrap": "healthchecks_io.trap.check_trap",
            "Client": "healthchecks_io.client.sync_client",
            "PingResult": "healthchecks_io.client.ping_result",
        },
        "exceptions",
    )


def __dir__() -> list[str]:
    return __all__
