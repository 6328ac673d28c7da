"""Log records in the log of a run: those of this run, and nothing about the job's own logging changes."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from healthchecks_io import AsyncClient, BadAPIRequestError, CheckTrap, Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox

PLAIN = logging.Formatter("%(message)s")
logger = logging.getLogger("tests.of.a.job")


@pytest.fixture(autouse=True)
def _all_records_exist() -> Iterator[None]:
    logger.setLevel(logging.DEBUG)
    yield
    logger.setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def _nothing_stays_behind() -> Iterator[None]:
    before = (logging.Logger.callHandlers, logging.root.level, *logging.root.handlers)
    yield
    assert (logging.Logger.callHandlers, logging.root.level, *logging.root.handlers) == before


def run(api: Api, job: Callable[[Any], None], **options: Any) -> None:
    """Run a job in a CheckTrap, in one task where it is asynchronous."""

    async def run_async() -> None:
        async with CheckTrap(api.client, slug="backup", **options) as trap:
            job(trap)

    if isinstance(api.client, Client):
        with CheckTrap(api.client, slug="backup", **options) as trap:
            job(trap)
    else:
        api.run(run_async())


def logged(hc: Sandbox) -> list[str]:
    """What the last ping of the check has for a body."""
    return hc.pings("backup")[0].body.decode().splitlines()


def test_records_of_a_level_and_above_are_in_the_log(api: Api, hc: Sandbox, check: Any) -> None:
    def job(trap: Any) -> None:
        logger.debug("nobody reads this")
        trap.add_log("a line")
        logger.info("saved %s", "3 files")
        logger.error("no more space")

    run(api, job, log_level=logging.INFO, log_formatter=PLAIN)
    logger.info("too late")

    assert logged(hc) == ["a line", "saved 3 files", "no more space"]


def test_a_record_is_shown_with_time_level_logger_and_exception(api: Api, hc: Sandbox, check: Any) -> None:
    def job(_: Any) -> None:
        try:
            int("no number")
        except ValueError:
            logger.exception("it went wrong")

    run(api, job, log_level=logging.INFO)
    lines = logged(hc)
    assert lines[0].endswith(" ERROR tests.of.a.job: it went wrong")
    assert lines[0].startswith("20")
    assert lines[-1].startswith("ValueError: ")


def test_without_a_level_no_record_is_in_the_log(api: Api, hc: Sandbox, check: Any) -> None:
    run(api, lambda _: logger.critical("nobody reads this"))

    assert logged(hc) == []


def test_nested_runs_both_take_a_record(hc: Sandbox) -> None:
    options: Any = {"slug": "backup", "create": True, "log_level": logging.INFO, "log_formatter": PLAIN}
    with hc.client() as client, CheckTrap(client, **options):
        logger.info("outside")
        with CheckTrap(client, **options):
            logger.info("inside")
        inner = logged(hc)
        logger.info("outside again")

    assert inner == ["inside"]
    assert logged(hc) == ["outside", "inside", "outside again"]


def test_records_of_tasks_are_taken_and_those_of_others_are_not(
    settings: dict[str, Any], hc: Sandbox, check: Any
) -> None:
    async def speak(word: str) -> None:
        await asyncio.sleep(0)
        logger.info(word)

    async def main() -> None:
        async with AsyncClient(**settings) as client:

            async def job(word: str) -> None:
                trap = CheckTrap(client, slug="backup", create=True, log_level=logging.INFO, log_formatter=PLAIN)
                async with trap:
                    await asyncio.gather(
                        *(speak(f"{word} {n}") for n in range(3)), asyncio.to_thread(logger.info, word)
                    )

            await asyncio.gather(job("a"), job("b"), speak("nobody"))

    asyncio.run(main())
    bodies = [sorted(ping.body.decode().splitlines()) for ping in hc.pings("backup") if ping.type == "success"]
    assert sorted(bodies) == [["a", "a 0", "a 1", "a 2"], ["b", "b 0", "b 1", "b 2"]]


def test_records_of_other_threads_are_not_taken(api: Api, hc: Sandbox, check: Any) -> None:
    def job(_: Any) -> None:
        thread = threading.Thread(target=logger.info, args=["elsewhere"])
        thread.start()
        thread.join()

    run(api, job, log_level=logging.INFO, log_formatter=PLAIN)
    assert logged(hc) == []


def test_a_task_that_outlives_its_run_logs_no_more_into_it(settings: dict[str, Any], hc: Sandbox) -> None:
    async def main() -> None:
        is_over = asyncio.Event()

        async def straggle() -> None:
            await is_over.wait()
            assert CheckTrap.current() is None
            logger.info("too late")

        async with AsyncClient(**settings) as client:
            trap = CheckTrap(client, slug="backup", create=True, log_level=logging.INFO, log_formatter=PLAIN)
            async with trap:
                straggler = asyncio.create_task(straggle())
                await asyncio.sleep(0)
            async with trap:
                is_over.set()
                await straggler

    asyncio.run(main())
    assert logged(hc) == []


def test_records_of_our_own_requests_are_left_out(
    settings: dict[str, Any], hc: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    options: Any = {"log_level": logging.DEBUG, "log_formatter": PLAIN}

    with Client(**settings) as client, CheckTrap(client, slug="backup", create=True, **options) as trap:
        logger.info("of the job")
        hc.fail_next(status=503, headers={"Retry-After": "0"})
        trap.send_log()
        client.get_checks()
        with CheckTrap(client, slug="nobody", ping_errors="log"):
            pass

    assert logged(hc) == ["of the job"]
    assert {"healthchecks_io", "httpcore.http11"} <= {record.name for record in caplog.records}


def test_records_of_our_own_asynchronous_requests_are_left_out(
    settings: dict[str, Any], hc: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    options: Any = {"log_level": logging.INFO, "log_formatter": PLAIN}

    async def main() -> None:
        # httpx itself logs at INFO.
        client = AsyncClient(**settings, client=httpx.AsyncClient())
        async with client, CheckTrap(client, slug="backup", create=True, **options) as trap:
            logger.info("of the job")
            await asyncio.gather(trap.send_log(), client.get_checks(), client.success_ping(slug="backup"))

    asyncio.run(main())
    assert logged(hc) == ["of the job"]
    assert "httpx" in {record.name for record in caplog.records}


def test_a_run_ends_in_another_context(hc: Sandbox, check: Any) -> None:
    with hc.client() as client:
        trap = CheckTrap(client, slug="backup", log_level=logging.INFO, log_formatter=PLAIN)
        contextvars.copy_context().run(trap.__enter__)
        logger.info("of another context")
        trap.__exit__(None, None, None)

    assert logged(hc) == []
    assert CheckTrap.current() is None


def test_runs_need_not_end_in_turn(hc: Sandbox) -> None:
    with hc.client() as client:
        first, second = (CheckTrap(client, slug="backup", create=True, log_level=logging.INFO) for _ in range(2))
        first.__enter__()
        second.__enter__()
        assert CheckTrap.current() is second
        first.__exit__(None, None, None)
        assert CheckTrap.current() is second
        second.__exit__(None, None, None)
        assert CheckTrap.current() is None


def test_a_formatter_that_fails_does_not_harm_the_job(api: Api, hc: Sandbox, check: Any) -> None:
    class Broken(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            raise LookupError(record.name)

    run(api, lambda _: logger.info("anything"), log_level=logging.INFO, log_formatter=Broken())

    assert logged(hc)[0].endswith("INFO tests.of.a.job: anything")


def test_a_record_that_cannot_be_shown_does_not_harm_the_job(
    api: Api, hc: Sandbox, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    run(api, lambda _: logger.info("%d", "no number"), log_level=logging.INFO)

    assert logged(hc) == ["INFO tests.of.a.job: a record that cannot be shown: TypeError"]


def test_a_record_reaches_the_handlers_of_the_job_as_it_was(api: Api, check: Any) -> None:
    seen: list[dict[str, Any]] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(dict(record.__dict__))

    def job(_: Any) -> None:
        logger.warning("saved %s", "3 files", exc_info=ValueError("x"))

    handler = Handler()
    logger.addHandler(handler)
    logger.propagate = False
    try:
        run(api, job, log_level=logging.INFO)
        job(None)
    finally:
        logger.removeHandler(handler)
        logger.propagate = True

    assert seen[0].keys() == seen[1].keys()
    assert seen[0]["exc_text"] is None
    assert "message" not in seen[0]


OF_THE_JOB = """
import contextlib, logging, sys
sys.stderr = sys.stdout
from healthchecks_io import CheckTrap, Client
client = Client(ping_url={url!r})
with {block}:
    logging.getLogger("early").warning("before basicConfig")
    logging.basicConfig(format="configured: %(message)s")
    logging.getLogger("late").warning("after basicConfig")
    logging.getLogger("late").info("below the level")
logging.warning("after the job")
"""


def test_what_reaches_standard_error_without_us_still_does(stub: Stub, fresh_python: Callable[[str], str]) -> None:
    stub.queue_response(200, "OK")
    with_trap = "CheckTrap(client, 'u', log_level=logging.DEBUG)"

    expected = fresh_python(OF_THE_JOB.format(url=stub.url, block="contextlib.nullcontext()"))
    assert expected == "before basicConfig\nconfigured: after basicConfig\nconfigured: after the job"
    assert fresh_python(OF_THE_JOB.format(url=stub.url, block=with_trap)) == expected
    assert stub.requests[-1].body.count(b"basicConfig") == 2


def test_who_comes_in_between_stays_there(hc: Sandbox) -> None:
    taken: list[str] = []
    original = logging.Logger.callHandlers
    options: Any = {"slug": "backup", "create": True, "log_level": logging.INFO, "log_formatter": PLAIN}
    with hc.client() as client:
        with CheckTrap(client, **options):
            ours = logging.Logger.callHandlers

            def in_between(self: logging.Logger, record: logging.LogRecord) -> None:
                taken.append(record.getMessage())
                ours(self, record)

            logging.Logger.callHandlers = in_between  # type: ignore[method-assign]  # as error reporters do
            logger.info("one")
        logger.info("two")
        with CheckTrap(client, **options):
            logger.info("three")
        assert logging.Logger.callHandlers is in_between
    logging.Logger.callHandlers = original  # type: ignore[method-assign]  # as it was

    assert taken == ["one", "two", "three"]
    assert [ping.body for ping in reversed(hc.pings("backup")) if ping.type == "success"] == [b"one", b"three"]


@pytest.mark.parametrize("options", [{"log_level": "INFO"}, {"log_level": True}, {"log_formatter": "%(message)s"}])
def test_what_is_no_level_or_formatter_is_told_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(BadAPIRequestError, match="must be a"):
        CheckTrap(Client(), "u", **options)
