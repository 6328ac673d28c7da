"""Find and stop the descendants of a command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of descendants whose parent has ended, so that they can be found. Only Linux can do that."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class _Process(NamedTuple):
    pid: int
    parent: int
    group: int


def processes_of_command(group: int | None) -> list[int]:
    """Return the PIDs of the descendants of this process, and of a process group. Zombies are left out.

    Args:
        group: The process group of the command, or None if it shares that of this process.
    """
    running = list(_running_processes())
    found = {os.getpid()}
    size = 0
    while size != len(found):
        size = len(found)
        found |= {each.pid for each in running if each.parent in found}
    if group is not None:
        found |= {each.pid for each in running if each.group == group}
    return sorted(found - {os.getpid()})


def send_to_all(pids: list[int], number: int) -> None:
    """Send a signal to processes. Those that have ended, or belong to another user, are left out."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except OSError:  # noqa: PERF203 - each may fail
            continue


def terminate(pids: list[int]) -> None:
    """Send SIGTERM to processes, and resume those that are stopped, so that they can end."""
    send_to_all(pids, signal.SIGTERM)
    send_to_all(pids, signal.SIGCONT)


def _running_processes() -> Iterator[_Process]:
    return _from_proc() if Path("/proc/self/stat").exists() else _from_ps()


def _from_proc() -> Iterator[_Process]:
    for directory in Path("/proc").iterdir():
        if directory.name.isdecimal():
            try:
                stat = (directory / "stat").read_text(encoding="ascii", errors="replace")
            except OSError:
                continue  # It has ended.
            state, parent, group = stat.rpartition(")")[2].split()[:3]
            if state != "Z":
                yield _Process(int(directory.name), int(parent), int(group))


def _from_ps() -> Iterator[_Process]:
    command = ["ps", "-A", "-o", "pid=,ppid=,pgid=,stat="]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as listing:  # noqa: S603 - a fixed command, found on PATH
        output = listing.communicate()[0].decode("ascii", "replace")
    for line in output.splitlines():
        pid, parent, group, state = line.split()[:4]
        if not state.startswith("Z") and int(pid) != listing.pid:
            yield _Process(int(pid), int(parent), int(group))
