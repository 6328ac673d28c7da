"""The demo; and what commands say where an extra is missing."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest


def test_the_demo_shows_a_job_that_ends_well_and_one_that_fails() -> None:
    done = subprocess.run([sys.executable, "-m", "healthchecks_io", "demo"], capture_output=True, text=True, check=True)

    shown = done.stdout
    assert done.stderr == ""
    assert "Created the check Nightly backup" in shown
    assert "Nightly backup is down after 4 pings" in shown
    assert re.findall(r"^ +(\d) +[\d-]+ [\d:]+ +(\w+) +(?:0\.[4-9]\d s +(█)█* +)?[0-9a-f]{8}", shown, re.MULTILINE) == [
        ("4", "fail", "█"),
        ("3", "start", ""),
        ("2", "success", "█"),
        ("1", "start", ""),
    ]
    assert "saved letters\n  Traceback (most recent call last):" in shown
    assert "OSError: no space left on device" in shown
    assert "export HEALTHCHECKS_API_URL=https://healthchecks.example.org/api/" in shown


def demo_without(missing: str) -> subprocess.CompletedProcess[str]:
    hide = f"import sys; sys.modules[{missing!r}] = None; sys.argv[1:] = ['demo']"
    code = f"{hide}; from healthchecks_io.__main__ import main; main()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - ours


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_its_extra_the_command_says_what_to_install(missing: str) -> None:
    done = demo_without(missing)

    assert done.returncode == 1
    assert done.stderr == "The command line needs click and rich: install healthchecks-io with its extra `cli`.\n"


def test_another_module_that_is_missing_is_not_blamed_on_the_extra() -> None:
    done = demo_without("pydantic")

    assert done.returncode == 1
    assert "pydantic" in done.stderr
    assert "extra" not in done.stderr


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "cronsim"])
def test_without_the_sandbox_the_demo_says_what_to_install(missing: str) -> None:
    done = demo_without(missing)

    assert done.returncode == 1
    assert "healthchecks-io[sandbox]" in done.stderr
    assert "Traceback" not in done.stderr
