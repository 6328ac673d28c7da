"""The reference describes every public name, with its members and parameters, and all that the commands read."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
from pydantic import BaseModel

from healthchecks_io import Check, CheckCreate, CheckPings, CheckUpdate, Client
from healthchecks_io.cli import commands

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
SOURCES = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "src").rglob("*.py"))}
PAGES = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").rglob("*.md"))}
SECTION = re.compile(r"^###(#?) `([\w.]+)`\n(.*?)(?=^##|^<!-- /api -->)", re.DOTALL | re.MULTILINE)
SECTIONS = {
    name if is_member else name.rpartition(".")[2]: text
    for page in PAGES.values()
    for is_member, name, text in SECTION.findall(page)
}
"""The description of each class, function and member, by names such as Client and Client.close."""


def items_of(section: str) -> dict[str, str]:
    """Return the arguments or fields that a section lists, with their meaning."""
    text = SECTIONS.get(section, "")
    for reference in re.findall(r"^See \[`([\w.]+)`\]\(#\w+\)\.$", text, re.MULTILINE):
        text = SECTIONS[reference]
    return {
        name: " ".join(item.split()).partition(": ")[2]
        for name, item in re.findall(r"^- `\*{0,2}(\w+)`(.*?)(?=^- |\n\n)", text, re.DOTALL | re.MULTILINE)
    }


def public_names() -> Iterator[tuple[str, str]]:
    """Yield the module and the name of each name in an `__all__`."""
    for path, source in SOURCES.items():
        module = ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
        for names in re.findall(r"^__all__ = (\[.*?\])", source, re.DOTALL | re.MULTILINE):
            yield from ((module, name) for name in ast.literal_eval(names))


def public_values() -> Iterator[tuple[str, Any]]:
    """Yield the public classes and functions, except those of an integration whose package is not installed."""
    for module, name in public_names():
        try:
            value = getattr(importlib.import_module(module), name)
        except ImportError:
            assert module.startswith("healthchecks_io.contrib.")
            continue
        yield name, value


CLASSES = {name: value for name, value in public_values() if isinstance(value, type)}
FUNCTIONS = {name: value for name, value in public_values() if inspect.isfunction(value)}


def own_classes(class_: type) -> list[type]:
    return [base for base in class_.__mro__ if base.__module__.startswith("healthchecks_io.")]


def is_own_name(name: str) -> bool:
    """Return whether a member is public. Names with this prefix belong to pydantic."""
    return not name.startswith(("_", "model_"))


def fields_of(class_: type) -> set[str]:
    names = {name for base in own_classes(class_) for name in inspect.get_annotations(base)}
    if issubclass(class_, Exception):
        names |= vars(class_("failed")).keys()
    return {*filter(is_own_name, names)}


def members_of(class_: type) -> set[str]:
    """Return the methods and properties, except those of a base class outside of the package."""
    own = own_classes(class_)
    others = {name for base in class_.__mro__ if base not in own for name in dir(base)}
    return {*filter(is_own_name, (name for base in own for name in vars(base)))} - fields_of(class_) - others


def described_as(class_: type, member: str) -> list[str]:
    """Return the sections that may describe a member: that of the class, or of a base class."""
    return [f"{base.__name__}.{member}" for base in own_classes(class_) if f"{base.__name__}.{member}" in SECTIONS]


def test_every_public_name_is_described() -> None:
    names = {name for _, name in public_names()}

    assert "monitor_beat" in names
    assert names - {"__version__"} - SECTIONS.keys() == set()
    assert any("`healthchecks_io.__version__`" in page for page in PAGES.values())


@pytest.mark.parametrize("name", CLASSES)
def test_every_member_of_a_public_class_is_described(name: str) -> None:
    class_ = CLASSES[name]
    described = {field for base in own_classes(class_) for field, text in items_of(base.__name__).items() if text}

    assert fields_of(class_) - described == set()
    assert [member for member in members_of(class_) if not described_as(class_, member)] == []


def parameters() -> Iterator[tuple[str, Any]]:
    """Yield all that has parameters, with the section that describes it."""
    yield from FUNCTIONS.items()
    for name, class_ in CLASSES.items():
        is_data = dataclasses.is_dataclass(class_) or issubclass(class_, (BaseModel, Exception))
        if "__init__" in vars(class_) and not is_data:
            yield name, class_
        for member in members_of(class_):
            if callable(getattr(class_, member)):
                yield from ((section, getattr(class_, member)) for section in described_as(class_, member)[:1])


PARAMETERS = dict(parameters())


@pytest.mark.parametrize("section", sorted(PARAMETERS))
def test_every_parameter_is_described(section: str) -> None:
    described = {name for name, text in items_of(section).items() if text}

    assert inspect.signature(PARAMETERS[section]).parameters.keys() - described - {"self"} == set()


def test_every_exception_is_described() -> None:
    classes = [node for source in SOURCES.values() for node in ast.parse(source).body if isinstance(node, ast.ClassDef)]
    bases = {node.name: {ast.unparse(base) for base in node.bases} for node in classes}
    internal = {node.name for node in classes if "Internal: " in (ast.get_docstring(node) or "")}
    exceptions = {"HCAPIError"}
    while more := {name for name in bases if bases[name] & exceptions} - exceptions:
        exceptions |= more

    assert len(exceptions) > 10
    assert exceptions - internal - SECTIONS.keys() == set()


def test_every_environment_variable_is_described() -> None:
    names = {name for source in SOURCES.values() for name in re.findall(r"\bHEALTHCHECKS_[A-Z_]*[A-Z]", source)}
    rows = re.findall(r"^\| `(\w+)` \|", PAGES[ROOT / "docs" / "reference" / "environment.md"], re.MULTILINE)

    assert names == {*rows}


def test_every_fixture_of_the_pytest_plugin_is_described() -> None:
    source = SOURCES[ROOT / "src" / "healthchecks_io" / "pytest_plugin.py"]
    fixtures = re.findall(r"^@pytest\.fixture.*\ndef ([a-z]\w*)", source, re.MULTILINE)

    assert fixtures
    assert [name for name in fixtures if not any(f"`{name}`" in page for page in PAGES.values())] == []


def commands_of(ctx: click.Context) -> Iterator[click.Context]:
    yield ctx
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            assert command is not None
            yield from commands_of(click.Context(command, ctx, info_name=name))


CONTEXTS = {ctx.command_path: ctx for ctx in commands_of(click.Context(commands, info_name="py-healthchecks.io"))}


@pytest.mark.parametrize("path", CONTEXTS)
def test_every_command_and_option_is_described(path: str) -> None:
    page = PAGES[ROOT / "docs" / "reference" / "command-line.md"]
    sections = dict(section.split("\n", 1) for section in re.split(r"(?:\A|\n\n)#+ ", page)[1:])
    text = sections[path.removeprefix("py-healthchecks.io").strip() or "Command line"]
    options = [each for each in CONTEXTS[path].command.params if isinstance(each, click.Option)]

    assert CONTEXTS[path].get_usage().removeprefix("Usage: ") in text
    assert {name for each in options for name in (*each.opts, *each.secondary_opts)} - {
        *re.findall(r"(?<!\w)--?[a-z][\w-]*", text)
    } == set()


def test_every_field_of_a_file_of_checks_is_described() -> None:
    text = PAGES[ROOT / "docs" / "reference" / "checks-as-code.md"]
    rows = re.findall(r"^\| (`.*?) \|", text.partition("| Field |")[2], re.MULTILINE)

    assert {*re.findall(r"\w+", " ".join(rows))} == CheckCreate.model_fields.keys() - {"slug", "unique"}


def versions_in_table(header: str) -> dict[str, str]:
    """Return the server version that each name needs, from a table of the page on server versions."""
    text = PAGES[ROOT / "docs" / "reference" / "server-versions.md"]
    table = text.partition(f"| {header} | Needs |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([\d.]+) \|", table, re.MULTILINE)
    return {name: version for names, version in rows for name in re.findall(r"\w+", names)}


def versions_in_notes(texts: dict[str, str]) -> dict[str, str]:
    """Return the server version that each name needs, from the notes in their description."""
    notes = {name: re.search(r"Needs Healthchecks ([\d.]+) or newer", text) for name, text in texts.items()}
    return {name: note[1] for name, note in notes.items() if note}


@pytest.mark.parametrize(
    ("header", "schema"), [("Field", CheckUpdate), ("Field of `Check`", Check), ("Field of `CheckPings`", CheckPings)]
)
def test_each_field_that_needs_a_newer_server_says_so(header: str, schema: type) -> None:
    assert versions_in_notes(items_of(schema.__name__)) == versions_in_table(header) != {}


def test_each_method_that_needs_a_newer_server_says_so() -> None:
    docs = {name: inspect.getdoc(getattr(Client, name)) or "" for name in members_of(Client)}
    sources = {name: doc.partition("Source: ")[2].partition("\n\n")[0] for name, doc in docs.items()}

    assert versions_in_notes(sources) == versions_in_table("Method") != {}
