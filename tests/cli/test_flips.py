"""Tests of the `flips` command."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from healthchecks_io import CheckCreate

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.conftest import Result
    from conftest import Stub

    from healthchecks_io import Client

    Command = Callable[..., Result]

CHECK = "11111111-2222-4333-8444-555555555555"


def response_body(*flips: tuple[float, int]) -> str:
    """Return a response with flips, each given by its age in hours and whether the check went up."""
    now = datetime.now(timezone.utc)
    return json.dumps(
        {"flips": [{"timestamp": (now - timedelta(hours=hours)).isoformat(), "up": up} for hours, up in flips]}
    )


def test_each_flip_shows_how_long_its_status_lasted(call: Command, stub: Stub) -> None:
    stub.queue_response(body=response_body((1, 1), (3, 0), (24, 1)))

    result = call("flips", CHECK, "--api-url", stub.url)

    lines = result.stdout.splitlines()
    assert lines[0].split() == ["Time", "Status", "Duration"]
    assert [re.split("  +", line)[1:] for line in lines[1:4]] == [["up", "1 h"], ["not up", "2 h"], ["up", "21 h"]]
    assert lines[4:] == ["Uptime: 91.66 % of 1 d"]


def test_the_uptime_covers_the_time_up_to_the_end_option(call: Command, stub: Stub) -> None:
    stub.queue_response(body=response_body((3, 0), (5, 1)))
    end = datetime.now(timezone.utc) - timedelta(hours=1)

    shown = call("flips", CHECK, "--api-url", stub.url, "--end", end.isoformat()).stdout

    assert re.search(r"Uptime: (50\.00|49\.99) % of 4 h$", shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("flips", "options", "uptime"),
    [
        ([(6, 0)], ["--seconds", "24h"], "(75.00|74.99) % of 1 d"),
        ([(3, 1), (6, 0)], ["--seconds", "1d"], "(87.50|87.49) % of 1 d"),
        ([(48, 0)], [], None),
        ([(24, 1), (48, 0)], [], None),
        ([(6, 1)], ["--seconds", "1d"], None),
        ([], ["--seconds", "1d"], None),
        ([(6, 0)], ["--seconds", "365d"], None),
    ],
)
def test_the_uptime_is_shown_only_if_the_status_is_known(
    call: Command, stub: Stub, flips: list[tuple[float, int]], options: list[str], uptime: str | None
) -> None:
    stub.queue_response(body=response_body(*flips))

    shown = call("flips", CHECK, "--api-url", stub.url, *options).stdout

    if uptime is None:
        assert "Uptime" not in shown
    else:
        assert re.search(f"^Uptime: {uptime}$", shown, re.MULTILINE)


def test_durations_are_not_negative_if_the_servers_clock_is_ahead(call: Command, stub: Stub) -> None:
    stub.queue_response(body=response_body((-5, 1)))

    shown = call("flips", CHECK, "--api-url", stub.url).stdout

    assert shown.splitlines()[1].endswith("  up      0.00 s")
    assert "Uptime" not in shown


def test_no_uptime_is_shown_without_flips(call: Command, client: Client) -> None:
    client.create_check(CheckCreate(slug="new"))

    assert call("flips", "new") == (0, "Time  Status  Duration\n", "")


def test_json_contains_all_fields_that_the_api_returned(run: Command, client: Client) -> None:
    check = client.create_check(CheckCreate(slug="backup"))
    client.success_ping(check.uuid)

    (flip,) = json.loads(run("flips", "backup", "--json").stdout)

    assert set(flip) == {"timestamp", "up"}


@pytest.mark.parametrize(
    ("options", "query"),
    [
        (["--seconds", "30d"], "seconds=2592000"),
        (["--start", "1769860800"], "start=1769860800"),
        (["--start", "2026-01-31T12:00:00Z"], "start=1769860800"),
        (["--end", "2026-01-31 13:00:00+01:00"], "end=1769860800"),
    ],
)
def test_flips_can_be_limited_by_time(call: Command, stub: Stub, options: list[str], query: str) -> None:
    stub.queue_response(body=response_body())

    call("flips", CHECK, "--api-url", stub.url, *options)

    assert stub.requests[-1].path.endswith(f"/flips/?{query}")


def test_a_date_is_in_the_local_time_zone(call: Command, stub: Stub) -> None:
    stub.queue_response(body=response_body())

    call("flips", CHECK, "--api-url", stub.url, "--start", "2026-01-31")

    assert stub.requests[-1].path.endswith(f"?start={datetime(2026, 1, 31).astimezone().timestamp():.0f}")


@pytest.mark.parametrize(
    ("option", "value", "problem"),
    [
        ("--seconds", "366d", "it must be from 0 to 31536000"),
        ("--start", "1969-12-30", "it must be from 0 to 10000000000 UNIX seconds"),
        ("--end", "10000000001", "it must be from 0 to 10000000000 UNIX seconds"),
    ],
)
def test_a_time_must_be_in_the_range_of_the_library(call: Command, option: str, value: str, problem: str) -> None:
    result = call("flips", CHECK, option, value)

    assert result.status == 2
    assert f"Invalid value for '{option}': {problem}" in result.stderr


@pytest.mark.parametrize("text", ["yesterday", "9" * 30])
def test_an_invalid_time_is_an_error(call: Command, text: str) -> None:
    result = call("flips", CHECK, "--start", text)

    assert result.status == 2
    assert (
        f"Invalid value for '--start': '{text}' is not a valid time: use a form such as 2026-01-31, " in result.stderr
    )
