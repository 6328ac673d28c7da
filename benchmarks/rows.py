"""The rows of the table, with their goals."""

from __future__ import annotations

from benchmarks.quantities import Quantity, Row, Run
from benchmarks.server import body_with_checks

HTTPX, PEER = "httpx", "0.4.4"

_DELAY = 50
"""Milliseconds after which a server that is far away answers."""

_FEW = 100
"""Checks in a list that is not long."""


def all_rows(calls: int, *, is_quick: bool) -> list[Row]:
    """Give the rows.

    Args:
        calls: How many calls of a client make a difference that stands out.
        is_quick: Whether to leave out what is slow, and to make do with shorter lists.
    """
    rows = [
        Row("import Client", Quantity(Run("import_ours")), None, "", 65e6),
        *_scripts(),
        *_warm_pings(calls),
        *_pings_at_once(),
        *_lists(1000 if is_quick else 10_000),
        *_logs(1_000_000),
    ]
    return [row for row in rows if not (is_quick and row.is_slow)]


def _scripts() -> list[Row]:
    rows: list[Row] = []
    for scheme, httpx_goal, peer_goal, trap_goal in (("http", 0.75, 0.45, 0.80), ("https", 1.03, 0.60, 1.05)):
        work = f"script with one ping, {scheme}"
        is_slow = scheme == "https"
        ping = Quantity(Run("ping_ours", scheme))
        trap = Quantity(Run("trap_ours", scheme))
        rows += [
            Row(work, ping, Quantity(Run("ping_httpx", scheme)), HTTPX, httpx_goal, is_slow=is_slow),
            Row(work, ping, Quantity(Run("ping_peer", scheme)), PEER, peer_goal, is_slow=is_slow),
            Row(
                f"script with a CheckTrap, {scheme}",
                trap,
                Quantity(Run("ping_httpx", scheme, times=2)),
                f"{HTTPX}, two pings",
                trap_goal,
                is_slow=is_slow,
            ),
        ]
    return rows


def _warm_pings(calls: int) -> list[Row]:
    def each(script: str) -> Quantity:
        return Quantity(Run(script, times=1 + calls), less=Run(script), per=calls)

    return [
        Row("one more ping", each("ping_ours"), each("ping_httpx"), HTTPX, 0.88),
        Row("one more async ping", each("async_ping_ours"), each("async_ping_httpx"), HTTPX, 0.72),
    ]


def _pings_at_once() -> list[Row]:
    def rate(library: str, delay: int, count: int) -> Quantity:
        return Quantity(Run(f"gather_{library}", number=delay, times=count), figure="pings_per_second")

    def cpu(count: int) -> Quantity:
        return Quantity(Run("gather_ours", number=_DELAY, times=count), figure="cpu_per_ping")

    rates = [
        Row(
            f"{count} pings at once, answered {f'after {delay} ms' if delay else 'at once'}",
            rate("ours", delay, count),
            rate("httpx", delay, count),
            HTTPX,
            2.0 if delay else 1.0,
            is_least=True,
            unit="/s",
            is_slow=count > 100,
        )
        for delay in (_DELAY, 0)
        for count in (100, 1000)
    ]
    # A tenth more is flat: times cannot be told apart any better.
    flat = Row("CPU per ping, 1000 at once", cpu(1000), cpu(10), "10 at once", 1.1, unit="s CPU", is_slow=True)
    return [*rates, flat]


def _lists(many: int) -> list[Row]:
    def more(script: str) -> Quantity:
        return Quantity(Run(script, number=many), less=Run(script, number=_FEW), per=many - _FEW)

    few = Quantity(Run("checks_ours", number=_FEW), less=Run("checks_ours", number=10), per=_FEW - 10)
    peak = Quantity(Run("checks_ours", number=many), less=Run("checks_ours"), figure="peak")
    work = f"get_checks, {many} checks, each"
    # A fifth more per check is linear: Python's garbage collector goes through what there is again and again.
    is_linear = 1.2
    return [
        Row(work, more("checks_ours"), more("checks_peer"), PEER, 0.62),
        Row(work, more("checks_ours"), more("checks_by_hand_ours"), f"{HTTPX} and pydantic", 1.05, is_slow=True),
        Row(work, more("checks_ours"), few, f"{_FEW} checks", is_linear, is_slow=True),
        Row(f"get_checks, {many} checks, peak", peak, len(body_with_checks(many)), "the answer", 7.0, unit="B"),
    ]


def _logs(lines: int) -> list[Row]:
    run = Run("log_ours", times=lines)
    return [
        Row(f"add_log, {lines} times, each", Quantity(run, figure="seconds_per_line"), None, "", 2e-6, unit="s CPU"),
        Row(f"add_log, {lines} times, growth", Quantity(run, figure="growth"), None, "", 2 * 2**20, unit="B"),
    ]
