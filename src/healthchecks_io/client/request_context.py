"""Distinguish the library's own requests from the work of the job."""

from __future__ import annotations

from contextvars import ContextVar

is_own_request: ContextVar[bool] = ContextVar("is_own_request", default=False)
"""True while a client sends a request: log records created in the meantime do not belong to the job."""

waits_for_rate_limit: ContextVar[bool] = ContextVar("waits_for_rate_limit", default=False)
"""True while a procedure sends calls that it repeats after a 429, however long it must wait."""

logs_failures_itself: ContextVar[bool] = ContextVar("logs_failures_itself", default=False)
"""True while a run sends its pings: it logs each failure once, with the consequence for the job."""
