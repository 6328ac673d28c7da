"""A self-hosted user who sets only one of the two URLs is warned, because the other requests go to healthchecks.io."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import AsyncClient, Client, heartbeat, monitor
from healthchecks_io.client import logger

if TYPE_CHECKING:
    from collections.abc import Callable

NO_PING_URL = ["Pings go to https://hc-ping.com/, although the API URL is set: set HEALTHCHECKS_PING_URL too"]
NO_API_URL = ["The API URL is https://healthchecks.io/api/, although the ping URL is set: set HEALTHCHECKS_API_URL too"]


@pytest.fixture
def set_variables(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Callable[..., None]:
    """Return a function that sets HEALTHCHECKS_* variables in a new process, which can reach no server."""
    monkeypatch.setattr(logger, "_warnings", set())
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HEALTHCHECKS_RETRIES", "0")
    caplog.set_level(logging.WARNING, "healthchecks_io")

    def set_variables(**variables: str) -> None:
        for name, value in variables.items():
            monkeypatch.setenv(f"HEALTHCHECKS_{name}", value)

    return set_variables


@pytest.mark.parametrize("client_class", [Client, AsyncClient])
@pytest.mark.parametrize(
    ("variables", "warnings"),
    [
        ({"PING_KEY": "k", "API_URL": "https://hc.example/api/"}, NO_PING_URL),
        ({"API_KEY": "k", "API_URL": "https://hc.example/api/"}, []),
        ({"API_KEY": "k", "PING_URL": "https://hc.example/ping/"}, NO_API_URL),
        ({"PING_KEY": "k", "PING_URL": "https://hc.example/ping/"}, []),
        ({"PING_KEY": "k", "API_URL": "https://healthchecks.io/api"}, []),
        ({"PING_KEY": "k", "API_KEY": "k"}, []),
        (
            {
                "PING_KEY": "k",
                "API_KEY": "k",
                "API_URL": "https://hc.example/api/",
                "PING_URL": "https://hc.example/ping/",
            },
            [],
        ),
        ({"PING_KEY": "k", "API_URL": "https://proxy.example/api/", "PING_URL": "https://hc-ping.com/"}, []),
    ],
)
def test_from_env_warns_once_of_a_missing_url_that_its_keys_are_for(
    set_variables: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
    client_class: type[Client | AsyncClient],
    variables: dict[str, str],
    warnings: list[str],
) -> None:
    set_variables(**variables)

    client_class.from_env()
    client_class.from_env()

    assert caplog.messages == warnings


def test_a_keyword_argument_of_from_env_can_be_the_missing_url(
    set_variables: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    set_variables(PING_KEY="k", API_URL="https://hc.example/api/")

    Client.from_env(ping_url="https://hc.example/ping/")

    assert caplog.messages == []


def test_the_constructors_do_not_warn(set_variables: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    set_variables(API_URL="https://hc.example/api/")

    Client(ping_key="k", api_url="https://hc.example/api/")

    assert caplog.messages == []


def _run(manager: Any, *, is_async: bool) -> None:
    async def block() -> None:
        async with manager:
            pass

    if is_async:
        asyncio.run(block())
    else:
        with manager:
            pass


@pytest.mark.parametrize("is_async", [False, True], ids=["with", "async with"])
@pytest.mark.parametrize(
    "create", [lambda: monitor(uuid="u"), lambda: heartbeat(uuid="u", every=60)], ids=["monitor", "heartbeat"]
)
def test_a_monitored_job_runs_with_one_warning_of_a_missing_ping_url(
    set_variables: Callable[..., None], caplog: pytest.LogCaptureFixture, create: Callable[[], Any], is_async: bool
) -> None:
    set_variables(API_URL="https://hc.example/api/")

    for _ in range(2):
        _run(create(), is_async=is_async)

    assert [message for message in caplog.messages if "PING_URL" in message] == NO_PING_URL


@pytest.mark.parametrize("is_async", [False, True], ids=["with", "async with"])
def test_a_job_with_a_declared_check_warns_of_a_missing_api_url(
    set_variables: Callable[..., None], caplog: pytest.LogCaptureFixture, is_async: bool
) -> None:
    set_variables(API_KEY="k", PING_URL="https://hc.example/ping/")

    _run(monitor("backup", period="1h"), is_async=is_async)

    assert [message for message in caplog.messages if "API_URL" in message] == NO_API_URL
