"""The examples in the README, the docs and the docstrings run against the sandbox and print the documented output."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import importlib.util
import inspect
import io
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from other_packages import MOCK_TOOL, OTHER_PACKAGE

import healthchecks_io
from healthchecks_io import (
    CheckCreate,
    CheckTrap,
    Client,
    load_checks,
)
from healthchecks_io.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"^```(python|toml|yaml|console|bash|zsh|fish)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE
)
"""A block of code, console commands or shell start-up code, and the text block directly after it: its output.

Blocks marked ``py``, ``sh`` or ``hcl`` show how to use other tools. They are not run.
"""

VARYING = re.compile(
    r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d)?)?|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{8}\b|"
    r"\b\d+(\.\d+)?(?= s| ?%)"
)
"""Timestamps, UUIDs, run IDs, durations and percentages, which differ in every run."""


@dataclass(frozen=True)
class Block:
    """A code block of a page.

    Attributes:
        kind: Its language.
        line: The number of lines before its first line.
        text: Its contents.
        output: Its documented output; empty if the page shows none.
    """

    kind: str
    line: int
    text: str
    output: str

    @property
    def file(self) -> str:
        """The file to save it as, from a comment in its first line; empty if there is none."""
        return "".join(re.findall(r"\A# (\w+\.(?:py|toml|yaml))\n", self.text))


GENERATED = re.compile(r"<!-- api: .*?<!-- /api -->", re.DOTALL)
"""Signatures and docstrings, whose examples have a test of their own."""


def blocks_of(page: Path) -> list[Block]:
    text = GENERATED.sub(lambda part: "\n" * part[0].count("\n"), page.read_text(encoding="utf-8"))
    return [
        Block(match[1], text.count("\n", 0, match.start(2)), match[2], match[3] or "") for match in BLOCK.finditer(text)
    ]


STAND_INS = {
    "crontab": 'case $1 in -l) cat "$0.installed";; -V) exit 1;; *) cp "$1" "$0.installed";; esac',
    "back-up": "echo saved 3 files",
    "curl": "echo OK",
    "docker": "exit",
    "journalctl": "echo the last lines of the job",
    "jq": "cat > /dev/null; echo Nightly backup",
    "kubectl": "exit",
    "restic": "echo saved 3 files",
    # Stops the endless loop of `run --every`.
    "rsync": "kill $PPID; exec sleep 10",
    # Nothing in the examples may change this system.
    "sudo": "exit",
    "systemd-analyze": "exit",
}
"""Shell scripts that replace the external programs in the examples."""

EXAMPLE_UUID = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"
INSTALLATION = re.compile(r"pip install|\.venv-nox/")
"""Installation commands, which are not run here: .ci/run and the nox session `package` run them."""

HAS_TOOLS = all(importlib.util.find_spec(module) for module in ("pytest_httpx", "respx", "vcr"))


class Shell:
    """A bash process that runs the commands of a page.

    Args:
        folder: A folder for the stand-in programs, and the replacement for /etc/healthchecks.
        **replacements: Further texts to replace in commands.
    """

    def __init__(self, folder: Path, **replacements: str) -> None:
        programs = folder / "bin"
        self._replacements = replacements | {"/etc/healthchecks": str(folder)}
        programs.mkdir()
        for name, script in STAND_INS.items():
            (programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            (programs / name).chmod(0o755)
        (programs / "crontab.installed").write_text("0 3 * * * pg_dump shop > shop.sql\n", encoding="utf-8")
        path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
        self._replacements["PATH=/usr/local/bin:"] = f"PATH={path}:"
        self._bash = subprocess.Popen(
            ["bash"],  # noqa: S607 - found on PATH, as for readers
            env={**os.environ, "PATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str) -> tuple[str, int]:
        """Run a command, and return its output and exit status."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        for text, replacement in self._replacements.items():
            command = command.replace(text, replacement)
        self._bash.stdin.write(f"{command}\nprintf '\\n<%s>\\n' $?\n")
        self._bash.stdin.flush()
        output = ""
        while (line := self._bash.stdout.readline()) and (status := re.fullmatch(r"<(\d+)>\n", line)) is None:
            output += line
        assert status is not None, output
        return output, int(status[1])

    def close(self) -> None:
        """Stop bash and its background processes."""
        with self._bash:
            os.killpg(self._bash.pid, signal.SIGTERM)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, healthchecks_sandbox: Sandbox) -> None:
    for name in ("api_key", "ping_key", "api_url", "ping_url"):
        monkeypatch.setenv(f"HEALTHCHECKS_{name.upper()}", getattr(healthchecks_sandbox, name))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("client@example.org").private_key_and_cert_chain_pem.write_to_path(tmp_path / "client.pem")
    monkeypatch.setenv("COMPANY_CA", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("CLIENT_CERTIFICATE", str(tmp_path / "client.pem"))
    (tmp_path / "ping-key").write_text(healthchecks_sandbox.ping_key, encoding="utf-8")
    for name in ("api-key", "other-api-key"):
        (tmp_path / name).write_text(healthchecks_sandbox.api_key, encoding="utf-8")
    # `crontab --write` keeps copies there.
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("NEW_API_URL", healthchecks_sandbox.api_url)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shell(environment: None, tmp_path: Path, healthchecks_sandbox: Sandbox) -> Iterator[Shell]:
    for slug in ("nightly-backup", "mail-queue", "mirror"):
        healthchecks_sandbox.client(api_version=3).create_check(CheckCreate(slug=slug))
    replacements = {
        EXAMPLE_UUID: healthchecks_sandbox.checks[0].uuid or "",
        "env -i ": f"env -i HEALTHCHECKS_PING_URL={healthchecks_sandbox.ping_url} ",
    }
    shell = Shell(tmp_path, **replacements)
    yield shell
    shell.close()


@pytest.mark.parametrize("page", [page for page in PAGES if blocks_of(page)], ids=lambda page: page.name)
def test_the_examples_of_a_page_print_the_documented_output(
    shell: Shell, page: Path, request: pytest.FixtureRequest
) -> None:
    needs_redis = any("redis://" in block.text for block in blocks_of(page)) and shutil.which("redis-server")
    redis_url = f"redis://127.0.0.1:{request.getfixturevalue('redis_port')}" if needs_redis else ""
    for block in blocks_of(page):
        if MOCK_TOOL.search(block.text) and not HAS_TOOLS:
            continue
        if page.stem == "containers" and block.kind == "yaml":
            continue  # tests/test_recipes.py runs these.
        if not all(importlib.util.find_spec(package) for package in OTHER_PACKAGE.findall(block.text)):
            continue
        if block.file:
            Path(block.file).write_text(block.text, encoding="utf-8")
            if block.file.startswith("checks."):
                assert load_checks(block.file)
            output = ""
        elif block.kind == "console":
            output = run_commands(shell, block)
        elif block.kind == "yaml":
            output = run_workflow(shell, block)
        elif block.kind != "python":
            output = run_start_up_code(shell, block)
        elif OTHER_PACKAGE.search(block.text):
            if "redis://" in block.text and not redis_url:
                continue
            output = run_in_process_of_its_own(block.text.replace("redis://localhost", redis_url))
        else:
            output = run_python(block, page)
        assert matches(output, block.output), f"{page}:{block.line} prints:\n{output}"


def matches(output: str, documented: str) -> bool:
    output, documented = (VARYING.sub("~", text.replace("█", "")) for text in (output, documented))
    return OutputChecker().check_output(documented, output, ELLIPSIS | NORMALIZE_WHITESPACE)


def run_python(block: Block, page: Path) -> str:
    if "def test_" in block.text:
        # Without its own configuration, pytest would use the project's if the temporary folder is inside the project.
        Path("pytest.ini").write_text("[pytest]", encoding="utf-8")
        Path("test_block.py").write_text(block.text, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_block.py"]
        subprocess.run(command, check=True)  # noqa: S603 - our own documentation
        return ""
    names: dict[str, Any] = {"__name__": "__main__"}
    # The blank lines make the line numbers of a traceback match the page.
    code = compile("\n" * block.line + block.text, page, "exec")
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(code, names)  # noqa: S102 - our own documentation
    for client in [value for value in names.values() if isinstance(value, Client)]:
        client.close()
    return output.getvalue()


def run_in_process_of_its_own(code: str) -> str:
    """Run code that changes the process, such as its signal handlers or its hooks."""
    Path("block.py").write_text(code, encoding="utf-8")
    command = [sys.executable, "block.py"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own documentation
    assert result.returncode == 0, result.stderr
    return result.stdout


def run_commands(shell: Shell, block: Block) -> str:
    """Run a block of commands. If the page shows no output for them, they must succeed."""
    if INSTALLATION.search(block.text):
        return ""
    outputs = []
    for command in re.findall(r"^\$ ((?:.*\\\n)*.*)", block.text, re.MULTILINE):
        output, status = shell.run(command)
        assert block.output or status in (0, 128 + signal.SIGTERM), f"{command}\n{output}"
        outputs.append(output)
    return "".join(outputs) if block.output else ""


def run_workflow(shell: Shell, block: Block) -> str:
    """Run our commands in the steps of a workflow. All of them must succeed."""
    commands = re.findall(r"run: (py-healthchecks\.io .*)", block.text)
    assert commands
    for command in commands:
        output, status = shell.run(command)
        assert status == 0, f"{command}\n{output}"
    return ""


def run_start_up_code(shell: Shell, block: Block) -> str:
    """Run start-up code for bash. Of code for other shells, which may be missing, run only our command."""
    (command,) = re.findall(r"\w+=\w+ py-healthchecks\.io", block.text)
    script, status = shell.run(command)
    assert status == 0
    assert "py-healthchecks.io" in script
    return shell.run(block.text)[0] if block.kind == "bash" else ""


def public(class_: type) -> list[str]:
    return [name for name in dir(class_) if not name.startswith("_")]


def docstrings() -> Iterator[tuple[str, str]]:
    for value in (*(getattr(healthchecks_io, name) for name in healthchecks_io.__all__), Sandbox):
        if isinstance(value, type):
            yield value.__name__, inspect.getdoc(value) or ""
            for name in public(value):
                yield f"{value.__name__}.{name}", inspect.getdoc(getattr(value, name)) or ""


SNIPPETS = [
    pytest.param(textwrap.dedent(snippet), id=f"{name}-{number}")
    for name, docstring in docstrings()
    for number, snippet in enumerate(re.findall(r"::\n\n((?:    .*\n|\n)+)", docstring + "\n"), 1)
]


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_a_docstring_example_runs(healthchecks_sandbox: Sandbox, snippet: str) -> None:
    hc = healthchecks_sandbox
    names: dict[str, Any] = {"client": hc.client(), "async_client": hc.async_client(), "job": lambda: None}
    names |= {
        "CheckTrap": CheckTrap,
        "CheckCreate": CheckCreate,
        "Sandbox": Sandbox,
        "contextlib": contextlib,
        "logging": logging,
    }
    for slug in ("nightly-backup", "mail-queue"):
        hc.client().success_ping(slug=slug, create=True)
    names |= {"other_client": hc.client(), "check": hc.client().get_checks()[0]}
    with CheckTrap(hc.client(), slug="nightly-backup") as names["trap"]:
        if "async " in snippet:
            body = textwrap.indent(snippet, "        ")
            exec(f"async def main():\n    async with async_client:\n{body}", names)  # noqa: S102 - our own docstrings
            asyncio.run(names["main"]())
        else:
            exec(snippet, names)  # noqa: S102 - our own docstrings


REPOSITORY = re.compile(
    r"https://(?:github\.com/andrewthetechie/py-healthchecks\.io/(?:blob|tree)|"
    r"raw\.githubusercontent\.com/andrewthetechie/py-healthchecks\.io)/main/"
)
"""The beginning of the URLs of the files in the repository."""


def links_of(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"^\[[^\]]+\]: (\S+)$", text, re.MULTILINE)


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of the headings of a page, as GitHub and MyST derive them, and the explicit ones."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    slugs = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return slugs | set(re.findall(r"^\(([\w-]+)\)=$", text, re.MULTILINE))


def link_target_exists(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    in_repository = REPOSITORY.match(path)
    if in_repository:
        target = ROOT / path[in_repository.end() :]
    elif path.startswith("https:"):
        return True
    else:
        target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in anchors_of(target))


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("*.md"), *ROOT.glob(".github/*.md")], ids=lambda page: page.name)
def test_the_link_targets_of_a_page_exist(page: Path) -> None:
    assert [link for link in links_of(page) if not link_target_exists(page, link)] == []


def test_the_links_of_the_readme_work_on_the_package_index() -> None:
    assert [link for link in links_of(ROOT / "README.md") if not link.startswith("https://")] == []


DESIGN = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
SOURCES = {name: ROOT / "docs" / path for name, path in re.findall(r"^\[`(.*?)`\]: (.*)", DESIGN, re.MULTILINE)}


def test_the_map_of_the_design_lists_every_package() -> None:
    package = ROOT / "src" / "healthchecks_io"
    listed = re.findall(r"^  (\S+)", DESIGN.partition("\nsrc/healthchecks_io/\n")[2].partition("```")[0], re.MULTILINE)
    found = [f"{path.name}/" if path.is_dir() else path.name for path in package.iterdir() if path.suffix != ".typed"]

    assert sorted(listed) == sorted(name for name in found if name != "__pycache__/")


@pytest.mark.parametrize("step", re.findall(r"^\d+\. ((?:.+\n)+?)(?=\d+\. |\n)", DESIGN, re.MULTILINE))
def test_the_names_in_a_step_of_the_design_are_in_the_linked_files(step: str) -> None:
    text = "".join(SOURCES[name].read_text(encoding="utf-8") for name in re.findall(r"\[`(.*?)`\]", step))
    names = re.findall(r"(?<!\[)`(?:\w+\.)?(\w+)`", step)

    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


WIDEST_LINE = 88
"""How many characters fit in the column of the documentation, in the widest of the fonts that the theme uses."""


@pytest.mark.parametrize("page", PAGES[1:], ids=lambda page: page.name)
def test_no_code_block_of_a_page_needs_to_be_scrolled(page: Path) -> None:
    """The README is no page of the documentation. Its two commands are meant to be copied as one line each."""
    blocks = re.findall(r"^```\w+\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)

    assert [line for block in blocks for line in block.splitlines() if len(line) > WIDEST_LINE] == []


@pytest.mark.parametrize(
    ("file", "test"),
    re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")),
)
def test_every_reliability_guarantee_names_an_existing_test(file: str, test: str) -> None:
    assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")


@pytest.mark.skipif(not (ROOT / ".ci").exists(), reason="The sdist does not contain .ci.")
def test_the_ci_runs_the_command_from_the_readme() -> None:
    (command,) = re.findall(r"^\$ (.*nox)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == command


def test_the_command_line_reference_is_up_to_date(fresh_python: Callable[[str], str]) -> None:
    # In a fresh interpreter, because click caches the names of a command's help option on first use.
    script = ROOT / "docs" / "command_line_reference.py"
    page = fresh_python(f"import runpy; print(runpy.run_path({str(script)!r})['page']())")

    committed = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    assert committed.strip() == page, "run: python docs/command_line_reference.py"


def test_the_reference_is_up_to_date(fresh_python: Callable[[str], str]) -> None:
    script = ROOT / "docs" / "api_reference.py"
    pages = json.loads(
        fresh_python(
            f"import json, runpy; pages = runpy.run_path({str(script)!r})['pages']()\n"
            "print(json.dumps({str(page): text for page, text in pages.items()}))"
        )
    )

    outdated = [page for page, text in pages.items() if Path(page).read_text(encoding="utf-8") != text]
    assert outdated == [], "run: python docs/api_reference.py"


def test_the_images_are_up_to_date(fresh_python: Callable[[str], str]) -> None:
    script = ROOT / "docs" / "pictures.py"
    drawn = json.loads(
        fresh_python(
            f"import json, runpy; drawn = runpy.run_path({str(script)!r})['pictures']()\n"
            "print(json.dumps({str(file): svg for file, svg in drawn.items()}))"
        )
    )

    assert {*map(Path, drawn)} == {*(ROOT / "docs" / "_static").glob("*.svg")}
    for file, svg in drawn.items():
        committed = Path(file).read_text(encoding="utf-8")
        assert VARYING.sub("~", committed.replace("&#160;", " ")) == VARYING.sub("~", svg.replace("&#160;", " ")), (
            "run: python docs/pictures.py"
        )
