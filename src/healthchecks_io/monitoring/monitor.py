"""monitor, which monitors a job in one line."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, Literal, TypeVar, overload

from healthchecks_io.client.abstract_client import settings_of
from healthchecks_io.client.exceptions import BadAPIRequestError
from healthchecks_io.client.settings import is_disabled
from healthchecks_io.client.sync_client import Client
from healthchecks_io.monitoring import environment
from healthchecks_io.monitoring.blocks import Blocks, current_task
from healthchecks_io.monitoring.declaration import declared_check
from healthchecks_io.trap.check_trap import CheckTrap, check_reusable, trap_for_run

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Coroutine, Iterable
    from datetime import timedelta
    from types import TracebackType
    from typing import Any, ParamSpec
    from uuid import UUID

    import typing_extensions
    from typing_extensions import Never, Unpack

    from healthchecks_io.client.async_client import AsyncClient
    from healthchecks_io.monitoring.declaration import CheckFields
    from healthchecks_io.schemas.checks import CheckCreate
    from healthchecks_io.trap.options import Ignored, TrapOptions
    from healthchecks_io.trap.reporter import PingErrors
    from healthchecks_io.trap.run import LogScope

    C = TypeVar("C", bound=Client | AsyncClient)
    P = ParamSpec("P")
    T = TypeVar("T")

    class MonitorOptions(TrapOptions, CheckFields, total=False):
        """The keyword arguments of monitor, for type checkers."""

        uuid: str | UUID | None

    AcceptedClient_contra = typing_extensions.TypeVar("AcceptedClient_contra", contravariant=True, default=Any)
    """The clients with which a monitor can be used: both, if none was passed in."""
    Suppressed_co = typing_extensions.TypeVar("Suppressed_co", covariant=True, default=None)
else:
    AcceptedClient_contra = TypeVar("AcceptedClient_contra", contravariant=True)
    Suppressed_co = TypeVar("Suppressed_co", covariant=True)


class Monitor(Generic[AcceptedClient_contra, Suppressed_co]):
    """What `monitor` returns: a decorator and a context manager."""

    def __init__(
        self, template: CheckTrap[Any, Any], client: Client | AsyncClient | None, *, by_slug: bool, declares: bool
    ) -> None:
        self._template = template
        self._client = client
        self._by_slug = by_slug
        self._declares = declares
        self._blocks: Blocks[CheckTrap[Any, Any]] = Blocks()

    def __getstate__(self) -> dict[str, object]:
        """Return the state for a pickle or a copy: without the runs."""
        return {**vars(self), "_blocks": Blocks()}

    # As a decorator.

    @overload
    def __call__(
        self: Monitor[AsyncClient, Suppressed_co], job: Callable[P, Coroutine[Any, Any, T]]
    ) -> Callable[P, Coroutine[Any, Any, T | Suppressed_co]]: ...

    @overload
    def __call__(self: Monitor[Client, Suppressed_co], job: Callable[P, T]) -> Callable[P, T | Suppressed_co]: ...

    def __call__(self, job: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate a function or coroutine function: each call is a run, with its own run ID and log.

        Args:
            job: A function, method or coroutine function.

        Returns:
            A function with the same parameters. It returns the result of the job, or None if an exception was
            suppressed.

        Raises:
            WrongClientError: The job is a coroutine function and the client is a Client, or the reverse.
            BadAPIRequestError: The job is not a function, or is a generator function.
        """
        from healthchecks_io.trap import decoration

        check_reusable(self._template)
        is_plain = decoration.check_job(job, "a monitor", self._client)
        return decoration.decorate(job, lambda: self._new_trap(is_sync=is_plain), is_plain=is_plain)

    # As a context manager.

    def __enter__(self: Monitor[Client, Suppressed_co]) -> CheckTrap[Client, Suppressed_co]:
        trap: CheckTrap[Client, Suppressed_co] = self._new_trap(is_sync=True)
        trap.__enter__()
        self._blocks.enter(threading.get_ident(), trap)
        return trap

    async def __aenter__(self: Monitor[AsyncClient, Suppressed_co]) -> CheckTrap[AsyncClient, Suppressed_co]:
        trap: CheckTrap[AsyncClient, Suppressed_co] = self._new_trap(is_sync=False)
        await trap.__aenter__()
        self._blocks.enter(current_task(), trap)
        return trap

    @overload
    def __exit__(  # noqa: PYI036 - they differ in the type of the monitor
        self: Monitor[Client, Never],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]: ...

    @overload
    def __exit__(  # noqa: PYI036 - they differ in the type of the monitor
        self: Monitor[Client, None],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        return bool(self._blocks.leave(threading.get_ident()).__exit__(kind, error, traceback))

    @overload
    async def __aexit__(  # noqa: PYI036 - they differ in the type of the monitor
        self: Monitor[AsyncClient, Never],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> Literal[False]: ...

    @overload
    async def __aexit__(  # noqa: PYI036 - they differ in the type of the monitor
        self: Monitor[AsyncClient, None],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        return bool(await self._blocks.leave(current_task()).__aexit__(kind, error, traceback))

    # Shared by both uses.

    def _new_trap(self, *, is_sync: bool) -> Any:
        """Return the trap for a run, with the settings that the environment has now."""
        if is_sync:
            client_class: type[Client | AsyncClient] = Client
        else:
            from healthchecks_io.client.async_client import AsyncClient

            client_class = AsyncClient
        options: dict[str, Any] = {}
        client = self._client
        if is_disabled():
            options["is_silent"] = True
        elif client is None:
            client = environment.client_from_env(client_class, by_slug=self._by_slug, declares=self._declares)
            options["owns_client"] = client is not None
            options["is_silent"] = client is None
        if client is None:
            client = client_class()  # It sends nothing.
        if self._declares and not settings_of(client).api_key:
            options["declared"] = None
            if not options.get("is_silent"):
                environment.warn_that_fields_are_ignored()
        return trap_for_run(self._template, client, **options)


@overload
def monitor(
    slug: str = "",
    *,
    client: None = None,
    suppress_exceptions: Literal[False] = False,
    **keywords: Unpack[MonitorOptions],
) -> Monitor[Client | AsyncClient, Never]: ...


@overload
def monitor(
    slug: str = "", *, client: None = None, suppress_exceptions: bool = False, **keywords: Unpack[MonitorOptions]
) -> Monitor[Client | AsyncClient, None]: ...


@overload
def monitor(
    slug: str = "", *, client: C, suppress_exceptions: Literal[False] = False, **keywords: Unpack[MonitorOptions]
) -> Monitor[C, Never]: ...


@overload
def monitor(
    slug: str = "", *, client: C, suppress_exceptions: bool = False, **keywords: Unpack[MonitorOptions]
) -> Monitor[C, None]: ...


def monitor(
    slug: str = "",
    *,
    uuid: str | UUID | None = "",
    client: Client | AsyncClient | None = None,
    period: int | timedelta | str | None = None,
    schedule: str | None = None,
    tz: str | None = None,
    grace: int | timedelta | str | None = None,
    name: str | None = None,
    tags: Iterable[str] | str | None = None,
    desc: str | None = None,
    channels: Iterable[str] | str | None = None,
    create: bool | CheckCreate = True,
    ping_errors: PingErrors = "log",
    suppress_exceptions: bool = False,
    rid: str | UUID | None = None,
    log_level: int | None = None,
    log_formatter: logging.Formatter | None = None,
    log_scope: LogScope = "run",
    ignore: Ignored = (),
    send_start: bool = True,
    send_body: bool = True,
    body_limit: int | None = None,
    handle_sigterm: bool = False,
) -> Monitor[Any, Any]:
    """Monitor a job, with its schedule beside it.

    As a decorator of a function or coroutine function::

        @monitor("nightly-backup", schedule="0 3 * * *", tz="Europe/Riga", grace="1h")
        def back_up() -> None: ...

    As a context manager, with ``with`` or ``async with``. It returns a CheckTrap::

        async with monitor("mail-queue", period="5m") as trap:
            trap.add_log("delivered 12 messages")

    Each run reads its settings from the environment, and uses a client of its own: see Client.from_env. An error in the
    environment never stops a job: it is logged as a warning, once per process. If HEALTHCHECKS_DISABLED is set to
    anything but 0, false or no, nothing is sent.

    If you pass any of ``period``, ``schedule``, ``tz``, ``grace``, ``name``, ``tags``, ``desc`` and ``channels``, the
    check is created before the first run of this monitor in the process, or updated to these fields. Other fields do
    not change. This needs the project's API key: with only a ping key, the fields are ignored, with a warning.
    Otherwise, the first ping creates the check with the server's defaults.

    Args:
        slug: The check's slug. Pass either this or a UUID. Pings by slug need the ping key.
        uuid: The check's UUID. The check must exist, and its fields cannot be declared. Pings by UUID need no key.
        client: A Client or AsyncClient to use instead of the environment. It must match the use, and is not closed. Use
            it to keep connections open between frequent runs.
        period: The expected time between two runs, from 60 seconds to 365 days: whole seconds, a timedelta, or text
            such as ``5m`` or ``1h 30m``. In the API, this is the check's timeout.
        schedule: A cron or OnCalendar expression, instead of a period.
        tz: The time zone of the schedule, such as ``Europe/Riga``. A new check without it gets UTC.
        grace: The grace time, which is how late a run may be, or how long it may take, before the check goes down. The
            same values as period.
        name: The check's name. By default, a new check is named after its slug.
        tags: The check's tags, as a list or as a string separated by spaces.
        desc: The check's description.
        channels: The integrations to notify: ``*`` for all, an empty string for none, or their IDs or names. A new
            check has all by default.
        create: Whether the first ping creates the check if there is none with this slug. False cannot be combined with
            declared fields. A CheckCreate declares the check, as for a CheckTrap.
        ping_errors: What a failed ping means for the job. By default, every failure is logged, and the job runs in any
            case. See CheckTrap for the other values.
        suppress_exceptions: Whether to suppress the job's exceptions after reporting them. A decorated function then
            returns None.
        rid: The run ID, for a monitor that is used for a single run. By default, each run gets a new one.
        log_level: The lowest level of log records to add to the log, such as ``logging.INFO``: see CheckTrap.
        log_formatter: Formats these records: see CheckTrap.
        log_scope: Which log records are added, those of the run or of the process: see CheckTrap.
        ignore: Exception classes that do not mean that the job has failed: see CheckTrap.
        send_start: Whether to send a start ping.
        send_body: Whether to send the log and the traceback with the pings.
        body_limit: The maximum length of the log that is sent, in bytes: see CheckTrap.
        handle_sigterm: Whether SIGTERM ends the job with an exception, so that its end is reported: see CheckTrap.

    Returns:
        An object that is a decorator and a context manager. It can be used for many runs, also at the same time.

    Raises:
        BadAPIRequestError: An argument is invalid, such as the slug or the schedule.
        WrongClientError: The client is neither a Client nor an AsyncClient.
    """
    by_slug = uuid in ("", None)
    check = declared_check(
        uuid,
        slug,
        period=period,
        schedule=schedule,
        tz=tz,
        grace=grace,
        name=name,
        tags=tags,
        desc=desc,
        channels=channels,
    )
    if check is not None and create is not True:
        raise BadAPIRequestError("the declared fields already create the check: omit create, or the fields")
    if callable(slug):
        raise BadAPIRequestError('monitor needs the slug of a check: write @monitor("nightly-backup")')
    template: CheckTrap[Any, Any] = CheckTrap(
        environment.placeholder_client() if client is None else client,
        uuid,
        slug,
        suppress_exceptions,
        create=check or (create if by_slug else False),
        rid=rid,
        ping_errors=ping_errors,
        log_level=log_level,
        log_formatter=log_formatter,
        log_scope=log_scope,
        ignore=ignore,
        send_start=send_start,
        send_body=send_body,
        body_limit=body_limit,
        handle_sigterm=handle_sigterm,
    )
    declares = check is not None or not isinstance(create, bool)
    return Monitor(template, client, by_slug=by_slug, declares=declares)
