"""A client for Healthchecks, the monitoring service for cron jobs, batch jobs and asyncio services."""

from __future__ import annotations

from healthchecks_io._lazy import lazy_getattr
from healthchecks_io._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from healthchecks_io.client.async_client import AsyncClient
    from healthchecks_io.client.exceptions import (
        BadAPIRequestError,
        CheckNotFoundError,
        CheckNotPausedError,
        HCAPIAuthError,
        HCAPIError,
        HCAPIRateLimitError,
        HCAPIUnavailableError,
        NonUniqueSlugError,
        PingFailedError,
        WrongClientError,
    )
    from healthchecks_io.client.ping_result import PingResult
    from healthchecks_io.client.sync_client import Client
    from healthchecks_io.monitoring.heartbeat import heartbeat
    from healthchecks_io.monitoring.monitor import monitor
    from healthchecks_io.provisioning.files import load_checks
    from healthchecks_io.provisioning.plan import Plan
    from healthchecks_io.reports.report import Report
    from healthchecks_io.schemas.badges import Badges
    from healthchecks_io.schemas.checks import Check, CheckCreate, CheckPings, CheckStatuses, CheckUpdate
    from healthchecks_io.schemas.integrations import Integration
    from healthchecks_io.trap.check_trap import CheckTrap
    from healthchecks_io.trap.run import add_log

__all__ = [
    "AsyncClient",
    "BadAPIRequestError",
    "Badges",
    "Check",
    "CheckCreate",
    "CheckNotFoundError",
    "CheckNotPausedError",
    "CheckPings",
    "CheckStatuses",
    "CheckTrap",
    "CheckUpdate",
    "Client",
    "HCAPIAuthError",
    "HCAPIError",
    "HCAPIRateLimitError",
    "HCAPIUnavailableError",
    "Integration",
    "NonUniqueSlugError",
    "PingFailedError",
    "PingResult",
    "Plan",
    "Report",
    "WrongClientError",
    "__version__",
    "add_log",
    "heartbeat",
    "load_checks",
    "monitor",
]

_EXCEPTIONS = "healthchecks_io.client.exceptions"
_CHECKS = "healthchecks_io.schemas.checks"

if not TYPE_CHECKING:  # With __getattr__, type checkers would accept misspelled names.
    __getattr__ = lazy_getattr(
        __name__,
        {
            "AsyncClient": "healthchecks_io.client.async_client",
            "BadAPIRequestError": _EXCEPTIONS,
            "Badges": "healthchecks_io.schemas.badges",
            "Check": _CHECKS,
            "CheckCreate": _CHECKS,
            "CheckNotFoundError": _EXCEPTIONS,
            "CheckNotPausedError": _EXCEPTIONS,
            "CheckPings": _CHECKS,
            "CheckStatuses": _CHECKS,
            "CheckTrap": "healthchecks_io.trap.check_trap",
            "CheckUpdate": _CHECKS,
            "Client": "healthchecks_io.client.sync_client",
            "HCAPIAuthError": _EXCEPTIONS,
            "HCAPIError": _EXCEPTIONS,
            "HCAPIRateLimitError": _EXCEPTIONS,
            "HCAPIUnavailableError": _EXCEPTIONS,
            "Integration": "healthchecks_io.schemas.integrations",
            "NonUniqueSlugError": _EXCEPTIONS,
            "PingFailedError": _EXCEPTIONS,
            "PingResult": "healthchecks_io.client.ping_result",
            "Plan": "healthchecks_io.provisioning.plan",
            "Report": "healthchecks_io.reports.report",
            "WrongClientError": _EXCEPTIONS,
            "add_log": "healthchecks_io.trap.run",
            "heartbeat": "healthchecks_io.monitoring.heartbeat",
            "load_checks": "healthchecks_io.provisioning.files",
            "monitor": "healthchecks_io.monitoring.monitor",
        },
        "client",
        "sandbox",
        "schemas",
    )


def __dir__() -> list[str]:
    return __all__
