"""What happens because of this library's own requests: it is told apart from what the job does."""

from __future__ import annotations

from contextvars import ContextVar

is_under_way: ContextVar[bool] = ContextVar("own_request_is_under_way", default=False)
"""Set while a client sends a request: the log records of that time are none of the job's."""


class under_way:  # noqa: N801 - it is used as a function is, and is quicker than one
    """What is done in its block is done for a request of this library."""

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before = is_under_way.get()
        is_under_way.set(True)

    def __exit__(self, *_: object) -> None:
        is_under_way.set(self._before)


def log(level: int, message: str, *arguments: object) -> None:
    """Log to the logger ``healthchecks_io``. A handler of the job that raises does not harm the job through us."""
    import contextlib
    import logging

    # There is nobody left to tell what it raised.
    with under_way(), contextlib.suppress(Exception):
        logging.getLogger("healthchecks_io").log(level, message, *arguments)


INFO, WARNING = 20, 30
"""As in logging, which is imported only when there is something to log."""
