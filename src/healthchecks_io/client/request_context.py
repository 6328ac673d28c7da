"""Distinguish the library's own requests from the work of the job."""

from __future__ import annotations

from contextvars import ContextVar

is_own_request: ContextVar[bool] = ContextVar("is_own_request", default=False)
"""True while a client sends a request: log records created in the meantime do not belong to the job."""
