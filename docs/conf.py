"""Sphinx configuration. Build the documentation with ``nox -s docs``."""

from __future__ import annotations

from healthchecks_io import __version__

project = "healthchecks_io"
version = release = __version__
extensions = ["myst_parser"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"healthchecks_io {version}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_show_copyright = False
pygments_dark_style = "github-dark"

# Methods are headings of the fourth level.
myst_heading_anchors = 4
