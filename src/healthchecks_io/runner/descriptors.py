"""The standard file descriptors, which a program may be started without."""

from __future__ import annotations

import contextlib
import os
import sys


def open_missing() -> None:
    """Open each of the descriptors 0 to 2 that is closed on /dev/null.

    Otherwise, the next file or connection to be opened would be taken for standard output.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # noqa: PERF203 - three rounds
            # The lowest free descriptor is used, which is this one.
            os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(descriptor, True)
    # Python has no object for a stream that was closed when it started.
    if sys.stdin is None:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - a descriptor, open until the end
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - see above
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - see above


def is_same_file(first: int, second: int) -> bool:
    """Return whether two descriptors refer to the same file, terminal or pipe."""
    one, other = os.fstat(first), os.fstat(second)
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def has_terminal() -> bool:
    """Return whether this process has a controlling terminal."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def print_error(message: str) -> None:
    """Print a message to standard error. Ignore write errors: a full disk must not keep the command from running."""
    with contextlib.suppress(OSError):
        os.write(2, f"py-healthchecks.io: {message}\n".encode(errors="backslashreplace"))
