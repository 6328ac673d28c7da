"""monitor_beat in one process: with the in-memory broker, and what is wrong before anything runs."""

from __future__ import annotations

import logging
import os
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

pytest.importorskip("celery", reason="needs Celery, which only the nox session celery installs")

import celery
from celery import signals
from celery.beat import Scheduler, Service
from celery.contrib.testing.worker import start_worker
from celery.schedules import crontab, schedule, solar
from processes import eventually

from healthchecks_io import BadAPIRequestError, Client
from healthchecks_io.client import logger
from healthchecks_io.contrib.celery import monitor_beat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healthchecks_io.sandbox import Sandbox


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Disconnect what a test has connected, and forget warnings."""
    monkeypatch.setattr(logger, "_warnings", set())
    caplog.set_level(logging.WARNING, "healthchecks_io")
    every = [each for each in vars(signals).values() if hasattr(each, "receivers")]
    before = [list(each.receivers or ()) for each in every]
    level, handlers = logging.root.level, list(logging.root.handlers)
    yield
    # A worker sets the level of the root logger to ERROR.
    logging.root.setLevel(level)
    logging.root.handlers[:] = handlers
    for each, receivers in zip(every, before, strict=True):
        each.receivers = receivers


@pytest.fixture
def hc(healthchecks_environ: Sandbox) -> Sandbox:
    """An empty sandbox, which the environment names."""
    return healthchecks_environ


def flush() -> None:
    """Wait until all pings are sent, as a worker does that shuts down."""
    signals.worker_shutdown.send(sender=None)


@pytest.fixture
def app() -> Any:
    app = celery.Celery("shop", broker="memory://", backend="cache+memory://", set_as_current=False)
    # In-memory queues outlive an app.
    app.conf.update(task_default_queue=uuid4().hex, worker_hijack_root_logger=False)
    app.conf.broker_transport_options = {"polling_interval": 0.01}

    @app.task(name="order", shared=False)
    def order() -> int:
        return 1

    @app.task(name="fail", shared=False)
    def fail() -> None:
        raise ValueError("no stock")

    return app


def entry(every: Any = 3600.0, task: str = "order") -> dict[str, Any]:
    return {"task": task, "schedule": every}


class Beat:
    """A beat process that sends tasks only on request."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.service = Service(app, scheduler_cls=Scheduler)
        self.scheduler = self.service.scheduler
        signals.beat_init.send(sender=self.service)

    def add(self, name: str) -> None:
        """Add an entry, as schedulers do whose schedule is kept in a database."""
        schedule = self.scheduler.schedule
        schedule[name] = self.scheduler.Entry(name=name, task="order", schedule=timedelta(hours=1), app=self._app)

    def send(self, name: str) -> Any:
        entry = self.scheduler.schedule[name]
        return self.scheduler.apply_async(entry, advance=False)


@pytest.fixture
def start_beat(app: Any) -> Callable[[], Beat]:
    return lambda: Beat(app)


def types_of(hc: Sandbox, slug: str) -> list[str]:
    """Return the types of the pings of a check, the first ping first. Empty if there is no check."""
    return [ping.type for ping in reversed(hc.pings(slug))] if slug in slugs_of(hc) else []


def slugs_of(hc: Sandbox) -> set[str | None]:
    return {check.slug for check in hc.checks}


def test_beat_creates_a_check_for_each_entry(hc: Sandbox, app: Any, start_beat: Callable[[], Beat]) -> None:
    app.conf.beat_schedule = {"hourly": entry(), "Send Mail!": entry(crontab(minute=0, hour=3))}
    monitor_beat(app, prefix="shop-", grace="10m")

    start_beat()

    assert eventually(lambda: slugs_of(hc) == {"shop-hourly", "shop-send-mail"})
    hourly, mail = sorted(hc.checks, key=lambda check: check.slug or "")
    assert (hourly.name, hourly.timeout, hourly.grace) == ("hourly", 3600, 600)
    assert (mail.name, mail.schedule, mail.tz) == ("Send Mail!", "0 3 * * *", "UTC")


def test_the_client_can_be_passed(hc: Sandbox, app: Any, start_beat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in hc.environ:
        monkeypatch.delenv(name)
    app.conf.beat_schedule = {"hourly": entry()}
    monitor_beat(app, hc.client(api_version=3))

    start_beat()

    assert eventually(lambda: slugs_of(hc) == {"hourly"})


def test_an_entry_that_is_added_later_gets_a_check_too(hc: Sandbox, app: Any, start_beat: Callable[[], Beat]) -> None:
    app.conf.beat_schedule = {"hourly": entry()}
    monitor_beat(app)
    beat = start_beat()
    beat.add("later")

    beat.send("later")

    assert eventually(lambda: slugs_of(hc) == {"hourly", "later"})


def test_a_worker_reports_what_beat_has_sent(hc: Sandbox, app: Any, start_beat: Callable[[], Beat]) -> None:
    app.conf.beat_schedule = {"hourly": entry(), "failing": entry(task="fail")}
    monitor_beat(app)
    beat = start_beat()

    with start_worker(app, perform_ping_check=False):
        beat.send("hourly")
        beat.send("failing")
        app.tasks["order"].delay().get(timeout=10)
        assert eventually(lambda: all(len(types_of(hc, slug)) == 2 for slug in ("hourly", "failing")))

    assert [ping.type for ping in hc.pings("hourly")] == ["success", "start"]
    fail, start = hc.pings("failing")
    assert (fail.type, start.type) == ("fail", "start")
    assert fail.rid == start.rid
    assert b"ValueError: no stock" in fail.body


def test_eager_tasks_are_not_reported(hc: Sandbox, app: Any, start_beat: Callable[[], Beat]) -> None:
    app.conf.update(task_always_eager=True, beat_schedule={"hourly": entry()})
    monitor_beat(app)
    beat = start_beat()

    result = beat.send("hourly")

    assert result.get() == 1
    flush()
    assert [hc.pings(check) for check in hc.checks] == [[]]


def test_a_revoked_task_is_a_fail_with_the_reason(hc: Sandbox, app: Any) -> None:
    from celery.worker import state

    monitor_beat(app)
    state.revoked.add("a task")

    with start_worker(app, perform_ping_check=False):
        app.send_task("order", task_id="a task", headers={"healthchecks_io_slug": "hourly"})
        assert eventually(lambda: types_of(hc, "hourly") == ["fail"])

    assert hc.pings("hourly")[0].body == b"the task was not completed: it was revoked"


def test_tasks_of_celery_itself_are_not_monitored(hc: Sandbox, app: Any, start_beat: Callable[[], Beat]) -> None:
    app.conf.beat_schedule = {"hourly": entry(), "cleanup": entry(task="celery.backend_cleanup")}
    monitor_beat(app)
    beat = start_beat()

    beat.send("cleanup")

    flush()
    assert slugs_of(hc) == {"hourly"}


def test_connecting_twice_reports_once(hc: Sandbox, app: Any, start_beat: Callable[[], Beat]) -> None:
    app.conf.beat_schedule = {"hourly": entry()}
    monitor_beat(app)
    monitor_beat(app)
    beat = start_beat()

    with start_worker(app, perform_ping_check=False):
        beat.send("hourly")
        assert eventually(lambda: types_of(hc, "hourly") == ["start", "success"])
        flush()

    assert len(hc.pings("hourly")) == 2


def test_tasks_of_another_app_are_not_reported(hc: Sandbox, app: Any, start_beat: Callable[[], Beat]) -> None:
    app.conf.beat_schedule = {"hourly": entry()}
    monitor_beat(celery.Celery("other", set_as_current=False))

    with start_worker(app, perform_ping_check=False):
        app.send_task("order", headers={"healthchecks_io_slug": "hourly"}).get(timeout=10)
        flush()

    assert hc.checks == []


def test_a_header_that_is_no_slug_is_ignored(hc: Sandbox, app: Any) -> None:
    monitor_beat(app)

    with start_worker(app, perform_ping_check=False):
        for slug in ("../x", "A b", "", "x" * 101, 1, ["x"]):
            app.send_task("order", headers={"healthchecks_io_slug": slug}).get(timeout=10)
        flush()

    assert hc.checks == []


def test_disabled_monitoring_sends_nothing(
    hc: Sandbox, app: Any, start_beat: Callable[[], Beat], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTHCHECKS_DISABLED", "1")
    app.conf.beat_schedule = {"hourly": entry()}
    monitor_beat(app)
    beat = start_beat()

    with start_worker(app, perform_ping_check=False):
        assert beat.send("hourly").get(timeout=10) == 1

    assert hc.checks == []


def test_a_solar_schedule_is_skipped_with_a_warning(
    hc: Sandbox, app: Any, start_beat: Callable[[], Beat], caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("ephem", reason="needs ephem, which only the nox session celery installs")
    app.conf.beat_schedule = {"hourly": entry(), "dusk": entry(solar("sunset", 56.9, 24.1, app=app))}
    monitor_beat(app)

    beat = start_beat()
    beat.send("dusk")

    assert eventually(lambda: slugs_of(hc) == {"hourly"})
    assert [record.message for record in caplog.records if "dusk" in record.message] == [
        "The periodic task 'dusk' is not monitored: it has a solar schedule, which varies from day to day"
    ]


class Tides(schedule):
    """A schedule of somebody else's that has no period."""

    @property
    def seconds(self) -> float:
        raise NotImplementedError


def test_an_odd_entry_does_not_keep_the_others_from_being_monitored(
    hc: Sandbox, app: Any, start_beat: Callable[[], Beat], caplog: pytest.LogCaptureFixture
) -> None:
    app.conf.beat_schedule = {
        1: entry(),
        "no task": {"schedule": 60.0},
        "tides": entry(Tides(60.0)),
        "hourly": entry(),
    }
    monitor_beat(app)

    beat = start_beat()
    beat.send("hourly")

    assert eventually(lambda: slugs_of(hc) == {"1", "no-task", "hourly"})
    ignored = [message.partition(":")[0] for message in caplog.messages if "is not monitored" in message]
    assert ignored == ["The periodic task 'tides' is not monitored"]


def test_a_period_of_more_than_a_year_has_no_schedule_and_a_warning(
    hc: Sandbox, app: Any, start_beat: Callable[[], Beat], caplog: pytest.LogCaptureFixture
) -> None:
    app.conf.beat_schedule = {"rare": entry(400 * 86400.0)}
    monitor_beat(app)

    start_beat()

    assert eventually(lambda: slugs_of(hc) == {"rare"})
    assert (
        caplog.messages.count("The check of the periodic task 'rare' has no schedule: its period is longer than a year")
        == 1
    )


def test_a_ping_key_alone_reports_runs_and_warns(
    hc: Sandbox,
    app: Any,
    start_beat: Callable[[], Beat],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.delenv("HEALTHCHECKS_API_KEY")
    app.conf.beat_schedule = {"hourly": entry()}
    monitor_beat(app)
    beat = start_beat()

    with start_worker(app, perform_ping_check=False):
        beat.send("hourly")
        assert eventually(lambda: types_of(hc, "hourly") == ["start", "success"])

    assert "setting them requires HEALTHCHECKS_API_KEY" in caplog.text


# Bad input.


def test_two_entries_with_one_slug_of_a_configured_app_are_an_error(app: Any) -> None:
    app.conf.beat_schedule = {"a b": entry(), "a-b": entry()}
    assert app.conf.beat_schedule  # Configures the app.

    with pytest.raises(ValueError, match="'a b' and 'a-b' of the beat schedule have the same slug 'a-b': rename one"):
        monitor_beat(app)


def test_two_entries_with_one_slug_that_come_later_are_logged_and_not_monitored(
    hc: Sandbox, app: Any, start_beat: Callable[[], Beat], caplog: pytest.LogCaptureFixture
) -> None:
    monitor_beat(app)
    app.conf.beat_schedule = {"a b": entry(), "a-b": entry(), "other": entry()}

    beat = start_beat()
    beat.send("a b")

    assert eventually(lambda: slugs_of(hc) == {"other"})
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert "have the same slug a-b: " in record.message


def test_an_entry_added_later_with_the_slug_of_another_is_not_monitored(
    hc: Sandbox, app: Any, start_beat: Callable[[], Beat], caplog: pytest.LogCaptureFixture
) -> None:
    app.conf.beat_schedule = {"a-b": entry()}
    monitor_beat(app)
    beat = start_beat()
    beat.add("a b")

    with start_worker(app, perform_ping_check=False):
        beat.send("a b").get(timeout=10)
        flush()

    assert hc.pings("a-b") == []
    assert "because 'a-b' has the same slug a-b: a b" in caplog.text


def test_a_name_without_letters_is_not_monitored(
    hc: Sandbox, app: Any, start_beat: Callable[[], Beat], caplog: pytest.LogCaptureFixture
) -> None:
    app.conf.beat_schedule = {"!": entry(), "other": entry()}
    monitor_beat(app)

    start_beat()

    assert eventually(lambda: slugs_of(hc) == {"other"})
    assert "The periodic task '!' is not monitored: " in caplog.text


def test_an_app_without_a_beat_schedule_is_warned_of(
    hc: Sandbox, app: Any, start_beat: Callable[[], Beat], caplog: pytest.LogCaptureFixture
) -> None:
    monitor_beat(app)

    start_beat()

    assert "The beat schedule has no tasks, so nothing is monitored yet" in caplog.messages


@pytest.mark.parametrize("grace", ["soon", 1, -60])
def test_an_invalid_grace_time_is_an_error(app: Any, grace: Any) -> None:
    with pytest.raises(BadAPIRequestError, match="grace"):
        monitor_beat(app, grace=grace)


def test_a_service_that_is_down_does_not_keep_beat_from_sending(
    app: Any, start_beat: Callable[[], Beat], caplog: pytest.LogCaptureFixture
) -> None:
    url = "http://127.0.0.1:9/"
    app.conf.beat_schedule = {"hourly": entry()}
    with Client("key", "ping-key", api_url=url, ping_url=url, retries=0, timeout=1) as client:
        monitor_beat(app, client)
        beat = start_beat()
        with start_worker(app, perform_ping_check=False):
            assert beat.send("hourly").get(timeout=10) == 1
            assert eventually(lambda: "could not be" in caplog.text)

    assert "ping-key" not in caplog.text


def test_the_queue_is_bounded(silent_server: str, fresh_python: Callable[[str], str]) -> None:
    """In a process of its own, because the thread goes on with the pings that are left."""
    code = f"""
import logging, sys, time
from healthchecks_io import Client
from healthchecks_io.contrib.background import MAX_WAITING, Background, send_start

logging.basicConfig(stream=sys.stdout, format="%(message)s")
background = Background(Client(ping_key="key", ping_url="{silent_server}/ping/", retries=0, timeout=2))
for number in range(MAX_WAITING + 100):
    background.put(send_start, f"task-{{number}}", "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278", time.monotonic())
began = time.monotonic()
background.flush()
print(time.monotonic() - began < 10)
"""

    lines = fresh_python(code).splitlines()

    assert lines.count("Pings of tasks are dropped: 1000 are already waiting to be sent") == 1
    assert "True" in lines


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_has_a_thread_of_its_own(hc: Sandbox, fresh_python: Callable[[str], str]) -> None:
    code = f"""
import os, time
from healthchecks_io import Client
from healthchecks_io.contrib.background import Background, send_start

background = Background(Client(ping_key="{hc.ping_key}", ping_url="{hc.ping_url}", timeout=2))
background.put(send_start, "parent", "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278", time.monotonic())
background.flush()
child = os.fork()
if not child:
    background.put(send_start, "child", "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278", time.monotonic())
    background.flush()
    os._exit(0)
os.waitpid(child, 0)
""".replace("import os, time", "import os, time, warnings\nwarnings.simplefilter('ignore')", 1)

    fresh_python(code)

    assert slugs_of(hc) == {"parent", "child"}


def test_pings_that_work_again_are_logged(hc: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    from healthchecks_io.contrib.background import Background, send_start

    rid = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"
    background = Background(hc.client(retries=0))
    hc.fail_next(500, times=2)
    for _ in range(3):
        background.put(send_start, "hourly", rid, time.monotonic())
    background.flush()

    assert len(caplog.messages) == 2
    assert caplog.messages[0].endswith("(further failures are not logged until pings work again)")
    assert caplog.messages[1] == "Pings of tasks work again"
    assert len(hc.pings("hourly")) == 1


def test_a_start_ping_that_waited_for_longer_than_the_timeout_is_not_sent(hc: Sandbox) -> None:
    from healthchecks_io.contrib.background import Background, send_end, send_start
    from healthchecks_io.trap.outcome import SUCCESS

    rid = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"
    background = Background(hc.client(timeout=5))
    background.put(send_start, "hourly", rid, time.monotonic() - 6)
    background.put(send_end, "hourly", rid, SUCCESS)
    background.flush()

    assert types_of(hc, "hourly") == ["success"]
