"""The log of one run of a job: its end, in bounded memory."""

from __future__ import annotations

import os
import threading
from weakref import WeakSet

from healthchecks_io.client.arguments import MAX_PING_BODY

_MIN_LIMIT = 100

_logs: WeakSet[RunLog] = WeakSet()


def _renew_locks() -> None:
    # Another thread may have held one at the moment of the fork, and is not there any more to let go of it.
    for log in _logs:
        log.renew_lock()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no forks
    os.register_at_fork(after_in_child=_renew_locks)


class RunLog:
    """What a run has logged. Threads may add to it."""

    def __init__(self) -> None:
        self.renew_lock()
        _logs.add(self)
        self._end = bytearray()
        self._forgotten = 0
        self._ends_in_line = False
        self._ends_in_text = False
        self._limit = MAX_PING_BODY

    def renew_lock(self) -> None:
        """Make a new lock. It is reentrant: what interrupts a thread, such as a signal handler, may log too."""
        self._lock = threading.RLock()

    def limit_to(self, max_bytes: int) -> None:
        """Set how long a body may be, as the server says; what is out of all reason is not believed."""
        self._limit = min(max(max_bytes, _MIN_LIMIT), MAX_PING_BODY)

    def add_line(self, line: str) -> None:
        """Add a line, on a line of its own."""
        text = line.encode("utf-8", "replace")
        with self._lock:
            if self._ends_in_line or self._ends_in_text:
                self._end += b"\n"
            self._ends_in_line, self._ends_in_text = True, False
            self._add(text)

    def write(self, text: str) -> None:
        """Add a part of a line, or several lines."""
        if not text:
            return
        part = text.encode("utf-8", "replace")
        with self._lock:
            if self._ends_in_line:
                self._end += b"\n"
            self._ends_in_line, self._ends_in_text = False, not text.endswith("\n")
            self._add(part)

    def add_bytes(self, output: bytes) -> None:
        """Add what a program has written, whatever bytes it is made of."""
        with self._lock:
            self._add(output)

    def _add(self, text: bytes) -> None:
        self._end += text
        if len(self._end) > 2 * self._limit:
            self._forget(len(self._end) - self._limit)

    def clear(self) -> None:
        """Forget everything, because it has been sent: who still knows of the run does not keep it alive."""
        with self._lock:
            self._end.clear()

    def _forget(self, count: int) -> None:
        del self._end[:count]
        self._forgotten += count

    def body(self, postscript: str = "") -> bytes:
        """Give what is sent: the end of the log and the postscript, at most as many bytes as the server keeps.

        Where something had to be left out, the first line says how many bytes.
        """
        with self._lock:
            separator = "\n" if postscript and self._end and not self._end.endswith(b"\n") else ""
            text = bytes(self._end) + (separator + postscript).encode("utf-8", "replace")
            length = self._forgotten + len(text)
        if length <= self._limit:
            return text
        first_line = f"[{length} bytes left out]\n"  # Never shorter than the final one, which says fewer bytes.
        end = text[len(first_line) - self._limit :]
        cut = len(text) - len(end)
        # A character has at most three bytes after its first; what has more of them is no text.
        while len(text) - len(end) < cut + 3 and end and 0x80 <= end[0] < 0xC0:
            end = end[1:]
        return f"[{length - len(end)} bytes left out]\n".encode() + end
