"""heartbeat, which pings a check at an interval while a program runs."""

from __future__ import annotations

import math
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from healthchecks_io._durations import parse_duration
from healthchecks_io.client.abstract_client import AbstractClient, settings_of
from healthchecks_io.client.exceptions import BadAPIRequestError, WrongClientError
from healthchecks_io.client.settings import is_disabled
from healthchecks_io.client.sync_client import Client
from healthchecks_io.monitoring import environment
from healthchecks_io.monitoring.beats import NORMAL_END, Beats, ThreadBeats
from healthchecks_io.monitoring.blocks import Blocks, current_task
from healthchecks_io.monitoring.declaration import declared_check, defaults_of_heartbeat
from healthchecks_io.trap.options import ignored_classes
from healthchecks_io.trap.outcome import Outcome, exit_outcome, format_traceback, is_cancellation, outcome_of
from healthchecks_io.trap.reporter import Reporter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from uuid import UUID

    import typing_extensions
    from typing_extensions import Unpack

    from healthchecks_io.client.async_client import AsyncClient
    from healthchecks_io.client.upsert import DeclaredCheck
    from healthchecks_io.monitoring.declaration import CheckFields
    from healthchecks_io.schemas.checks import CheckCreate
    from healthchecks_io.trap.options import Ignored

    C = TypeVar("C", bound=Client | AsyncClient)

    class HeartbeatOptions(CheckFields, total=False):
        """The keyword arguments of heartbeat that are the same in both overloads."""

        uuid: str | UUID | None
        max_silence: float | timedelta | str | None
        ignore: Ignored

    AcceptedClient_contra = typing_extensions.TypeVar("AcceptedClient_contra", contravariant=True, default=Any)
    """The clients with which a heartbeat can be used: both, if none was passed in."""
else:
    AcceptedClient_contra = TypeVar("AcceptedClient_contra", contravariant=True)


MIN_INTERVAL = 15.0
"""In seconds."""

_MAX_SECONDS = 365 * 24 * 3600


class Heartbeat(Generic[AcceptedClient_contra]):
    """What `heartbeat` returns: a context manager."""

    def __init__(
        self,
        client: Client | AsyncClient | None,
        uuid: str | UUID | None,
        slug: str,
        *,
        every: float,
        max_silence: float | None,
        ignored: tuple[type[BaseException], ...],
        check: CheckCreate | None,
    ) -> None:
        self._client = client
        self._uuid = uuid
        self._slug = slug
        self._every = every
        self._max_silence = max_silence
        self._ignored = ignored
        self._check = check
        self._declared: DeclaredCheck | None = None
        self._blocks: Blocks[Any] = Blocks()
        Reporter(environment.placeholder_client(), uuid, slug, **self._reporter_options()).validate()

    def __getstate__(self) -> dict[str, object]:
        """Return the state for a pickle or a copy: without the blocks."""
        return {**vars(self), "_blocks": Blocks()}

    def __enter__(self: Heartbeat[Client]) -> Beats:
        beats = ThreadBeats(self._reporter(is_sync=True), self._every, self._max_silence)
        beats.start()
        self._blocks.enter(threading.get_ident(), beats)
        return beats

    async def __aenter__(self: Heartbeat[AsyncClient]) -> Beats:
        from healthchecks_io.monitoring.task_beats import TaskBeats

        beats = TaskBeats(self._reporter(is_sync=False), self._every, self._max_silence)
        beats.start()
        self._blocks.enter(current_task(), beats)
        return beats

    def __exit__(
        self: Heartbeat[Client],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._blocks.leave(threading.get_ident()).end(self._outcome_of(error))

    async def __aexit__(
        self: Heartbeat[AsyncClient],
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._blocks.leave(current_task()).end(self._outcome_of(error), error)

    def _outcome_of(self, error: BaseException | None) -> Outcome:
        if error is None:
            return NORMAL_END
        outcome = outcome_of(error, (*self._ignored, KeyboardInterrupt))
        if outcome == exit_outcome(0) or is_cancellation(error):
            return NORMAL_END
        return outcome if outcome.action == "log" else Outcome("fail", format_traceback(error))

    def _reporter(self, *, is_sync: bool) -> Any:
        """Return the reporter for a block, with the settings that the environment has now, or None."""
        if is_sync:
            client_class: type[Client | AsyncClient] = Client
            reporter_class: Any = Reporter
        else:
            from healthchecks_io.client.async_client import AsyncClient
            from healthchecks_io.trap.async_reporter import AsyncReporter

            client_class, reporter_class = AsyncClient, AsyncReporter
        client = self._client
        if client is not None and not isinstance(client, client_class):
            statement = "with" if is_sync else "async with"
            raise WrongClientError(f"a heartbeat with {type(client).__name__} cannot be used in `{statement}`")
        if is_disabled():
            return None
        if client is None:
            client = environment.client_from_env(client_class, by_slug=self._by_slug, declares=True)
            if client is None:
                return None
        options = self._reporter_options()
        if self._by_slug and settings_of(client).api_key:
            options["declared"] = self._declared_check()
        elif self._check is not None:
            environment.warn_that_fields_are_ignored()
        return reporter_class(client, self._uuid, self._slug, owns_client=self._client is None, **options)

    @property
    def _by_slug(self) -> bool:
        return self._uuid in ("", None)

    def _reporter_options(self) -> dict[str, Any]:
        return {"create": self._by_slug, "rid": None, "ping_errors": "log"}

    def _declared_check(self) -> DeclaredCheck:
        """Return the check to create, with its defaults. All blocks share it, so that it is created once."""
        if self._declared is None:
            from healthchecks_io.client.upsert import DeclaredCheck
            from healthchecks_io.schemas.checks import CheckCreate

            check = self._check or CheckCreate(slug=self._slug)
            self._declared = DeclaredCheck(check, defaults_of_heartbeat(math.ceil(self._every), check))
        return self._declared


@overload
def heartbeat(
    slug: str = "", *, every: float | timedelta | str, client: None = None, **keywords: Unpack[HeartbeatOptions]
) -> Heartbeat[Client | AsyncClient]: ...


@overload
def heartbeat(
    slug: str = "", *, every: float | timedelta | str, client: C, **keywords: Unpack[HeartbeatOptions]
) -> Heartbeat[C]: ...


def heartbeat(
    slug: str = "",
    *,
    uuid: str | UUID | None = "",
    client: Client | AsyncClient | None = None,
    every: float | timedelta | str,
    max_silence: float | timedelta | str | None = None,
    ignore: Ignored = (),
    period: int | timedelta | str | None = None,
    schedule: str | None = None,
    tz: str | None = None,
    grace: int | timedelta | str | None = None,
    name: str | None = None,
    tags: Iterable[str] | str | None = None,
    desc: str | None = None,
    channels: Iterable[str] | str | None = None,
) -> Heartbeat[Any]:
    """Ping a check at an interval while a program runs.

    With ``with``, a daemon thread sends the pings, and with ``async with``, a task::

        with heartbeat("mail-worker", every="1m", max_silence="10m") as beat:
            while True:
                beat.alive()
                handle(queue.get())

    The first ping is sent at once. If the block raises an exception, a fail ping with the traceback is sent. If it ends
    normally, or with KeyboardInterrupt, asyncio.CancelledError, SystemExit with status 0 or an exception of
    ``ignore``, a log ping is sent: unless the heartbeat starts again, the check goes down after its grace time. A
    failed ping never affects the block. The beginning and the end of an outage of the monitoring are logged.

    The settings are read from the environment when the block begins, as for ``monitor``. With an API key, the check
    is created or updated first. A new check has ``every`` as its timeout, and twice that as its grace time, each at
    least a minute.

    Args:
        slug: The check's slug. Pass either this or a UUID.
        uuid: The check's UUID.
        client: A Client or AsyncClient to use instead of the environment. It is not closed.
        every: The interval, at least 15 seconds: seconds, a timedelta, or text such as ``1m``.
        max_silence: The longest time allowed between calls of ``alive()``: seconds, a timedelta, or text such as
            ``10m``. After that, no ping is sent until it is called again, so that a program that hangs is noticed. By
            default, it need not be called.
        ignore: Exception classes that do not mean that the program has failed.
        period: The expected time between two pings. By default, a new check gets ``every``. The same values as for
            ``monitor``.
        schedule: A cron or OnCalendar expression, instead of a period.
        tz: The time zone of the schedule, such as ``Europe/Riga``.
        grace: The grace time. By default, a new check gets twice ``every``. The same values as period.
        name: The check's name. By default, a new check is named after its slug.
        tags: The check's tags, as a list or as a string separated by spaces.
        desc: The check's description.
        channels: The integrations to notify: see ``monitor``.

    Returns:
        A context manager. Entering it returns `Beats`, with the method `alive()`.

    Raises:
        BadAPIRequestError: An argument is invalid.
        WrongClientError: The client is neither a Client nor an AsyncClient.
    """
    if client is not None and not isinstance(client, AbstractClient):
        raise WrongClientError(f"a heartbeat needs a Client or an AsyncClient, not {type(client).__name__}")
    interval = _seconds("every", every)
    if interval < MIN_INTERVAL:
        raise BadAPIRequestError(f"every must be at least {MIN_INTERVAL:g} seconds, not {every!r}")
    silence = None if max_silence is None else _seconds("max_silence", max_silence)
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
    return Heartbeat(
        client, uuid, slug, every=interval, max_silence=silence, ignored=ignored_classes(ignore), check=check
    )


def _seconds(name: str, value: object) -> float:
    """Return a duration in seconds.

    Raises:
        BadAPIRequestError: It is not a positive duration.
    """
    if isinstance(value, str):
        try:
            value = parse_duration(value)
        except ValueError as error:
            raise BadAPIRequestError(f"{name}: {error}") from None
    elif isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= _MAX_SECONDS:
        raise BadAPIRequestError(f"{name} must be a positive duration: seconds, a timedelta, or text such as '1m 30s'")
    return float(value)
