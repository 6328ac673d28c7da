"""A pytest plugin that provides a local Healthchecks server for tests of monitored jobs.

It imports nothing but pytest until a test uses a fixture. Other test runs are not slowed down and do not need the
`sandbox` extra.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthchecks_io.sandbox import Sandbox


@pytest.fixture(scope="session")
def _healthchecks_session_sandbox() -> Iterator[Sandbox]:
    from healthchecks_io.sandbox import Sandbox

    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def healthchecks_sandbox(_healthchecks_session_sandbox: Sandbox) -> Iterator[Sandbox]:
    """A local Healthchecks server (`healthchecks_io.sandbox.Sandbox`), empty at the start of each test."""
    yield _healthchecks_session_sandbox
    _healthchecks_session_sandbox.reset()
    if not _healthchecks_session_sandbox.is_running:
        # The test stopped it, for example to test how a job copes without a server.
        _healthchecks_session_sandbox.start()


@pytest.fixture
def healthchecks_environ(healthchecks_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The same server as `healthchecks_sandbox`. During the test, the environment connects clients to it.

    `Client.from_env()` and the commands use it, also in subprocesses. Other HEALTHCHECKS_* variables are removed.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("HEALTHCHECKS_")]:
            patch.delenv(name)
        for name, value in healthchecks_sandbox.environ.items():
            patch.setenv(name, value)
        yield healthchecks_sandbox
