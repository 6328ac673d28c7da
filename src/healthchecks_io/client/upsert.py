"""Create or update a check by its slug.

Servers do not do this atomically: two processes that begin at the same moment create two checks with the same slug, and
pings by that slug then fail. A process that may have created a check therefore waits until the others have created
theirs, and all of them agree on the check with the lowest UUID.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import os
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


class DeclaredCheck:
    """A check that a job declares in its code: it is created or updated once per process.

    Args:
        wanted: The check, with its slug.
        defaults: Further fields for a check that is created.

    Attributes:
        uuid: The check's UUID, as soon as it is known.
    """

    def __init__(self, wanted: CheckCreate, defaults: CheckUpdate | None = None) -> None:
        self._wanted = wanted
        self._defaults = defaults
        self.uuid: str | None = None
        self._saving: dict[int, Future[None]] = {}

    def __reduce__(self) -> tuple[type[DeclaredCheck], tuple[CheckCreate, CheckUpdate | None]]:
        return type(self), (self._wanted, self._defaults)

    def find(self, client: AbstractClient) -> Steps[str]:
        """Return the UUID of the check. Create or update it first, unless another run does.

        Args:
            client: A client with an API key.

        Raises:
            HCAPIError: The check could not be created or updated.
        """
        require_api_key(abstract_client.settings_of(client))
        while self.uuid is None:
            yield from self._save_once(client)
        return self.uuid

    def _save_once(self, client: AbstractClient) -> Steps[None]:
        # No lock: a signal handler might interrupt the thread that holds it, and a fork would copy it.
        done: Future[None] = Future()
        done.set_running_or_notify_cancel()  # From now on, a task that waits for it cannot cancel it.
        pid = os.getpid()
        first = self._saving.setdefault(pid, done)
        if first is not done:
            try:
                yield first
            except HCAPIError as error:
                # Several runs must not raise the same exception object.
                raise copy.copy(error) from None
            return
        failure: HCAPIError | None = None
        try:
            self.uuid = _uuid_of((yield from save_by_slug(client, self._wanted, self._defaults)))
        except HCAPIError as error:
            failure = error
            raise
        finally:
            self._saving.pop(pid, None)
            if failure is None:
                done.set_result(None)
            else:
                done.set_exception(failure)

    def forget(self, uuid: str) -> None:
        """Create or update the check again: the one with this UUID was deleted."""
        if self.uuid == uuid:
            self.uuid = None


def require_api_key(settings: Settings) -> None:
    """Raise a BadAPIRequestError if there is no API key, without which no check can be created."""
    if not settings.api_key:
        raise BadAPIRequestError(
            "creating the check needs an API key: pass api_key, or set HEALTHCHECKS_API_KEY to a read-write key"
        )


def _uuid_of(check: Check) -> str:
    if check.uuid is None:
        raise HCAPIError("the server returned the check without its UUID")
    return check.uuid


def save_by_slug(client: AbstractClient, wanted: CheckCreate, defaults: CheckUpdate | None = None) -> Steps[Check]:
    """Create or update the check with a slug, and repair the duplicates that this may create.

    Args:
        client: The client.
        wanted: The check, with its slug. An existing check is identified by the slug alone.
        defaults: Further fields for a check that is created.

    Returns:
        The check.

    Raises:
        HCAPIError: A request failed.
    """
    declared = wanted.model_copy(update={"unique": ["slug"]})
    rounds = 1
    while True:
        call = abstract_client.create_call(client, declared)
        found: tuple[Check, bool] = yield call.replace(parse=_and_whether_new(call))
        check, is_new = found
        if check.n_pings:
            return check
        yield _SETTLING_TIME
        lowest = (yield from _lowest(client, check.slug)) or check
        if lowest.uuid == check.uuid:
            if is_new:
                yield from _complete(client, check, wanted, defaults)
            return check
        if is_new:
            yield from _delete(client, check)
        if rounds == _MAX_ROUNDS:
            return lowest
        rounds += 1
        yield uniform(0.05, 0.5)  # noqa: S311 - not a secret


def _and_whether_new(call: Call[Check]) -> Any:
    def parse(response: Response) -> tuple[Check, bool]:
        return call.parse(response), response.status_code == 201

    return parse


def _lowest(client: AbstractClient, slug: str) -> Steps[Check | None]:
    """Return the check with the lowest UUID of those with a slug. None if there is none, or they cannot be listed."""
    try:
        checks: list[Check] = yield abstract_client.list_call(client, None, slug)
    except HCAPIError:
        return None
    return min(checks, key=lambda check: str(check.uuid), default=None)


def _delete(client: AbstractClient, check: Check) -> Steps[None]:
    with contextlib.suppress(CheckNotFoundError):  # Another process has deleted it.
        yield abstract_client.delete_call(client, check.uuid)


def _complete(client: AbstractClient, check: Check, wanted: CheckCreate, defaults: CheckUpdate | None) -> Steps[None]:
    """Set the fields of a new check that are not changed in an existing one."""
    fields = {} if defaults is None else defaults.model_dump(exclude_unset=True, exclude_none=True)
    if "name" not in wanted.model_fields_set:
        fields["name"] = check.slug
    if not fields:
        return
    try:
        yield abstract_client.update_call(client, check.uuid, CheckUpdate(slug=check.slug, **fields))
    except HCAPIError as error:
        log(logging.WARNING, "The check was created, but not with these fields: %s: %s", ", ".join(fields), error)
