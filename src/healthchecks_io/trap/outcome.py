"""How a run ended, which ping reports it, and what is added to the log."""

from __future__ import annotations

import sys
import traceback
from typing import NamedTuple

from healthchecks_io.client.arguments import MAX_EXIT_CODE

_EXIT_CLASSES = (("click.exceptions", "Exit"), ("typer", "Exit"))
"""Exceptions that end a program with an exit status, like SystemExit. Their modules are only used if imported."""


class Outcome(NamedTuple):
    """The outcome of a run.

    Attributes:
        action: The last segment of the final ping's URL: see ping_call.
        postscript: The text to add to the end of the log: a reason, a traceback or both.
    """

    action: str
    postscript: str = ""


SUCCESS = Outcome("")


def exit_outcome(exit_status: int, postscript: str = "") -> Outcome:
    """Return the outcome of a job that ended with an exit status."""
    return Outcome(str(exit_status), postscript)


def outcome_of(
    error: BaseException | None,
    ignored: tuple[type[BaseException], ...] = (),
    failure: str | None = None,
) -> Outcome:
    """Return the outcome of a job.

    Args:
        error: The exception that it raised, or None if it ended normally.
        ignored: The exceptions that do not mean that the job has failed.
        failure: The reason that was passed to ``trap.fail()``, or None if it was not called.
    """
    if error is None:
        return SUCCESS if failure is None else Outcome("fail", failure)
    reason = f"{failure}\n" if failure else ""
    if isinstance(error, ignored) and failure is None:
        return Outcome("log", _describe(error))
    exit_status = _exit_status(error)
    if exit_status is None:
        return Outcome("fail", reason + format_traceback(error))
    if exit_status == 0 and failure is not None:
        return Outcome("fail", failure)
    return exit_outcome(exit_status, failure or "")


def _exit_status(error: BaseException) -> int | None:
    """Return the exit status from 0 to 255 of an exception that ends the program, or None."""
    if isinstance(error, SystemExit):
        code: object = 0 if error.code is None else error.code
    elif any(isinstance(error, found) for found in _exit_classes()):
        code = getattr(error, "exit_code", None)
    else:
        return None
    # Not isinstance: a class may claim to be an int. int.__index__ does not call methods of a subclass.
    if not issubclass(type(code), int):
        return None
    status = int.__index__(code)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # it is an int
    return status if 0 <= status <= MAX_EXIT_CODE else None


def _exit_classes() -> list[type]:
    found = [getattr(sys.modules.get(module), name, None) for module, name in _EXIT_CLASSES]
    return [each for each in found if isinstance(each, type)]


def _describe(error: BaseException) -> str:
    """Return one line about an exception."""
    try:
        text = " ".join(str(error).split())
    except Exception as problem:  # noqa: BLE001 - the exception's own code may raise anything
        from healthchecks_io.client.tracebacks import raise_if_from_signal_handler

        raise_if_from_signal_handler(problem)
        text = f"(its text could not be formatted: {type(problem).__name__})"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def is_cancellation(error: BaseException | None) -> bool:
    """Return whether an exception is the cancellation of a task."""
    # Without asyncio, nothing can be cancelled. Do not import it just to check.
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and isinstance(error, asyncio.CancelledError)


def format_traceback(error: BaseException) -> str:
    """Return the traceback of an exception as text."""
    try:
        return "".join(traceback.format_exception(error)).rstrip("\n")
    except Exception as problem:  # noqa: BLE001 - formatting the job's exception may raise anything
        from healthchecks_io.client.tracebacks import raise_if_from_signal_handler

        raise_if_from_signal_handler(problem)
        return f"{type(error).__name__} (its traceback could not be formatted: {type(problem).__name__})"
