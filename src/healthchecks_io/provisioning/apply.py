"""Plan and apply the changes to the checks of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthchecks_io.client import abstract_client
from healthchecks_io.client.exceptions import BadAPIRequestError, CheckNotFoundError, HCAPIError
from healthchecks_io.client.pacing import paced
from healthchecks_io.provisioning.plan import Change, Plan, make_plan, needs_integrations
from healthchecks_io.schemas.checks import CheckCreate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from healthchecks_io.client.abstract_client import AbstractClient
    from healthchecks_io.client.steps import Steps
    from healthchecks_io.schemas.checks import Check
    from healthchecks_io.schemas.integrations import Integration

_DONE = {"create": "created", "update": "updated", "delete": "deleted"}


def plan_checks(
    client: AbstractClient,
    wanted: Iterable[CheckCreate],
    *,
    prune: bool = False,
    prune_tag: str | None = None,
    waiting: Callable[[float], None] | None = None,
) -> Steps[Plan]:
    """Plan the changes to the checks of a project. See AbstractClient.plan_checks.

    Args:
        client: The client.
        wanted: The wanted checks.
        prune: Whether to delete the other checks.
        prune_tag: The tag of the checks to delete.
        waiting: See paced.
    """
    checks = list(wanted)
    for each in checks:
        if not isinstance(each, CheckCreate):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may not be typed
            raise BadAPIRequestError(
                f"wanted must consist of CheckCreate objects, as load_checks returns them, not of {type(each).__name__}"
            )
    steps = _plan(client, checks, prune=prune or prune_tag is not None, prune_tag=prune_tag)
    return paced(steps, waiting)


def _plan(client: AbstractClient, wanted: list[CheckCreate], *, prune: bool, prune_tag: str | None) -> Steps[Plan]:
    existing: list[Check] = yield abstract_client.list_call(client, None, None)
    integrations: list[Integration] = []
    # A read-only key cannot list them, which make_plan reports.
    if needs_integrations(wanted) and not any(check.channels is None for check in existing):
        integrations = yield abstract_client.integrations_call(client)
    return make_plan(wanted, existing, integrations, prune=prune, prune_tag=prune_tag)


def apply_plan(
    client: AbstractClient,
    plan: Plan,
    started: Callable[[int, Change], None] | None = None,
    waiting: Callable[[float], None] | None = None,
) -> Steps[list[Check]]:
    """Apply a plan. See AbstractClient.apply_plan.

    Args:
        client: The client.
        plan: The plan.
        started: Called before each change with its number, from 1.
        waiting: See paced.
    """
    return paced(_apply(client, plan, started), waiting)


def require_read_write_key(plan: Plan) -> None:
    """Raise a BadAPIRequestError if a plan was made with a read-only key, which cannot see UUIDs."""
    found = (*(change.check for change in plan.changes), *plan.unchanged, *plan.unmanaged)
    if plan and any(check is not None and check.uuid is None for check in found):
        raise BadAPIRequestError(
            "the plan was made with a read-only key, which cannot change anything: use a read-write key. "
            "Nothing was changed"
        )


def _apply(client: AbstractClient, plan: Plan, started: Callable[[int, Change], None] | None) -> Steps[list[Check]]:
    require_read_write_key(plan)
    existing: set[str] = set()
    if any(change.action == "create" for change in plan.changes):
        # Another program may have created a check while a person reviewed the plan. One that is created even later,
        # during the changes, gets the defaults.
        listed: list[Check] = yield abstract_client.list_call(client, None, None)
        existing = {check.slug for check in listed}
    checks: list[Check] = []
    for number, change in enumerate(plan.changes, 1):
        if started is not None:
            started(number, change)
        try:
            checks.append((yield from _apply_change(client, change, existing)))
        except HCAPIError as error:
            error.args = (_explain(error, plan, number),)
            raise
    return checks


def _apply_change(client: AbstractClient, change: Change, existing: set[str]) -> Steps[Check]:
    uuid = None if change.check is None else change.check.uuid
    call: Any
    if change.action == "create" and change.wanted is not None:
        # With `unique`, the request is safe to repeat, and updates a check that another program has created. That check
        # keeps its name and integrations unless they are declared.
        is_new = change.slug not in existing
        fields = {name: new for name, (_, new) in change.fields.items()} if is_new else {}
        call = abstract_client.create_call(client, change.wanted.model_copy(update={"unique": ["slug"], **fields}))
    elif change.action == "update":
        call = abstract_client.update_call(client, uuid, change.update())
    else:
        call = abstract_client.delete_call(client, uuid)
    check: Check = yield call
    return check


def _explain(error: HCAPIError, plan: Plan, number: int) -> str:
    """Return the message for a plan that was applied only in part."""
    failed = plan.changes[number - 1]
    done = ", ".join(f"{_DONE[change.action]} {change.slug}" for change in plan.changes[: number - 1]) or "nothing"
    problem = str(error)
    if isinstance(error, CheckNotFoundError):
        problem = f"the check was deleted after the plan was made, so plan again: {problem}"
    left = len(plan.changes) - number
    return (
        f"could not {failed.action} {failed.slug}: {problem} "
        f"(done before: {done}; not attempted: {left} of {len(plan.changes)} changes)"
    )


def apply_checks(
    client: AbstractClient, wanted: Iterable[CheckCreate], *, prune: bool = False, prune_tag: str | None = None
) -> Steps[Plan]:
    """Plan changes to the checks of a project and apply them. See AbstractClient.apply_checks."""
    plan = yield from plan_checks(client, wanted, prune=prune, prune_tag=prune_tag)
    yield from apply_plan(client, plan)
    return plan
