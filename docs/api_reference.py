"""Generates the parts of the reference that describe classes and functions, from their signatures and docstrings.

They are the parts of the pages between a comment such as ``<!-- api: healthchecks_io.Client -->`` and
``<!-- /api -->``. Run it after changing a signature or a docstring: ``python docs/api_reference.py``.
"""

from __future__ import annotations

import builtins
import importlib
import os
import re
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DOCS = Path(__file__).parent
BLOCK = re.compile(r"(<!-- api: ([\w.]+) -->\n).*?(<!-- /api -->)", re.DOTALL)
CODE_WIDTH = 88
TEXT_WIDTH = 120

PYDANTIC = {
    "pydantic.AwareDatetime": "types/#pydantic.types.AwareDatetime",
    "pydantic.ValidationError": "pydantic_core/#pydantic_core.ValidationError",
}
TOKEN = re.compile(r"``(.+?)``|`(.+?)`|([Nn]eeds? Healthchecks [\d.]+ or newer)|([A-Za-z]\w*(?:\.\w+)*(?:\(\))?)")
"""In a docstring: code in two or in single backticks, a note on the version of the server, a word or dotted name."""


def find(path: str) -> Any:
    """Return what griffe knows about a name of the package."""
    value = PACKAGE[path.partition(".")[2]]
    return value.final_target if isinstance(value, griffe.Alias) else value


PACKAGE = griffe.load(
    "healthchecks_io",
    search_paths=[DOCS.parent / "src"],
    docstring_parser="google",
    docstring_options={"returns_multiple_items": False, "returns_named_value": False},
    resolve_aliases=True,
)
PAGES = {path: page for page in sorted(DOCS.rglob("*.md")) for _, path, _ in BLOCK.findall(page.read_text("utf-8"))}
"""The page of each documented name."""
DOCUMENTED = {find(path).path: path for path in PAGES}
"""The documented names by where they are defined."""
SHORT = {path.rpartition(".")[2]: path for path in PAGES}


def pages() -> dict[Path, str]:
    """Return the new text of each page that has generated parts."""
    return {page: Page(page).text() for page in {*PAGES.values()}}


class Page:
    """Generates the parts of one page."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._described: dict[str, str] = {}
        self._class: Any = None

    def text(self) -> str:
        """Return the text of the page."""

        def block(match: re.Match[str]) -> str:
            return f"{match[1]}\n" + "".join(f"{part}\n\n" for part in self._describe(match[2])) + match[3]

        return BLOCK.sub(block, self._file.read_text("utf-8"))

    def _describe(self, path: str) -> Iterator[str]:
        value = find(path)
        self._class = value if value.is_class else None
        yield f"### `{path}`"
        yield code(signature(value))
        yield from self._docstring(value, value.docstring)
        if not value.is_class:
            return
        is_model = value.path.startswith("healthchecks_io.schemas.")
        fields = {name: each for name, each in members_of(value, inherited=is_model).items() if is_field(each)}
        if fields:
            facts = facts_of(value) if is_model else {}
            types = {each.name: each.annotation for each in value.parameters}
            yield "**Attributes:**"
            yield self._list(
                (name, fields[name].annotation or types.get(name), facts.get(name, ()), docstring_of(value, name).value)
                for name in facts or fields
            )
        for name, member in members_of(value, inherited=False).items():
            docstring = docstring_of(value, name)
            if not is_field(member):
                yield f"#### `{value.name}.{name}`"
                yield code(signature(member))
                # What two classes of a page inherit from the same base is described once.
                first = self._described.setdefault(docstring.value, f"{value.name}.{name}")
                if first == f"{value.name}.{name}":
                    yield from self._docstring(member, docstring)
                else:
                    yield f"See {self._code(first)}."

    def _docstring(self, value: Any, docstring: Any) -> Iterator[str]:
        for section in docstring.parse() if docstring else ():
            if section.kind.value == "parameters":
                types = {each.name: each.annotation for each in value.parameters}
                yield "**Arguments:**"
                yield self._list(
                    (each.name, types[each.name.lstrip("*")], (), each.description) for each in section.value
                )
            elif section.kind.value == "returns":
                yield fill(f"**Returns:** {self._prose(section.value[0].description)}")
            elif section.kind.value == "raises":
                yield "**Raises:**"
                yield "\n".join(
                    fill(f"- {self._type(each.annotation)}: {self._prose(each.description)}", "  ")
                    for each in section.value
                )
            else:
                yield from self._paragraphs(section.value)

    def _paragraphs(self, text: str) -> Iterator[str]:
        for part in re.split(r"\n\n(?=\S)", text):
            prose, _, example = part.partition("::\n\n")
            if prose:
                yield fill(self._prose(prose) + ":" * bool(example))
            if example:
                example = textwrap.dedent(example).strip("\n")
                yield code(example, "toml" if example.startswith("[") else "python")

    def _list(self, items: Iterable[tuple[str, Any, Iterable[str], str]]) -> str:
        lines: list[str] = []
        for name, annotation, facts, text in items:
            # The keyword arguments of another function have no type of their own.
            has_type = annotation is not None and not str(annotation).startswith("Unpack[")
            details = ", ".join([*([self._type(annotation)] if has_type else []), *facts])
            lines.append(fill(f"- `{name}`{f' ({details})' if details else ''}: {self._prose(text)}", "  "))
        return "\n".join(lines)

    def _type(self, annotation: Any) -> str:
        """Return an annotation as code, with links."""
        parts, plain = [], ""
        for text, path in tokens(annotation):
            url = self._url(path) or external_url(path)
            if not url:
                plain += text
                continue
            module = f"{path.rpartition('.')[0]}."
            name, plain = (path, plain.removesuffix(module)) if plain.endswith(module) else (text, plain)
            parts += [plain, f"[`{name}`]({url})"]
            plain = ""
        return "".join(
            part if part.startswith("[`") else re.sub(r"\S(.*\S)?", r"`\g<0>`", part) for part in [*parts, plain]
        )

    def _prose(self, text: str) -> str:
        """Return a text with Markdown for its inline markup, and links for the names in it."""

        def token(match: re.Match[str]) -> str:
            double, single, note, word = match.groups()
            if note:
                versions = DOCS / "reference" / "server-versions.md"
                section = "fields-of-checks" if self._file.stem == "schemas" else "methods"
                return f"[{note}]({self._relative(versions)}#{section})"
            if not word:
                span = double or single
                return self._code(span) if span in SHORT or re.search(r"[.(]", span) else f"`{span}`"
            # Check, Plan and others are also English words.
            is_camel_case = word == "Client" or len(re.findall("[A-Z]", word)) > 1
            is_code = re.search(r"_|\(|\.[A-Z]", word) or (is_camel_case and hasattr(builtins, word))
            return self._code(word) if is_code or ((is_camel_case or "." in word) and self._url_of_name(word)) else word

        return TOKEN.sub(token, " ".join(text.split()))

    def _code(self, name: str) -> str:
        url = self._url_of_name(name)
        return f"[`{name}`]({url})" if url else f"`{name}`"

    def _url_of_name(self, name: str) -> str:
        """Return the URL of a public name, such as Client, Client.close, or close() in the description of Client."""
        owner, _, member = name.removesuffix("()").rpartition(".")
        if member in SHORT and not owner:
            return self._url(find(SHORT[member]).path)
        class_ = find(SHORT[owner]) if owner in SHORT else self._class
        if class_ is None or owner not in ("", class_.name) or member not in members_of(class_):
            return ""
        url = self._url(class_.path)
        if is_field(members_of(class_)[member]):
            return url if owner else ""
        return f"{url.partition('#')[0]}#{slug(class_.name, member)}"

    def _url(self, path: str) -> str:
        """Return the URL of a documented name, by where it is defined."""
        documented = DOCUMENTED.get(path)
        return f"{self._relative(PAGES[documented])}#{slug(documented)}" if documented else ""

    def _relative(self, page: Path) -> str:
        return "" if page == self._file else Path(os.path.relpath(page, self._file.parent)).as_posix()


def members_of(class_: Any, *, inherited: bool = True) -> dict[str, Any]:
    """Return the documented members of a class. Those of documented base classes count as inherited."""
    classes = [class_, *(each for each in class_.mro() if inherited or each.path not in DOCUMENTED)]
    members = {name: each for base in reversed(classes) for name, each in base.members.items()}
    names = dict.fromkeys(name for base in classes for name in base.members)
    return {
        name: members[name] for name in names if (name == "__call__" or name[0] != "_") and docstring_of(class_, name)
    }


def is_field(member: Any) -> bool:
    """Return whether a member is a field, and no method or property."""
    return member.is_attribute and "property" not in member.labels


def docstring_of(class_: Any, name: str) -> Any:
    """Return the docstring of a member, which may be that of a base class."""
    members = (base.members[name] for base in (class_, *class_.mro()) if name in base.members)
    return next((member.docstring for member in members if member.docstring), None)


def facts_of(class_: Any) -> dict[str, list[str]]:
    """Return the limits and defaults of the fields of a model."""
    model = getattr(importlib.import_module(class_.module.path), class_.name)
    facts: dict[str, list[str]] = {}
    for name, schema in model.model_json_schema(by_alias=False)["properties"].items():
        limits = {key: value for each in (schema, *schema.get("anyOf", ())) for key, value in each.items()}
        facts[name] = [f"at most {limits['maxLength']} characters"] if "maxLength" in limits else []
        facts[name] += [f"pattern `{limits['pattern']}`"] if "pattern" in limits else []
        facts[name] += [f"default `{schema['default']!r}`".replace("'", '"')] if "default" in schema else []
    return facts


def signature(value: Any) -> str:
    """Return a signature as code, which is wrapped if it is long."""
    if value.is_attribute:
        is_alias = value.value is not None
        return f"{value.name} = {plain(value.value)}" if is_alias else f"{value.name}: {plain(value.annotation)}"
    has_fields = "__init__" not in value.members or "dataclass" in value.labels or value.name.endswith("Error")
    if value.is_class and has_fields:
        bases = ", ".join(map(plain, value.bases))
        return f"class {value.name}({bases})" if bases else f"class {value.name}"
    parameters: list[str] = []
    for each in value.parameters:
        if each.name in ("self", "cls"):
            continue
        kind = each.kind.value
        if kind == "keyword-only" and "*" not in parameters:
            parameters.append("*")
        if kind == "variadic keyword":
            parameters.append(f"**{each.name}")
        else:
            default = "" if each.default is None else f" = {plain(each.default)}"
            parameters.append(f"{each.name}: {plain(each.annotation)}{default}")
    decorators = "".join(f"@{label}\n" for label in ("classmethod", "staticmethod") if label in value.labels)
    keyword = "class" if value.is_class else "async def" if "async" in value.labels else "def"
    returns = "" if value.is_class else f" -> {plain(value.returns)}"
    line = f"{keyword} {value.name}({', '.join(parameters)}){returns}"
    if len(line) > CODE_WIDTH:
        line = f"{keyword} {value.name}(\n" + "".join(f"    {each},\n" for each in parameters) + f"){returns}"
    return decorators + line


def tokens(annotation: Any) -> Iterator[tuple[str, str]]:
    """Yield the parts of an annotation, with the full names of those that are names. Private aliases are replaced."""
    if isinstance(annotation, str):
        yield annotation.replace("'", '"'), ""
        return
    for part in annotation.iterate(flat=True):
        path = part if isinstance(part, str) else part.canonical_path
        alias = find(path) if path.startswith("healthchecks_io.") and path not in DOCUMENTED else None
        if isinstance(part, str):
            yield part.replace("'", '"'), ""
        elif alias is not None and alias.is_attribute and not isinstance(alias.value, griffe.ExprCall):
            is_annotated = str(alias.value).startswith("Annotated[")
            yield from tokens(alias.value.slice.elements[0] if is_annotated else alias.value)
        else:
            yield part.name, path


def plain(annotation: Any) -> str:
    """Return an annotation or a default as text."""
    return "".join(text for text, _ in tokens(annotation))


def external_url(path: str) -> str:
    """Return the URL of a type of another package, except for builtins and the vocabulary of annotations."""
    module, _, name = path.rpartition(".")
    if module == "httpx":
        return f"https://www.python-httpx.org/api/#{name.lower()}"
    if module == "pydantic":
        return f"https://docs.pydantic.dev/latest/api/{PYDANTIC[path]}"
    is_linked = module.partition(".")[0] in sys.stdlib_module_names - {"collections", "typing"}
    return f"https://docs.python.org/3/library/{module}.html#{path}" if is_linked else ""


def slug(*names: str) -> str:
    """Return the anchor of a heading."""
    return "".join(names).replace(".", "").lower()


def code(text: str, language: str = "python") -> str:
    """Return a block of code."""
    return f"```{language}\n{text}\n```"


def fill(text: str, indent: str = "") -> str:
    """Return a paragraph in lines."""
    return textwrap.fill(text, TEXT_WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


if __name__ == "__main__":
    for page, text in pages().items():
        page.write_text(text, encoding="utf-8")
