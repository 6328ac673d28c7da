"""Fixtures for the tests of monitor and heartbeat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from uses import Use

from healthchecks_io.client import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthchecks_io.sandbox import Sandbox


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the warnings that other tests have caused, as a new process does."""
    monkeypatch.setattr(logger, "_warnings", set())


@pytest.fixture
def hc(healthchecks_environ: Sandbox) -> Sandbox:
    """An empty sandbox, which the environment names."""
    return healthchecks_environ


@pytest.fixture(
    params=[
        Use(is_async=is_async, is_decorator=is_decorator)
        for is_async in (False, True)
        for is_decorator in (False, True)
    ],
    ids=["with", "function", "async with", "coroutine function"],
)
def use(request: pytest.FixtureRequest) -> Use:
    """Each way to use a monitor."""
    use: Use = request.param
    return use


@pytest.fixture
def ping_types(hc: Sandbox) -> Callable[[str], list[str]]:
    """Return a function that lists the types of the pings of a check, oldest first."""
    return lambda slug: [ping.type for ping in reversed(hc.pings(slug))]
