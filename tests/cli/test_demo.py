"""Tests of the `demo` command, and of the messages about missing extras."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest


def test_the_demo_shows_a_successful_and_a_failed_run() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "healthchecks_io", "demo"], capture_output=True, text=True, check=True
    )

    output = result.stdout
    assert result.stderr == ""
    assert "created the check Nightly backup" in output
    assert "Nightly backup is down after 4 pings" in output
    assert re.findall(
        r"^ +(\d) +[\d-]+ [\d:]+ +(\w+) +(?:0\.[4-9]\d s +(█)█* +)?[0-9a-f]{8}", output, re.MULTILINE
    ) == [
        ("4", "fail", "█"),
        ("3", "start", ""),
        ("2", "success", "█"),
        ("1", "start", ""),
    ]
    assert "saved letters\n  Traceback (most recent call last):" in output
    assert "OSError: no space left on device" in output
    assert "export HEALTHCHECKS_API_URL=https://healthchecks.example.org/api/" in output


def demo_without(missing: str) -> subprocess.CompletedProcess[str]:
    hide = f"import sys; sys.modules[{missing!r}] = None; sys.argv[1:] = ['demo']"
    code = f"{hide}; from healthchecks_io.__main__ import main; main()"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603 - trusted input


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_a_missing_cli_extra_is_reported(missing: str) -> None:
    result = demo_without(missing)

    assert result.returncode == 1
    assert result.stderr == (
        "The command line needs click and rich. Install them with: pip install 'healthchecks-io[cli]'\n"
    )


def test_other_missing_modules_are_not_blamed_on_the_extra() -> None:
    result = demo_without("pydantic")

    assert result.returncode == 1
    assert "pydantic" in result.stderr
    assert "extra" not in result.stderr


@pytest.mark.parametrize("missing", ["starlette", "uvicorn", "cronsim"])
def test_a_missing_sandbox_extra_is_reported(missing: str) -> None:
    result = demo_without(missing)

    assert result.returncode == 1
    assert "healthchecks-io[sandbox]" in result.stderr
    assert "Traceback" not in result.stderr
