"""Parse TOML, YAML and JSON into values with their line numbers."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

if sys.version_info >= (3, 11):  # pragma: no cover - depends on the version of Python
    import tomllib
else:  # pragma: no cover - depends on the version of Python
    import tomli as tomllib

_FORMATS_BY_SUFFIX = {".toml": "toml", ".yaml": "yaml", ".yml": "yaml", ".json": "json"}

_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_STANDARD_TAG = "tag:yaml.org,2002:"
_SUPPORTED_TAGS = frozenset(
    f"{_STANDARD_TAG}{name}"
    for name in ("map", "seq", "str", "null", "bool", "int", "float", "timestamp", "value", "merge")
)
_INTEGER = re.compile(r"[+-]?[0-9]+")


class DocumentError(Exception):
    """A document cannot be parsed.

    Args:
        message: What is wrong.
        line: The line, or 0 if it is not known.
    """

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass
class Node:
    """A value in a document: a table, a list or a scalar.

    Attributes:
        line: The line, from 1, or 0 if it is not known.
        scalar: A string, number, boolean or null. A YAML scalar without quotes is `Plain`.
        entries: The entries of a table.
        items: The items of a list.
        repeated: The earlier entries of the keys of a table that occur more than once, each with the line of the later.
        bad_keys: What is wrong with keys of a table, with their lines.
    """

    line: int = 0
    scalar: Any = None
    entries: dict[str, Node] | None = None
    items: list[Node] | None = None
    repeated: list[tuple[str, Node, int]] = field(default_factory=list["tuple[str, Node, int]"])
    bad_keys: list[tuple[str, int]] = field(default_factory=list["tuple[str, int]"])

    @property
    def is_empty(self) -> bool:
        """Whether it is null, or a table without entries."""
        return not self.entries and not self.bad_keys and self.items is None and self.scalar is None


class Plain(str):
    """A YAML scalar without quotes: what it means depends on the field."""

    __slots__ = ()

    def as_boolean(self) -> object:
        """Parse a boolean, or return the text."""
        return True if self in _TRUE else False if self in _FALSE else str(self)

    def as_integer(self) -> object:
        """Parse a whole number, or return the text."""
        return int(self) if _INTEGER.fullmatch(self) and len(self) < 20 else str(self)


def format_of(suffix: str) -> str | None:
    """Return the format of files with a suffix, or None."""
    return _FORMATS_BY_SUFFIX.get(suffix.lower())


def parse(text: str, document_format: str) -> Node:
    """Parse a document.

    Args:
        text: The document.
        document_format: ``toml``, ``yaml`` or ``json``.

    Raises:
        DocumentError: It cannot be parsed.
    """
    parsers: dict[str, Callable[[str], Node]] = {"toml": _parse_toml, "yaml": _parse_yaml, "json": _parse_json}
    try:
        return parsers[document_format](text)
    except RecursionError:
        raise DocumentError("it is nested too deeply") from None
    except (ValueError, OverflowError) as error:
        # Such as an integer of 5,000 digits, or a character above the last one of Unicode.
        raise DocumentError(f"it contains a value that cannot be read: {error}") from None


# TOML.


def _parse_toml(text: str) -> Node:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)$", str(error))
        message = re.sub(r" \(at [^()]*\)$", "", str(error))
        raise DocumentError(message, int(found[1]) if found else text.count("\n") + 1) from None
    return _located(document, (), _lines_of_toml(text))


def _located(value: Any, path: tuple[str, ...], lines: dict[tuple[str, ...], int]) -> Node:
    line = next((lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in lines), 0)
    if isinstance(value, dict):
        pairs: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]  # TOML keys are strings
        return Node(line, entries={key: _located(item, (*path, key), lines) for key, item in pairs.items()})
    if isinstance(value, list):
        items: list[Any] = value  # pyright: ignore[reportUnknownVariableType]  # of any kind
        return Node(line, items=[_located(item, path, lines) for item in items])
    return Node(line, value)


_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED_KEY = rf"\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*"
_TABLE = re.compile(rf"\s*\[{_DOTTED_KEY}\]")
_PAIR = re.compile(rf"{_DOTTED_KEY}=")


def _lines_of_toml(text: str) -> dict[tuple[str, ...], int]:
    """Find the lines of tables and keys, as far as that is possible without parsing. tomllib does not report them."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if found := _TABLE.match(line):
            table = _keys(found[1])
            lines.setdefault(table, number)
        elif found := _PAIR.match(line):
            lines.setdefault((*table, *_keys(found[1])), number)
    return lines


def _keys(dotted: str) -> tuple[str, ...]:
    try:
        value: Any = tomllib.loads(f"{dotted} = 0")
    except tomllib.TOMLDecodeError:
        return ()
    keys: list[str] = []
    while value != 0:
        ((key, value),) = value.items()
        keys.append(key)
    return tuple(keys)


# YAML and JSON.


def _parse_json(text: str) -> Node:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        raise DocumentError(error.msg, error.lineno) from None
    return _parse_yaml(_as_yaml(text))


_SURROGATES = re.compile(r"((?:^|[^\\])(?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def _as_yaml(text: str) -> str:
    """Return JSON as YAML with the same lines. They differ in tabs, surrogate pairs, and characters to escape."""

    def decode(match: re.Match[str]) -> str:
        pair = bytes.fromhex(match[2] + match[3])
        return match[1] + pair.decode("utf-16-be")

    escaped = _NOT_IN_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", text.replace("\t", " "))
    # Pairs that follow each other overlap in a single pass.
    return _SURROGATES.sub(decode, _SURROGATES.sub(decode, escaped))


_INDICATOR = re.compile(r":\s+[*@%&!`]")
"""Finds a value that begins with a character to which YAML gives a meaning, such as a schedule."""


def _parse_yaml(text: str) -> Node:
    import yaml

    try:
        root = yaml.compose(text, yaml.SafeLoader)
        return Node(1) if root is None else _node(root, frozenset())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else -1
        needs_quotes = _INDICATOR.search(text.split("\n")[line]) if mark else None
        advice = ": put the value in quotes" if needs_quotes else ""
        raise DocumentError(f"{error.problem or 'invalid YAML'}{advice}", line + 1) from None
    except yaml.reader.ReaderError as error:
        raise DocumentError(f"it contains the character {chr(error.character)!r}") from None


def _node(node: Any, parents: frozenset[int]) -> Node:
    import yaml

    line = node.start_mark.line + 1
    if id(node) in parents:
        raise DocumentError("an alias refers to the value that contains it", line)
    if node.tag not in _SUPPORTED_TAGS:
        raise DocumentError(f"the tag {node.tag.removeprefix(_STANDARD_TAG)} is not supported", line)
    parents |= {id(node)}
    if isinstance(node, yaml.MappingNode):
        return _mapping(node.value, line, parents)
    if isinstance(node, yaml.SequenceNode):
        return Node(line, items=[_node(item, parents) for item in node.value])
    if node.style is not None:
        return Node(line, node.value)
    return Node(line, None if node.tag == f"{_STANDARD_TAG}null" else Plain(node.value))


def _mapping(pairs: Iterable[tuple[Any, Any]], line: int, parents: frozenset[int]) -> Node:
    import yaml

    table = Node(line, entries={})
    entries: dict[str, Node] = {}
    for key, value in pairs:
        key_line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            table.bad_keys.append(("a key must be a string", key_line))
        elif key.tag == f"{_STANDARD_TAG}merge":
            table.bad_keys.append(("merge keys (<<) are not supported: use defaults", key_line))
        elif key.style is None and key.tag != f"{_STANDARD_TAG}str" and not _is_word(key.value):
            table.bad_keys.append((f"the key {key.value} must be a string: put it in quotes", key_line))
        else:
            name = str(key.value)
            if name in entries:
                table.repeated.append((name, entries[name], key_line))
            entries[name] = replace(_node(value, parents), line=key_line)
    return replace(table, entries=entries)


def _is_word(text: str) -> bool:
    """Return whether a key is a word that YAML 1.1 takes for a boolean, such as ``on``."""
    return text.isalpha() and text not in ("null", "Null", "NULL")
