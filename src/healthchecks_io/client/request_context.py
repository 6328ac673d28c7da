"""Tells the library's own requests from what the job does."""

from __future__ import annotations

from contextvars import ContextVar

is_own_request: ContextVar[bool] = ContextVar("is_own_request", default=False)
"""True while a client sends a request: log records of that time do not belong to the job."""
