"""Sphinx configuration. Build the documentation with ``nox -s docs``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel
from sphinx.pycode import ModuleAnalyzer
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
html_css_files = ["custom.css"]
html_show_copyright = False
pygments_dark_style = "github-dark"

myst_heading_anchors = 3
default_role = "code"

# An integration needs its package. Its documentation does not.
autodoc_mock_imports = ["celery"]
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "exclude-members": "model_config, model_post_init"}
napoleon_numpy_docstring = False
napoleon_attr_annotations = True

nitpicky = True
nitpick_ignore_regex = [
    # Types from the standard library and other packages: resolving them would need the network.
    (r"py:(class|exc)", r"(collections\.abc|datetime|httpx|logging|os|pathlib|pydantic|uuid)\..*"),
    # The same types, by their names in annotations.
    ("py:class", "AwareDatetime|UUID|datetime|timedelta"),
    # Names for type checkers. The keywords of from_env are documented as arguments of the constructors.
    ("py:class", "C|P|T|Self|Suppressed_co|Unpack|ClientKeywords|AsyncClientKeywords|TrapOptions"),
    # Types that the text describes: what monitor and heartbeat return, arguments, the action of a change, a status.
    ("py:class", "Monitor|Heartbeat|PingErrors|LogScope|Ignored|Action|State"),
]

# Import the schemas before Sphinx documents them: it modifies annotations that pydantic needs to read first.
SCHEMAS = (badges.Badges, checks.Check, integrations.Integration)

# Show one signature with all parameters instead of the overloads, which abbreviate them.
for name in ("monitor", "heartbeat"):
    analyzer = ModuleAnalyzer.for_module(f"healthchecks_io.monitoring.{name}")
    analyzer.analyze()
    analyzer.overloads.pop(name)


def hide_schema_signature(_app: Sphinx, what: str, _name: str, documented: object, *_: Any) -> tuple[str, str] | None:
    """Hide the signature of a schema. Its fields are documented one by one below it."""
    is_schema = what == "class" and isinstance(documented, type) and issubclass(documented, BaseModel)
    return ("", "") if is_schema else None


def show_plain_types(
    _app: Sphinx, _what: str, _name: str, _documented: object, _options: Any, lines: list[str]
) -> None:
    """Replace annotated aliases with their plain type, such as ``str``. The text documents the constraints."""

    def plain(alias: re.Match[str]) -> str:
        annotation = getattr(checks, alias[0])
        return stringify_annotation(get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation)

    lines[:] = [re.sub(r"(?<=:type: )_\w+", plain, line) for line in lines]


def show_types_beside_names(
    _app: Sphinx, _what: str, _name: str, _documented: object, _options: Any, lines: list[str]
) -> None:
    """Show an attribute and its type in one line. Napoleon puts the type below the description, in three lines."""
    attribute = r"(\.\. attribute:: \w+\n)((?:   .*\n|\n)*?)   (:type: .*)"
    lines[:] = re.sub(attribute, r"\1   \3\n\2", "\n".join(lines)).split("\n")


def link_server_versions(
    _app: Sphinx, what: str, _name: str, _documented: object, _options: Any, lines: list[str]
) -> None:
    """Link each "Needs Healthchecks 2.3 or newer" to the page that lists what works since which version."""
    target = "server-methods" if what == "method" else "server-fields"
    note = r"needs?\s+Healthchecks\s+\d+\.\d+\s+or\s+newer"
    lines[:] = re.sub(note, rf":ref:`\g<0> <{target}>`", "\n".join(lines), flags=re.IGNORECASE).split("\n")


def setup(app: Sphinx) -> None:
    """Connect the event handlers."""
    app.connect("autodoc-process-signature", hide_schema_signature)
    # After napoleon, which generates these lines.
    app.connect("autodoc-process-docstring", show_plain_types, priority=900)
    app.connect("autodoc-process-docstring", show_types_beside_names, priority=900)
    app.connect("autodoc-process-docstring", link_server_versions, priority=900)
