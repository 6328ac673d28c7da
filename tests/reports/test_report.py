"""A report as text, as JSON, and as a value."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import healthchecks_io
from healthchecks_io import Check, CheckPings, CheckStatuses, Report, reports
from healthchecks_io.reports import Day, Durations, Run, make_report, pair_runs, status_timeline

SINCE = datetime(2026, 3, 1, tzinfo=timezone.utc)
UNTIL = datetime(2026, 3, 11, tzinfo=timezone.utc)


def hours(count: float) -> datetime:
    return SINCE + timedelta(hours=count)


def check(**fields: Any) -> Check:
    return Check.from_api_result(
        {"name": "Backup", "slug": "backup", "grace": 3600, "n_pings": 4, "status": "up", **fields}
    )


def flip(time: float, up: int) -> CheckStatuses:
    return CheckStatuses(timestamp=hours(time), up=up)


def ping(number: int, type_: str, time: float, rid: str | None = None) -> CheckPings:
    return CheckPings.from_api_result({"n": number, "type": type_, "date": hours(time).isoformat(), "rid": rid})


FLIPS = [flip(48, 0), flip(24, 1)]
PINGS = [
    ping(5, "fail", 48),
    ping(4, "start", 47),
    ping(3, "success", 24.5),
    ping(2, "start", 24),
]


def down_report() -> Report:
    return make_report(check(status="down", n_pings=5), FLIPS, PINGS, SINCE, UNTIL)


def test_a_report_as_text() -> None:
    assert str(down_report()) == (
        "Backup: down, 2026-03-01 00:00:00+00:00 to 2026-03-11 00:00:00+00:00\n"
        "down since 2026-03-03 00:00:00+00:00\n"
        "uptime: 11.11 %, 1 downtime\n"
        "runs: 2, of which 1 failed\n"
        "durations: median 1800.0 s, p95 1800.0 s, longest 1800.0 s\n"
        "note: earlier runs are not counted: the server has kept no pings before 2026-03-02 00:00:00+00:00\n"
        "note: the status is not known before its first recorded change: 2026-03-02 00:00:00+00:00\n"
        "note: past pauses count as downtime: the server does not distinguish them"
    )


def test_the_text_of_a_report_without_any_data() -> None:
    report = make_report(check(name="", slug="", status="new", n_pings=0), [], [], SINCE, UNTIL)

    assert str(report) == (
        "(no name): new, 2026-03-01 00:00:00+00:00 to 2026-03-11 00:00:00+00:00\n"
        "uptime: not known, 0 downtimes\n"
        "runs: 0, of which 0 failed"
    )


def test_runs_are_unknown_if_the_server_has_kept_no_pings() -> None:
    report = make_report(check(), [flip(-5, 1)], [], SINCE, UNTIL)

    assert "runs: not known" in str(report)
    assert report.notes == ("the server has kept no pings: runs and durations are not known",)


def test_without_flips_a_report_notes_that_the_status_is_inferred() -> None:
    report = make_report(check(), [], [ping(4, "success", 24)], SINCE, UNTIL)

    assert report.seconds("up") == 9 * 86_400
    assert "no change of status is known: the status is inferred from the present one" in report.notes


def test_a_status_before_the_first_known_flip_is_inferred_and_the_report_notes_it() -> None:
    report = make_report(check(), [flip(48, 1)], [ping(4, "fail", 24)], SINCE, UNTIL)

    assert report.seconds("down") == 86_400
    assert f"the status is inferred before its first recorded change: {hours(48)}" in report.notes


def test_nothing_is_noted_when_everything_is_known() -> None:
    assert make_report(check(), [flip(-5, 1)], [ping(1, "success", -5)], SINCE, UNTIL).notes == ()
    assert make_report(check(), [flip(-5, 1)], [ping(1, "success", 5)], SINCE, UNTIL).notes == ()
    assert make_report(check(), [flip(-5, 1)], [ping(2, "success", -5)], SINCE, UNTIL).notes == ()


@pytest.mark.parametrize("share", [0.0, 0.57, 0.29, 0.5, 1.0])
def test_percentages_are_exact(share: float) -> None:
    from healthchecks_io.reports.report import format_share

    assert format_share(share) == f"{share * 100:.2f} %"


def test_percentages_are_rounded_down_so_that_only_full_uptime_is_100() -> None:
    from healthchecks_io.reports.report import format_share

    a_second_in_a_year = 1 - 1 / (365 * 86_400)
    assert format_share(a_second_in_a_year) == "99.99 %"
    assert format_share(0.99999) == "99.99 %"


def test_json_contains_the_fields_and_survives_a_round_trip() -> None:
    report = down_report()

    fields = json.loads(report.to_json())

    assert fields == report.to_fields()
    assert fields == {
        "name": "Backup",
        "slug": "backup",
        "uuid": None,
        "unique_key": None,
        "status": "down",
        "since": "2026-03-01T00:00:00+00:00",
        "until": "2026-03-11T00:00:00+00:00",
        "uptime": 1 / 9,
        "up": 86_400.0,
        "down": 8 * 86_400.0,
        "unknown": 86_400.0,
        "status_since": "2026-03-03T00:00:00+00:00",
        "down_since": "2026-03-03T00:00:00+00:00",
        "downtimes": [["2026-03-03T00:00:00+00:00", None]],
        "runs": 2,
        "failures": 1,
        "runs_since": "2026-03-02T00:00:00+00:00",
        "durations": {
            "mean": 1800.0, "median": 1800.0, "p95": 1800.0, "longest": 1800.0, "last": 1800.0, "values": [1800.0],
        },
        "notes": list(report.notes),
    }  # fmt: skip
    assert datetime.fromisoformat(fields["down_since"]) == report.down_since


def test_the_json_of_a_report_without_any_data() -> None:
    fields = json.loads(make_report(check(status="new"), [], None, SINCE, UNTIL).to_json())

    assert [fields[name] for name in ("uptime", "down_since", "runs_since", "durations")] == [None] * 4
    assert fields["downtimes"] == []


def test_a_report_cannot_be_changed() -> None:
    report = down_report()

    for field in dataclasses.fields(report):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(report, field.name, None)


def test_a_report_can_be_pickled_and_copied() -> None:
    report = down_report()

    assert pickle.loads(pickle.dumps(report)) == report  # noqa: S301 - the test pickled it
    assert copy.deepcopy(report) == report


def test_durations_are_plain_numbers() -> None:
    durations = down_report().durations

    assert durations == Durations(mean=1800.0, median=1800.0, p95=1800.0, longest=1800.0, last=1800.0, values=(1800.0,))


def test_failed_runs_count_but_have_no_part_in_the_durations() -> None:
    pings = [ping(1, "start", 1), ping(2, "fail", 9), ping(3, "start", 10), ping(4, "success", 11)]
    report = make_report(check(), [], pings, SINCE, UNTIL)

    assert (report.runs, report.failures) == (2, 1)
    assert report.durations is not None
    assert report.durations.values == (3600.0,)


def test_runs_with_run_ids_are_not_paired_with_starts_without() -> None:
    pings = [ping(1, "start", 1), ping(2, "start", 2, "a"), ping(3, "success", 3), ping(4, "success", 5, "a")]

    assert pair_runs(pings) == [Run(hours(3), has_failed=False, seconds=7200.0), Run(hours(5), False, 10_800.0)]


def test_days_end_with_the_window() -> None:
    report = make_report(check(status="down", n_pings=5), FLIPS, PINGS, hours(12), hours(60))

    assert report.days() == [
        Day(hours(12), up=12 * 3600.0, down=0.0, unknown=12 * 3600.0),
        Day(hours(36), up=12 * 3600.0, down=12 * 3600.0, unknown=0.0),
    ]
    assert [day.uptime for day in report.days()] == [1.0, 0.5]


def test_many_flips_and_days_do_not_make_days_slow() -> None:
    flips = [flip(number / 60, number % 2) for number in range(100_000)]

    days = make_report(check(), flips, [], SINCE, SINCE + timedelta(days=365)).days()

    assert len(days) == 365
    assert days[0].up == days[0].down == 43_200.0


def test_a_window_over_a_change_to_daylight_saving_time_has_its_true_length() -> None:
    riga = ZoneInfo("Europe/Riga")
    window = datetime(2026, 3, 28, 12, tzinfo=riga), datetime(2026, 3, 30, 12, tzinfo=riga)

    report = make_report(check(), [flip(-5, 1)], [], *window)

    assert report.seconds("up") == 47 * 3600
    assert [interval.seconds for interval in status_timeline(check(), [flip(-5, 1)], [], *window)] == [47 * 3600]
    assert report.since.utcoffset() == timedelta()


@pytest.mark.parametrize("make", [make_report, status_timeline])
def test_a_window_must_begin_before_its_end(make: Any) -> None:
    for end in (SINCE, SINCE - timedelta(seconds=1)):
        with pytest.raises(ValueError, match="the window must begin before its end"):
            make(check(), [], [], SINCE, end)


@pytest.mark.parametrize("make", [make_report, status_timeline])
def test_times_without_a_time_zone_are_rejected(make: Any) -> None:
    naive = datetime(2026, 3, 5)  # noqa: DTZ001 - the mistake
    for times in ((naive, UNTIL), (SINCE, naive), (SINCE, UNTIL, naive)):
        with pytest.raises(ValueError, match="must have a time zone"):
            make(check(), [], [], *times)


def test_a_report_of_a_past_window_does_not_state_that_the_check_is_down() -> None:
    report = make_report(check(status="down", n_pings=5), FLIPS, PINGS, SINCE, hours(60), now=UNTIL)

    assert report.down_since is None
    assert report.downtimes == [(hours(48), hours(60))]


def test_flips_of_the_same_second_are_newest_first() -> None:
    up_again = make_report(check(), [flip(48, 1), flip(48, 0), flip(24, 1)], [], SINCE, UNTIL)
    down = make_report(check(status="down"), [flip(48, 0), flip(48, 1), flip(24, 0)], [], SINCE, UNTIL)

    assert up_again.downtimes == []
    # It was up for less than a second, which flips do not show.
    assert down.down_since == hours(24)


def test_reports_is_a_public_module() -> None:
    assert healthchecks_io.Report is reports.Report
    assert set(reports.__all__) >= {"Report", "Day", "Durations", "Interval", "Run", "make_report", "pair_runs"}
