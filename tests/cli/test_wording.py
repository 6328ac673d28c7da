"""Errors of the command line name options and variables, not methods and arguments of Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from endpoints import Endpoint, each_endpoint

from healthchecks_io import Client, HCAPIError
from healthchecks_io.cli.wording import for_command_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.conftest import Result
    from conftest import Stub

    Command = Callable[..., Result]

PYTHON = r"[a-z]_(url|key|version)|=True|slug=\)|\buuid\b|^[a-z_]+: (GET|POST|DELETE)"


@pytest.mark.parametrize(
    ("status", "text", "headers"),
    [
        (301, "", {"Location": "https://elsewhere.example/"}),
        (301, "", {"Location": "http://["}),
        (400, "<p>", {}),
        (401, "", {}),
        (403, "", {}),
        (404, "", {}),
        (409, "", {}),
        (429, "", {}),
    ],
)
@pytest.mark.parametrize("api_key", ["", "k" * 32], ids=["no key", "key"])
@each_endpoint()
def test_no_error_of_an_endpoint_contains_words_of_python(
    stub: Stub, endpoint: Endpoint, status: int, text: str, headers: dict[str, str], api_key: str
) -> None:
    stub.set_response(status, text, headers)

    with (
        Client(**stub.settings(api_version=3, retries=0, api_key=api_key)) as client,
        pytest.raises(HCAPIError) as caught,
    ):
        endpoint.call(client)
    message = for_command_line(str(caught.value))
    assert not re.search(PYTHON, message.replace("--uuid", "")), message


@pytest.mark.parametrize(
    ("message", "worded"),
    [
        ("get_status: GET http://hc.example/ returned 404", "GET http://hc.example/ returned 404"),
        ("could not create a: create_check: POST https://x/", "could not create a: POST https://x/"),
        (
            "there is no check with this slug (create=True creates it)",
            "there is no check with this slug (--create creates it)",
        ),
        ("(try api_version=2 or 1)", "(try HEALTHCHECKS_API_VERSION=2 or 1)"),
        (
            "pass ping_key, set HEALTHCHECKS_PING_KEY, or ping by uuid",
            "pass --ping-key, set HEALTHCHECKS_PING_KEY, or ping by --uuid",
        ),
        ("set api_url='https://new.example/'.", "set --api-url 'https://new.example/'."),
        ("check ping_url, which redirects to 'x'.", "check --ping-url, which redirects to 'x'."),
        ("check api_url.", "check --api-url."),
        ("the ping key or the ping_url is wrong", "the ping key or the ping URL is wrong"),
        ("n must be from 1 to 5", "--body must be from 1 to 5"),
        (
            "GET http://hc.example/ping/***/api_key returned 404: 'by api_key'",
            "GET http://hc.example/ping/***/api_key returned 404: 'by api_key'",
        ),
    ],
)
def test_words_of_python_are_replaced(message: str, worded: str) -> None:
    assert for_command_line(message) == worded


def test_a_command_words_its_error(call: Command) -> None:
    errors = call("ping", "--slug", "backup").stderr

    assert errors.startswith("Error: POST http://")
    assert "(--create creates it)" in errors


def test_run_words_its_warning(run: Command) -> None:
    errors = run("run", "--slug", "backup", "true").stderr

    assert ": POST http://" in errors
    assert "(--create creates it)" in errors


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--slug", "Backup"], "slug: must consist of a-z, 0-9, '-' and '_'"),
        (["--grace", "5s"], "grace: must be a whole number of seconds from 60 to 31536000, such as 5400 or '1h 30m'"),
    ],
)
def test_invalid_fields_are_reported_in_plain_words(call: Command, options: list[str], problem: str) -> None:
    result = call("checks", "create", *options)

    assert (result.status, result.stderr) == (1, f"Error: {problem}\n")
