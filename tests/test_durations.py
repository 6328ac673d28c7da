"""Durations as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from healthchecks_io._durations import parse_duration, parse_whole_seconds

if TYPE_CHECKING:
    from collections.abc import Callable


UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}
LONGEST = 10**9

whole_seconds = st.integers(0, LONGEST)
spaces = st.text(" \t\n", max_size=3)
counts = st.dictionaries(st.sampled_from(list(UNITS)), st.integers(0, 300), min_size=1)


def format_exactly(seconds: int) -> str:
    parts: list[str] = []
    for unit, length in UNITS.items():
        count, seconds = divmod(seconds, length)
        parts += [f"{count}{unit}"] if count else []
    return " ".join(parts) or "0s"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("1h 30m", 5400),
        ("1h30m", 5400),
        ("1d", 86400),
        ("2w", 1209600),
        ("1w 1d 1h 1m 1s", 694861),
        ("1h 90m", 9000),
        ("1d 1s", 86401),
        (" 1h\t30m\n", 5400),
        (" 90 ", 90),
        ("0", 0),
        ("0h", 0),
        ("007", 7),
    ],
)
def test_whole_seconds_are_accepted_as_a_number_or_with_units(text: str, seconds: int) -> None:
    assert parse_whole_seconds(text) == seconds
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"), [("0.5", 0.5), ("0.5s", 0.5), ("1m 0.5s", 60.5), (" 2.25 ", 2.25), ("90.0", 90)]
)
def test_seconds_may_have_a_fraction_only_where_it_makes_sense(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds
    with pytest.raises(ValueError, match="is not a whole number of seconds: use a form such as 90"):
        parse_whole_seconds(text)


REJECTED = [
    "", " ", "s", "soon", "1 h", "1H", "1h 30", "30 1h", "30m 1h", "1h 1h", "1h,30m", "1h and 30m", "1 hour", "PT1H",
    "01:30", "1.5h", "1.5m", ".5", "5.", "1.2.3", "0,5", "+5", "-5", "-5s", "1_000", "1e3", "1e3s", "0x10", "inf",
    "nan", "٣", "٣s", "\uff15", "1\u00a0h", "1\u00a0", "²", "1h\0", "\ud800", "1y", "1ms",
]  # fmt: skip


@pytest.mark.parametrize("parse", [parse_duration, parse_whole_seconds])
@pytest.mark.parametrize("text", REJECTED, ids=ascii)
def test_anything_else_is_rejected_with_the_accepted_forms(parse: Callable[[str], float], text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a valid duration: use a number of seconds such as 90, .* 1h30m"):
        parse(text)


@pytest.mark.parametrize("text", ["1000000001", "1654w", "11575d", "9" * 400, "9" * 5000 + "w", "9" * 5000 + "s"])
def test_more_than_thirty_years_are_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="is too long: the maximum is 1000000000 seconds"):
        parse_whole_seconds(text)


@given(whole_seconds)
@example(LONGEST)
def test_every_number_of_whole_seconds_is_read_back(seconds: int) -> None:
    assert parse_whole_seconds(str(seconds)) == seconds
    assert parse_whole_seconds(format_exactly(seconds)) == seconds
    assert parse_whole_seconds(format_exactly(seconds).replace(" ", "")) == seconds


@given(counts, spaces)
def test_a_duration_is_the_sum_of_its_parts_whatever_the_space_between_them(parts: dict[str, int], space: str) -> None:
    texts = [f"{parts[unit]}{unit}" for unit in UNITS if unit in parts]

    assert parse_whole_seconds(space.join(["", *texts, ""])) == sum(parts[unit] * UNITS[unit] for unit in parts)


@given(
    st.lists(st.sampled_from(list(UNITS)), min_size=2).filter(
        lambda units: units != sorted(set(units), key=list(UNITS).index)
    )
)
def test_units_out_of_order_or_repeated_are_rejected(units: list[str]) -> None:
    with pytest.raises(ValueError, match="not a valid duration"):
        parse_whole_seconds(" ".join(f"1{unit}" for unit in units))


@given(st.text() | st.text("0123456789.wdhms +-_eE٣\uff15²\u00a0\ud800", max_size=12))
def test_no_text_raises_anything_but_value_error(text: str) -> None:
    try:
        seconds = parse_duration(text)
    except ValueError:
        return
    assert text.isascii()
    assert not set(text) - set("0123456789.wdhms \t\n\r\f\v")
    assert 0 <= seconds <= LONGEST


@pytest.mark.parametrize(
    "text",
    ["9" * 100_000, "0" * 100_000 + "x", " " * 100_000 + "x", "1h" + " " * 100_000 + "x", "1w" * 50_000],
    ids=["digits", "digits, then a letter", "spaces", "spaces between parts", "parts"],
)
def test_long_text_is_rejected_without_backtracking(text: str) -> None:
    # With quadratic backtracking, one of these would run into the timeout of the tests.
    for _ in range(10):
        with pytest.raises(ValueError, match="is not a valid duration|is too long"):
            parse_whole_seconds(text)


def test_the_parser_needs_no_heavy_module(fresh_python: Callable[[str], str]) -> None:
    heavy = {"pydantic", "httpx", "click"}

    assert fresh_python(f"import sys; import healthchecks_io._durations; print({heavy} & {{*sys.modules}})") == "set()"
