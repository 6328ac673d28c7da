"""Read checks from a file, and write them to one."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from healthchecks_io._durations import format_exactly
from healthchecks_io.provisioning.documents import DocumentError, Node, Plain, format_of, parse
from healthchecks_io.schemas.checks import CheckCreate
from healthchecks_io.schemas.places import Place
from healthchecks_io.schemas.problems import problems_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

_FIELDS = tuple(name for name in CheckCreate.model_fields if name not in ("slug", "unique"))
_BOOLEANS = frozenset({
    "manual_resume", "filter_subject", "filter_body", "filter_http_body", "filter_default_fail",
})  # fmt: skip
_DURATIONS = frozenset({"timeout", "grace"})
_LISTS = {"tags": " ", "channels": ","}
_OTHER_NAMES = {
    "period": "timeout",
    "interval": "timeout",
    "description": "desc",
    "timezone": "tz",
    "integrations": "channels",
}
_YAML_LINE_BREAKS = frozenset("\x85\u2028\u2029")
_EMPTY = Node(entries={})
_ALWAYS_WRITTEN = frozenset({"name", "timeout", "schedule", "tz", "grace", "channels", "tags"})


def load_checks(path: str | os.PathLike[str]) -> list[CheckCreate]:
    """Read the checks that a file declares.

    The file has a table ``checks`` with a table of fields for each check, by slug, and may have a table ``defaults``
    with fields for all of them::

        [defaults]
        tz = "Europe/Riga"

        [checks.nightly-backup]
        schedule = "0 3 * * *"
        tags = ["db", "prod"]

    The fields are those of CheckCreate. A check that sets ``timeout`` ignores a default ``schedule``, and the reverse.

    Args:
        path: A file with the suffix ``.toml``, ``.yaml``, ``.yml`` or ``.json``.

    Returns:
        The checks, each with its slug, in the order of the file.

    Raises:
        ValueError: The file cannot be read, or contains mistakes. The message lists all of them, one per line.
        ImportError: The file is YAML, and PyYAML, which the extra ``cli`` contains, is not installed.
    """
    file = Path(path)
    document_format = format_of(file.suffix)
    if document_format is None:
        raise ValueError(f"{file}: the name must end with .toml, .yaml, .yml or .json")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{file}: it is not UTF-8 text") from None
    try:
        document = parse(text, document_format)
    except DocumentError as error:
        raise ValueError(f"{_position(str(file), error.line)}: {error}") from None
    reader = _Reader(str(file))
    checks = reader.read(document)
    if reader.problems:
        raise ValueError("\n".join(reader.problems))
    return checks


def _position(file: str, line: int) -> str:
    return f"{file}:{line}" if line else file


class _Reader:
    """Collects the problems of a file while its checks are read."""

    def __init__(self, file: str) -> None:
        self.problems: list[str] = []
        self._file = file

    def read(self, document: Node) -> list[CheckCreate]:
        if document.is_empty:
            self._report(0, "it is empty: it must have a table named checks")
            return []
        tables = self._mapping(document, "the document")
        for name, node in tables.items():
            if name not in ("defaults", "checks"):
                self._report(node.line, f"unknown key {name!r}: only defaults and checks are known")
        if "checks" not in tables:
            self._report(0, "it has no table named checks")
        defaults = self._fields("defaults", tables.get("defaults", _EMPTY))
        if {"timeout", "schedule"} <= defaults.keys():
            self._report(tables["defaults"].line, "defaults: set either timeout or schedule")
        self._validate("defaults", tables.get("defaults", _EMPTY), defaults)
        checks = tables.get("checks", _EMPTY)
        declared = self._mapping(checks, "checks")
        for slug, node, _ in checks.repeated:
            self._read_check(slug, node, defaults, "")
        default_channels = self._place_of_channels("defaults", tables.get("defaults", _EMPTY))
        read = [self._read_check(slug, node, defaults, default_channels) for slug, node in declared.items()]
        return [check for check in read if check is not None]

    def _read_check(self, slug: str, node: Node, defaults: dict[str, Any], default_channels: str) -> CheckCreate | None:
        where = f"checks.{slug}"
        own = self._fields(where, node)
        if {"timeout", "schedule"} <= own.keys():
            self._report(node.line, f"{where}: set either timeout or schedule")
        if not slug:
            self._report(node.line, f"{where}: the slug is empty")
        if self._validate(where, node, {"slug": slug, **own}) is None or self.problems:
            return None
        ignored = {"timeout": "schedule", "schedule": "timeout"}
        inherited = {name: value for name, value in defaults.items() if ignored.get(name) not in own}
        check = CheckCreate.model_validate({"slug": slug, **inherited, **own})
        channels = self._place_of_channels(where, node) or default_channels
        check._place = Place(_position(self._file, node.line), channels)  # pyright: ignore[reportPrivateUsage]  # set only here
        return check

    def _place_of_channels(self, where: str, node: Node) -> str:
        found = (node.entries or {}).get("channels")
        return "" if found is None else self._place(found.line, where)

    def _validate(self, where: str, node: Node, fields: dict[str, Any]) -> CheckCreate | None:
        try:
            return CheckCreate.model_validate(fields)
        except ValidationError as error:
            for name, message in problems_of(error):
                found = (node.entries or {}).get(name)
                line = node.line if found is None else found.line
                self._report(line, f"{where}: {name}: {message}")
        return None

    def _fields(self, where: str, node: Node) -> dict[str, Any]:
        """Return the known fields of a table."""
        fields: dict[str, Any] = {}
        for name, value in self._mapping(node, where).items():
            if name in _FIELDS:
                fields[name] = _plain_value(name, value)
                if fields[name] is None:
                    self._report(value.line, f"{where}: {name}: the value is missing")
            else:
                self._report(value.line, f"{where}: unknown field {name!r}{_suggestion(name)}")
        return {name: value for name, value in fields.items() if value is not None}

    def _mapping(self, node: Node, where: str) -> dict[str, Node]:
        """Return the entries of a table. If the node is not a table, report that."""
        for problem, line in node.bad_keys:
            self._report(line, f"{where}: {problem}")
        for name, _, line in node.repeated:
            self._report(line, f"{where}: {name!r} occurs more than once")
        if node.entries is None:
            self._report(node.line, f"{where} must be a table, not {_kind(node)}")
        return node.entries or {}

    def _report(self, line: int, problem: str) -> None:
        self.problems.append(self._place(line, problem))

    def _place(self, line: int, text: str) -> str:
        return f"{_position(self._file, line)}: {text}"


def _plain_value(name: str, node: Node) -> Any:
    """Return the value of a field. What a YAML scalar without quotes means depends on the field."""
    if node.items is not None:
        return [_plain_value("", item) for item in node.items]
    if node.entries is not None:
        return {key: _plain_value("", item) for key, item in node.entries.items()}
    value = node.scalar
    if not isinstance(value, Plain):
        return value
    if name in _BOOLEANS:
        return value.as_boolean()
    return value.as_integer() if name in _DURATIONS else str(value)


def _kind(node: Node) -> str:
    if node.items is not None:
        return "a list"
    return "nothing" if node.scalar is None else "a number" if isinstance(node.scalar, (int, float)) else "text"


def _suggestion(name: str) -> str:
    if name == "slug":
        return ": the slug is the name of the table"
    found = [_OTHER_NAMES[name]] if name in _OTHER_NAMES else difflib.get_close_matches(name, _FIELDS, 1)
    return f": did you mean {found[0]!r}?" if found else ""


# Writing.


def dump_checks(checks: Iterable[CheckCreate], document_format: str) -> str:
    """Return the text of a file that declares some checks.

    Args:
        checks: The checks, each with its slug.
        document_format: ``toml``, ``yaml`` or ``json``.
    """
    document = {"checks": {str(check.slug): _written_fields(check) for check in checks}}
    if document_format == "json":
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if document_format == "yaml":
        return _dump_yaml(document)
    import tomli_w

    return tomli_w.dumps(document)


def _dump_yaml(document: dict[str, Any]) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        # In single quotes, PyYAML does not escape these line breaks, which YAML folds.
        style = '"' if not _YAML_LINE_BREAKS.isdisjoint(text) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)  # pyright: ignore[reportUnknownMemberType]  # untyped

    Dumper.add_representer(str, represent_text)
    return yaml.dump(document, Dumper=Dumper, allow_unicode=True, sort_keys=False, width=100)


def _written_fields(check: CheckCreate) -> dict[str, Any]:
    """Return the fields of a check to write: those that differ from the defaults, and those that matter most."""
    fields: dict[str, Any] = {}
    for name in _FIELDS:
        value: Any = getattr(check, name)
        is_default = value == CheckCreate.model_fields[name].default
        if name not in check.model_fields_set or value is None or (is_default and name not in _ALWAYS_WRITTEN):
            continue
        if name in _DURATIONS:
            value = format_exactly(value)
        elif name in _LISTS:
            value = value.split(_LISTS[name].strip() or None) if value else []
        fields[name] = value
    return fields
