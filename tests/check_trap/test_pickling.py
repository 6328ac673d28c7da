"""Traps and decorated functions can be pickled and copied. The copy comes without the run."""

from __future__ import annotations

import copy
import inspect
import io
import logging
import pickle
import types
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import BadAPIRequestError, CheckCreate, CheckTrap, Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api

    from healthchecks_io.sandbox import Sandbox

pytestmark = pytest.mark.server("1.23")


def pickled(original: Any) -> Any:
    return pickle.loads(pickle.dumps(original))  # noqa: S301 - trusted


WAYS: dict[str, Callable[[Any], Any]] = {"pickle": pickled, "copy": copy.copy, "deepcopy": copy.deepcopy}


@pytest.fixture(params=WAYS.values(), ids=list(WAYS))
def duplicate(request: pytest.FixtureRequest) -> Any:
    return request.param


class RetryError(Exception):
    """Ignored by the traps of these tests."""


def job(trap: Any) -> None:
    trap.add_log("saved 3 files")


def retry() -> None:
    raise RetryError


def test_a_copy_of_a_trap_reports_a_run_of_its_own(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]], duplicate: Any
) -> None:
    trap = CheckTrap(api.client, slug="backup")
    duplicated = duplicate(trap)
    for each in (trap, duplicated):
        with api.entering(Entered(each, api)):
            job(each)

    assert ping_types() == ["start", "success"] * 2
    assert {ping.body for ping in hc.pings("backup")} == {b"", b"saved 3 files"}
    assert duplicated.rid != trap.rid


def test_a_copy_of_a_trap_in_use_comes_without_its_run(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]], duplicate: Any
) -> None:
    with api.trap(slug="backup") as trap:
        trap.add_log("saved 3 files")
        trap.fail("2 files could not be read")
        duplicated = duplicate(trap)
        assert duplicated.rid != trap.rid
        assert duplicated.ping_failures == []
        with pytest.raises(BadAPIRequestError, match="only during a run"):
            duplicated.fail()
        with api.entering(Entered(duplicated, api)):
            pass

    assert ping_types() == ["start", "start", "success", "fail"]
    assert hc.pings("backup")[1].body == b""


@pytest.mark.server("2.10")
def test_a_copy_of_a_trap_keeps_its_options(
    api: Api, hc: Sandbox, ping_types: Callable[[], list[str]], duplicate: Any
) -> None:
    trap = CheckTrap(
        api.client,
        create=CheckCreate(slug="backup", desc="Saves files"),
        suppress_exceptions=True,
        ping_errors="log",
        log_level=logging.INFO,
        log_formatter=logging.Formatter("%(message)s"),
        log_scope="process",
        ignore=RetryError,
        send_start=False,
        body_limit=100,
        handle_sigterm=True,
    )
    duplicated = duplicate(trap)
    api.success_ping(slug="backup", create=True)
    with api.entering(Entered(duplicated, api)):
        logging.getLogger("tests.pickling").error("x" * 200)
        retry()

    assert ping_types() == ["success", "log"]
    assert len(hc.pings("backup")[0].body) <= 100
    assert hc.pings("backup")[0].body.endswith(b"xxx\nRetryError")
    (found,) = hc.checks
    assert found.desc == "Saves files"


def test_a_copy_of_a_trap_is_a_text_stream(api: Api, duplicate: Any) -> None:
    duplicated = duplicate(CheckTrap(api.client, slug="backup"))

    assert isinstance(duplicated, io.TextIOBase)
    assert not duplicated.closed


def test_a_copy_of_a_trap_with_an_explicit_run_id_keeps_it(api: Api, check: Any, duplicate: Any) -> None:
    rid = "11111111-2222-3333-4444-555555555555"
    trap = CheckTrap(api.client, slug="backup", rid=rid)
    duplicated = duplicate(trap)
    assert duplicated.rid == rid

    with api.entering(trap):
        duplicated = duplicate(trap)
    with pytest.raises(BadAPIRequestError, match="for one run only"), api.entering(Entered(duplicated, api)):
        pytest.fail("the job ran")


def referred_by(function: types.FunctionType) -> Iterator[object]:
    """Yield the objects that a function refers to, directly or through other functions."""
    for value in inspect.getclosurevars(function).nonlocals.values():
        if isinstance(value, types.FunctionType):
            yield from referred_by(value)
        else:
            yield value


def test_a_decorated_function_refers_only_to_what_can_be_pickled(api: Api) -> None:
    """So that cloudpickle can pickle it by value."""

    def plain() -> None:
        """Do nothing."""

    async def coroutine_function() -> None:
        """Do nothing."""

    trap: Any = CheckTrap(api.client, slug="backup")
    decorated = trap(plain if isinstance(api.client, Client) else coroutine_function)
    referred = list(referred_by(decorated))

    assert trap in referred
    for each in referred:
        assert type(pickled(each)) is type(each)


class Entered:
    """A context manager that enters a trap, and closes the client that a copy has of its own."""

    def __init__(self, trap: Any, api: Api) -> None:
        self._trap = trap
        self._original = api.client

    def __enter__(self) -> Any:
        return self._trap.__enter__()

    def __exit__(self, *error: Any) -> Any:  # noqa: PYI036 - it passes them on
        try:
            return self._trap.__exit__(*error)
        finally:
            if self._trap._client is not self._original:
                self._trap._client.close()

    async def __aenter__(self) -> Any:
        return await self._trap.__aenter__()

    async def __aexit__(self, *error: Any) -> Any:  # noqa: PYI036 - it passes them on
        try:
            return await self._trap.__aexit__(*error)
        finally:
            if self._trap._client is not self._original:
                await self._trap._client.aclose()
