"""How jobs have been doing: uptime, downtimes, runs and their durations, from the flips and pings of a check."""

from __future__ import annotations

from healthchecks_io.reports.report import Day, Report, make_report
from healthchecks_io.reports.runs import Durations, Run, pair_runs
from healthchecks_io.reports.svg import to_svg
from healthchecks_io.reports.timeline import Interval, State, status_timeline

__all__ = [
    "Day",
    "Durations",
    "Interval",
    "Report",
    "Run",
    "State",
    "make_report",
    "pair_runs",
    "status_timeline",
    "to_svg",
]
