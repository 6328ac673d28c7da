"""Monitor a job or a program in one line: monitor and heartbeat."""

from __future__ import annotations

from healthchecks_io._lazy import lazy_getattr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from healthchecks_io.monitoring.beats import Beats

__all__ = ["Beats"]

if not TYPE_CHECKING:  # With __getattr__, type checkers would accept misspelled names.
    __getattr__ = lazy_getattr(__name__, {"Beats": "healthchecks_io.monitoring.beats"})


def __dir__() -> list[str]:
    return __all__
