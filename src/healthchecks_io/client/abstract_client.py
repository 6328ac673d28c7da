"""The base class of both clients, with the definition of each endpoint.

An endpoint consists of a public method, a function that builds its request, and a parser for its response. Each client
implements the public method in one statement.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod

from healthchecks_io._version import __version__
from healthchecks_io.client import arguments, parsers
from healthchecks_io.client.call import KIB, MIB, Call
from healthchecks_io.client.exceptions import (
    BadAPIRequestError,
    CheckNotPausedError,
    HCAPIError,
    MissingPingKeyError,
    NonUniqueSlugError,
    UnusableClientError,
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
    from healthchecks_io.provisioning.plan import Plan
    from healthchecks_io.reports.report import Report
    from healthchecks_io.schemas.badges import Badges
    from healthchecks_io.schemas.checks import Check, CheckCreate, CheckPings, CheckStatuses, CheckUpdate
    from healthchecks_io.schemas.integrations import Integration

_CHECK_LIMIT_HINT = "The account has reached its check limit: delete checks, or raise the limit."
_PROXY = "The response probably came from a proxy in front of the server."
_PROJECT_HINTS = {403: _PROXY}
_UUID_HINTS = {405: "Pass the UUID of the check: its unique key works only for reading the check or its flips."}
_PING_HINTS = {
    401: f"Pings need no API key. {_PROXY}",
    403: f"Pings need no API key. {_PROXY}",
    409: "Ping by UUID, or give each check its own slug. Two pings at the same time may create two checks.",
}
_NO_CHECK = "there is no such check (pass its UUID, or since Healthchecks 1.16 its unique key, but not its slug)"
_NO_UUID = "there is no check with this UUID (pass neither its slug nor its unique key)"


class AbstractClient(ABC):
    """The endpoints of the management API and the ping API, without the I/O.

    Any method can raise the following exceptions. The documentation of a method lists only those that have a special
    meaning there.

    Raises:
        BadAPIRequestError: An argument is invalid and nothing was sent, or the server rejected the request.
        HCAPIAuthError: The API key is missing, wrong or read-only, or the check belongs to another project.
        CheckNotFoundError: There is no such check.
        HCAPIRateLimitError: Too many requests were sent.
        HCAPIUnavailableError: The server could not be reached or failed, even after the retries.
        HCAPIError: The server sent an undocumented response, or the client is closed.
    """

    _product: str
    """The product name in the User-Agent header."""
    _httpx_class: str
    """The name of the class that a passed-in httpx client must be an instance of."""

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
        self._api_works = False
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
        from healthchecks_io.client import redaction

        urls = f"api_url={self._settings.api_url!r}, ping_url={self._settings.ping_url!r}"
        return redaction.redact(
            self._settings, f"{type(self).__name__}({urls}, api_version={self._settings.api_version})"
        )

    def _httpx_client(self) -> Any:
        """Return the passed-in httpx client, or call the passed-in function that returns one."""
        if not callable(self._client):
            return self._client
        from healthchecks_io.client import redaction, tracebacks

        try:
            client = self._client()
            self._require_httpx_client(client)
        except Exception as error:
            if tracebacks.is_from_signal_handler(error):
                raise
            problem = f"{type(error).__name__}: {redaction.redact(self._settings, str(error))}"
            raise HCAPIError(f"the function passed as client failed: {problem}") from error
        return client

    def __getstate__(self) -> dict[str, object]:
        if self._passed_in is not None:
            raise TypeError(
                f"a {type(self).__name__} with a passed-in httpx client cannot be pickled or copied: "
                "pass a function that returns the httpx client instead"
            )
        return {**self.__dict__, "_sessions": {}}

    def __setstate__(self, state: dict[str, object]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._pid = os.getpid()

    @property
    def _passed_in(self) -> Any:
        """The passed-in httpx client, or None if a function or nothing was passed in."""
        return None if callable(self._client) else self._client

    @property
    def is_closed(self) -> bool:
        """Whether the client or the passed-in httpx client is closed."""
        return self._is_closed or (self._passed_in is not None and self._passed_in.is_closed)

    def _check_usable(self) -> None:
        """Raise an HCAPIError if the client is closed, or its connections belong to another process."""
        if self.is_closed:
            raise UnusableClientError("the client is closed: create a new one")
        if self._passed_in is not None and self._pid != os.getpid():
            raise UnusableClientError(
                "the httpx client was passed in before a fork, so its connections belong to the parent process: "
                "pass a function that returns an httpx client, or create both clients after the fork"
            )

    def _parse_or_raise(self, call: Call[T], result: Response | Failure) -> T:
        """Return the parsed response, or raise the exception that describes the failure."""
        unexpected: parsers.UnexpectedResponseError | None = None
        if isinstance(result, Response) and result.status_code in call.statuses and not result.is_unusable:
            try:
                parsed = call.parse(result)
            except parsers.UnexpectedResponseError as error:
                unexpected = error
            else:
                self._api_works = self._api_works or not (call.is_ping or result.is_error)
                return parsed
        # Raise outside the except block, so that the error does not refer to exceptions of the lower layers.
        from healthchecks_io.client import errors

        raise errors.error_of(self._settings, call, result, unexpected, api_works=self._api_works)

    # Checks.

    @abstractmethod
    def get_checks(
        self, tags: Iterable[str] | None = None, slug: str | None = None
    ) -> list[Check] | Awaitable[list[Check]]:
        """Return the checks of the project, in no particular order.

        Source: Management API, "List Existing Checks".

        Args:
            tags: Return only checks that have all of these tags.
            slug: Return only checks with this slug. Needs Healthchecks 1.23 or newer.

        Returns:
            The checks. With a read-only key, they have a unique_key instead of a uuid.
        """

    def _get_checks(self, tags: Iterable[str] | None, slug: str | None) -> Call[list[Check]]:
        query = arguments.checks_query(tags, slug)
        parse = parsers.checks_with_slug(slug) if slug else parsers.checks
        return Call("GET", f"checks/{query}", parse, hints=_PROJECT_HINTS, is_idempotent=True)

    @abstractmethod
    def get_check(self, check_id: str | UUID | None) -> Check | Awaitable[Check]:
        """Return a single check.

        Source: Management API, "Get a Single Check".

        Args:
            check_id: The check's UUID or unique key. Unique keys need Healthchecks 1.16 or newer.

        Returns:
            The check.
        """

    def _get_check(self, check_id: str | UUID | None) -> Call[Check]:
        path = f"checks/{arguments.identifier('check_id', check_id)}"
        return Call("GET", path, parsers.check, not_found=[_NO_CHECK], is_idempotent=True)

    @abstractmethod
    def create_check(self, new_check: CheckCreate) -> Check | Awaitable[Check]:
        """Create a check, or update an existing one with the same values in its ``unique`` fields.

        Only the fields that you set are sent. A check has either a ``schedule`` or a ``timeout``. Without ``unique``,
        the call is not retried if the server may have created the check.

        Source: Management API, "Create a New Check".

        Args:
            new_check: The check to create.

        Returns:
            The check that was created or updated.

        Raises:
            BadAPIRequestError: The server rejected a value, such as the name of an integration.
            HCAPIAuthError: The API key is missing, wrong or read-only, or the account has reached its check limit.
        """

    def _create_check(self, new_check: CheckCreate) -> Call[Check]:
        from healthchecks_io.schemas.checks import CheckCreate

        if not isinstance(new_check, CheckCreate):
            raise BadAPIRequestError(f"new_check must be a CheckCreate, not {type(new_check).__name__}")
        body = _request_body(new_check)
        return Call(
            "POST",
            "checks/",
            parsers.saved_check(body),
            body=body,
            is_idempotent=bool(new_check.unique),
            statuses=(200, 201),
            hints={403: _CHECK_LIMIT_HINT},
        )

    @abstractmethod
    def update_check(self, uuid: str | UUID | None, update_check: CheckUpdate) -> Check | Awaitable[Check]:
        """Update a check. Fields that you do not set keep their values.

        Source: Management API, "Update an Existing Check".

        Args:
            uuid: The check's UUID.
            update_check: The fields to change. A CheckCreate is accepted too.

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
        return Call(
            "POST",
            path,
            parsers.saved_check(body),
            body=body,
            hints=_UUID_HINTS,
            not_found=[_NO_UUID],
            is_idempotent=True,
        )

    @abstractmethod
    def pause_check(self, check_id: str | UUID | None) -> Check | Awaitable[Check]:
        """Pause a check. It is not monitored until it is pinged or resumed.

        Source: Management API, "Pause Monitoring of a Check".

        Args:
            check_id: The check's UUID.

        Returns:
            The paused check.
        """

    def _pause_check(self, check_id: str | UUID | None) -> Call[Check]:
        path = f"checks/{arguments.identifier('check_id', check_id)}/pause"
        return Call("POST", path, parsers.check, hints=_UUID_HINTS, not_found=[_NO_UUID], is_idempotent=True)

    @abstractmethod
    def resume_check(self, check_id: str | UUID | None) -> Check | Awaitable[Check]:
        """Resume a paused check. Its status becomes new, and it waits for its first ping.

        The call is not retried if the server may have resumed the check.

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
        not_found = [_NO_UUID, "the server is older than 2.3 and cannot resume checks"]
        return Call("POST", path, parsers.check, not_found=not_found, conflict=CheckNotPausedError, is_idempotent=False)

    @abstractmethod
    def delete_check(self, check_id: str | UUID | None) -> Check | Awaitable[Check]:
        """Delete a check permanently.

        The call is not retried if the server may have deleted the check.

        Source: Management API, "Delete Check".

        Args:
            check_id: The check's UUID.

        Returns:
            The deleted check, without its channels.
        """

    def _delete_check(self, check_id: str | UUID | None) -> Call[Check]:
        path = f"checks/{arguments.identifier('check_id', check_id)}"
        return Call("DELETE", path, parsers.check, hints=_UUID_HINTS, not_found=[_NO_UUID], is_idempotent=False)

    # The pings and flips of a check.

    @abstractmethod
    def get_check_pings(self, check_id: str | UUID | None) -> list[CheckPings] | Awaitable[list[CheckPings]]:
        """Return the last 100 or 1000 pings of a check, depending on the account, newest first.

        Source: Management API, "List Check's Logged Pings". Needs Healthchecks 1.16 or newer.

        Args:
            check_id: The check's UUID.

        Returns:
            The pings.
        """

    def _get_check_pings(self, check_id: str | UUID | None) -> Call[list[CheckPings]]:
        path = f"checks/{arguments.identifier('check_id', check_id)}/pings/"
        not_found = [_NO_UUID, "the server is older than 1.16 and does not list pings"]
        return Call("GET", path, parsers.pings, not_found=not_found, is_idempotent=True)

    @abstractmethod
    def get_ping_body(self, check_id: str | UUID | None, n: int) -> bytes | Awaitable[bytes]:
        """Return the body of a ping, exactly as the server stored it.

        Source: Management API, "Get a Logged Ping's Body". Needs Healthchecks 2.5 or newer.

        Args:
            check_id: The check's UUID.
            n: The number of the ping, from CheckPings.number_of_pings.

        Returns:
            The body. The server truncates it to its body limit.

        Raises:
            CheckNotFoundError: There is no such check or ping, or the ping has no body.
        """

    def _get_ping_body(self, check_id: str | UUID | None, n: int) -> Call[bytes]:
        path = f"checks/{arguments.identifier('check_id', check_id)}/pings/{arguments.ping_number('n', n)}/body"
        not_found = [
            "there is no such check or ping (pass the UUID of the check)",
            "the ping has no body",
            "the server is older than 2.5",
        ]
        return Call("GET", path, parsers.ping_body, not_found=not_found, max_bytes=16 * MIB, is_idempotent=True)

    @abstractmethod
    def get_check_flips(
        self,
        check_id: str | UUID | None,
        seconds: int | timedelta | str | None = None,
        start: float | datetime | None = None,
        end: float | datetime | None = None,
    ) -> list[CheckStatuses] | Awaitable[list[CheckStatuses]]:
        """Return the flips (status changes) of a check, newest first. Filters can be combined.

        Source: Management API, "List Check's Status Changes". Needs Healthchecks 1.16 or newer.

        Args:
            check_id: The check's UUID or unique key.
            seconds: Return only flips of the last ``seconds`` seconds, at most 31536000 (365 days). Whole seconds, a
                timedelta, or text such as ``90``, ``5m``, ``1h 30m`` or ``1d``. A fraction of a second is rounded up.
            start: Return only flips at or after this time: UNIX seconds or an aware datetime. Rounded down to a second.
            end: Return only flips before this time: UNIX seconds or an aware datetime. Rounded up to a second.

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
        not_found = [_NO_CHECK, "the server is older than 1.16 and has no flips"]
        return Call("GET", path, parsers.flips, not_found=not_found, is_idempotent=True)

    # The project.

    @abstractmethod
    def get_integrations(self) -> list[Integration] | Awaitable[list[Integration]]:
        """Return the integrations of the project, which deliver its alerts.

        Source: Management API, "List Existing Integrations".

        Returns:
            The integrations.
        """

    def _get_integrations(self) -> Call[list[Integration]]:
        return Call("GET", "channels/", parsers.integrations, hints=_PROJECT_HINTS, is_idempotent=True)

    @abstractmethod
    def get_badges(self) -> dict[str, Badges] | Awaitable[dict[str, Badges]]:
        """Return the URLs of the project's badges.

        Source: Management API, "List Project's Badges". Needs Healthchecks 1.23 or newer.

        Returns:
            The badges by tag. The key ``*`` is for all checks.
        """

    def _get_badges(self) -> Call[dict[str, Badges]]:
        not_found = ["the server is older than 1.23 and has no badges"]
        return Call(
            "GET",
            "badges/",
            parsers.badges,
            hints=_PROJECT_HINTS,
            not_found=not_found,
            is_idempotent=True,
        )

    @abstractmethod
    def get_status(self) -> bool | Awaitable[bool]:
        """Return whether the server's database works. No key is needed.

        Source: Management API, "Check Database Connectivity".

        Returns:
            True if it works. False if the server responds with an error (5xx), even after the retries.
        """

    def _get_status(self) -> Call[bool]:
        return Call(
            "GET",
            "status/",
            parsers.status,
            is_idempotent=True,
            statuses=(200, *range(500, 600)),
            hints=_PROJECT_HINTS,
            max_bytes=64 * KIB,
        )

    # Reports.

    @abstractmethod
    def get_report(self, check_id: str | UUID | None, days: int = 30) -> Report | Awaitable[Report]:
        """Report how a check has been doing: its uptime, downtimes, runs and their durations.

        The window ends at the server's time. Servers keep flips for about three months, and the last 100 or 1000 pings.

        Args:
            check_id: The check's UUID or unique key.
            days: The length of the window, from 1 to 365.

        Returns:
            The report. With a read-only key, it contains no runs and durations.
        """

    @abstractmethod
    def get_reports(self, days: int = 30, tags: Iterable[str] | None = None) -> list[Report] | Awaitable[list[Report]]:
        """Report how all checks of the project have been doing.

        This takes two requests for each check. AsyncClient sends those for several checks at once. After a 429, the
        requests wait until the server accepts them again.

        Args:
            days: The length of the window, from 1 to 365.
            tags: Report only checks that have all of these tags.

        Returns:
            The reports, in the order of get_checks. A check that is deleted in the meantime is left out.
        """

    # Checks as code.

    @abstractmethod
    def plan_checks(
        self, wanted: Iterable[CheckCreate], *, prune: bool = False, prune_tag: str | None = None
    ) -> Plan | Awaitable[Plan]:
        """Compare the checks of the project with the wanted ones, and plan the changes. Nothing is changed.

        A check is identified by its slug. Only the fields that you set are compared. A check that does not exist is
        created, with all integrations unless you set its channels. A read-only key is enough if no check sets its
        channels.

        Args:
            wanted: The wanted checks, each with its slug: see load_checks.
            prune: Whether to delete the checks of the project that are not wanted. A check without a slug, or that
                shares its slug with another one, is never deleted.
            prune_tag: Delete only those with this tag. Implies prune.

        Returns:
            The plan. Print it to see the differences, and pass it to apply_plan.

        Raises:
            ValueError: Two of the wanted checks, or of the project's, share a slug, or there is no integration with a
                name. The message lists all problems.
        """

    @abstractmethod
    def apply_plan(self, plan: Plan) -> list[Check] | Awaitable[list[Check]]:
        """Apply a plan: create checks, then update checks, then delete checks.

        It stops at the first error, whose message states what was done. To continue, plan again. After a 429, it waits
        as long as the server asks, or a minute. A check that another program has created since the plan was made is
        updated with the fields that you set.

        Args:
            plan: The plan, from plan_checks.

        Returns:
            The changed checks, in the order of the changes.

        Raises:
            BadAPIRequestError: The plan was made with a read-only key. Nothing was changed.
            CheckNotFoundError: A check was deleted after the plan was made.
        """

    @abstractmethod
    def apply_checks(
        self, wanted: Iterable[CheckCreate], *, prune: bool = False, prune_tag: str | None = None
    ) -> Plan | Awaitable[Plan]:
        """Plan changes and apply them: plan_checks and apply_plan in one call.

        Args:
            wanted: See plan_checks.
            prune: See plan_checks.
            prune_tag: See plan_checks.

        Returns:
            The plan that was applied.

        Raises:
            ValueError: See plan_checks. Nothing was changed.
        """

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
            uuid: The check's UUID. Pass either this or a slug.
            slug: The check's slug. The client needs a ping key. Needs Healthchecks 1.23 or newer.
            data: The body of the ping, as text or bytes. Servers keep the first 10,000 or 100,000 bytes. If the body is
                longer than 1,000,000 bytes, only its end is sent.
            rid: The run ID, shared by all pings of a run. Needs Healthchecks 2.5 or newer.
            create: Whether to create the check if there is none with this slug. If two pings do so at the same time,
                the server may create two checks and then reject their slug. To avoid this, use a CheckTrap and pass it
                a CheckCreate. Needs Healthchecks 2.10 or newer.

        Returns:
            Whether the ping was recorded, and the text of the response.

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
        """Report that a job has started. The server measures its duration, and notices if it takes too long.

        Source: Pinging API, "Send a "start" Signal Using UUID" and "... Using Slug".

        Args:
            uuid: The check's UUID. Pass either this or a slug.
            slug: The check's slug. The client needs a ping key. Needs Healthchecks 1.23 or newer.
            data: The body of the ping, as text or bytes. See success_ping.
            rid: The run ID, shared by all pings of a run. Needs Healthchecks 2.5 or newer.
            create: Whether to create the check if there is none with this slug: see success_ping.
                Needs Healthchecks 2.10 or newer.

        Returns:
            Whether the ping was recorded, and the text of the response.

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
        """Report that a job has failed. The check goes down immediately.

        Source: Pinging API, "Send a "failure" Signal Using UUID" and "... Using Slug".

        Args:
            uuid: The check's UUID. Pass either this or a slug.
            slug: The check's slug. The client needs a ping key. Needs Healthchecks 1.23 or newer.
            data: The body of the ping, as text or bytes. See success_ping.
            rid: The run ID, shared by all pings of a run. Needs Healthchecks 2.5 or newer.
            create: Whether to create the check if there is none with this slug: see success_ping.
                Needs Healthchecks 2.10 or newer.

        Returns:
            Whether the ping was recorded, and the text of the response.

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
        """Add an entry to the log of a check, without changing its status.

        Source: Pinging API, "Send a "log" Signal Using UUID" and "... Using Slug". Needs Healthchecks 2.3 or newer.

        Args:
            uuid: The check's UUID. Pass either this or a slug.
            slug: The check's slug. The client needs a ping key. Needs Healthchecks 1.23 or newer.
            data: The body of the ping, as text or bytes. See success_ping.
            rid: The run ID, shared by all pings of a run. Needs Healthchecks 2.5 or newer.
            create: Whether to create the check if there is none with this slug: see success_ping.
                Needs Healthchecks 2.10 or newer.

        Returns:
            Whether the ping was recorded, and the text of the response.

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
        """Report the exit status of a job: 0 is a success, any other value a failure.

        Source: Pinging API, "Report Script's Exit Status Using UUID" and "... Using Slug".
        Needs Healthchecks 1.18 or newer.

        Args:
            exit_code: The exit status, from 0 to 255.
            uuid: The check's UUID. Pass either this or a slug.
            slug: The check's slug. The client needs a ping key. Needs Healthchecks 1.23 or newer.
            data: The body of the ping, as text or bytes. See success_ping.
            rid: The run ID, shared by all pings of a run. Needs Healthchecks 2.5 or newer.
            create: Whether to create the check if there is none with this slug: see success_ping.
                Needs Healthchecks 2.10 or newer.

        Returns:
            Whether the ping was recorded, and the text of the response.

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
        return self._ping(action, uuid, slug, data, rid=rid, create=create)

    def _ping(
        self,
        action: str,
        uuid: str | UUID | None,
        slug: str,
        data: str | bytes,
        *,
        rid: str | UUID | None,
        create: bool,
    ) -> Call[PingResult]:
        return ping_call(self._settings, action, parsers.ping, uuid=uuid, slug=slug, data=data, rid=rid, create=create)


def ping_call(
    settings: Settings,
    action: str,
    parse: Callable[[Response], T],
    *,
    uuid: str | UUID | None,
    slug: str,
    data: str | bytes,
    rid: str | UUID | None,
    create: bool,
) -> Call[T]:
    """Return the call that sends a ping.

    Args:
        settings: The settings of the client.
        action: The last segment of the URL: start, fail, log, an exit status, or empty for success.
        parse: The parser for the response.
        uuid: See AbstractClient.success_ping.
        slug: See AbstractClient.success_ping.
        data: See AbstractClient.success_ping.
        rid: See AbstractClient.success_ping.
        create: See AbstractClient.success_ping.

    Raises:
        BadAPIRequestError: An argument is invalid.
    """
    query: list[str] = []
    if rid is not None:
        query.append(f"rid={arguments.run_id('rid', rid)}")
    if create:
        query.append("create=1")
    path = _ping_path(settings, uuid, slug, create=create)
    path += (f"/{action}" if action else "") + ("?" if query else "") + "&".join(query)
    return Call(
        "POST",
        path,
        parse,
        is_ping=True,
        needs_ping_key=bool(slug),
        body=arguments.ping_body(data),
        is_idempotent=True,
        statuses=(200, 201),
        hints=_PING_HINTS,
        conflict=NonUniqueSlugError,
        not_found=_reasons_against_ping(action, by_slug=bool(slug), create=create),
        max_bytes=64 * KIB,
    )


def _ping_path(settings: Settings, uuid: str | UUID | None, slug: str, *, create: bool) -> str:
    """Return the path of a check, without the ping key."""
    # Do not use bool(): an argument of the wrong type may have no truth value.
    has_uuid = uuid not in ("", None)
    has_slug = slug not in ("", None)
    if uuid is None and not has_slug:
        raise BadAPIRequestError(
            "uuid is None: a check read with a read-only key has no uuid. Use a read-write key, or ping by slug"
        )
    if has_uuid is has_slug:
        raise BadAPIRequestError("a ping needs either a UUID or a slug: pass exactly one of them")
    if has_uuid:
        if create:
            raise BadAPIRequestError("create needs a slug: a ping by UUID cannot create a check")
        if uuid == settings.ping_key:
            raise BadAPIRequestError(
                "the ping key was passed as the UUID of the check: to ping by slug, pass only the slug"
            )
        return arguments.identifier("uuid", uuid)
    path = arguments.slug("slug", slug)
    if not settings.ping_key:
        raise MissingPingKeyError(
            "a ping by slug needs a ping key: set HEALTHCHECKS_PING_KEY, pass a ping key, or ping by UUID"
        )
    return path


def _reasons_against_ping(action: str, *, by_slug: bool, create: bool) -> list[str]:
    """Return the likely reasons why the server does not find what a ping is for."""
    if not by_slug:
        reasons = ["there is no check with this UUID (pass a slug as `slug`, not as `uuid`)", "the ping URL is wrong"]
    elif create:
        reasons = ["the ping key or the ping URL is wrong", "the account has reached twice its check limit"]
        reasons.append("the server is older than 2.10 and cannot create checks by ping")
    else:
        reasons = [
            "there is no check with this slug (a ping with `create` creates it)",
            "the ping key or the ping URL is wrong",
        ]
        reasons.append("the server is older than 1.23 and has no slugs")
    if action == "log":
        reasons.append("the server is older than 2.3 and has no log pings")
    elif action.isdecimal():
        reasons.append("the server is older than 1.18 and has no exit statuses")
    return reasons


def _request_body(fields: CheckUpdate) -> bytes:
    from pydantic import ValidationError

    try:
        return fields.to_request()
    except ValidationError as error:
        raise BadAPIRequestError(f"{type(fields).__name__} has invalid values: {error}") from error


def settings_of(client: AbstractClient) -> Settings:
    """Return the settings of a client, for use by the command line and the reporters."""
    return client._settings  # pyright: ignore[reportPrivateUsage]  # for use within this package


def has_own_connections(client: AbstractClient) -> bool:
    """Return whether a client makes its own connections, rather than using a passed-in httpx client."""
    return client._client is None  # pyright: ignore[reportPrivateUsage]  # for use within this package


def is_async(client: AbstractClient) -> bool:
    """Return whether a client is an AsyncClient. Importing that class would import asyncio."""
    return client._httpx_class == "AsyncClient"  # pyright: ignore[reportPrivateUsage]  # for use within this package


# Calls for the procedures of this package.
create_call = AbstractClient._create_check  # pyright: ignore[reportPrivateUsage]  # for use within this package
flips_call = AbstractClient._get_check_flips  # pyright: ignore[reportPrivateUsage]  # for use within this package
get_call = AbstractClient._get_check  # pyright: ignore[reportPrivateUsage]  # for use within this package
pings_call = AbstractClient._get_check_pings  # pyright: ignore[reportPrivateUsage]  # for use within this package
delete_call = AbstractClient._delete_check  # pyright: ignore[reportPrivateUsage]  # for use within this package
integrations_call = AbstractClient._get_integrations  # pyright: ignore[reportPrivateUsage]  # for use within this package
list_call = AbstractClient._get_checks  # pyright: ignore[reportPrivateUsage]  # for use within this package
update_call = AbstractClient._update_check  # pyright: ignore[reportPrivateUsage]  # for use within this package
