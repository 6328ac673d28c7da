"""The environments that the work runs in.

The peer has the import name of this library, and httpx imports click, rich and sniffio where they are installed: so
each has an environment of its own, with its declared dependencies and nothing else.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_OURS = str(Path(__file__).parent.parent)

_UNCOMPILED = """
import importlib, pathlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
for name, module in sorted(sys.modules.items()):
    if (compiled := getattr(module, "__cached__", None)) and not pathlib.Path(compiled).exists():
        print(name)
"""


class Environments:
    """The environments ``ours``, ``httpx`` and ``peer``.

    Args:
        folder: Where they are made.
        constraints: A file with the versions of our dependencies, or None for the newest ones.
    """

    def __init__(self, folder: Path, constraints: Path | None) -> None:
        self._folder = folder
        limits = () if constraints is None else ("--constraint", str(constraints))
        with ThreadPoolExecutor() as pool:
            made = [
                pool.submit(self._make, "ours", _OURS, *limits),
                pool.submit(self._make, "httpx", "httpx", *limits),
                # The peer has dependencies of its own.
                pool.submit(self._make, "peer", "healthchecks-io==0.4.4"),
            ]
        for each in made:
            each.result()

    def _make(self, name: str, *requirements: str) -> None:
        venv.create(self._folder / name, clear=True)
        pip = (sys.executable, "-m", "pip", "--python", self.python(name), "install", "--quiet")
        subprocess.run((*pip, *requirements), check=True)
        # What is not compiled would be compiled in each run, and counted.
        subprocess.run((self.python(name), "-m", "compileall", "-q", str(self._folder / name)), check=True)
        modules = ("httpx",) if name == "httpx" else ("httpx", "healthchecks_io.client.sync_client")
        if uncompiled := self._said(name, _UNCOMPILED, *modules):
            raise OSError(f"modules that are not compiled: {', '.join(uncompiled.split())}")

    def python(self, name: str) -> str:
        """Give the interpreter of an environment."""
        return str(self._folder / name / "bin" / "python")

    def versions(self) -> dict[str, dict[str, str]]:
        """Say what was measured."""
        script = (
            "import importlib.metadata as m; print(*(f'{d.name} {d.version}' for d in m.distributions()), sep='\\n')"
        )
        return {
            name: dict(line.split() for line in sorted(self._said(name, script).splitlines()))
            for name in ("ours", "httpx", "peer")
        }

    def certificates(self) -> bytes:
        """Give the certificates that httpx trusts by itself."""
        return Path(self._said("httpx", "import certifi; print(certifi.where())").strip()).read_bytes()

    def _said(self, name: str, script: str, *arguments: str) -> str:
        command = (self.python(name), "-c", script, *arguments)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
