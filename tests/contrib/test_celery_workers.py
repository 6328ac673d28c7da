"""monitor_beat with real workers, a real beat and a real broker."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("celery", reason="needs Celery, which only the nox session celery installs")
pytest.importorskip("redis", reason="needs redis, which only the nox session celery installs")

from contrib.shops import Shop
from processes import eventually

from healthchecks_io.sandbox import Sandbox

if TYPE_CHECKING:
    import uuid
    from collections.abc import Callable, Iterator

    from healthchecks_io.sandbox import Ping

pytestmark = [
    pytest.mark.timeout(600),
    # The client of Celery leaves connections to Redis open.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

TASKS = int(os.environ.get("CELERY_TASKS", "300"))
"""The number of tasks in the test of many tasks."""
REVOKED_ID = "a task that the test has revoked"

_databases = itertools.count()


def runs_of(hc: Sandbox, slug: str) -> dict[uuid.UUID | None, list[Ping]]:
    """Return the pings of each run of a check, the first ping first."""
    runs: dict[uuid.UUID | None, list[Ping]] = {}
    for ping in reversed(hc.pings(slug)):
        runs.setdefault(ping.rid, []).append(ping)
    return runs


def types_of(hc: Sandbox, slug: str) -> list[str]:
    """Return the types of pings that the runs of a check have, each combination once."""
    return sorted({" ".join(ping.type for ping in pings) for pings in runs_of(hc, slug).values()})


def last_body(hc: Sandbox, slug: str) -> str:
    return hc.pings(slug)[0].body.decode()


@pytest.fixture(scope="module")
def open_shop(
    redis_port: int, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., contextlib.AbstractContextManager[Shop]]:
    """Return a context manager for a shop."""

    @contextlib.contextmanager
    def opened(environ: dict[str, str], *tasks: str) -> Iterator[Shop]:
        shop = Shop(redis_port, next(_databases), tmp_path_factory.mktemp("shop"), environ, ",".join(tasks))
        try:
            yield shop
        finally:
            shop.kill()

    return opened


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def hc(sandbox: Sandbox) -> Iterator[Sandbox]:
    yield sandbox
    sandbox.reset()


MONITORED = (
    "ok", "bad", "again", "ignored", "rejected", "slow", "soft", "terminated", "expired", "revoked", "later"
)  # fmt: skip


@pytest.fixture(scope="module")
def prefork(open_shop: Callable[..., Any]) -> Iterator[Sandbox]:
    """The sandbox after two workers with the prefork pool ran each task once or more, and ended."""
    with Sandbox() as hc, open_shop(hc.environ, *MONITORED, "direct", "nightly") as shop:
        workers = [shop.start_worker("first", "prefork", 6), shop.start_worker("second", "prefork", 6)]
        client = shop.client
        client.control.revoke(REVOKED_ID)
        assert client.send_task("shop.ok").get(timeout=30) == 1
        beat = shop.start_beat()

        def is_reported(task: str) -> bool:
            types = {ping.type for ping in hc.pings(f"shop-{task}")} if f"shop-{task}" in slugs() else set()
            ends = {"success", "fail"} if task != "again" else {"success"}
            return bool(types & ({"log"} if task in ("ignored", "rejected") else ends))

        def slugs() -> set[str]:
            return {check.slug for check in hc.checks}

        assert eventually(lambda: all(map(is_reported, MONITORED)), 40), shop.log
        shop.stop(beat)
        time.sleep(1.5)  # Tasks that have a time limit of a second.
        for worker in workers:
            shop.stop(worker)
        yield hc


@pytest.mark.parametrize(
    ("task", "types"),
    [
        ("ok", ["start success"]),
        ("bad", ["start fail"]),
        ("again", ["start log start success"]),
        ("ignored", ["start log"]),
        ("rejected", ["start log"]),
        ("slow", ["start fail"]),
        ("soft", ["start fail"]),
        ("terminated", ["start fail"]),
        ("expired", ["fail"]),
        ("later", ["start success"]),
    ],
)
def test_each_run_is_reported_with_its_end(prefork: Sandbox, task: str, types: list[str]) -> None:
    assert types_of(prefork, f"shop-{task}") == types


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("bad", 'raise ValueError("no stock")\nValueError: no stock'),
        ("ignored", "ignored: not today"),
        ("rejected", "rejected: "),
        ("slow", "TimeLimitExceeded(1,)"),
        ("soft", "SoftTimeLimitExceeded"),
        ("terminated", "the task was not completed: it was terminated by "),
        ("expired", "the task was not completed: it has expired"),
        ("revoked", "the task was not completed: it was revoked"),
    ],
)
def test_the_last_ping_contains_the_reason(prefork: Sandbox, task: str, text: str) -> None:
    assert text in last_body(prefork, f"shop-{task}")


def test_a_task_that_was_revoked_is_a_fail(prefork: Sandbox) -> None:
    assert {ping.type for ping in prefork.pings("shop-revoked")} == {"fail"}


def test_tasks_that_beat_did_not_send_are_not_reported(prefork: Sandbox) -> None:
    assert prefork.pings("shop-direct") == []


def test_beat_creates_the_checks(prefork: Sandbox) -> None:
    checks = {check.slug: check for check in prefork.checks}

    assert checks.keys() == {f"shop-{task}" for task in (*MONITORED, "direct", "nightly")}
    assert (checks["shop-direct"].timeout, checks["shop-direct"].grace) == (86400, 600)
    nightly = checks["shop-nightly"]
    assert (nightly.name, nightly.schedule, nightly.tz) == ("nightly", "30 3 * * 1-5", "Europe/Riga")


@pytest.mark.parametrize("pool", ["solo", "threads", "gevent"])
def test_other_pools_report_runs(open_shop: Callable[..., Any], hc: Sandbox, pool: str) -> None:
    if pool == "gevent":
        pytest.importorskip("gevent", reason="needs gevent, which only the nox session celery installs")
    with open_shop(hc.environ, "ok", "bad", "again", "ignored") as shop:
        worker = shop.start_worker("only", pool)
        beat = shop.start_beat()
        slugs = ["shop-ok", "shop-bad", "shop-again", "shop-ignored"]
        assert eventually(lambda: len(hc.checks) == 4 and all(len(hc.pings(slug)) > 1 for slug in slugs), 20), shop.log
        shop.stop(beat)
        time.sleep(1)
        shop.stop(worker)

    types = [types_of(hc, slug) for slug in slugs]
    assert types == [["start success"], ["start fail"], ["start log start success"], ["start log"]]


def test_a_worker_that_ends_sends_what_is_left(open_shop: Callable[..., Any], hc: Sandbox) -> None:
    with open_shop(hc.environ) as shop:
        worker = shop.start_worker("only", "prefork", 1)
        hc.fail_next(delay=0.2, times=20)
        results = [send(shop, "ok") for _ in range(10)]
        for result in results:
            result.get(timeout=30)
        assert len(hc.pings("ok") if hc.checks else []) < 20
        shop.stop(worker)

    assert len(hc.pings("ok")) == 20


HEADER = "healthchecks_io_slug"


def send(shop: Shop, slug: str, **options: Any) -> Any:
    """Send a task as beat does."""
    return shop.client.send_task("shop.ok", headers={HEADER: slug}, **options)


def seconds_for_tasks(shop: Shop, slug: str, count: int) -> float:
    began = time.monotonic()
    for result in [send(shop, slug) for _ in range(count)]:
        assert result.get(timeout=60) == 1
    return time.monotonic() - began


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_no_task_waits_for_a_service_that_hangs(open_shop: Callable[..., Any], silent_server: str, pool: str) -> None:
    environ = {"HEALTHCHECKS_PING_KEY": "key", "HEALTHCHECKS_PING_URL": f"{silent_server}/ping/"}
    with open_shop({**environ, "HEALTHCHECKS_TIMEOUT": "5"}) as shop:
        worker = shop.start_worker("only", pool, 2)

        assert seconds_for_tasks(shop, "shop-ok", 50) < 5

        began = time.monotonic()
        shop.stop(worker)
        assert time.monotonic() - began < 20


def test_a_service_that_is_down_changes_no_outcome(open_shop: Callable[..., Any]) -> None:
    environ = {"HEALTHCHECKS_PING_KEY": "key", "HEALTHCHECKS_PING_URL": "http://127.0.0.1:9/ping/"}
    with open_shop({**environ, "HEALTHCHECKS_TIMEOUT": "2"}) as shop:
        worker = shop.start_worker("only", "prefork", 1)
        client = shop.client

        assert send(shop, "shop-ok").get(timeout=30) == 1
        with pytest.raises(ValueError, match="no stock"):
            client.send_task("shop.bad", headers={HEADER: "shop-bad"}).get(timeout=30)
        shop.stop(worker)

    assert shop.log.count("further failures are not logged until pings work again") == 1


@pytest.mark.parametrize("service", ["up", "hanging", "refusing"])
def test_a_task_is_not_slowed_down_by_50_ms_at_the_median(
    open_shop: Callable[..., Any], hc: Sandbox, silent_server: str, service: str
) -> None:
    url = {"up": hc.ping_url, "hanging": f"{silent_server}/ping/", "refusing": "http://127.0.0.1:9/ping/"}[service]
    environ = {**hc.environ, "HEALTHCHECKS_PING_URL": url, "HEALTHCHECKS_TIMEOUT": "2"}
    times: dict[bool, list[float]] = {False: [], True: []}
    with open_shop(environ) as shop:
        worker = shop.start_worker("only", "prefork", 1)
        client = shop.client
        for number in range(200):
            is_monitored = bool(number % 2)
            began = time.perf_counter()
            client.send_task("shop.ok", headers={HEADER: "shop-ok"} if is_monitored else {}).get(timeout=30)
            times[is_monitored].append(time.perf_counter() - began)
        shop.stop(worker)

    slower = median(times[True]) - median(times[False])
    print(f"service {service}: {1000 * slower:.2f} ms slower than {1000 * median(times[False]):.2f} ms")  # noqa: T201 - shown with -s
    assert slower < 0.05


def memory_of(pid: int) -> int:
    """Return the resident memory of a process in kB, or 0 where there is no /proc."""
    status = Path(f"/proc/{pid}/status")
    return int(status.read_text().partition("VmRSS:")[2].split()[0]) if status.exists() else 0


def children_of(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def test_of_many_tasks_each_is_reported_once_to_its_check(open_shop: Callable[..., Any]) -> None:
    # A check keeps its last 100 pings.
    slugs = [f"shop-{number}" for number in range(max(7, TASKS // 40))]
    with Sandbox() as hc, open_shop(hc.environ) as shop:
        worker = shop.start_worker("only", "prefork", 2)
        client = shop.client
        sizes: list[int] = []
        sent: dict[str, str] = {}
        for first in range(0, TASKS, 100):
            results = []
            for number in range(first, min(first + 100, TASKS)):
                slug = slugs[number % len(slugs)]
                results.append(client.send_task("shop.ok", headers={HEADER: slug}))
                sent[results[-1].id] = slug
            for result in results:
                result.get(timeout=60)
            # Pings that wait are memory. Without this, tasks are faster than the sandbox.
            assert eventually(lambda first=first: hc.answered >= 2 * min(first + 100, TASKS) - 2, 60)  # type: ignore[misc]  # python/mypy#15459
            sizes.append(sum(memory_of(pid) for pid in [worker.pid, *children_of(worker.pid)]))
        shop.stop(worker)

        assert "dropped" not in shop.log
        found = {str(ping.rid): check.slug for check in hc.checks for ping in hc.pings(check)}
        assert found == sent
        pings = Counter((str(ping.rid), ping.type) for check in hc.checks for ping in hc.pings(check))
        assert pings == Counter({(task, kind): 1 for task in sent for kind in ("start", "success")})
        print(f"{TASKS} tasks, kB of the worker: {sizes[:: max(1, len(sizes) // 10)]}")  # noqa: T201 - shown with -s
        if len(sizes) > 40:
            assert sizes[-1] < 1.05 * sizes[len(sizes) // 4]
