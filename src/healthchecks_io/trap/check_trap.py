"""CheckTrap, which reports a job to its check."""

from __future__ import annotations

import logging
import threading
from types import GenericAlias
from typing import TYPE_CHECKING, Generic, Literal, TypeVar, overload

from healthchecks_io.client import arguments
from healthchecks_io.client.abstract_client import AbstractClient
from healthchecks_io.client.exceptions import BadAPIRequestError, HCAPIError, WrongClientError
from healthchecks_io.client.logger import log
from healthchecks_io.client.sync_client import Client
from healthchecks_io.trap import log_records, options
from healthchecks_io.trap.log_stream import LogStream
from healthchecks_io.trap.outcome import Outcome, exit_outcome, is_cancellation, outcome_of
from healthchecks_io.trap.reporter import PingErrors, Reporter
from healthchecks_io.trap.run import LogScope, Run, current_runs, new_rid

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType
    from typing import Any, ParamSpec
    from uuid import UUID

    import typing_extensions
    from typing_extensions import Never, Unpack

    from healthchecks_io.client.async_client import AsyncClient
    from healthchecks_io.schemas.checks import CheckCreate
    from healthchecks_io.trap.async_reporter import AsyncReporter
    from healthchecks_io.trap.options import Ignored, TrapOptions

    C = TypeVar("C", bound=Client | AsyncClient)
    P = ParamSpec("P")
    T = TypeVar("T")
    AnyReporter = TypeVar("AnyReporter", Reporter, AsyncReporter)

    AnyClient = typing_extensions.TypeVar("AnyClient", bound=Client | AsyncClient, default=Any)
    Suppressed_co = typing_extensions.TypeVar("Suppressed_co", covariant=True, default=None)
    """What a decorated job returns if its exception is suppressed: None, or Never if this cannot happen."""
else:
    AnyClient = TypeVar("AnyClient")
    Suppressed_co = TypeVar("Suppressed_co", covariant=True)


class CheckTrap(LogStream, Generic[AnyClient, Suppressed_co]):
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

    SystemExit, and the ``Exit`` exceptions of click and typer, are reported by their exit status. A trap is also a text
    stream, whose text is added to the log: ``print("saved", file=trap)``.

    If the check filters HTTP bodies, its keywords decide what start and fail pings mean: see the guide "Creating and
    updating checks".

    Args:
        client: The Client or AsyncClient to ping with.
        uuid: The check's UUID. Pass either this or a slug.
        slug: The check's slug. This requires a client with a ping key.
        suppress_exceptions: Whether to suppress exceptions from the job after reporting them. A decorated function then
            returns None. If the fail ping cannot be sent, the exception is logged. KeyboardInterrupt, SystemExit and
            asyncio.CancelledError are never suppressed.
        create: Whether to create the check if there is none with this slug. If two runs do so at the same time, the
            server may create two checks and then reject their slug. Or the check itself, which avoids this: before the
            first run, it is created, or the check with this slug is updated to it. This requires a client with an API
            key. Fields that are not set are not changed, but a new check has all integrations unless they are set.
        rid: The run ID, for a trap that is used for a single run. By default, each run gets a new one.
        ping_errors: What happens when a ping fails. ``raise-config``: a misconfiguration, such as an unknown check, is
            raised before the job starts, and any other failure is logged as a warning. ``raise``: every failure is
            raised. ``log``: every failure is logged, and so are missing keys, for jobs that must run. A failure never
            replaces an exception from the job.
        log_level: The lowest level, such as ``logging.INFO``, of log records to add to the log. Records of tasks that
            the run starts are included. None adds no records. The job's own logging does not change: loggers still drop
            records below their own level.
        log_formatter: Formats these records. By default, they show the time, level, logger and message.
        log_scope: ``run`` adds the records of this run. ``process`` adds those of all threads during the run.
        ignore: Exception classes that do not mean that the job has failed, such as a task queue's ``Retry``. They are
            reported in a log ping, which does not end the run on the server: unless another run starts within the
            check's grace time, the check goes down.
        send_start: Whether to send a start ping. Without it, the server does not measure how long the job takes.
        send_body: Whether to send the log and the traceback with the pings.
        body_limit: The maximum length of the log that is sent, in bytes, unless the server announces a smaller limit.
            By default, the server's limit applies, or 10,000 bytes if it announces none.
        handle_sigterm: Whether SIGTERM ends the job with an exception, so that its end is reported, with exit status
            143. In a ``with`` block it raises SystemExit, and in an ``async with`` block it cancels the task. This
            works in the main thread, if the program does not handle SIGTERM itself.

    Raises:
        BadAPIRequestError: An argument is invalid.
        WrongClientError: The client is neither a Client nor an AsyncClient.
    """

    if not TYPE_CHECKING:
        # At run time, the type parameters have no defaults: accept CheckTrap[Client].
        __class_getitem__ = classmethod(GenericAlias)

    @overload
    def __init__(
        self: CheckTrap[C, Never],
        client: C,
        uuid: str | UUID | None = "",
        slug: str = "",
        suppress_exceptions: Literal[False] = False,
        **keywords: Unpack[TrapOptions],
    ) -> None: ...

    @overload
    def __init__(
        self: CheckTrap[C, None],
        client: C,
        uuid: str | UUID | None = "",
        slug: str = "",
        suppress_exceptions: bool = False,
        **keywords: Unpack[TrapOptions],
    ) -> None: ...

    def __init__(
        self,
        client: Any,
        uuid: str | UUID | None = "",
        slug: str = "",
        suppress_exceptions: bool = False,
        *,
        create: bool | CheckCreate = False,
        rid: str | UUID | None = None,
        ping_errors: PingErrors = "raise-config",
        log_level: int | None = None,
        log_formatter: logging.Formatter | None = None,
        log_scope: LogScope = "run",
        ignore: Ignored = (),
        send_start: bool = True,
        send_body: bool = True,
        body_limit: int | None = None,
        handle_sigterm: bool = False,
    ) -> None:
        self._client: AnyClient = client
        if not isinstance(client, AbstractClient):
            raise WrongClientError(f"a CheckTrap needs a Client or an AsyncClient, not {type(client).__name__}")
        options.check_options(
            ping_errors=ping_errors,
            log_level=log_level,
            log_formatter=log_formatter,
            log_scope=log_scope,
            body_limit=body_limit,
            flags={
                "suppress_exceptions": suppress_exceptions,
                "send_start": send_start,
                "send_body": send_body,
                "handle_sigterm": handle_sigterm,
            },
        )
        check = options.check_to_declare(create, slug)
        self._suppress_exceptions = suppress_exceptions
        self._ignored = options.ignored_classes(ignore)
        self._sends_body = send_body
        self._handles_sigterm = handle_sigterm
        self._log_options: dict[str, Any] = {
            "log_level": log_level,
            "log_formatter": log_formatter,
            "log_scope": log_scope,
        }
        self._report_options: dict[str, Any] = {
            "uuid": uuid,
            "slug": slug,
            "create": create is not False,
            "ping_errors": ping_errors,
            "sends_start": send_start,
            "body_limit": body_limit,
        }
        if check is not None:
            from healthchecks_io.client.upsert import DeclaredCheck

            self._report_options["slug"] = check.slug
            self._report_options["declared"] = DeclaredCheck(check)
        self._is_for_one_run = rid is not None
        self._prepare(new_rid() if rid is None else arguments.run_id("rid", rid))
        self._reporter.validate()

    def _prepare(self, rid: str) -> None:
        """Prepare the first run."""
        self._has_run = False
        self._in_use = threading.Lock()
        self._restore_sigterm: Callable[[], None] | None = None
        self._new_run(rid)

    def _new_run(self, rid: str) -> None:
        self._run = Run(self, rid, **self._log_options)
        self._reporter: Reporter | AsyncReporter
        if isinstance(self._client, Client):
            self._reporter = Reporter(self._client, rid=rid, **self._report_options)
        else:
            from healthchecks_io.trap.async_reporter import AsyncReporter

            self._reporter = AsyncReporter(self._client, rid=rid, **self._report_options)

    def __getstate__(self) -> dict[str, object]:
        """Return the state for a pickle or a copy: without the run."""
        own = ("_run", "_reporter", "_in_use", "_restore_sigterm", "_has_run")
        state = {name: value for name, value in vars(self).items() if name not in own}
        # The copy of a trap for one run is for the same run.
        return {**state, "_one_run": (self.rid, self._has_run)} if self._is_for_one_run else state

    def __setstate__(self, state: dict[str, Any]) -> None:
        rid, has_run = state.pop("_one_run", (new_rid(), False))
        vars(self).update(state)
        self._prepare(rid)
        self._has_run = has_run

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
            line: The line, without a line break. Another value is converted to a string: a log must not stop a job.
        """
        self._run.log.add_line(str(line))

    def fail(self, reason: str = "") -> None:
        """Report the run as failed, even if the block ends normally.

        The job continues. If it raises an exception later, that is reported too::

            trap.fail("skipped 3 files")

        Args:
            reason: Why the job failed. It is added to the end of the log.

        Raises:
            BadAPIRequestError: The run has not started, or has ended.
        """
        self._check_active("fail")
        self._run.fail(str(reason))

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
        self._check_active("send_log")
        return self._reporter.send_log(self._run.log.body() if self._sends_body else b"")

    def _check_active(self, method: str) -> None:
        if not self._run.is_active:
            raise BadAPIRequestError(f"{method} works only during a run: call it inside the block")

    # As a context manager.

    def __enter__(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]  # entering starts a run
        self: CheckTrap[Client, Suppressed_co],
    ) -> CheckTrap[Client, Suppressed_co]:
        reporter = self._enter(Reporter)
        try:
            if self._handles_sigterm:
                from healthchecks_io.trap import sigterm

                self._restore_sigterm = sigterm.raise_on_sigterm()
            self._begin(reporter.start())
        except BaseException as error:
            self._leave()
            try:
                if not isinstance(error, HCAPIError):
                    reporter.interrupted(*self._conclusion(error))
            finally:
                reporter.close()
                self._release()
            raise
        return self

    async def __aenter__(self: CheckTrap[AsyncClient, Suppressed_co]) -> CheckTrap[AsyncClient, Suppressed_co]:
        from healthchecks_io.trap.async_reporter import AsyncReporter
        from healthchecks_io.trap.awaiting import can_await_after

        reporter = self._enter(AsyncReporter)
        try:
            if self._handles_sigterm:
                from healthchecks_io.trap import sigterm

                self._restore_sigterm = sigterm.cancel_on_sigterm()
            self._begin(await reporter.start())
        except BaseException as error:
            self._leave()
            try:
                if can_await_after(error):
                    if not isinstance(error, HCAPIError):
                        await reporter.interrupted(*self._conclusion(error))
                    await reporter.close(is_cancelled=is_cancellation(error))
            finally:
                self._release()
            raise
        return self

    @overload  # type: ignore[override]  # leaving ends a run
    def __exit__(  # noqa: PYI036 - they differ in the type of the trap
        self: CheckTrap[Client, Never],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]: ...

    @overload
    def __exit__(  # noqa: PYI036 - they differ in the type of the trap
        self: CheckTrap[Client, None],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool: ...

    def __exit__(  # pyright: ignore[reportIncompatibleMethodOverride]  # leaving ends a run
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        # A signal handler may raise an exception in any call: call nothing before the try statement.
        reporter: Any = self._reporter
        is_suppressed = is_sent = False
        try:
            is_suppressed = self._suppresses(error)
            self._leave()
            if not self._run.was_forked:
                is_sent = reporter.end(
                    *self._conclusion(error),
                    within=reporter.timeout if is_cancellation(error) else float("inf"),
                    may_raise=error is None or is_suppressed,
                )
        except HCAPIError:
            raise
        except BaseException:
            self._leave()
            if not self._run.was_forked:
                reporter.send_last_words(*self._conclusion(error))
            raise
        finally:
            reporter.close()
            self._release()
            if is_suppressed and not is_sent:
                _log_suppressed(self._reporter.title, error)
        return is_suppressed

    @overload
    async def __aexit__(  # noqa: PYI036 - they differ in the type of the trap
        self: CheckTrap[AsyncClient, Never],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]: ...

    @overload
    async def __aexit__(  # noqa: PYI036 - they differ in the type of the trap
        self: CheckTrap[AsyncClient, None],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        from healthchecks_io.trap.awaiting import can_await_after

        # See __exit__.
        reporter: Any = self._reporter
        is_suppressed = is_sent = False
        nothing_propagates = True
        cancellation = None
        try:
            is_suppressed = self._suppresses(error)
            nothing_propagates = error is None or is_suppressed
            self._leave()
            if self._run.was_forked:
                pass
            elif not can_await_after(error):
                reporter.cannot_end()
            else:
                is_sent, cancellation = await reporter.end(
                    *self._conclusion(error), is_cancelled=is_cancellation(error), may_raise=nothing_propagates
                )
        except HCAPIError:
            raise
        except BaseException as interruption:
            self._leave()
            if not self._run.was_forked and can_await_after(error) and can_await_after(interruption):
                await reporter.send_last_words(*self._conclusion(error))
            raise
        finally:
            self._release()
            if is_suppressed and not is_sent:
                _log_suppressed(self._reporter.title, error)
        if cancellation is not None:
            if nothing_propagates:
                raise cancellation
            if not is_cancellation(error):
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
        from healthchecks_io.trap import decoration

        self._check_reusable()
        is_plain = decoration.check_job(job, "a CheckTrap", self._client)
        return decoration.decorate(job, lambda: self._for_run(self._client), is_plain=is_plain)

    def _check_reusable(self) -> None:
        """Raise an error if this trap is for one run only, and so cannot decorate a function."""
        if self._is_for_one_run:
            raise BadAPIRequestError(
                "a rid is for one run, but each call of a decorated function is a separate run: omit the rid"
            )

    def _for_run(self, client: Client | AsyncClient, **report_options: Any) -> Any:
        """Return a copy for one run.

        Args:
            client: The client of the copy.
            **report_options: The options of its reporter that differ.
        """
        trap: Any = type(self).__new__(type(self))
        trap.__dict__.update(vars(self))
        trap._client = client
        trap._report_options = {**self._report_options, **report_options}
        trap._prepare(self.rid if self._is_for_one_run else new_rid())
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
            self._new_run(new_rid())
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
        if self._log_options["log_level"] is not None:
            log_records.listen()

    def _leave(self) -> None:
        """End the run, which may not have begun."""
        if self._run.is_active and self._log_options["log_level"] is not None:
            log_records.unlisten()
        self._run.end()

    def _conclusion(self, error: BaseException | None) -> tuple[Outcome, bytes]:
        """Return how the run ended, and the body of the final ping."""
        outcome = outcome_of(error, self._ignored, self._run.failure)
        if self._handles_sigterm and is_cancellation(error) and outcome.action != "log":
            from healthchecks_io.trap import sigterm

            if sigterm.is_terminated():
                outcome = exit_outcome(sigterm.EXIT_STATUS, self._run.failure or "")
        return outcome, self._run.log.body(outcome.postscript) if self._sends_body else b""

    def _release(self) -> None:
        self._run.log.close()
        if self._restore_sigterm is not None:
            self._restore_sigterm()
            self._restore_sigterm = None
        self._in_use.release()

    def _suppresses(self, error: BaseException | None) -> bool:
        return self._suppress_exceptions and isinstance(error, Exception)


def _log_suppressed(title: str, error: BaseException | None) -> None:
    log(logging.ERROR, "The run of %s failed, and the failure could not be reported", title, exc_info=error)


def check_reusable(trap: CheckTrap[Any, Any]) -> None:
    """Raise an error if a trap is for one run only."""
    trap._check_reusable()  # pyright: ignore[reportPrivateUsage]  # for monitor


def trap_for_run(trap: CheckTrap[Any, Any], client: Client | AsyncClient, **report_options: Any) -> Any:
    """Return a copy of a trap for one run, with another client, and other options of its reporter."""
    return trap._for_run(client, **report_options)  # pyright: ignore[reportPrivateUsage]  # for monitor
