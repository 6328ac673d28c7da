"""The command for the flips of a check."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from healthchecks_io import CheckCreate

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.conftest import Done
    from conftest import Stub

    from healthchecks_io import Client

    Command = Callable[..., Done]

CHECK = "11111111-2222-4333-8444-555555555555"


def answer(*flips: tuple[float, int]) -> str:
    """The flips that happened so many hours ago, to up or not."""
    now = datetime.now(timezone.utc)
    return json.dumps(
        {"flips": [{"timestamp": (now - timedelta(hours=hours)).isoformat(), "up": up} for hours, up in flips]}
    )


def test_each_flip_tells_how_long_its_state_lasted(call: Command, stub: Stub) -> None:
    stub.queue_response(body=answer((1, 1), (3, 0), (24, 1)))

    done = call("flips", CHECK, "--api-url", stub.url)

    lines = done.stdout.splitlines()
    assert lines[0].split() == ["Time", "State", "Lasted"]
    assert [re.split("  +", line)[1:] for line in lines[1:4]] == [["up", "1 h"], ["not up", "2 h"], ["up", "21 h"]]
    assert lines[4:] == ["Uptime: 91.66 % of 1 d"]


def test_the_uptime_ends_where_the_time_asked_for_ends(call: Command, stub: Stub) -> None:
    stub.queue_response(body=answer((3, 0), (5, 1)))
    end = datetime.now(timezone.utc) - timedelta(hours=1)

    shown = call("flips", CHECK, "--api-url", stub.url, "--end", end.isoformat()).stdout

    assert re.search(r"Uptime: (50\.00|49\.99) % of 4 h$", shown, re.MULTILINE)


def test_a_clock_that_is_ahead_makes_no_negative_times(call: Command, stub: Stub) -> None:
    stub.queue_response(body=answer((-5, 1)))

    shown = call("flips", CHECK, "--api-url", stub.url).stdout

    assert shown.splitlines()[1].endswith("  up     0.00 s")
    assert "Uptime" not in shown


def test_a_check_without_flips_has_no_uptime(call: Command, client: Client) -> None:
    client.create_check(CheckCreate(slug="new"))

    assert call("flips", "new") == (0, "Time  State  Lasted\n", "")


def test_json_has_every_field_that_the_api_gave(run: Command, client: Client) -> None:
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
def test_the_time_can_be_limited(call: Command, stub: Stub, options: list[str], query: str) -> None:
    stub.queue_response(body=answer())

    call("flips", CHECK, "--api-url", stub.url, *options)

    assert stub.requests[-1].path.endswith(f"/flips/?{query}")


def test_a_date_is_that_of_the_local_time_zone(call: Command, stub: Stub) -> None:
    stub.queue_response(body=answer())

    call("flips", CHECK, "--api-url", stub.url, "--start", "2026-01-31")

    assert stub.requests[-1].path.endswith(f"?start={datetime(2026, 1, 31).astimezone().timestamp():.0f}")


@pytest.mark.parametrize("text", ["yesterday", "9" * 30])
def test_what_is_no_moment_is_told(call: Command, text: str) -> None:
    done = call("flips", CHECK, "--start", text)

    assert done.status == 2
    assert f"Invalid value for '--start': '{text}' is no moment, such as 2026-01-31, " in done.stderr
