"""What happens because of this library's own requests: it is told apart from what the job does."""

from __future__ import annotations

from contextvars import ContextVar

is_under_way: ContextVar[bool] = ContextVar("own_request_is_under_way", default=False)
"""Set while a client sends a request: the log records of that time are none of the job's."""


def log(level: int, message: str, *arguments: object) -> None:
    """Log to the logger ``healthchecks_io``. A handler of the job that raises does not harm the job through us."""
    import logging

    is_nested = is_under_way.get()
    is_under_way.set(True)
    try:
        logging.getLogger("healthchecks_io").log(level, message, *arguments)
    except Exception:  # noqa: BLE001, S110 - there is nobody left to tell
        pass
    finally:
        is_under_way.set(is_nested)


INFO, WARNING = 20, 30
"""As in logging, which is imported only when there is something to log."""
