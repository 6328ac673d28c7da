"""Check a built sdist: it contains the files that git does not ignore, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tarfile

GENERATED = {"PKG-INFO"}
CHECKOUT_ONLY = (".ci/", ".github/", ".gitignore")
"""Useless without the repository."""

with tarfile.open(sys.argv[1]) as sdist:
    contained = {name.partition("/")[2] for name in sdist.getnames()} - GENERATED
# New files, too, so that the check does not depend on whether they have been added to the index.
listing = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
files = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split("\0")  # noqa: S603 - constant
wanted = {file for file in files if file and not file.startswith(CHECKOUT_ONLY)}
assert wanted == contained, (
    f"missing from the sdist: {wanted - contained}; in the sdist, but not in the repository: {contained - wanted}"
)
