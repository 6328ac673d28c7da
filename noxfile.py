"""How everything is run: ``nox`` for all of it, ``nox --list`` for what there is, ``nox -s tests-3.13`` for one."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.error_on_external_run = True
nox.options.stop_on_first_error = True  # What is wrong is then the last that is printed.

PYTHONS = nox.project.python_versions(nox.project.load_toml("pyproject.toml"))

PACKAGE = os.environ.get("PACKAGE", ".")
"""What is tested: the checkout, or a wheel that was built from it."""

APART = ("--ignore=tests/typing", "--ignore=tests/faults")
"""Tests with sessions of their own."""

PROGRAMS = ("--ignore=tests/cli", "--ignore=tests/test_docs.py", "--ignore=tests/test_pytest_plugin.py")
"""Tests that start programs, which takes long: the newest Python runs all of them, the oldest the first."""

# The interpreters of pyenv are found without being activated.
for folder in Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/3.*/bin"):
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


def install(session: nox.Session, *groups: str, package: bool = True) -> None:
    """Install the locked versions of groups of tools, and the package with its extras."""
    requirements = Path(session.create_tmp()) / "requirements.txt"
    wanted = ["--all-extras", *(f"--with={group}" for group in groups)] if package else [f"--only={','.join(groups)}"]
    session.run_install(sys.executable, "-m", "poetry", "export", f"--output={requirements}", *wanted, external=True)
    session.install("--quiet", "--requirement", str(requirements))
    if package:
        session.install("--quiet", "--no-deps", PACKAGE)


@nox.session
def lint(session: nox.Session) -> None:
    """Check the form of all files, and that poetry.lock is in step with pyproject.toml."""
    install(session, "lint", package=False)
    session.run("pre-commit", "run", "--all-files", "--show-diff-on-failure", *session.posargs)
    session.run(sys.executable, "-m", "poetry", "check", "--lock", "--strict", external=True)


@nox.session
def typing(session: nox.Session) -> None:
    """Check the types of the package and the tests, and what type checkers say of users' code."""
    install(session, "tests", "typing")
    session.run("mypy")
    session.run("basedpyright")
    session.run("pytest", "--quiet", "tests/typing", *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests; on the newest Python, measure what they cover."""
    install(session, "tests")
    if session.python != PYTHONS[-1]:
        without = PROGRAMS[1:] if session.python == PYTHONS[0] else PROGRAMS
        session.run("pytest", "--quiet", *APART, *without, *session.posargs)
        return
    session.run("coverage", "run", "-m", "pytest", "--quiet", *APART, *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest versions of the dependencies that are allowed."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    declared = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    install(session, "tests")
    session.install("--quiet", *(re.sub(r" >=([^,]+).*", r"==\1", each) for each in declared))
    # These start a program with each test, which takes long.
    without = ("--ignore=tests/cli/test_run.py", "--ignore=tests/cli/test_sandbox.py", *PROGRAMS[1:])
    session.run("pytest", "--quiet", *APART, *without, *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Try the clients with faults of the network, of servers and of input; SOAK_PINGS=10000 for the long form."""
    install(session, "tests")
    session.run("pytest", "--quiet", "tests/faults", *session.posargs)


@nox.session(default=False)
def live(session: nox.Session) -> None:
    """Run the tests of the clients on a real Healthchecks server: see CONTRIBUTING.md."""
    for name in ("API_URL", "PING_URL", "API_KEY", "READ_ONLY_KEY", "PING_KEY", "OTHER_API_KEY"):
        if not os.environ.get(f"HEALTHCHECKS_LIVE_{name}"):
            session.error(f"HEALTHCHECKS_LIVE_{name} is not set")
    install(session, "tests")
    session.run("pytest", "--numprocesses=0", *APART, *PROGRAMS, "--ignore=tests/sandbox", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation, into docs/_build: what a page or a docstring refers to must be there."""
    install(session, "docs")
    session.run("sphinx-build", "--fail-on-warning", "--keep-going", "--fresh-env", "--quiet", "docs", "docs/_build")


@nox.session
@nox.parametrize("extras", ["", "[cli]", "[sandbox]", "[cli,sandbox]"], ids=["none", "cli", "sandbox", "both"])
def package(session: nox.Session, extras: str) -> None:
    """Install the package alone, as users do: with each extra and none; with both, show the demo."""
    session.install("--quiet", f"{PACKAGE}{extras}")
    session.run("python", "tests/installed.py")
    if "cli" in extras:
        session.run("py-healthchecks.io", "--version")
    if extras == "[cli,sandbox]":
        session.run("py-healthchecks.io", "demo")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure what the library costs beside bare httpx and healthchecks-io 0.4.4: --quick is the short form."""
    constraints = Path(session.create_tmp()) / "constraints.txt"
    export = ("export", f"--output={constraints}", "--with=tests", "--without-hashes")
    session.run_install(sys.executable, "-m", "poetry", *export, external=True)
    session.install("--quiet", "--constraint", str(constraints), "pip", "trustme")
    session.run("python", "-m", "benchmarks", f"--constraints={constraints}", *session.posargs)
