"""Tests of shell completion."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from healthchecks_io import CheckCreate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Stub

    from healthchecks_io import Client
    from healthchecks_io.sandbox import Sandbox


@pytest.fixture
def complete(start: Callable[..., subprocess.Popen[bytes]], environment: dict[str, str]) -> Callable[[str], list[str]]:
    """Complete the last word of a command line as bash does, and return the completions with their types."""

    def complete(typed: str) -> list[str]:
        variables = {
            "_PY_HEALTHCHECKS_IO_COMPLETE": "bash_complete",
            "COMP_WORDS": f"py-healthchecks.io {typed}",
            "COMP_CWORD": str(len(typed.split(" "))),
        }
        output, errors = start(env=environment | variables).communicate(timeout=20)
        assert errors == b""
        return [line for line in output.decode().split("\n") if line]

    return complete


@pytest.fixture(autouse=True)
def _checks(client: Client) -> None:
    for slug, tags in (("mail", "prod"), ("mirror", "prod nas"), ("backup", "$(rm) env:prod"), ("", "")):
        client.create_check(CheckCreate(name=f"The {slug} check", slug=slug, tags=tags))


@pytest.mark.parametrize(("typed", "expected"), [("ru", "run"), ("checks up", "update"), ("pings --fo", "--follow")])
def test_commands_and_options_are_completed(complete: Callable[[str], list[str]], typed: str, expected: str) -> None:
    assert complete(typed) == [f"plain,{expected}"]


@pytest.mark.parametrize(
    "typed",
    [
        "checks get ",
        "checks update ",
        "checks pause ",
        "checks resume ",
        "checks delete --yes ",
        "pings ",
        "flips ",
        "ping --slug ",
        "run --slug ",
        "checks list --slug ",
    ],
)
def test_slugs_are_completed(complete: Callable[[str], list[str]], typed: str) -> None:
    assert complete(f"{typed}m") == ["plain,mail", "plain,mirror"]
    assert complete(typed) == ["plain,backup", "plain,mail", "plain,mirror"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("run --slug = m", ["mail", "mirror"]),
        ("run --slug =", ["backup", "mail", "mirror"]),
        ("run --slug = ", ["backup", "mail", "mirror"]),
        ("checks list --tag = prod --slug b", ["backup"]),
        ("checks list --tag = prod --st", ["--status"]),
        ("pings --api-url {host} : {rest} b", ["backup"]),
    ],
)
def test_words_that_bash_splits_are_joined(
    complete: Callable[[str], list[str]], environment: dict[str, str], hc: Sandbox, typed: str, expected: list[str]
) -> None:
    scheme, _, rest = hc.api_url.partition(":")
    if "{host}" in typed:
        del environment["HEALTHCHECKS_API_URL"]

    words = typed.format(host=scheme, rest=rest.replace(":", " : "))
    assert complete(words) == [f"plain,{word}" for word in expected]


@pytest.mark.parametrize("typed", ["checks list --tag ", "report --tag = ", "checks plan x --prune-tag "])
def test_tags_are_completed(complete: Callable[[str], list[str]], typed: str) -> None:
    assert complete(typed) == ["plain,nas", "plain,prod"]
    assert complete(f"{typed}p") == ["plain,prod"]


def test_values_of_body_are_completed(complete: Callable[[str], list[str]]) -> None:
    assert complete("pings mail --body ") == ["plain,last", "plain,last-fail"]
    assert complete("pings mail --body last-") == ["plain,last-fail"]


@pytest.mark.parametrize(
    "typed",
    [
        "crontab --key-file ./x",
        "crontab --key-file = ./x",
        "crontab ./x",
        "report --svg ./x",
        "sandbox --state ./x",
        "checks create --from ./x",
        "checks plan ./x",
    ],
)
def test_files_are_completed_for_paths(complete: Callable[[str], list[str]], typed: str) -> None:
    assert complete(typed) == ["file,./x"]


def test_slugs_that_were_typed_are_not_offered_again(complete: Callable[[str], list[str]]) -> None:
    assert complete("checks pause mail ") == ["plain,backup", "plain,mirror"]


def test_the_connection_options_are_used(
    complete: Callable[[str], list[str]], environment: dict[str, str], hc: Sandbox
) -> None:
    del environment["HEALTHCHECKS_API_KEY"], environment["HEALTHCHECKS_API_URL"]

    assert complete(f"pings --api-url {hc.api_url} --api-key {hc.read_only_key} b") == ["plain,backup"]


def test_text_that_a_shell_would_interpret_is_not_offered(
    complete: Callable[[str], list[str]], environment: dict[str, str], stub: Stub
) -> None:
    body = {"name": "", "grace": 60, "n_pings": 0, "status": "new"}
    stub.queue_response(body=json.dumps({"checks": [{**body, "slug": slug} for slug in ("$(rm)", "a\nplain,b", "ok")]}))
    environment["HEALTHCHECKS_API_URL"] = stub.url

    assert complete("pings ") == ["plain,ok"]


def test_without_a_key_nothing_is_sent_and_completed(
    complete: Callable[[str], list[str]], environment: dict[str, str], stub: Stub
) -> None:
    del environment["HEALTHCHECKS_API_KEY"]
    environment["HEALTHCHECKS_API_URL"] = stub.url

    assert complete("pings ") == []
    assert stub.requests == []


@pytest.mark.parametrize(
    "variables",
    [
        {"HEALTHCHECKS_API_KEY": "file:/nowhere"},
        {"HEALTHCHECKS_API_KEY": "wrong"},
        {"HEALTHCHECKS_API_URL": "nowhere"},
        {"HEALTHCHECKS_API_URL": "http://127.0.0.1:9/"},
    ],
)
def test_errors_are_not_shown(
    complete: Callable[[str], list[str]], environment: dict[str, str], variables: dict[str, str]
) -> None:
    environment.update(variables)

    assert complete("pings ") == []


def test_a_server_that_does_not_respond_is_not_waited_for(
    complete: Callable[[str], list[str]], environment: dict[str, str], silent_server: str
) -> None:
    environment.update(HEALTHCHECKS_API_URL=silent_server, HEALTHCHECKS_TIMEOUT="600", HEALTHCHECKS_RETRIES="9")

    assert complete("pings ") == []


@pytest.mark.parametrize("typed", ["run -- ", "run -- ./ba", "run -- restic /ho", "run --slug mail -- restic --re"])
def test_files_are_completed_after_run(complete: Callable[[str], list[str]], typed: str) -> None:
    assert complete(typed) == [f"file,{typed.rsplit(' ', maxsplit=1)[-1]}"]


def test_programs_are_completed_after_run(
    complete: Callable[[str], list[str]], environment: dict[str, str], tmp_path: Path
) -> None:
    for name, mode in (("backup-photos", 0o755), ("backup-letters", 0o755), ("backup.txt", 0o644), ("mirror", 0o755)):
        (tmp_path / name).touch(mode)
    environment["PATH"] = f"/nowhere:{tmp_path}"

    assert complete("run -- backup") == ["plain,backup-letters", "plain,backup-photos"]
    assert complete("run -- unknown") == ["file,unknown"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["py-healthchecks.io", "pings", "ma"], ["mail"]),
        (["py-healthchecks.io", "run", "--slug", "=", "ma"], ["mail"]),
        (["py-healthchecks.io", "run", "--", "restic", "./fi"], ["default"]),
    ],
)
def test_bash_completes_slugs_and_files(
    environment: dict[str, str], tmp_path: Path, words: list[str], expected: list[str]
) -> None:
    command = tmp_path / "py-healthchecks.io"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m healthchecks_io "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    script = f"""
        compopt() {{ echo "$2"; }}
        eval "$(_PY_HEALTHCHECKS_IO_COMPLETE=bash_source py-healthchecks.io)"
        COMP_WORDS=({" ".join(words)}) COMP_CWORD={len(words) - 1}
        _py_healthchecksio_completion py-healthchecks.io
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """

    result = subprocess.run(  # noqa: S603 - trusted input
        ["bash", "--norc", "-c", script],  # noqa: S607 - the bash of the machine
        env=environment | {"PATH": f"{tmp_path}:{environment['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.split() == expected
    assert result.stderr == ""
