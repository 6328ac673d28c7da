"""Check an installed package: its public names, its files and its metadata."""

from __future__ import annotations

from importlib.metadata import distribution

import healthchecks_io

for name in healthchecks_io.__all__:
    getattr(healthchecks_io, name)

installed = distribution("healthchecks-io")
files = [str(file) for file in installed.files or []]
wanted = (".py", ".pyc", "/py.typed", "py-healthchecks.io", "py-healthchecks.io.exe")
# pip adds the .dist-info files.
assert [file for file in files if ".dist-info/" not in file and not file.endswith(wanted)] == []
assert {file.partition("/")[0] for file in files if file.endswith(".py")} == {"healthchecks_io"}
assert "healthchecks_io/py.typed" in files
assert "MIT License" in (installed.read_text("licenses/LICENSE") or "")

assert installed.version == healthchecks_io.__version__
assert installed.metadata["License-Expression"] == "MIT"
assert installed.metadata["Requires-Python"] == ">=3.10"
assert installed.metadata.get_all("Provides-Extra") == ["cli", "sandbox"]
links = dict(url.split(", ") for url in installed.metadata.get_all("Project-URL") or [])
assert links.keys() == {"Documentation", "Repository", "Issues", "Changelog"}
assert {(entry.group, entry.name) for entry in installed.entry_points} == {
    ("console_scripts", "py-healthchecks.io"),
    ("pytest11", "healthchecks_io"),
}
