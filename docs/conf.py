"""How Sphinx builds the documentation: ``nox -s docs``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel
from sphinx.util.typing import stringify_annotation

from healthchecks_io import __version__
from healthchecks_io.schemas import badges, checks, integrations

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "healthchecks_io"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"healthchecks_io {version}"
html_static_path = ["_static"]
html_show_copyright = False

myst_heading_anchors = 3
default_role = "code"

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "exclude-members": "model_config"}
napoleon_numpy_docstring = False
napoleon_attr_annotations = True

nitpicky = True
nitpick_ignore_regex = [
    # Types of Python and of other packages: to look them up would need the network.
    (r"py:(class|exc)", r"(collections\.abc|datetime|httpx|logging|pathlib|pydantic|uuid)\..*"),
    # The same, as our annotations name them.
    ("py:class", "AwareDatetime|UUID|datetime"),
    # Names for type checkers; the keywords of from_env are those of the constructors, and documented there.
    ("py:class", "C|P|T|Self|Swallowed_co|Unpack|ClientSettings|AsyncClientSettings"),
]

# Sphinx writes into the annotations of the classes that it reads: pydantic must have read them before.
SCHEMAS = (badges.Badges, checks.Check, integrations.Integration)


def without_signature(_app: Sphinx, what: str, _name: str, documented: object, *_: Any) -> tuple[str, str] | None:
    """Leave out the signature of a schema: its fields stand below it, one by one."""
    is_schema = what == "class" and isinstance(documented, type) and issubclass(documented, BaseModel)
    return ("", "") if is_schema else None


def with_plain_types(
    _app: Sphinx, _what: str, _name: str, _documented: object, _options: Any, lines: list[str]
) -> None:
    """Write ``str`` where a field's annotation is an alias with rules: the rules stand in the text."""

    def plain(alias: re.Match[str]) -> str:
        annotation = getattr(checks, alias[0])
        return stringify_annotation(get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation)

    lines[:] = [re.sub(r"(?<=:type: )_\w+", plain, line) for line in lines]


def setup(app: Sphinx) -> None:
    """Add what only this project needs."""
    app.connect("autodoc-process-signature", without_signature)
    # After napoleon, which makes these lines.
    app.connect("autodoc-process-docstring", with_plain_types, priority=900)
