"""Check an installed package: every public name can be imported, and no unwanted file is installed."""

from __future__ import annotations

from importlib.metadata import files

import healthchecks_io

for name in healthchecks_io.__all__:
    getattr(healthchecks_io, name)

installed = [str(file) for file in files("healthchecks-io") or []]
wanted = (".py", ".pyc", "/py.typed", "py-healthchecks.io")
# pip adds the .dist-info files.
unwanted = [name for name in installed if ".dist-info/" not in name and not name.endswith(wanted)]
assert "healthchecks_io/py.typed" in installed
assert unwanted == []
assert {name.partition("/")[0] for name in installed if name.endswith(".py")} == {"healthchecks_io"}
