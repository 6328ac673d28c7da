"""heartbeat pings a check at an interval while a program runs."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import os
import pickle
import random
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import (
    AsyncClient,
    BadAPIRequestError,
    CheckCreate,
    CheckUpdate,
    Client,
    WrongClientError,
    heartbeat,
)

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox


class JobError(Exception):
    pass


class Ignored(Exception):  # noqa: N818 - not an error
    pass


@pytest.fixture(autouse=True)
def _short_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("healthchecks_io.monitoring.heartbeat.MIN_INTERVAL", 0.01)


@pytest.fixture
def run(
    connect: Callable[..., Api], loop: asyncio.AbstractEventLoop, request: pytest.FixtureRequest
) -> Callable[..., None]:
    """Return a function that runs a block for some seconds, and then raises an exception.

    It uses `with` if the test creates synchronous clients, else `async with`.
    """

    def run(
        manager: Any,
        seconds: float = 0.0,
        error: BaseException | None = None,
        *,
        alive: bool = False,
        until: Callable[[], bool] = lambda: True,
    ) -> None:
        def is_over(began: float) -> bool:
            elapsed = time.monotonic() - began
            assert elapsed < 20
            return elapsed >= seconds and until()

        def work(beat: Any) -> None:
            if alive:
                beat.alive()

        def end() -> None:
            if error is not None:
                raise error

        async def run_async() -> None:
            async with manager as beat:
                began = time.monotonic()
                while not is_over(began):
                    await asyncio.sleep(0.01)
                    work(beat)
                end()

        if request.node.callspec.params["connect"] == "async":
            loop.run_until_complete(run_async())
            return
        with manager as beat:
            began = time.monotonic()
            while not is_over(began):
                time.sleep(0.01)
                work(beat)
            end()

    return run


@pytest.fixture
def is_pinged(hc: Sandbox) -> Callable[[], bool]:
    """Return a function that returns whether the first ping has arrived."""
    return lambda: bool(hc.checks) and hc.checks[0].n_pings > 0


def wait_until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.01)


# Pings.


def test_a_success_ping_is_sent_at_once_and_then_at_each_interval(
    run: Callable[..., None], hc: Sandbox, ping_types: Callable[[str], list[str]]
) -> None:
    with hc.client() as client:
        client.create_check(CheckCreate(slug="worker"))

    run(heartbeat("worker", every=0.1), 0.55)

    types = ping_types("worker")
    assert set(types[:-1]) == {"success"}
    assert 2 <= len(types[:-1]) <= 6


def test_no_beat_is_skipped_although_the_service_is_slow(
    run: Callable[..., None], connect: Callable[..., Api], serve: Callable[..., str]
) -> None:
    every = 0.1
    times: list[float] = []

    def handle(connection: socket.socket) -> None:
        while connection.recv(65536):
            times.append(time.monotonic())
            time.sleep(random.uniform(0.5, 1.0) * every)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")

    client = connect(ping_url=serve(handle)).client
    run(heartbeat(uuid="u", every=every, client=client), until=lambda: len(times) > 20)

    # A benchmark measures how exact the interval is. A skipped beat would make it twice as long.
    assert (times[20] - times[0]) / 20 < 1.8 * every


def test_no_ping_follows_the_end_of_the_block(
    run: Callable[..., None], hc: Sandbox, ping_types: Callable[[str], list[str]]
) -> None:
    run(heartbeat("worker", every=0.05), 0.5)
    types = ping_types("worker")

    time.sleep(0.2)

    assert ping_types("worker") == types
    assert types[-1] == "log"


def test_a_block_ends_within_the_timeout_if_the_service_hangs(
    run: Callable[..., None], connect: Callable[..., Api], silent_server: str
) -> None:
    client = connect(ping_url=silent_server, timeout=0.4, retries=5).client
    start = time.monotonic()

    run(heartbeat(uuid="u", every=0.1, client=client), 0.1)

    assert time.monotonic() - start < 4


def test_blocks_of_one_heartbeat_can_overlap(hc: Sandbox, ping_types: Callable[[str], list[str]]) -> None:
    async def main() -> None:
        beats = heartbeat("worker", every=0.05)

        async def block(seconds: float) -> None:
            async with beats:
                await asyncio.sleep(seconds)

        await asyncio.gather(block(0.1), block(0.6))

    asyncio.run(main())
    assert ping_types("worker").count("log") == 2
    assert ping_types("worker")[-1] == "log"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_child_process_that_leaves_the_block_sends_nothing(
    hc: Sandbox, ping_types: Callable[[str], list[str]], is_pinged: Callable[[], bool]
) -> None:
    child = -1
    try:
        with heartbeat("worker", every=5):
            wait_until(is_pinged)
            child = os.fork()
    finally:
        if child == 0:
            os._exit(0)
    os.waitpid(child, 0)

    assert ping_types("worker") == ["success", "log"]


# The end of the block.


@pytest.mark.parametrize(
    ("error", "ping_type"),
    [
        (None, "log"),
        (JobError("broken"), "fail"),
        (SystemExit(3), "fail"),
        (SystemExit("broken"), "fail"),
        (SystemExit(0), "log"),
        (SystemExit(None), "log"),
        (KeyboardInterrupt(), "log"),
        (asyncio.CancelledError(), "log"),
        (Ignored("redeployed"), "log"),
    ],
    ids=repr,
)
def test_the_final_ping_reports_how_the_block_ended(
    run: Callable[..., None], hc: Sandbox, error: BaseException | None, ping_type: str
) -> None:
    with pytest.raises(type(error)) if error else contextlib.nullcontext():
        run(heartbeat("worker", every=5, ignore=Ignored), 0.0, error)

    ping = hc.pings("worker")[0]
    assert ping.type == ping_type
    assert (b"Traceback" in ping.body) is (ping_type == "fail")


def test_the_blocks_exception_propagates_unchanged(run: Callable[..., None], hc: Sandbox) -> None:
    error = JobError("broken")
    with pytest.raises(JobError) as caught:
        run(heartbeat("worker", every=5), 0.0, error)

    assert caught.value is error
    assert error.__context__ is None


def test_a_cancelled_task_sends_its_final_ping(hc: Sandbox, ping_types: Callable[[str], list[str]]) -> None:
    async def worker() -> None:
        async with heartbeat("worker", every=5):
            await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(worker())
        await asyncio.to_thread(wait_until, lambda: bool(hc.checks) and "success" in ping_types("worker"))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert ping_types("worker") == ["success", "log"]


# Silence.


def test_pings_stop_while_alive_is_not_called(
    run: Callable[..., None], hc: Sandbox, ping_types: Callable[[str], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    with hc.client() as client:
        client.create_check(CheckCreate(slug="worker"))

    run(heartbeat("worker", every=0.05, max_silence=0.15), 0.8, until=lambda: "no more pings" in caplog.text)

    assert 1 <= ping_types("worker").count("success") <= 5
    assert len([message for message in caplog.messages if "no more pings of 'worker'" in message]) == 1


def test_pings_continue_while_alive_is_called(
    run: Callable[..., None], hc: Sandbox, ping_types: Callable[[str], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    run(heartbeat("worker", every=0.05, max_silence=5), 1.0, alive=True)

    assert ping_types("worker").count("success") >= 3
    assert caplog.messages == []


def test_pings_continue_once_alive_is_called_again(
    hc: Sandbox, ping_types: Callable[[str], list[str]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "healthchecks_io")
    with heartbeat("worker", every=0.05, max_silence=0.1) as beat:
        wait_until(lambda: "alive() was not called" in caplog.text)
        count = hc.checks[0].n_pings if hc.checks else 0
        beat.alive()
        wait_until(lambda: bool(hc.checks) and hc.checks[0].n_pings > count)
        wait_until(lambda: "alive() was called again" in caplog.text)


# The check.


def test_a_new_check_gets_the_interval_as_its_timeout(
    run: Callable[..., None], hc: Sandbox, is_pinged: Callable[[], bool]
) -> None:
    run(heartbeat("worker", every="5m"), until=is_pinged)

    (check,) = hc.checks
    assert (check.slug, check.name, check.timeout, check.grace) == ("worker", "worker", 300, 600)


def test_a_new_check_is_complete_although_the_block_ends_while_it_is_created(
    run: Callable[..., None], hc: Sandbox
) -> None:
    run(heartbeat("worker", every="5m"), until=lambda: bool(hc.checks))

    (check,) = hc.checks
    assert (check.name, check.timeout, check.grace) == ("worker", 300, 600)


def test_a_new_check_alerts_all_integrations(
    run: Callable[..., None], hc: Sandbox, is_pinged: Callable[[], bool]
) -> None:
    run(heartbeat("worker", every="5m"), until=is_pinged)

    with hc.client() as client:
        integrations = client.get_integrations()
    assert set((hc.checks[0].channels or "").split(",")) == {each.id for each in integrations}


def test_the_timeout_and_grace_of_a_new_check_are_at_least_a_minute(
    run: Callable[..., None], hc: Sandbox, is_pinged: Callable[[], bool]
) -> None:
    run(heartbeat("worker", every=20), until=is_pinged)

    assert (hc.checks[0].timeout, hc.checks[0].grace) == (60, 60)


def test_the_grace_time_of_a_new_check_is_at_most_a_year(
    run: Callable[..., None], hc: Sandbox, is_pinged: Callable[[], bool]
) -> None:
    run(heartbeat("worker", every="200d"), until=is_pinged)

    assert (hc.checks[0].timeout, hc.checks[0].grace) == (200 * 24 * 3600, 365 * 24 * 3600)


def test_the_timeout_of_a_new_check_is_not_shorter_than_the_interval(
    run: Callable[..., None], hc: Sandbox, is_pinged: Callable[[], bool]
) -> None:
    run(heartbeat("worker", every=90.5), until=is_pinged)

    assert (hc.checks[0].timeout, hc.checks[0].grace) == (91, 182)


def test_an_existing_check_keeps_its_timeout(
    run: Callable[..., None], hc: Sandbox, is_pinged: Callable[[], bool]
) -> None:
    with hc.client() as client:
        client.create_check(CheckCreate(slug="worker", timeout=7200, grace=120, name="Worker"))

    run(heartbeat("worker", every=60), until=is_pinged)

    assert (hc.checks[0].timeout, hc.checks[0].grace, hc.checks[0].name) == (7200, 120, "Worker")


@pytest.mark.parametrize(("timeout", "warnings"), [(7200, 0), (86400, 1)])
def test_a_check_that_expects_one_ping_a_day_is_reported_once(
    run: Callable[..., None], hc: Sandbox, caplog: pytest.LogCaptureFixture, timeout: int, warnings: int
) -> None:
    with hc.client() as client:
        client.create_check(CheckCreate(slug="worker", timeout=timeout))

    run(heartbeat("worker", every=0.05), until=lambda: hc.checks[0].n_pings > 2)

    assert len([each for each in caplog.messages if "'worker' expects one ping a day" in each]) == warnings


def test_declared_fields_are_set(run: Callable[..., None], hc: Sandbox, is_pinged: Callable[[], bool]) -> None:
    run(
        heartbeat("worker", every=60, period="10m", grace=timedelta(hours=1), tags={"mail", "prod"}, desc="Mails."),
        until=is_pinged,
    )

    (check,) = hc.checks
    assert (check.timeout, check.grace, check.tags, check.desc) == (600, 3600, "mail prod", "Mails.")


def test_a_heartbeat_by_uuid_changes_nothing_but_the_pings(
    run: Callable[..., None], hc: Sandbox, is_pinged: Callable[[], bool]
) -> None:
    with hc.client() as client:
        check = client.create_check(CheckCreate(name="x"))

    run(heartbeat(uuid=check.uuid, every=60), until=is_pinged)

    assert (hc.checks[0].timeout, hc.checks[0].n_pings) == (86400, 2)


def test_with_only_a_ping_key_the_first_ping_creates_the_check(
    run: Callable[..., None],
    hc: Sandbox,
    is_pinged: Callable[[], bool],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("HEALTHCHECKS_API_KEY")

    run(heartbeat("worker", every=60), until=is_pinged)

    assert (hc.checks[0].timeout, hc.checks[0].n_pings) == (86400, 2)
    (warning,) = caplog.messages
    assert "'worker' expects one ping a day" in warning
    assert "HEALTHCHECKS_API_KEY" in warning


# Outages.


def test_an_outage_is_logged_once_when_it_begins_and_once_when_it_ends(
    hc: Sandbox, stub: Stub, connect: Callable[..., Api], caplog: pytest.LogCaptureFixture, run: Callable[..., None]
) -> None:
    caplog.set_level("INFO", "healthchecks_io")
    for status in (200, 503, 503, 503, 200):
        stub.queue_response(status, "OK" if status == 200 else "")

    run(heartbeat(uuid="u", every=0.03, client=connect(**stub.settings(retries=3)).client), 0.6)

    begin, end = caplog.messages
    assert "503" in begin
    assert "works again" in end


def test_pings_are_sent_although_the_check_cannot_be_created(
    run: Callable[..., None],
    hc: Sandbox,
    is_pinged: Callable[[], bool],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("HEALTHCHECKS_API_KEY", "x" * 32)

    run(heartbeat("worker", every=0.05), 0.3, until=is_pinged)

    assert hc.checks[0].n_pings >= 2
    assert len(caplog.messages) == 1
    assert "could not be created" in caplog.text


def test_a_check_that_a_ping_created_during_an_outage_gets_its_period_at_the_next_beat(
    run: Callable[..., None], hc: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTHCHECKS_RETRIES", "0")
    hc.fail_next(status=503)

    run(heartbeat("worker", every=0.05), until=lambda: bool(hc.checks) and hc.checks[0].timeout == 60)

    (check,) = hc.checks
    assert (check.timeout, check.grace) == (60, 60)
    assert hc.pings("worker")[-1].n == 1


def test_the_period_of_a_check_that_was_changed_during_an_outage_is_kept(
    run: Callable[..., None], hc: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTHCHECKS_RETRIES", "0")
    hc.fail_next(status=503)
    beats = heartbeat("worker", every=0.4)

    def is_over() -> bool:
        if hc.checks and hc.checks[0].timeout == 86400:
            with hc.client() as client:
                client.update_check(hc.checks[0].uuid, CheckUpdate(timeout=7200))
        return bool(hc.checks) and hc.checks[0].n_pings > 2

    run(beats, until=is_over)

    assert hc.checks[0].timeout == 7200


# Clients.


def test_a_passed_in_client_is_used_and_not_closed(
    run: Callable[..., None],
    hc: Sandbox,
    is_pinged: Callable[[], bool],
    settings: dict[str, Any],
    connect: Callable[..., Api],
) -> None:
    api = connect(**settings)

    run(heartbeat("worker", every=60, client=api.client), until=is_pinged)

    assert hc.checks[0].n_pings == 2
    assert not api.is_closed


def test_a_client_of_the_wrong_kind_is_rejected(run: Callable[..., None], connect: Callable[..., Api]) -> None:
    other: Any = AsyncClient() if isinstance(connect().client, Client) else Client()

    with pytest.raises(WrongClientError, match="cannot be used in"):
        run(heartbeat("worker", every=60, client=other))


def test_the_client_of_a_block_is_closed(fresh_python: Callable[[str], str], hc: Sandbox) -> None:
    code = """
import asyncio, gc
from healthchecks_io import heartbeat

async def main():
    async with heartbeat("worker", every=60): pass

with heartbeat("worker", every=60): pass
for _ in range(2):
    asyncio.run(main())
gc.collect()
print("ended")
"""
    # Warnings are errors there, also those about sockets that are not closed.
    assert fresh_python(code) == "ended"


# Mistakes.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every": 60}, "either a UUID or a slug"),
        ({"every": 60, "slug": "A b"}, "slug must consist of"),
        ({"every": 0.001, "slug": "a"}, "every must be at least"),
        ({"every": "often", "slug": "a"}, "every: .*'often'"),
        ({"every": None, "slug": "a"}, "every must be a positive duration"),
        ({"every": True, "slug": "a"}, "every must be a positive duration"),
        ({"every": -5, "slug": "a"}, "every must be a positive duration"),
        ({"every": float("nan"), "slug": "a"}, "every must be a positive duration"),
        ({"every": 60, "slug": "a", "max_silence": 0}, "max_silence must be a positive duration"),
        ({"every": 60, "slug": "a", "max_silence": "x"}, "max_silence: "),
        ({"every": 60, "slug": "a", "ignore": "x"}, "ignore must be an exception class"),
        ({"every": 60, "slug": "a", "tz": "Mars/Crater"}, "^tz: "),
        ({"every": 60, "slug": "a", "period": 1}, "^period: "),
        ({"every": 60, "uuid": "u", "tags": "x"}, "omit tags"),
    ],
    ids=str,
)
def test_a_mistake_in_the_code_is_raised_when_the_heartbeat_is_created(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(BadAPIRequestError, match=message):
        heartbeat(**arguments)


def test_the_interval_is_at_least_fifteen_seconds(fresh_python: Callable[[str], str]) -> None:
    code = (
        "from healthchecks_io import heartbeat\ntry: heartbeat('a', every=14)\nexcept Exception as error: print(error)"
    )
    assert fresh_python(code) == "every must be at least 15 seconds, not 14"


def test_something_else_than_a_client_is_rejected() -> None:
    client: Any = "client"
    with pytest.raises(WrongClientError, match="not str"):
        heartbeat("worker", every=60, client=client)


def test_a_heartbeat_with_a_schedule_has_no_timeout_of_its_own(
    run: Callable[..., None], hc: Sandbox, is_pinged: Callable[[], bool]
) -> None:
    run(heartbeat("worker", every="5m", schedule="* * * * *"), until=is_pinged)

    assert (hc.checks[0].schedule, hc.checks[0].timeout, hc.checks[0].grace) == ("* * * * *", None, 600)


def test_with_only_a_ping_key_declared_fields_are_ignored_with_a_warning(
    run: Callable[..., None],
    hc: Sandbox,
    is_pinged: Callable[[], bool],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("HEALTHCHECKS_API_KEY")

    run(heartbeat("worker", every=60, tags="x"), until=is_pinged)

    assert ["declared fields" in message for message in caplog.messages] == [True, False]


def test_the_interval_may_be_a_timedelta(run: Callable[..., None], hc: Sandbox, is_pinged: Callable[[], bool]) -> None:
    run(heartbeat("worker", every=timedelta(minutes=2), max_silence=timedelta(hours=1)), until=is_pinged)

    assert hc.checks[0].timeout == 120


def test_a_heartbeat_can_be_pickled_and_copied(
    run: Callable[..., None], hc: Sandbox, is_pinged: Callable[[], bool], ping_types: Callable[[str], list[str]]
) -> None:
    original = heartbeat("worker", every=60)

    for each in (pickle.loads(pickle.dumps(original)), copy.copy(original)):  # noqa: S301 - its own pickle
        run(each, until=is_pinged)

    assert ping_types("worker").count("log") == 2


def test_a_cancellation_during_the_final_ping_is_raised_after_it(
    hc: Sandbox, ping_types: Callable[[str], list[str]], is_pinged: Callable[[], bool]
) -> None:
    async def worker(error: Exception | None) -> str:
        try:
            async with heartbeat("worker", every=5):
                await asyncio.to_thread(wait_until, is_pinged)
                hc.fail_next(delay=0.3)
                if error is not None:
                    raise error
        except JobError:
            await asyncio.sleep(60)
        return "not cancelled"

    async def main(error: Exception | None) -> None:
        task = asyncio.create_task(worker(error))
        await asyncio.to_thread(wait_until, is_pinged)
        await asyncio.sleep(0.15)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main(None))
    assert ping_types("worker")[-1] == "log"
    asyncio.run(main(JobError("broken")))
    assert ping_types("worker")[-1] == "fail"


def test_a_coroutine_that_is_closed_in_the_block_logs_that_the_end_is_not_reported(
    hc: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    async def worker() -> None:
        async with heartbeat("worker", every=5):
            await asyncio.sleep(60)

    async def main() -> None:
        task = asyncio.create_task(worker())
        await asyncio.sleep(0.05)
        coroutine: Any = task.get_coro()
        coroutine.close()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, RuntimeError):
            await task
        await asyncio.sleep(0.05)  # The client is closed in the background.

    asyncio.run(main())
    assert "the coroutine was closed" in caplog.text
