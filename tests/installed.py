"""A program for where the package is installed alone: all of it is there, and nothing that users do not need."""

from __future__ import annotations

from importlib.metadata import files

import healthchecks_io

for name in healthchecks_io.__all__:
    getattr(healthchecks_io, name)

installed = [str(file) for file in files("healthchecks-io") or []]
needed = (".py", ".pyc", "/py.typed")
# Apart from what pip writes down about the installation.
needless = [
    name for name in installed if ".dist-info/" not in name and not name.endswith((*needed, "py-healthchecks.io"))
]
assert "healthchecks_io/py.typed" in installed
assert needless == []
assert {name.partition("/")[0] for name in installed if name.endswith(".py")} == {"healthchecks_io"}
