"""Log to the library's own logger, ``healthchecks_io``."""

from __future__ import annotations

import contextlib
import logging

from healthchecks_io.client.request_context import is_own_request

_logger = logging.getLogger("healthchecks_io")


def log(level: int, message: str, *arguments: object, exc_info: BaseException | None = None) -> None:
    """Log a message. An exception from a logging handler must not harm the job."""
    before = is_own_request.get()
    try:
        is_own_request.set(True)
        with contextlib.suppress(Exception):
            _logger.log(level, message, *arguments, exc_info=exc_info)
    finally:
        is_own_request.set(before)
