"""Runs the scripts against the benchmark server."""

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
    """Runs scripts against a server and measures them.

    Args:
        environments: The environments to run the scripts in.
        counter: The counter that measures their cost.
        root_urls: The root URLs of the server, by scheme.
        ca_bundle: A file with the certificates to trust.
    """

    def __init__(
        self, environments: Environments, counter: Counter, root_urls: Mapping[str, str], ca_bundle: Path
    ) -> None:
        self._environments = environments
        self._counter = counter
        self._root_urls = root_urls
        self._ca_bundle = ca_bundle

    def measure(self, rows: Sequence[Row]) -> Figures:
        """Run the scripts of the rows, once each.

        Costs are measured in parallel if the counter is exact. Times are measured one after the other.
        """
        counted = list(dict.fromkeys(run for row in rows if row.is_cost for run in row.runs))
        timed = dict.fromkeys(run for row in rows if not row.is_cost for run in row.runs)
        with ThreadPoolExecutor(1 if self._counter.is_noisy else os.cpu_count()) as pool:
            costs = dict(zip(counted, pool.map(self._cost, counted), strict=True))
        times = {run: figures_of(self._command(run), self._environment(run)) for run in timed}
        return {run: {COST: cost} for run, cost in costs.items()} | times

    def _cost(self, run: Run) -> float:
        return self._counter.cost(self._command(run), self._environment(run))

    def _command(self, run: Run) -> tuple[str, ...]:
        environment = run.script.rpartition("_")[2]
        script = _ROOT / "benchmarks" / "workloads" / f"{run.script}.py"
        return (
            self._environments.python(environment),
            str(script),
            f"{self._root_urls[run.scheme]}{run.number}/",
            str(run.repeats),
        )

    def _environment(self, run: Run) -> dict[str, str]:
        # Keep out proxies and other settings. A fixed hash seed makes the cost of dict lookups repeatable.
        environment = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0"}
        return environment | ({"SSL_CERT_FILE": str(self._ca_bundle)} if run.scheme == "https" else {})


@contextmanager
def serving(environments: Environments, counter: Counter) -> Generator[Bench]:
    """Start the server in a separate process, and stop it at the end of the block."""
    authority = trustme.CA()
    with tempfile.TemporaryDirectory() as folder:
        ca_bundle, certificate = Path(folder, "bundle.pem"), Path(folder, "server.pem")
        # Include the default certificates, as most scripts load them: that takes longer than the handshake.
        ca_bundle.write_bytes(environments.default_certificates() + authority.cert_pem.bytes())
        authority.issue_cert(HOST).private_key_and_cert_chain_pem.write_to_path(str(certificate))
        command = (sys.executable, "-m", "benchmarks.server", str(certificate))
        with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            try:
                yield Bench(environments, counter, json.loads(server.stdout.readline()), ca_bundle)
            finally:
                server.stdin.close()
