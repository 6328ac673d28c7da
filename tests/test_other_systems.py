"""Everything but `run` and `crontab` works where Unix's modules, functions and signals are missing, as on Windows."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from healthchecks_io.sandbox import Sandbox

WITHOUT_UNIX = """
# The standard library and other packages know the system that they run on: import them first.
import asyncio, concurrent.futures, importlib, logging, multiprocessing, os, pkgutil, shutil, signal, socket
import sqlite3, ssl, subprocess, sys, tempfile, threading, time
import anyio._backends._asyncio, click.shell_completion, httpcore, httpx, h2
import rich.console, rich.live, rich.progress, rich.prompt
import tomli_w, yaml, pydantic, pytz, oncalendar, croniter, starlette.applications, uvicorn
import uvicorn.protocols.http.h11_impl, uvicorn.lifespan.on
import pytest

MODULES = "fcntl grp pty pwd readline resource syslog termios tty".split()
FUNCTIONS = '''
    chown fchmod fchown fork forkpty getegid geteuid getgid getpgid getpgrp getppid getsid getuid kill killpg mkfifo
    nice openpty posix_spawn register_at_fork setpgid setsid setuid sync tcgetpgrp tcsetpgrp ttyname uname wait wait3
    wait4 waitid waitpid WIFEXITED WEXITSTATUS
'''.split()
SIGNALS = '''
    SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGUSR1 SIGUSR2 SIGWINCH
    alarm getitimer pause pthread_kill pthread_sigmask setitimer siginterrupt sigpending sigtimedwait sigwait
    sigwaitinfo
'''.split()
for name in [name for name in sys.modules if name.startswith("healthchecks_io")]:
    del sys.modules[name]
for name in MODULES:
    sys.modules[name] = None
for module, names in ((os, FUNCTIONS), (signal, SIGNALS), (__import__("select"), ["poll", "epoll"])):
    for name in names:
        if hasattr(module, name):
            delattr(module, name)
sys.platform = "win32"


# As asyncio does on Windows.
def add_signal_handler(self, *args):
    raise NotImplementedError


asyncio.SelectorEventLoop.add_signal_handler = add_signal_handler
"""


def run(code: str, hc: Sandbox, *, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run code in a process without Unix."""
    result = subprocess.run(  # noqa: S603 - trusted code
        [sys.executable, "-c", WITHOUT_UNIX + code],
        env={**os.environ, **hc.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == status, result.stdout + result.stderr
    return result


def run_command(arguments: list[str], hc: Sandbox, *, status: int = 0) -> subprocess.CompletedProcess[str]:
    code = f"\nfrom healthchecks_io.__main__ import main\nsys.argv[1:] = {arguments!r}\nsys.exit(main())"
    return run(code, hc, status=status)


def test_the_unix_of_this_process_is_removed(healthchecks_sandbox: Sandbox) -> None:
    code = "\nprint(hasattr(os, 'fork'), hasattr(signal, 'SIGHUP'))\nimport fcntl"

    result = run(code, healthchecks_sandbox, status=1)

    assert result.stdout == "False False\n"
    assert "import of fcntl halted" in result.stderr


def test_every_module_can_be_imported_but_those_of_run(healthchecks_sandbox: Sandbox) -> None:
    code = """
import healthchecks_io

for name in healthchecks_io.__all__:
    getattr(healthchecks_io, name)
for module in pkgutil.walk_packages(healthchecks_io.__path__, "healthchecks_io."):
    if not module.name.startswith(("healthchecks_io.runner", "healthchecks_io.contrib.celery")):
        importlib.import_module(module.name)
"""

    run(code, healthchecks_sandbox)


def test_the_clients_and_traps_work(healthchecks_sandbox: Sandbox) -> None:
    code = """
from healthchecks_io import AsyncClient, CheckCreate, CheckTrap, Client

with Client.from_env() as client:
    client.create_check(CheckCreate(name="backup", slug="backup"))
    with CheckTrap(client, slug="backup", handle_sigterm=True, log_level=logging.INFO) as trap:
        trap.add_log("saved")


async def main():
    async with AsyncClient.from_env() as client:
        async with CheckTrap(client, slug="backup", handle_sigterm=True) as trap:
            trap.add_log("saved again")


asyncio.run(main())
"""

    run(code, healthchecks_sandbox)

    pings = healthchecks_sandbox.pings("backup")
    assert [ping.type for ping in pings] == ["success", "start", "success", "start"]
    assert [ping.body for ping in pings[::2]] == [b"saved again", b"saved"]


def test_monitor_and_heartbeat_work(healthchecks_sandbox: Sandbox) -> None:
    code = """
from healthchecks_io import heartbeat, monitor


@monitor("report", period="1h")
def report():
    return 3


async def main():
    async with heartbeat("service", every="1m"):
        await asyncio.sleep(0.1)


assert report() == 3
with heartbeat("program", every="1m"):
    time.sleep(0.1)
asyncio.run(main())
"""

    run(code, healthchecks_sandbox)

    hc = healthchecks_sandbox
    types = {check.slug: [ping.type for ping in hc.pings(check)] for check in hc.checks}
    assert types["report"] == ["success", "start"]
    assert types["service"][-1] == types["program"][-1] == "success"


def test_checks_as_code_and_reports_work(healthchecks_sandbox: Sandbox, tmp_path: object) -> None:
    file = f"{tmp_path}/checks.toml"
    code = f"""
from pathlib import Path
from healthchecks_io import Client, load_checks

Path({file!r}).write_text('[checks.backup]\\nschedule = "0 3 * * *"\\ntz = "Europe/Riga"\\n')
with Client.from_env() as client:
    client.apply_checks(load_checks({file!r}))
    client.success_ping(slug="backup")
    (check,) = client.get_checks()
    print(client.get_report(check.uuid))
"""

    run(code, healthchecks_sandbox)

    (check,) = healthchecks_sandbox.checks
    assert (check.slug, check.schedule, check.tz, check.status) == ("backup", "0 3 * * *", "Europe/Riga", "up")


def test_the_sandbox_works(healthchecks_sandbox: Sandbox) -> None:
    code = """
from healthchecks_io.sandbox import Sandbox

with Sandbox() as sandbox:
    sandbox.client().success_ping(slug="backup", create=True)
    print([check.status for check in sandbox.checks])
"""

    assert run(code, healthchecks_sandbox).stdout == "['up']\n"


@pytest.mark.parametrize(
    "arguments", [["ping", "--slug", "backup"], ["checks", "list"], ["report", "backup"], ["status"]]
)
def test_commands_work(healthchecks_sandbox: Sandbox, arguments: list[str]) -> None:
    healthchecks_sandbox.client().success_ping(slug="backup", create=True)

    result = run_command(arguments, healthchecks_sandbox)

    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("arguments", [["run", "backup", "--", "true"], ["crontab", "file"]])
def test_run_and_crontab_report_in_one_line_that_they_need_unix(
    healthchecks_sandbox: Sandbox, arguments: list[str]
) -> None:
    result = run_command(arguments, healthchecks_sandbox, status=1)

    assert result.stderr == f"Error: {arguments[0]} requires Linux, macOS or another Unix system\n"
    assert healthchecks_sandbox.checks == []
