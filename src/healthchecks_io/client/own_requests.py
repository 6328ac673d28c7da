"""Whether what happens is done by this library for its own requests."""

from __future__ import annotations

from contextvars import ContextVar

is_under_way: ContextVar[bool] = ContextVar("own_request_is_under_way", default=False)
"""Set while a client sends a request: the log records of that time are none of the job's."""
