"""Report one run of a job, and decide what a failed ping means for the job.

CheckTrap and the ``run`` command both use this module.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from healthchecks_io.client import parsers
from healthchecks_io.client.abstract_client import ping_call, settings_of
from healthchecks_io.client.exceptions import (
    BadAPIRequestError,
    CheckNotFoundError,
    HCAPIAuthError,
    HCAPIError,
    NonUniqueSlugError,
    UnusableClientError,
)
from healthchecks_io.client.logger import log
from healthchecks_io.client.sync_client import Client, send

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from healthchecks_io.client.async_client import AsyncClient
    from healthchecks_io.client.call import Call
    from healthchecks_io.trap.outcome import Outcome

PingErrors = Literal["raise-config", "raise", "log"]

_MISCONFIGURATIONS = (
    BadAPIRequestError,
    CheckNotFoundError,
    NonUniqueSlugError,
    HCAPIAuthError,
    UnusableClientError,
)

_DEFAULT_BODY_LIMIT = 10_000
"""In bytes. The limit of servers by default, which those older than 2.1 do not announce."""


def _log_warning(consequence: str, error: HCAPIError) -> None:
    log(logging.WARNING, "%s: %s", consequence, error)


AnyClient = TypeVar("AnyClient", bound="Client | AsyncClient")


class AbstractReporter(Generic[AnyClient]):
    """The pings of one run, without the I/O.

    Args:
        client: The client to ping with.
        uuid: The check's UUID. Either this or the slug is set.
        slug: The check's slug.
        create: Whether to create the check if there is none with this slug.
        rid: The run ID, or None for pings without one.
        ping_errors: What a failed ping means for the job: see CheckTrap.
        body_limit: The maximum length of a body in bytes, instead of 10,000 where the server announces none.
        warn: Called with the consequence for the job and the error, if a ping fails and the error is not raised.

    Attributes:
        failures: The errors of failed pings.
        timeout: The timeout of the client in seconds.
    """

    def __init__(
        self,
        client: AnyClient,
        uuid: str | UUID | None,
        slug: str,
        *,
        create: bool,
        rid: str | None,
        ping_errors: PingErrors,
        body_limit: int | None = None,
        warn: Callable[[str, HCAPIError], None] = _log_warning,
    ) -> None:
        self._client = client
        self._settings = settings_of(client)
        self._uuid = uuid
        self._slug = slug
        self._create = create
        self._rid = rid
        self._ping_errors = ping_errors
        self._body_limit = body_limit
        self._warn = warn
        self.failures: list[HCAPIError] = []
        self.timeout = self._settings.timeout

    def validate(self) -> None:
        """Raise a BadAPIRequestError if an argument is invalid, without sending anything."""
        self._start_ping()

    def _start_ping(self) -> Call[int | None]:
        return self._ping("start_ping", "start", b"")

    def _log_ping(self, body: bytes) -> Call[int | None]:
        return self._ping("log_ping", "log", body)

    def _end_ping(self, outcome: Outcome, body: bytes) -> Call[int | None]:
        return self._ping(outcome.name, outcome.action, body)

    def _ping(self, name: str, action: str, body: bytes) -> Call[int | None]:
        return ping_call(
            self._settings,
            name,
            action,
            parsers.run_ping,
            uuid=self._uuid,
            slug=self._slug,
            data=body,
            rid=self._rid,
            create=self._create,
        )

    def body_limit(self, announced: int | None = None) -> int:
        """Return the maximum length of a body in bytes.

        Args:
            announced: The limit that the server announced, if it did.
        """
        own = self._body_limit or (_DEFAULT_BODY_LIMIT if announced is None else announced)
        return own if announced is None else min(own, announced)

    def _start_failed(self, error: HCAPIError) -> int:
        is_redirect = error.status_code is not None and 300 <= error.status_code < 400
        is_misconfiguration = is_redirect or isinstance(error, _MISCONFIGURATIONS)
        may_raise = self._ping_errors == "raise" or (self._ping_errors == "raise-config" and is_misconfiguration)
        self._failed(error, "The start of the job could not be reported, but the job runs", may_raise=may_raise)
        return self.body_limit()

    def _log_failed(self, error: HCAPIError) -> None:
        self._failed(
            error, "The log of the job could not be sent, but the job continues", may_raise=self._ping_errors == "raise"
        )

    def _end_failed(self, error: HCAPIError, *, may_raise: bool) -> None:
        may_raise = may_raise and self._ping_errors == "raise"
        self._failed(error, "The job has ended, but its end could not be reported", may_raise=may_raise)

    def _failed(self, error: HCAPIError, consequence: str, *, may_raise: bool) -> None:
        self.failures.append(error)
        if may_raise:
            raise error
        self._warn(consequence, error)


class Reporter(AbstractReporter[Client]):
    """Reports one run with a Client."""

    def start(self) -> int:
        """Send the start ping. It takes at most the timeout, including retries.

        Returns:
            The maximum length of a body in bytes.

        Raises:
            HCAPIError: The ping failed, and ``ping_errors`` keeps the job from starting.
        """
        try:
            return self.body_limit(send(self._client, self._start_ping(), self.timeout))
        except HCAPIError as error:
            return self._start_failed(error)

    def send_log(self, body: bytes) -> None:
        """Send a log ping. It takes at most the timeout, including retries.

        Raises:
            HCAPIError: The ping failed, and ``ping_errors`` is "raise".
        """
        try:
            send(self._client, self._log_ping(body), self.timeout)
        except HCAPIError as error:
            self._log_failed(error)

    def end(self, outcome: Outcome, body: bytes, *, within: float = float("inf"), may_raise: bool = True) -> None:
        """Send the final ping.

        Args:
            outcome: How the job ended.
            body: The log.
            within: The maximum duration in seconds, including retries.
            may_raise: Whether to raise errors. They must not replace an exception from the job.

        Raises:
            HCAPIError: The ping failed, ``may_raise`` is set, and ``ping_errors`` is "raise".
        """
        try:
            send(self._client, self._end_ping(outcome, body), within)
        except HCAPIError as error:
            self._end_failed(error, may_raise=may_raise)
