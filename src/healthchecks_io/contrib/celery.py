"""Monitor the periodic tasks of a Celery app."""

# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# Celery has no types. Where it is not installed, pyright resolves its name to this module.

from __future__ import annotations

import logging
import re
import time
from collections import deque
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, UUID, uuid5
from weakref import WeakValueDictionary

from healthchecks_io._slugs import slugified
from healthchecks_io.client.exceptions import HCAPIError
from healthchecks_io.client.logger import log
from healthchecks_io.client.settings import is_disabled
from healthchecks_io.contrib.background import Background, import_for_later, send_end, send_start
from healthchecks_io.schemas.limits import MAX_NAME_LENGTH, MAX_SLUG_LENGTH
from healthchecks_io.trap.outcome import SUCCESS, Outcome

try:
    from celery import signals
    from celery.exceptions import Ignore, Reject, Retry
except ImportError as error:
    raise ImportError("healthchecks_io.contrib.celery needs Celery: pip install celery") from error

from healthchecks_io.contrib.celery_schedules import NotMonitoredError, fields_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from healthchecks_io.client import Client

__all__ = ["monitor_beat"]

_HEADER = "healthchecks_io_slug"
"""The header of a message that names the check of a task."""
_NOT_RUN = (Ignore, Reject, Retry)
_OWN_TASKS = "celery."
"""The beginning of the names of Celery's own tasks."""
_NOT_MONITORED = "These entries of the beat schedule are not monitored, because they have the same slug"


def monitor_beat(
    app: Any,
    client: Client | None = None,
    prefix: str = "",
    grace: int | timedelta | str | None = None,
) -> None:
    """Monitor the periodic tasks of a Celery app.

    Call it where the app is created, so that beat and the workers both do::

        app = Celery("shop", broker="redis://localhost")
        monitor_beat(app)

    When beat starts, each task of its schedule gets a check, with its schedule in the app's time zone. This needs the
    project's API key. Workers report the runs of these tasks: their start, success, failure with traceback, and a log
    ping for Retry, Ignore and Reject. Tasks that are called in another way are not reported.

    None of this delays a task or changes its outcome: a thread sends the pings, from a queue of at most 1,000. A worker
    that ends waits at most the timeout of the client for the remaining pings.

    Args:
        app: The Celery app.
        client: A Client to use instead of the environment: see Client.from_env.
        prefix: The beginning of the slugs. The rest is the name of the entry in the schedule.
        grace: The grace time of the checks: whole seconds, a timedelta, or text such as ``1h 30m``.

    Raises:
        BadAPIRequestError: The grace time is invalid.
        ValueError: Two entries of a configured app have the same slug.
    """
    from healthchecks_io.monitoring.declaration import declared_check

    if grace is not None:
        declared_check("", "x", grace=grace)
    monitor = _Monitor(app, client, prefix, grace)
    if app.configured:
        monitor.check_slugs(app.conf.beat_schedule)
    monitor.connect()


class _Monitor:
    """Monitors the periodic tasks of one app."""

    def __init__(self, app: Any, client: Client | None, prefix: str, grace: int | timedelta | str | None) -> None:
        self._app = app
        self._prefix = prefix
        self._grace = grace
        self._background = Background(client)
        self._requests: WeakValueDictionary[str, Any] = WeakValueDictionary()
        self._failures: deque[str] = deque(maxlen=100)
        self._declared: dict[str, str] = {}
        self._ignored: set[str] = set()

    def connect(self) -> None:
        """Connect to the signals of Celery. Connecting again replaces the handlers."""
        handlers = {
            signals.beat_init: self._beat_started,
            signals.worker_init: self._worker_started,
            signals.task_received: self._received,
            signals.task_prerun: self._started,
            signals.task_success: self._succeeded,
            signals.task_failure: self._failed,
            signals.task_revoked: self._revoked,
            signals.task_postrun: self._ended,
            signals.worker_process_shutdown: self._shut_down,
            signals.worker_shutdown: self._shut_down,
        }
        for signal, handler in handlers.items():
            signal.connect(handler, weak=False, dispatch_uid=f"healthchecks_io:{id(self._app)}:{handler.__name__}")

    # Beat.

    def check_slugs(self, names: Mapping[str, Any]) -> None:
        """Raise a ValueError if two entries of a schedule have the same slug."""
        for slug, same in self._names_by_slug(names).items():
            if slug and len(same) > 1:
                raise ValueError(
                    f"the entries {' and '.join(map(repr, same))} of the beat schedule have the same slug {slug!r}: "
                    "rename one of them"
                )

    def _names_by_slug(self, names: Mapping[str, Any]) -> dict[str, list[str]]:
        by_slug: dict[str, list[str]] = {}
        for name in names:
            by_slug.setdefault(self._slug_of(name), []).append(name)
        return by_slug

    def _slug_of(self, name: str) -> str:
        return slugified(f"{self._prefix}{name}")[:MAX_SLUG_LENGTH].strip("-")

    def _beat_started(self, sender: Any, **_: object) -> None:
        if is_disabled():
            return
        scheduler = sender.scheduler
        entries = {name: each for name, each in scheduler.schedule.items() if not _is_own(each)}
        if not entries:
            _warn("The beat schedule has no tasks, so nothing is monitored yet")
        for slug, names in self._names_by_slug(entries).items():
            if slug and len(names) > 1:
                self._ignored.update(names)
                _log_error(f"{_NOT_MONITORED} {slug}", names)
        for entry in entries.values():
            self._declare_safely(entry)
        monitored = entries.keys() - self._ignored
        log(logging.INFO, "%d of %d periodic tasks are monitored", len(monitored), len(entries))
        apply_async = scheduler.apply_async

        def apply_monitored(entry: Any, *args: Any, **kwargs: Any) -> Any:
            self._mark(entry)
            return apply_async(entry, *args, **kwargs)

        scheduler.apply_async = apply_monitored

    def _mark(self, entry: Any) -> None:
        """Name the check of an entry in the message that is sent for it."""
        try:
            if _is_own(entry):
                return
            self._declare_safely(entry)  # It may have been added after the start.
            if entry.name not in self._ignored:
                headers = {**(entry.options.get("headers") or {}), _HEADER: self._slug_of(entry.name)}
                entry.options = {**entry.options, "headers": headers}
        except Exception as error:  # noqa: BLE001 - a fault of this library must not keep a task from being sent
            _log_error("A task could not be monitored", [entry.name, error])

    def _declare_safely(self, entry: Any) -> None:
        try:
            self._declare(entry)
        except Exception as error:  # noqa: BLE001 - such as a schedule of somebody else's; the others are monitored
            self._ignore(entry, error)

    def _declare(self, entry: Any) -> None:
        """Create or update the check of an entry, once."""
        slug = self._slug_of(entry.name)
        if entry.name in self._ignored or self._declared.get(slug) == entry.name:
            return
        if not slug:
            self._ignore(entry, "its name has no characters that a slug can contain")
            return
        if slug in self._declared:
            self._ignored.add(entry.name)
            _log_error(
                f"An entry was added to the beat schedule that is not monitored, because {self._declared[slug]!r} has "
                f"the same slug {slug}",
                [entry.name],
            )
            return
        self._declared[slug] = entry.name
        from healthchecks_io.monitoring.declaration import declared_check

        try:
            fields = fields_of(entry.schedule, self._app)
        except NotMonitoredError as error:
            self._ignore(entry, error)
            return
        if "problem" in fields:
            _warn(f"The check of the periodic task {entry.name!r} has no schedule: {fields.pop('problem')}")
        try:
            check = declared_check("", slug, name=str(entry.name)[:MAX_NAME_LENGTH], grace=self._grace, **fields)
        except HCAPIError as error:
            self._ignore(entry, error)
            return
        if check is not None:
            self._background.declare(check)

    def _ignore(self, entry: Any, reason: object) -> None:
        self._ignored.add(entry.name)
        _warn(f"The periodic task {entry.name!r} is not monitored: {reason}")

    # Workers.

    def _worker_started(self, **_: object) -> None:
        if not is_disabled():
            import_for_later()

    def _received(self, request: Any, **_: object) -> None:
        # A process that is killed at its time limit reports nothing. The main process of the worker then does.
        if _slug_in(getattr(request, "request_dict", None)):
            self._requests[request.id] = request

    def _started(self, task_id: str, task: Any, **_: object) -> None:
        slug = self._slug_of_run(task, task.request)
        if slug:
            self._background.put(send_start, slug, _rid(task_id), time.monotonic())

    def _succeeded(self, sender: Any, **_: object) -> None:
        self._end(sender, sender.request, sender.request.id, SUCCESS)

    def _failed(self, sender: Any, task_id: str, exception: Any, einfo: Any = None, **_: object) -> None:
        if isinstance(exception, _NOT_RUN):
            return
        # Celery reports a hard time limit twice: when it is exceeded, and when the process has been killed.
        if task_id in self._failures:
            return
        self._failures.append(task_id)
        request = sender.request if sender.request.id == task_id else self._requests.get(task_id)
        text = str(getattr(einfo, "traceback", "") or f"{type(exception).__name__}: {exception}")
        self._end(sender, request, task_id, Outcome("fail", text))

    def _revoked(self, sender: Any, request: Any, terminated: bool, signum: Any, expired: bool, **_: object) -> None:
        reason = "it has expired" if expired else f"it was terminated by {signum}" if terminated else "it was revoked"
        outcome = Outcome("fail", f"the task was not completed: {reason}")
        self._end(sender, request, request.id, outcome)

    def _ended(self, task_id: str, task: Any, retval: Any, state: str | None, **_: object) -> None:
        if state in ("RETRY", "IGNORED", "REJECTED"):
            self._end(task, task.request, task_id, Outcome("log", f"{state.lower()}: {retval}"))

    def _end(self, task: Any, request: Any, task_id: str, outcome: Outcome) -> None:
        slug = self._slug_of_run(task, request)
        if slug:
            self._background.put(send_end, slug, _rid(task_id), outcome)

    def _slug_of_run(self, task: Any, request: Any) -> str:
        """Return the slug of the check to report a run to, or an empty string."""
        if is_disabled() or request is None or getattr(task, "app", self._app) is not self._app:
            return ""
        if getattr(request, "is_eager", False) is True:
            return ""
        return _slug_in(getattr(request, "request_dict", None)) or _slug_in(getattr(request, "headers", None))

    def _shut_down(self, **_: object) -> None:
        self._background.flush()


def _is_own(entry: Any) -> bool:
    """Return whether an entry sends one of Celery's own tasks."""
    return str(entry.task).startswith(_OWN_TASKS)


def _slug_in(headers: Any) -> str:
    slug = headers.get(_HEADER) if isinstance(headers, dict) else None
    return slug if isinstance(slug, str) and re.fullmatch("[a-z0-9_-]{1,100}", slug) else ""


def _rid(task_id: str) -> str:
    """Return the run ID of a task. All processes that report on the task use the same."""
    try:
        return str(UUID(task_id))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, task_id))


def _warn(message: str) -> None:
    log(logging.WARNING, "%s", message)


def _log_error(message: str, details: list[Any]) -> None:
    log(logging.ERROR, "%s: %s", message, ", ".join(map(str, details)))
