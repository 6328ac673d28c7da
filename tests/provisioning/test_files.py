"""load_checks reads the checks that a file declares, and reports all mistakes with their file and line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from healthchecks_io import CheckCreate, load_checks
from healthchecks_io.provisioning.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOML = """\
[defaults]
tz = "Europe/Riga"
grace = "1h"
channels = ["Ops Email"]

[checks.nightly-backup]
schedule = "0 3 * * *"
tags = ["db", "prod"]

[checks.report]
timeout = 3600
name = "Report"
filter_subject = true
"""

YAML = """\
defaults:
  tz: Europe/Riga
  grace: 1h
  channels: [Ops Email]
checks:
  nightly-backup:
    schedule: 0 3 * * *
    tags:
      - db
      - prod
  report:
    timeout: 3600
    name: Report
    filter_subject: true
"""

JSON = json.dumps(
    {
        "defaults": {"tz": "Europe/Riga", "grace": "1h", "channels": ["Ops Email"]},
        "checks": {
            "nightly-backup": {"schedule": "0 3 * * *", "tags": ["db", "prod"]},
            "report": {"timeout": 3600, "name": "Report", "filter_subject": True},
        },
    },
    indent="\t",
)

EXPECTED = [
    CheckCreate(
        slug="nightly-backup",
        tz="Europe/Riga",
        grace=3600,
        channels="Ops Email",
        schedule="0 3 * * *",
        tags="db prod",
    ),
    CheckCreate(
        slug="report",
        tz="Europe/Riga",
        grace=3600,
        channels="Ops Email",
        timeout=3600,
        name="Report",
        filter_subject=True,
    ),
]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Return a function that writes a file."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("name", "content"),
    [("checks.toml", TOML), ("checks.yaml", YAML), ("checks.yml", YAML), ("checks.json", JSON), ("CHECKS.TOML", TOML)],
)
def test_the_declared_checks_are_read_in_their_order(write: Callable[..., Path], name: str, content: str) -> None:
    checks = load_checks(write(name, content))

    assert checks == EXPECTED
    assert [check.model_fields_set for check in checks] == [check.model_fields_set for check in EXPECTED]


@pytest.mark.parametrize(
    ("name", "content", "lines"), [("a.toml", TOML, (6, 10)), ("a.yaml", YAML, (6, 11)), ("a.json", JSON, (10, 17))]
)
def test_a_check_knows_its_file_and_line(
    write: Callable[..., Path], name: str, content: str, lines: tuple[int, int]
) -> None:
    path = write(name, content)

    assert [check.place for check in load_checks(path)] == [f"{path}:{line}" for line in lines]


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        ("[checks.a]\ntimeout = 60\nchannels = 'x'\n[checks.b]\nchannels = 'x'\n", ["3: checks.a", "5: checks.b"]),
        ("[defaults]\nchannels = 'x'\n[checks.a]\n[checks.b]\n", ["2: defaults"]),
        ("[defaults]\nchannels = 'x'\n[checks.a]\n[checks.b]\nchannels = 'y'\n", ["2: defaults", "5: checks.b"]),
    ],
    ids=["in checks", "in defaults", "in both"],
)
def test_an_unknown_integration_is_reported_once_where_it_is_declared(
    write: Callable[..., Path], content: str, problems: list[str]
) -> None:
    path = write("a.toml", content)

    with pytest.raises(ValueError, match="no integration named") as caught:
        make_plan(load_checks(path), [])
    assert [line.partition(": channels: ")[0] for line in str(caught.value).splitlines()] == [
        f"{path}:{problem}" for problem in problems
    ]


def test_a_path_may_be_a_string(write: Callable[..., Path]) -> None:
    assert load_checks(str(write("a.toml", TOML))) == EXPECTED


def test_a_check_overrides_the_defaults(write: Callable[..., Path]) -> None:
    path = write("a.toml", "[defaults]\ngrace = 60\ntags = 'x'\n[checks.a]\ntimeout = 60\ntags = []")

    (check,) = load_checks(path)
    assert (check.grace, check.tags) == (60, "")


@pytest.mark.parametrize(
    ("default", "own", "left_out"),
    [("schedule = '0 3 * * *'", "timeout = 60", "schedule"), ("timeout = 60", "schedule = '0 3 * * *'", "timeout")],
)
def test_a_check_with_one_kind_of_schedule_ignores_a_default_of_the_other_kind(
    write: Callable[..., Path], default: str, own: str, left_out: str
) -> None:
    (check,) = load_checks(write("a.toml", f"[defaults]\n{default}\n[checks.a]\n{own}"))

    assert left_out not in check.model_fields_set


def test_yaml_scalars_without_quotes_are_strings_where_strings_are_meant(write: Callable[..., Path]) -> None:
    path = write(
        "a.yaml",
        "checks:\n  on:\n    name: on\n    desc: 1.50\n    tags: [yes, 2026-01-01, 5]\n    timeout: 60\n"
        "    schedule: 1:30\n".replace("    timeout: 60\n", ""),
    )

    (check,) = load_checks(path)
    assert (check.slug, check.name, check.desc, check.tags, check.schedule) == (
        "on",
        "on",
        "1.50",
        "yes 2026-01-01 5",
        "1:30",
    )


def test_yaml_anchors_and_aliases_work(write: Callable[..., Path]) -> None:
    path = write("a.yaml", "checks:\n  a: &a\n    timeout: 1h\n  b: *a\n")

    assert [(check.slug, check.timeout) for check in load_checks(path)] == [("a", 3600), ("b", 3600)]


@pytest.mark.parametrize(
    "name",
    [
        "\U0001f600\U0001f601",
        "\x7f\x80\x85\x9f",
        "\u2028\u2029",
        "a\\ud83d\\ude00",
        "\\",
        '"',
        "\\/",
        "\t\n",
        "\ufeff\ufffe",
    ],
)
@pytest.mark.parametrize("is_ascii", [True, False])
def test_json_strings_are_read_as_json_parsers_read_them(write: Callable[..., Path], name: str, is_ascii: bool) -> None:
    path = write("a.json", json.dumps({"checks": {"a": {"name": name}}}, ensure_ascii=is_ascii))

    assert load_checks(path)[0].name == name


def test_a_byte_order_mark_is_ignored(write: Callable[..., Path]) -> None:
    assert load_checks(write("a.toml", b"\xef\xbb\xbf" + TOML.encode())) == EXPECTED


def test_a_file_may_declare_no_check(write: Callable[..., Path]) -> None:
    assert load_checks(write("a.toml", "[checks]")) == []


MISTAKES = {
    "an unknown key": ("a.toml", "x = 1\n[checks.a]\n", ":1: unknown key 'x'"),
    "an unknown field": (
        "a.toml",
        "[checks.a]\ntime_out = 5\n",
        ":2: checks.a: unknown field 'time_out': did you mean",
    ),
    "another name": (
        "a.toml",
        "[checks.a]\nperiod = '5m'\n",
        ":2: checks.a: unknown field 'period': did you mean 'timeout'",
    ),
    "an unknown default": ("a.yaml", "defaults:\n  x: 1\nchecks: {}\n", ":2: defaults: unknown field 'x'"),
    "a slug as a field": (
        "a.toml",
        "[checks.a]\nslug = 'b'\n",
        ":2: checks.a: unknown field 'slug': the slug is the name",
    ),
    "a wrong type": ("a.toml", "[checks.a]\nname = 5\n", ":2: checks.a: name: "),
    "a wrong type in YAML": ("a.yaml", "checks:\n  a:\n    filter_subject: maybe\n", ":3: checks.a: filter_subject: "),
    "a nested table": ("a.toml", "[checks.a.name]\nx = 1\n", "checks.a: name: "),
    "a date": ("a.toml", "[checks.a]\nname = 2026-01-01\n", ":2: checks.a: name: "),
    "null": ("a.yaml", "checks:\n  a:\n    name:\n", ":3: checks.a: name: the value is missing"),
    "null in JSON": ("a.json", '{"checks": {"a": {"name": null}}}', ":1: checks.a: name: the value is missing"),
    "a bad duration": ("a.toml", "[checks.a]\ntimeout = '5 minutes'\n", ":2: checks.a: timeout: "),
    "a bad default": ("a.toml", "[defaults]\ngrace = 5\n[checks]\n", ":2: defaults: grace: "),
    "a bad schedule": ("a.toml", "[checks.a]\nschedule = '* * *'\n", ":2: checks.a: schedule: "),
    "an unknown time zone": ("a.toml", "[checks.a]\ntz = 'Mars/Crater'\n", ":2: checks.a: tz: unknown time zone"),
    "both kinds": ("a.toml", "[checks.a]\ntimeout = 60\nschedule = '0 3 * * *'\n", ":1: checks.a: set either"),
    "both kinds of defaults": (
        "a.toml",
        "[defaults]\ntimeout = 60\nschedule = '0 3 * * *'\n[checks]",
        ":1: defaults: set either",
    ),
    "a bad slug": ("a.toml", "[checks.'A b']\ntimeout = 60\n", ":1: checks.A b: slug: "),
    "an empty slug": ("a.toml", "[checks.'']\ntimeout = 60\n", "the slug is empty"),
    "a duplicate slug": ("a.yaml", "checks:\n  a: {}\n  b: {}\n  a: {}\n", ":4: checks: 'a' occurs more than once"),
    "a duplicate slug in TOML": ("a.toml", "[checks.a]\n[checks.a]\n", ":2: "),
    "a duplicate slug in JSON": ("a.json", '{"checks": {"a": {},\n"a": {}}}', ":2: checks: 'a' occurs more than once"),
    "a duplicate field": (
        "a.yaml",
        "checks:\n  a:\n    name: x\n    name: y\n",
        ":4: checks.a: 'name' occurs more than once",
    ),
    "a number as a key": ("a.yaml", "checks:\n  1: {}\n", ":2: checks: the key 1 must be a string: put it in"),
    "a list as a key": ("a.yaml", "checks:\n  [a]: {}\n", ":2: checks: a key must be a string"),
    "no mapping": ("a.yaml", "- a\n- b\n", ":1: the document must be a table, not a list"),
    "text": ("a.yaml", "checks\n", ":1: the document must be a table, not text"),
    "a check that is no mapping": ("a.yaml", "checks:\n  a: 5\n", ":2: checks.a must be a table"),
    "checks that are no mapping": ("a.json", '{"checks": ["a"]}', ":1: checks must be a table, not a list"),
    "no checks": ("a.toml", "[defaults]\n", ": it has no table named checks"),
    "a syntax error": ("a.toml", "[checks.a]\nname = \n", ":2: "),
    "a syntax error in YAML": ("a.yaml", "checks:\n  a: [\n", ":3: "),
    "a syntax error in JSON": ("a.json", '{"checks": {,}}', ":1: "),
    "a tab in YAML": ("a.yaml", "checks:\n\ta: {}\n", ":2: "),
    "a tag in YAML": ("a.yaml", "checks: !!python/object:x {}\n", ":1: the tag python/object:x is not supported"),
    "binary data in YAML": (
        "a.yaml",
        "checks:\n  a:\n    name: !!binary eA==\n",
        ":3: the tag binary is not supported",
    ),
    "a set in YAML": ("a.yaml", "checks: !!set {a}\n", ":1: the tag set is not supported"),
    "a control character": ("a.yaml", b"checks: {a: {name: \x01}}\n", ": it contains the character"),
    "an alias to itself": ("a.yaml", "checks: &a\n  x: *a\n", ":1: an alias refers to the value that contains it"),
    "an unknown alias": ("a.yaml", "checks: *a\n", ":1: "),
    "two documents": ("a.yaml", "checks: {}\n---\nchecks: {}\n", ":2: "),
    "an empty file": ("a.toml", "", ": it is empty"),
    "an empty YAML file": ("a.yaml", "# nothing\n", ": it is empty"),
    "an empty JSON file": ("a.json", "", ":1: "),
    "no UTF-8": ("a.toml", "[checks.a]\nname = 'ä'".encode("latin-1"), ": it is not UTF-8 text"),
    "a schedule without quotes in YAML": (
        "a.yaml",
        "checks:\n  a:\n    schedule: */5 * * * *\n",
        "found '/': put the value in quotes",
    ),
    "a nickname without quotes in YAML": (
        "a.yaml",
        "checks:\n  a: {schedule: @daily}\n",
        "cannot start any token: put the value in quotes",
    ),
    "a merge key in YAML": (
        "a.yaml",
        "x: &x {}\nchecks:\n  a:\n    <<: *x\n",
        ":4: checks.a: merge keys (<<) are not supported: use defaults",
    ),
    "deep nesting": ("a.json", "[" * 100_000, ""),
    "deep nesting in YAML": ("a.yaml", "[" * 5_000, ""),
    "an unknown suffix": ("a.txt", TOML, ": the name must end with .toml, .yaml, .yml or .json"),
}


@pytest.mark.parametrize(("name", "content", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_reported_with_its_file_line_check_and_field(
    write: Callable[..., Path], name: str, content: str | bytes, message: str
) -> None:
    path = write(name, content)

    with pytest.raises(ValueError, match=".") as caught:
        load_checks(path)
    assert str(caught.value).startswith(str(path))
    assert message in str(caught.value)


def test_all_mistakes_of_a_file_are_reported_at_once(write: Callable[..., Path]) -> None:
    path = write("a.toml", "[defaults]\nx = 1\n[checks.a]\nname = 5\ntz = 'Mars'\n[checks.b]\ntimeout = 5\ny = 1\n")

    with pytest.raises(ValueError, match=".") as caught:
        load_checks(path)
    assert [line.removeprefix(f"{path}:").partition(": ")[0] for line in str(caught.value).splitlines()] == [
        "2", "4", "5", "8", "7",
    ]  # fmt: skip


def test_bad_and_repeated_keys_hide_no_other_mistakes(write: Callable[..., Path]) -> None:
    path = write("a.yaml", "checks:\n  a: {grace: 1}\n  1: {}\n  b: {x: 1}\n  b: {y: 1}\n")

    with pytest.raises(ValueError, match=".") as caught:
        load_checks(path)
    problems = [line.removeprefix(f"{path}:") for line in str(caught.value).splitlines()]
    assert [problem[:20] for problem in problems] == [
        "3: checks: the key 1", "5: checks: 'b' occur", "4: checks.b: unknown", "2: checks.a: grace: ",
        "5: checks.b: unknown",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.yaml", 'checks: {a: {name: "\\UFFFFFFFF"}}'),
        ("a.yaml", 'checks: {a: {name: "\\U00110000"}}'),
        ("a.json", f'{{"checks": {{"a": {{"grace": {"9" * 5000}}}}}}}'),
        ("a.toml", f"[checks.a]\ngrace = {'9' * 5000}\n"),
    ],
)
def test_a_value_that_cannot_be_read_is_reported(write: Callable[..., Path], name: str, content: str) -> None:
    path = write(name, content)

    with pytest.raises(ValueError, match=".") as caught:
        load_checks(path)
    assert str(caught.value).startswith(str(path))


def test_a_directory_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "checks.toml"
    path.mkdir()

    with pytest.raises(ValueError, match="cannot be read: Is a directory"):
        load_checks(path)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        load_checks(tmp_path / "checks.toml")
