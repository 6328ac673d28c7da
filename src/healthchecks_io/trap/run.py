"""A run of a job, and the active runs of the current context."""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import TYPE_CHECKING, Literal

from healthchecks_io.trap.run_log import RunLog

if TYPE_CHECKING:
    import logging
    from typing import Any

LogScope = Literal["run", "process"]

_runs: ContextVar[tuple[Run, ...]] = ContextVar("runs", default=())
"""The runs of this thread or task, innermost last. Tasks inherit them. Some may have ended in the meantime."""

_process_runs: list[Run] = []
"""The active runs that take the log records of all threads."""


class Run:
    """One run of a job.

    Args:
        trap: The CheckTrap of the run, which CheckTrap.current() returns.
        rid: The run ID.
        log_level: The lowest level of log records to add to the log, or None to add none.
        log_formatter: Formats log records, or None for the default format.
        log_scope: Whether to add the records of this run's context, or of all threads.
    """

    def __init__(
        self,
        trap: Any,
        rid: str,
        log_level: int | None = None,
        log_formatter: logging.Formatter | None = None,
        log_scope: LogScope = "run",
    ) -> None:
        self.trap = trap
        self.rid = rid
        self.log = RunLog()
        self.is_active = False
        self.log_level = log_level
        self.log_formatter = log_formatter
        self.failure: str | None = None
        self._log_scope = log_scope
        self._pid = os.getpid()

    def begin(self) -> None:
        """Make this the innermost run of the context."""
        self.is_active = True
        self._pid = os.getpid()
        # Drop runs that have ended: otherwise, tasks that start tasks would pass them on forever.
        _runs.set((*current_runs(), self))
        if self._log_scope == "process":
            _process_runs.append(self)

    def end(self) -> None:
        """Remove this run from the context."""
        self.is_active = False
        # Do not restore the previous runs: runs may end out of order, or in another context.
        _runs.set(tuple(current_runs()))
        if self in _process_runs:
            _process_runs.remove(self)

    @property
    def was_forked(self) -> bool:
        """Whether the run began before a fork, and so belongs to the parent process."""
        return self._pid != os.getpid()

    def fail(self, reason: str) -> None:
        """Mark the run as failed. If it already was, add the previous reason to the log."""
        if self.failure:
            self.log.add_line(self.failure)
        self.failure = reason


def new_rid() -> str:
    """Return a new run ID: a random UUID. Importing the module uuid takes 2% of a script."""
    random = bytearray(os.urandom(16))
    random[6] = random[6] & 0x0F | 0x40  # version 4
    random[8] = random[8] & 0x3F | 0x80  # the variant of RFC 9562
    digits = random.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def current_runs() -> list[Run]:
    """Return the active runs of this context, innermost last."""
    return [run for run in _runs.get() if run.is_active]


def capturing_runs() -> list[Run]:
    """Return the active runs that take the log records of this context."""
    runs = current_runs()
    return runs + [run for run in _process_runs if run not in runs]


def add_log(line: str) -> None:
    """Add a line to the log of the current run. Outside of a run, do nothing.

    A function can use it without knowing whether it is monitored::

        def save(file: str) -> None:
            healthchecks_io.add_log(f"saved {file}")

    Args:
        line: The line, without a line break. Another value is converted to a string: a log must not stop a job.
    """
    runs = current_runs()
    if runs:
        runs[-1].log.add_line(str(line))
