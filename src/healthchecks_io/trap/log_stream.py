"""The text stream of a run's log."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from healthchecks_io.trap.run import Run


class LogStream(io.TextIOBase):
    """A text stream whose text becomes the log of a run, such as standard output."""

    _run: Run

    encoding = "utf-8"
    errors = "replace"

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, text: str) -> int:
        """Write text to the log, as to a file.

        ::

            print("saved", 3, "files", file=trap)
            with contextlib.redirect_stdout(trap):
                job()

        The rest of the interface of ``io.TextIOBase`` works too. Text that is written after the run is dropped.

        Args:
            text: Part of a line, or several lines.

        Returns:
            The number of characters written.

        Raises:
            TypeError: The text is not a string.
        """
        if not isinstance(text, str):
            raise TypeError(f"text written to the log must be a string, not {type(text).__name__}")
        self._run.log.write(text)
        return len(text)

    def close(self) -> None:
        """Do nothing: the log ends with the run."""
