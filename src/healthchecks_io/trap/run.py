"""One run of a job, and the runs that the current code belongs to."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from healthchecks_io.trap.run_log import RunLog

if TYPE_CHECKING:
    import logging
    from typing import Any

_runs: ContextVar[tuple[Run, ...]] = ContextVar("runs", default=())
"""The runs of this thread or task, the innermost last. Tasks inherit them; they may have ended since."""


class Run:
    """One run of a job.

    Args:
        trap: The object that reports the run. CheckTrap.current() returns it.
        rid: The run ID.
        log_level: The lowest level of log records that the log takes, or None.
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
        """Become the innermost run of this context."""
        self.is_active = True
        # Drop runs that have ended: a task may inherit them from a task that inherited them.
        _runs.set((*current_runs(), self))

    def end(self) -> None:
        """Stop being a run of this context."""
        self.is_active = False
        # Recompute instead of restoring: runs may end out of order, or in another context.
        _runs.set(tuple(current_runs()))


def current_runs() -> list[Run]:
    """Return the active runs of this context, the innermost last."""
    return [run for run in _runs.get() if run.is_active]
