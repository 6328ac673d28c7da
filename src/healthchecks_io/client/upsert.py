"""Create or update a check by its slug.

Servers do not do this atomically: two processes that begin at the same moment create two checks with the same slug, and
pings by that slug then fail. A process that may have created a check therefore waits until the others have created
theirs, and all of them agree on one check: the one with the lowest UUID, unless another one has already been pinged.
"""

from __future__ import annotations

import copy
import logging
import os
import threading
from concurrent.futures import Future
from random import uniform
from typing import TYPE_CHECKING, Any

from healthchecks_io.client import abstract_client
from healthchecks_io.client.exceptions import BadAPIRequestError, CheckNotFoundError, HCAPIError
from healthchecks_io.client.logger import log
from healthchecks_io.schemas.checks import CheckUpdate

if TYPE_CHECKING:
    from healthchecks_io.client.abstract_client import AbstractClient
    from healthchecks_io.client.call import Call
    from healthchecks_io.client.response import Response
    from healthchecks_io.client.settings import Settings
    from healthchecks_io.client.steps import Steps
    from healthchecks_io.schemas.checks import Check, CheckCreate

_SETTLING_TIME = 0.3
"""In seconds. How long to wait for other processes to create the same check."""

_MAX_ROUNDS = 5

_DEFAULT_PERIOD = 24 * 3600


class _Creation:
    """A creation of a check that is in progress.

    Args:
        client: The client of the run that creates it.
    """

    def __init__(self, client: AbstractClient) -> None:
        self.result: Future[None] = Future()
        self.result.set_running_or_notify_cancel()  # From now on, a task that waits for it cannot cancel it.
        self._thread = threading.get_ident()
        self._loop = _loop_of(client)

    def blocks(self, client: AbstractClient) -> bool:
        """Return whether a run with this client would prevent it from continuing, and so must not wait for it.

        In the same thread, it can continue only if both are tasks of one event loop. A signal handler that runs a job,
        for example, has interrupted it.
        """
        return self._thread == threading.get_ident() and (self._loop is None or self._loop is not _loop_of(client))


def _loop_of(client: AbstractClient) -> object:
    """Return the event loop of a run with this client, or None if it is a run with a Client."""
    if not abstract_client.is_async(client):
        return None
    import asyncio

    return asyncio.get_running_loop()


class DeclaredCheck:
    """A check that a job declares in its code: it is created or updated once per process.

    Args:
        wanted: The check, with its slug.
        defaults: Further fields for a check that is created. It gets all integrations, unless the channels are set.

    Attributes:
        uuid: The check's UUID, as soon as it is known.
        saved: The check when it was last created or updated, or None.
        was_created_by_ping: Whether a ping has created the check, which then has the server's default period.
    """

    def __init__(self, wanted: CheckCreate, defaults: CheckUpdate | None = None) -> None:
        self._wanted = wanted
        self._defaults = defaults or CheckUpdate()
        if "channels" not in wanted.model_fields_set:
            # As for a check that a ping creates: a check without integrations would alert nobody.
            self._defaults = self._defaults.model_copy(update={"channels": "*"})
        self.uuid: str | None = None
        self.saved: Check | None = None
        self.was_created_by_ping = False
        self._creations: dict[int, _Creation] = {}
        self._unfinished: set[str | None] = set()
        """The UUIDs of the checks that were created, but not completed."""

    def __reduce__(self) -> tuple[type[DeclaredCheck], tuple[CheckCreate, CheckUpdate | None]]:
        return type(self), (self._wanted, self._defaults)

    def find(self, client: AbstractClient) -> Steps[str]:
        """Return the UUID of the check. Create or update the check first, unless another run does so.

        Args:
            client: A client with an API key.

        Raises:
            HCAPIError: The check could not be created or updated.
        """
        require_api_key(abstract_client.settings_of(client))
        if self.saved is not None and self.uuid in self._unfinished:
            yield from self._complete_later(client, self.saved)
        while (found := self.uuid) is None:
            yield from self._save_once(client)
        return found

    def _save_once(self, client: AbstractClient) -> Steps[None]:
        # No lock: a signal handler might interrupt the thread that holds it, and a fork would copy it.
        pid = os.getpid()
        own = _Creation(client)
        failure: HCAPIError | None = None
        try:
            first = self._creations.setdefault(pid, own)
            if first is own or first.blocks(client):
                yield from self._save(client)
            else:
                yield from self._wait_for(first)
        except HCAPIError as error:
            failure = error
            raise
        finally:
            if self._creations.get(pid) is own:
                del self._creations[pid]
                if failure is None:
                    own.result.set_result(None)
                else:
                    own.result.set_exception(failure)
            failure = None  # The exception refers to this frame.

    def _save(self, client: AbstractClient) -> Steps[None]:
        check = yield from self._save_by_slug(client)
        if check.uuid is None:
            raise HCAPIError("the server returned the check without its UUID")
        self.saved = check
        self.uuid = check.uuid

    def _save_by_slug(self, client: AbstractClient) -> Steps[Check]:
        """Create or update the check, and repair the duplicates that this may create."""
        declared = self._wanted.model_copy(update={"unique": ["slug"]})
        others: list[Check] = []
        for _ in range(_MAX_ROUNDS):
            call = abstract_client.create_call(client, declared)
            try:
                found: tuple[Check, bool] = yield call.replace(parse=_parser_with_status(call))
            except HCAPIError:
                if not others:
                    raise
                break
            check, was_created = found
            if was_created or self._lacks_its_period(check):
                self._unfinished.add(check.uuid)
            is_ours = check.uuid in self._unfinished
            chosen = check
            if not check.n_pings:
                yield _SETTLING_TIME
                chosen = (yield from _first(client, self._wanted.slug or check.slug)) or check
            if chosen.uuid == check.uuid:
                if is_ours:
                    check = yield from self._complete(client, check)
                return check
            if is_ours:
                if (yield from _delete_duplicate(client, check)):
                    self._unfinished.discard(check.uuid)
            elif others and others[-1].uuid == chosen.uuid:
                # No process deletes the duplicate, and the server would always update it instead of the chosen check.
                break
            others.append(chosen)
            yield uniform(0.05, 0.5)  # noqa: S311 - not a secret
        yield from self._update(client, others[-1])
        return others[-1]

    def _lacks_its_period(self, check: Check) -> bool:
        """Return whether a ping has created the check, and nobody has set its period since then."""
        has_period = "timeout" in self._defaults.model_fields_set
        return has_period and self.was_created_by_ping and has_default_period(check)

    def _update(self, client: AbstractClient, check: Check) -> Steps[None]:
        try:
            yield abstract_client.update_call(client, check.uuid, self._wanted)
        except CheckNotFoundError:
            pass  # The next ping finds this out, too.
        except HCAPIError as error:
            log(logging.WARNING, "The check %s could not be updated: %s", check.slug, error)

    def _complete(self, client: AbstractClient, check: Check) -> Steps[Check]:
        """Set the fields of a new check that are not changed in an existing one. If this fails, it is unfinished."""
        fields = self._defaults.model_dump(exclude_unset=True, exclude_none=True)
        if "name" not in self._wanted.model_fields_set:
            fields["name"] = check.slug
        if fields:
            try:
                # With versions 1 and 2 of the API, a name also sets the slug.
                update = _checked_update({"slug": check.slug, **fields})
                check = yield abstract_client.update_call(client, check.uuid, update)
            except CheckNotFoundError:
                pass  # The next ping finds this out, too.
            except HCAPIError as error:
                consequence = ": it alerts nobody until they are set" if "channels" in fields else ""
                message = "The check was created, but not with these fields: %s%s: %s"
                log(logging.WARNING, message, ", ".join(fields), consequence, error)
                return check
        self._unfinished.discard(check.uuid)
        return check

    def _complete_later(self, client: AbstractClient, check: Check) -> Steps[None]:
        """Complete a check that an earlier run could not complete, unless somebody else has changed it since then.

        This is tried once, because it delays the run.
        """
        try:
            current: Check = yield abstract_client.get_call(client, check.uuid)
            if (current.name, current.slug, current.channels) == (check.name, check.slug, check.channels):
                yield from self._complete(client, check)
        except HCAPIError as error:
            log(logging.WARNING, "The check %s could not be completed: %s", check.slug, error)
        self._unfinished.discard(check.uuid)

    def _wait_for(self, creation: _Creation) -> Steps[None]:
        try:
            yield creation.result
        except HCAPIError as error:
            if not creation.result.done() and self._creations.get(os.getpid()) is creation:
                # The run that creates the check is stuck, or its thread was interrupted beyond repair.
                self._creations.pop(os.getpid(), None)
            # Several runs must not raise the same exception object.
            raise copy.copy(error) from None

    def forget(self, uuid: str) -> None:
        """Forget this UUID, whose check was deleted, so that the check is created again."""
        if self.uuid == uuid:
            self.uuid = None


def has_default_period(check: Check) -> bool:
    """Return whether a check has the period that the server gives to checks that a ping creates."""
    return check.schedule is None and check.timeout == _DEFAULT_PERIOD


def require_api_key(settings: Settings) -> None:
    """Raise a BadAPIRequestError if there is no API key, without which no check can be created."""
    if not settings.api_key:
        raise BadAPIRequestError(
            "creating the check needs a read-write API key: set HEALTHCHECKS_API_KEY, or pass an API key"
        )


def _parser_with_status(call: Call[Check]) -> Any:
    """Return a parser for the check, and whether it was created."""

    def parse(response: Response) -> tuple[Check, bool]:
        return call.parse(response), response.status_code == 201

    return parse


def _first(client: AbstractClient, slug: str) -> Steps[Check | None]:
    """Return the one of the checks with a slug on which all processes agree.

    It is the one with the lowest UUID, unless a process that was much faster than this one already uses another.

    Returns:
        The check, or None if there is none, or they cannot be listed.
    """
    try:
        checks: list[Check] = yield abstract_client.list_call(client, None, slug)
    except HCAPIError as error:
        log(logging.WARNING, "Other checks with the slug %s could not be listed: %s", slug, error)
        return None
    return min(checks, key=lambda check: (check.n_pings == 0, str(check.uuid)), default=None)


def _delete_duplicate(client: AbstractClient, check: Check) -> Steps[bool]:
    """Delete a duplicate. Return whether it is gone."""
    try:
        yield abstract_client.delete_call(client, check.uuid)
    except CheckNotFoundError:
        return True
    except HCAPIError as error:
        log(logging.WARNING, "A duplicate of the check %s could not be deleted: %s", check.slug, error)
        return False
    return True


def _checked_update(fields: dict[str, Any]) -> CheckUpdate:
    from pydantic import ValidationError

    from healthchecks_io.schemas.problems import problems_of

    try:
        return CheckUpdate(**fields)
    except ValidationError as error:
        field, message = next(problems_of(error))
        raise HCAPIError(f"the server returned a check with an invalid {field}: {message}") from None
