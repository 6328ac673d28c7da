"""Several processes declare the same check at the same moment."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from healthchecks_io.sandbox import Sandbox

_PROCESS = """
import asyncio, json, sys
from healthchecks_io import AsyncClient, CheckCreate, CheckTrap, Client
options = dict(create=CheckCreate(slug="backup", timeout=600), ping_errors="raise")

async def run():
    async with AsyncClient(**settings) as client, CheckTrap(client, **options):
        pass

settings, is_async = json.loads(sys.stdin.readline())
print("ready", flush=True)
sys.stdin.readline()
if is_async:
    asyncio.run(run())
else:
    with Client(**settings) as client, CheckTrap(client, **options):
        pass
"""


def test_eight_processes_that_begin_at_once_end_with_one_check_and_all_their_pings_on_it(
    hc: Sandbox, settings: dict[str, Any]
) -> None:
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(  # noqa: S603 - trusted code
                    [sys.executable, "-c", _PROCESS],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(8)
        ]
        for number, process in enumerate(processes):
            assert process.stdin is not None
            process.stdin.write(json.dumps([{**settings, "timeout": 30}, number % 2 == 1]) + "\n")
            process.stdin.flush()
        for process in processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        outputs = [process.communicate()[1] for process in processes]

    assert [process.returncode for process in processes] == [0] * 8, outputs
    (check,) = hc.checks
    assert (check.name, check.slug, check.timeout) == ("backup", "backup", 600)
    types = [ping.type for ping in hc.pings(check)]
    assert (types.count("start"), types.count("success")) == (8, 8)
