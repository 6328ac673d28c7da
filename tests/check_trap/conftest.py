"""Fixtures for the CheckTrap tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healthchecks_io import CheckCreate

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthchecks_io import Check
    from healthchecks_io.sandbox import Sandbox


@pytest.fixture
def check(hc: Sandbox) -> Check:
    """A check with the slug "backup"."""
    with hc.client(api_version=3) as client:
        return client.create_check(CheckCreate(slug="backup"))


@pytest.fixture
def ping_types(hc: Sandbox) -> Callable[[], list[str]]:
    """Return a function that lists the types of the pings sent to the check "backup", oldest first."""
    return lambda: [ping.type for ping in reversed(hc.pings("backup"))]
