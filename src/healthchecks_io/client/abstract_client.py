"""What both clients have in common: everything but the I/O.

Of each endpoint three things stand together here: the public method with its docstring, which the two clients implement
in one statement each; the request; and the reading of the answer.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod

from healthchecks_io._version import __version__
from healthchecks_io.client import arguments, outcomes, own_requests, readers, settings
from healthchecks_io.client.exceptions import (
    BadAPIRequestError,
    CheckNotPausedError,
    HCAPIError,
    HCAPIRateLimitError,
    HCAPIUnavailableError,
    NonUniqueSlugError,
)
from healthchecks_io.client.operation import KIB, MIB, Operation
from healthchecks_io.client.outcomes import NoAnswer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable
    from datetime import datetime
    from uuid import UUID

    import httpx

    from healthchecks_io.client import wire
    from healthchecks_io.client.operation import Call, T
    from healthchecks_io.client.outcomes import Answer
    from healthchecks_io.client.ping_result import PingResult
    from healthchecks_io.client.retries import Retries
    from healthchecks_io.client.transports import AsyncTransport, Transport
    from healthchecks_io.schemas.badges import Badges
    from healthchecks_io.schemas.checks import Check, CheckCreate, CheckPings, CheckStatuses, CheckUpdate
    from healthchecks_io.schemas.integrations import Integration

_CHECK_LIMIT = "The account has reached its limit of checks: delete one, or raise the limit."
_PING_HINTS = {
    401: "Pings need no API key: something in front of the server refuses them.",
    403: "Pings need no API key: something in front of the server refuses them.",
    409: "Ping by uuid, or give each check a slug of its own.",
}
_UUID_HINTS = {
    **_PING_HINTS,
    404: "There is no check with this UUID (a slug goes into slug=), or the ping_url is wrong.",
}
_SLUG_HINTS = {
    **_PING_HINTS,
    404: "There is no such check (create makes it with its first ping), or the ping key or the ping_url is wrong.",
}
_PROJECT_HINTS = {404: "The api_url is wrong: it is the root of the API of a Healthchecks server, and ends with /api/."}
_HINTS = {
    401: "Check the API key: a read-only key may only read, and not everything.",
    403: "The check belongs to another project: use that project's API key.",
    404: "There is no such check (its UUID or unique key names it, and no slug), or the api_url is wrong.",
}


class AbstractClient(ABC):
    """The management API and the ping API of Healthchecks, without the I/O."""

    _product: str
    """The name in the User-Agent."""

    def __init__(
        self,
        api_key: str,
        ping_key: str,
        api_url: str,
        ping_url: str,
        api_version: int,
        timeout: float,
        retries: int,
    ) -> None:
        self._api_key = settings.checked_key("api_key", api_key)
        self._ping_key = settings.checked_ping_key("ping_key", ping_key)
        self._api_url = settings.checked_url("api_url", api_url)
        self._ping_url = settings.checked_url("ping_url", ping_url)
        self._api_version = settings.checked_version(api_version)
        self._timeout = settings.checked_timeout(timeout)
        self._retries = settings.checked_retries(retries)
        self._is_closed = False
        self._pid = os.getpid()

    def __repr__(self) -> str:
        return self._masked(
            f"{type(self).__name__}(api_url={self._api_url!r}, ping_url={self._ping_url!r}, "
            f"api_version={self._api_version})"
        )

    @property
    @abstractmethod
    def is_closed(self) -> bool:
        """Whether the client, or the httpx client that was passed in, was closed, so that it cannot send any more."""

    def _check_usable(self, passed_in: httpx.Client | httpx.AsyncClient | None) -> None:
        """Refuse to send with a client that is closed, or that has connections of another process."""
        if self.is_closed:
            raise HCAPIError("the client is closed: make a new one")
        if passed_in is not None and self._pid != os.getpid():
            raise HCAPIError(
                "the httpx client was passed in before a fork, and its connections belong to the other process: "
                "make the httpx client and this one after the fork"
            )

    # The way of a call: an operation becomes a request, what comes back a result or an error.

    def _url(self, operation: Operation) -> str:
        root = self._ping_url if operation.to_ping_host else f"{self._api_url}v{self._api_version}/"
        return root + operation.path

    def _shown_url(self, operation: Operation) -> str:
        """The URL as messages show it: without keys."""
        scheme, _, rest = self._url(operation).partition("://")
        host, _, path = rest.partition("/")
        return f"{scheme}://{host}/{self._masked(path)}"

    def _request(
        self,
        http: httpx.Client | httpx.AsyncClient | Transport | AsyncTransport,
        operation: Operation,
        seconds: float,
        seconds_to_connect: float | None = None,
        progress: wire.Progress | None = None,
    ) -> httpx.Request:
        from healthchecks_io.client import wire

        return wire.build_request(
            http,
            operation,
            self._url(operation),
            api_key=self._api_key,
            user_agent=f"{self._product}/{__version__}",
            seconds=seconds,
            seconds_to_connect=seconds_to_connect or seconds,
            progress=progress,
        )

    def _outcome_of(self, operation: Operation, error: Exception) -> Answer | NoAnswer:
        """Say what an error means that was raised while a request was sent or its answer was read."""
        from healthchecks_io.client import wire

        return wire.outcome_of(error, shown_request=self._shown_request(operation))

    def _shown_request(self, operation: Operation) -> httpx.Request:
        """The request as errors carry it: without keys."""
        import httpx

        return httpx.Request(operation.method, self._shown_url(operation))

    def _wait_before_retry(
        self, operation: Operation, retries: Retries, outcome: Answer | NoAnswer, seconds_left: float
    ) -> float | None:
        """Say for how many seconds to wait before the next attempt, or None when there is none."""
        wait = retries.wait_after(outcome, seconds_left)
        if retries.may_follow(outcome):
            happened = self._happened(operation, outcome)
            if wait is not None:
                own_requests.log(own_requests.INFO, "%s; %s in %.1f s", happened, retries.progress, wait)
            elif self._retries:
                own_requests.log(own_requests.WARNING, "%s; giving up after %s", happened, retries.progress)
        return wait

    def _finish(self, call: Call[T], outcome: Answer | NoAnswer) -> T:
        operation, read = call
        if isinstance(outcome, NoAnswer):
            raise self._unavailable(operation, outcome)
        kind = outcomes.error_of(operation, outcome)
        if kind is not None:
            raise self._error(kind, operation, outcome)
        try:
            return read(outcome)
        except readers.UnexpectedAnswerError as unexpected:
            kind, problem = unexpected.kind, str(unexpected)
        # Outside of the handler, so that the error carries nothing of the lower layers.
        raise self._error(kind, operation, outcome, problem)

    def _unavailable(self, operation: Operation, outcome: NoAnswer) -> HCAPIError:
        error = (HCAPIUnavailableError if outcome.may_pass else HCAPIError)(self._happened(operation, outcome))
        if self._shows_no_key(outcome.cause):
            error.__cause__ = outcome.cause
        return error

    def _shows_no_key(self, error: Exception | None) -> bool:
        said = str(error)
        return self._quoted(said) == said

    def _error(self, kind: type[HCAPIError], operation: Operation, answer: Answer, problem: str = "") -> HCAPIError:
        from healthchecks_io.client import wire

        message = f"{self._happened(operation, answer, problem)}. {self._hint(operation, answer)}".rstrip()
        response = wire.shown_response(answer, self._shown_request(operation))
        if issubclass(kind, HCAPIRateLimitError):
            return kind(message, status_code=answer.status_code, response=response, retry_after=answer.retry_after)
        return kind(message, status_code=answer.status_code, response=response)

    def _happened(self, operation: Operation, outcome: Answer | NoAnswer, problem: str = "") -> str:
        """Say what was asked and what came back, and what is wrong with it, for messages and the log."""
        asked = f"{operation.name}: {operation.method} {self._shown_url(operation)}"
        if isinstance(outcome, NoAnswer):
            return f"{asked} {'got no answer' if outcome.may_pass else 'failed'}: {self._quoted(outcome.reason)}"
        import httpx

        answered = f"{outcome.status_code} {httpx.codes.get_reason_phrase(outcome.status_code)}".rstrip()
        said = self._quoted(outcome.said())
        problem = self._quoted(problem or outcome.problem)
        return f"{asked} was answered {answered}{f': {said!r}' if said else ''}{f' ({problem})' if problem else ''}"

    def _hint(self, operation: Operation, answer: Answer) -> str:
        """Say what to do about it."""
        if answer.is_redirect:
            return self._redirect_hint(operation, answer)
        if answer.status_code in operation.hints:
            return operation.hints[answer.status_code]
        if answer.status_code == 401 and not self._api_key:
            return "The client has no API key: give it an api_key (HEALTHCHECKS_API_KEY)."
        if answer.status_code == 429 and answer.retry_after is not None:
            return f"Try again in {answer.retry_after:g} s."
        return _HINTS.get(answer.status_code, "")

    def _redirect_hint(self, operation: Operation, answer: Answer) -> str:
        from urllib.parse import urljoin

        url = self._url(operation)
        setting, configured = ("ping_url", self._ping_url) if operation.to_ping_host else ("api_url", self._api_url)
        path = url.removeprefix(configured).partition("?")[0]
        try:
            target = urljoin(url, answer.headers["Location"]).partition("?")[0]
            root = settings.checked_url(setting, target.removesuffix(path))
        except ValueError:
            return f"Redirects are not followed, and this one leads nowhere: check {setting}."
        if target == root + path and root != configured:
            return f"Redirects are not followed: configure {setting}={self._quoted(root)!r}."
        return f"Redirects are not followed: check {setting}, it leads to {self._quoted(target)!r}."

    def _quoted(self, text: str) -> str:
        """The text of a server as it may stand in a message: without keys, not too long, no HTML."""
        return self._masked(text)[: outcomes.MAX_QUOTE] if outcomes.is_quotable(text) else ""

    def _masked(self, text: str) -> str:
        """The text without keys."""
        import re

        # The longer one first, for one may be a part of the other.
        for key in sorted((self._api_key, self._ping_key), key=len, reverse=True):
            if key:
                # Quotes and backslashes may have a backslash before them: in JSON, or in a repr.
                pattern = "".join(rf"\\?{re.escape(character)}" for character in key)
                # A short key, as tests have it, may be a part of any word.
                text = re.sub(pattern if len(key) >= 16 else rf"(?<![\w-]){pattern}(?![\w-])", "***", text)
        return text

    # Checks.

    @abstractmethod
    def get_checks(
        self, tags: Iterable[str] | None = None, slug: str | None = None
    ) -> list[Check] | Awaitable[list[Check]]:
        """Get the checks of the project, in no particular order.

        Source: Management API, "List Existing Checks".

        Args:
            tags: Only the checks that have all of these tags.
            slug: Only the checks with this slug.

        Returns:
            The checks. With a read-only key they have a unique_key instead of a uuid.

        Raises:
            HCAPIAuthError: The API key is missing or wrong.
            BadAPIRequestError: The tags are no list of strings.
            HCAPIRateLimitError: There were too many requests.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
        """

    def _get_checks(self, tags: Iterable[str] | None, slug: str | None) -> Call[list[Check]]:
        query = arguments.checks_query(tags, slug)
        path = f"checks/?{query}".rstrip("?")
        return Operation("get_checks", "GET", path, hints=_PROJECT_HINTS, is_repeatable=True), readers.checks

    @abstractmethod
    def get_check(self, check_id: str | UUID | None) -> Check | Awaitable[Check]:
        """Get one check.

        Source: Management API, "Get a Single Check".

        Args:
            check_id: The check's UUID, or its unique key.

        Returns:
            The check.

        Raises:
            CheckNotFoundError: There is no such check.
            HCAPIAuthError: The API key is missing or wrong, or the check belongs to another project.
            BadAPIRequestError: The id cannot be one.
            HCAPIRateLimitError: There were too many requests.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
        """

    def _get_check(self, check_id: str | UUID | None) -> Call[Check]:
        path = f"checks/{arguments.identifier('check_id', check_id)}"
        return Operation("get_check", "GET", path, is_repeatable=True), readers.check

    @abstractmethod
    def create_check(self, new_check: CheckCreate) -> Check | Awaitable[Check]:
        """Create a check, or update the one that is the same in the fields named in ``unique``.

        Only what was set is sent. A check with a ``schedule`` is a cron or OnCalendar check, any other a simple one. A
        create without ``unique`` is not repeated after a failure in which the service may have made the check.

        Source: Management API, "Create a New Check".

        Args:
            new_check: The check to create.

        Returns:
            The check that was created or updated.

        Raises:
            HCAPIAuthError: The API key is missing, wrong or read-only, or the account has reached its limit of checks.
            BadAPIRequestError: The service refused a value, such as the name of an integration.
            HCAPIRateLimitError: There were too many requests.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
        """

    def _create_check(self, new_check: CheckCreate) -> Call[Check]:
        from healthchecks_io.schemas.checks import CheckCreate

        if not isinstance(new_check, CheckCreate):
            raise BadAPIRequestError(f"new_check must be a CheckCreate, not {type(new_check).__name__}")
        operation = Operation(
            "create_check",
            "POST",
            "checks/",
            body=self._body_of(new_check),
            is_repeatable=bool(new_check.unique),
            statuses=(200, 201),
            hints={**_PROJECT_HINTS, 403: _CHECK_LIMIT},
        )
        return operation, readers.check

    @abstractmethod
    def update_check(self, uuid: str | UUID | None, update_check: CheckUpdate) -> Check | Awaitable[Check]:
        """Update a check. What was not set stays as it was.

        Source: Management API, "Update an Existing Check".

        Args:
            uuid: The check's UUID.
            update_check: What is to change; a CheckCreate is accepted too.

        Returns:
            The check after the update.

        Raises:
            CheckNotFoundError: There is no such check.
            HCAPIAuthError: The API key is missing, wrong or read-only, or the check belongs to another project.
            BadAPIRequestError: The UUID cannot be one, or the service refused a value.
            HCAPIRateLimitError: There were too many requests.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
        """

    def _update_check(self, uuid: str | UUID | None, update_check: CheckUpdate) -> Call[Check]:
        from healthchecks_io.schemas.checks import CheckUpdate

        path = f"checks/{arguments.identifier('uuid', uuid)}"
        if not isinstance(update_check, CheckUpdate):
            raise BadAPIRequestError(
                f"update_check must be a CheckUpdate or a CheckCreate, not {type(update_check).__name__}"
            )
        body = self._body_of(update_check)
        return Operation("update_check", "POST", path, body=body, is_repeatable=True), readers.check

    def _body_of(self, fields: CheckUpdate) -> bytes:
        from pydantic import ValidationError

        try:
            return fields.to_request()
        except ValidationError as error:
            raise BadAPIRequestError(f"{type(fields).__name__} was changed to what servers refuse: {error}") from error

    @abstractmethod
    def pause_check(self, check_id: str | UUID | None) -> Check | Awaitable[Check]:
        """Pause a check: it is not watched until it is pinged or resumed.

        Source: Management API, "Pause Monitoring of a Check".

        Args:
            check_id: The check's UUID.

        Returns:
            The paused check.

        Raises:
            CheckNotFoundError: There is no such check.
            HCAPIAuthError: The API key is missing, wrong or read-only, or the check belongs to another project.
            BadAPIRequestError: The UUID cannot be one.
            HCAPIRateLimitError: There were too many requests.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
        """

    def _pause_check(self, check_id: str | UUID | None) -> Call[Check]:
        path = f"checks/{arguments.identifier('check_id', check_id)}/pause"
        return Operation("pause_check", "POST", path, is_repeatable=True), readers.check

    @abstractmethod
    def resume_check(self, check_id: str | UUID | None) -> Check | Awaitable[Check]:
        """Resume a paused check: it is new again and waits for its first ping.

        It is not repeated after a failure in which the service may have resumed the check.

        Source: Management API, "Resume Monitoring of a Check".

        Args:
            check_id: The check's UUID.

        Returns:
            The resumed check.

        Raises:
            CheckNotPausedError: The check is not paused.
            CheckNotFoundError: There is no such check.
            HCAPIAuthError: The API key is missing, wrong or read-only, or the check belongs to another project.
            BadAPIRequestError: The UUID cannot be one.
            HCAPIRateLimitError: There were too many requests.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
        """

    def _resume_check(self, check_id: str | UUID | None) -> Call[Check]:
        path = f"checks/{arguments.identifier('check_id', check_id)}/resume"
        errors = {409: CheckNotPausedError}
        return Operation("resume_check", "POST", path, errors=errors, is_repeatable=False), readers.check

    @abstractmethod
    def delete_check(self, check_id: str | UUID | None) -> Check | Awaitable[Check]:
        """Delete a check, for good.

        It is not repeated after a failure in which the service may have deleted the check.

        Source: Management API, "Delete Check".

        Args:
            check_id: The check's UUID.

        Returns:
            The check as it was; servers leave out its channels.

        Raises:
            CheckNotFoundError: There is no such check.
            HCAPIAuthError: The API key is missing, wrong or read-only, or the check belongs to another project.
            BadAPIRequestError: The UUID cannot be one.
            HCAPIRateLimitError: There were too many requests.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
        """

    def _delete_check(self, check_id: str | UUID | None) -> Call[Check]:
        path = f"checks/{arguments.identifier('check_id', check_id)}"
        return Operation("delete_check", "DELETE", path, is_repeatable=False), readers.check

    # What happened to a check.

    @abstractmethod
    def get_check_pings(self, check_id: str | UUID | None) -> list[CheckPings] | Awaitable[list[CheckPings]]:
        """Get the pings that a check has received, newest first: the last 100 or 1000, as the account allows.

        Source: Management API, "List Check's Logged Pings".

        Args:
            check_id: The check's UUID.

        Returns:
            The pings.

        Raises:
            CheckNotFoundError: There is no such check.
            HCAPIAuthError: The API key is missing, wrong or read-only, or the check belongs to another project.
            BadAPIRequestError: The UUID cannot be one.
            HCAPIRateLimitError: There were too many requests.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
        """

    def _get_check_pings(self, check_id: str | UUID | None) -> Call[list[CheckPings]]:
        path = f"checks/{arguments.identifier('check_id', check_id)}/pings/"
        return Operation("get_check_pings", "GET", path, is_repeatable=True), readers.pings

    @abstractmethod
    def get_ping_body(self, check_id: str | UUID | None, n: int) -> bytes | Awaitable[bytes]:
        """Get the body of a ping, byte for byte as the service stored it.

        Source: Management API, "Get a Logged Ping's Body".

        Args:
            check_id: The check's UUID.
            n: The number of the ping, as in CheckPings.number_of_pings.

        Returns:
            The first bytes of what was sent, up to the limit of the server.

        Raises:
            CheckNotFoundError: There is no such check, or no such ping, or it has no body.
            HCAPIAuthError: The API key is missing, wrong or read-only, or the check belongs to another project.
            BadAPIRequestError: The UUID cannot be one, or the number is not above 0.
            HCAPIRateLimitError: There were too many requests.
            HCAPIUnavailableError: The service or its storage could not be reached, after the retries.
            HCAPIError: The answer is not the documented one.
        """

    def _get_ping_body(self, check_id: str | UUID | None, n: int) -> Call[bytes]:
        path = f"checks/{arguments.identifier('check_id', check_id)}/pings/{arguments.ping_number(n)}/body"
        hints = {404: "There is no such check, or no such ping, or the ping has no body."}
        operation = Operation("get_ping_body", "GET", path, hints=hints, max_bytes=16 * MIB, is_repeatable=True)
        return operation, readers.body

    @abstractmethod
    def get_check_flips(
        self,
        check_id: str | UUID | None,
        seconds: int | None = None,
        start: int | datetime | None = None,
        end: int | datetime | None = None,
    ) -> list[CheckStatuses] | Awaitable[list[CheckStatuses]]:
        """Get the flips of a check, its changes of status, newest first. The filters combine.

        Source: Management API, "List Check's Status Changes".

        Args:
            check_id: The check's UUID, or its unique key.
            seconds: Only the flips of the last so many seconds, at most 31536000.
            start: Only the flips at or after this moment: UNIX seconds, or an aware datetime. Of a datetime, the
                whole second counts: the API knows no parts of seconds.
            end: Only the flips before this moment: the same.

        Returns:
            The flips.

        Raises:
            CheckNotFoundError: There is no such check.
            HCAPIAuthError: The API key is missing or wrong, or the check belongs to another project.
            BadAPIRequestError: The id cannot be one, or a filter is out of range, or a datetime has no time zone.
            HCAPIRateLimitError: There were too many requests.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
        """

    def _get_check_flips(
        self,
        check_id: str | UUID | None,
        seconds: int | None,
        start: int | datetime | None,
        end: int | datetime | None,
    ) -> Call[list[CheckStatuses]]:
        query = arguments.flips_query(seconds, start, end)
        path = f"checks/{arguments.identifier('check_id', check_id)}/flips/?{query}".rstrip("?")
        return Operation("get_check_flips", "GET", path, is_repeatable=True), readers.flips

    # The project.

    @abstractmethod
    def get_integrations(self) -> list[Integration] | Awaitable[list[Integration]]:
        """Get the integrations of the project: where its alerts go.

        Source: Management API, "List Existing Integrations".

        Returns:
            The integrations.

        Raises:
            HCAPIAuthError: The API key is missing, wrong or read-only.
            HCAPIRateLimitError: There were too many requests.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
        """

    def _get_integrations(self) -> Call[list[Integration]]:
        operation = Operation("get_integrations", "GET", "channels/", hints=_PROJECT_HINTS, is_repeatable=True)
        return operation, readers.integrations

    @abstractmethod
    def get_badges(self) -> dict[str, Badges] | Awaitable[dict[str, Badges]]:
        """Get the addresses of the project's badges.

        Source: Management API, "List Project's Badges".

        Returns:
            The badges by tag; ``*`` stands for all checks of the project.

        Raises:
            HCAPIAuthError: The API key is missing or wrong.
            HCAPIRateLimitError: There were too many requests.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
        """

    def _get_badges(self) -> Call[dict[str, Badges]]:
        return Operation("get_badges", "GET", "badges/", hints=_PROJECT_HINTS, is_repeatable=True), readers.badges

    @abstractmethod
    def get_status(self) -> bool | Awaitable[bool]:
        """Ask the service whether it works. No key is needed.

        Source: Management API, "Check Database Connectivity".

        Returns:
            True when the service says that its database works, False when it answers with a server error (5xx), after
            the retries.

        Raises:
            HCAPIRateLimitError: There were too many requests.
            HCAPIUnavailableError: The service could not be reached, after the retries.
            HCAPIError: The answer is not the documented one.
        """

    def _get_status(self) -> Call[bool]:
        statuses = (200, *range(500, 600))
        operation = Operation(
            "get_status",
            "GET",
            "status/",
            is_repeatable=True,
            statuses=statuses,
            hints=_PROJECT_HINTS,
            max_bytes=64 * KIB,
        )
        return operation, readers.status

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
        """Signal that a job has ended well, or that a service is still alive.

        Source: Pinging API, "Send a "success" Signal Using UUID" and "... Using Slug".

        Args:
            uuid: The check's UUID. Either this or the slug names the check.
            slug: The check's slug; the client needs a ping key.
            data: What to store with the ping: text or bytes. Servers keep the first bytes only (10,000 or 100,000). Of
                more than 1,000,000 bytes only the end is sent.
            rid: The run ID: the pings of one run of a job have the same one.
            create: Create the check when there is none with this slug.

        Returns:
            Whether the ping was recorded, and the text of the answer.

        Raises:
            CheckNotFoundError: There is no such check.
            NonUniqueSlugError: Several checks have this slug; the ping was not recorded.
            BadAPIRequestError: An argument is wrong, or the service refused the request.
            HCAPIRateLimitError: The check was pinged too often.
            HCAPIAuthError: The service refused the request.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
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
        """Signal that a job has started: the service measures how long it takes, and sees when it takes too long.

        Source: Pinging API, "Send a "start" Signal Using UUID" and "... Using Slug".

        Args:
            uuid: The check's UUID. Either this or the slug names the check.
            slug: The check's slug; the client needs a ping key.
            data: What to store with the ping: see success_ping.
            rid: The run ID: the pings of one run of a job have the same one.
            create: Create the check when there is none with this slug.

        Returns:
            Whether the ping was recorded, and the text of the answer.

        Raises:
            CheckNotFoundError: There is no such check.
            NonUniqueSlugError: Several checks have this slug; the ping was not recorded.
            BadAPIRequestError: An argument is wrong, or the service refused the request.
            HCAPIRateLimitError: The check was pinged too often.
            HCAPIAuthError: The service refused the request.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
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
        """Signal that a job has failed: the check goes down at once.

        Source: Pinging API, "Send a "failure" Signal Using UUID" and "... Using Slug".

        Args:
            uuid: The check's UUID. Either this or the slug names the check.
            slug: The check's slug; the client needs a ping key.
            data: What to store with the ping: see success_ping.
            rid: The run ID: the pings of one run of a job have the same one.
            create: Create the check when there is none with this slug.

        Returns:
            Whether the ping was recorded, and the text of the answer.

        Raises:
            CheckNotFoundError: There is no such check.
            NonUniqueSlugError: Several checks have this slug; the ping was not recorded.
            BadAPIRequestError: An argument is wrong, or the service refused the request.
            HCAPIRateLimitError: The check was pinged too often.
            HCAPIAuthError: The service refused the request.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
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
        """Store something with the check. Its status does not change.

        Source: Pinging API, "Send a "log" Signal Using UUID" and "... Using Slug".

        Args:
            uuid: The check's UUID. Either this or the slug names the check.
            slug: The check's slug; the client needs a ping key.
            data: What to store with the ping: see success_ping.
            rid: The run ID: the pings of one run of a job have the same one.
            create: Create the check when there is none with this slug.

        Returns:
            Whether the ping was recorded, and the text of the answer.

        Raises:
            CheckNotFoundError: There is no such check.
            NonUniqueSlugError: Several checks have this slug; the ping was not recorded.
            BadAPIRequestError: An argument is wrong, or the service refused the request.
            HCAPIRateLimitError: The check was pinged too often.
            HCAPIAuthError: The service refused the request.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
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
        """Signal how a job has ended: 0 is success, any other exit status a failure.

        Source: Pinging API, "Report Script's Exit Status Using UUID" and "... Using Slug".

        Args:
            exit_code: The exit status, 0 to 255.
            uuid: The check's UUID. Either this or the slug names the check.
            slug: The check's slug; the client needs a ping key.
            data: What to store with the ping: see success_ping.
            rid: The run ID: the pings of one run of a job have the same one.
            create: Create the check when there is none with this slug.

        Returns:
            Whether the ping was recorded, and the text of the answer.

        Raises:
            CheckNotFoundError: There is no such check.
            NonUniqueSlugError: Several checks have this slug; the ping was not recorded.
            BadAPIRequestError: An argument is wrong, or the service refused the request.
            HCAPIRateLimitError: The check was pinged too often.
            HCAPIAuthError: The service refused the request.
            HCAPIUnavailableError: The service could not be reached or is out of order, after the retries.
            HCAPIError: The answer is not the documented one.
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
        return self._ping(
            "exit_code_ping", str(arguments.exit_code(exit_code)), uuid, slug, data, rid=rid, create=create
        )

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
        """The request of all pings."""
        query: list[str] = []
        if rid is not None:
            query.append(f"rid={arguments.run_id(rid)}")
        if create:
            query.append("create=1")
        ending = (f"/{action}" if action else "") + ("?" if query else "") + "&".join(query)
        body = arguments.ping_body(data)
        operation = Operation(
            name,
            "POST",
            # Not in a variable, which an error reporter would show if an argument is wrong: the ping key is in it.
            self._pinged(uuid, slug, create=create) + ending,
            to_ping_host=True,
            body=body,
            is_repeatable=True,
            statuses=(200, 201),
            errors={409: NonUniqueSlugError},
            hints=_SLUG_HINTS if slug else _UUID_HINTS,
            max_bytes=64 * KIB,
        )
        return operation, readers.ping

    def _ping_of_run(
        self,
        name: str,
        action: str,
        uuid: str | UUID | None,
        slug: str,
        data: bytes,
        *,
        rid: str | None,
        create: bool,
    ) -> Call[int]:
        """A ping of a run, whose answer says how many bytes of a body the server keeps."""
        operation, _ = self._ping(name, action, uuid, slug, data, rid=rid, create=create)
        return operation, readers.ping_of_run

    def _pinged(self, uuid: str | UUID | None, slug: str, *, create: bool) -> str:
        """The path of the check that is pinged."""
        # Not by their truth, which not every object that may be passed in has.
        has_uuid = uuid not in ("", None)
        if has_uuid is (slug not in ("", None)):
            raise BadAPIRequestError("a ping needs either a uuid or a slug, and not both")
        if has_uuid:
            if create:
                raise BadAPIRequestError("create goes with a slug: a check cannot be created by its uuid")
            if uuid == self._ping_key:
                raise BadAPIRequestError("uuid must be the UUID of a check, and not the ping key")
            return arguments.identifier("uuid", uuid)
        if not self._ping_key:
            raise BadAPIRequestError(
                "a ping by slug needs a ping key: give the client a ping_key (HEALTHCHECKS_PING_KEY), or ping by uuid"
            )
        return f"{self._ping_key}/{arguments.slug(slug)}"
