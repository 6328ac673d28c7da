"""The benchmarks, with their targets."""

from __future__ import annotations

from benchmarks.quantities import Quantity, Row, Run
from benchmarks.server import body_with_checks, body_with_flips, body_with_pings

HTTPX, PEER = "httpx", "0.4.4"

_DELAY = 50
"""The response time of a distant server, in milliseconds."""

_FEW = 100
"""The length of a short list of checks."""


def all_rows(calls: int, *, is_quick: bool) -> list[Row]:
    """Return the rows of the table.

    Args:
        calls: The number of further calls in a process that makes their cost measurable.
        is_quick: Whether to skip slow rows and use shorter lists.
    """
    rows = [
        Row("import Client", Quantity(Run("import_ours")), None, "", 65e6),
        *_script_rows(),
        *_monitor_rows(),
        *_further_ping_rows(calls),
        *_concurrent_ping_rows(),
        *_list_rows(1000 if is_quick else 10_000),
        *_plan_rows(1000),
        *_report_rows(1000),
        *_log_rows(1_000_000),
        *_command_rows(),
    ]
    return [row for row in rows if not (is_quick and row.is_slow)]


def _script_rows() -> list[Row]:
    rows: list[Row] = []
    for scheme, httpx_target, peer_target, trap_target in (("http", 0.75, 0.45, 0.80), ("https", 1.03, 0.60, 1.05)):
        name = f"script with one ping, {scheme}"
        is_slow = scheme == "https"
        ping = Quantity(Run("ping_ours", scheme))
        trap = Quantity(Run("trap_ours", scheme))
        rows += [
            Row(name, ping, Quantity(Run("ping_httpx", scheme)), HTTPX, httpx_target, is_slow=is_slow),
            Row(name, ping, Quantity(Run("ping_peer", scheme)), PEER, peer_target, is_slow=is_slow),
            Row(
                f"script with a CheckTrap, {scheme}",
                trap,
                Quantity(Run("ping_httpx", scheme, repeats=2)),
                f"{HTTPX}, two pings",
                trap_target,
                is_slow=is_slow,
            ),
        ]
    return rows


def _monitor_rows() -> list[Row]:
    monitored = Quantity(Run("monitor_ours"))
    share = Quantity(Run("heartbeat_ours", repeats=1000), figure="share_of_core")
    deviation = Quantity(Run("interval_ours", repeats=100), figure="deviation")
    return [
        Row("script with a monitor", monitored, Quantity(Run("trap_ours")), "CheckTrap", 1.06),
        Row("script with a monitor and a schedule", Quantity(Run("declared_ours")), monitored, "no schedule", 2.2),
        Row("1000 heartbeats, one ping a minute", share, None, "", 0.05, unit="of a core", is_slow=True),
        Row("interval of 100 beats, deviation", deviation, None, "", 0.10, unit="of it", is_slow=True),
    ]


def _further_ping_rows(calls: int) -> list[Row]:
    def per_call(script: str) -> Quantity:
        return Quantity(Run(script, repeats=1 + calls), less=Run(script), per=calls)

    return [
        Row("each further ping", per_call("ping_ours"), per_call("ping_httpx"), HTTPX, 0.88),
        Row("each further async ping", per_call("async_ping_ours"), per_call("async_ping_httpx"), HTTPX, 0.72),
    ]


def _concurrent_ping_rows() -> list[Row]:
    def rate(environment: str, delay: int, count: int) -> Quantity:
        return Quantity(Run(f"gather_{environment}", number=delay, repeats=count), figure="pings_per_second")

    def cpu(count: int) -> Quantity:
        return Quantity(Run("gather_ours", number=_DELAY, repeats=count), figure="cpu_per_ping")

    rates = [
        Row(
            f"{count} concurrent pings, {f'{delay} ms delay' if delay else 'no delay'}",
            rate("ours", delay, count),
            rate("httpx", delay, count),
            HTTPX,
            2.0 if delay else 1.0,
            is_minimum=True,
            unit="/s",
            is_slow=count > 100,
        )
        for delay in (_DELAY, 0)
        for count in (100, 1000)
    ]
    # Up to a tenth more counts as flat, because times are not more precise than that.
    flat = Row(
        "CPU time per ping, 1000 concurrent", cpu(1000), cpu(10), "10 concurrent", 1.1, unit="s CPU", is_slow=True
    )
    return [*rates, flat]


def _list_rows(many: int) -> list[Row]:
    def per_check(script: str) -> Quantity:
        return Quantity(Run(script, number=many), less=Run(script, number=_FEW), per=many - _FEW)

    few = Quantity(Run("checks_ours", number=_FEW), less=Run("checks_ours", number=10), per=_FEW - 10)
    peak = Quantity(Run("checks_ours", number=many), less=Run("checks_ours"), figure="memory")
    name = f"get_checks, {many} checks, per check"
    # Up to a fifth more per check counts as linear, because the garbage collector traverses all objects repeatedly.
    linear = 1.2
    return [
        Row(name, per_check("checks_ours"), per_check("checks_peer"), PEER, 0.62),
        Row(
            name,
            per_check("checks_ours"),
            per_check("checks_by_hand_ours"),
            f"{HTTPX} and pydantic",
            1.05,
            is_slow=True,
        ),
        Row(name, per_check("checks_ours"), few, f"{_FEW} checks", linear, is_slow=True),
        Row(f"get_checks, {many} checks, peak memory", peak, len(body_with_checks(many)), "response", 7.0, unit="B"),
    ]


def _plan_rows(many: int) -> list[Row]:
    def per_call(script: str) -> Quantity:
        return Quantity(Run(script, number=many, repeats=11), less=Run(script, number=many), per=10)

    plan = per_call("plan_ours")
    return [
        Row(f"plan_checks, {many} checks", plan, per_call("checks_ours"), "get_checks", 1.5),
        Row(f"apply_checks, {many} checks, no changes", per_call("apply_ours"), plan, "plan_checks", 1.02),
    ]


def _report_rows(many: int) -> list[Row]:
    def run(checks: int) -> Run:
        return Run("async_reports_ours", number=_DELAY, repeats=checks)

    rate = Quantity(run(many), figure="reports_per_second")
    # The rate of a client that waits for each response does not depend on their number.
    one_by_one = Quantity(Run("reports_ours", number=_DELAY, repeats=_FEW), figure="reports_per_second")
    growth = Quantity(run(many), less=run(_FEW), figure="memory")
    read = len(body_with_checks(many)) - len(body_with_checks(_FEW))
    read += (many - _FEW) * (len(body_with_flips()) + len(body_with_pings()))
    per_check = Quantity(run(2 * many), less=run(many), per=many, figure="memory")
    further = Quantity(run(4 * many), less=run(2 * many), per=2 * many, figure="memory")
    name = f"get_reports, {many} checks"
    return [
        Row(f"{name}, {_DELAY} ms delay", rate, one_by_one, "Client", 3.0, is_minimum=True, unit="/s", is_slow=True),
        Row(f"{name}, memory growth", growth, read, "responses", 0.5, unit="B", is_slow=True),
        Row(
            f"get_reports, {4 * many} checks, memory of each further one",
            further,
            per_check,
            f"{2 * many} checks",
            1.2,
            unit="B",
            is_slow=True,
        ),
    ]


def _log_rows(lines: int) -> list[Row]:
    run = Run("log_ours", repeats=lines)
    return [
        Row(
            f"add_log, {lines} lines, per line", Quantity(run, figure="seconds_per_line"), None, "", 2e-6, unit="s CPU"
        ),
        Row(f"add_log, {lines} lines, memory growth", Quantity(run, figure="growth"), None, "", 2 * 2**20, unit="B"),
    ]


def _command_rows() -> list[Row]:
    click = Quantity(Run("import_click_cli"), figure="cpu")
    httpx = Run("import_httpx")
    gibibyte = 2**30
    first = [
        Row(
            f"run, until its command runs, service {state}",
            Quantity(Run("first_cli"), figure=state),
            click,
            "import click",
            1.4,
            unit="s CPU",
        )
        for state in ("works", "refuses", "hangs")
    ]
    run = Row(
        "run -- true, http",
        Quantity(Run("run_cli"), figure="cpu"),
        Quantity(httpx, figure="cpu"),
        "import httpx",
        1.7,
        unit="s CPU",
    )
    memory = Row(
        "run -- true, peak memory",
        Quantity(Run("run_cli"), figure="memory"),
        Quantity(httpx, figure="memory"),
        "import httpx",
        1.25,
        unit="B",
    )
    output = Row(
        "run, 1 GiB of output",
        Quantity(Run("output_cli", repeats=gibibyte), figure="own_cpu"),
        Quantity(Run("cat_cli", repeats=gibibyte), figure="own_cpu"),
        "cat",
        2.0,
        unit="s CPU",
    )
    growth = Row(
        "run, 1 GiB of output, memory growth",
        Quantity(Run("output_cli", repeats=gibibyte), less=Run("output_cli", repeats=2**20), figure="memory"),
        None,
        "",
        4 * 2**20,
        unit="B",
    )
    return [*first, run, memory, output, growth]
