"""The blocks of an object whose `with` blocks may overlap."""

from __future__ import annotations

import sys
from typing import Generic, TypeVar

T = TypeVar("T")


class Blocks(Generic[T]):
    """The values of the blocks that are open, with the thread or task that entered each."""

    def __init__(self) -> None:
        self._entered: list[tuple[object, T]] = []

    def enter(self, owner: object, value: T) -> None:
        """Add a block of a thread or task."""
        self._entered.append((owner, value))

    def leave(self, owner: object) -> T:
        """Remove the innermost block of a thread or task.

        If it has entered none, remove the innermost block of all. Test frameworks set up and tear down fixtures in
        separate tasks.
        """
        found = [index for index, (entered_by, _) in enumerate(self._entered) if entered_by == owner]
        return self._entered.pop(found[-1] if found else -1)[1]


def current_task() -> object:
    """Return the running asyncio task, or None."""
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio and asyncio.current_task()
    except RuntimeError:
        return None
