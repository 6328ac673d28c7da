"""A run of a job, and the active runs of the current context."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from healthchecks_io.trap.run_log import RunLog

if TYPE_CHECKING:
    import logging
    from typing import Any

_runs: ContextVar[tuple[Run, ...]] = ContextVar("runs", default=())
"""The runs of this thread or task, innermost last. Tasks inherit them. Some may have ended in the meantime."""


class Run:
    """One run of a job.

    Args:
        trap: The CheckTrap of the run, which CheckTrap.current() returns.
        rid: The run ID.
        log_level: The lowest level of log records to add to the log, or None to add none.
        log_formatter: Formats log records, or None for the default format.
    """

    def __init__(
        self, trap: Any, rid: str, log_level: int | None = None, log_formatter: logging.Formatter | None = None
    ) -> None:
        self.trap = trap
        self.rid = rid
        self.log = RunLog()
        self.is_active = False
        self.log_level = log_level
        self.log_formatter = log_formatter

    def begin(self) -> None:
        """Make this the innermost run of the context."""
        self.is_active = True
        # Drop runs that have ended: otherwise, tasks that start tasks would pass them on forever.
        _runs.set((*current_runs(), self))

    def end(self) -> None:
        """Remove this run from the context."""
        self.is_active = False
        # Do not restore the previous runs: runs may end out of order, or in another context.
        _runs.set(tuple(current_runs()))


def current_runs() -> list[Run]:
    """Return the active runs of this context, innermost last."""
    return [run for run in _runs.get() if run.is_active]
