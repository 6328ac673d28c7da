"""Fixtures for the CheckTrap tests."""

from __future__ import annotations

import contextlib
import inspect
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import CheckCreate, CheckTrap, Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api

    from healthchecks_io import Check
    from healthchecks_io.sandbox import Sandbox


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tests that name no version of the server need 2.10, which creates a check at its first ping."""
    if item.get_closest_marker("server") is None:
        item.add_marker(pytest.mark.server("2.10"))


@pytest.fixture
def check(settings: dict[str, Any]) -> Check:
    """A check with the slug "backup"."""
    with Client(**settings) as client:
        # Servers older than 2.10 derive the slug from the name.
        return client.create_check(CheckCreate(name="backup", slug="backup"))


@pytest.fixture
def ping_types(hc: Sandbox) -> Callable[[], list[str]]:
    """Return a function that lists the types of the pings sent to the check "backup", oldest first."""
    return lambda: [ping.type for ping in reversed(hc.pings("backup"))]


@pytest.fixture
def run_job(api: Api) -> Callable[..., CheckTrap[Any, Any]]:
    """Return a function that runs a job in a CheckTrap, and returns the trap.

    With an AsyncClient, the whole run is in a single task, and the job may be a coroutine function.
    """

    def run(job: Callable[[Any], Any], **options: Any) -> CheckTrap[Any, Any]:
        trap = CheckTrap(api.client, **{"slug": "backup", **options})

        async def run_async() -> None:
            async with trap:
                result = job(trap)
                if inspect.isawaitable(result):
                    await result

        if isinstance(api.client, Client):
            with trap:
                job(trap)
        else:
            api.run(run_async())
        return trap

    return run


@pytest.fixture
def once() -> Callable[..., contextlib.AbstractContextManager[None]]:
    """Return a context manager that calls a function in another thread, once a condition is met within the block."""

    @contextlib.contextmanager
    def once(condition: Callable[[], object], act: Callable[[], object]) -> Iterator[None]:
        is_over = threading.Event()

        def wait() -> None:
            while not is_over.is_set():
                if condition():
                    act()
                    return
                time.sleep(0.005)

        thread = threading.Thread(target=wait)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    return once
