"""Run jobs against a sandbox for 60 days, and compare its reports with a record of all runs."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from healthchecks_io import CheckCreate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from conftest import Api

    from healthchecks_io import Report
    from healthchecks_io.sandbox import Sandbox

pytestmark = pytest.mark.server("2.5")

DAYS = 60
DAY, HOUR, MINUTE = 86_400.0, 3600.0, 60.0
GRACE = 2 * HOUR
PING_LIMIT = 100
"""How many pings the sandbox keeps."""

# Requests take time, and servers send times in whole seconds. All that happens here takes at least ten minutes.
TOLERANCE = 5 * MINUTE


class Event(NamedTuple):
    time: float
    method: str
    rid: str | None = None


@dataclass
class Job:
    """A job that runs every day, and what it did."""

    name: str
    events: list[Event] = field(default_factory=list)
    downtimes: list[tuple[float, float | None]] = field(default_factory=list)
    """In seconds since the beginning."""
    runs: list[tuple[float, bool, float | None]] = field(default_factory=list)
    """The end of each run, whether it failed, and its duration."""
    uuid: str | None = None
    last_success: float = 0.0
    failed_at: float | None = None

    def run(self, start: float, duration: float, ending: str = "success_ping") -> None:
        """Run, and say so."""
        self.events.append(Event(start, "start_ping"))
        self.end(start, duration, ending)

    def end(self, start: float, duration: float | None, ending: str = "success_ping", rid: str | None = None) -> None:
        end = start + (duration or 0.0)
        self.events.append(Event(end, ending, rid))
        self.runs.append((end, ending == "fail_ping", duration))
        down_since = self.down_since(end)
        if ending == "fail_ping":
            self.failed_at = end if down_since is None else down_since
            return
        if down_since is not None:
            self.downtimes.append((down_since, end))
        self.failed_at, self.last_success = None, end

    def down_since(self, now: float) -> float | None:
        """Return since when it is down because it failed, or did not run for more than a day and the grace time."""
        if self.failed_at is not None:
            return self.failed_at
        overdue = self.last_success + DAY + GRACE
        return overdue if overdue < now else None


def reliable(chance: random.Random) -> Job:
    """A job that always runs on time. Log pings in between change nothing."""
    job = Job("reliable")
    for day in range(DAYS):
        start, duration = day * DAY, chance.uniform(10 * MINUTE, 50 * MINUTE)
        if day:
            job.events.append(Event(start, "start_ping"))
            job.events.append(Event(start + duration / 2, "log_ping"))
        job.end(start, duration if day else None)
    return job


def failing(chance: random.Random) -> Job:
    """A job that fails now and then, is repeated hours later, and may fail again."""
    job = Job("failing")
    job.end(0.0, None)
    for day in range(1, DAYS):
        start = day * DAY
        while chance.random() < 0.3:
            job.run(start, chance.uniform(10 * MINUTE, 30 * MINUTE), "fail_ping")
            start += 3 * HOUR
        job.run(start, chance.uniform(10 * MINUTE, 50 * MINUTE))
    return job


def late(chance: random.Random) -> Job:
    """A job that runs late, or not at all, and is late in the end."""
    job = Job("late")
    job.end(0.0, None)
    for day in range(1, DAYS - 1):
        delay = chance.choice([0.0, 0.0, HOUR, 5 * HOUR, 9 * HOUR, None])
        if delay is not None:
            job.run(day * DAY + delay, chance.uniform(10 * MINUTE, 20 * MINUTE))
    return job


def hanging(chance: random.Random) -> Job:
    """A job that starts and never ends, every sixth day: it goes down when the grace time after the start is over."""
    job = Job("hanging")
    job.end(0.0, None)
    for day in range(1, DAYS):
        if day % 6 == 3:
            job.events.append(Event(day * DAY, "start_ping"))
            job.failed_at = day * DAY + GRACE
        else:
            # The start that had no end belongs to no other run: this one has a start of its own.
            job.run(day * DAY, chance.uniform(10 * MINUTE, 40 * MINUTE))
    return job


def overlapping(chance: random.Random) -> Job:
    """A job with overlapping runs, which have different run IDs."""
    job = Job("overlapping")
    job.end(0.0, None)
    for day in range(1, DAYS):
        starts = [day * DAY, day * DAY + 10 * MINUTE]
        ends = [
            starts[0] + chance.uniform(30 * MINUTE, 60 * MINUTE),
            starts[1] + chance.uniform(10 * MINUTE, 80 * MINUTE),
        ]
        rids = [str(uuid.UUID(int=2 * day)), str(uuid.UUID(int=2 * day + 1))]
        job.events += [Event(start, "start_ping", rid) for start, rid in zip(starts, rids, strict=True)]
        for end, start, rid in sorted(zip(ends, starts, rids, strict=True)):
            job.end(start, end - start, rid=rid)
    return job


JOBS = (reliable, failing, late, hanging, overlapping)


def carry_out(api: Api, hc: Sandbox, jobs: list[Job]) -> datetime:
    """Do what the jobs do, and return when it began."""
    began = hc.now
    for job in jobs:
        job.uuid = api.create_check(CheckCreate(name=job.name, timeout=int(DAY), grace=int(GRACE))).uuid

    def wait_until(time: float) -> None:
        hc.advance(seconds=max(time - (hc.now - began).total_seconds(), 0.0))

    events = [(event, job.uuid) for job in jobs for event in job.events]
    for event, check_id in sorted(events, key=lambda each: each[0].time):
        wait_until(event.time)
        assert getattr(api, event.method)(check_id, rid=event.rid).success
    wait_until(DAYS * DAY)
    return began


def kept_events(job: Job) -> list[Event]:
    return sorted(job.events, key=lambda event: event.time)[-PING_LIMIT:]


def expected_downtimes(job: Job, since: float) -> Iterator[tuple[float, float | None]]:
    down_since = job.down_since(DAYS * DAY)
    for start, end in [*job.downtimes, *([] if down_since is None else [(down_since, None)])]:
        if end is None or end > since:
            yield max(start, since), end


def expected_durations(job: Job, since: float) -> list[float]:
    """Return the durations of successful runs whose pings the server has kept."""
    pings = kept_events(job)
    return [
        duration
        for end, has_failed, duration in job.runs
        if not has_failed and duration is not None and end >= since and end - duration >= pings[0].time - 1
    ]


def check_report(report: Report, job: Job, began: datetime, days: int) -> None:
    """Compare a report with what the job did."""
    since = (DAYS - days) * DAY

    def near(time: float | None) -> Any:
        return pytest.approx(time, abs=TOLERANCE)

    def seconds(time: datetime | None) -> float | None:
        return None if time is None else (time - began).total_seconds()

    downtimes = list(expected_downtimes(job, since))
    assert len(report.downtimes) == len(downtimes)
    for (start, end), (expected_start, expected_end) in zip(report.downtimes, downtimes, strict=True):
        assert seconds(start) == near(expected_start)
        assert seconds(end) == (None if expected_end is None else near(expected_end))

    down = sum((DAYS * DAY if end is None else end) - start for start, end in downtimes)
    assert report.seconds("down") == pytest.approx(down, abs=TOLERANCE * (1 + len(downtimes)))
    assert report.uptime == pytest.approx(1 - down / (days * DAY), abs=0.01)
    assert report.seconds("unknown") < TOLERANCE

    now_down = job.down_since(DAYS * DAY)
    assert seconds(report.down_since) == (None if now_down is None else near(now_down))

    kept = kept_events(job)
    runs = [run for run in job.runs if run[0] >= max(since, kept[0].time)]
    assert report.runs == len(runs)
    assert report.failures == sum(has_failed for _, has_failed, _ in runs)
    assert seconds(report.runs_since) == near(kept[0].time)
    assert report.durations is not None
    assert list(report.durations.values) == pytest.approx(expected_durations(job, since), abs=TOLERANCE)
    has_dropped = len(job.events) > PING_LIMIT and kept[0].time > since
    assert any("no pings before" in note for note in report.notes) == has_dropped


@pytest.mark.parametrize("days", [7, 30, DAYS])
def test_a_report_agrees_with_the_list_of_what_was_done(api: Api, hc: Sandbox, days: int) -> None:
    chance = random.Random(f"{days}")
    jobs = [make(chance) for make in JOBS]
    began = carry_out(api, hc, jobs)

    reports = {report.check.name: report for report in api.get_reports(days)}

    assert reports.keys() == {job.name for job in jobs}
    for job in jobs:
        check_report(reports[job.name], job, began, days)
        check_report(api.get_report(job.uuid, days), job, began, days)
