"""Tests that need a newer server than there is are skipped with a reason. The others run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from healthchecks_io.sandbox import Sandbox

TESTS = Path(__file__).parent
SERVER = "2.9"
MODULES = {
    "test_marked.py": """
import pytest
from healthchecks_io import CheckCreate

@pytest.mark.server("2.10")
def test_newer(hc):
    pytest.fail("the test ran")

@pytest.mark.server("2.9")
def test_same(hc):
    assert hc.checks == []

@pytest.mark.server("2.3")
def test_older(hc, api):
    api.create_check(CheckCreate(name="Backup"))
    assert len(hc.checks) == 1

def test_unmarked(hc):
    assert hc.checks == []

def test_without_server():
    pytest.fail("the test ran")

@pytest.mark.server("2.11")
def test_no_such_version(hc):
    pytest.fail("the test ran")
""",
    "test_marked_module.py": """
import pytest

pytestmark = pytest.mark.server("1.23")

@pytest.mark.server("3.1")
def test_newer_than_module(hc):
    pytest.fail("the test ran")

@pytest.mark.server("1.18")
@pytest.mark.parametrize("feature", ["old", pytest.param("new", marks=pytest.mark.server("2.10"))])
def test_parameter(hc, feature):
    assert feature == "old"
""",
    "check_trap/test_unmarked_trap.py": """
def test_unmarked_trap(hc):
    raise AssertionError("the test ran")
""",
    "check_trap/test_marked_trap.py": """
import pytest

pytestmark = pytest.mark.server("1.23")

def test_marked_trap(hc):
    assert hc.checks == []
""",
}


@pytest.fixture(scope="module", params=["sandbox", "real server"])
def outcomes(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """How the tests above end with a server of version 2.9. A sandbox also stands in for a real server."""
    folder = tmp_path_factory.mktemp("tests")
    (folder / "check_trap").mkdir()
    for name, tests in MODULES.items():
        (folder / name).write_text(tests, encoding="utf-8")
    for name in ("conftest.py", "check_trap/conftest.py"):
        shutil.copy(TESTS / name, folder / name)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = server(since)", encoding="utf-8")
    with Sandbox(version=SERVER) as sandbox:
        if request.param == "sandbox":
            variables = {"SANDBOX_VERSION": SERVER}
        else:
            names = ("api_url", "ping_url", "api_key", "read_only_key", "ping_key", "other_api_key")
            variables = {f"LIVE_{name.upper()}": getattr(sandbox, name) for name in names} | {"LIVE_VERSION": SERVER}
        environ = {f"HEALTHCHECKS_{name}": value for name, value in variables.items()}
        options = ("--strict-markers", "--import-mode=importlib", "-p", "no:cacheprovider", "--junit-xml=outcomes.xml")
        subprocess.run(  # noqa: S603 - trusted code
            [sys.executable, "-m", "pytest", *options],
            cwd=folder,
            env=os.environ | environ,
            stdout=subprocess.DEVNULL,
            check=False,
        )
    outcomes: dict[str, str] = {}
    for test in ET.parse(folder / "outcomes.xml").iter("testcase"):  # noqa: S314 - written by pytest
        problem = next(iter(test), None)
        outcome = "passed" if problem is None else f"{problem.tag}: {problem.get('message')}"
        outcomes[test.attrib["name"].removeprefix("test_")] = outcome
    return outcomes


def test_a_test_that_needs_a_newer_version_is_skipped(outcomes: dict[str, str]) -> None:
    assert outcomes["newer"] == "skipped: needs Healthchecks 2.10"


@pytest.mark.parametrize("name", ["same", "older[sync]", "older[async]"])
def test_a_test_that_needs_the_same_or_an_older_version_runs(outcomes: dict[str, str], name: str) -> None:
    assert outcomes[name] == "passed"


def test_a_test_without_a_marker_runs(outcomes: dict[str, str]) -> None:
    assert outcomes["unmarked"] == "passed"


def test_a_test_without_a_server_is_not_selected(outcomes: dict[str, str]) -> None:
    assert "without_server" not in outcomes


def test_a_version_that_does_not_exist_is_an_error(outcomes: dict[str, str]) -> None:
    assert re.match("error: .* from .* to .*, not '2.11'", outcomes["no_such_version"])


def test_the_newest_version_in_the_markers_of_a_test_applies(outcomes: dict[str, str]) -> None:
    assert outcomes["newer_than_module"] == "skipped: needs Healthchecks 3.1"
    assert outcomes["parameter[new]"] == "skipped: needs Healthchecks 2.10"
    assert outcomes["parameter[old]"] == "passed"


def test_a_test_of_check_trap_needs_2_10_unless_it_names_a_version(outcomes: dict[str, str]) -> None:
    assert outcomes["unmarked_trap"] == "skipped: needs Healthchecks 2.10"
    assert outcomes["marked_trap"] == "passed"
