"""Report one run of a job, and decide what a failed ping means for the job.

CheckTrap and the ``run`` command both use this module.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from healthchecks_io.client import parsers
from healthchecks_io.client.abstract_client import has_own_connections, ping_call, settings_of
from healthchecks_io.client.exceptions import (
    BadAPIRequestError,
    CheckNotFoundError,
    HCAPIAuthError,
    HCAPIError,
    MissingPingKeyError,
    NonUniqueSlugError,
    UnusableClientError,
)
from healthchecks_io.client.logger import log
from healthchecks_io.client.request_context import logs_failures_itself
from healthchecks_io.client.sync_client import Client, carry_out, send

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from healthchecks_io.client.async_client import AsyncClient
    from healthchecks_io.client.call import Call
    from healthchecks_io.client.response import Response
    from healthchecks_io.client.steps import Steps
    from healthchecks_io.client.upsert import DeclaredCheck
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

_NEEDED_LATER = (
    "encodings.idna",  # by the first connection
    *(
        f"healthchecks_io.client.{name}"
        for name in ("errors", "http", "ping_result", "retries", "tracebacks", "transports")
    ),
)

LAST_WORDS = 2.0
"""In seconds. The maximum duration of a ping after the interruption of another one."""


def _log_warning(consequence: str, error: HCAPIError) -> None:
    log(logging.WARNING, "%s: %s", consequence, error)


AnyClient = TypeVar("AnyClient", bound="Client | AsyncClient")
T = TypeVar("T")


class AbstractReporter(Generic[AnyClient]):
    """The pings of one run, without the I/O.

    Args:
        client: The client to ping with.
        uuid: The check's UUID. Either this or the slug is set.
        slug: The check's slug.
        create: Whether to create the check if there is none with this slug.
        declared: The check to create or update before the run, or None.
        rid: The run ID, or None for pings without one.
        sends_start: Whether to send a start ping.
        ping_errors: What a failed ping means for the job: see CheckTrap.
        body_limit: The maximum length of a body in bytes, instead of 10,000 where the server announces none.
        owns_client: Whether to close the client at the end of the run.
        is_silent: Whether to send nothing and log no warnings.
        warn: Called with the consequence for the job and the error, if a ping fails and the error is not raised.

    Attributes:
        failures: The errors of failed pings.
        has_reported: Whether a ping was recorded.
        has_created_check: Whether a ping of this run has created the check.
        timeout: The timeout of the client in seconds.
        title: The slug of the job for log messages, or "the job". Never its UUID, with which anybody can send pings.
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
        declared: DeclaredCheck | None = None,
        sends_start: bool = True,
        body_limit: int | None = None,
        owns_client: bool = False,
        is_silent: bool = False,
        warn: Callable[[str, HCAPIError], None] = _log_warning,
    ) -> None:
        self._client = client
        self._settings = settings_of(client)
        self._uuid = uuid
        self._slug = slug
        self._create = create
        self._rid = rid
        self._sends_start = sends_start
        self._ping_errors = ping_errors
        self._declared = declared
        self._body_limit = body_limit
        self._owns_client = owns_client
        self._is_silent = is_silent
        self._warn = warn
        self._has_warned = False
        self._start_call: Call[int | None] | None = None
        self._has_last_words = False
        self.failures: list[HCAPIError] = []
        self.has_reported = False
        self.has_created_check = False
        self.timeout = self._settings.timeout
        self.title = repr(slug) if slug else "the job"

    def validate(self) -> None:
        """Raise a BadAPIRequestError if an argument is invalid, without sending anything."""
        try:
            self._ping("start", b"")
        except MissingPingKeyError:
            # A declared check is pinged by its UUID.
            if self._ping_errors != "log" and self._declared is None:
                raise
        if self._declared is not None and self._ping_errors != "log":
            from healthchecks_io.client.upsert import require_api_key

            require_api_key(self._settings)

    # Procedures.

    def _find_check(self, failed: Callable[[HCAPIError], None]) -> Steps[None]:
        """Find the declared check, or create it.

        Args:
            failed: Called with the error if this fails.
        """
        if self._declared is not None and not self._is_silent:
            try:
                yield from self._declared.find(self._client)
            except Exception as error:  # noqa: BLE001 - a fault of this library must not harm the job
                failed(self._failure_of(error))

    def _start(self) -> Steps[int]:
        """Send the start ping. Return the maximum length of a body in bytes."""
        try:
            if not self._is_silent:
                import_for_later()
            if self._sends_start:
                return self.body_limit((yield from self._send("start", b"")))
        except Exception as error:  # noqa: BLE001 - a fault of this library must not harm the job
            self._start_failed(self._failure_of(error))
        return self.body_limit()

    def _success(self) -> Steps[int | None]:
        """Send a success ping of a heartbeat. Return the body limit that the server announced."""
        return self._send("", b"")

    def _log(self, body: bytes) -> Steps[None]:
        """Send a log ping."""
        try:
            yield from self._send("log", body)
        except Exception as error:  # noqa: BLE001 - a fault of this library must not harm the job
            self._log_failed(self._failure_of(error))

    def _send(self, action: str, body: bytes) -> Steps[int | None]:
        if self._is_silent:
            return None
        if self._declared is not None and self._declared.uuid is None and not self._settings.ping_key:
            if action == "start":
                return None  # The reason why the check has no UUID has already been reported.
            yield from self._declared.find(self._client)
        uuid = self._declared_uuid
        call = self._ping(action, body)
        if action == "start":
            self._start_call = call
        limit: int | None
        try:
            limit = yield call
        except CheckNotFoundError:
            if self._declared is None or uuid is None:
                raise
            self._declared.forget(uuid)
        else:
            self.has_reported = True
            return limit
        failure: HCAPIError | None = None
        try:
            yield from self._declared.find(self._client)
        except HCAPIError as error:
            if not self._settings.ping_key or (action == "start" and self._keeps_job_from_starting(error)):
                raise
            failure = error
        limit = yield self._ping(action, body)  # After a failure, it creates the check by its slug.
        self.has_reported = True
        if failure is not None:
            if self._ping_errors == "raise":
                raise failure
            self._failed(
                failure, f"The check of {self.title} was deleted, and could not be created again", may_raise=False
            )
        return limit

    def _ping(self, action: str, body: bytes) -> Call[int | None]:
        uuid = self._declared_uuid
        return ping_call(
            self._settings,
            action,
            self._parse,
            uuid=uuid or self._uuid,
            slug="" if uuid else self._slug,
            data=body,
            rid=self._rid,
            create=self._create and not uuid,
        )

    def _parse(self, response: Response) -> int | None:
        if response.status_code == 201:
            self.has_created_check = True
            if self._declared is not None:
                self._declared.was_created_by_ping = True
        return parsers.run_ping(response)

    @property
    def expects_one_ping_a_day(self) -> bool | None:
        """Whether the check has the server's default period, or None if that is not known yet."""
        if self._declared is None:
            return self.has_created_check
        if self._declared.saved is None:
            return None
        from healthchecks_io.client.upsert import has_default_period

        return has_default_period(self._declared.saved)

    @property
    def _declared_uuid(self) -> str | None:
        return None if self._declared is None else self._declared.uuid

    def body_limit(self, announced: int | None = None) -> int:
        """Return the maximum length of a body in bytes.

        Args:
            announced: The limit that the server announced, if it did.
        """
        own = self._body_limit or (_DEFAULT_BODY_LIMIT if announced is None else announced)
        return own if announced is None else min(own, announced)

    @property
    def _start_may_have_arrived(self) -> bool:
        """Whether the server may have recorded a start. Known only for a client's own connections."""
        return self._start_call is not None and self._start_call.was_sent

    def _may_send_last_words(self) -> bool:
        """Return whether to send a final ping after an interruption. From then on, it counts as sent.

        The locks of a passed-in httpx client may be stuck.
        """
        is_first, self._has_last_words = not self._has_last_words, True
        return is_first and has_own_connections(self._client) and not self._is_silent

    # Failures.

    def _failure_of(self, error: Exception) -> HCAPIError:
        """Return the failure of a ping, or raise the exception that a signal handler raised during the ping."""
        if isinstance(error, HCAPIError):
            return error
        text = str(error)
        if not isinstance(error, ImportError):
            from healthchecks_io.client import redaction, tracebacks

            if tracebacks.is_foreign(error):
                raise error
            text = redaction.exception_text(self._settings, error)
        return HCAPIError(f"the ping failed unexpectedly: {type(error).__name__}: {text}")

    def _check_failed(self, error: HCAPIError) -> None:
        self._failed_before_job(error, f"The check of {self.title} could not be created or updated, but the job runs")

    def _start_failed(self, error: HCAPIError) -> None:
        self._failed_before_job(error, f"The start of {self.title} could not be reported, but the job runs")

    def _failed_before_job(self, error: HCAPIError, consequence: str) -> None:
        self._failed(error, consequence, may_raise=self._keeps_job_from_starting(error))

    def _keeps_job_from_starting(self, error: HCAPIError) -> bool:
        is_redirect = error.status_code is not None and 300 <= error.status_code < 400
        is_misconfiguration = is_redirect or isinstance(error, _MISCONFIGURATIONS)
        return self._ping_errors == "raise" or (self._ping_errors == "raise-config" and is_misconfiguration)

    def _declaration_failed(self, error: HCAPIError) -> None:
        if not self._has_warned:
            self._warn(f"The check of {self.title} could not be created or updated", error)
        self._has_warned = True

    def _log_failed(self, error: HCAPIError) -> None:
        self._failed(
            error,
            f"The log of {self.title} could not be sent, but the job continues",
            may_raise=self._ping_errors == "raise",
        )

    def _end_failed(self, error: HCAPIError, *, may_raise: bool) -> None:
        may_raise = may_raise and self._ping_errors == "raise"
        self._failed(error, f"The end of {self.title} could not be reported", may_raise=may_raise)

    def _failed(self, error: HCAPIError, consequence: str, *, may_raise: bool) -> None:
        if self._is_silent:
            return
        self.failures.append(error)
        if may_raise:
            raise error
        self._warn(consequence, error)


class Reporter(AbstractReporter[Client]):
    """Reports one run with a Client."""

    def _carry_out(self, steps: Steps[T], within: float, *, retry: bool = True) -> T:
        before = logs_failures_itself.get()
        try:
            logs_failures_itself.set(self._ping_errors != "raise")
            return carry_out(self._client, steps, within, retry=retry)
        finally:
            logs_failures_itself.set(before)

    def start(self) -> int:
        """Send the start ping. With the request for a declared check, it takes at most the timeout, including retries.

        Returns:
            The maximum length of a body in bytes.

        Raises:
            HCAPIError: The ping failed, and ``ping_errors`` keeps the job from starting.
        """
        ends = time.monotonic() + self.timeout
        # The management API may hang although pings work: leave time for the start ping.
        self._carry_out(self._find_check(self._check_failed), self.timeout / 2)
        return self._carry_out(self._start(), ends - time.monotonic())

    def interrupted(self, outcome: Outcome, body: bytes) -> None:
        """Send the final ping of a run whose start was interrupted, if the server may have recorded the start."""
        if self._start_may_have_arrived:
            self.send_last_words(outcome, body)

    def beat(self) -> int | None:
        """Send a success ping of a heartbeat, in one attempt. The next one is the retry.

        Returns:
            The body limit that the server announced, or None.

        Raises:
            HCAPIError: The ping failed.
        """
        ends = time.monotonic() + self.timeout
        try:
            self._carry_out(self._find_check(self._declaration_failed), self.timeout / 2, retry=False)
            return self._carry_out(self._success(), ends - time.monotonic(), retry=False)
        except Exception as error:  # noqa: BLE001 - a fault of this library must not end the heartbeat
            raise self._failure_of(error) from error.__cause__

    def send_log(self, body: bytes) -> None:
        """Send a log ping. It takes at most the timeout, including retries.

        Raises:
            HCAPIError: The ping failed, and ``ping_errors`` is "raise".
        """
        self._carry_out(self._log(body), self.timeout)

    def end(self, outcome: Outcome, body: bytes, *, within: float = float("inf"), may_raise: bool = True) -> bool:
        """Send the final ping.

        Args:
            outcome: How the job ended.
            body: The log.
            within: The maximum duration in seconds, including retries.
            may_raise: Whether to raise errors. They must not replace an exception from the job.

        Returns:
            Whether the ping was sent.

        Raises:
            HCAPIError: The ping failed, ``may_raise`` is set, and ``ping_errors`` is "raise".
        """
        try:
            try:
                self._carry_out(self._send(outcome.action, body), within)
            except Exception as error:  # noqa: BLE001 - a fault of this library must not harm the job
                failure = self._failure_of(error)
            else:
                return not self._is_silent
        except BaseException:
            # A signal handler has interrupted the ping.
            self.send_last_words(outcome, body)
            raise
        self._end_failed(failure, may_raise=may_raise)
        return False

    def send_last_words(self, outcome: Outcome, body: bytes) -> None:
        """Send the final ping after an interruption, unless that was already done."""
        if not self._may_send_last_words():
            return
        try:
            send(self._client, self._ping(outcome.action, body), LAST_WORDS, retry=False)
        except Exception as error:  # noqa: BLE001 - a fault of this library must not harm the job
            self._end_failed(self._failure_of(error), may_raise=False)

    def close(self) -> None:
        """Close the client, if the run owns it."""
        if self._owns_client:
            try:
                self._client.close()
            except Exception as error:  # noqa: BLE001 - a fault of this library must not harm the job
                from healthchecks_io.client.tracebacks import raise_if_from_signal_handler

                raise_if_from_signal_handler(error)


def import_for_later() -> None:
    """Import everything that the rest of the run may need.

    The job may replace the packages on disk, or use up the file descriptors.
    """
    for module in _NEEDED_LATER:
        __import__(module)
