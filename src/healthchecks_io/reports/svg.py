"""Draw reports as a picture, for a page or a mail."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from healthchecks_io._durations import format_duration
from healthchecks_io.reports.marks import bar_of_days, sparkline
from healthchecks_io.reports.report import format_share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from healthchecks_io.reports.report import Day, Report

_WIDTH, _ROW, _MARGIN = 860, 44, 16
_NAME, _BAR, _UPTIME, _RUNS, _SPARK = _MARGIN, 260, 535, 615, 720
_MARK, _HEIGHT = 9, 24
_SPARK_WIDTH = _WIDTH - _MARGIN - _SPARK
_NAME_LENGTH = 30

_STYLE = """
  .page { fill: #ffffff } text { fill: #1f2328; font: 14px system-ui, sans-serif }
  .small { fill: #59636e; font-size: 12px }
  .up { fill: #2da44e } .partly { fill: #d4a72c } .down { fill: #cf222e } .unknown { fill: #d1d9e0 }
  .line { fill: none; stroke: #0969da; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } text { fill: #e6edf3 } .small { fill: #9198a1 }
    .up { fill: #3fb950 } .partly { fill: #d29922 } .down { fill: #f85149 } .unknown { fill: #3d444d }
    .line { stroke: #4493f8 }
  }
"""


def to_svg(reports: Sequence[Report]) -> str:
    """Draw reports as an SVG picture: a row for each check, with a bar of the days and the durations of the last runs.

    It follows the light or dark theme of the page, and loads nothing.

    Args:
        reports: The reports.
    """
    height = _MARGIN * 2 + 24 + _ROW * max(len(reports), 1)
    # Without a height, a browser that opens the file shrinks hundreds of rows to one screen.
    size = f'width="{_WIDTH}" height="{height}"'
    rows = [line for number, report in enumerate(reports) for line in _row(report, _MARGIN + 24 + _ROW * number)]
    if not reports:
        rows = [f'<text x="{_NAME}" y="{_MARGIN + 44}">There are no checks.</text>']
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" {size} role="img">',
            f"<title>{_title(reports)}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="page" width="{_WIDTH}" height="{height}" rx="6"/>',
            *(f'<text class="small" x="{x}" y="{_MARGIN + 12}">{title}</text>' for x, title in _titles(reports)),
            *rows,
            "</svg>",
            "",
        ]
    )


def _title(reports: Sequence[Report]) -> str:
    return f"Checks until {reports[0].until:%Y-%m-%d %H:%M} {reports[0].until.tzname() or ''}" if reports else "Checks"


def _titles(reports: Sequence[Report]) -> list[tuple[int, str]]:
    days = (reports[0].until - reports[0].since).days if reports else 0
    bar = f"{days} days" if days != 1 else "1 day"
    return [(_NAME, "Check"), (_BAR, bar), (_UPTIME, "Uptime"), (_RUNS, "Runs"), (_SPARK, "Duration")]


def _row(report: Report, top: int) -> list[str]:
    name = _clean(report.title)
    shown = name if len(name) <= _NAME_LENGTH else f"{name[: _NAME_LENGTH - 1]}…"
    uptime = "-" if report.uptime is None else format_share(report.uptime)
    runs = "" if report.runs_since is None else str(report.runs)
    failures = f", {report.failures} failed" if report.failures else ""
    typical = "" if report.durations is None else format_duration(report.durations.median)
    baseline = top + 18
    lines = [
        f'<text x="{_NAME}" y="{baseline}"><title>{escape(name)}</title>{escape(shown)}</text>',
        f'<text class="small" x="{_NAME}" y="{baseline + 15}">{escape(_clean(report.check.status))}</text>',
        *(_mark(day, _BAR + _MARK * number, top + 4) for number, day in enumerate(bar_of_days(report))),
        f'<text x="{_UPTIME}" y="{baseline}">{uptime}</text>',
        f'<text x="{_RUNS}" y="{baseline}">{runs}<tspan class="small">{failures}</tspan></text>',
        f'<text class="small" x="{_SPARK}" y="{baseline + 18}">{typical}</text>',
    ]
    values = sparkline(report)
    if len(values) > 1:
        step = _SPARK_WIDTH / (len(values) - 1)
        points = " ".join(f"{_SPARK + step * i:.1f},{top + 22 - 18 * value:.1f}" for i, value in enumerate(values))
        lines.append(f'<polyline class="line" points="{points}"/>')
    return lines


def _mark(day: Day, x: int, y: int) -> str:
    uptime = day.uptime
    kind = "unknown" if uptime is None else "up" if uptime == 1.0 else "partly" if uptime > 0.0 else "down"
    text = "not known" if uptime is None else format_share(uptime)
    return (
        f'<rect class="{kind}" x="{x}" y="{y}" width="{_MARK - 2}" height="{_HEIGHT}" rx="1">'
        f"<title>{day.start:%Y-%m-%d}: {text}</title></rect>"
    )


def _clean(text: str) -> str:
    """Remove characters that XML cannot contain."""
    return "".join(character if character.isprintable() else " " for character in text)
