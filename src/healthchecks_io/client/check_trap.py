"""CheckTrap: a job, reported to its check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Literal, TypeVar
from uuid import UUID, uuid4

from healthchecks_io.client import arguments, readers
from healthchecks_io.client.abstract_client import AbstractClient
from healthchecks_io.client.exceptions import (
    BadAPIRequestError,
    CheckNotFoundError,
    HCAPIAuthError,
    HCAPIError,
    NonUniqueSlugError,
    WrongClientError,
)
from healthchecks_io.client.run_log import RunLog
from healthchecks_io.client.sync_client import Client

if TYPE_CHECKING:
    from types import TracebackType

    from healthchecks_io.client.async_client import AsyncClient
    from healthchecks_io.client.operation import Call

AnyClient = TypeVar("AnyClient", bound="Client | AsyncClient")

PingErrors = Literal["raise-config", "raise", "log"]

_MISCONFIGURATIONS = (BadAPIRequestError, CheckNotFoundError, NonUniqueSlugError, HCAPIAuthError)


class CheckTrap(Generic[AnyClient]):
    """Reports a job to its check: that it started, and how it ended.

    ::

        with CheckTrap(client, slug="nightly-backup") as trap:
            trap.add_log("saved 3 files")

    With an AsyncClient it is ``async with``. Entering sends a start ping. Leaving sends a success ping, or a fail ping
    when the block raised, with the log and the traceback. The exception leaves the block unchanged.

    Args:
        client: The client to ping with.
        uuid: The check's UUID. Either this or the slug names the check.
        slug: The check's slug; the client needs a ping key.
        suppress_exceptions: Whether to swallow the exceptions of the job, after they were reported. KeyboardInterrupt,
            SystemExit and asyncio.CancelledError are never swallowed.
        create: Create the check when there is none with this slug.
        rid: The run ID of the one run that this trap is for. Else each run gets one of its own.
        ping_errors: What happens when a ping fails. ``raise-config``: a misconfiguration, such as an unknown check, is
            raised before the job starts; anything else is logged as a warning. ``raise``: it is raised. ``log``: it is
            logged, for jobs that must run. A ping failure never takes the place of an exception of the job.

    Attributes:
        rid: The run ID of the current run, or of the last one.
        ping_failures: What went wrong with the pings of this run.

    Raises:
        BadAPIRequestError: An argument is wrong.
    """

    def __init__(
        self,
        client: AnyClient,
        uuid: str | UUID | None = "",
        slug: str = "",
        suppress_exceptions: bool = False,
        *,
        create: bool = False,
        rid: str | UUID | None = None,
        ping_errors: PingErrors = "raise-config",
    ) -> None:
        if not isinstance(client, AbstractClient):
            raise WrongClientError(f"a CheckTrap needs a Client or an AsyncClient, not {type(client).__name__}")
        if ping_errors not in ("raise-config", "raise", "log"):
            raise BadAPIRequestError('ping_errors must be "raise-config", "raise" or "log"')
        self._client: AnyClient = client
        self._uuid = uuid
        self._slug = slug
        self._suppress_exceptions = suppress_exceptions
        self._create = create
        self._ping_errors: PingErrors = ping_errors
        self._is_running = False
        self._has_run = False
        self._is_for_one_run = rid is not None
        self._begin(arguments.run_id(rid) if rid is not None else str(uuid4()))
        self._start()  # An argument that is wrong is told here, and not when the job is about to start.

    def _begin(self, rid: str) -> None:
        self.rid = rid
        self.ping_failures: list[HCAPIError] = []
        self._log = RunLog()

    def add_log(self, line: str) -> None:
        """Add a line to the log that goes with the final ping. When the log is too long, its end is sent.

        Args:
            line: The line, with or without a line break.

        Raises:
            TypeError: It is no string.
        """
        if not isinstance(line, str):
            raise TypeError(f"a line of the log must be a string, not {type(line).__name__}")
        self._log.add_line(line)

    def write(self, text: str) -> int:
        """Add text to the log as it is, for ``print(..., file=trap)``.

        Args:
            text: The text, which may be a part of a line or several lines.

        Returns:
            The number of characters, as text files do.

        Raises:
            TypeError: It is no string.
        """
        if not isinstance(text, str):
            raise TypeError(f"what is written to the log must be a string, not {type(text).__name__}")
        self._log.write(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: the log is sent with the final ping. It is here for ``print(..., file=trap, flush=True)``."""

    def __enter__(self: CheckTrap[Client]) -> CheckTrap[Client]:
        self._enter("with")
        try:
            self._log.limit_to(self._client._send(self._start()))
        except HCAPIError as error:
            self._start_failed(error)
        except BaseException:
            self._is_running = False
            raise
        return self

    async def __aenter__(self: CheckTrap[AsyncClient]) -> CheckTrap[AsyncClient]:
        self._enter("async with")
        try:
            self._log.limit_to(await self._client._send(self._start()))
        except HCAPIError as error:
            self._start_failed(error)
        except BaseException:
            self._is_running = False
            raise
        return self

    def __exit__(
        self: CheckTrap[Client],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        ping_failure = None
        try:
            self._client._send(self._end(error))
        except HCAPIError as failure:
            ping_failure = failure
        finally:
            self._is_running = False
        return self._leave(error, ping_failure)

    async def __aexit__(
        self: CheckTrap[AsyncClient],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        ping_failure = None
        try:
            await self._client._send(self._end(error))
        except HCAPIError as failure:
            ping_failure = failure
        finally:
            self._is_running = False
        return self._leave(error, ping_failure)

    # What both ways of use have in common.

    def _enter(self, way: str) -> None:
        right_way = "with" if isinstance(self._client, Client) else "async with"
        if way != right_way:
            raise WrongClientError(f"a CheckTrap with {type(self._client).__name__} is used in `{right_way}`")
        if self._is_running:
            raise BadAPIRequestError("this CheckTrap is in use: a run that overlaps it needs a CheckTrap of its own")
        if self._has_run:
            if self._is_for_one_run:
                raise BadAPIRequestError("a CheckTrap with a given rid is for one run: make a new one")
            self._begin(str(uuid4()))
        self._has_run = True
        self._is_running = True

    def _start(self) -> Call[int]:
        return self._ping("start_ping", "start", b"")

    def _end(self, error: BaseException | None) -> Call[int]:
        if error is None:
            return self._ping("success_ping", "", self._log.body())
        if not isinstance(error, SystemExit):
            return self._ping("fail_ping", "fail", self._log.body(_traceback_of(error)))
        exit_code = 0 if error.code is None else error.code
        if isinstance(exit_code, int) and 0 <= exit_code <= arguments.MAX_EXIT_CODE:
            return self._ping("exit_code_ping", str(int(exit_code)), self._log.body())
        return self._ping("fail_ping", "fail", self._log.body())

    def _ping(self, name: str, action: str, data: bytes) -> Call[int]:
        operation, _ = self._client._ping(name, action, self._uuid, self._slug, data, rid=self.rid, create=self._create)
        return operation, readers.ping_of_run

    def _start_failed(self, error: HCAPIError) -> None:
        self.ping_failures.append(error)
        self._log.limit_to(readers.DEFAULT_BODY_LIMIT)
        is_redirect = error.status_code is not None and 300 <= error.status_code < 400
        is_config = is_redirect or isinstance(error, _MISCONFIGURATIONS)
        if self._ping_errors == "raise" or (self._ping_errors == "raise-config" and is_config):
            self._is_running = False
            raise error
        _warn("The job runs, although its start could not be reported", error)

    def _leave(self, error: BaseException | None, ping_failure: HCAPIError | None) -> bool:
        """Say whether the job's exception is swallowed."""
        is_swallowed = self._suppress_exceptions and isinstance(error, Exception)
        if ping_failure is not None:
            self.ping_failures.append(ping_failure)
            if self._ping_errors == "raise" and (error is None or is_swallowed):
                raise ping_failure
            _warn("The job is done, but its end could not be reported", ping_failure)
        return is_swallowed


def _warn(what: str, error: HCAPIError) -> None:
    import logging

    logging.getLogger("healthchecks_io").warning("%s: %s", what, error)


def _traceback_of(error: BaseException) -> str:
    import traceback

    try:
        return "".join(traceback.format_exception(error)).rstrip("\n")
    except Exception as problem:  # noqa: BLE001 - an exception may be made in any way; that it was raised must be told
        return f"{type(error).__name__} (the traceback cannot be shown: {type(problem).__name__})"
