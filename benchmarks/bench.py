"""The running of scripts on the server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

from benchmarks.measuring import figures_of
from benchmarks.quantities import COST
from benchmarks.server import HOST

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from benchmarks.environments import Environments
    from benchmarks.measuring import Counter
    from benchmarks.quantities import Figures, Row, Run

_ROOT = Path(__file__).parent.parent


class Bench:
    """Runs scripts on a server.

    Args:
        environments: Where they run.
        counter: What tells their cost.
        addresses: The addresses of the server, by scheme.
        bundle: A file with the certificates to trust.
    """

    def __init__(
        self, environments: Environments, counter: Counter, addresses: Mapping[str, str], bundle: Path
    ) -> None:
        self._environments = environments
        self._counter = counter
        self._addresses = addresses
        self._bundle = bundle

    def measure(self, rows: Sequence[Row]) -> Figures:
        """Run what the rows need, each script once and in turn."""
        counted = list(dict.fromkeys(run for row in rows if row.is_cost for run in row.runs))
        timed = dict.fromkeys(run for row in rows if not row.is_cost for run in row.runs)
        with ThreadPoolExecutor(1 if self._counter.is_disturbed else os.cpu_count()) as pool:
            costs = dict(zip(counted, pool.map(self._cost, counted), strict=True))
        times = {run: figures_of(self._command(run), self._environment(run)) for run in timed}
        return {run: {COST: cost} for run, cost in costs.items()} | times

    def _cost(self, run: Run) -> float:
        return self._counter.cost(self._command(run), self._environment(run))

    def _command(self, run: Run) -> tuple[str, ...]:
        library = run.script.rpartition("_")[2]
        script = _ROOT / "benchmarks" / "work" / f"{run.script}.py"
        return (
            self._environments.python(library),
            str(script),
            f"{self._addresses[run.scheme]}{run.number}/",
            str(run.times),
        )

    def _environment(self, run: Run) -> dict[str, str]:
        # No proxy or other setting gets in. Hashes decide how long a search in a dict takes: they stay the same.
        environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
        return environment | ({"SSL_CERT_FILE": str(self._bundle)} if run.scheme == "https" else {})


@contextmanager
def serving(environments: Environments, counter: Counter) -> Generator[Bench]:
    """Start the server in a process of its own."""
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        bundle, certificate = Path(folder, "bundle.pem"), Path(folder, "server.pem")
        # As many as a script reads where there is no authority of its own: it takes more time than the handshake.
        bundle.write_bytes(environments.certificates() + authority.cert_pem.bytes())
        authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(certificate))
        command = (sys.executable, "-m", "benchmarks.server", str(certificate))
        with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            try:
                yield Bench(environments, counter, json.loads(server.stdout.readline()), bundle)
            finally:
                server.stdin.close()
