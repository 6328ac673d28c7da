"""One run of a job, and the runs that the code which is executed belongs to."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from healthchecks_io.client.run_log import RunLog

if TYPE_CHECKING:
    import logging
    from typing import Any

    from healthchecks_io.client.check_trap import CheckTrap
    from healthchecks_io.client.exceptions import HCAPIError

_runs: ContextVar[tuple[Run, ...]] = ContextVar("runs", default=())
"""The runs of this thread or task, the innermost last. Tasks inherit it: theirs may have ended since."""


class Run:
    """One run of a job.

    Args:
        trap: The CheckTrap that reports the run.
        rid: The run ID.
        log_level: From which level on log records are taken, or None.
        log_formatter: How they are written, or None for the way of this library.
    """

    def __init__(
        self, trap: CheckTrap[Any, Any], rid: str, log_level: int | None, log_formatter: logging.Formatter | None
    ) -> None:
        self.trap = trap
        self.rid = rid
        self.log = RunLog()
        self.ping_failures: list[HCAPIError] = []
        self.is_under_way = False
        self.log_level = log_level
        self.log_formatter = log_formatter

    def begin(self) -> None:
        """Make this the innermost run of the context."""
        self.is_under_way = True
        # Runs that have ended are left out: a task may inherit them from a task that inherited them.
        _runs.set((*current_runs(), self))
        if self.log_level is not None:
            from healthchecks_io.client import log_records

            log_records.listen()

    def end(self) -> None:
        """Make it no run of the context any more."""
        self.is_under_way = False
        # Not as it was before: the context may be another one, and runs need not end in turn.
        _runs.set(tuple(current_runs()))
        if self.log_level is not None:
            from healthchecks_io.client import log_records

            log_records.unlisten()


def current_runs() -> list[Run]:
    """The runs that are under way in this context, the innermost last."""
    return [run for run in _runs.get() if run.is_under_way]
