"""The log of a run: the end of what was logged, within the limit of the server."""

from __future__ import annotations

import re
import threading
import tracemalloc
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
    tracemalloc.start()
    for number in range(100_000):
        log.add_line(f"line {number} of very many that are logged")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 200_000


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
