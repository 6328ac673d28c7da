"""Runs the app in shop.py in real workers and a real beat."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processes import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent


class Shop:
    """The app in shop.py, on a database of its own of the Redis server.

    Args:
        port: The port of the Redis server.
        database: The number of the database.
        folder: A folder for logs and the schedule of beat.
        environ: The environment variables for the client.
        tasks: The names of the tasks that beat sends.
    """

    def __init__(self, port: int, database: int, folder: Path, environ: Mapping[str, str], tasks: str) -> None:
        self.broker = f"redis://127.0.0.1:{port}/{database}"
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self._environ = {
            **os.environ,
            **environ,
            "BROKER": self.broker,
            "TASKS": tasks,
            "PYTHONPATH": os.pathsep.join([str(FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]),
        }

    @cached_property
    def client(self) -> Any:
        """An app that sends tasks to the workers."""
        import celery

        return celery.Celery("client", broker=self.broker, backend=self.broker, set_as_current=False)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Run a command of Celery."""
        command = [sys.executable, "-m", "celery", "--app=shop", *arguments, "--loglevel=INFO"]
        with self._log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - trusted input
                command, env=self._environ, cwd=self._folder, stdout=log, stderr=log, start_new_session=True
            )
        self._processes.append(process)
        return process

    def start_worker(self, name: str, pool: str, concurrency: int = 2) -> subprocess.Popen[bytes]:
        """Start a worker, and wait until it consumes."""
        options = [
            f"--pool={pool}",
            f"--concurrency={concurrency}",
            f"--hostname={name}@shop",
            "--without-gossip",
            "--without-mingle",
        ]
        worker = self.start("worker", *options)
        assert eventually(lambda: f"{name}@shop ready" in self.log or worker.poll() is not None, 30)
        assert worker.poll() is None, self.log
        return worker

    def start_beat(self) -> subprocess.Popen[bytes]:
        return self.start("beat", "--schedule=schedule", "--pidfile=")

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    @property
    def log(self) -> str:
        """What all processes have logged."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Ask a process to end, and wait until it has ended."""
        time.sleep(0.5)  # Celery 5.6 hangs if a task ends while the worker begins to shut down.
        process.terminate()
        assert eventually(lambda: process.poll() is not None, 30), f"the process did not end:\n{self.log}"
        assert process.returncode == 0, self.log

    def kill(self) -> None:
        """End all processes that are left, and close the connections of the client."""
        if "client" in vars(self):
            self.client.backend.result_consumer.stop()
            self.client.backend.client.close()
            self.client.close()
            del self.client
            gc.collect()  # Connections that Celery leaves open cause warnings, which only these tests ignore.
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
