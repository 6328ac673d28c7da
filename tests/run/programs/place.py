"""Starts a command in a given place, as its parent, and writes what becomes of it to EVENTS, one event a line.

Usage: place.py PLACE EVENTS TERMINAL COMMAND...

Places:
    terminal     In the foreground of the terminal, as the job of a shell that leads the session.
    background   As above, in the background. SIGUSR1 to the shell brings it to the foreground.
    leader       As the leader of the terminal's session, as with `ssh -t host command`.
    none         In a session without a terminal, as a job of cron.
    subreaper    As above, as the process that orphans are handed to.

Events: "shell PID", "pid PID", "stopped PID SIGNAL", "continued PID", "exited PID STATUS". A status is that of a shell.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import sys
import termios
from typing import NoReturn

PR_SET_CHILD_SUBREAPER = 36


def become_subreaper() -> None:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def report(events: int, event: str) -> None:
    os.write(events, f"{event}\n".encode())


def report_children(events: int) -> None:
    """Report what becomes of children until none is left."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WUNTRACED | os.WCONTINUED)
        except ChildProcessError:
            return
        if os.WIFSTOPPED(status):
            report(events, f"stopped {pid} {os.WSTOPSIG(status)}")
        elif os.WIFCONTINUED(status):
            report(events, f"continued {pid}")
        else:
            code = os.waitstatus_to_exitcode(status)
            report(events, f"exited {pid} {code if code >= 0 else 128 - code}")


def open_terminal(path: str) -> None:
    """Make this process the leader of a new session with this controlling terminal."""
    os.setsid()
    terminal = os.open(path, os.O_RDWR | os.O_NOCTTY)
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    for descriptor in range(3):
        os.dup2(terminal, descriptor)
    os.close(terminal)


def execute(command: list[str], events: int) -> NoReturn:
    report(events, f"pid {os.getpid()}")
    # Python ignores them.
    for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGTTOU):
        signal.signal(number, signal.SIG_DFL)
    os.execvp(command[0], command)  # noqa: S606 - trusted input


def shell(command: list[str], events: int, *, in_foreground: bool) -> NoReturn:
    """Act as a shell with job control."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    report(events, f"shell {os.getpid()}")
    job = os.fork()
    if not job:
        os.setpgid(0, 0)
        if in_foreground:
            os.tcsetpgrp(0, os.getpgrp())
        execute(command, events)

    def bring_to_foreground(*_: object) -> None:
        os.tcsetpgrp(0, job)
        os.killpg(job, signal.SIGCONT)

    signal.signal(signal.SIGUSR1, bring_to_foreground)
    report_children(events)
    # The end of the leader would end the others in the foreground.
    while True:
        signal.pause()


def main(place: str, path: str, terminal: str, *command: str) -> None:
    events = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    become_subreaper()
    if place in ("none", "subreaper"):
        os.setsid()
    if not os.fork():
        if place in ("terminal", "background"):
            open_terminal(terminal)
            shell([*command], events, in_foreground=place == "terminal")
        if place == "leader":
            open_terminal(terminal)
        if place == "subreaper":
            become_subreaper()
        execute([*command], events)
    report_children(events)


main(*sys.argv[1:])
