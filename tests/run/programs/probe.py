"""A command that writes the signals it receives to FOLDER/NAME.signals, and its process ID to FOLDER/NAME.pid.

Usage: probe.py FOLDER NAME [OPTION...]

A signal that ends a process by default ends it too, once there was time for a second one to arrive. Otherwise it runs
until the file FOLDER/end or FOLDER/NAME.end exists, and exits with status 7.

Options:
    keep          Record signals without ending.
    exit=STATUS   Exit with this status where a signal would end the process.
    ignore=NAME   Ignore the signal with this name.
    inherit       Leave the handling of all signals as inherited.
    group         Move to a process group of its own.
    session       Move to a session of its own, or stay in the group of its own that it leads already.
    child=NAME+OPTION+...    Start another probe first.
    orphan=NAME+OPTION+...   As above, but its parent exits at once, as a daemon's.
    successor=NAME+OPTION+...   Start another probe when a signal ends this one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

NAMES = ["HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "ALRM", "ABRT", "XCPU", "WINCH", "CONT"]
SIGNALS = [getattr(signal, f"SIG{name}") for name in NAMES]
HARMLESS = (signal.SIGWINCH, signal.SIGCONT)
MAX_SECONDS = 60


def start(folder: str, spec: str, *, is_orphan: bool = False) -> None:
    name, *options = spec.split("+")
    child = os.fork()
    if not child:
        if is_orphan and os.fork():
            os._exit(0)
        probe(folder, name, options)
    if is_orphan:
        os.waitpid(child, 0)
    while not os.path.exists(f"{folder}/{name}.pid"):  # noqa: PTH110 - pathlib is slow to import
        time.sleep(0.005)


def probe(folder: str, name: str, options: list[str]) -> None:
    log = os.open(f"{folder}/{name}.signals", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    fatal: list[int] = []

    def record(number: int, _: object) -> None:
        os.write(log, signal.Signals(number).name.encode() + b"\n")
        if number not in HARMLESS:
            fatal.append(number)

    if "session" in options:
        with contextlib.suppress(PermissionError):
            os.setsid()
    if "group" in options:
        os.setpgid(0, 0)
    if "inherit" not in options:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN if f"ignore={number.name}" in options else record)
    values = [option.split("=", 1) for option in options if "=" in option]
    for option, value in values:
        if option in ("child", "orphan"):
            start(folder, value, is_orphan=option == "orphan")
    with open(f"{folder}/{name}.new", "w") as file:  # noqa: PTH123 - pathlib is slow to import
        file.write(str(os.getpid()))
    os.rename(f"{folder}/{name}.new", f"{folder}/{name}.pid")  # noqa: PTH104 - as above

    deadline = time.monotonic() + MAX_SECONDS
    while time.monotonic() < deadline and not os.path.exists(f"{folder}/end"):  # noqa: PTH110 - as above
        if os.path.exists(f"{folder}/{name}.end"):  # noqa: PTH110 - as above
            break
        if fatal and "keep" not in options:
            time.sleep(0.15)
            for option, value in values:
                if option == "successor":
                    start(folder, value)
                elif option == "exit":
                    os._exit(int(value))
            signal.signal(fatal[0], signal.SIG_DFL)
            os.kill(os.getpid(), fatal[0])
        time.sleep(0.01)
    os._exit(7)


if __name__ == "__main__":
    probe(sys.argv[1], sys.argv[2], sys.argv[3:])
