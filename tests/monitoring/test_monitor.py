"""monitor puts a job under monitoring in one line."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import (
    BadAPIRequestError,
    CheckCreate,
    CheckTrap,
    HCAPIAuthError,
    WrongClientError,
    add_log,
    monitor,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from uses import Use

    from healthchecks_io.sandbox import Sandbox


# Runs.


def test_a_job_is_reported_as_a_run(use: Use, hc: Sandbox, ping_types: Callable[[str], list[str]]) -> None:
    def job() -> int:
        add_log("saved 3 files")
        return 5

    assert use.run(monitor("backup"), job) == 5
    assert ping_types("backup") == ["start", "success"]
    assert hc.pings("backup")[0].body == b"saved 3 files"
    assert len({ping.rid for ping in hc.pings("backup")}) == 1


def test_the_jobs_exception_propagates_unchanged(use: Use, hc: Sandbox, ping_types: Callable[[str], list[str]]) -> None:
    error = ValueError("disk full")

    def job() -> None:
        raise error

    with pytest.raises(ValueError, match="disk full") as caught:
        use.run(monitor("backup"), job)
    assert caught.value is error
    assert ping_types("backup") == ["start", "fail"]
    assert hc.pings("backup")[0].body.endswith(b"ValueError: disk full")


def test_a_monitor_takes_the_options_of_a_check_trap(
    use: Use, hc: Sandbox, ping_types: Callable[[str], list[str]]
) -> None:
    def job() -> None:
        raise KeyError("nothing to do")

    assert use.run(monitor("backup", suppress_exceptions=True, ignore=KeyError, send_start=False), job) is None
    assert ping_types("backup") == ["log"]


def test_a_block_returns_a_check_trap(hc: Sandbox) -> None:
    async def main() -> None:
        async with monitor("backup") as trap:
            assert CheckTrap.current() is trap

    with monitor("backup") as trap:
        assert CheckTrap.current() is trap
    asyncio.run(main())


def test_a_job_is_monitored_by_uuid(use: Use, hc: Sandbox) -> None:
    with hc.client() as client:
        check = client.create_check(CheckCreate(name="x"))

    use.run(monitor(uuid=check.uuid), lambda: None)

    assert [ping.type for ping in hc.pings(check.uuid or "")] == ["success", "start"]


def test_a_monitor_with_a_run_id_is_for_one_run(hc: Sandbox) -> None:
    rid = uuid.uuid4()
    monitored = monitor("backup", rid=rid)
    with monitored as trap:
        assert trap.rid == str(rid)

    with pytest.raises(BadAPIRequestError, match="one run"):
        monitored(print)


# The check.


FIELDS: dict[str, Any] = {
    "schedule": "0 3 * * *",
    "tz": "Europe/Riga",
    "grace": "1h 30m",
    "name": "Nightly backup",
    "tags": ["db", "prod"],
    "desc": "Saves the database.",
}


def test_the_declared_check_is_created(use: Use, hc: Sandbox) -> None:
    use.run(monitor("backup", **FIELDS), lambda: None)

    (check,) = hc.checks
    found = {name: getattr(check, name) for name in ("slug", "schedule", "tz", "grace", "name", "tags", "desc")}
    assert found == {
        "slug": "backup",
        "schedule": "0 3 * * *",
        "tz": "Europe/Riga",
        "grace": 5400,
        "name": "Nightly backup",
        "tags": "db prod",
        "desc": "Saves the database.",
    }
    assert check.n_pings == 2


@pytest.mark.parametrize("period", [300, timedelta(minutes=5), "5m"])
def test_the_period_is_the_timeout_of_the_check(hc: Sandbox, period: Any) -> None:
    with monitor("backup", period=period):
        pass

    assert hc.checks[0].timeout == 300
    assert hc.checks[0].name == "backup"


@pytest.mark.parametrize(("options", "count"), [({}, 2), ({"channels": "*"}, 2), ({"channels": []}, 0)])
def test_a_new_check_alerts_all_integrations_unless_they_are_declared(
    use: Use, hc: Sandbox, options: dict[str, Any], count: int
) -> None:
    use.run(monitor("backup", period="1d", **options), lambda: None)

    assert len((hc.checks[0].channels or "").split(",")) == max(count, 1)
    assert bool(hc.checks[0].channels) is bool(count)


def test_the_integrations_of_an_existing_check_do_not_change(use: Use, hc: Sandbox) -> None:
    with hc.client() as client:
        client.create_check(CheckCreate(slug="backup"))

    use.run(monitor("backup", period="1d"), lambda: None)

    assert hc.checks[0].channels == ""


def test_a_declared_field_is_updated_and_the_others_are_not_changed(use: Use, hc: Sandbox) -> None:
    with hc.client() as client:
        client.create_check(CheckCreate(slug="backup", name="Old name", desc="Text", timeout=120, grace=60, tags="a b"))

    use.run(monitor("backup", period=600), lambda: None)

    (check,) = hc.checks
    assert (check.timeout, check.name, check.desc, check.grace, check.tags) == (600, "Old name", "Text", 60, "a b")


def test_a_check_that_equals_the_declaration_is_not_changed(use: Use, hc: Sandbox) -> None:
    use.run(monitor("backup", **FIELDS), lambda: None)
    before = hc.checks[0].model_dump(exclude={"n_pings", "last_ping", "next_ping", "last_duration"})

    use.run(monitor("backup", **FIELDS), lambda: None)

    assert hc.checks[0].model_dump(exclude={"n_pings", "last_ping", "next_ping", "last_duration"}) == before


def test_without_declared_fields_the_first_ping_creates_the_check(use: Use, hc: Sandbox) -> None:
    before = hc.answered
    use.run(monitor("backup"), lambda: None)

    assert (hc.checks[0].slug, hc.checks[0].timeout, hc.checks[0].grace) == ("backup", 86400, 3600)
    assert hc.answered - before == hc.checks[0].n_pings == 2


def test_no_check_is_created_if_create_is_false(use: Use, hc: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    assert use.run(monitor("backup", create=False), lambda: 5) == 5

    assert hc.checks == []
    assert "404" in caplog.text


def test_the_check_can_be_passed_as_a_check_create(use: Use, hc: Sandbox) -> None:
    use.run(monitor(create=CheckCreate(slug="backup", manual_resume=True)), lambda: None)

    assert hc.checks[0].manual_resume


def test_the_check_is_saved_once_for_a_hundred_concurrent_calls_in_threads(hc: Sandbox) -> None:
    @monitor("backup", period="1h")
    def job() -> None:
        pass

    before = hc.answered
    with ThreadPoolExecutor(100) as threads:
        list(threads.map(lambda _: job(), range(100)))

    # Creating, looking for duplicates, naming; two pings for each call.
    assert hc.answered - before == 3 + 200
    assert hc.checks[0].n_pings == 200


def test_the_check_is_saved_once_for_a_hundred_concurrent_calls_in_tasks(hc: Sandbox) -> None:
    @monitor("backup", period="1h")
    async def job() -> None:
        pass

    async def main() -> None:
        await asyncio.gather(*(job() for _ in range(100)))

    before = hc.answered
    asyncio.run(main())

    assert hc.answered - before == 3 + 200
    assert hc.checks[0].n_pings == 200


def test_the_check_is_saved_again_after_this_failed(
    use: Use, hc: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("HEALTHCHECKS_RETRIES", "0")
    monitored = monitor("backup", period=600)
    hc.fail_next(status=503)

    use.run(monitored, lambda: None)
    assert hc.checks[0].timeout == 86400
    use.run(monitored, lambda: None)

    assert hc.checks[0].timeout == 600
    assert hc.checks[0].n_pings == 4


def test_the_check_is_saved_again_after_it_was_deleted(use: Use, hc: Sandbox) -> None:
    monitored = monitor("backup", period=600)
    use.run(monitored, lambda: None)
    with hc.client() as client:
        client.delete_check(hc.checks[0].uuid)

    use.run(monitored, lambda: None)

    assert [(check.slug, check.timeout, check.n_pings) for check in hc.checks] == [("backup", 600, 2)]


def test_with_only_a_ping_key_the_declared_fields_are_ignored_with_one_warning(
    use: Use, hc: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("HEALTHCHECKS_API_KEY")

    for _ in range(2):
        use.run(monitor("backup", period=600), lambda: None)

    assert (hc.checks[0].timeout, hc.checks[0].n_pings) == (86400, 4)
    (warning,) = caplog.messages
    assert "HEALTHCHECKS_API_KEY" in warning


def test_with_only_an_api_key_a_declared_check_is_pinged_by_its_uuid(
    use: Use, hc: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("HEALTHCHECKS_PING_KEY")

    use.run(monitor("backup", period=600), lambda: None)

    assert (hc.checks[0].timeout, hc.checks[0].n_pings) == (600, 2)
    assert caplog.messages == []


def test_ping_errors_can_make_a_rejected_key_stop_the_job(
    use: Use, hc: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTHCHECKS_API_KEY", "x" * 32)

    with pytest.raises(HCAPIAuthError):
        use.run(monitor("backup", period=600, ping_errors="raise-config"), lambda: pytest.fail("the job ran"))


# Clients.


def test_a_passed_in_client_is_used_and_not_closed(use: Use, hc: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in hc.environ:
        monkeypatch.delenv(name)
    client: Any = hc.async_client() if use.is_async else hc.client()

    use.run(monitor("backup", client=client, period=600), lambda: None, client)

    assert (hc.checks[0].timeout, hc.checks[0].n_pings) == (600, 2)


def test_a_client_of_the_wrong_kind_is_rejected(use: Use, hc: Sandbox) -> None:
    client: Any = hc.client() if use.is_async else hc.async_client()

    with pytest.raises(WrongClientError):
        use.run(monitor("backup", client=client), lambda: pytest.fail("the job ran"))


def test_the_environment_is_read_when_a_run_begins(use: Use, hc: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        for name in hc.environ:
            patch.delenv(name)
        monitored = monitor("backup")

    use.run(monitored, lambda: None)

    assert hc.checks[0].n_pings == 2


def test_the_client_of_each_run_is_closed(fresh_python: Callable[[str], str], hc: Sandbox) -> None:
    code = """
import asyncio, gc
from healthchecks_io import monitor

@monitor("backup")
def job(): pass

@monitor("backup", period="1h")
async def async_job(): pass

async def failing():
    async with monitor("backup"): raise ValueError

for _ in range(2):
    job()
    asyncio.run(async_job())
    try: asyncio.run(failing())
    except ValueError: pass
gc.collect()
print("ended")
"""
    # Warnings are errors there, also those about sockets that are not closed.
    assert fresh_python(code) == "ended"
    assert hc.checks[0].n_pings == 12


# Overlapping runs.


def log_of_each_run(hc: Sandbox) -> set[tuple[str, bytes]]:
    return {(str(ping.rid), ping.body) for ping in hc.pings("backup") if ping.type == "success"}


@pytest.mark.parametrize("is_decorator", [True, False])
def test_runs_in_threads_do_not_mix(hc: Sandbox, is_decorator: bool) -> None:
    monitored = monitor("backup")
    all_started = threading.Barrier(8)

    def work(number: int) -> tuple[str, bytes]:
        trap = CheckTrap.current()
        assert trap is not None
        all_started.wait(10)
        trap.add_log(str(number))
        return trap.rid, str(number).encode()

    def run_in_block(number: int) -> tuple[str, bytes]:
        with monitored:
            return work(number)

    with ThreadPoolExecutor(8) as threads:
        expected = set(threads.map(monitored(work) if is_decorator else run_in_block, range(8)))

    assert log_of_each_run(hc) == expected


@pytest.mark.parametrize("is_decorator", [True, False])
def test_runs_in_tasks_do_not_mix(hc: Sandbox, is_decorator: bool) -> None:
    monitored = monitor("backup")

    async def work(number: int) -> tuple[str, bytes]:
        trap = CheckTrap.current()
        assert trap is not None
        await asyncio.sleep(0.1 - number / 100)
        trap.add_log(str(number))
        return trap.rid, str(number).encode()

    async def run_in_block(number: int) -> tuple[str, bytes]:
        async with monitored:
            return await work(number)

    async def main() -> set[tuple[str, bytes]]:
        run = monitored(work) if is_decorator else run_in_block
        return set(await asyncio.gather(*(run(number) for number in range(8))))

    assert asyncio.run(main()) == log_of_each_run(hc)


def test_blocks_of_one_monitor_can_be_nested(hc: Sandbox) -> None:
    monitored = monitor("backup")
    with monitored as outer:
        outer.add_log("outer")
        with monitored as inner:
            inner.add_log("inner")
        outer.add_log("outer again")

    assert log_of_each_run(hc) == {(outer.rid, b"outer\nouter again"), (inner.rid, b"inner")}


def test_a_monitored_function_can_be_recursive(hc: Sandbox) -> None:
    @monitor("backup")
    def factorial(n: int) -> int:
        return n * factorial(n - 1) if n else 1

    assert factorial(4) == 24
    assert len(log_of_each_run(hc)) == 5


def test_a_block_may_be_left_in_another_task(hc: Sandbox, ping_types: Callable[[str], list[str]]) -> None:
    async def main() -> None:
        monitored = monitor("backup")
        await asyncio.create_task(monitored.__aenter__())
        await asyncio.create_task(monitored.__aexit__(None, None, None))

    asyncio.run(main())
    assert ping_types("backup") == ["start", "success"]


# Decorated functions.


def test_methods_and_class_methods_can_be_monitored(hc: Sandbox) -> None:
    class Worker:
        name = "worker"

        @monitor("backup")
        def method(self, suffix: str) -> str:
            return self.name + suffix

        @classmethod
        @monitor("backup")
        def class_method(cls) -> str:
            return cls.name

        @staticmethod
        @monitor("backup")
        def static_method(name: str) -> str:
            return name

        @monitor("backup")
        async def coroutine_method(self) -> str:
            return self.name

    worker = Worker()
    assert (worker.method("!"), Worker.class_method(), worker.static_method("x")) == ("worker!", "worker", "x")
    assert asyncio.run(worker.coroutine_method()) == "worker"
    assert hc.checks[0].n_pings == 8


def test_a_monitored_function_keeps_its_signature_name_and_kind() -> None:
    async def add(a: int, *, b: int = 1) -> int:
        """Add two numbers."""
        return a + b

    monitored = monitor("backup")(add)

    assert inspect.signature(monitored) == inspect.signature(add)
    assert (monitored.__name__, monitored.__doc__) == (add.__name__, add.__doc__)
    assert inspect.iscoroutinefunction(monitored)


def test_a_monitor_can_be_pickled_and_copied(use: Use, hc: Sandbox) -> None:
    original = monitor("backup", period=600)

    for each in (pickle.loads(pickle.dumps(original)), copy.copy(original), copy.deepcopy(original)):  # noqa: S301 - its own pickle
        use.run(each, lambda: None)

    assert (hc.checks[0].timeout, hc.checks[0].n_pings) == (600, 6)


# Mistakes.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either a UUID or a slug"),
        ({"slug": "a", "uuid": "b"}, "either a UUID or a slug"),
        ({"slug": "Nightly Backup"}, "slug must consist of"),
        ({"slug": "Nightly Backup", "period": 60}, "slug"),
        ({"slug": 5}, "slug"),
        ({"slug": "a", "schedule": "* * *"}, "^schedule: .*cron"),
        ({"slug": "a", "schedule": "0 3 * * *", "period": 60}, "either a period or a schedule"),
        ({"slug": "a", "tz": "Mars/Crater"}, "^tz: .*Europe/Riga"),
        ({"slug": "a", "period": 59}, "^period: .*60"),
        ({"slug": "a", "period": "soon"}, "^period: .*whole seconds"),
        ({"slug": "a", "grace": 1.5}, "^grace: "),
        ({"slug": "a", "grace": "10 years"}, "^grace: "),
        ({"slug": "a", "name": "x" * 101}, "^name: .*100"),
        ({"slug": "a", "tags": 5}, "^tags: "),
        ({"slug": "a", "desc": 5}, "^desc: "),
        ({"slug": "a", "channels": [5]}, "^channels: "),
        ({"uuid": "b", "tags": "x"}, "declared by its slug.*omit tags"),
        ({"slug": "a", "create": False, "tags": "x"}, "omit create"),
        ({"slug": "a", "create": "yes"}, "create must be True, False or a CheckCreate"),
        ({"slug": "a", "ping_errors": "ignore"}, "ping_errors must be one of"),
        ({"slug": "a", "ignore": "Retry"}, "ignore must be an exception class"),
        ({"slug": "a", "log_scope": "thread"}, "log_scope must be one of"),
        ({"slug": "a", "body_limit": 5}, "body_limit must be"),
        ({"slug": "a", "rid": "x"}, "rid is not a valid UUID"),
    ],
    ids=str,
)
def test_a_mistake_in_the_code_is_raised_when_the_monitor_is_created(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(BadAPIRequestError, match=message):
        monitor(**arguments)


def test_something_else_than_a_client_is_rejected() -> None:
    client: Any = "client"
    with pytest.raises(WrongClientError, match="not str"):
        monitor("backup", client=client)


def test_a_generator_function_is_rejected() -> None:
    def generate() -> Any:
        yield 5

    with pytest.raises(BadAPIRequestError, match="a monitor cannot decorate a generator"):
        monitor("backup")(generate)


def test_a_decorator_without_arguments_is_an_error_that_shows_how_to_write_it() -> None:
    with pytest.raises(BadAPIRequestError, match='write @monitor\\("nightly-backup"\\)'):
        monitor(lambda: None)  # type: ignore[call-overload]  # the mistake to find
