"""The options of a CheckTrap."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, get_args

from healthchecks_io.client.arguments import MAX_PING_BODY
from healthchecks_io.client.exceptions import BadAPIRequestError
from healthchecks_io.trap.reporter import PingErrors
from healthchecks_io.trap.run import LogScope
from healthchecks_io.trap.run_log import MIN_LIMIT

if TYPE_CHECKING:
    from uuid import UUID

    from typing_extensions import TypedDict

    from healthchecks_io.schemas.checks import CheckCreate

    class TrapOptions(TypedDict, total=False):
        """The keyword-only arguments of CheckTrap, for type checkers."""

        create: bool | CheckCreate
        rid: str | UUID | None
        ping_errors: PingErrors
        log_level: int | None
        log_formatter: logging.Formatter | None
        log_scope: LogScope
        ignore: Ignored
        send_start: bool
        send_body: bool
        body_limit: int | None
        handle_sigterm: bool

    Ignored = type[BaseException] | tuple[type[BaseException], ...]


def check_options(
    *,
    ping_errors: object,
    log_level: object,
    log_formatter: object,
    log_scope: object,
    body_limit: object,
    flags: dict[str, object],
) -> None:
    """Raise a BadAPIRequestError if an option is invalid."""
    _check_choice("ping_errors", ping_errors, get_args(PingErrors))
    _check_choice("log_scope", log_scope, get_args(LogScope))
    if log_level is not None and type(log_level) is not int:
        raise BadAPIRequestError("log_level must be a number, such as logging.INFO, or None")
    if log_formatter is not None and not isinstance(log_formatter, logging.Formatter):
        raise BadAPIRequestError("log_formatter must be a logging.Formatter or None")
    if body_limit is not None and (type(body_limit) is not int or not MIN_LIMIT <= body_limit <= MAX_PING_BODY):
        raise BadAPIRequestError(
            f"body_limit must be a number of bytes from {MIN_LIMIT} to {MAX_PING_BODY}, or None, not {body_limit!r}"
        )
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise BadAPIRequestError(f"{name} must be True or False, not {value!r}")


def _check_choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise BadAPIRequestError(f"{name} must be one of {', '.join(choices)}, not {value!r}")


def ignored_classes(ignore: Any) -> tuple[type[BaseException], ...]:
    """Return the argument `ignore` as a tuple.

    Raises:
        BadAPIRequestError: It is neither an exception class nor several.
    """
    classes: list[Any] = [*ignore] if isinstance(ignore, (tuple, list, set, frozenset)) else [ignore]  # pyright: ignore[reportUnknownVariableType]  # checked below
    for each in classes:
        if not (isinstance(each, type) and issubclass(each, BaseException)):
            raise BadAPIRequestError(
                f"ignore must be an exception class or a tuple of them, such as (Retry,), but contains {each!r}"
            )
    return tuple(classes)


def check_to_declare(create: Any, slug: str) -> CheckCreate | None:
    """Return the CheckCreate that was passed as `create`, with its slug, or None if it is True or False.

    Raises:
        BadAPIRequestError: It is something else, or has no slug or another one.
    """
    if isinstance(create, bool):
        return None
    from healthchecks_io.schemas.checks import CheckCreate

    if not isinstance(create, CheckCreate):
        raise BadAPIRequestError(f"create must be True, False or a CheckCreate, not {type(create).__name__}")
    if create.slug and slug and create.slug != slug:
        raise BadAPIRequestError(f"create has the slug {create.slug!r}, but the slug of the CheckTrap is {slug!r}")
    return create.model_copy(update={"slug": create.slug or slug})
