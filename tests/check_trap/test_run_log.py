"""The log of a run: the end of what was logged, within the limit of the server."""

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

from healthchecks_io.client.run_log import RunLog

LINES = lists(text(max_size=80), max_size=60)
LIMITS = integers(min_value=100, max_value=3000)


@given(LINES, text(max_size=400), LIMITS)
def test_a_body_is_the_end_of_the_log_and_says_what_is_missing(lines: list[str], postscript: str, limit: Any) -> None:
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
        left_out = re.fullmatch(rb"\[(\d+) bytes left out\]", first_line)
        assert left_out is not None
        assert expected.endswith(end)
        assert int(left_out[1]) == len(expected) - len(end)
        assert len(body) > limit - 10


@pytest.mark.parametrize("character", ["x", "ü", "€", "😀"])
@pytest.mark.parametrize("limit", range(100, 104))
def test_a_body_is_cut_between_characters(character: str, limit: int) -> None:
    log = RunLog()
    log.limit_to(limit)
    log.add_line(character * 1000)

    assert log.body().decode().endswith(character)


def test_memory_stays_bounded_however_much_is_logged() -> None:
    log = RunLog()
    log.limit_to(10_000)
    line = "one line of very many that are logged"
    tracemalloc.start()
    for _ in range(100_000):
        log.add_line(line)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    left_out, _, end = log.body().partition(b" bytes left out]\n")

    assert peak < 100_000
    assert int(left_out[1:]) + len(end) == 100_000 * (len(line) + 1) - 1


def test_what_interrupts_a_thread_that_logs_may_log_too() -> None:
    log = RunLog()

    def handle_signal(_: Any, event: str, called: Any) -> None:
        if event == "c_call" and called.__name__ == "encode":
            sys.setprofile(None)
            log.add_line("of the handler")

    sys.setprofile(handle_signal)
    log.add_line("of the job")
    sys.setprofile(None)

    assert log.body().splitlines() == [b"of the handler", b"of the job"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_fork_while_another_thread_logs_leaves_no_lock_behind() -> None:
    log = RunLog()
    is_locked, may_end = threading.Event(), threading.Event()

    def log_slowly() -> None:
        with log._lock:
            is_locked.set()
            may_end.wait(10)

    thread = threading.Thread(target=log_slowly)
    thread.start()
    is_locked.wait()
    with warnings.catch_warnings():
        # Python 3.12 and newer warn of forks while there are threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if not pid:
        signal.alarm(5)
        log.add_line("of the other process")
        os._exit(0)
    may_end.set()
    thread.join()

    assert os.waitpid(pid, 0)[1] == 0


def test_threads_do_not_break_each_others_lines() -> None:
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


def test_an_unreasonable_limit_is_not_believed() -> None:
    log = RunLog()
    log.limit_to(0)
    log.add_line("x" * 1000)
    assert 95 <= len(log.body()) <= 100
