"""The log of one run of a job. Only its end is kept, to bound the memory that it takes."""

from __future__ import annotations

import os
import threading
from collections import deque
from weakref import WeakSet

from healthchecks_io.client.arguments import MAX_PING_BODY

MIN_LIMIT = 100

_PIECE_LENGTH = 4096
"""In bytes. Shorter texts are joined, because each piece takes some memory of its own."""

_logs: WeakSet[RunLog] = WeakSet()


def _renew_locks() -> None:
    # A thread that held a lock during a fork does not exist in the child, and so cannot release it there.
    for log in _logs:
        log.renew_lock()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no forks
    os.register_at_fork(after_in_child=_renew_locks)


class RunLog:
    """The log of a run. Threads can share it.

    It is kept in pieces, so that the output of a program that writes a lot need not be copied.
    """

    def __init__(self) -> None:
        self.renew_lock()
        _logs.add(self)
        self._pieces: deque[bytes | bytearray] = deque()
        self._length = 0
        self._dropped = 0
        self._ends_with_line = False
        self._ends_with_partial_line = False
        self._limit = MAX_PING_BODY
        self._is_closed = False

    def renew_lock(self) -> None:
        """Create a new lock. It is reentrant, because a signal handler that interrupts a thread may log too."""
        self._lock = threading.RLock()

    def limit_to(self, max_bytes: int) -> None:
        """Set the maximum length of a body to what the server announced, within reason."""
        self._limit = min(max(max_bytes, MIN_LIMIT), MAX_PING_BODY)

    def add_line(self, line: str) -> None:
        """Add a line, and start a new line for it if necessary."""
        text = line.encode("utf-8", "replace")
        with self._lock:
            if self._ends_with_line or self._ends_with_partial_line:
                text = b"\n" + text
            self._ends_with_line, self._ends_with_partial_line = True, False
            self._add(text)

    def write(self, text: str) -> None:
        """Add text as is: part of a line, or several lines."""
        if not text:
            return
        part = text.encode("utf-8", "replace")
        with self._lock:
            if self._ends_with_line:
                part = b"\n" + part
            self._ends_with_line, self._ends_with_partial_line = False, not text.endswith("\n")
            self._add(part)

    def add_bytes(self, output: bytes) -> None:
        """Add the output of a program, in any encoding."""
        with self._lock:
            self._add(output)

    def _add(self, text: bytes) -> None:
        if self._is_closed:
            return
        self._length += len(text)
        if len(text) >= _PIECE_LENGTH:
            self._pieces.append(text)
        elif self._pieces and len(self._pieces[-1]) < _PIECE_LENGTH:
            self._pieces[-1] += text
        else:
            self._pieces.append(bytearray(text))
        while self._length - len(self._pieces[0]) >= self._limit:
            dropped = len(self._pieces.popleft())
            self._length -= dropped
            self._dropped += dropped

    def close(self) -> None:
        """Drop the contents, which have been sent, and whatever is added later."""
        with self._lock:
            self._is_closed = True
            self._pieces.clear()
            self._length = 0

    def body(self, postscript: str = "") -> bytes:
        """Return the body of a ping: the end of the log and the postscript, within the limit.

        If the log does not fit, its first line states how many bytes are missing.
        """
        with self._lock:
            kept = b"".join(self._pieces)
            separator = "\n" if postscript and kept and not kept.endswith(b"\n") else ""
            text = kept + (separator + postscript).encode("utf-8", "replace")
            length = self._dropped + len(text)
        if length <= self._limit:
            return text
        first_line = f"[{length} bytes left out]\n"  # The actual first line counts fewer bytes.
        end = text[len(first_line) - self._limit :]
        cut = len(text) - len(end)
        # Do not begin within a character. UTF-8 has at most three continuation bytes in a row: more are not text.
        while len(text) - len(end) < cut + 3 and end and 0x80 <= end[0] < 0xC0:
            end = end[1:]
        return f"[{length - len(end)} bytes left out]\n".encode() + end
