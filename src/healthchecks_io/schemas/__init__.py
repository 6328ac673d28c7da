"""The request and response bodies of the management API, as pydantic models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from healthchecks_io._lazy import lazy_getattr

if TYPE_CHECKING:
    from healthchecks_io.schemas.badges import Badges
    from healthchecks_io.schemas.checks import Check, CheckCreate, CheckPings, CheckStatuses, CheckUpdate
    from healthchecks_io.schemas.integrations import Integration

__all__ = ["Badges", "Check", "CheckCreate", "CheckPings", "CheckStatuses", "CheckUpdate", "Integration"]

_CHECKS = "healthchecks_io.schemas.checks"

if not TYPE_CHECKING:  # With __getattr__, type checkers would accept misspelled names.
    __getattr__ = lazy_getattr(
        __name__,
        {
            "Badges": "healthchecks_io.schemas.badges",
            "Check": _CHECKS,
            "CheckCreate": _CHECKS,
            "CheckPings": _CHECKS,
            "CheckStatuses": _CHECKS,
            "CheckUpdate": _CHECKS,
            "Integration": "healthchecks_io.schemas.integrations",
        },
        "badges",
        "checks",
        "integrations",
    )


def __dir__() -> list[str]:
    return __all__
