"""Log to the library's own logger, ``healthchecks_io``."""

from __future__ import annotations

import logging

from healthchecks_io.client.request_context import is_own_request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

IS_ABOUT_ATTEMPT = "is_about_attempt"
"""An attribute of the records about an attempt of a call. The caller learns how the call ended."""

_logger = logging.getLogger("healthchecks_io")
_warnings: set[str] = set()
"""The warnings that this process logs only once, and has logged."""


def log(
    level: int,
    message: str,
    *arguments: object,
    exc_info: BaseException | None = None,
    extra: Mapping[str, object] | None = None,
) -> None:
    """Log a message. An exception from a logging handler must not harm the job. One from a signal handler is raised."""
    before = is_own_request.get()
    try:
        is_own_request.set(True)
        _logger.log(level, message, *arguments, exc_info=exc_info, extra=extra, stacklevel=2)
    except Exception as error:  # noqa: BLE001 - a logging handler may raise anything
        from healthchecks_io.client.tracebacks import raise_if_from_signal_handler

        raise_if_from_signal_handler(error)
    finally:
        is_own_request.set(before)


def warn_once(message: str) -> None:
    """Log a warning, unless this process has already logged it."""
    if message not in _warnings:
        _warnings.add(message)
        log(logging.WARNING, "%s", message)
