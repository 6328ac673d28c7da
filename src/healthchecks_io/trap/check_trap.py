"""CheckTrap: a job, reported to its check."""

from __future__ import annotations

import copy
import functools
import sys
import threading
from types import GenericAlias
from typing import TYPE_CHECKING, Generic, Literal, TypeVar, get_args, overload
from uuid import UUID, uuid4

from healthchecks_io.client import arguments, own_requests, readers
from healthchecks_io.client.abstract_client import AbstractClient
from healthchecks_io.client.exceptions import (
    BadAPIRequestError,
    CheckNotFoundError,
    HCAPIAuthError,
    HCAPIError,
    NonUniqueSlugError,
    WrongClientError,
)
from healthchecks_io.client.outcomes import NoAnswer
from healthchecks_io.client.run import Run, current_runs
from healthchecks_io.client.sync_client import Client

AnyClient = TypeVar("AnyClient", bound="Client | AsyncClient")

if TYPE_CHECKING:
    import asyncio
    import logging
    from collections.abc import Callable, Coroutine
    from types import FrameType, TracebackType
    from typing import Any, ParamSpec

    import typing_extensions
    from typing_extensions import Never

    from healthchecks_io.client.async_client import AsyncClient
    from healthchecks_io.client.operation import Call

    C = TypeVar("C", bound=Client | AsyncClient)
    P = ParamSpec("P")
    T = TypeVar("T")

    Swallowed_co = typing_extensions.TypeVar("Swallowed_co", covariant=True, default=None)
    """What a decorated job returns where its exceptions are swallowed: None, or Never where they are not."""
else:
    Swallowed_co = TypeVar("Swallowed_co", covariant=True)

PingErrors = Literal["raise-config", "raise", "log"]

_MISCONFIGURATIONS = (BadAPIRequestError, CheckNotFoundError, NonUniqueSlugError, HCAPIAuthError)


class CheckTrap(Generic[AnyClient, Swallowed_co]):
    """Reports a job to its check: that it started, and how it ended.

    A block. Entering sends a start ping; leaving a success ping, or a fail ping when the block raised, with the log and
    the traceback. The exception leaves the block unchanged::

        with CheckTrap(client, slug="nightly-backup") as trap:
            trap.add_log("saved 3 files")

    With an AsyncClient::

        async with CheckTrap(async_client, slug="mail-queue") as trap:
            trap.add_log("delivered 12 messages")

    A function, or a coroutine function with an AsyncClient. Each call is a run of its own::

        @CheckTrap(client, slug="nightly-backup", log_level=logging.INFO)
        def back_up() -> None:
            logging.info("saved 3 files")

    Args:
        client: The client to ping with.
        uuid: The check's UUID. Either this or the slug names the check.
        slug: The check's slug; the client needs a ping key.
        suppress_exceptions: Whether to swallow the exceptions of the job, after they were reported; a decorated
            function then returns None. KeyboardInterrupt, SystemExit and asyncio.CancelledError are never swallowed.
        create: Create the check when there is none with this slug.
        rid: The run ID of the one run that this trap is for. Else each run gets one of its own.
        ping_errors: What happens when a ping fails. ``raise-config``: a misconfiguration, such as an unknown check, is
            raised before the job starts; anything else is logged as a warning. ``raise``: it is raised. ``log``: it is
            logged, for jobs that must run. A ping failure never takes the place of an exception of the job.
        log_level: From which level on, such as ``logging.INFO``, the log also takes what is logged in this run with
            Python's logging, in its tasks too. Nothing about the job's own logging changes: records below the level of
            their logger do not exist. None takes none.
        log_formatter: How these records are written, instead of with time, level, logger and message.

    Raises:
        BadAPIRequestError: An argument is wrong.
        WrongClientError: The client is no Client and no AsyncClient.
    """

    if not TYPE_CHECKING:
        # There are two parameters, but only type checkers know that one of them has a default.
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
    ) -> None:
        self._client: AnyClient = client
        if not isinstance(client, AbstractClient):
            raise WrongClientError(f"a CheckTrap needs a Client or an AsyncClient, not {type(client).__name__}")
        if ping_errors not in get_args(PingErrors):
            raise BadAPIRequestError(f"ping_errors must be one of {', '.join(get_args(PingErrors))}")
        if log_level is not None and type(log_level) is not int:
            raise BadAPIRequestError("log_level must be a number, such as logging.INFO, or None")
        if log_formatter is not None:
            import logging

            if not isinstance(log_formatter, logging.Formatter):
                raise BadAPIRequestError("log_formatter must be a logging.Formatter, or None")
        self._uuid = uuid
        self._slug = slug
        self._suppress_exceptions = suppress_exceptions
        self._create = create
        self._ping_errors: PingErrors = ping_errors
        self._log_level = log_level
        self._log_formatter = log_formatter
        self._is_for_one_run = rid is not None
        self._prepare(str(uuid4()) if rid is None else arguments.run_id(rid))
        self._start()  # An argument that is wrong is told here, and not when the job is about to start.

    def _prepare(self, rid: str) -> None:
        self._run = Run(self, rid, self._log_level, self._log_formatter)
        self._has_run = False
        self._in_use = threading.Lock()

    @property
    def rid(self) -> str:
        """The run ID of the current run, or of the last one."""
        return self._run.rid

    @property
    def ping_failures(self) -> list[HCAPIError]:
        """What went wrong with the pings of the run."""
        return self._run.ping_failures

    @staticmethod
    def current() -> CheckTrap[Any, Any] | None:
        """Give the run that the code which calls this belongs to, so that a decorated job can add to its log.

        ::

            if trap := CheckTrap.current():
                trap.add_log("saved 3 files")

        Returns:
            The CheckTrap of the innermost run of this context, which tasks inherit and threads do not, or None.
        """
        runs = current_runs()
        return runs[-1].trap if runs else None

    def add_log(self, line: str) -> None:
        """Add a line to the log that goes with the final ping. When the log is too long, its end is sent.

        Threads may do so at once. A million lines take no more memory than the body of a ping::

            trap.add_log("saved 3 files")

        Args:
            line: The line; a line break follows by itself.

        Raises:
            TypeError: It is no string.
        """
        if not isinstance(line, str):
            raise TypeError(f"a line of the log must be a string, not {type(line).__name__}")
        self._run.log.add_line(line)

    def write(self, text: str) -> int:
        """Add text to the log as it is, as to a file.

        ::

            print("saved", 3, "files", file=trap)
            with contextlib.redirect_stdout(trap):
                job()

        Args:
            text: The text, which may be a part of a line or several lines.

        Returns:
            The number of characters, as text files do.

        Raises:
            TypeError: It is no string.
        """
        if not isinstance(text, str):
            raise TypeError(f"what is written to the log must be a string, not {type(text).__name__}")
        self._run.log.write(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: the log is sent with the final ping. It is here for ``print(..., file=trap, flush=True)``."""

    def isatty(self) -> bool:
        """Say that this is no terminal, to what asks standard output before it writes."""
        return False

    encoding = "utf-8"
    """How text is encoded, for what asks standard output for it."""

    @overload
    def send_log(self: CheckTrap[Client, Any]) -> None: ...

    @overload
    def send_log(self: CheckTrap[AsyncClient, Any]) -> Coroutine[Any, Any, None]: ...

    def send_log(self) -> Coroutine[Any, Any, None] | None:
        """Send what was logged so far as a log ping of this run, within the client's timeout, and keep the log.

        With an AsyncClient it is a coroutine. The job goes on when the ping fails, unless ``ping_errors`` is "raise"::

            trap.send_log()

        Raises:
            BadAPIRequestError: The run is not under way.
            HCAPIError: The ping failed, and ``ping_errors`` is "raise".
        """
        if not self._run.is_under_way:
            raise BadAPIRequestError("send_log is for the time of the run: inside of the block")
        call = self._ping("log_ping", "log", self._run.log.body())
        if not isinstance(self._client, Client):
            return self._send_log_async(self._client, call)
        try:
            self._client._send(call, self._client._timeout)
        except HCAPIError as error:
            self._log_failed(error)
        return None

    async def _send_log_async(self, client: AsyncClient, call: Call[int]) -> None:
        try:
            await client._send(call, client._timeout)
        except HCAPIError as error:
            self._log_failed(error)

    # A block.

    def __enter__(self: CheckTrap[Client, Swallowed_co]) -> CheckTrap[Client, Swallowed_co]:
        self._enter("with")
        try:
            self._run.log.limit_to(self._client._send(self._start(), self._client._timeout))
        except HCAPIError as error:
            self._start_failed(error)
        except BaseException:
            self._in_use.release()
            raise
        self._run.begin()
        return self

    async def __aenter__(self: CheckTrap[AsyncClient, Swallowed_co]) -> CheckTrap[AsyncClient, Swallowed_co]:
        self._enter("async with")
        try:
            # Now, because a job may use up what an import needs, such as file descriptors.
            from healthchecks_io.client.shielding import carry_out

            self._carry_out = carry_out
            self._run.log.limit_to(await self._client._send(self._start(), self._client._timeout))
        except HCAPIError as error:
            self._start_failed(error)
        except BaseException:
            self._in_use.release()
            raise
        self._run.begin()
        return self

    def __exit__(
        self: CheckTrap[Client, Any],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._run.end()
        failure = None
        try:
            self._client._send(self._end(error), self._client._timeout if _is_cancellation(error) else float("inf"))
        except HCAPIError as ping_failure:
            failure = ping_failure
        finally:
            self._run.log.clear()
            self._in_use.release()
        return self._leave(error, failure)

    async def __aexit__(
        self: CheckTrap[AsyncClient, Any],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        self._run.end()
        try:
            if isinstance(error, GeneratorExit) and not _is_async_generator(sys._getframe(1)):
                return self._leave(error, HCAPIError("the coroutine was closed, and can send no ping any more"))
            failure, cancellation = await self._send_end(error)
        finally:
            self._run.log.clear()
            self._in_use.release()
        return self._leave(error, failure, cancellation)

    async def _send_end(
        self: CheckTrap[AsyncClient, Any], error: BaseException | None
    ) -> tuple[HCAPIError | None, asyncio.CancelledError | None]:
        """Send the final ping, also when the task is cancelled. Say what went wrong with it, and what cancelled it."""
        call = self._end(error)
        failures: list[HCAPIError] = []

        async def send() -> None:
            try:
                await self._client._send(call)
            except HCAPIError as failure:
                failures.append(failure)

        is_done, cancellation = await self._carry_out(send, self._client._timeout, is_cancelled=_is_cancellation(error))
        if not is_done:
            reason = f"it was given up {self._client._timeout:g} s after the task was cancelled"
            failures.append(self._client._unavailable(call[0], NoAnswer(reason)))
        return (failures[-1] if failures else None), cancellation

    # A function.

    @overload
    def __call__(
        self: CheckTrap[AsyncClient, Swallowed_co], job: Callable[P, Coroutine[Any, Any, T]]
    ) -> Callable[P, Coroutine[Any, Any, T | Swallowed_co]]: ...

    @overload
    def __call__(self: CheckTrap[Client, Swallowed_co], job: Callable[P, T]) -> Callable[P, T | Swallowed_co]: ...

    def __call__(self, job: Callable[..., Any]) -> Callable[..., Any]:
        """Make each call of a function a run of the job, with a run ID and a log of its own.

        Args:
            job: A function or method; with an AsyncClient, a coroutine function.

        Returns:
            A function of the same parameters. It returns what the job returns; None when an exception was swallowed.

        Raises:
            WrongClientError: It is a coroutine function and the client is a Client, or the reverse.
            BadAPIRequestError: It is no function, or a generator; or this trap has a rid, which is for one run.
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
        import inspect

        if self._is_for_one_run:
            raise BadAPIRequestError(
                "a given rid is for one run, and a decorated function runs with each call: leave it out"
            )
        if isinstance(job, (staticmethod, classmethod)):
            raise BadAPIRequestError("put the CheckTrap below @staticmethod and @classmethod")
        if not callable(job) or isinstance(job, type):
            raise BadAPIRequestError(f"a CheckTrap decorates functions and methods, not {job!r}")
        kinds = (job, type(job).__call__)
        if any(inspect.isgeneratorfunction(kind) or inspect.isasyncgenfunction(kind) for kind in kinds):
            raise BadAPIRequestError("a generator ends when its caller likes: use a CheckTrap as a block in it")
        is_coroutine_function = any(inspect.iscoroutinefunction(kind) for kind in kinds)
        if is_coroutine_function is isinstance(self._client, Client):
            kind = "a coroutine function" if is_coroutine_function else "a plain function"
            raise WrongClientError(f"a CheckTrap with {type(self._client).__name__} cannot decorate {kind}")

    def _for_one_call(self) -> Any:
        trap = copy.copy(self)
        trap._prepare(str(uuid4()))
        return trap

    # What all ways of use have in common.

    def _enter(self, way: str) -> None:
        right_way = "with" if isinstance(self._client, Client) else "async with"
        if way != right_way:
            raise WrongClientError(f"a CheckTrap with {type(self._client).__name__} is used in `{right_way}`")
        if not self._in_use.acquire(blocking=False):
            raise BadAPIRequestError("this CheckTrap is in use: a run that overlaps it needs a CheckTrap of its own")
        if self._has_run:
            if self._is_for_one_run:
                self._in_use.release()
                raise BadAPIRequestError("a CheckTrap with a given rid is for one run: make a new one")
            self._run = Run(self, str(uuid4()), self._log_level, self._log_formatter)
        self._has_run = True

    def _start(self) -> Call[int]:
        return self._ping("start_ping", "start", b"")

    def _end(self, error: BaseException | None) -> Call[int]:
        log = self._run.log
        if error is None:
            return self._ping("success_ping", "", log.body())
        if not isinstance(error, SystemExit):
            return self._ping("fail_ping", "fail", log.body(_traceback_of(error)))
        exit_code = 0 if error.code is None else error.code
        if isinstance(exit_code, int) and 0 <= exit_code <= arguments.MAX_EXIT_CODE:
            return self._ping("exit_code_ping", str(int(exit_code)), log.body())
        # sys.exit("why") prints why: it belongs to what the job said.
        return self._ping("fail_ping", "fail", log.body(exit_code if isinstance(exit_code, str) else ""))

    def _ping(self, name: str, action: str, data: bytes) -> Call[int]:
        return self._client._ping_of_run(name, action, self._uuid, self._slug, data, rid=self.rid, create=self._create)

    def _start_failed(self, error: HCAPIError) -> None:
        self.ping_failures.append(error)
        self._run.log.limit_to(readers.DEFAULT_BODY_LIMIT)
        is_redirect = error.status_code is not None and 300 <= error.status_code < 400
        is_config = is_redirect or isinstance(error, _MISCONFIGURATIONS)
        if self._ping_errors == "raise" or (self._ping_errors == "raise-config" and is_config):
            self._in_use.release()
            raise error
        _warn("The job runs, although its start could not be reported", error)

    def _log_failed(self, error: HCAPIError) -> None:
        self.ping_failures.append(error)
        if self._ping_errors == "raise":
            raise error
        _warn("The job goes on, although its log could not be sent", error)

    def _leave(
        self,
        error: BaseException | None,
        failure: HCAPIError | None,
        cancellation: asyncio.CancelledError | None = None,
    ) -> bool:
        """Let the right exception leave the block, and say whether the one of the job is swallowed."""
        is_swallowed = self._suppress_exceptions and isinstance(error, Exception)
        leaves_nothing = error is None or is_swallowed
        if failure is not None:
            self.ping_failures.append(failure)
            if self._ping_errors == "raise" and leaves_nothing and cancellation is None:
                raise failure
            _warn("The job is done, but its end could not be reported", failure)
        if cancellation is not None:
            if leaves_nothing:
                raise cancellation
            if not _is_cancellation(error):
                from healthchecks_io.client.shielding import cancel_again

                cancel_again()
        return is_swallowed


def _warn(what: str, error: HCAPIError) -> None:
    own_requests.log(own_requests.WARNING, "%s: %s", what, error)


def _is_cancellation(error: BaseException | None) -> bool:
    # Where asyncio is not imported, nothing is cancelled.
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and isinstance(error, asyncio.CancelledError)


def _is_async_generator(frame: FrameType) -> bool:
    import inspect

    return bool(frame.f_code.co_flags & inspect.CO_ASYNC_GENERATOR)


def _traceback_of(error: BaseException) -> str:
    import traceback

    try:
        return "".join(traceback.format_exception(error)).rstrip("\n")
    except Exception as problem:  # noqa: BLE001 - an exception may be made in any way; that it was raised must be told
        return f"{type(error).__name__} (the traceback cannot be shown: {type(problem).__name__})"
