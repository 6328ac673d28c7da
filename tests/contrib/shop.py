"""A Celery app whose tasks end in every way. Workers and beat run it in processes of their own."""

from __future__ import annotations

import os
import time
from typing import Any

from celery import Celery
from celery.exceptions import Ignore, Reject
from celery.schedules import crontab

from healthchecks_io.contrib.celery import monitor_beat

BROKER = os.environ["BROKER"]
REVOKED_ID = "a task that the test has revoked"

app = Celery("shop", broker=BROKER, backend=BROKER)
app.conf.update(timezone="Europe/Riga", broker_connection_retry_on_startup=True, worker_prefetch_multiplier=1)


@app.task
def ok(seconds: float = 0) -> int:
    time.sleep(seconds)
    return 1


@app.task
def bad() -> None:
    raise ValueError("no stock")


@app.task(bind=True, max_retries=2)
def again(self: Any) -> None:
    if self.request.retries < 1:
        raise self.retry(countdown=1)


@app.task
def ignored() -> None:
    raise Ignore("not today")


@app.task
def rejected() -> None:
    raise Reject("no longer", requeue=False)


@app.task(time_limit=1)
def slow() -> None:
    time.sleep(60)


@app.task(soft_time_limit=1)
def soft() -> None:
    time.sleep(60)


@app.task(bind=True)
def terminated(self: Any) -> None:
    time.sleep(0.5)  # Its start is reported by a process that is about to end.
    app.control.revoke(self.request.id, terminate=True)
    time.sleep(60)


TASKS = os.environ["TASKS"].split(",")
"""The tasks of the beat schedule, and what must not run there."""
app.conf.beat_schedule = {
    name: entry
    for name, entry in {
        **{
            name: {"task": f"shop.{name}", "schedule": 1.5}
            for name in ("ok", "bad", "again", "ignored", "rejected", "slow", "soft", "terminated")
        },
        "expired": {"task": "shop.ok", "schedule": 1.5, "options": {"countdown": 0.6, "expires": 0.3}},
        "revoked": {"task": "shop.ok", "schedule": 1.5, "options": {"countdown": 0.3, "task_id": REVOKED_ID}},
        "direct": {"task": "shop.ok", "schedule": 86400},
        "nightly": {"task": "shop.ok", "schedule": crontab(hour="3", minute="30", day_of_week="mon-fri")},
    }.items()
    if name in TASKS
}


@app.on_after_finalize.connect
def add_more(sender: Celery, **_: object) -> None:
    if "later" in TASKS:
        sender.add_periodic_task(1.5, ok.s(), name="later")


monitor_beat(app, prefix="shop-", grace="10m")
