"""Tests of tables on terminals of different widths."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from healthchecks_io import CheckCreate

cell_len = pytest.importorskip("rich.cells").cell_len

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.conftest import Result, Terminal

    from healthchecks_io import Check, Client

    Command = Callable[..., Result]

RUN_ID = "11111111-2222-4333-8444-555555555555"
LONG_NAME = "Nightly backup of the databases of all customers"
WIDE_NAME = "夜間バックアップ" * 4


@pytest.fixture
def show(terminal: Terminal, environment: dict[str, str]) -> Callable[..., list[str]]:
    """Run a command on a terminal and return the lines that it shows, without colours and boxes."""

    def show(*arguments: str, width: int) -> list[str]:
        status, output = terminal.run(*arguments, width=width)
        assert status == 0
        return [re.sub("[│┃]", " ", line).strip() for line in displayed(output) if not re.match("[┏┡└]", line)]

    return show


def displayed(output: str) -> list[str]:
    """Return the lines on the terminal, without escape sequences and the progress message."""
    return [line for line in re.sub(r"\x1b\[[\d?;]*[a-zA-Z]", "", output).split("\n") if line and "\r" not in line]


def cells(line: str) -> list[str]:
    return re.split("  +", line)


@pytest.fixture
def checks(client: Client) -> list[Check]:
    checks = [
        client.create_check(CheckCreate(name=LONG_NAME, slug="nightly-backup", tags="prod db", schedule="0 3 * * *")),
        client.create_check(CheckCreate(name=WIDE_NAME, slug="wide", tags="本番")),
    ]
    for check in checks:
        client.success_ping(check.uuid)
    return checks


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_line_is_wider_than_the_terminal(terminal: Terminal, checks: list[Check], width: int) -> None:
    _, output = terminal.run("checks", "list", width=width)

    assert {cell_len(line) <= width for line in displayed(output)} == {True}
    assert len(displayed(output)) == 5


def test_a_narrow_list_of_checks_shortens_names_and_leaves_out_columns(
    show: Callable[..., list[str]], checks: list[Check]
) -> None:
    header, first, second = show("checks", "list", width=80)

    assert cells(header) == ["Name", "Slug", "Status", "Schedule", "Last ping"]
    assert re.fullmatch(r"Nightly backup…  +nightly-backup  +up  +0 3 \* \* \*  +[\d-]+ [\d:]+", first)
    assert re.fullmatch(r"夜間バックアッ…  +wide  +up  +1 d  +[\d-]+ [\d:]+", second)


def test_a_wide_list_of_checks_is_shown_in_full(show: Callable[..., list[str]], checks: list[Check]) -> None:
    header, first, second = show("checks", "list", width=260)

    assert cells(header) == ["Name", "Slug", "Tags", "Status", "Schedule", "Last ping", "ID"]
    assert cells(first)[:5] == [LONG_NAME, "nightly-backup", "prod db", "up", "0 3 * * *"]
    assert cells(second)[:5] == [WIDE_NAME, "wide", "本番", "up", "1 d"]
    assert [cells(line)[-1] for line in (first, second)] == [check.uuid for check in checks]


@pytest.mark.parametrize("slug", ["", "wide"])
def test_a_list_of_checks_shows_ids_if_the_slugs_do_not_identify_them(
    show: Callable[..., list[str]], client: Client, checks: list[Check], slug: str
) -> None:
    checks.append(client.create_check(CheckCreate(name="other", slug=slug)))

    header, *lines = show("checks", "list", width=80)

    assert cells(header) == ["Name", "Status", "Schedule", "ID"]
    assert {cells(line)[-1] for line in lines} == {check.uuid for check in checks}


def test_cells_that_do_not_fit_go_to_lines_of_their_own(show: Callable[..., list[str]], client: Client) -> None:
    slug = "s" * 90
    check = client.create_check(CheckCreate(name="Long slug", slug=slug))

    lines = show("checks", "list", width=80)
    assert slug in lines
    assert check.uuid in [word for line in lines for word in line.split()]


def test_without_a_terminal_everything_is_shown_in_full(call: Command, checks: list[Check]) -> None:
    _, first, second = call("checks", "list").stdout.splitlines()

    assert cells(first)[:5] == [LONG_NAME, "nightly-backup", "prod db", "up", "0 3 * * *"]
    assert cells(second)[:3] == [WIDE_NAME, "wide", "本番"]


@pytest.mark.parametrize("width", [80, 200])
def test_fields_of_a_check_are_wrapped_between_words_only(
    show: Callable[..., list[str]], client: Client, width: int
) -> None:
    words = " ".join(f"word-{number:04}" for number in range(30))
    check = client.create_check(CheckCreate(slug="c", desc=words, channels="*"))

    shown = show("checks", "get", "c", width=width)

    assert check.channels is not None
    for text in (words, check.uuid, check.ping_url, check.update_url, check.resume_url):
        assert str(text) in " ".join(" ".join(shown).split())
    assert check.channels.replace(",", ", ") in " ".join(" ".join(shown).split())
    assert max(map(cell_len, shown)) <= width


def test_text_without_spaces_is_wrapped_anywhere_if_it_is_cjk(show: Callable[..., list[str]], client: Client) -> None:
    client.create_check(CheckCreate(slug="c", desc=WIDE_NAME * 4))

    shown = show("checks", "get", "c", width=80)

    assert WIDE_NAME * 4 in re.sub(" ", "", "".join(shown))
    assert max(map(cell_len, shown)) <= 80


@pytest.mark.parametrize(("width", "expected"), [(80, r"111111[\d-]*…"), (200, RUN_ID)], ids=["narrow", "wide"])
def test_run_ids_are_shortened_on_a_narrow_terminal(
    show: Callable[..., list[str]], client: Client, width: int, expected: str
) -> None:
    check = client.create_check(CheckCreate(slug="c"))
    client.start_ping(check.uuid, rid=RUN_ID)
    client.success_ping(check.uuid, rid=RUN_ID)

    assert re.fullmatch(expected, cells(show("pings", "c", width=width)[1])[-1])


def test_followed_pings_fit_a_narrow_terminal(terminal: Terminal, client: Client) -> None:
    check = client.create_check(CheckCreate(slug="c"))
    client.start_ping(check.uuid, rid=RUN_ID)
    client.success_ping(check.uuid, rid=RUN_ID)

    _, output = terminal.run("pings", "c", "--follow", interrupt_after="success", width=80)

    lines = [line for line in displayed(output) if "2026" in line or re.match(r"\d ", line)]
    assert [cell_len(line) <= 80 for line in lines] == [True, True]
    assert "1111111" in lines[0]


def test_urls_of_badges_are_not_broken(show: Callable[..., list[str]], client: Client) -> None:
    client.create_check(CheckCreate(tags="a-tag-with-a-long-name"))
    urls = [url for badges in client.get_badges().values() for url in (badges.svg, badges.json3_url, badges.shields)]

    shown = show("badges", width=80)

    assert set(urls) <= {word for line in shown for word in line.split()}


def test_an_ellipsis_is_printable_in_ascii(
    show: Callable[..., list[str]], environment: dict[str, str], client: Client
) -> None:
    client.create_check(CheckCreate(name=LONG_NAME, slug="a-rather-long-slug-for-a-nightly-backup"))
    environment["PYTHONIOENCODING"] = "ascii"

    assert re.search(r"\| Nightly backup[a-z ]*\.\.\. +\|", "\n".join(show("checks", "list", width=80)))
