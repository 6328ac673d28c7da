"""Fixtures for the tests of `crontab`. The files in corpus/ use /opt/jobs as the home directory of their user."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from crontab.emulator import read

from healthchecks_io import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from crontab.emulator import Flavour, Job

    from healthchecks_io.sandbox import Sandbox

collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]

CORPUS = Path(__file__).parent / "corpus"
PROGRAMS = Path(__file__).parent / "programs"
NAMES = ["see", "pg-dump", "restic", "pg-restore", "curl-status", "sitemap", "thumbnails", "logrotate", "sync-mail"]
NAMES += ["sudoers", "certbot", "tunnel"]
HOST = re.sub("[^a-z0-9]+", "-", socket.gethostname().lower()).strip("-")
"""The host name as slugs contain it."""

REWRITTEN = re.compile(
    rb"(?P<program>/\S*/py-healthchecks\.io) run --slug=(?P<slug>[a-z0-9_-]+) -- \"\$SHELL\" -c '(?P<command>.*)'",
    re.DOTALL,
)


class Result(NamedTuple):
    """The result of a command."""

    status: int
    stdout: str
    stderr: str


class Home:
    """The home directory of a user with jobs. All programs in bin/ record what they see."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def reset(self) -> None:
        """Delete what jobs have left behind."""
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / "bin").mkdir(parents=True)
        (self.folder / "work").mkdir()
        (self.folder / "bash-env").write_text("FROM_BASH_ENV=1\n")
        source = (PROGRAMS / "see.py").read_text(encoding="utf-8")
        for name in NAMES:
            (self.folder / "bin" / name).write_text(f"#!{sys.executable} -IS\n{source}", encoding="utf-8")
            (self.folder / "bin" / name).chmod(0o755)

    def crontab(self, name: str) -> bytes:
        """Return a file of the corpus, with this directory as the home directory."""
        return (CORPUS / f"{name}.crontab").read_bytes().replace(b"/opt/jobs", os.fsencode(self.folder))

    def run(self, job: Job) -> dict[str, object]:
        """Run a job in a new home directory. Return its status, its output, its files and what its programs saw."""
        self.reset()
        # Measuring coverage, and running the sources without installing them, need these.
        variables = {
            name: value for name, value in os.environ.items() if name.startswith("COVERAGE_") or name == "PYTHONPATH"
        }
        done = job.run(self.folder, **variables)
        seen = self.folder / "seen"
        programs = sorted(seen.read_text().splitlines()) if seen.exists() else []
        seen.unlink(missing_ok=True)
        files = [path for path in self.folder.rglob("*") if path.is_file() and path.parent.name != "bin"]
        return {
            "status": 128 - done.returncode if done.returncode < 0 else done.returncode,
            "output": done.stdout,
            **{f"file {path.name}": path.read_bytes() for path in files},
            **{
                f"program {index}: {name}": value
                for index, program in enumerate(programs)
                for name, value in json.loads(program).items()
            },
        }


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.reset()
    return home


@pytest.fixture
def data_home(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def key_file(tmp_path: Path, hc: Sandbox) -> Path:
    path = tmp_path / "ping-key"
    path.write_text(f"{hc.ping_key}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def environment(hc: Sandbox, key_file: Path, data_home: Path, tmp_path: Path) -> dict[str, str]:
    """The variables of the user: the sandbox, the file with the ping key, and folders for this test."""
    return {
        **os.environ,
        "HEALTHCHECKS_API_KEY": hc.api_key,
        "HEALTHCHECKS_PING_KEY": f"file:{key_file}",
        "HEALTHCHECKS_API_URL": hc.api_url,
        "HEALTHCHECKS_PING_URL": hc.ping_url,
        "XDG_DATA_HOME": str(data_home),
        "HOME": str(tmp_path),
        "COLUMNS": "200",
        "TZ": "UTC",
    }


@pytest.fixture
def crontab(
    environment: dict[str, str], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Return a function that runs `crontab` in this process. Variables that are None are removed."""
    from healthchecks_io.cli import commands

    def call(*arguments: str | Path, variables: Mapping[str, str | None] | None = None) -> Result:
        with monkeypatch.context() as patch:
            for name, value in {**environment, **(variables or {})}.items():
                patch.delenv(name, raising=False) if value is None else patch.setenv(name, value)
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
            capfd.readouterr()
            with pytest.raises(SystemExit) as exit_info:
                commands(["crontab", *map(str, arguments)], prog_name="py-healthchecks.io")
            stdout, stderr = capfd.readouterr()
        assert exit_info.value.code is None or isinstance(exit_info.value.code, int)
        return Result(exit_info.value.code or 0, stdout, stderr)

    return call


@pytest.fixture
def listing(crontab: Callable[..., Result], tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Return a function that returns the JSON of the jobs of a crontab."""

    def jobs(content: bytes | str, *options: str, **variables: Any) -> list[dict[str, Any]]:
        path = tmp_path / "listed.crontab"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        result = crontab(path, "--json", *options, **variables)
        assert result.status == 0, result.stderr
        listed: list[dict[str, Any]] = json.loads(result.stdout)
        return listed

    return jobs


@pytest.fixture
def write(crontab: Callable[..., Result], tmp_path: Path) -> Callable[..., bytes]:
    """Return a function that puts a crontab under monitoring and returns its new content."""

    def write(content: bytes | str, *options: str, **variables: Any) -> bytes:
        path = tmp_path / "written.crontab"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        result = crontab(path, "--write", "--tz=UTC", *options, **variables)
        assert result.status == 0, result.stderr
        return path.read_bytes()

    return write


@pytest.fixture
def undo(crontab: Callable[..., Result], tmp_path: Path) -> Callable[..., bytes]:
    """Return a function that takes the monitoring of a crontab back and returns its new content."""

    def undo(content: bytes) -> bytes:
        path = tmp_path / "undone.crontab"
        path.write_bytes(content)
        result = crontab(path, "--undo", variables={"HEALTHCHECKS_API_KEY": None, "HEALTHCHECKS_PING_KEY": None})
        assert result.status == 0, result.stderr
        return path.read_bytes()

    return undo


@pytest.fixture
def client(settings: dict[str, Any]) -> Iterator[Client]:
    """A client to set up and inspect the sandbox without the command."""
    with Client(**settings) as client:
        yield client


def pairs(before: bytes, after: bytes, flavour: Flavour = "debian") -> list[tuple[Job, Job]]:
    """Return the jobs of a crontab before and after it was written."""
    jobs, new_jobs = read(before, flavour).jobs, read(after, flavour).jobs
    assert len(jobs) == len(new_jobs)
    return list(zip(jobs, new_jobs, strict=True))
