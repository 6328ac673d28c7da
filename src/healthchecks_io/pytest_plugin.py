"""A plugin for pytest: a Healthchecks server of its own for tests of monitored jobs.

It imports nothing but pytest, so that it costs nothing where it is not used, and is in nobody's way where the extra
`sandbox` is missing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthchecks_io.sandbox import Sandbox


@pytest.fixture(scope="session")
def _healthchecks_sandbox_of_session() -> Iterator[Sandbox]:
    from healthchecks_io.sandbox import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def healthchecks_sandbox(_healthchecks_sandbox_of_session: Sandbox) -> Iterator[Sandbox]:
    """A local Healthchecks server, empty at the start of each test: `healthchecks_io.sandbox.Sandbox`."""
    yield _healthchecks_sandbox_of_session
    _healthchecks_sandbox_of_session.reset()
    if not _healthchecks_sandbox_of_session.is_running:
        # The test stopped it, to see what a job does then.
        _healthchecks_sandbox_of_session.start()
