"""Run all checks with ``nox``, list the sessions with ``nox --list``, run one with ``nox -s tests-3.13``."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.error_on_external_run = True
nox.options.stop_on_first_error = True  # So that the failure is the last thing printed.

PYTHONS = nox.project.python_versions(nox.project.load_toml("pyproject.toml"))

PACKAGE = os.environ.get("PACKAGE", ".")
"""The package to test: the checkout, or a wheel built from it."""

OWN_SESSION = ("--ignore=tests/typing", "--ignore=tests/faults", "--ignore=tests/tools")
"""Leaves out the tests that have their own session."""

TESTING_GUIDE = "tests/test_docs.py::test_the_examples_of_a_page_print_the_documented_output[testing.md]"

SLOWEST_TESTS = (
    "--ignore=tests/run",
    "--ignore=tests/crontab/test_running.py",
    "--ignore=tests/contrib/test_celery_workers.py",
    f"--deselect={TESTING_GUIDE}",
)
"""Leaves out tests of real processes that take minutes. The sessions `commands`, `celery` and `tools` run them."""

NO_SUBPROCESS_TESTS = (
    "--ignore=tests/cli",
    "--ignore=tests/contrib",
    "--ignore=tests/crontab",
    "--ignore=tests/run",
    "--ignore=tests/test_recipes.py",
    "--ignore=tests/test_docs.py",
    "--ignore=tests/test_other_systems.py",
    "--ignore=tests/test_pytest_plugin.py",
    "--ignore=tests/test_server_marker.py",
)
"""Leaves out the tests that start subprocesses, because they are slow.

Only the newest Python runs them.
"""

NO_SLOW_TESTS = (
    *NO_SUBPROCESS_TESTS,
    "--ignore=tests/monitoring",
    "--ignore=tests/provisioning",
    "--ignore=tests/reports",
    "--ignore=tests/test_recordings.py",
    "--ignore=tests/check_trap/test_declared_at_once.py",
    "--ignore=tests/check_trap/test_declared_checks.py",
)
"""Leaves out more slow tests, which need not run on every Python, but on the oldest and the newest."""

NO_REPEATED_TESTS = (
    *NO_SLOW_TESTS,
    "--ignore=tests/sandbox",
    "--ignore=tests/test_arguments.py",
    "--ignore=tests/test_errors.py",
    "--ignore=tests/test_garbage.py",
    "--ignore=tests/test_old_servers.py",
)
"""Leaves out more tests that do not depend on the version of Python, for those between the oldest and the newest."""

CLIENT_TESTS = (*OWN_SESSION, *NO_SUBPROCESS_TESTS, "--ignore=tests/sandbox", "--ignore=tests/monitoring")
"""Leaves out the tests that cannot run against a given server. Of the rest, tests/conftest.py selects those that do."""

PORTABLE_TESTS = (
    "tests/check_trap/test_decorator.py",
    "tests/check_trap/test_options.py",
    "tests/check_trap/test_outcomes.py",
    "tests/check_trap/test_records.py",
    "tests/check_trap/test_stream.py",
    "tests/monitoring/test_monitor.py",
    "tests/provisioning",
    "tests/sandbox/test_fields.py",
    "tests/sandbox/test_pings.py",
    "tests/test_client_functions.py",
    "tests/test_endpoints.py",
    "tests/test_environment.py",
    "tests/test_pings.py",
    "tests/test_retries.py",
    "tests/test_schedules.py",
    "tests/test_schemas.py",
)
"""Use neither Unix's signals nor its processes. They run on Windows and macOS, too."""

OLD_SERVERS = ("1.16", "1.23", "2.4", "2.9", "3.4", "3.12")
"""On both sides of most changes of the API. Between 2.4 and 2.9, run IDs and version 2 of the API came."""

# Find pyenv's interpreters even if they are not activated.
for folder in Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")).glob("versions/3.*/bin"):
    os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ['PATH']}"


def install(session: nox.Session, *groups: str, package: bool = True) -> None:
    """Install the locked versions of some dependency groups, and the package with all extras."""
    requirements = Path(session.create_tmp()) / "requirements.txt"
    wanted = ["--all-extras", *(f"--with={group}" for group in groups)] if package else [f"--only={','.join(groups)}"]
    session.run_install(sys.executable, "-m", "poetry", "export", f"--output={requirements}", *wanted, external=True)
    session.install("--quiet", "--requirement", str(requirements))
    if package:
        session.install("--quiet", "--no-deps", PACKAGE)


def build(session: nox.Session) -> tuple[str, str]:
    """Return an sdist and a wheel: PACKAGE and the sdist beside it, or built from the checkout."""
    folder = Path(PACKAGE).parent
    if not PACKAGE.endswith(".whl"):
        folder = Path(session.create_tmp()) / "dist"
        session.run_install(sys.executable, "-m", "poetry", "build", "--clean", f"--output={folder}", external=True)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return str(sdist), str(wheel)


@nox.session
def lint(session: nox.Session) -> None:
    """Lint all files, and check that poetry.lock matches pyproject.toml."""
    install(session, "lint", package=False)
    session.run("pre-commit", "run", "--all-files", "--show-diff-on-failure", *session.posargs)
    session.run(sys.executable, "-m", "poetry", "check", "--lock", "--strict", external=True)


@nox.session
def typing(session: nox.Session) -> None:
    """Type-check the package and the tests, and test what type checkers report for user code."""
    install(session, "tests", "typing")
    session.run("mypy")
    session.run("basedpyright")
    # One after the other: the runs of mypy share a cache.
    session.run("pytest", "--quiet", "--numprocesses=0", "tests/typing", *session.posargs)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the tests. On the newest Python, measure coverage, and test the integrations with Celery and others."""
    install(session, "tests", *(["celery"] if session.python == PYTHONS[-1] else []))
    if session.python != PYTHONS[-1]:
        ignored = NO_SUBPROCESS_TESTS if session.python == PYTHONS[0] else NO_REPEATED_TESTS
        session.run("pytest", "--quiet", *OWN_SESSION, *ignored, *session.posargs)
        return
    session.run("coverage", "run", "-m", "pytest", "--quiet", *OWN_SESSION, *SLOWEST_TESTS, *session.posargs)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session(default=False)
def systems(session: nox.Session) -> None:
    """Run the tests that work on every operating system."""
    install(session, "tests")
    session.run("pytest", "--quiet", *PORTABLE_TESTS, *session.posargs)


@nox.session(python=PYTHONS[0])  # Newer versions of Python deprecate what old dependencies use.
def lowest(session: nox.Session) -> None:
    """Run the tests with the lowest supported versions of the dependencies."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    declared = [
        *project["dependencies"],
        *(each for extra in project["optional-dependencies"].values() for each in extra),
    ]
    install(session, "tests")
    session.install("--quiet", *(re.sub(r" >=([^,]+).*", r"==\1", each) for each in declared))
    session.run("pytest", "--quiet", *OWN_SESSION, *NO_SLOW_TESTS, *session.posargs)
    # Of the tests of the extras, those that depend on click, rich, PyYAML and tomli-w.
    session.run("pytest", "--quiet", "tests/cli/test_pings.py", "tests/provisioning", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Test the clients with network, server and input faults. Set SOAK_PINGS=10000 for the full run."""
    install(session, "tests")
    session.run("pytest", "--quiet", "tests/faults", *session.posargs)


@nox.session
def tools(session: nox.Session) -> None:
    """Test the clients with tools that mock, record and trace httpx, and run the guide's examples with them."""
    install(session, "tests", "tools")
    session.run("pytest", "--quiet", "--numprocesses=0", "tests/tools", TESTING_GUIDE, *session.posargs)


@nox.session(default=False)
def celery(session: nox.Session) -> None:
    """Run the tests of the integrations, with 10,000 tasks in a worker of Celery, or as many as CELERY_TASKS says."""
    install(session, "tests", "celery")
    env = {"CELERY_TASKS": os.environ.get("CELERY_TASKS", "10000")}
    page = "tests/test_docs.py::test_the_examples_of_a_page_print_the_documented_output[{}.md]"
    guides = [page.format(name) for name in ("celery", "frameworks", "decorators")]
    session.run("pytest", "--quiet", "tests/contrib", *guides, *session.posargs, env=env)


@nox.session(default=False)
def interruptions(session: nox.Session) -> None:
    """Interrupt calls at 20,000 random moments, or as many as INTERRUPTIONS says, and at every step of a call."""
    install(session, "tests")
    env = {"INTERRUPTIONS": os.environ.get("INTERRUPTIONS", "20000")}
    session.run("pytest", "--quiet", "tests/faults/test_interruptions.py", *session.posargs, env=env)


@nox.session(default=False)
def endings(session: nox.Session) -> None:
    """Run 50,000 combinations of jobs, interruptions and faults, or as many as ENDINGS says. ENDING=1234 runs one."""
    install(session, "tests")
    env = {"ENDINGS": os.environ.get("ENDINGS", "50000")}
    session.run("pytest", "--quiet", "tests/faults/test_job_endings.py", *session.posargs, env=env)


@nox.session(default=False)
def commands(session: nox.Session) -> None:
    """Run the full matrices of signals, places and commands of `run`, and jobs of crontabs as cron would start them."""
    install(session, "tests")
    tests = ("tests/run", "tests/crontab/test_running.py")
    session.run("pytest", "--quiet", *tests, *session.posargs, env={"RUN_FULL": "1"})


@nox.session(default=False)
def live(session: nox.Session) -> None:
    """Run the client tests against a real Healthchecks server: see CONTRIBUTING.md."""
    for name in ("API_URL", "PING_URL", "API_KEY", "READ_ONLY_KEY", "PING_KEY", "OTHER_API_KEY"):
        if not os.environ.get(f"HEALTHCHECKS_LIVE_{name}"):
            session.error(f"HEALTHCHECKS_LIVE_{name} is not set")
    install(session, "tests")
    session.run("pytest", "--numprocesses=0", *CLIENT_TESTS, *session.posargs)


@nox.session(default=False)
def old_servers(session: nox.Session) -> None:
    """Run the client tests against sandboxes of older versions. What a version lacks is skipped and counted."""
    install(session, "tests")
    for version in OLD_SERVERS:
        env = {"HEALTHCHECKS_SANDBOX_VERSION": version}
        session.run("pytest", "--quiet", "--timeout=30", *CLIENT_TESTS, *session.posargs, env=env)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into docs/_build. Broken references fail the build."""
    install(session, "docs")
    session.run("sphinx-build", "--fail-on-warning", "--keep-going", "--fresh-env", "--quiet", "docs", "docs/_build")


@nox.session
def package(session: nox.Session) -> None:
    """Check the sdist and the wheel, and install the wheel as users do, with each combination of extras."""
    install(session, "package", package=False)
    session.install("--quiet", "pyroma==5.0.1")  # Not locked: it needs the newest list of classifiers.
    sdist, wheel = build(session)
    session.run("twine", "check", "--strict", sdist, wheel)
    session.run("check-wheel-contents", "--package=src/healthchecks_io", wheel)
    # The contributors have no common email address.
    session.run("pyroma", "--min=10", "--skip-tests=AuthorEmail", sdist)
    if Path(".git").exists():  # Not in an unpacked sdist.
        session.run("python", "tests/sdist.py", sdist)
    for extras in ("", "[cli]", "[sandbox]", "[cli,sandbox]"):
        env = Path(session.create_tmp()) / "env"
        session.run("python", "-m", "venv", "--clear", "--without-pip", str(env))
        session.run("pip", f"--python={env}", "install", "--quiet", "--no-compile", f"{wheel}{extras}")
        scripts = env / ("Scripts" if sys.platform == "win32" else "bin")
        python, command = str(scripts / "python"), str(scripts / "py-healthchecks.io")
        session.run(python, "tests/installed.py", external=True)
        if "cli" in extras:
            session.run(command, "--version", external=True)
            session.run(python, "-m", "healthchecks_io", "--version", external=True)
    session.run(command, "demo", external=True)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Benchmark the library against bare httpx and healthchecks-io 0.4.4. Pass --quick for a short run."""
    constraints = Path(session.create_tmp()) / "constraints.txt"
    export = ("export", f"--output={constraints}", "--with=tests", "--without-hashes")
    session.run_install(sys.executable, "-m", "poetry", *export, external=True)
    session.install("--quiet", "--constraint", str(constraints), "pip", "trustme")
    session.run("python", "-m", "benchmarks", f"--constraints={constraints}", *session.posargs)
