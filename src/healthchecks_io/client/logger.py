"""Log to the library's own logger, ``healthchecks_io``."""

from __future__ import annotations

import logging

from healthchecks_io.client.request_context import is_own_request

_logger = logging.getLogger("healthchecks_io")


def log(level: int, message: str, *arguments: object, exc_info: BaseException | None = None) -> None:
    """Log a message. An exception from a logging handler must not harm the job. One from a signal handler is raised."""
    before = is_own_request.get()
    try:
        is_own_request.set(True)
        _logger.log(level, message, *arguments, exc_info=exc_info)
    except Exception as error:  # noqa: BLE001 - a logging handler may raise anything
        from healthchecks_io.client.tracebacks import raise_if_from_signal_handler

        raise_if_from_signal_handler(error)
    finally:
        is_own_request.set(before)
