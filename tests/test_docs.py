"""What README, docs and docstrings show works: it is run against the sandbox, and prints what they say."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import io
import json
import logging
import os
import re
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from doctest import ELLIPSIS, NORMALIZE_WHITESPACE, OutputChecker
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
import trustme

import healthchecks_io
from healthchecks_io import AsyncClient, CheckCreate, CheckTrap, Client, sandbox
from healthchecks_io.cli import commands
from healthchecks_io.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"^```(python|console|bash|zsh|fish)\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE
)
"""A block of Python, of commands or of a shell's start file, and what it prints: the block of text that directly
follows, if there is one."""

VARYING = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{8}\b|\b\d+(\.\d+)?(?= s|%)"
)
"""Times, UUIDs, run IDs, durations and percentages: they are others each time."""


@dataclass(frozen=True)
class Block:
    """A block of a page: what it is, where its text begins, the text, and what it prints."""

    kind: str
    line: int
    text: str
    printed: str

    @property
    def file(self) -> str:
        """The file that the page asks to save it as: its first line says so."""
        return "".join(re.findall(r"\A# (\w+\.py)\n", self.text))


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(found[1], text.count("\n", 0, found.start(2)), found[2], found[3] or "") for found in BLOCK.finditer(text)
    ]


STAND_INS = {
    "curl": "echo OK",
    "journalctl": "echo the last lines of the job",
    "jq": "cat > /dev/null; echo Nightly backup",
    "restic": "echo saved 3 files",
    # It ends who runs it again and again.
    "rsync": "kill $PPID; exec sleep 10",
}
"""Programs of others that the pages show: shell scripts in their place."""

EXAMPLE_UUID = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"
SET_UP = re.compile(r"pip install|\.venv-nox/")
"""What is run by .ci/run, and by the session of nox that installs the package alone."""


class Shell:
    """The shell of a reader, who types in what a page shows."""

    def __init__(self, folder: Path, **words: str) -> None:
        self._words = words | {"/etc/healthchecks": str(folder)}
        programs = folder / "bin"
        programs.mkdir()
        for name, script in STAND_INS.items():
            (programs / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            (programs / name).chmod(0o755)
        path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
        self._bash = subprocess.Popen(
            ["bash"],  # noqa: S607 - as readers find it
            env={**os.environ, "PATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def type(self, command: str) -> tuple[str, int]:
        """Give what a command prints, and its exit status."""
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        for word, meant in self._words.items():
            command = command.replace(word, meant)
        self._bash.stdin.write(f"{command}\nprintf '\\n<%s>\\n' $?\n")
        self._bash.stdin.flush()
        printed = ""
        while (line := self._bash.stdout.readline()) and (ended := re.fullmatch(r"<(\d+)>\n", line)) is None:
            printed += line
        assert ended is not None, printed
        return printed, int(ended[1])

    def close(self) -> None:
        """End it, and what it has started in the background."""
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
    (tmp_path / "api-key").write_text(healthchecks_sandbox.api_key, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shell(environment: None, tmp_path: Path, healthchecks_sandbox: Sandbox) -> Iterator[Shell]:
    for slug in ("nightly-backup", "mail-queue", "mirror"):
        healthchecks_sandbox.client(api_version=3).create_check(CheckCreate(slug=slug))
    shell = Shell(tmp_path, **{EXAMPLE_UUID: healthchecks_sandbox.checks[0].uuid or ""})
    yield shell
    shell.close()


@pytest.mark.parametrize("page", [page for page in PAGES if blocks_of(page)], ids=lambda page: page.name)
def test_the_blocks_of_a_page_work_and_print_what_it_says(shell: Shell, page: Path) -> None:
    for block in blocks_of(page):
        if block.kind == "console":
            printed = printed_by_commands(shell, block)
        elif block.kind != "python":
            printed = printed_by_start_file(shell, block)
        elif block.file:
            Path(block.file).write_text(block.text, encoding="utf-8")
            printed = ""
        else:
            printed = printed_by_python(block, page)
        assert is_as_said(printed, block.printed), f"{page}:{block.line} prints:\n{printed}"


def is_as_said(printed: str, said: str) -> bool:
    printed, said = (VARYING.sub("~", text.replace("█", "")) for text in (printed, said))
    return OutputChecker().check_output(said, printed, ELLIPSIS | NORMALIZE_WHITESPACE)


def printed_by_python(block: Block, page: Path) -> str:
    if "def test_" in block.text:
        # A configuration of its own, for the temporary folder may be inside of the project.
        Path("pytest.ini").write_text("[pytest]", encoding="utf-8")
        Path("test_block.py").write_text(block.text, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_block.py"]
        subprocess.run(command, check=True)  # noqa: S603 - our own documents
        return ""
    names: dict[str, Any] = {"__name__": "__main__"}
    # The blank lines before it let a traceback name the line of the page.
    code = compile("\n" * block.line + block.text, page, "exec")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, names)  # noqa: S102 - our own documents
    for client in [value for value in names.values() if isinstance(value, Client)]:
        client.close()
    return printed.getvalue()


def printed_by_commands(shell: Shell, block: Block) -> str:
    """Run a block of commands. Where the page does not say what they print, they must not fail."""
    if SET_UP.search(block.text):
        return ""
    printed = ""
    for command in re.findall(r"^\$ (.*)", block.text, re.MULTILINE):
        output, status = shell.type(command)
        assert block.printed or status in (0, 128 + signal.SIGTERM), f"{command}\n{output}"
        printed += output
    return printed if block.printed else ""


def printed_by_start_file(shell: Shell, block: Block) -> str:
    """Run our command in a start file: by itself where it is one of another shell, which need not be here."""
    (ours,) = re.findall(r"\w+=\w+ py-healthchecks\.io", block.text)
    script, status = shell.type(ours)
    assert status == 0
    assert "py-healthchecks.io" in script
    return shell.type(block.text)[0] if block.kind == "bash" else ""


def public(class_: type) -> list[str]:
    return [name for name in dir(class_) if not name.startswith("_")]


def described_by(page: Path) -> Iterator[str]:
    """The names whose docstrings Sphinx puts into a page, those of their members among them."""
    text = page.read_text(encoding="utf-8")
    for module, directives in re.findall(r"currentmodule:: (\S+)\n(.*?)```", text, re.DOTALL):
        for name in re.findall(r"auto(?:class|exception):: (\w+)", directives):
            yield name
            value = getattr(importlib.import_module(module), name)
            yield from (f"{name}.{member}" for member in public(value) if inspect.getdoc(getattr(value, member)))


def test_each_public_name_is_in_the_reference() -> None:
    members = {
        f"{class_.__name__}.{name}" for class_ in (Client, AsyncClient, CheckTrap, Sandbox) for name in public(class_)
    }
    names = {*healthchecks_io.__all__, *sandbox.__all__, *members} - {"__version__"}

    assert names - {name for page in PAGES for name in described_by(page)} == set()
    assert any("`healthchecks_io.__version__`" in page.read_text(encoding="utf-8") for page in PAGES)


def options_of(ctx: click.Context) -> Iterator[tuple[str, str]]:
    yield ctx.command_path, "Usage"
    for parameter in ctx.command.get_params(ctx):
        if isinstance(parameter, click.Option):
            yield from ((ctx.command_path, option) for option in (*parameter.opts, *parameter.secondary_opts))
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            assert command is not None
            yield from options_of(click.Context(command, ctx, info_name=name))


def test_each_command_and_option_is_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (.*?)\n\n```text\n(.*?)```", text, re.DOTALL | re.MULTILINE))
    options = list(options_of(click.Context(commands, info_name="py-healthchecks.io")))

    assert [(path, option) for path, option in options if option not in sections.get(path, "")] == []


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
def test_a_snippet_of_a_docstring_runs(healthchecks_sandbox: Sandbox, snippet: str) -> None:
    hc = healthchecks_sandbox
    names: dict[str, Any] = {"client": hc.client(), "async_client": hc.async_client(), "job": lambda: None}
    names |= {"CheckTrap": CheckTrap, "Sandbox": Sandbox, "contextlib": contextlib, "logging": logging}
    for slug in ("nightly-backup", "mail-queue"):
        hc.client().success_ping(slug=slug, create=True)
    with CheckTrap(hc.client(), slug="nightly-backup") as names["trap"]:
        if "async " in snippet:
            inside = textwrap.indent(snippet, "        ")
            exec(f"async def main():\n    async with async_client:\n{inside}", names)  # noqa: S102 - our own docstrings
            asyncio.run(names["main"]())
        else:
            exec(snippet, names)  # noqa: S102 - our own docstrings


@pytest.mark.parametrize("page", [*PAGES, *ROOT.glob("*.md"), *ROOT.glob(".github/*.md")], ids=lambda page: page.name)
def test_what_a_page_links_to_is_there(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    ("file", "test"),
    re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")),
)
def test_each_promise_names_a_test_that_there_is(file: str, test: str) -> None:
    assert f"def {test}(" in (ROOT / file).read_text(encoding="utf-8")


def test_the_ci_runs_the_command_of_the_readme_and_nothing_else() -> None:
    (command,) = re.findall(r"^\$ (.*nox)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == command


def test_the_reference_of_the_command_line_is_not_stale(fresh_python: Callable[[str], str]) -> None:
    # In an interpreter of its own: click remembers for good by what names a command was first asked for help.
    script = ROOT / "docs" / "command_line_reference.py"
    page = fresh_python(f"import runpy; print(runpy.run_path({str(script)!r})['page']())")

    shown = (ROOT / "docs" / "reference" / "command-line.md").read_text(encoding="utf-8")
    assert shown.strip() == page, "run: python docs/command_line_reference.py"


def test_the_pictures_are_not_stale(fresh_python: Callable[[str], str]) -> None:
    script = ROOT / "docs" / "pictures.py"
    drawn = json.loads(
        fresh_python(
            f"import json, runpy; drawn = runpy.run_path({str(script)!r})['pictures']()\n"
            "print(json.dumps({str(file): svg for file, svg in drawn.items()}))"
        )
    )

    assert {*map(Path, drawn)} == {*(ROOT / "docs" / "_static").iterdir()}
    for file, svg in drawn.items():
        shown = Path(file).read_text(encoding="utf-8")
        assert VARYING.sub("~", shown.replace("&#160;", " ")) == VARYING.sub("~", svg.replace("&#160;", " ")), (
            "run: python docs/pictures.py"
        )
