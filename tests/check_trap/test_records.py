"""Capturing log records: a run captures its own records only, and the job's logging is unaffected."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from healthchecks_io import AsyncClient, BadAPIRequestError, CheckTrap, Client
from healthchecks_io.trap.run import capturing_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox

PLAIN = logging.Formatter("%(message)s")
logger = logging.getLogger("tests.job")

pytestmark = pytest.mark.server("1.23")


@pytest.fixture(autouse=True)
def _debug_level() -> Iterator[None]:
    logger.setLevel(logging.DEBUG)
    yield
    logger.setLevel(logging.NOTSET)


@pytest.fixture(autouse=True)
def _logging_is_left_unchanged() -> Iterator[None]:
    before = (logging.Logger.callHandlers, logging.root.level, *logging.root.handlers)
    yield
    assert (logging.Logger.callHandlers, logging.root.level, *logging.root.handlers) == before


def run(api: Api, job: Callable[[Any], None], **options: Any) -> None:
    """Run a job in a CheckTrap; with an async client, in a single task."""

    async def run_async() -> None:
        async with CheckTrap(api.client, slug="backup", **options) as trap:
            job(trap)

    if isinstance(api.client, Client):
        with CheckTrap(api.client, slug="backup", **options) as trap:
            job(trap)
    else:
        api.run(run_async())


def logged_lines(hc: Sandbox) -> list[str]:
    """Return the lines in the body of the check's last ping."""
    return hc.pings("backup")[0].body.decode().splitlines()


def test_records_at_or_above_the_level_are_captured(api: Api, hc: Sandbox, check: Any) -> None:
    def job(trap: Any) -> None:
        logger.debug("below the level")
        trap.add_log("a line")
        logger.info("saved %s", "3 files")
        logger.error("disk full")

    run(api, job, log_level=logging.INFO, log_formatter=PLAIN)
    logger.info("too late")

    assert logged_lines(hc) == ["a line", "saved 3 files", "disk full"]


def test_the_default_format_includes_time_level_logger_and_traceback(api: Api, hc: Sandbox, check: Any) -> None:
    def job(_: Any) -> None:
        try:
            int("not a number")
        except ValueError:
            logger.exception("conversion failed")

    run(api, job, log_level=logging.INFO)
    lines = logged_lines(hc)
    assert lines[0].endswith(" ERROR tests.job: conversion failed")
    assert lines[0].startswith("20")
    assert lines[-1].startswith("ValueError: ")


def test_without_a_level_no_records_are_captured(api: Api, hc: Sandbox, check: Any) -> None:
    run(api, lambda _: logger.critical("not captured"))

    assert logged_lines(hc) == []


def test_a_record_in_a_nested_run_is_captured_by_both_runs(hc: Sandbox, check: Any) -> None:
    options: Any = {"slug": "backup", "log_level": logging.INFO, "log_formatter": PLAIN}
    with hc.client() as client, CheckTrap(client, **options):
        logger.info("outside")
        with CheckTrap(client, **options):
            logger.info("inside")
        inner = logged_lines(hc)
        logger.info("outside again")

    assert inner == ["inside"]
    assert logged_lines(hc) == ["outside", "inside", "outside again"]


def test_only_records_from_a_runs_own_tasks_are_captured(settings: dict[str, Any], hc: Sandbox, check: Any) -> None:
    async def log(text: str) -> None:
        await asyncio.sleep(0)
        logger.info(text)

    async def main() -> None:
        async with AsyncClient(**settings) as client:

            async def job(text: str) -> None:
                trap = CheckTrap(client, slug="backup", log_level=logging.INFO, log_formatter=PLAIN)
                async with trap:
                    await asyncio.gather(*(log(f"{text} {n}") for n in range(3)), asyncio.to_thread(logger.info, text))

            await asyncio.gather(job("a"), job("b"), log("unrelated"))

    asyncio.run(main())
    bodies = [sorted(ping.body.decode().splitlines()) for ping in hc.pings("backup") if ping.type == "success"]
    assert sorted(bodies) == [["a", "a 0", "a 1", "a 2"], ["b", "b 0", "b 1", "b 2"]]


def test_records_from_other_threads_are_not_captured(api: Api, hc: Sandbox, check: Any) -> None:
    def job(_: Any) -> None:
        thread = threading.Thread(target=logger.info, args=["from another thread"])
        thread.start()
        thread.join()

    run(api, job, log_level=logging.INFO, log_formatter=PLAIN)
    assert logged_lines(hc) == []


def test_records_from_a_task_that_outlives_its_run_are_not_captured(
    settings: dict[str, Any], hc: Sandbox, check: Any
) -> None:
    async def main() -> None:
        is_over = asyncio.Event()

        async def straggle() -> None:
            await is_over.wait()
            assert CheckTrap.current() is None
            logger.info("too late")

        async with AsyncClient(**settings) as client:
            trap = CheckTrap(client, slug="backup", log_level=logging.INFO, log_formatter=PLAIN)
            async with trap:
                straggler = asyncio.create_task(straggle())
                await asyncio.sleep(0)
            async with trap:
                is_over.set()
                await straggler

    asyncio.run(main())
    assert logged_lines(hc) == []


@pytest.mark.server("2.3")
def test_records_about_the_clients_own_requests_are_not_captured(
    settings: dict[str, Any], hc: Sandbox, check: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    options: Any = {"log_level": logging.DEBUG, "log_formatter": PLAIN}

    with Client(**settings) as client, CheckTrap(client, slug="backup", **options) as trap:
        logger.info("from the job")
        hc.fail_next(status=503, headers={"Retry-After": "0"})
        trap.send_log()
        client.get_checks()
        with CheckTrap(client, slug="no-such-check", ping_errors="log"):
            pass

    assert logged_lines(hc) == ["from the job"]
    assert {"healthchecks_io", "httpcore.http11"} <= {record.name for record in caplog.records}


@pytest.mark.server("2.3")
def test_records_about_the_async_clients_own_requests_are_not_captured(
    settings: dict[str, Any], hc: Sandbox, check: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.INFO, "httpx")
    options: Any = {"log_level": logging.INFO, "log_formatter": PLAIN}

    async def main() -> None:
        # httpx itself logs at INFO.
        client = AsyncClient(**settings, client=httpx.AsyncClient())
        async with client, CheckTrap(client, slug="backup", **options) as trap:
            logger.info("from the job")
            await asyncio.gather(trap.send_log(), client.get_checks(), client.success_ping(slug="backup"))

    asyncio.run(main())
    assert logged_lines(hc) == ["from the job"]
    assert "httpx" in {record.name for record in caplog.records}


def test_a_run_can_be_exited_in_another_context(hc: Sandbox, check: Any) -> None:
    with hc.client() as client:
        trap = CheckTrap(client, slug="backup", log_level=logging.INFO, log_formatter=PLAIN)
        contextvars.copy_context().run(trap.__enter__)
        logger.info("from another context")
        trap.__exit__(None, None, None)

    assert logged_lines(hc) == []
    assert CheckTrap.current() is None


def test_overlapping_runs_can_end_in_any_order(hc: Sandbox, check: Any) -> None:
    with hc.client() as client:
        first, second = (CheckTrap(client, slug="backup", log_level=logging.INFO) for _ in range(2))
        first.__enter__()
        second.__enter__()
        assert CheckTrap.current() is second
        first.__exit__(None, None, None)
        assert CheckTrap.current() is second
        second.__exit__(None, None, None)
        assert CheckTrap.current() is None


def test_a_formatter_that_raises_does_not_affect_the_job(api: Api, hc: Sandbox, check: Any) -> None:
    class Broken(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            raise LookupError(record.name)

    run(api, lambda _: logger.info("anything"), log_level=logging.INFO, log_formatter=Broken())

    assert logged_lines(hc)[0].endswith("INFO tests.job: anything")


def test_a_record_that_cannot_be_formatted_does_not_affect_the_job(
    api: Api, hc: Sandbox, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    run(api, lambda _: logger.info("%d", "not a number"), log_level=logging.INFO)

    assert logged_lines(hc) == ["INFO tests.job: a record that could not be formatted: TypeError"]


def test_capturing_a_record_does_not_modify_it_for_other_handlers(api: Api, check: Any) -> None:
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


def in_another_thread(function: Callable[..., object], *args: Any) -> None:
    thread = threading.Thread(target=function, args=args)
    thread.start()
    thread.join()


PROCESS: Any = {"log_level": logging.INFO, "log_formatter": PLAIN, "log_scope": "process"}


def test_with_the_scope_process_records_from_all_threads_are_captured_once(api: Api, hc: Sandbox, check: Any) -> None:
    def job(_: Any) -> None:
        logger.info("from the run")
        in_another_thread(logger.info, "from another thread")
        in_another_thread(logger.debug, "below the level")
        contextvars.Context().run(logger.info, "from another context")

    run(api, job, **PROCESS)
    in_another_thread(logger.info, "too late")

    assert logged_lines(hc) == ["from the run", "from another thread", "from another context"]


def test_with_the_scope_process_records_after_the_run_are_not_captured_by_the_next_run(
    api: Api, hc: Sandbox, check: Any
) -> None:
    run(api, lambda _: None, **PROCESS)
    in_another_thread(logger.info, "between the runs")
    run(api, lambda _: in_another_thread(logger.info, "in the second run"), **PROCESS)

    assert logged_lines(hc) == ["in the second run"]
    assert capturing_runs() == []


def test_with_the_scope_process_records_about_own_requests_of_other_threads_are_not_captured(
    api: Api, settings: dict[str, Any], hc: Sandbox, check: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    with Client(**settings) as client:

        def work() -> None:
            client.get_checks()
            with CheckTrap(client, slug="no-such-check", ping_errors="log"):
                logger.info("from another run")

        run(api, lambda _: in_another_thread(work), **{**PROCESS, "log_level": logging.DEBUG})

    assert logged_lines(hc) == ["from another run"]
    assert {"healthchecks_io", "httpcore.http11"} <= {record.name for record in caplog.records}


def test_records_of_another_thread_are_captured_only_by_runs_with_the_scope_process(hc: Sandbox, check: Any) -> None:
    with hc.client() as client, CheckTrap(client, slug="backup", **PROCESS):
        with CheckTrap(client, slug="backup", **{**PROCESS, "log_scope": "run"}):
            in_another_thread(logger.info, "from another thread")
            logger.info("from the inner run")
        assert logged_lines(hc) == ["from the inner run"]

    assert logged_lines(hc) == ["from another thread", "from the inner run"]


def test_concurrent_runs_with_the_scope_process_capture_each_others_records(
    settings: dict[str, Any], hc: Sandbox, check: Any
) -> None:
    async def main() -> None:
        async with AsyncClient(**settings) as client:
            started = [asyncio.Event(), asyncio.Event()]

            async def job(number: int) -> None:
                async with CheckTrap(client, slug="backup", **PROCESS):
                    started[number].set()
                    await asyncio.gather(*(event.wait() for event in started))
                    logger.info("from %s", number)
                    await asyncio.sleep(0.01)

            await asyncio.gather(job(0), job(1))

    asyncio.run(main())
    bodies = [sorted(ping.body.splitlines()) for ping in hc.pings("backup") if ping.type == "success"]
    assert bodies == [[b"from 0", b"from 1"]] * 2


def test_the_scope_process_without_a_level_captures_nothing(api: Api, hc: Sandbox, check: Any) -> None:
    run(api, lambda _: in_another_thread(logger.error, "not captured"), log_scope="process")

    assert logged_lines(hc) == []


SCRIPT = """
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


def test_capturing_does_not_change_what_is_logged_to_standard_error(
    stub: Stub, fresh_python: Callable[[str], str]
) -> None:
    stub.queue_response(200, "OK")
    with_trap = "CheckTrap(client, 'u', log_level=logging.DEBUG)"

    expected = fresh_python(SCRIPT.format(url=stub.url, block="contextlib.nullcontext()"))
    assert expected == "before basicConfig\nconfigured: after basicConfig\nconfigured: after the job"
    assert fresh_python(SCRIPT.format(url=stub.url, block=with_trap)) == expected
    assert stub.requests[-1].body.count(b"basicConfig") == 2


def test_a_patch_of_call_handlers_installed_during_a_run_survives_it(hc: Sandbox, check: Any) -> None:
    seen: list[str] = []
    original = logging.Logger.callHandlers
    options: Any = {"slug": "backup", "log_level": logging.INFO, "log_formatter": PLAIN}
    with hc.client() as client:
        with CheckTrap(client, **options):
            patched_by_run = logging.Logger.callHandlers

            def third_party_patch(self: logging.Logger, record: logging.LogRecord) -> None:
                seen.append(record.getMessage())
                patched_by_run(self, record)

            logging.Logger.callHandlers = third_party_patch  # type: ignore[method-assign]  # as error reporters do
            logger.info("one")
        logger.info("two")
        with CheckTrap(client, **options):
            logger.info("three")
        assert logging.Logger.callHandlers is third_party_patch
    logging.Logger.callHandlers = original  # type: ignore[method-assign]  # restore it

    assert seen == ["one", "two", "three"]
    assert [ping.body for ping in reversed(hc.pings("backup")) if ping.type == "success"] == [b"one", b"three"]


@pytest.mark.parametrize("options", [{"log_level": "INFO"}, {"log_level": True}, {"log_formatter": "%(message)s"}])
def test_the_constructor_rejects_invalid_levels_and_formatters(options: dict[str, Any]) -> None:
    with pytest.raises(BadAPIRequestError, match="must be a"):
        CheckTrap(Client(), "u", **options)


def test_closing_the_client_in_a_run_adds_no_records(
    connect: Callable[..., Api],
    settings: dict[str, Any],
    hc: Sandbox,
    check: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "httpcore")
    other = connect(**settings)
    other.get_status()
    with connect(**settings).trap(slug="backup", log_level=logging.DEBUG) as trap:
        other.close()
        trap.add_log("only this line")

    assert b"httpcore" not in hc.pings("backup")[0].body
