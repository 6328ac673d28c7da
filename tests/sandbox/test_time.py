"""Tests of the sandbox's clock, and of statuses that change as time passes."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from healthchecks_io.sandbox import Sandbox

    Api = Callable[..., Any]
    Ping = Callable[..., httpx.Response]


def move_clock_to(hc: Sandbox, *when: int) -> None:
    """Advance the clock to a time in UTC."""
    hc.advance(seconds=(datetime(*when, tzinfo=timezone.utc) - hc.now).total_seconds())  # type: ignore[misc, arg-type]  # year, month, ...


def test_clock_starts_at_the_real_time(hc: Sandbox) -> None:
    assert abs(hc.now - datetime.now(timezone.utc)) < timedelta(seconds=1)


def test_advance_moves_the_clock(hc: Sandbox) -> None:
    hc.advance(days=2, hours=3, seconds=0.5)
    expected = datetime.now(timezone.utc) + timedelta(days=2, hours=3, seconds=0.5)
    assert abs(hc.now - expected) < timedelta(seconds=1)


def test_advances_add_up(hc: Sandbox) -> None:
    hc.advance(weeks=1)
    hc.advance(minutes=1)
    assert abs(hc.now - datetime.now(timezone.utc) - timedelta(weeks=1, minutes=1)) < timedelta(seconds=1)


def test_clock_cannot_move_backwards(hc: Sandbox) -> None:
    with pytest.raises(ValueError, match="only moves forward"):
        hc.advance(hours=1, minutes=-61)


@pytest.mark.parametrize("days", [3_000_000, 1e300, float("nan"), float("inf")])
def test_clock_cannot_move_beyond_its_maximum(hc: Sandbox, days: float) -> None:
    with pytest.raises(ValueError, match="clock"):
        hc.advance(days=days)


@pytest.mark.parametrize("options", [{}, {"status": 503}, {"delay": 0.01}])
def test_date_header_has_the_time_of_the_sandbox_clock(
    hc: Sandbox, http: httpx.Client, options: dict[str, Any]
) -> None:
    hc.advance(days=400)
    if options:
        hc.fail_next(**options)
    date = parsedate_to_datetime(http.get(f"{hc.api_url}v3/status/").headers["Date"])
    # The header has whole seconds.
    assert abs(hc.now - date) < timedelta(seconds=2)


def test_fault_can_set_the_date_header(hc: Sandbox, http: httpx.Client) -> None:
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    hc.fail_next(headers={"Date": date})
    assert http.get(f"{hc.api_url}v3/status/").headers.get_list("Date") == [date]


def test_pings_have_the_time_of_the_sandbox_clock(hc: Sandbox, api: Api, ping: Ping) -> None:
    uuid = api("checks/", json={})["uuid"]
    hc.advance(days=400)
    ping(uuid)
    assert abs(hc.pings(uuid)[0].date - hc.now) < timedelta(seconds=1)


def test_overdue_check_is_late_and_then_down(hc: Sandbox, api: Api, ping: Ping) -> None:
    uuid = api("checks/", json={"timeout": 3600, "grace": 600})["uuid"]
    ping(uuid)
    statuses: list[str] = []
    for minutes in (59, 2, 10):
        hc.advance(minutes=minutes)
        statuses.append(api(f"checks/{uuid}")["status"])
    assert statuses == ["up", "grace", "down"]


def test_down_flip_is_dated_at_the_end_of_the_grace_time(hc: Sandbox, api: Api, ping: Ping) -> None:
    uuid = api("checks/", json={"timeout": 3600, "grace": 600})["uuid"]
    ping(uuid)
    hc.advance(days=3)
    down, up = api(f"checks/{uuid}/flips/")["flips"]
    assert (up["up"], down["up"]) == (1, 0)
    minutes_up = datetime.fromisoformat(down["timestamp"]) - datetime.fromisoformat(up["timestamp"])
    assert minutes_up == timedelta(minutes=70)


def test_check_that_is_down_has_no_next_ping(hc: Sandbox, api: Api, ping: Ping) -> None:
    uuid = api("checks/", json={"timeout": 60, "grace": 60})["uuid"]
    ping(uuid)
    hc.advance(minutes=3)
    assert api(f"checks/{uuid}")["next_ping"] is None


def test_ping_brings_a_check_up_again(hc: Sandbox, api: Api, ping: Ping) -> None:
    uuid = api("checks/", json={"timeout": 60, "grace": 60})["uuid"]
    ping(uuid)
    hc.advance(minutes=3)
    ping(uuid)
    assert api(f"checks/{uuid}")["status"] == "up"
    assert [flip["up"] for flip in api(f"checks/{uuid}/flips/")["flips"]] == [1, 0, 1]


@pytest.mark.parametrize("version", [1, 2, 3])
def test_check_goes_down_if_a_run_takes_longer_than_the_grace_time(
    hc: Sandbox, api: Api, ping: Ping, version: int
) -> None:
    uuid = api("checks/", json={"grace": 600})["uuid"]
    ping(f"{uuid}/start")
    assert api(f"checks/{uuid}", version)["status"] == ("started" if version == 1 else "new")
    hc.advance(minutes=10)
    check = api(f"checks/{uuid}", version)
    assert (check["status"], check["started"]) == ("down", True)


def test_shorter_timeout_takes_effect_immediately(hc: Sandbox, api: Api, ping: Ping) -> None:
    uuid = api("checks/", json={"timeout": 86400, "grace": 60})["uuid"]
    ping(uuid)
    hc.advance(hours=2)
    assert api(f"checks/{uuid}", json={"timeout": 3600})["status"] == "down"


def test_paused_check_stays_paused(hc: Sandbox, api: Api, ping: Ping) -> None:
    uuid = api("checks/", json={"timeout": 60, "grace": 60})["uuid"]
    ping(uuid)
    api(f"checks/{uuid}/pause", json={})
    hc.advance(days=1)
    assert api(f"checks/{uuid}")["status"] == "paused"


@pytest.mark.parametrize(
    ("pinged_at", "schedule", "next_ping"),
    [
        ((2086, 3, 30, 12, 0), "30 2 * * *", "2086-03-31T01:00:00+00:00"),
        ((2086, 3, 30, 12, 0), "0 9 * * *", "2086-03-31T07:00:00+00:00"),
        ((2086, 10, 26, 12, 0), "0 9 * * *", "2086-10-27T08:00:00+00:00"),
        ((2086, 10, 27, 0, 20), "30 2 * * *", "2086-10-27T00:30:00+00:00"),
        ((2086, 10, 27, 0, 40), "*/15 * * * *", "2086-10-27T00:45:00+00:00"),
        ((2086, 3, 30, 12, 0), "*-*-* 09:00", "2086-03-31T07:00:00+00:00"),
        ((2086, 3, 30, 12, 0), "*-*-* 09:00 UTC", "2086-03-31T09:00:00+00:00"),
        ((2086, 2, 1, 12, 0), "0 9 LW * *", "2086-02-28T08:00:00+00:00"),
        ((2086, 2, 1, 12, 0), "2087-01-01\n2088-01-01", "2086-12-31T23:00:00+00:00"),
        ((2086, 2, 1, 12, 0), "2020-01-01", None),
    ],
)
def test_schedules_use_their_time_zone(
    hc: Sandbox, api: Api, ping: Ping, pinged_at: tuple[int, ...], schedule: str, next_ping: str | None
) -> None:
    uuid = api("checks/", json={"schedule": schedule, "tz": "Europe/Berlin"})["uuid"]
    move_clock_to(hc, *pinged_at)
    ping(uuid)
    assert api(f"checks/{uuid}")["next_ping"] == next_ping


def test_check_without_further_runs_stays_up(hc: Sandbox, api: Api, ping: Ping) -> None:
    uuid = api("checks/", json={"schedule": "2020-01-01"})["uuid"]
    ping(uuid)
    hc.advance(days=4000)
    assert api(f"checks/{uuid}")["status"] == "up"


def test_new_schedule_takes_effect_immediately(hc: Sandbox, api: Api, ping: Ping) -> None:
    uuid = api("checks/", json={"schedule": "0 0 1 1 *"})["uuid"]
    move_clock_to(hc, 2086, 6, 1, 12, 0)
    ping(uuid)
    check = api(f"checks/{uuid}", json={"schedule": "0 18 * * *", "tz": "Asia/Tokyo"})
    assert check["next_ping"] == "2086-06-02T09:00:00+00:00"
