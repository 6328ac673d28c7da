"""The fields of a check, as arguments of monitor and heartbeat."""

from __future__ import annotations

from healthchecks_io.client.exceptions import BadAPIRequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta
    from typing import Any

    from typing_extensions import TypedDict

    from healthchecks_io.schemas.checks import CheckCreate, CheckUpdate

    class CheckFields(TypedDict, total=False):
        """The arguments that declare a check, for type checkers."""

        period: int | timedelta | str | None
        schedule: str | None
        tz: str | None
        grace: int | timedelta | str | None
        name: str | None
        tags: Iterable[str] | str | None
        desc: str | None
        channels: Iterable[str] | str | None


_API_NAMES = {"period": "timeout"}


def declared_check(uuid: object, slug: str, **fields: object) -> CheckCreate | None:
    """Return the check that the arguments declare, or None if they declare no field.

    Args:
        uuid: The check's UUID, which cannot be combined with fields.
        slug: The check's slug.
        **fields: The arguments, as in CheckFields.

    Raises:
        BadAPIRequestError: A value is invalid, or two arguments contradict each other.
    """
    declared = {name: value for name, value in fields.items() if value is not None}
    if not declared:
        return None
    names = ", ".join(declared)
    if uuid not in ("", None):
        raise BadAPIRequestError(f"a check is declared by its slug: pass slug instead of uuid, or omit {names}")
    if "period" in declared and "schedule" in declared:
        raise BadAPIRequestError("a check has either a period or a schedule: pass only one of them")
    from pydantic import ValidationError

    from healthchecks_io.schemas.checks import CheckCreate
    from healthchecks_io.schemas.problems import problems_of

    try:
        return CheckCreate.model_validate(
            {"slug": slug, **{_API_NAMES.get(name, name): _plain(value) for name, value in declared.items()}}
        )
    except ValidationError as error:
        field, message = next(problems_of(error))
    arguments = {api_name: name for name, api_name in _API_NAMES.items()}
    raise BadAPIRequestError(f"{arguments.get(field, field)}: {message}")


def _plain(value: Any) -> Any:
    """Return a set of strings as a list. The schemas accept lists and tuples."""
    return sorted(map(str, value)) if isinstance(value, (set, frozenset)) else value  # pyright: ignore[reportUnknownArgumentType]  # validated by the schema


def defaults_of_heartbeat(every: int, check: CheckCreate) -> CheckUpdate:
    """Return the fields of a check that a heartbeat creates, except those that it declares.

    Args:
        every: The interval of the heartbeat in seconds.
        check: The declared check.
    """
    from healthchecks_io.schemas.checks import CheckUpdate
    from healthchecks_io.schemas.limits import MAX_SECONDS, MIN_SECONDS

    fields = {"timeout": max(every, MIN_SECONDS), "grace": min(max(2 * every, MIN_SECONDS), MAX_SECONDS)}
    if check.schedule is not None:
        del fields["timeout"]
    declared = check.model_fields_set
    return CheckUpdate.model_validate({name: value for name, value in fields.items() if name not in declared})
