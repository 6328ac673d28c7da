"""Tests of the pytest plugin."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEST_OF_A_JOB = """
from healthchecks_io import CheckTrap

def nightly_backup(client):
    with CheckTrap(client, slug="nightly-backup", create=True) as trap:
        trap.add_log("saved 3 files")

def test_backup_sends_pings(healthchecks_sandbox):
    nightly_backup(healthchecks_sandbox.client())
    success, start = healthchecks_sandbox.pings("nightly-backup")
    assert (start.type, success.type, success.body) == ("start", "success", b"saved 3 files")

def test_server_is_empty_again(healthchecks_sandbox):
    assert healthchecks_sandbox.checks == []
"""
TESTS_SHARING_A_SERVER = """
seen = []

def test_one(healthchecks_sandbox):
    seen.append(healthchecks_sandbox)

def test_two(healthchecks_sandbox):
    assert seen == [healthchecks_sandbox]
"""
TEST_STOPPING_THE_SERVER = """
def test_one(healthchecks_sandbox):
    healthchecks_sandbox.stop()

def test_two(healthchecks_sandbox):
    assert healthchecks_sandbox.client().get_status()
"""

TESTS_OF_THE_ENVIRONMENT = """
import os, subprocess, sys
import pytest
from healthchecks_io import Client

PING = "from healthchecks_io import Client; Client.from_env().success_ping(slug='backup', create=True)"
os.environ["HEALTHCHECKS_API_URL"] = "https://healthchecks.example.org/api/"
os.environ["HEALTHCHECKS_CHECK_SLUG"] = "other"

def variables():
    return {name: value for name, value in os.environ.items() if name.startswith("HEALTHCHECKS_")}

before = variables()

def test_job(healthchecks_environ):
    with Client.from_env() as client:
        client.success_ping(slug="backup", create=True)
    assert len(healthchecks_environ.pings("backup")) == 1

def test_command(healthchecks_environ):
    subprocess.run([sys.executable, "-c", PING], check=True)
    assert len(healthchecks_environ.pings("backup")) == 1

def test_variables(healthchecks_environ, healthchecks_sandbox):
    assert variables() == healthchecks_environ.environ
    assert healthchecks_environ is healthchecks_sandbox

def test_variables_are_restored():
    assert variables() == before
"""


def run_pytest(folder: Path, test: str, *, without: str | None = None) -> str:
    """Run a test in a separate pytest process and return its output."""
    # The temporary folder may be inside the project, whose configuration must not apply.
    (folder / "pytest.ini").write_text("[pytest]", encoding="utf-8")
    (folder / "test_job.py").write_text(test, encoding="utf-8")
    hide = f"sys.modules[{without!r}] = None" if without else "pass"
    code = f"import sys; {hide}; import pytest; sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider', 'test_job.py']))"
    return subprocess.run(  # noqa: S603 - trusted code
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    ).stdout


@pytest.mark.parametrize("tests", [TEST_OF_A_JOB, TESTS_SHARING_A_SERVER])
def test_tests_share_a_server_that_is_reset_between_them(tmp_path: Path, tests: str) -> None:
    assert "2 passed" in run_pytest(tmp_path, tests)


def test_environment_connects_to_the_server_during_a_test(tmp_path: Path) -> None:
    assert "4 passed" in run_pytest(tmp_path, TESTS_OF_THE_ENVIRONMENT)


def test_server_stopped_by_a_test_is_restarted_for_the_next(tmp_path: Path) -> None:
    assert "2 passed" in run_pytest(tmp_path, TEST_STOPPING_THE_SERVER)


@pytest.mark.parametrize("without", ["uvicorn", "starlette", "cronsim"])
def test_only_the_fixture_requires_the_extra(tmp_path: Path, without: str) -> None:
    assert "1 passed" in run_pytest(tmp_path, "def test(): pass", without=without)
    assert "healthchecks-io[sandbox]" in run_pytest(tmp_path, "def test(healthchecks_sandbox): pass", without=without)


def test_plugin_imports_nothing_but_pytest(fresh_python: Callable[[str], str]) -> None:
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
