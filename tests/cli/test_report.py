"""Tests of the command `report`."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from healthchecks_io import CheckCreate

cell_len = pytest.importorskip("rich.cells").cell_len

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.conftest import Result, Terminal

    from healthchecks_io import Check, Client
    from healthchecks_io.sandbox import Sandbox

    Command = Callable[..., Result]

LONG_NAME = "Nightly backup of the databases of <all> customers & 本番"


@pytest.fixture
def backup(client: Client, hc: Sandbox) -> Check:
    """A check whose job ran on ten days. The fourth run failed, and was repeated after an hour."""
    check = client.create_check(CheckCreate(name=LONG_NAME, slug="backup", tags="prod", timeout="1d", grace="1h"))
    for day in range(10):
        client.start_ping(check.uuid)
        hc.advance(minutes=5)
        client.exit_code_ping(int(day == 3), check.uuid)
        if day == 3:
            hc.advance(minutes=55)
            client.success_ping(check.uuid)
        hc.advance(minutes=24 * 60 - (60 if day == 3 else 5))
    return check


@pytest.fixture
def unused(client: Client) -> Check:
    return client.create_check(CheckCreate(name="A check without pings", slug="unused"))


def screen(output: str) -> list[str]:
    """Return the lines on a terminal, without escape sequences and the progress message."""
    return [line for line in re.sub(r"\x1b\[[\d?;]*[a-zA-Z]", "", output).split("\n") if line and "\r" not in line]


def since(call: Command) -> str:
    """Return for how long the only check has had its status."""
    (_, row, *_) = call("report").stdout.splitlines()
    return re.split("  +", row)[2]


def test_a_row_shows_the_uptime_the_days_and_the_runs_of_a_check(call: Command, backup: Check, unused: Check) -> None:
    result = call("report", "--days", "12")

    titles, first, second, *notes = result.stdout.splitlines()
    assert titles.split() == ["Check", "Status", "Since", "Uptime", "Days", "Runs", "Failures", "Typical", "Durations"]
    assert first.split("  ")[0] == "A check without pings"
    assert re.split("  +", first)[1:5] == ["new", "-", "-", "············"]
    assert re.search(r"up +6 d 23 h +99\.61 % +··███▇██████ +11 +1 +5 m +█{9}$", second)
    assert notes == [
        "Note: the status is not known before its first recorded change (1 of 2 checks).",
        "Note: past pauses count as downtime (1 of 2 checks).",
    ]


def test_a_check_that_has_just_gone_up_has_been_up_for_seconds(call: Command, client: Client) -> None:
    client.success_ping(slug="backup", create=True)

    assert re.fullmatch(r"\d\.\d\d s", since(call))


def test_a_check_that_is_late_has_been_late_since_the_ping_was_due(call: Command, client: Client, hc: Sandbox) -> None:
    check = client.create_check(CheckCreate(slug="backup", timeout="1h", grace="1h"))
    client.success_ping(check.uuid)
    hc.advance(minutes=90)

    assert since(call) == "30 m"


def test_a_paused_check_that_was_never_pinged_has_been_paused_since_it_was(
    call: Command, client: Client, hc: Sandbox
) -> None:
    check = client.create_check(CheckCreate(slug="backup"))
    hc.advance(days=1)
    client.pause_check(check.uuid)
    hc.advance(hours=2.5)

    assert since(call) == "2 h 30 m"


def test_the_notes_of_a_single_check_are_complete(call: Command, backup: Check) -> None:
    output = call("report", "backup").stdout

    assert re.search(r"^Note: the status is not known before its first recorded change: \d{4}-", output, re.MULTILINE)


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.usefixtures("backup", "unused")
def test_a_report_fits_the_terminal(terminal: Terminal, width: int) -> None:
    status, output = terminal.run("report", width=width)

    lines = screen(output)
    assert status == 0
    assert max(map(cell_len, lines[:-2])) <= width
    assert any("99." in line for line in lines)
    assert any("█" in line for line in lines) == (width >= 80)


def test_a_terminal_shows_which_days_were_good(terminal: Terminal, backup: Check) -> None:
    _, output = terminal.run("report", width=200)

    assert "\x1b[33m▇\x1b[0m\x1b[32m█\x1b[0m\x1b[32m█\x1b[0m" in output
    assert "Loading check 1 of 1" in output


def test_no_colour_and_no_block_is_needed(terminal: Terminal, environment: dict[str, str], backup: Check) -> None:
    environment |= {"NO_COLOR": "1", "PYTHONIOENCODING": "ascii"}

    _, output = terminal.run("report", "--days", "12", width=200)

    assert re.search(r" \.\.###\+######", "\n".join(screen(output)))
    assert "\x1b[3" not in output


def test_many_days_are_joined(call: Command, backup: Check) -> None:
    output = call("report", "--days", "365").stdout

    (bar,) = re.findall("[·▁-█]{10,}", output.splitlines()[1])
    assert len(bar) <= 30


def test_checks_are_chosen_by_name_or_tag(call: Command, backup: Check, unused: Check) -> None:
    def slugs(*arguments: str) -> list[str]:
        return [each["slug"] for each in json.loads(call("report", "--json", *arguments).stdout)]

    assert slugs() == ["unused", "backup"]
    assert slugs("unused") == ["unused"]
    assert slugs("--tag", "prod") == ["backup"]
    assert slugs("--tag", "nobody") == []


def test_json_contains_the_report(call: Command, client: Client, backup: Check) -> None:
    (fields,) = json.loads(call("report", "backup", "--json").stdout)

    report = client.get_report(backup.uuid)
    assert report.durations is not None
    assert (fields["runs"], fields["failures"], fields["durations"]["median"]) == (11, 1, report.durations.median)
    assert fields["up"] + fields["down"] + fields["unknown"] == 30 * 24 * 3600


def test_a_report_without_checks_states_that_there_are_none(call: Command) -> None:
    assert call("report") == (0, "There are no checks.\n", "")
    assert call("report", "--tag", "nosuch") == (0, "No check matches.\n", "")


def test_a_read_only_key_sees_no_runs(
    call: Command, hc: Sandbox, backup: Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEALTHCHECKS_API_KEY", hc.read_only_key)

    output = call("report").stdout

    assert "99." in output
    assert "Note: the API key is read-only and cannot see pings: runs and durations are not known." in output
    assert re.search(r"[█▆]\n", output.splitlines()[1] + "\n")


@pytest.mark.parametrize(
    ("arguments", "status", "problem"),
    [
        (["nobody"], 1, "no check has the UUID, unique key, slug or name 'nobody'"),
        (["backup", "--tag", "prod"], 2, "either checks or --tag"),
        (["--days", "0"], 2, "is not in the range 1<=x<=365"),
        (["--days", "366"], 2, "is not in the range 1<=x<=365"),
        (["--svg", "/no/such/folder/x.svg"], 1, "/no/such/folder/x.svg could not be written: No such file"),
        (["--tag", "typo", "--svg", "/no/such/folder/x.svg"], 1, "no check has 'typo': the picture was not drawn"),
    ],
)
def test_bad_input_is_reported(call: Command, backup: Check, arguments: list[str], status: int, problem: str) -> None:
    result = call("report", *arguments)

    assert (result.status, result.stdout) == (status, "")
    assert problem in result.stderr


def test_a_picture_is_drawn(call: Command, hc: Sandbox, backup: Check, unused: Check, tmp_path: Path) -> None:
    file = tmp_path / "status.svg"
    file.write_text("the picture of yesterday")
    result = call("report", "--svg", str(file))

    assert (result.status, result.stdout) == (0, "")
    picture = file.read_text(encoding="utf-8")
    texts = ["".join(element.itertext()) for element in ET.fromstring(picture).iter()]  # noqa: S314 - our own
    assert any(LONG_NAME in text for text in texts)
    assert picture.count("<rect class=") == 1 + 2 * 30
    assert 'class="line"' in picture
    assert all(each not in picture for each in (hc.api_key, str(backup.uuid), "http://127"))
    assert [each.name for each in tmp_path.iterdir()] == ["status.svg"]


def test_a_picture_can_be_drawn_beside_json(call: Command, backup: Check, tmp_path: Path) -> None:
    result = call("report", "--json", "--svg", str(tmp_path / "x.svg"))

    assert len(json.loads(result.stdout)) == 1
    assert (tmp_path / "x.svg").exists()


def test_a_browser_shows_a_picture_of_many_checks_in_its_full_size(call: Command, hc: Sandbox, tmp_path: Path) -> None:
    for number in range(100):
        hc.client().create_check(CheckCreate(name=f"Job {number}"))
    call("report", "--svg", str(tmp_path / "x.svg"))

    picture = ET.fromstring((tmp_path / "x.svg").read_text(encoding="utf-8"))  # noqa: S314 - our own
    assert picture.attrib["viewBox"] == f"0 0 {picture.attrib['width']} {picture.attrib['height']}"
    assert int(picture.attrib["height"]) > 100 * 20


def test_a_picture_without_checks_states_that_there_are_none(call: Command, tmp_path: Path) -> None:
    call("report", "--svg", str(tmp_path / "x.svg"))

    assert "There are no checks." in (tmp_path / "x.svg").read_text()


def test_a_report_waits_as_long_as_the_server_asks(terminal: Terminal, hc: Sandbox, backup: Check) -> None:
    hc.fail_next(delay=0.001)  # The list of checks.
    hc.fail_next(status=429, headers={"Retry-After": "1"}, times=3)

    status, output = terminal.run("report", "--retries", "0", width=200)

    assert (status, "99." in output) == (0, True)
    assert "The server has received too many requests: waiting for 1 s" in output
