"""CheckTrap, which reports a job to its check."""

from __future__ import annotations

import copy
import functools
import inspect
import logging
import sys
import threading
from types import GenericAlias
from typing import TYPE_CHECKING, Generic, Literal, TypeVar, get_args, overload
from uuid import UUID, uuid4

from healthchecks_io.client import arguments
from healthchecks_io.client.abstract_client import AbstractClient
from healthchecks_io.client.arguments import MAX_PING_BODY
from healthchecks_io.client.exceptions import BadAPIRequestError, HCAPIError, WrongClientError
from healthchecks_io.client.sync_client import Client
from healthchecks_io.trap import log_records
from healthchecks_io.trap.outcome import outcome_of
from healthchecks_io.trap.reporter import PingErrors, Reporter
from healthchecks_io.trap.run import Run, current_runs
from healthchecks_io.trap.run_log import MIN_LIMIT

AnyClient = TypeVar("AnyClient", bound="Client | AsyncClient")

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import FrameType, TracebackType
    from typing import Any, ParamSpec

    import typing_extensions
    from typing_extensions import Never

    from healthchecks_io.client.async_client import AsyncClient
    from healthchecks_io.trap.async_reporter import AsyncReporter

    C = TypeVar("C", bound=Client | AsyncClient)
    P = ParamSpec("P")
    T = TypeVar("T")
    AnyReporter = TypeVar("AnyReporter", Reporter, AsyncReporter)

    Suppressed_co = typing_extensions.TypeVar("Suppressed_co", covariant=True, default=None)
    """What a decorated job returns if its exception is suppressed: None, or Never if this cannot happen."""
else:
    Suppressed_co = TypeVar("Suppressed_co", covariant=True)


class CheckTrap(Generic[AnyClient, Suppressed_co]):
    """Reports a job to its check: that it started, and how it ended.

    As a context manager, it sends a start ping when the block starts. When the block ends, it sends a success ping with
    the log. If the block raises an exception, it sends a fail ping with the log and the traceback instead, and the
    exception propagates unchanged::

        with CheckTrap(client, slug="nightly-backup") as trap:
            trap.add_log("saved 3 files")

    With an AsyncClient::

        async with CheckTrap(async_client, slug="mail-queue") as trap:
            trap.add_log("delivered 12 messages")

    As a decorator of a function, or, with an AsyncClient, of a coroutine function. Each call is a separate run::

        @CheckTrap(client, slug="nightly-backup", log_level=logging.INFO)
        def back_up() -> None:
            logging.info("saved 3 files")

    Args:
        client: The client to ping with.
        uuid: The check's UUID. Pass either this or a slug.
        slug: The check's slug. This requires a client with a ping key.
        suppress_exceptions: Whether to suppress exceptions from the job after reporting them. A decorated function then
            returns None. KeyboardInterrupt, SystemExit and asyncio.CancelledError are never suppressed.
        create: Whether to create the check if there is none with this slug.
        rid: The run ID, for a trap that is used for a single run. By default, each run gets a new one.
        ping_errors: What happens when a ping fails. ``raise-config``: a misconfiguration, such as an unknown check, is
            raised before the job starts, and any other failure is logged as a warning. ``raise``: every failure is
            raised. ``log``: every failure is logged, for jobs that must run. A failure never replaces an exception
            from the job.
        log_level: The lowest level, such as ``logging.INFO``, of log records to add to the log. Records of tasks that
            the run starts are included. None adds no records. The job's own logging does not change: loggers still drop
            records below their own level.
        log_formatter: Formats these records. By default, they show the time, level, logger and message.
        body_limit: The maximum length of the log that is sent, in bytes, unless the server announces a smaller limit.
            By default, the server's limit applies, or 10,000 bytes if it announces none.

    Raises:
        BadAPIRequestError: An argument is invalid.
        WrongClientError: The client is neither a Client nor an AsyncClient.
    """

    if not TYPE_CHECKING:
        # At run time, the second type parameter has no default: accept CheckTrap[Client].
        __class_getitem__ = classmethod(GenericAlias)

    @overload
    def __init__(
        self: CheckTrap[C, Never],
        client: C,
        uuid: str | UUID | None = "",
        slug: str = "",
        suppress_exceptions: Literal[False] = False,
        *,
        create: bool = False,
        rid: str | UUID | None = None,
        ping_errors: PingErrors = "raise-config",
        log_level: int | None = None,
        log_formatter: logging.Formatter | None = None,
        body_limit: int | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self: CheckTrap[C, None],
        client: C,
        uuid: str | UUID | None = "",
        slug: str = "",
        suppress_exceptions: bool = False,
        *,
        create: bool = False,
        rid: str | UUID | None = None,
        ping_errors: PingErrors = "raise-config",
        log_level: int | None = None,
        log_formatter: logging.Formatter | None = None,
        body_limit: int | None = None,
    ) -> None: ...

    def __init__(
        self,
        client: Any,
        uuid: str | UUID | None = "",
        slug: str = "",
        suppress_exceptions: bool = False,
        *,
        create: bool = False,
        rid: str | UUID | None = None,
        ping_errors: PingErrors = "raise-config",
        log_level: int | None = None,
        log_formatter: logging.Formatter | None = None,
        body_limit: int | None = None,
    ) -> None:
        self._client: AnyClient = client
        if not isinstance(client, AbstractClient):
            raise WrongClientError(f"a CheckTrap needs a Client or an AsyncClient, not {type(client).__name__}")
        if ping_errors not in get_args(PingErrors):
            raise BadAPIRequestError(
                f"ping_errors must be one of {', '.join(get_args(PingErrors))}, not {ping_errors!r}"
            )
        if log_level is not None and type(log_level) is not int:
            raise BadAPIRequestError("log_level must be a number, such as logging.INFO, or None")
        if log_formatter is not None and not isinstance(log_formatter, logging.Formatter):
            raise BadAPIRequestError("log_formatter must be a logging.Formatter or None")
        if body_limit is not None and (type(body_limit) is not int or not MIN_LIMIT <= body_limit <= MAX_PING_BODY):
            raise BadAPIRequestError(
                f"body_limit must be a number of bytes from {MIN_LIMIT} to {MAX_PING_BODY}, or None, not {body_limit!r}"
            )
        self._uuid = uuid
        self._slug = slug
        self._suppress_exceptions = suppress_exceptions
        self._create = create
        self._ping_errors: PingErrors = ping_errors
        self._log_level = log_level
        self._log_formatter = log_formatter
        self._body_limit = body_limit
        self._is_for_one_run = rid is not None
        self._prepare(str(uuid4()) if rid is None else arguments.run_id(rid))
        self._reporter.validate()

    def _prepare(self, rid: str) -> None:
        """Prepare the first run."""
        self._has_run = False
        self._in_use = threading.Lock()
        self._new_run(rid)

    def _new_run(self, rid: str) -> None:
        self._run = Run(self, rid, self._log_level, self._log_formatter)
        options: Any = {
            "create": self._create,
            "rid": rid,
            "ping_errors": self._ping_errors,
            "body_limit": self._body_limit,
        }
        self._reporter: Reporter | AsyncReporter
        if isinstance(self._client, Client):
            self._reporter = Reporter(self._client, self._uuid, self._slug, **options)
        else:
            from healthchecks_io.trap.async_reporter import AsyncReporter

            self._reporter = AsyncReporter(self._client, self._uuid, self._slug, **options)

    @property
    def rid(self) -> str:
        """The run ID of the current or last run."""
        return self._run.rid

    @property
    def ping_failures(self) -> list[HCAPIError]:
        """The errors from failed pings of the current or last run."""
        return self._reporter.failures

    @staticmethod
    def current() -> CheckTrap[Any, Any] | None:
        """Return the CheckTrap of the current run, so that a decorated job can add to its log.

        ::

            if trap := CheckTrap.current():
                trap.add_log("saved 3 files")

        Returns:
            The CheckTrap of the innermost run in this context, or None. Tasks inherit the context; threads do not.
        """
        runs = current_runs()
        return runs[-1].trap if runs else None

    def add_log(self, line: str) -> None:
        """Add a line to the log, whose end is sent with the final ping.

        This is thread-safe. A million lines take no more memory than the body of a ping::

            trap.add_log("saved 3 files")

        Args:
            line: The line, without a line break.

        Raises:
            TypeError: The line is not a string.
        """
        if not isinstance(line, str):
            raise TypeError(f"a log line must be a string, not {type(line).__name__}")
        self._run.log.add_line(line)

    def write(self, text: str) -> int:
        """Write text to the log, as to a file.

        ::

            print("saved", 3, "files", file=trap)
            with contextlib.redirect_stdout(trap):
                job()

        Args:
            text: Part of a line, or several lines.

        Returns:
            The number of characters written.

        Raises:
            TypeError: The text is not a string.
        """
        if not isinstance(text, str):
            raise TypeError(f"text written to the log must be a string, not {type(text).__name__}")
        self._run.log.write(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: the log is sent with the final ping. ``print(..., file=trap, flush=True)`` calls this."""

    def isatty(self) -> bool:
        """Return False: this is not a terminal."""
        return False

    encoding = "utf-8"
    """The encoding, for code that expects standard output to have this attribute."""

    @overload
    def send_log(self: CheckTrap[Client, Any]) -> None: ...

    @overload
    def send_log(self: CheckTrap[AsyncClient, Any]) -> Coroutine[Any, Any, None]: ...

    def send_log(self) -> Coroutine[Any, Any, None] | None:
        """Send the log so far in a log ping, and keep it for the final ping.

        With an AsyncClient, this is a coroutine. The ping takes at most the client's timeout, including retries. If it
        fails, the job continues, unless ``ping_errors`` is "raise"::

            trap.send_log()

        Raises:
            BadAPIRequestError: The run has not started, or has ended.
            HCAPIError: The ping failed, and ``ping_errors`` is "raise".
        """
        if not self._run.is_active:
            raise BadAPIRequestError("send_log works only during a run: call it inside the block")
        return self._reporter.send_log(self._run.log.body())

    # As a context manager.

    def __enter__(self: CheckTrap[Client, Suppressed_co]) -> CheckTrap[Client, Suppressed_co]:
        reporter = self._enter(Reporter)
        try:
            self._begin(reporter.start())
        except BaseException:
            self._in_use.release()
            raise
        return self

    async def __aenter__(self: CheckTrap[AsyncClient, Suppressed_co]) -> CheckTrap[AsyncClient, Suppressed_co]:
        from healthchecks_io.trap.async_reporter import AsyncReporter

        reporter = self._enter(AsyncReporter)
        try:
            self._begin(await reporter.start())
        except BaseException:
            self._in_use.release()
            raise
        return self

    def __exit__(
        self: CheckTrap[Client, Any],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        reporter = self._end(Reporter)
        is_suppressed = self._suppresses(error)
        outcome = outcome_of(error)
        try:
            reporter.end(
                outcome,
                self._run.log.body(outcome.postscript),
                within=reporter.timeout if _is_cancellation(error) else float("inf"),
                may_raise=error is None or is_suppressed,
            )
        finally:
            self._release()
        return is_suppressed

    async def __aexit__(
        self: CheckTrap[AsyncClient, Any],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        from healthchecks_io.trap.async_reporter import AsyncReporter

        reporter = self._end(AsyncReporter)
        is_suppressed = self._suppresses(error)
        nothing_propagates = error is None or is_suppressed
        outcome = outcome_of(error)
        try:
            if isinstance(error, GeneratorExit) and not _is_async_generator(inspect.currentframe()):
                reporter.cannot_end()
                return is_suppressed
            cancellation = await reporter.end(
                outcome,
                self._run.log.body(outcome.postscript),
                is_cancelled=_is_cancellation(error),
                may_raise=nothing_propagates,
            )
        finally:
            self._release()
        if cancellation is not None:
            if nothing_propagates:
                raise cancellation
            if not _is_cancellation(error):
                reporter.cancel_again()
        return is_suppressed

    # As a decorator.

    @overload
    def __call__(
        self: CheckTrap[AsyncClient, Suppressed_co], job: Callable[P, Coroutine[Any, Any, T]]
    ) -> Callable[P, Coroutine[Any, Any, T | Suppressed_co]]: ...

    @overload
    def __call__(self: CheckTrap[Client, Suppressed_co], job: Callable[P, T]) -> Callable[P, T | Suppressed_co]: ...

    def __call__(self, job: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a function: each call is a run of the job, with its own run ID and log.

        Args:
            job: A function or method, or, with an AsyncClient, a coroutine function.

        Returns:
            A function with the same parameters. It returns the result of the job, or None if an exception was
            suppressed.

        Raises:
            WrongClientError: The job is a coroutine function and the client is a Client, or the reverse.
            BadAPIRequestError: The job is not a function or is a generator function, or this trap has a rid, which is
                for one run only.
        """
        self._check_job(job)
        if isinstance(self._client, Client):

            @functools.wraps(job)
            def run(*args: Any, **kwargs: Any) -> Any:
                with self._for_one_call():
                    return job(*args, **kwargs)

            return run

        @functools.wraps(job)
        async def run_async(*args: Any, **kwargs: Any) -> Any:
            async with self._for_one_call():
                return await job(*args, **kwargs)

        return run_async

    def _check_job(self, job: object) -> None:
        if self._is_for_one_run:
            raise BadAPIRequestError(
                "a rid is for one run, but each call of a decorated function is a separate run: omit the rid"
            )
        if isinstance(job, (staticmethod, classmethod)):
            raise BadAPIRequestError("put a CheckTrap below @staticmethod and @classmethod, not above them")
        if not callable(job) or isinstance(job, type):
            raise BadAPIRequestError(f"a CheckTrap can decorate functions and methods, not {job!r}")
        kinds = (job, type(job).__call__)
        if any(inspect.isgeneratorfunction(kind) or inspect.isasyncgenfunction(kind) for kind in kinds):
            raise BadAPIRequestError(
                "a CheckTrap cannot decorate a generator function: use a with block in the function"
            )
        is_coroutine_function = any(inspect.iscoroutinefunction(kind) for kind in kinds)
        if is_coroutine_function is isinstance(self._client, Client):
            kind, needed = ("coroutine", "an AsyncClient") if is_coroutine_function else ("plain", "a Client")
            used = type(self._client).__name__
            raise WrongClientError(f"a CheckTrap with {used} cannot decorate a {kind} function: use {needed}")

    def _for_one_call(self) -> Any:
        trap = copy.copy(self)
        trap._prepare(str(uuid4()))
        return trap

    # Shared by both uses.

    def _enter(self, kind: type[AnyReporter]) -> AnyReporter:
        """Check that this trap can be entered now, and return the reporter for the run."""
        self._reporter_of(kind)
        if not self._in_use.acquire(blocking=False):
            raise BadAPIRequestError("this CheckTrap is in use: create another one for an overlapping run")
        if self._has_run:
            if self._is_for_one_run:
                self._in_use.release()
                raise BadAPIRequestError("a CheckTrap with a rid is for one run only: create a new one")
            self._new_run(str(uuid4()))
        self._has_run = True
        return self._reporter_of(kind)

    def _reporter_of(self, kind: type[AnyReporter]) -> AnyReporter:
        if isinstance(self._reporter, kind):
            return self._reporter
        statement = "with" if isinstance(self._client, Client) else "async with"
        raise WrongClientError(f"a CheckTrap with {type(self._client).__name__} must be used in `{statement}`")

    def _begin(self, body_limit: int) -> None:
        self._run.log.limit_to(body_limit)
        self._run.begin()
        if self._log_level is not None:
            log_records.listen()

    def _end(self, kind: type[AnyReporter]) -> AnyReporter:
        self._run.end()
        if self._log_level is not None:
            log_records.unlisten()
        return self._reporter_of(kind)

    def _release(self) -> None:
        self._run.log.clear()
        self._in_use.release()

    def _suppresses(self, error: BaseException | None) -> bool:
        return self._suppress_exceptions and isinstance(error, Exception)


def _is_cancellation(error: BaseException | None) -> bool:
    # Without asyncio, nothing can be cancelled. Do not import it just to check.
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and isinstance(error, asyncio.CancelledError)


def _is_async_generator(frame: FrameType | None) -> bool:
    caller = frame and frame.f_back
    return caller is not None and bool(caller.f_code.co_flags & inspect.CO_ASYNC_GENERATOR)
