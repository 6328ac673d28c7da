"""What both clients share: the settings, and the definition of each endpoint.

Each endpoint is defined here: its public method, its request, and how its response is parsed. The clients implement the
public method in one statement.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod

from healthchecks_io._version import __version__
from healthchecks_io.client import arguments, parsers
from healthchecks_io.client.call import KIB, MIB, Call
from healthchecks_io.client.exceptions import (
    BadAPIRequestError,
    HCAPIError,
)
from healthchecks_io.client.response import Response
from healthchecks_io.client.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable
    from datetime import datetime, timedelta
    from typing import Any
    from uuid import UUID

    from healthchecks_io.client.call import T
    from healthchecks_io.client.ping_result import PingResult
    from healthchecks_io.client.response import Failure
    from healthchecks_io.schemas.badges import Badges
    from healthchecks_io.schemas.checks import Check, CheckCreate, CheckPings, CheckStatuses, CheckUpdate
    from healthchecks_io.schemas.integrations import Integration

_CHECK_LIMIT = "The account has reached its limit of checks: delete a check, or raise the limit."
_PROJECT_HINTS = {404: "The api_url is wrong: it must be the root of a Healthchecks API, and end with /api/."}
_PROXY = "Pings need no API key: a proxy in front of the server rejects them."


class AbstractClient(ABC):
    """The endpoints of the management API and the ping API, without the I/O.

    Every method can raise these exceptions. Its own documentation names those that mean something special.

    Raises:
        BadAPIRequestError: An argument is invalid, and nothing was sent; or the server rejected the request.
        HCAPIAuthError: The API key is missing, wrong or read-only, or the check belongs to another project.
        CheckNotFoundError: There is no such check.
        HCAPIRateLimitError: There were too many requests.
        HCAPIUnavailableError: The server could not be reached, or failed, and so did the retries.
        HCAPIError: The response is not the documented one, or the client is closed.
    """

    _product: str
    """The product in the User-Agent header."""
    _httpx_class: str
    """The httpx class that a passed-in client must have."""

    def __init__(
        self,
        api_key: str,
        ping_key: str,
        api_url: str,
        ping_url: str,
        api_version: int,
        client: Any,
        timeout: float,
        retries: int,
    ) -> None:
        self._settings = Settings(
            api_key=api_key,
            ping_key=ping_key,
            api_url=api_url,
            ping_url=ping_url,
            api_version=api_version,
            timeout=timeout,
            retries=retries,
            user_agent=f"{self._product}/{__version__}",
        )
        if client is not None and not callable(client):
            self._require_httpx_client(client)
        self._client = client
        self._is_closed = False
        self._pid = os.getpid()
        self._sessions: dict[Any, Any] = {}

    def _require_httpx_client(self, client: object) -> None:
        import httpx

        if not isinstance(client, getattr(httpx, self._httpx_class)):
            kind = type(client)
            raise TypeError(
                f"client must be an httpx.{self._httpx_class}, or a function that returns one, "
                f"not {kind.__module__}.{kind.__qualname__}"
            )

    def __repr__(self) -> str:
        from healthchecks_io.client import errors

        urls = f"api_url={self._settings.api_url!r}, ping_url={self._settings.ping_url!r}"
        return errors.redact(self._settings, f"{type(self).__name__}({urls}, api_version={self._settings.api_version})")

    def _httpx_client(self) -> Any:
        """Return the httpx client that was passed in, or that the function that was passed in returns."""
        if not callable(self._client):
            return self._client
        from healthchecks_io.client import errors, tracebacks

        try:
            client = self._client()
            self._require_httpx_client(client)
        except Exception as error:
            if tracebacks.is_from_signal_handler(error):
                raise
            problem = f"{type(error).__name__}: {errors.redact(self._settings, str(error))}"
            raise HCAPIError(f"the function that was passed as client failed: {problem}") from error
        return client

    def __getstate__(self) -> dict[str, object]:
        if self._passed_in is not None:
            raise TypeError(
                f"a {type(self).__name__} with an httpx client cannot be pickled or copied: "
                "pass a function that returns the httpx client, as in client=make_httpx_client"
            )
        return {**self.__dict__, "_sessions": {}}

    def __setstate__(self, state: dict[str, object]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._pid = os.getpid()

    @property
    def _passed_in(self) -> Any:
        """The httpx client that was passed in, unless it was a function."""
        return None if callable(self._client) else self._client

    @property
    def is_closed(self) -> bool:
        """Whether the client, or the httpx client that was passed in, is closed."""
        return self._is_closed or (self._passed_in is not None and self._passed_in.is_closed)

    def _check_usable(self) -> None:
        """Raise an HCAPIError if the client is closed, or its connections belong to another process."""
        if self.is_closed:
            raise HCAPIError("the client is closed: create a new one")
        if self._passed_in is not None and self._pid != os.getpid():
            raise HCAPIError(
                "the httpx client was passed in before a fork, and its connections belong to the parent process: "
                "pass a function that returns an httpx client, or create both clients after the fork"
            )

    def _parse_or_raise(self, call: Call[T], result: Response | Failure) -> T:
        """Return the parsed response, or raise the exception for its status."""
        unexpected: parsers.UnexpectedResponseError | None = None
        if isinstance(result, Response) and result.status_code in call.statuses and not result.is_unusable:
            try:
                return call.parse(result)
            except parsers.UnexpectedResponseError as error:
                unexpected = error
        # Raised outside the handler, so that the error does not refer to exceptions of the lower layers.
        from healthchecks_io.client import errors

        raise errors.error_of(self._settings, call, result, unexpected)

    # Checks.

    @abstractmethod
    def get_checks(
        self, tags: Iterable[str] | None = None, slug: str | None = None
    ) -> list[Check] | Awaitable[list[Check]]:
        """Return the checks of the project, in no particular order.

        Source: Management API, "List Existing Checks".

        Args:
            tags: Only checks that have all of these tags.
            slug: Only checks with this slug. Needs Healthchecks 1.23 or newer.

        Returns:
            The checks. With a read-only key they have a unique_key instead of a uuid.
        """

    def _get_checks(self, tags: Iterable[str] | None, slug: str | None) -> Call[list[Check]]:
        query = arguments.checks_query(tags, slug)
        parse = parsers.checks_with_slug(slug) if slug else parsers.checks
        return Call("get_checks", "GET", f"checks/{query}", parse, hints=_PROJECT_HINTS, is_idempotent=True)

    @abstractmethod
    def get_check(self, check_id: str | UUID | None) -> Check | Awaitable[Check]:
        """Return one check.

        Source: Management API, "Get a Single Check".

        Args:
            check_id: The check's UUID or unique key. Unique keys need Healthchecks 1.16 or newer.

        Returns:
            The check.
        """

    def _get_check(self, check_id: str | UUID | None) -> Call[Check]:
        path = f"checks/{arguments.identifier('check_id', check_id)}"
        return Call("get_check", "GET", path, parsers.check, is_idempotent=True)

    @abstractmethod
    def create_check(self, new_check: CheckCreate) -> Check | Awaitable[Check]:
        """Create a check, or update the existing check that matches on the ``unique`` fields.

        Only fields that were set are sent. A check with a ``schedule`` is a cron or OnCalendar check, any other one has
        a period. A call without ``unique`` is not repeated after a failure in which the server may have created the
        check.

        Source: Management API, "Create a New Check".

        Args:
            new_check: The check to create.

        Returns:
            The check that was created or updated.

        Raises:
            BadAPIRequestError: The server rejected a value, such as the name of an integration.
            HCAPIAuthError: The API key is missing, wrong or read-only, or the account has reached its limit of checks.
        """

    def _create_check(self, new_check: CheckCreate) -> Call[Check]:
        from healthchecks_io.schemas.checks import CheckCreate

        if not isinstance(new_check, CheckCreate):
            raise BadAPIRequestError(f"new_check must be a CheckCreate, not {type(new_check).__name__}")
        body = _request_body(new_check)
        return Call(
            "create_check",
            "POST",
            "checks/",
            parsers.saved_check(body),
            body=body,
            is_idempotent=bool(new_check.unique),
            statuses=(200, 201),
            hints={**_PROJECT_HINTS, 403: _CHECK_LIMIT},
        )

    @abstractmethod
    def update_check(self, uuid: str | UUID | None, update_check: CheckUpdate) -> Check | Awaitable[Check]:
        """Update a check. Fields that were not set stay unchanged.

        Source: Management API, "Update an Existing Check".

        Args:
            uuid: The check's UUID.
            update_check: The changes. A CheckCreate is accepted, too.

        Returns:
            The updated check.

        Raises:
            BadAPIRequestError: The server rejected a value, such as the name of an integration.
        """

    def _update_check(self, uuid: str | UUID | None, update_check: CheckUpdate) -> Call[Check]:
        from healthchecks_io.schemas.checks import CheckUpdate

        path = f"checks/{arguments.identifier('uuid', uuid)}"
        if not isinstance(update_check, CheckUpdate):
            raise BadAPIRequestError(
                f"update_check must be a CheckUpdate or a CheckCreate, not {type(update_check).__name__}"
            )
        body = _request_body(update_check)
        return Call("update_check", "POST", path, parsers.saved_check(body), body=body, is_idempotent=True)

    @abstractmethod
    def pause_check(self, check_id: str | UUID | None) -> Check | Awaitable[Check]:
        """Pause a check: it is not monitored until it is pinged or resumed.

        Source: Management API, "Pause Monitoring of a Check".

        Args:
            check_id: The check's UUID.

        Returns:
            The paused check.
        """

    def _pause_check(self, check_id: str | UUID | None) -> Call[Check]:
        path = f"checks/{arguments.identifier('check_id', check_id)}/pause"
        return Call("pause_check", "POST", path, parsers.check, is_idempotent=True)

    @abstractmethod
    def resume_check(self, check_id: str | UUID | None) -> Check | Awaitable[Check]:
        """Resume a paused check: it is new again, and waits for its first ping.

        The call is not repeated after a failure in which the server may have resumed the check.

        Source: Management API, "Resume Monitoring of a Check". Needs Healthchecks 2.3 or newer.

        Args:
            check_id: The check's UUID.

        Returns:
            The resumed check.

        Raises:
            CheckNotPausedError: The check is not paused.
        """

    def _resume_check(self, check_id: str | UUID | None) -> Call[Check]:
        path = f"checks/{arguments.identifier('check_id', check_id)}/resume"
        hints = {404: "There is no check with this UUID; or the server is older than 2.3, which cannot resume checks."}
        return Call("resume_check", "POST", path, parsers.check, hints=hints, is_idempotent=False)

    @abstractmethod
    def delete_check(self, check_id: str | UUID | None) -> Check | Awaitable[Check]:
        """Delete a check permanently.

        The call is not repeated after a failure in which the server may have deleted the check.

        Source: Management API, "Delete Check".

        Args:
            check_id: The check's UUID.

        Returns:
            The check as it was. Servers omit its channels.
        """

    def _delete_check(self, check_id: str | UUID | None) -> Call[Check]:
        path = f"checks/{arguments.identifier('check_id', check_id)}"
        return Call("delete_check", "DELETE", path, parsers.check, is_idempotent=False)

    # The history of a check.

    @abstractmethod
    def get_check_pings(self, check_id: str | UUID | None) -> list[CheckPings] | Awaitable[list[CheckPings]]:
        """Return the pings of a check, newest first: the last 100 or 1000, depending on the account.

        Source: Management API, "List Check's Logged Pings". Needs Healthchecks 1.16 or newer.

        Args:
            check_id: The check's UUID.

        Returns:
            The pings.
        """

    def _get_check_pings(self, check_id: str | UUID | None) -> Call[list[CheckPings]]:
        path = f"checks/{arguments.identifier('check_id', check_id)}/pings/"
        return Call("get_check_pings", "GET", path, parsers.pings, is_idempotent=True)

    @abstractmethod
    def get_ping_body(self, check_id: str | UUID | None, n: int) -> bytes | Awaitable[bytes]:
        """Return the body of a ping, verbatim as the server stored it.

        Source: Management API, "Get a Logged Ping's Body". Needs Healthchecks 2.5 or newer.

        Args:
            check_id: The check's UUID.
            n: The number of the ping: CheckPings.number_of_pings.

        Returns:
            The body, cut by the server at its limit.

        Raises:
            CheckNotFoundError: There is no such check or ping, or the ping has no body.
        """

    def _get_ping_body(self, check_id: str | UUID | None, n: int) -> Call[bytes]:
        path = f"checks/{arguments.identifier('check_id', check_id)}/pings/{arguments.ping_number(n)}/body"
        hints = {404: "There is no such check or ping, the ping has no body, or the server is older than 2.5."}
        return Call(
            "get_ping_body", "GET", path, parsers.ping_body, hints=hints, max_bytes=16 * MIB, is_idempotent=True
        )

    @abstractmethod
    def get_check_flips(
        self,
        check_id: str | UUID | None,
        seconds: int | timedelta | str | None = None,
        start: float | datetime | None = None,
        end: float | datetime | None = None,
    ) -> list[CheckStatuses] | Awaitable[list[CheckStatuses]]:
        """Return the flips of a check (its changes of status), newest first. The filters can be combined.

        Source: Management API, "List Check's Status Changes". Needs Healthchecks 1.16 or newer.

        Args:
            check_id: The check's UUID or unique key.
            seconds: Only flips of the last so many seconds, at most 31536000 (365 days): whole seconds, a timedelta, or
                text such as ``90``, ``5m``, ``1h 30m`` or ``1d``. A fraction of a second is rounded up.
            start: Only flips at or after this time: UNIX seconds, or an aware datetime. Rounded down to a whole second.
            end: Only flips before this time: UNIX seconds, or an aware datetime. Rounded up to a whole second.

        Returns:
            The flips.
        """

    def _get_check_flips(
        self,
        check_id: str | UUID | None,
        seconds: int | timedelta | str | None,
        start: float | datetime | None,
        end: float | datetime | None,
    ) -> Call[list[CheckStatuses]]:
        query = arguments.flips_query(seconds, start, end)
        path = f"checks/{arguments.identifier('check_id', check_id)}/flips/{query}"
        return Call("get_check_flips", "GET", path, parsers.flips, is_idempotent=True)

    # The project.

    @abstractmethod
    def get_integrations(self) -> list[Integration] | Awaitable[list[Integration]]:
        """Return the integrations of the project: the targets of its notifications.

        Source: Management API, "List Existing Integrations".

        Returns:
            The integrations.
        """

    def _get_integrations(self) -> Call[list[Integration]]:
        return Call(
            "get_integrations", "GET", "channels/", parsers.integrations, hints=_PROJECT_HINTS, is_idempotent=True
        )

    @abstractmethod
    def get_badges(self) -> dict[str, Badges] | Awaitable[dict[str, Badges]]:
        """Return the URLs of the project's badges.

        Source: Management API, "List Project's Badges". Needs Healthchecks 1.23 or newer.

        Returns:
            The badges by tag. ``*`` is the badge of all checks in the project.
        """

    def _get_badges(self) -> Call[dict[str, Badges]]:
        hints = {404: f"{_PROJECT_HINTS[404]} Servers older than 1.23 have no badges."}
        return Call("get_badges", "GET", "badges/", parsers.badges, hints=hints, is_idempotent=True)

    @abstractmethod
    def get_status(self) -> bool | Awaitable[bool]:
        """Return whether the server's database works. No key is needed.

        Source: Management API, "Check Database Connectivity".

        Returns:
            False if the server responds with an error (5xx), and so it does to the retries.
        """

    def _get_status(self) -> Call[bool]:
        return Call(
            "get_status",
            "GET",
            "status/",
            parsers.status,
            is_idempotent=True,
            statuses=(200, *range(500, 600)),
            hints=_PROJECT_HINTS,
            max_bytes=64 * KIB,
        )

    # Pings.

    @abstractmethod
    def success_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult | Awaitable[PingResult]:
        """Report that a job has succeeded, or that a service is alive.

        Source: Pinging API, "Send a "success" Signal Using UUID" and "... Using Slug".

        Args:
            uuid: The check's UUID. Pass either this or the slug.
            slug: The check's slug. The client needs a ping key. Needs Healthchecks 1.23 or newer.
            data: The body of the ping: text or bytes. Servers keep its first 10,000 or 100,000 bytes. Of more than
                1,000,000 bytes, only the end is sent.
            rid: The run ID, which the pings of one run share. Needs Healthchecks 2.5 or newer.
            create: Create the check if there is none with this slug. Needs Healthchecks 2.10 or newer.

        Returns:
            Whether the ping was recorded, and the server's text.

        Raises:
            CheckNotFoundError: There is no such check.
            NonUniqueSlugError: Several checks have this slug. The ping was not recorded.
        """

    @abstractmethod
    def start_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult | Awaitable[PingResult]:
        """Report that a job has started: the server measures its duration, and notices when it takes too long.

        Source: Pinging API, "Send a "start" Signal Using UUID" and "... Using Slug".

        Args:
            uuid: The check's UUID. Pass either this or the slug.
            slug: The check's slug. The client needs a ping key. Needs Healthchecks 1.23 or newer.
            data: The body of the ping: text or bytes. See success_ping.
            rid: The run ID, which the pings of one run share. Needs Healthchecks 2.5 or newer.
            create: Create the check if there is none with this slug. Needs Healthchecks 2.10 or newer.

        Returns:
            Whether the ping was recorded, and the server's text.

        Raises:
            CheckNotFoundError: There is no such check.
            NonUniqueSlugError: Several checks have this slug. The ping was not recorded.
        """

    @abstractmethod
    def fail_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult | Awaitable[PingResult]:
        """Report that a job has failed: the check goes down at once.

        Source: Pinging API, "Send a "failure" Signal Using UUID" and "... Using Slug".

        Args:
            uuid: The check's UUID. Pass either this or the slug.
            slug: The check's slug. The client needs a ping key. Needs Healthchecks 1.23 or newer.
            data: The body of the ping: text or bytes. See success_ping.
            rid: The run ID, which the pings of one run share. Needs Healthchecks 2.5 or newer.
            create: Create the check if there is none with this slug. Needs Healthchecks 2.10 or newer.

        Returns:
            Whether the ping was recorded, and the server's text.

        Raises:
            CheckNotFoundError: There is no such check.
            NonUniqueSlugError: Several checks have this slug. The ping was not recorded.
        """

    @abstractmethod
    def log_ping(
        self,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult | Awaitable[PingResult]:
        """Add an entry to the log of a check. Its status does not change.

        Source: Pinging API, "Send a "log" Signal Using UUID" and "... Using Slug". Needs Healthchecks 2.3 or newer.

        Args:
            uuid: The check's UUID. Pass either this or the slug.
            slug: The check's slug. The client needs a ping key. Needs Healthchecks 1.23 or newer.
            data: The body of the ping: text or bytes. See success_ping.
            rid: The run ID, which the pings of one run share. Needs Healthchecks 2.5 or newer.
            create: Create the check if there is none with this slug. Needs Healthchecks 2.10 or newer.

        Returns:
            Whether the ping was recorded, and the server's text.

        Raises:
            CheckNotFoundError: There is no such check.
            NonUniqueSlugError: Several checks have this slug. The ping was not recorded.
        """

    @abstractmethod
    def exit_code_ping(
        self,
        exit_code: int,
        uuid: str | UUID | None = "",
        slug: str = "",
        data: str | bytes = "",
        *,
        rid: str | UUID | None = None,
        create: bool = False,
    ) -> PingResult | Awaitable[PingResult]:
        """Report the exit status of a job: 0 is success, anything else a failure.

        Source: Pinging API, "Report Script's Exit Status Using UUID" and "... Using Slug".
        Needs Healthchecks 1.18 or newer.

        Args:
            exit_code: The exit status, 0 to 255.
            uuid: The check's UUID. Pass either this or the slug.
            slug: The check's slug. The client needs a ping key. Needs Healthchecks 1.23 or newer.
            data: The body of the ping: text or bytes. See success_ping.
            rid: The run ID, which the pings of one run share. Needs Healthchecks 2.5 or newer.
            create: Create the check if there is none with this slug. Needs Healthchecks 2.10 or newer.

        Returns:
            Whether the ping was recorded, and the server's text.

        Raises:
            CheckNotFoundError: There is no such check.
            NonUniqueSlugError: Several checks have this slug. The ping was not recorded.
        """

    def _exit_code_ping(
        self,
        exit_code: int,
        uuid: str | UUID | None,
        slug: str,
        data: str | bytes,
        *,
        rid: str | UUID | None,
        create: bool,
    ) -> Call[PingResult]:
        action = str(arguments.exit_code(exit_code))
        return self._ping("exit_code_ping", action, uuid, slug, data, rid=rid, create=create)

    def _ping(
        self,
        name: str,
        action: str,
        uuid: str | UUID | None,
        slug: str,
        data: str | bytes,
        *,
        rid: str | UUID | None,
        create: bool,
    ) -> Call[PingResult]:
        return ping_call(
            self._settings, name, action, parsers.ping, uuid=uuid, slug=slug, data=data, rid=rid, create=create
        )


def ping_call(
    settings: Settings,
    name: str,
    action: str,
    parse: Callable[[Response], T],
    *,
    uuid: str | UUID | None,
    slug: str,
    data: str | bytes,
    rid: str | UUID | None,
    create: bool,
) -> Call[T]:
    """Describe a ping.

    Args:
        settings: The settings of the client.
        name: The name of the ping, for messages.
        action: The last segment of the URL: start, fail, log, an exit status, or nothing for success.
        parse: The parser of the response.
        uuid: This and the following are the arguments of the ping methods.
        slug: See success_ping.
        data: See success_ping.
        rid: See success_ping.
        create: See success_ping.

    Raises:
        BadAPIRequestError: An argument is invalid.
    """
    query: list[str] = []
    if rid is not None:
        query.append(f"rid={arguments.run_id(rid)}")
    if create:
        query.append("create=1")
    path = _ping_path(settings, uuid, slug, create=create)
    path += (f"/{action}" if action else "") + ("?" if query else "") + "&".join(query)
    return Call(
        name,
        "POST",
        path,
        parse,
        is_ping=True,
        needs_ping_key=bool(slug),
        body=arguments.ping_body(data),
        is_idempotent=True,
        statuses=(200, 201),
        hints=_ping_hints(action, by_slug=bool(slug), create=create),
        max_bytes=64 * KIB,
    )


def _ping_path(settings: Settings, uuid: str | UUID | None, slug: str, *, create: bool) -> str:
    """Return the path of a check, without the ping key."""
    # Compare explicitly: not every object has a truth value.
    has_uuid = uuid not in ("", None)
    has_slug = slug not in ("", None)
    if uuid is None and not has_slug:
        raise BadAPIRequestError(
            "uuid is None: a check that was read with a read-only key has no uuid. Use a read-write key, or a slug"
        )
    if has_uuid is has_slug:
        raise BadAPIRequestError("a ping needs either a uuid or a slug")
    if has_uuid:
        if create:
            raise BadAPIRequestError("create needs a slug: a check cannot be created by its uuid")
        if uuid == settings.ping_key:
            raise BadAPIRequestError("uuid must be the UUID of a check, but it is the ping key")
        return arguments.identifier("uuid", uuid)
    if not settings.ping_key:
        raise BadAPIRequestError(
            "a ping by slug needs a ping key: pass ping_key (HEALTHCHECKS_PING_KEY), or ping by uuid"
        )
    return arguments.slug(slug)


def _ping_hints(action: str, *, by_slug: bool, create: bool) -> dict[int, str]:
    """Return advice for the errors of a ping."""
    if not by_slug:
        reasons = ["there is no check with this UUID (pass a slug as slug=)", "the ping_url is wrong"]
    elif create:
        reasons = ["the account has twice as many checks as its limit", "the ping key or the ping_url is wrong"]
        reasons.append("the server is older than 2.10, which does not create checks")
    else:
        reasons = ["there is no check with this slug (create=True creates it)", "the ping key or the ping_url is wrong"]
        reasons.append("the server is older than 1.23, which has no slugs")
    if action == "log":
        reasons.append("the server is older than 2.3, which has no log pings")
    elif action.isdecimal():
        reasons.append("the server is older than 1.18, which has no exit statuses")
    return {
        401: _PROXY,
        403: _PROXY,
        404: f"Likely reasons: {'; '.join(reasons)}.",
        409: "Ping by uuid, or give each check a slug of its own. Creating checks by slug is not atomic on servers.",
    }


def _request_body(fields: CheckUpdate) -> bytes:
    from pydantic import ValidationError

    try:
        return fields.to_request()
    except ValidationError as error:
        raise BadAPIRequestError(f"{type(fields).__name__} has invalid values: {error}") from error


def settings_of(client: AbstractClient) -> Settings:
    """Return the settings of a client, for the command line and the reporters of runs."""
    return client._settings  # pyright: ignore[reportPrivateUsage]  # the package's own access to it
