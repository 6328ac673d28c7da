"""Warnings of the library that are not about an error are printed to standard error."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from healthchecks_io.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cli.conftest import Result

    from healthchecks_io import Client

    Command = Callable[..., Result]

NO_PING_URL = "Pings go to https://hc-ping.com/, although the API URL is set: set HEALTHCHECKS_PING_URL too\n"
NO_API_URL = "The API URL is https://healthchecks.io/api/, although the ping URL is set: set HEALTHCHECKS_API_URL too\n"
IGNORED = "the server is too old for these fields of a check, and ignored them"


@pytest.fixture
def unset(environment: dict[str, str]) -> Callable[[str], None]:
    """Return a function that unsets a variable. No other server than the sandbox can then be reached."""
    environment |= {"HTTPS_PROXY": "http://127.0.0.1:9", "HEALTHCHECKS_RETRIES": "0"}
    return environment.__delitem__


def test_ping_warns_of_a_missing_ping_url(run: Command, unset: Callable[[str], None]) -> None:
    unset("HEALTHCHECKS_PING_URL")

    result = run("ping", "--slug", "backup")

    assert result.status == 1
    assert result.stderr.startswith(f"Warning: {NO_PING_URL}Error: ")


@pytest.mark.parametrize("command", [("checks", "list"), ("status",), ("checks", "pause", "backup"), ("report",)])
def test_a_command_of_the_management_api_warns_of_a_missing_api_url(
    run: Command, unset: Callable[[str], None], command: tuple[str, ...]
) -> None:
    unset("HEALTHCHECKS_API_URL")

    assert run(*command).stderr.startswith(f"Warning: {NO_API_URL}Error: ")


@pytest.mark.parametrize(
    ("missing", "command"),
    [("HEALTHCHECKS_PING_URL", ("checks", "list")), ("HEALTHCHECKS_API_URL", ("ping", "--slug", "b", "--create"))],
)
def test_a_command_does_not_warn_of_a_url_that_it_does_not_use(
    run: Command, unset: Callable[[str], None], missing: str, command: tuple[str, ...]
) -> None:
    unset(missing)

    result = run(*command)

    assert (result.status, result.stderr) == (0, "")


def test_run_warns_of_a_missing_ping_url_and_returns_the_result_of_the_command(
    run: Command, unset: Callable[[str], None]
) -> None:
    unset("HEALTHCHECKS_PING_URL")

    result = run("run", "--slug", "backup", "--", "sh", "-c", "echo out; exit 3")

    assert (result.status, result.stdout) == (3, "out\n")
    assert f"py-healthchecks.io: {NO_PING_URL}" in result.stderr


@pytest.mark.parametrize(("options", "is_warned"), [([], False), (["--schedule", "0 3 * * *"], True)])
def test_run_warns_of_a_missing_api_url_if_it_declares_the_check(
    run: Command, unset: Callable[[str], None], options: list[str], is_warned: bool
) -> None:
    unset("HEALTHCHECKS_API_URL")

    result = run("run", "--slug", "backup", "--create", *options, "true")

    assert result.status == 0
    assert (f"py-healthchecks.io: {NO_API_URL}" in result.stderr) is is_warned


def test_a_job_that_runs_repeatedly_warns_once(run: Command, unset: Callable[[str], None], tmp_path: Path) -> None:
    unset("HEALTHCHECKS_PING_URL")
    script = "echo x >> $0; [ $(wc -l < $0) -lt 3 ] || kill $PPID"

    result = run("run", "--slug", "backup", "--every", "0.1", "sh", "-c", script, str(tmp_path / "runs"))

    assert result.stderr.count(NO_PING_URL) == 1


def test_an_error_is_not_printed_twice(run: Command, environment: dict[str, str]) -> None:
    environment |= {"HEALTHCHECKS_API_URL": "http://127.0.0.1:9/", "HEALTHCHECKS_RETRIES": "1"}

    assert run("checks", "list").stderr.count("\n") == 1


@pytest.fixture
def use_server(environment: dict[str, str]) -> Iterator[Callable[[str, str], Client]]:
    """Return a function that lets commands use a server of some version, and returns a client for it."""
    with contextlib.ExitStack() as stack:

        def use_server(version: str, api_version: str) -> Client:
            sandbox = stack.enter_context(Sandbox(version=version))
            environment.update(sandbox.environ, HEALTHCHECKS_API_VERSION=api_version)
            return stack.enter_context(sandbox.client(api_version=int(api_version)))

        yield use_server


def test_create_and_update_warn_of_fields_that_the_server_ignored(
    run: Command, use_server: Callable[[str, str], Client]
) -> None:
    use_server("2.4", "1")

    created = run("checks", "create", "--name", "Backup", "--slug", "nightly", "--start-kw", "begin")
    updated = run("checks", "update", "backup", "--filter-http-body", "--json")

    assert (created.status, updated.status, updated.stdout[:1]) == (0, 0, "{")
    assert created.stderr == f"Warning: {IGNORED}: slug, start_kw\n"
    assert updated.stderr == f"Warning: {IGNORED}: filter_http_body\n"


def test_apply_warns_once_of_fields_that_the_server_ignored(
    run: Command, use_server: Callable[[str, str], Client], tmp_path: Path
) -> None:
    client = use_server("3.0", "3")
    file = tmp_path / "checks.json"
    file.write_text('{"checks": {"a": {"filter_http_body": true}, "b": {"filter_http_body": true}}}')

    result = run("checks", "apply", str(file))

    assert (result.status, result.stderr) == (0, f"Warning: {IGNORED}: filter_http_body\n")
    assert len(client.get_checks()) == 2
