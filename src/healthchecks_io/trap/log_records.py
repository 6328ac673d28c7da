"""Capture the log records of runs without changing the job's own logging.

A handler on the root logger would change it: records without another handler would no longer reach standard error, and
``logging.basicConfig()`` would do nothing. Instead, ``Logger.callHandlers`` captures the records on their way to the
handlers. It is replaced while any run captures records.
"""

from __future__ import annotations

import copy
import functools
import logging
import os
import threading
from typing import TYPE_CHECKING

from healthchecks_io.client.request_context import is_own_request
from healthchecks_io.trap.run import capturing_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    CallHandlers: TypeAlias = Callable[[logging.Logger, logging.LogRecord], None]

_FORMATTER = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")

_lock = threading.RLock()
_listeners = 0
_tap: CallHandlers | None = None
"""Replaces Logger.callHandlers while there are listeners."""


def listen() -> None:
    """Start capturing records for a run."""
    global _listeners, _tap  # noqa: PLW0603 - logging.Logger is global, too
    with _lock:
        _listeners += 1
        if _tap is None:
            _tap = _tapping(logging.Logger.callHandlers)
            logging.Logger.callHandlers = _tap  # type: ignore[method-assign,assignment]  # see the module docstring


def unlisten() -> None:
    """Stop capturing records for a run."""
    global _listeners, _tap  # noqa: PLW0603 - see listen
    with _lock:
        _listeners -= 1
        if _tap is None or _listeners:
            return
        # If other code has patched it in the meantime, leave that patch in place, with an inactive tap below it.
        if logging.Logger.callHandlers is _tap:
            logging.Logger.callHandlers = _tap.__wrapped__  # type: ignore[method-assign,attr-defined]  # by wraps
        _tap = None


def _tapping(call_handlers: CallHandlers) -> CallHandlers:
    @functools.wraps(call_handlers)
    def tap(logger: logging.Logger, record: logging.LogRecord) -> None:
        if _tap is tap and not is_own_request.get():
            _capture(record)
        call_handlers(logger, record)

    return tap


def _capture(record: logging.LogRecord) -> None:
    for run in capturing_runs():
        if run.log_level is not None and record.levelno >= run.log_level:
            run.log.add_line(_format(record, run.log_formatter or _FORMATTER))


def _format(record: logging.LogRecord, formatter: logging.Formatter) -> str:
    try:
        # Formatters modify a record, which other handlers would see: format a copy.
        return str(formatter.format(copy.copy(record)))
    except Exception as error:  # noqa: BLE001 - a record that cannot be formatted must not harm the job
        from healthchecks_io.client.tracebacks import raise_if_from_signal_handler

        raise_if_from_signal_handler(error)
        if formatter is not _FORMATTER:
            return _format(record, _FORMATTER)
        return f"{record.levelname} {record.name}: a record that could not be formatted: {type(error).__name__}"


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - another thread may hold it at the moment of a fork
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no forks
    os.register_at_fork(after_in_child=_renew_lock)
