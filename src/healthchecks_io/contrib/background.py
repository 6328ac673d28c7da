"""Send pings from a thread, through a bounded queue, so that no task waits for them."""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from typing import TYPE_CHECKING, Any

from healthchecks_io.client.logger import log

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthchecks_io.client import Client
    from healthchecks_io.client.exceptions import HCAPIError
    from healthchecks_io.schemas.checks import CheckCreate
    from healthchecks_io.trap.outcome import Outcome
    from healthchecks_io.trap.reporter import Reporter

MAX_WAITING = 1000
"""The maximum length of the queue. Further pings are dropped."""
_DEFAULT_TIMEOUT = 10.0
_NEEDED_LATER = ("healthchecks_io.monitoring.environment", "healthchecks_io.trap.run_log")


class Background:
    """Sends pings from a thread of the current process. After a fork, the child has a thread of its own.

    Args:
        client: The client to use instead of one from the environment.
    """

    def __init__(self, client: Client | None) -> None:
        self._client = client
        self._senders: dict[int, _Sender] = {}
        """The thread of each process, by its PID. Only that of the current process exists in it."""

    def put(self, send: Callable[..., None], *args: Any) -> None:
        """Call a function in the thread.

        Args:
            send: A function that sends pings. It is called with a client and a function that logs a failure.
            *args: Further arguments of the function.
        """
        # Not a lock, which a fork would copy: setdefault() is atomic, and a sender that is not used costs little.
        sender = self._senders.get(os.getpid()) or self._senders.setdefault(os.getpid(), _Sender(self._client))
        sender.put(send, args)

    def declare(self, check: CheckCreate) -> None:
        """Create or update a check in the thread."""
        self.put(_declare, check)

    def flush(self) -> None:
        """Wait until everything is sent, at most the timeout of the client."""
        if sender := self._senders.get(os.getpid()):
            sender.flush()


class _Sender:
    """The thread and its queue."""

    def __init__(self, client: Client | None) -> None:
        self._client = client
        self._has_client = client is not None
        self._queue: queue.Queue[tuple[Callable[..., None], tuple[Any, ...]]] = queue.Queue(MAX_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_failing = False
        self._is_dropping = False
        self._has_failed = False

    def put(self, send: Callable[..., None], args: tuple[Any, ...]) -> None:
        """Add a call to the queue, or drop it if the queue is full."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="healthchecks-io", daemon=True)
                self._thread.start()
        try:
            self._queue.put_nowait((send, args))
        except queue.Full:
            if not self._is_dropping:
                log(logging.WARNING, "Pings of tasks are dropped: %d are already waiting to be sent", MAX_WAITING)
            self._is_dropping = True

    def flush(self) -> None:
        """Wait until the queue is empty and the last ping is sent, at most the timeout of the client."""
        ends = time.monotonic() + self._timeout()
        while self._queue.unfinished_tasks and time.monotonic() < ends:
            time.sleep(0.01)

    def _timeout(self) -> float:
        from healthchecks_io.client.abstract_client import settings_of

        return _DEFAULT_TIMEOUT if self._client is None else settings_of(self._client).timeout

    def _run(self) -> None:
        while True:
            send, args = self._queue.get()
            try:
                client = self._find_client()
                if client is not None:
                    send(client, self._warn, *args)
                    self._sent()
            except Exception as error:  # noqa: BLE001 - a fault of the monitoring must not end the thread
                self._warn("A ping of a task failed", error)
            finally:
                self._queue.task_done()
                if self._queue.empty():
                    self._is_dropping = False

    def _find_client(self) -> Client | None:
        if not self._has_client:
            from healthchecks_io.client.sync_client import Client
            from healthchecks_io.monitoring.environment import client_from_env

            found = client_from_env(Client, by_slug=True, declares=True)
            self._client = found if isinstance(found, Client) else None
            self._has_client = True
        return self._client

    def _warn(self, consequence: str, error: Exception) -> None:
        """Log the first failure of an outage."""
        self._has_failed = True
        if not self._is_failing:
            log(logging.WARNING, "%s: %s (further failures are not logged until pings work again)", consequence, error)
        self._is_failing = True

    def _sent(self) -> None:
        has_failed, self._has_failed = self._has_failed, False
        if self._is_failing and not has_failed:
            log(logging.WARNING, "Pings of tasks work again")
            self._is_failing = False


def import_for_later() -> None:
    """Import what pings need, before a worker forks. Its children then share the memory, and need no time for it."""
    from healthchecks_io.trap.reporter import import_for_later

    for module in _NEEDED_LATER:
        __import__(module)
    import_for_later()


def send_start(client: Client, warn: Callable[[str, HCAPIError], None], slug: str, rid: str, started: float) -> None:
    """Send the start ping of a task, unless it has waited for longer than the timeout of the client.

    Another process may have reported the end of the run since then, as when a task is retried. A start ping after that
    would begin a run that never ends.
    """
    from healthchecks_io.client.abstract_client import settings_of

    if time.monotonic() - started <= settings_of(client).timeout:
        _reporter(client, warn, slug, rid).start()


def send_end(client: Client, warn: Callable[[str, HCAPIError], None], slug: str, rid: str, outcome: Outcome) -> None:
    """Send the final ping of a task."""
    from healthchecks_io.trap.run_log import RunLog

    reporter = _reporter(client, warn, slug, rid)
    log_of_run = RunLog()
    log_of_run.limit_to(reporter.body_limit())
    reporter.end(outcome, log_of_run.body(outcome.postscript))


def _declare(client: Client, warn: Callable[[str, HCAPIError], None], check: CheckCreate) -> None:
    from healthchecks_io.client.abstract_client import settings_of
    from healthchecks_io.client.exceptions import HCAPIError
    from healthchecks_io.client.sync_client import carry_out
    from healthchecks_io.client.upsert import DeclaredCheck
    from healthchecks_io.monitoring.environment import warn_that_fields_are_ignored

    if not settings_of(client).api_key:
        warn_that_fields_are_ignored()
        return
    try:
        carry_out(client, DeclaredCheck(check).find(client))
    except HCAPIError as error:
        warn(f"The check {check.slug} of a periodic task could not be created or updated", error)


def _reporter(client: Client, warn: Callable[[str, HCAPIError], None], slug: str, rid: str) -> Reporter:
    from healthchecks_io.trap.reporter import Reporter

    return Reporter(client, None, slug, create=True, rid=rid, ping_errors="log", warn=warn)
