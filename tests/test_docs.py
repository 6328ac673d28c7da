"""What README and docs show works: every block of Python is run against the sandbox."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from healthchecks_io import CheckCreate, Client

if TYPE_CHECKING:
    from healthchecks_io.sandbox import Sandbox

ROOT = Path(__file__).parent.parent
BLOCKS = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL), 1)
]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hc: Sandbox) -> None:
    for name in ("api_key", "ping_key", "api_url", "ping_url"):
        monkeypatch.setenv(f"HEALTHCHECKS_{name.upper()}", getattr(hc, name))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    monkeypatch.setenv("COMPANY_CA", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("CLIENT_CERTIFICATE", str(tmp_path / "client.pem"))
    with hc.client() as client:
        client.create_check(CheckCreate(slug="nightly-backup"))


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_python_runs(environment: None, tmp_path: Path, block: str) -> None:
    if "def test_" in block:
        # A configuration of its own, for the temporary folder may be inside of the project.
        (tmp_path / "pytest.ini").write_text("[pytest]", encoding="utf-8")
        (tmp_path / "test_block.py").write_text(block, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_block.py"]
        subprocess.run(command, cwd=tmp_path, check=True)  # noqa: S603 - our own documents
    else:
        names: dict[str, Any] = {}
        exec(block, names)  # noqa: S102 - our own documents
        for client in [value for value in names.values() if isinstance(value, Client)]:
            client.close()


@pytest.mark.parametrize(
    ("file", "test"),
    re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")),
)
def test_each_promise_names_a_test_that_there_is(file: str, test: str) -> None:
    assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")


def test_the_ci_runs_the_command_of_the_readme_and_nothing_else() -> None:
    (command,) = re.findall(r"^\$ (.*nox)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == command


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


def test_the_reference_of_the_command_line_is_not_stale() -> None:
    page = runpy.run_path(str(ROOT / "docs" / "command_line_reference.py"))

    assert page["PAGE"].read_text(encoding="utf-8") == page["page"](), "run: python docs/command_line_reference.py"


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
    assert "its extra `sandbox`" in done.stderr
    assert "Traceback" not in done.stderr
