"""The log records of runs, taken without changing anything about the job's own logging.

A handler on the root logger would do harm: with it, records that nobody else handles reach standard error no longer,
and ``logging.basicConfig()`` does nothing. So records are taken on their way to the handlers, in
``Logger.callHandlers``, for as long as a run wants them.
"""

from __future__ import annotations

import copy
import functools
import logging
import os
import threading

from healthchecks_io.client import own_requests
from healthchecks_io.client.run import current_runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    CallHandlers: TypeAlias = Callable[[logging.Logger, logging.LogRecord], None]

_FORMATTER = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")

_lock = threading.RLock()
_listeners = 0
_tap: CallHandlers | None = None
"""What stands in the place of Logger.callHandlers while anybody listens."""


def listen() -> None:
    """Take records from now on: for one more than before."""
    global _listeners, _tap  # noqa: PLW0603 - what they describe, logging.Logger, is there once too
    with _lock:
        _listeners += 1
        if _tap is None:
            _tap = _tapping(logging.Logger.callHandlers)
            logging.Logger.callHandlers = _tap  # type: ignore[method-assign,assignment]  # see the module


def unlisten() -> None:
    """Take no records any more, when nobody else listens."""
    global _listeners, _tap  # noqa: PLW0603 - see listen
    with _lock:
        _listeners -= 1
        if _tap is None or _listeners:
            return
        # If somebody has come in between, the tap stays below it, and only passes on.
        if logging.Logger.callHandlers is _tap:
            logging.Logger.callHandlers = _tap.__wrapped__  # type: ignore[method-assign,attr-defined]  # by wraps
        _tap = None


def _tapping(call_handlers: CallHandlers) -> CallHandlers:
    @functools.wraps(call_handlers)
    def tap(logger: logging.Logger, record: logging.LogRecord) -> None:
        if _tap is tap and not own_requests.is_under_way.get():
            _take(record)
        call_handlers(logger, record)

    return tap


def _take(record: logging.LogRecord) -> None:
    for run in current_runs():
        if run.log_level is not None and record.levelno >= run.log_level:
            run.log.add_line(_line_of(record, run.log_formatter or _FORMATTER))


def _line_of(record: logging.LogRecord, formatter: logging.Formatter) -> str:
    try:
        # Of a copy, because a formatter leaves things on the record, which other formatters would find there.
        return str(formatter.format(copy.copy(record)))
    except Exception as error:  # noqa: BLE001 - a record that cannot be written must not harm the job
        if formatter is not _FORMATTER:
            return _line_of(record, _FORMATTER)
        return f"{record.levelname} {record.name}: a record that cannot be shown: {type(error).__name__}"


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - another thread may have held it at the moment of the fork
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no forks
    os.register_at_fork(after_in_child=_renew_lock)
