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
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import (
    AsyncClient,
    BadAPIRequestError,
    CheckCreate,
    CheckTrap,
    CheckUpdate,
    Client,
    HCAPIAuthError,
    HCAPIError,
    HCAPIUnavailableError,
    monitor,
)
from healthchecks_io.client import upsert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox

BACKUP = CheckCreate(slug="backup", timeout=600, tags="db")


@pytest.fixture(autouse=True)
def _short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait only briefly for other processes, as there are none."""
    monkeypatch.setattr(upsert, "_SETTLING_TIME", 0.01)
    monkeypatch.setattr(upsert, "uniform", lambda *_: 0.01)


def check_id(number: int) -> str:
    return str(uuid.UUID(int=number))


def check_json(number: int = 1, n_pings: int = 0, **fields: Any) -> dict[str, Any]:
    required = {"name": "backup", "slug": "backup", "grace": 3600, "status": "new"}
    return {**required, "uuid": check_id(number), "n_pings": n_pings, **fields}


class Script:
    """The responses of a server to the requests of a run, in order. Pings succeed after them.

    Attributes:
        arrived: Set when the first request has arrived.
        may_respond: The server waits for this event before the response that is held back.
        held: The number of this response, from 0.
    """

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._responses: list[tuple[int, Any]] = []
        self.held = 0
        self.arrived = threading.Event()
        self.may_respond = threading.Event()
        self.may_respond.set()
        stub.next_response = self._next_response  # type: ignore[method-assign]  # a Stub is scripted by its queue only

    def __call__(self, *responses: tuple[int, Any]) -> None:
        self._responses = [*responses]

    def _next_response(self) -> tuple[int, bytes, dict[str, str]]:
        is_held = len(self._stub.requests) == self.held + 1
        self.arrived.set()
        status, body = self._responses.pop(0) if self._responses else (200, "OK")
        if is_held:
            self.may_respond.wait(10)
        return status, (body if isinstance(body, str) else json.dumps(body)).encode(), {}

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
PINGS_BY_SLUG = ["POST /ping/pingkey/backup/start", "POST /ping/pingkey/backup"]


def update(number: int = 1) -> str:
    return f"POST /api/v3/checks/{check_id(number)}"


def get(number: int) -> str:
    return f"GET /api/v3/checks/{check_id(number)}"


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
    # In versions 1 and 2, a name without a slug sets the slug: here, to "backup".
    with connect(**{**settings, "api_version": api_version}).trap(create=CheckCreate(slug="-backup-")):
        pass

    assert [(check.slug, check.name) for check in hc.checks] == [("-backup-", "-backup-")]


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
    trap: CheckTrap[Any, Any] = CheckTrap(stub_api.client, create=BACKUP)
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
        ({"create": CheckCreate(timeout=600)}, "either a UUID or a slug"),
        ({"uuid": check_id(1), "create": BACKUP}, "either a UUID or a slug"),
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


# Once per process.


def do_nothing() -> None: ...


async def do_nothing_in_a_task() -> None: ...


def run_at_once(
    api: Api, trap: CheckTrap[Any, Any], runs: int, all_began: Callable[[], object] = lambda: None
) -> list[BaseException | None]:
    """Call a decorated job several times at once.

    Args:
        api: The client.
        trap: The decorator.
        runs: The number of calls.
        all_began: Called a moment after all calls have begun.

    Returns:
        The exception of each call, or None.
    """
    if isinstance(api.client, Client):
        with ThreadPoolExecutor(runs) as pool:
            calls: list[Future[None]] = [pool.submit(trap(do_nothing)) for _ in range(runs)]
            time.sleep(0.1)
            all_began()
        return [call.exception() for call in calls]

    async def gather() -> list[BaseException | None]:
        tasks = [asyncio.create_task(trap(do_nothing_in_a_task)()) for _ in range(runs)]
        await asyncio.sleep(0.1)
        all_began()
        results: list[BaseException | None] = await asyncio.gather(*tasks, return_exceptions=True)
        return results

    errors: list[BaseException | None] = api.run(gather())
    return errors


def test_many_runs_at_once_create_the_check_once(stub_api: Api, script: Script) -> None:
    script(*created())
    trap = CheckTrap(stub_api.client, create=BACKUP)

    assert run_at_once(stub_api, trap, 8) == [None] * 8
    assert script.sent[:3] == [CREATE, LIST, update()]
    assert sorted(script.sent[3:]) == sorted([ping(1), ping(1, "start")] * 8)


def test_if_the_creation_fails_each_run_that_waits_for_it_gets_its_own_error(stub_api: Api, script: Script) -> None:
    script((401, '{"error": "wrong api key"}'))
    script.may_respond.clear()
    trap = CheckTrap(stub_api.client, create=BACKUP)
    errors = run_at_once(stub_api, trap, 4, all_began=script.may_respond.set)

    assert [type(error) for error in errors] == [HCAPIAuthError] * 4
    assert len({id(error) for error in errors}) == 4
    assert len({str(error) for error in errors}) == 1
    assert script.sent == [CREATE]


def test_a_run_after_a_failure_creates_the_check(stub_api: Api, script: Script) -> None:
    trap = CheckTrap(stub_api.client, create=BACKUP, ping_errors="log")
    script((503, ""))
    with stub_api.entering(trap):
        pass
    script(*created())
    with stub_api.entering(trap):
        pass

    assert script.sent.count(CREATE) == 2
    assert script.sent[-2:] == [ping(1, "start"), ping(1)]


def test_a_pickled_or_copied_trap_finds_the_check_by_itself(api: Api, hc: Sandbox) -> None:
    trap = CheckTrap(api.client, create=BACKUP)
    with api.entering(trap):
        pass
    (check,) = hc.checks
    for copied in (pickle.loads(pickle.dumps(trap)), copy.deepcopy(trap), copy.copy(trap)):  # noqa: S301 - ours
        copied_api = type(api)(copied._client, api._loop)
        with copied_api.entering(copied):
            pass
        copied_api.close()

    assert [each.uuid for each in hc.checks] == [check.uuid]
    assert len(hc.pings(check)) == 8


# Failures.


@pytest.mark.parametrize(
    ("ping_errors", "status", "is_raised"),
    [
        ("log", 401, False),
        ("log", 503, False),
        ("raise-config", 401, True),
        ("raise-config", 403, True),
        ("raise-config", 400, True),
        ("raise-config", 301, True),
        ("raise-config", 503, False),
        ("raise-config", 200, False),
        ("raise", 401, True),
        ("raise", 503, True),
    ],
)
def test_a_failure_to_create_the_check_counts_as_a_ping_failure(
    stub_api: Api, script: Script, ping_errors: Any, status: int, is_raised: bool
) -> None:
    script((status, "no check"))
    trap = CheckTrap(stub_api.client, create=BACKUP, ping_errors=ping_errors)
    has_run = False
    with contextlib.suppress(HCAPIError), stub_api.entering(trap):
        has_run = True

    assert has_run is not is_raised
    assert len(trap.ping_failures) == 1
    assert script.sent == [CREATE, *([] if is_raised else PINGS_BY_SLUG)]


def test_if_the_check_cannot_be_created_the_start_ping_creates_it(
    api: Api, hc: Sandbox, ping_types: Callable[[], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    hc.fail_next(status=403)
    with api.trap(create=BACKUP, ping_errors="log"):
        pass

    assert ping_types() == ["start", "success"]
    assert [record.getMessage().split(":")[0] for record in caplog.records if record.levelno >= logging.WARNING] == [
        "The check of 'backup' could not be created or updated, but the job runs"
    ]


@pytest.mark.parametrize(("ping_errors", "is_raised"), [("log", False), ("raise-config", True), ("raise", True)])
def test_with_a_read_only_key_the_check_cannot_be_declared(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, ping_errors: Any, is_raised: bool
) -> None:
    api = connect(**{**settings, "api_key": hc.read_only_key})
    trap = CheckTrap(api.client, create=BACKUP, ping_errors=ping_errors)
    with pytest.raises(HCAPIError) if is_raised else contextlib.nullcontext(), api.entering(trap):
        pass

    (failure,) = trap.ping_failures
    assert type(failure) is HCAPIAuthError
    assert [len(hc.pings(check)) for check in hc.checks] == ([] if is_raised else [2])


def test_without_an_api_key_a_job_that_must_run_is_reported_by_slug(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox
) -> None:
    with connect(**{**settings, "api_key": ""}).trap(create=BACKUP, ping_errors="log") as trap:
        pass

    (failure,) = trap.ping_failures
    assert type(failure) is BadAPIRequestError
    assert [len(hc.pings(check)) for check in hc.checks] == [2]


def test_the_error_without_an_api_key_names_the_variable(connect: Callable[..., Api], stub: Stub) -> None:
    api = connect(**stub.settings(api_key=""))
    with (
        pytest.raises(BadAPIRequestError, match="set HEALTHCHECKS_API_KEY, or pass an API key"),
        api.trap(create=BACKUP),
    ):
        pass

    assert stub.requests == []


@pytest.mark.parametrize("ping_errors", ["log", "raise-config", "raise"])
def test_without_a_ping_key_a_job_is_reported_by_uuid(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, ping_errors: Any
) -> None:
    api = connect(**{**settings, "ping_key": ""})
    with api.trap(create=BACKUP, ping_errors=ping_errors) as trap:
        pass

    assert trap.ping_failures == []
    assert [len(hc.pings(check)) for check in hc.checks] == [2]


def test_without_a_ping_key_the_final_ping_creates_the_check_after_an_outage_of_the_management_api(
    connect: Callable[..., Api], script: Script, stub: Stub
) -> None:
    script((503, ""), *created())
    with connect(**stub.settings(api_version=3, ping_key="")).trap(create=BACKUP) as trap:
        assert script.sent == [CREATE]

    assert script.sent == [CREATE, CREATE, LIST, update(), ping(1)]
    assert [type(failure) for failure in trap.ping_failures] == [HCAPIUnavailableError]


def test_without_a_ping_key_a_cancelled_job_is_not_affected_by_a_management_api_that_hangs(
    stub: Stub, silent_server: str
) -> None:
    async def main() -> CheckTrap[AsyncClient, Any]:
        settings = stub.settings(api_url=f"{silent_server}/api/", ping_key="", timeout=0.3, retries=5)
        began = asyncio.Event()

        async def run() -> None:
            async with trap:
                began.set()
                await asyncio.sleep(60)

        async with AsyncClient(**settings) as client:
            trap: CheckTrap[AsyncClient, Any] = CheckTrap(client, create=BACKUP, ping_errors="raise-config")
            task = asyncio.create_task(run())
            await began.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        return trap

    assert len(asyncio.run(main()).ping_failures) == 2
    assert stub.requests == []


def test_a_management_api_that_hangs_leaves_half_of_the_timeout_to_the_start_ping(
    connect: Callable[..., Api], stub: Stub, silent_server: str
) -> None:
    stub.set_response(body="OK")
    api = connect(**stub.settings(api_url=f"{silent_server}/api/", timeout=0.6, retries=5))
    with api.trap(create=BACKUP) as trap:
        pass

    assert [type(failure) for failure in trap.ping_failures] == [HCAPIUnavailableError]
    assert [f"{request.method} {request.path.split('?')[0]}" for request in stub.requests] == PINGS_BY_SLUG
    assert all("create=1" in request.path for request in stub.requests)


def test_a_management_api_that_hangs_after_the_creation_leaves_half_of_the_timeout_to_the_start_ping(
    connect: Callable[..., Api], script: Script, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    script((201, check_json()), checks(1))
    script.held = 1
    script.may_respond.clear()
    api = connect(**stub.settings(timeout=0.6, retries=5))
    with api.trap(create=BACKUP, ping_errors="raise"):
        pass
    script.may_respond.set()

    assert script.sent[-2:] == [ping(1, "start"), ping(1)]
    assert "The check was created, but not with these fields: channels, name" in caplog.text
    assert "after -" not in caplog.text


# The check is deleted.


@pytest.mark.parametrize("action", ["start", "log", ""])
def test_a_check_that_was_deleted_is_created_again_by_the_next_ping(stub_api: Api, script: Script, action: str) -> None:
    trap: CheckTrap[Any, Any] = CheckTrap(stub_api.client, create=BACKUP)
    script(*created(1))
    with stub_api.entering(trap):
        pass
    before = {"start": 0, "log": 1, "": 2}[action]
    script(*[(200, "OK")] * before, (404, "not found"), *created(2))
    first = len(script.sent)
    with stub_api.entering(trap):
        stub_api.run(trap.send_log())

    old, new = ([ping(number, each) for each in ("start", "log", "")] for number in (1, 2))
    assert script.sent[first:] == [*old[: before + 1], CREATE, LIST, update(2), *new[before:]]
    assert trap.ping_failures == []


def test_a_check_that_was_deleted_during_the_job_is_created_again_by_the_final_ping(api: Api, hc: Sandbox) -> None:
    with api.trap(create=BACKUP) as trap:
        (deleted,) = hc.checks
        with hc.client() as client:
            client.delete_check(deleted.uuid)

    (check,) = hc.checks
    assert check.uuid != deleted.uuid
    assert check.name == "backup"
    assert [ping.type for ping in hc.pings(check)] == ["success"]
    assert trap.ping_failures == []


def test_a_ping_that_is_never_found_is_repeated_once(stub_api: Api, script: Script) -> None:
    missing = (404, "not found")
    script(*created(1), missing, *created(2), missing, missing, *created(3), missing)
    trap = CheckTrap(stub_api.client, create=BACKUP, ping_errors="log")
    with stub_api.entering(trap):
        pass

    creation = [CREATE, LIST]
    assert script.sent == [
        *(*creation, update(1), ping(1, "start")),
        *(*creation, update(2), ping(2, "start"), ping(2)),
        *(*creation, update(3), ping(3)),
    ]
    assert len(trap.ping_failures) == 2


@pytest.mark.parametrize(
    ("ping_errors", "status", "is_raised"),
    [("log", 401, False), ("raise-config", 503, False), ("raise-config", 401, True), ("raise", 503, True)],
)
def test_if_a_deleted_check_cannot_be_created_again_the_start_ping_counts_it_as_a_ping_failure(
    stub_api: Api, script: Script, ping_errors: Any, status: int, is_raised: bool
) -> None:
    trap: CheckTrap[Any, Any] = CheckTrap(stub_api.client, create=BACKUP, ping_errors=ping_errors)
    script(*created(1))
    with stub_api.entering(trap):
        pass
    script((404, "not found"), (status, ""))
    first = len(script.sent)
    with contextlib.suppress(HCAPIError), stub_api.entering(trap):
        pass

    assert script.sent[first:] == [ping(1, "start"), CREATE, *([] if is_raised else PINGS_BY_SLUG)]
    assert [failure.status_code for failure in trap.ping_failures] == [status]


@pytest.mark.parametrize("ping_errors", ["log", "raise-config", "raise"])
def test_if_a_deleted_check_cannot_be_created_again_the_final_ping_creates_it(
    stub_api: Api, script: Script, ping_errors: Any
) -> None:
    script(*created(1), (200, "OK"), (404, "not found"), (401, ""))
    trap: CheckTrap[Any, Any] = CheckTrap(stub_api.client, create=BACKUP, ping_errors=ping_errors)
    expected = pytest.raises(HCAPIAuthError) if ping_errors == "raise" else contextlib.nullcontext()
    with expected, stub_api.entering(trap):
        pass

    assert script.sent[3:] == [ping(1, "start"), ping(1), CREATE, PINGS_BY_SLUG[1]]
    assert [type(failure) for failure in trap.ping_failures] == [HCAPIAuthError]


def test_without_a_ping_key_a_deleted_check_that_cannot_be_created_again_is_one_failure(
    connect: Callable[..., Api], script: Script, stub: Stub
) -> None:
    script(*created(1), (200, "OK"), (404, "not found"), (401, ""))
    with connect(**stub.settings(api_version=3, ping_key="")).trap(create=BACKUP, ping_errors="log") as trap:
        pass

    assert script.sent[3:] == [ping(1, "start"), ping(1), CREATE]
    assert [type(failure) for failure in trap.ping_failures] == [HCAPIAuthError]


# Duplicates. The responses are those of a server where another process creates the same check.


def checks(*numbers: int, **fields: Any) -> tuple[int, Any]:
    """The response to a list request."""
    return 200, {"checks": [check_json(number, **fields) for number in numbers]}


def test_of_two_new_checks_the_one_with_the_lower_uuid_is_kept(stub_api: Api, script: Script) -> None:
    script((201, check_json(2)), checks(1, 2), (200, check_json(2)), (200, check_json(1)), checks(1))
    with stub_api.trap(create=BACKUP):
        pass

    # The other process sets the name of its check.
    assert script.sent == [CREATE, LIST, delete(2), CREATE, LIST, ping(1, "start"), ping(1)]


def test_a_new_check_with_the_lowest_uuid_is_left_to_the_other_processes(stub_api: Api, script: Script) -> None:
    script((201, check_json(1)), checks(2, 1), (200, check_json(1)))
    with stub_api.trap(create=BACKUP):
        pass

    assert script.sent == [CREATE, LIST, update(1), ping(1, "start"), ping(1)]


def test_a_new_check_is_deleted_if_another_one_is_in_use(stub_api: Api, script: Script) -> None:
    both = (200, {"checks": [check_json(1), check_json(2, n_pings=1)]})
    script((201, check_json(1)), both, (200, check_json(1)), (200, check_json(2, n_pings=1)))
    with stub_api.trap(create=BACKUP):
        pass

    assert script.sent == [CREATE, LIST, delete(1), CREATE, ping(2, "start"), ping(2)]


def test_a_duplicate_that_another_process_has_deleted_is_no_failure(stub_api: Api, script: Script) -> None:
    script((201, check_json(2)), checks(1, 2), (404, ""), (200, check_json(1)), checks(1))
    with stub_api.trap(create=BACKUP, ping_errors="raise"):
        pass

    assert script.sent[-2:] == [ping(1, "start"), ping(1)]


def test_a_check_that_has_been_pinged_is_not_looked_for(stub_api: Api, script: Script) -> None:
    script((200, check_json(1, n_pings=1)))
    with stub_api.trap(create=BACKUP):
        pass

    assert script.sent == [CREATE, ping(1, "start"), ping(1)]


def test_a_check_that_another_process_has_just_created_may_be_about_to_be_deleted(
    stub_api: Api, script: Script
) -> None:
    script((200, check_json(2)), checks(1, 2), (200, check_json(1)), checks(1))
    with stub_api.trap(create=BACKUP):
        pass

    assert script.sent == [CREATE, LIST, CREATE, LIST, ping(1, "start"), ping(1)]


def test_a_duplicate_that_no_process_deletes_is_tolerated_and_the_other_check_is_updated(
    stub_api: Api, script: Script, stub: Stub
) -> None:
    script(*((200, check_json(2)), checks(1, 2)) * 2, (200, check_json(1)))
    with stub_api.trap(create=BACKUP):
        pass

    assert script.sent == [CREATE, LIST, CREATE, LIST, update(1), ping(1, "start"), ping(1)]
    assert json.loads(stub.requests[4].body) == {"slug": "backup", "timeout": 600, "tags": "db"}


def test_a_run_gives_up_on_endless_duplicates(stub_api: Api, script: Script) -> None:
    lowest = 100
    rounds = [
        each
        for number in range(200, 210)
        for each in ((201, check_json(number)), checks(lowest, number), (200, check_json(number)))
    ]
    script(*rounds)
    script._responses[15:] = [(200, check_json(lowest))]
    with stub_api.trap(create=BACKUP, ping_errors="raise"):
        pass

    assert script.sent.count(CREATE) == 5
    assert [request for request in script.sent if request.startswith("DELETE")] == [
        delete(number) for number in range(200, 205)
    ]
    assert script.sent[-3:] == [update(lowest), ping(lowest, "start"), ping(lowest)]


def test_the_chosen_check_may_have_been_deleted_when_the_run_gives_up(stub_api: Api, script: Script) -> None:
    script(*((200, check_json(2)), checks(1, 2)) * 2, (404, ""), (404, "not found"), *created(3))
    with stub_api.trap(create=BACKUP, ping_errors="raise"):
        pass

    assert script.sent[4:] == [update(1), ping(1, "start"), CREATE, LIST, update(3), ping(3, "start"), ping(3)]


def test_the_channels_of_a_check_that_a_ping_created_are_not_set_again(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox
) -> None:
    api = connect(**settings, retries=0)
    trap: CheckTrap = CheckTrap(api.client, create=CheckCreate(slug="backup", tags="db"))
    hc.fail_next(status=503)
    with api.entering(trap):
        pass
    with hc.client() as client:
        client.update_check(hc.checks[0].uuid, CheckUpdate(channels=""))

    with api.entering(trap):
        pass

    assert (hc.checks[0].tags, hc.checks[0].channels) == ("db", "")


def test_if_the_checks_cannot_be_listed_the_new_check_is_used(
    stub_api: Api, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script((201, check_json(2)), (503, ""), (200, check_json(2)))
    with stub_api.trap(create=BACKUP, ping_errors="raise"):
        pass

    assert script.sent == [CREATE, LIST, update(2), ping(2, "start"), ping(2)]
    assert "Other checks with the slug backup could not be listed" in caplog.text


def test_if_a_duplicate_cannot_be_deleted_the_other_check_is_used(
    stub_api: Api, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script((201, check_json(2)), checks(1, 2), (503, ""), (503, ""), (503, ""))
    with stub_api.trap(create=BACKUP, ping_errors="raise"):
        pass

    assert script.sent == [CREATE, LIST, delete(2), CREATE, update(1), ping(1, "start"), ping(1)]
    assert "A duplicate of the check backup could not be deleted" in caplog.text
    assert "The check backup could not be updated" in caplog.text


def test_a_duplicate_that_could_not_be_deleted_is_deleted_in_the_next_round(stub_api: Api, script: Script) -> None:
    script(
        *((201, check_json(2)), checks(1, 2), (503, "")),
        *((200, check_json(2)), checks(1, 2), (200, check_json(2))),
        *((200, check_json(1)), checks(1)),
    )
    with stub_api.trap(create=BACKUP, ping_errors="raise"):
        pass

    assert script.sent == [CREATE, LIST, delete(2)] * 2 + [CREATE, LIST, ping(1, "start"), ping(1)]


def test_a_check_that_cannot_be_named_is_used_nevertheless(
    stub_api: Api, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    script((201, check_json(1)), checks(1), (503, ""))
    with stub_api.trap(create=BACKUP, ping_errors="raise"):
        pass

    assert script.sent == [CREATE, LIST, update(1), ping(1, "start"), ping(1)]
    assert "not with these fields: channels, name: it alerts nobody until they are set" in caplog.text


@pytest.mark.parametrize("status", [200, 503])
def test_the_next_run_tries_once_to_complete_a_check_that_could_not_be_completed(
    stub_api: Api, script: Script, status: int
) -> None:
    trap: CheckTrap[Any, Any] = CheckTrap(stub_api.client, create=BACKUP, ping_errors="raise")
    first = ((201, check_json(1)), checks(1), (503, ""), (200, "OK"), (200, "OK"))
    script(*first, (200, check_json(1)), (status, check_json(1)))
    for _ in range(3):
        with stub_api.entering(trap):
            pass

    run = [ping(1, "start"), ping(1)]
    assert script.sent == [CREATE, LIST, update(1), *run, get(1), update(1), *run, *run]


def test_the_next_run_does_not_undo_what_somebody_has_changed_in_the_new_check(stub_api: Api, script: Script) -> None:
    trap: CheckTrap[Any, Any] = CheckTrap(stub_api.client, create=BACKUP, ping_errors="raise")
    changed = {**check_json(1), "name": "Nightly backup (ops)"}
    script((201, check_json(1)), checks(1), (503, ""), (200, "OK"), (200, "OK"), (200, changed))
    for _ in range(2):
        with stub_api.entering(trap):
            pass

    run = [ping(1, "start"), ping(1)]
    assert script.sent == [CREATE, LIST, update(1), *run, get(1), *run]


@pytest.mark.parametrize("slug", ["Bad Slug!", "x" * 101])
def test_a_slug_that_no_server_should_return_does_not_keep_the_job_from_running(
    stub_api: Api, script: Script, caplog: pytest.LogCaptureFixture, slug: str
) -> None:
    script((201, {**check_json(1), "slug": slug}), checks(1))
    with stub_api.trap(create=BACKUP, ping_errors="raise"):
        pass

    assert script.sent == [CREATE, LIST, ping(1, "start"), ping(1)]
    assert "the server returned a check with an invalid " in caplog.text


# Interruptions.


class TimeLimitError(Exception):
    """Raised by a signal handler when a job takes too long."""


@pytest.fixture
def on_first_request(script: Script) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Return a function that sets what a signal handler in the main thread does when the first request has arrived."""
    script.may_respond.clear()
    previous = signal.getsignal(signal.SIGALRM)
    main_thread = threading.get_ident()

    def interrupt() -> None:
        assert script.arrived.wait(10)
        signal.pthread_kill(main_thread, signal.SIGALRM)

    interrupter = threading.Thread(target=interrupt)

    def start(handle: Callable[[], None]) -> None:
        signal.signal(signal.SIGALRM, lambda *_: handle())
        interrupter.start()

    yield start
    script.may_respond.set()
    interrupter.join()
    signal.signal(signal.SIGALRM, previous)


def test_another_thread_takes_over_from_a_run_that_is_interrupted(
    script: Script, stub: Stub, on_first_request: Callable[[Callable[[], None]], None]
) -> None:
    script((201, check_json()), *created())
    others: list[threading.Thread] = []

    def interrupt() -> None:
        others.append(threading.Thread(target=trap(do_nothing)))
        others[0].start()
        time.sleep(0.1)  # It waits for the check.
        assert script.sent == [CREATE]
        script.may_respond.set()
        raise TimeLimitError

    on_first_request(interrupt)
    with Client(**stub.settings(api_version=3)) as client:
        trap = CheckTrap(client, create=BACKUP)
        with pytest.raises(TimeLimitError):
            trap(do_nothing)()
        others[0].join()

    assert script.sent == [CREATE, CREATE, LIST, update(), ping(1, "start"), ping(1)]


def test_a_signal_handler_does_not_wait_for_the_run_that_it_interrupts(
    script: Script, stub: Stub, on_first_request: Callable[[Callable[[], None]], None]
) -> None:
    script((201, check_json()), (200, check_json()), (200, {"checks": [check_json()]}))

    def interrupt() -> None:
        script.may_respond.set()
        trap(do_nothing)()

    on_first_request(interrupt)
    with Client(**stub.settings(api_version=3)) as client:
        trap = CheckTrap(client, create=BACKUP, ping_errors="raise")
        trap(do_nothing)()

    run = [ping(1, "start"), ping(1)]
    assert script.sent == [CREATE, CREATE, LIST, *run, LIST, update(), *run]


def test_another_task_takes_over_from_a_run_that_is_cancelled(script: Script, stub: Stub) -> None:
    script((201, check_json()), *created())
    script.may_respond.clear()

    async def main() -> None:
        async with AsyncClient(**stub.settings(api_version=3)) as client:
            run = CheckTrap(client, create=BACKUP, ping_errors="raise")(do_nothing_in_a_task)
            first, second = asyncio.create_task(run()), asyncio.create_task(run())
            await asyncio.to_thread(script.arrived.wait, 10)
            first.cancel()
            script.may_respond.set()
            await second
            assert first.cancelled()

    asyncio.run(main())
    assert script.sent == [CREATE, CREATE, LIST, update(), ping(1, "start"), ping(1)]


def test_a_cancelled_task_that_waits_for_the_check_does_not_affect_the_others(script: Script, stub: Stub) -> None:
    script(*created())
    script.may_respond.clear()

    async def main() -> None:
        async with AsyncClient(**stub.settings(api_version=3)) as client:
            run = CheckTrap(client, create=BACKUP, ping_errors="raise")(do_nothing_in_a_task)
            first, second, third = (asyncio.create_task(run()) for _ in range(3))
            await asyncio.to_thread(script.arrived.wait, 10)
            await asyncio.sleep(0)
            second.cancel()
            await asyncio.sleep(0)
            script.may_respond.set()
            await asyncio.gather(first, third)
            assert second.cancelled()

    asyncio.run(main())
    assert script.sent[:3] == [CREATE, LIST, update()]
    assert sorted(script.sent[3:]) == [ping(1), ping(1), ping(1, "start"), ping(1, "start")]


@pytest.fixture
def monitored(stub: Stub, script: Script, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A monitor, whose runs have clients of their own. The response to its first request is held back."""
    for name, value in stub.settings(api_version=3).items():
        monkeypatch.setenv(f"HEALTHCHECKS_{name.upper()}", str(value))
    script.may_respond.clear()
    return monitor("backup", period=600, ping_errors="raise")


def test_event_loops_in_several_threads_create_the_check_once(script: Script, monitored: Any) -> None:
    script(*created())
    run = monitored(do_nothing_in_a_task)
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(lambda: asyncio.run(run())) for _ in range(4)]
        time.sleep(0.1)
        script.may_respond.set()

    assert [call.exception() for call in calls] == [None] * 4
    assert script.sent[:3] == [CREATE, LIST, update()]
    assert sorted(script.sent[3:]) == sorted([ping(1), ping(1, "start")] * 4)


def test_a_run_that_blocks_the_event_loop_does_not_wait_for_a_task_of_it(script: Script, monitored: Any) -> None:
    script((201, check_json()), (200, check_json()), checks(1))
    run = [ping(1, "start"), ping(1)]

    async def main() -> None:
        task = asyncio.create_task(monitored(do_nothing_in_a_task)())
        await asyncio.to_thread(script.arrived.wait, 10)
        monitored(do_nothing)()
        assert script.sent == [CREATE, CREATE, LIST, *run]
        script.may_respond.set()
        await task

    asyncio.run(main())
    assert script.sent[5:] == [LIST, update(), *run]


def test_a_run_does_not_wait_for_a_task_of_an_event_loop_that_has_stopped(script: Script, monitored: Any) -> None:
    script((201, check_json()), (200, check_json()), checks(1))
    run = monitored(do_nothing_in_a_task)

    async def begin() -> asyncio.Task[None]:
        task = asyncio.create_task(run())
        await asyncio.to_thread(script.arrived.wait, 10)
        return task

    with contextlib.closing(asyncio.new_event_loop()) as stopped:
        task = stopped.run_until_complete(begin())
        asyncio.run(run())
        assert script.sent == [CREATE, CREATE, LIST, ping(1, "start"), ping(1)]

        script.may_respond.set()
        stopped.run_until_complete(task)
        stopped.run_until_complete(stopped.shutdown_default_executor())


def test_a_creation_that_never_ends_is_waited_for_once(
    script: Script, monitored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    script((201, check_json()), (200, check_json()), checks(1))
    monkeypatch.setenv("HEALTHCHECKS_TIMEOUT", "0.5")
    run = monitored(do_nothing_in_a_task)

    async def begin() -> asyncio.Task[None]:
        task = asyncio.create_task(run())
        await asyncio.to_thread(script.arrived.wait, 10)
        return task

    with contextlib.closing(asyncio.new_event_loop()) as stopped:
        with ThreadPoolExecutor(1) as pool:
            task = pool.submit(stopped.run_until_complete, begin()).result()
            with pytest.raises(HCAPIUnavailableError, match="another run was still creating the check"):
                asyncio.run(run())
            asyncio.run(run())
        assert script.sent == [CREATE, CREATE, LIST, ping(1, "start"), ping(1)]

        task.cancel()
        stopped.run_until_complete(asyncio.wait([task]))
        stopped.run_until_complete(stopped.shutdown_default_executor())


def test_the_next_run_finishes_what_an_interrupted_run_has_begun(
    api: Api, hc: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interruption(BaseException):
        pass

    def interrupt(*_: object) -> None:
        raise Interruption

    trap = CheckTrap(api.client, create=BACKUP)
    with monkeypatch.context() as patch:
        # The first step after the response.
        patch.setattr(upsert, "_first", interrupt)
        with pytest.raises(Interruption), api.entering(trap):
            pass
    assert [check.name for check in hc.checks] == [""]
    with api.entering(trap):
        pass

    assert [check.name for check in hc.checks] == ["backup"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_process_that_is_forked_during_the_creation_creates_the_check_itself(
    script: Script, stub: Stub
) -> None:
    of_child = [(200, check_json()), checks(1), (200, "OK"), (200, "OK")]
    script((201, check_json()), *of_child, checks(1), (200, check_json()))
    script.may_respond.clear()
    with Client(**stub.settings(api_version=3)) as client:
        run = CheckTrap(client, create=BACKUP, ping_errors="raise")(do_nothing)
        creating = threading.Thread(target=run)
        creating.start()
        assert script.arrived.wait(10)
        if (pid := os.fork()) == 0:
            status = 1
            with contextlib.suppress(BaseException):
                run()
                status = 0
            os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        script.may_respond.set()
        creating.join()

    run_of_child = [LIST, ping(1, "start"), ping(1)]
    assert script.sent == [CREATE, CREATE, *run_of_child, LIST, update(), ping(1, "start"), ping(1)]
