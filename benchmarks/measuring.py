"""What running a script costs: in instructions where they can be counted, because these repeat and times do not."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Counter(ABC):
    """A way to measure the cost of a process.

    Attributes:
        name: What is measured, and how.
        unit: The unit of the cost.
        calls: How many calls of a client make a difference that stands out.
        is_disturbed: Whether other processes of the machine have an influence.
    """

    name: str
    unit = "instructions"
    calls = 20
    is_disturbed = False

    @abstractmethod
    def cost(self, command: Sequence[str], environment: Mapping[str, str]) -> float:
        """Run a command, and say what it has cost."""


class Perf(Counter):
    """The counters of the processor."""

    name = "instructions, by perf stat"

    def cost(self, command: Sequence[str], environment: Mapping[str, str]) -> float:
        """Run a command, and say what it has cost."""
        with tempfile.NamedTemporaryFile("r", suffix=".csv") as out:
            _run(("perf", "stat", "-x,", "-e", "instructions:u", "-o", out.name, *command), environment)
            counts = [line.partition(",")[0] for line in out if "instructions" in line]
        return float(counts[0])


class Valgrind(Counter):
    """An emulated processor. Cachegrind counts what callgrind counts, in half the time."""

    name = "instructions, by valgrind"

    def cost(self, command: Sequence[str], environment: Mapping[str, str]) -> float:
        """Run a command, and say what it has cost."""
        options = ("--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
        said = _run(("valgrind", *options, *command), environment)
        return float("".join(re.findall(r"I +refs: +([\d,]+)", said)).replace(",", ""))


class CpuTime(Counter):
    """Where nothing counts instructions."""

    name = "CPU time, as neither perf stat nor valgrind works here"
    unit = "s CPU"
    calls = 1000
    is_disturbed = True

    def cost(self, command: Sequence[str], environment: Mapping[str, str]) -> float:
        """Run a command, and say what it has cost."""
        return figures_of(command, environment)["cpu"]


def working_counter() -> Counter:
    """Give the first way of counting that works."""
    for counter in (Perf(), Valgrind()):
        try:
            counter.cost((sys.executable, "-c", ""), os.environ)
        except (OSError, ValueError, subprocess.CalledProcessError):
            continue
        return counter
    return CpuTime()


def _run(command: Sequence[str], environment: Mapping[str, str]) -> str:
    program = shutil.which(command[0])
    if program is None:
        raise FileNotFoundError(command[0])
    done = subprocess.run((program, *command[1:]), env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return done.stderr


def figures_of(command: Sequence[str], environment: Mapping[str, str]) -> dict[str, float]:
    """Run a command, and give its seconds of CPU time, its peak memory in bytes, and the figures that it prints."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        printed = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return {"cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024, **json.loads(printed or "{}")}
