"""A trap is a text stream, and add_log() writes to the trap of the current run."""

from __future__ import annotations

import contextlib
import gc
import io
import logging
import os
from typing import TYPE_CHECKING, Any

import pytest

import healthchecks_io
from healthchecks_io import CheckTrap

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api

    from healthchecks_io.sandbox import Sandbox

pytestmark = pytest.mark.server("1.23")


def test_a_trap_is_a_text_stream_that_can_only_be_written(api: Api) -> None:
    trap: Any = CheckTrap(api.client, "u")

    assert isinstance(trap, io.TextIOBase)
    assert (trap.writable(), trap.readable(), trap.seekable(), trap.isatty()) == (True, False, False, False)
    assert (trap.encoding, trap.errors, trap.newlines, trap.closed) == ("utf-8", "replace", None, False)


@pytest.mark.parametrize("method", ["fileno", "read", "readline", "tell", "truncate", "detach"])
def test_what_the_stream_cannot_do_raises_unsupported_operation(api: Api, method: str) -> None:
    trap: Any = CheckTrap(api.client, "u")

    with pytest.raises(io.UnsupportedOperation):
        getattr(trap, method)()


def test_several_lines_can_be_written_at_once(api: Api, hc: Sandbox, check: Any) -> None:
    with api.trap(slug="backup") as trap:
        trap.writelines(["one\n", "two\n"])
        trap.writelines(f"{number}\n" for number in (3, 4))

    assert hc.pings("backup")[0].body == b"one\ntwo\n3\n4\n"


def test_write_returns_the_number_of_characters(api: Api, check: Any) -> None:
    with api.trap(slug="backup") as trap:
        assert trap.write("five €") == 6


def test_text_that_is_not_valid_unicode_is_replaced(api: Api, hc: Sandbox, check: Any) -> None:
    with api.trap(slug="backup") as trap:
        trap.write(os.fsdecode(b"na\xe9"))

    assert hc.pings("backup")[0].body == b"na?"


def test_closing_the_stream_does_not_end_the_log(api: Api, hc: Sandbox, check: Any) -> None:
    with api.trap(slug="backup") as trap:
        with contextlib.closing(trap):
            trap.write("one\n")
        assert not trap.closed
        trap.write("two\n")
        trap.flush()

    assert hc.pings("backup")[0].body == b"one\ntwo\n"


def test_text_written_after_the_run_is_dropped(api: Api, hc: Sandbox, check: Any) -> None:
    trap = CheckTrap(api.client, slug="backup")
    with api.entering(trap):
        trap.write("in time\n")
    trap.write("too late\n")
    trap.writelines(["too late\n"])
    trap.add_log("too late")
    print("too late", file=trap)
    with api.entering(trap):
        pass

    assert [ping.body for ping in hc.pings("backup")] == [b"", b"", b"in time\n", b""]


def test_records_can_be_logged_to_a_trap(api: Api, hc: Sandbox, check: Any) -> None:
    logger = logging.getLogger("tests.stream")
    with api.trap(slug="backup") as trap:
        handler = logging.StreamHandler(trap)
        logger.addHandler(handler)
        logger.warning("disk almost full")
        logger.removeHandler(handler)

    assert hc.pings("backup")[0].body == b"disk almost full\n"


def test_a_trap_that_is_garbage_collected_during_its_run_keeps_its_log(api: Api, hc: Sandbox, check: Any) -> None:
    def enter() -> contextlib.ExitStack:
        stack = contextlib.ExitStack()
        stack.enter_context(api.trap(slug="backup")).write("one\n")
        return stack

    with enter():
        gc.collect()

    assert hc.pings("backup")[0].body == b"one\n"


# The function add_log


def test_add_log_adds_to_the_log_of_the_current_run(run_job: Callable[..., Any], hc: Sandbox, check: Any) -> None:
    def save(file: str) -> None:
        healthchecks_io.add_log(f"saved {file}")

    def job(_: Any) -> None:
        save("one")
        save("two")

    run_job(job)
    assert hc.pings("backup")[0].body == b"saved one\nsaved two"


def test_in_nested_runs_add_log_adds_to_the_innermost_one(hc: Sandbox, check: Any) -> None:
    with hc.client() as client, CheckTrap(client, slug="backup"):
        healthchecks_io.add_log("outside")
        with CheckTrap(client, slug="backup"):
            healthchecks_io.add_log("inside")
        healthchecks_io.add_log("outside again")

    assert [ping.body for ping in hc.pings("backup")[:2]] == [b"outside\noutside again", b"inside"]


def test_outside_of_a_run_add_log_does_nothing(run_job: Callable[..., Any], hc: Sandbox, check: Any) -> None:
    healthchecks_io.add_log("too early")
    run_job(lambda _: None)
    healthchecks_io.add_log("too late")
    run_job(lambda _: None)

    assert {ping.body for ping in hc.pings("backup")} == {b""}


@pytest.mark.parametrize("line", [None, 5, ValueError("x")])
def test_a_line_that_is_no_string_is_converted(run_job: Callable[..., Any], hc: Sandbox, check: Any, line: Any) -> None:
    healthchecks_io.add_log(line)
    run_job(lambda _: healthchecks_io.add_log(line))

    assert hc.pings("backup")[0].body == str(line).encode()


def test_only_text_can_be_written(connect: Callable[..., Api]) -> None:
    with pytest.raises(TypeError, match="must be a string, not bytes"):
        CheckTrap(connect().client, "u").write(b"bytes")  # type: ignore[arg-type]  # the mistake to find
