"""The virtual environments that the scripts run in.

Each library has its own environment, with its declared dependencies and nothing else. The peer, healthchecks-io 0.4.4,
has the same import name as this library, and httpx imports click, rich and sniffio if they are installed.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_CHECKOUT = str(Path(__file__).parent.parent)

_LIST_UNCOMPILED_MODULES = """
import importlib, pathlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
for name, module in sorted(sys.modules.items()):
    if (compiled := getattr(module, "__cached__", None)) and not pathlib.Path(compiled).exists():
        print(name)
"""


class Environments:
    """The virtual environments ``ours``, ``cli`` (with our command line), ``httpx`` and ``peer``.

    Args:
        folder: The folder to create them in.
        constraints: A pip constraints file with the versions of our dependencies, or None for the newest ones.
    """

    def __init__(self, folder: Path, constraints: Path | None) -> None:
        self._folder = folder
        options = () if constraints is None else ("--constraint", str(constraints))
        with ThreadPoolExecutor() as pool:
            futures = [
                pool.submit(self._create, "ours", _CHECKOUT, *options),
                pool.submit(self._create, "cli", f"{_CHECKOUT}[cli]", *options),
                pool.submit(self._create, "httpx", "httpx", *options),
                # The peer has its own dependencies, which the constraints do not cover.
                pool.submit(self._create, "peer", "healthchecks-io==0.4.4"),
            ]
        for future in futures:
            future.result()

    def _create(self, name: str, *arguments: str) -> None:
        venv.create(self._folder / name, clear=True)
        pip = (sys.executable, "-m", "pip", "--python", self.python(name), "install", "--quiet")
        subprocess.run((*pip, *arguments), check=True)
        # Otherwise modules without bytecode would be compiled, and counted, in each run.
        subprocess.run((self.python(name), "-m", "compileall", "-q", str(self._folder / name)), check=True)
        modules = ("httpx",) if name == "httpx" else ("httpx", "healthchecks_io.client.sync_client")
        if uncompiled := self._output_of(name, _LIST_UNCOMPILED_MODULES, *modules):
            raise OSError(f"modules without bytecode in {name}: {', '.join(uncompiled.split())}")

    def python(self, name: str) -> str:
        """Return the path of the interpreter of an environment."""
        return str(self._folder / name / "bin" / "python")

    def versions(self) -> dict[str, dict[str, str]]:
        """Return the installed distributions and their versions, by environment."""
        script = (
            "import importlib.metadata as m; print(*(f'{d.name} {d.version}' for d in m.distributions()), sep='\\n')"
        )
        return {
            name: dict(line.split() for line in sorted(self._output_of(name, script).splitlines()))
            for name in ("ours", "cli", "httpx", "peer")
        }

    def default_certificates(self) -> bytes:
        """Return the certificates that httpx trusts by default."""
        return Path(self._output_of("httpx", "import certifi; print(certifi.where())").strip()).read_bytes()

    def _output_of(self, name: str, script: str, *arguments: str) -> str:
        command = (self.python(name), "-c", script, *arguments)
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout
