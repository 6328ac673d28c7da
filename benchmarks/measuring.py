"""Measures the cost of a process: in instructions if they can be counted, because times are not repeatable."""

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
    """Measures the cost of a process.

    Attributes:
        name: The unit and the tool, for the report.
        unit: The unit of the cost.
        calls: The number of further calls in a process that makes their cost measurable.
        is_noisy: Whether other processes affect the result.
    """

    name: str
    unit = "instructions"
    calls = 20
    is_noisy = False

    @abstractmethod
    def cost(self, command: Sequence[str], environment: Mapping[str, str]) -> float:
        """Run a command and return its cost."""


class Perf(Counter):
    """Counts instructions with the hardware counters of the processor."""

    name = "instructions, by perf stat"

    def cost(self, command: Sequence[str], environment: Mapping[str, str]) -> float:
        """Run a command and return its cost."""
        with tempfile.NamedTemporaryFile("r", suffix=".csv") as out:
            _run(("perf", "stat", "-x,", "-e", "instructions:u", "-o", out.name, *command), environment)
            counts = [line.partition(",")[0] for line in out if "instructions" in line]
        return float(counts[0])


class Valgrind(Counter):
    """Counts instructions on an emulated processor.

    Uses cachegrind, which counts the same as callgrind in half the time.
    """

    name = "instructions, by valgrind"

    def cost(self, command: Sequence[str], environment: Mapping[str, str]) -> float:
        """Run a command and return its cost."""
        options = ("--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
        output = _run(("valgrind", *options, *command), environment)
        return float("".join(re.findall(r"I +refs: +([\d,]+)", output)).replace(",", ""))


class CpuTime(Counter):
    """Measures CPU time, for machines on which instructions cannot be counted."""

    name = "CPU time, because neither perf stat nor valgrind works"
    unit = "s CPU"
    calls = 1000
    is_noisy = True

    def cost(self, command: Sequence[str], environment: Mapping[str, str]) -> float:
        """Run a command and return its cost."""
        return figures_of(command, environment)["cpu"]


def working_counter() -> Counter:
    """Return the most precise counter that works on this machine."""
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
    completed = subprocess.run((program, *command[1:]), env=environment, capture_output=True, text=True, check=False)
    if completed.returncode:
        raise subprocess.CalledProcessError(completed.returncode, command, completed.stdout, completed.stderr)
    return completed.stderr


def figures_of(command: Sequence[str], environment: Mapping[str, str]) -> dict[str, float]:
    """Run a command, and return its CPU time in seconds and the figures that it prints."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return {"cpu": usage.ru_utime + usage.ru_stime, **json.loads(output or "{}")}
