"""A CheckTrap that declares its check: the check is created or updated before the first run."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import logging
import os
import pickle
import signal
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import (
    AsyncClient,
    BadAPIRequestError,
    CheckCreate,
    CheckTrap,
    Client,
    HCAPIAuthError,
    HCAPIError,
    HCAPIUnavailableError,
)
from healthchecks_io.client import upsert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox

BACKUP = CheckCreate(slug="backup", timeout=600, tags="db")


@pytest.fixture(autouse=True)
def _short_settling_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait only briefly for other processes, as there are none."""
    monkeypatch.setattr(upsert, "_SETTLING_TIME", 0.01)


def check_id(number: int) -> str:
    return str(uuid.UUID(int=number))


def check_json(number: int = 1, n_pings: int = 0, **fields: Any) -> dict[str, Any]:
    required = {"name": "backup", "slug": "backup", "grace": 3600, "status": "new"}
    return {**required, "uuid": check_id(number), "n_pings": n_pings, **fields}


class Script:
    """The responses of a server to the requests of a run, in order. Pings succeed after them."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        stub.set_response(body="OK")

    def __call__(self, *responses: tuple[int, Any]) -> None:
        self._stub._responses.clear()
        for status, body in responses:
            self._stub.queue_response(status, body if isinstance(body, str) else json.dumps(body))
        self._stub.queue_response(body="OK")

    @property
    def sent(self) -> list[str]:
        """The requests so far."""
        return [f"{each.method} {each.path.split('?')[0]}" for each in self._stub.requests]


@pytest.fixture
def script(stub: Stub) -> Script:
    return Script(stub)


@pytest.fixture
def stub_api(connect: Callable[..., Api], stub: Stub) -> Api:
    """A client of the stub."""
    return connect(**stub.settings(api_version=3))


CREATE = "POST /api/v3/checks/"
LIST = "GET /api/v3/checks/"


def update(number: int = 1) -> str:
    return f"POST /api/v3/checks/{check_id(number)}"


def delete(number: int) -> str:
    return f"DELETE /api/v3/checks/{check_id(number)}"


def ping(number: int, action: str = "") -> str:
    return f"POST /ping/{check_id(number)}{action and '/'}{action}"


def created(number: int = 1) -> tuple[tuple[int, Any], ...]:
    """The responses to a run that creates a check."""
    return (201, check_json(number)), (200, {"checks": [check_json(number)]}), (200, check_json(number))


# The check.


def test_a_check_is_created_before_the_first_run(api: Api, hc: Sandbox, ping_types: Callable[[], list[str]]) -> None:
    with api.trap(create=BACKUP):
        (check,) = hc.checks
        assert (check.slug, check.timeout, check.tags) == ("backup", 600, "db")

    assert ping_types() == ["start", "success"]


@pytest.mark.parametrize("api_version", [1, 2, 3])
def test_a_check_is_created_with_its_slug_as_its_name(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, api_version: int
) -> None:
    with connect(**{**settings, "api_version": api_version}).trap(create=BACKUP):
        pass

    assert [(check.slug, check.name) for check in hc.checks] == [("backup", "backup")]


@pytest.mark.parametrize("api_version", [1, 2, 3])
def test_a_declared_name_does_not_change_the_slug(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, api_version: int
) -> None:
    api = connect(**{**settings, "api_version": api_version})
    for name in ("Nightly Backup", "Hourly Backup"):
        with api.trap(create=CheckCreate(slug="backup", name=name)):
            pass

    assert [(check.slug, check.name) for check in hc.checks] == [("backup", "Hourly Backup")]


@pytest.mark.parametrize("api_version", [1, 2, 3])
def test_an_existing_check_is_updated_and_keeps_fields_that_are_not_declared(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, api_version: int
) -> None:
    with hc.client(api_version=3) as client:
        client.create_check(CheckCreate(name="My Backup", slug="backup", desc="keep", grace=120))
    with connect(**{**settings, "api_version": api_version}).trap(create=BACKUP):
        pass

    (check,) = hc.checks
    assert (check.name, check.slug, check.desc, check.grace) == ("My Backup", "backup", "keep", 120)
    assert (check.timeout, check.tags) == (600, "db")


def test_a_check_that_has_never_been_pinged_keeps_its_name(api: Api, hc: Sandbox) -> None:
    with hc.client(api_version=3) as client:
        client.create_check(CheckCreate(name="", slug="backup"))
    with api.trap(create=BACKUP):
        pass

    assert [check.name for check in hc.checks] == [""]


def test_a_declared_check_is_pinged_by_its_uuid(stub_api: Api, script: Script) -> None:
    script(*created(7))
    trap = CheckTrap(stub_api.client, create=BACKUP)
    for _ in range(2):
        with stub_api.entering(trap):
            stub_api.run(trap.send_log())

    pings = [ping(7, "start"), ping(7, "log"), ping(7)]
    assert script.sent == [CREATE, LIST, update(7), *pings, *pings]


def test_the_slug_may_be_an_argument_of_the_trap(api: Api, ping_types: Callable[[], list[str]]) -> None:
    with api.trap(slug="backup", create=CheckCreate(timeout=600)):
        pass

    assert ping_types() == ["start", "success"]


def test_the_trap_does_not_alter_the_declaration(api: Api) -> None:
    declaration = CheckCreate(timeout=600)
    with api.trap(slug="backup", create=declaration):
        pass

    assert declaration == CheckCreate(timeout=600)
    assert declaration.model_fields_set == {"timeout"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"slug": "restore", "create": BACKUP}, "slug 'backup', but the slug of the CheckTrap is 'restore'"),
        ({"create": CheckCreate(timeout=600)}, "either a uuid or a slug"),
        ({"uuid": check_id(1), "create": BACKUP}, "either a uuid or a slug"),
        ({"uuid": check_id(1), "create": CheckCreate(timeout=600)}, "create .*slug"),
        ({"slug": "backup", "create": {"timeout": 600}}, "True, False or a CheckCreate, not dict"),
    ],
    ids=["two slugs", "no slug", "uuid", "uuid without slug", "dict"],
)
def test_a_declaration_without_a_single_slug_is_rejected_at_construction(
    api: Api, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadAPIRequestError, match=message):
        CheckTrap(api.client, **arguments)
