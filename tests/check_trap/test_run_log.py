"""RunLog keeps the end of a run's log, up to the server's body limit."""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import tracemalloc
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import integers, lists, text

from healthchecks_io.trap.run_log import RunLog

LINES = lists(text(max_size=80), max_size=60)
LIMITS = integers(min_value=100, max_value=3000)


@given(LINES, text(max_size=400), LIMITS)
def test_the_body_is_the_end_of_the_log_and_states_how_many_bytes_were_omitted(
    lines: list[str], postscript: str, limit: Any
) -> None:
    log = RunLog()
    log.limit_to(limit)
    for line in lines:
        log.add_line(line)
    whole = "\n".join(lines)
    if postscript and lines and not whole.endswith("\n"):
        whole += "\n" * bool(whole)
    expected = (whole + postscript).encode("utf-8", "replace")

    body = log.body(postscript)

    assert len(body) <= limit
    body.decode()
    if len(expected) <= limit:
        assert body == expected
    else:
        first_line, _, end = body.partition(b"\n")
        omitted = re.fullmatch(rb"\[(\d+) bytes left out\]", first_line)
        assert omitted is not None
        assert expected.endswith(end)
        assert int(omitted[1]) == len(expected) - len(end)
        assert len(body) > limit - 10


@pytest.mark.parametrize("character", ["x", "ü", "€", "😀"])
@pytest.mark.parametrize("limit", range(100, 104))
def test_the_body_is_truncated_at_a_character_boundary(character: str, limit: int) -> None:
    log = RunLog()
    log.limit_to(limit)
    log.add_line(character * 1000)

    assert log.body().decode().endswith(character)


def test_memory_use_is_bounded() -> None:
    log = RunLog()
    log.limit_to(10_000)
    line = "one of very many log lines"
    tracemalloc.start()
    for _ in range(100_000):
        log.add_line(line)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    omitted, _, end = log.body().partition(b" bytes left out]\n")

    assert peak < 100_000
    assert int(omitted[1:]) + len(end) == 100_000 * (len(line) + 1) - 1


def test_a_signal_handler_can_log_while_it_interrupts_a_call_that_logs() -> None:
    log = RunLog()

    def handle_signal(_: Any, event: str, called: Any) -> None:
        if event == "c_call" and called.__name__ == "encode":
            sys.setprofile(None)
            log.add_line("from the handler")

    sys.setprofile(handle_signal)
    log.add_line("from the job")
    sys.setprofile(None)

    assert log.body().splitlines() == [b"from the handler", b"from the job"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="requires os.fork()")
def test_a_child_process_forked_while_another_thread_logs_does_not_deadlock() -> None:
    log = RunLog()
    is_locked, finish = threading.Event(), threading.Event()

    def log_slowly() -> None:
        with log._lock:
            is_locked.set()
            finish.wait(10)

    thread = threading.Thread(target=log_slowly)
    thread.start()
    is_locked.wait()
    with warnings.catch_warnings():
        # Python 3.12 and newer warn about forking a multi-threaded process.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if not pid:
        signal.alarm(5)
        log.add_line("from the child process")
        os._exit(0)
    finish.set()
    thread.join()

    assert os.waitpid(pid, 0)[1] == 0


def test_lines_logged_by_concurrent_threads_stay_intact() -> None:
    log = RunLog()

    def add_lines() -> None:
        for _ in range(500):
            log.add_line("a whole line")

    threads = [threading.Thread(target=add_lines) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert log.body().decode().splitlines() == ["a whole line"] * 4000


def test_a_log_that_is_closed_keeps_nothing() -> None:
    log = RunLog()
    log.add_line("in time")
    log.close()
    assert log.body() == b""

    log.add_line("too late")
    log.write("too late")
    assert log.body() == b""


def test_a_limit_that_is_too_low_is_replaced_by_the_minimum() -> None:
    log = RunLog()
    log.limit_to(0)
    log.add_line("x" * 1000)
    assert 95 <= len(log.body()) <= 100
