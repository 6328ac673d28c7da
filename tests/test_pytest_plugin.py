"""The plugin that gives tests of monitored jobs a server of their own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

A_TEST_OF_A_JOB = """
from healthchecks_io import CheckTrap

def nightly_backup(client):
    with CheckTrap(client, slug="nightly-backup", create=True) as trap:
        trap.add_log("saved 3 files")

def test_the_backup_is_reported(healthchecks_sandbox):
    nightly_backup(healthchecks_sandbox.client())
    success, start = healthchecks_sandbox.pings("nightly-backup")
    assert (start.type, success.type, success.body) == ("start", "success", b"saved 3 files")

def test_the_server_is_empty_again(healthchecks_sandbox):
    assert healthchecks_sandbox.checks == []
"""
ONE_SERVER = """
seen = []

def test_one(healthchecks_sandbox):
    seen.append(healthchecks_sandbox)

def test_two(healthchecks_sandbox):
    assert seen == [healthchecks_sandbox]
"""
STOPPED = """
def test_one(healthchecks_sandbox):
    healthchecks_sandbox.stop()

def test_two(healthchecks_sandbox):
    assert healthchecks_sandbox.client().get_status()
"""


def run_pytest(folder: Path, test: str, *, without: str | None = None) -> str:
    """Run a test in a pytest of its own, and give its output."""
    # A configuration of its own, for the temporary folder may be inside of the project.
    (folder / "pytest.ini").write_text("[pytest]", encoding="utf-8")
    (folder / "test_job.py").write_text(test, encoding="utf-8")
    hide = f"sys.modules[{without!r}] = None" if without else "pass"
    code = f"import sys; {hide}; import pytest; sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', 'test_job.py']))"
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    ).stdout


@pytest.mark.parametrize("tests", [A_TEST_OF_A_JOB, ONE_SERVER])
def test_tests_share_one_server_that_is_emptied_between_them(tmp_path: Path, tests: str) -> None:
    assert "2 passed" in run_pytest(tmp_path, tests)


def test_a_server_that_a_test_has_stopped_is_there_for_the_next_one(tmp_path: Path) -> None:
    assert "2 passed" in run_pytest(tmp_path, STOPPED)


@pytest.mark.parametrize("without", ["uvicorn", "starlette", "cronsim"])
def test_without_the_extra_pytest_works_and_the_fixture_says_what_to_install(tmp_path: Path, without: str) -> None:
    assert "1 passed" in run_pytest(tmp_path, "def test(): pass", without=without)
    assert "its extra `sandbox`" in run_pytest(tmp_path, "def test(healthchecks_sandbox): pass", without=without)


def test_the_plugin_imports_nothing_but_pytest(fresh_python: Callable[[str], str]) -> None:
    imported = fresh_python(
        "import sys, pytest; before = {*sys.modules}; import healthchecks_io.pytest_plugin\n"
        "print(*sorted({*sys.modules} - before))"
    )

    assert set(imported.split()) == {
        "healthchecks_io",
        "healthchecks_io._lazy",
        "healthchecks_io._version",
        "healthchecks_io.pytest_plugin",
    }
