"""How a run ended, which ping reports it, and what is added to the log."""

from __future__ import annotations

import traceback
from typing import NamedTuple

from healthchecks_io.client.arguments import MAX_EXIT_CODE


class Outcome(NamedTuple):
    """The outcome of a run.

    Attributes:
        name: The name of the final ping's method, for error messages.
        action: The last segment of the final ping's URL: see ping_call.
        postscript: The text to add to the end of the log: a traceback or an exit message.
    """

    name: str
    action: str
    postscript: str = ""


SUCCESS = Outcome("success_ping", "")


def outcome_of(error: BaseException | None) -> Outcome:
    """Return the outcome of a job that raised an exception, or ended normally if it is None."""
    if error is None:
        return SUCCESS
    if not isinstance(error, SystemExit):
        return Outcome("fail_ping", "fail", _format_traceback(error))
    exit_code = 0 if error.code is None else error.code
    if isinstance(exit_code, int) and 0 <= exit_code <= MAX_EXIT_CODE:
        return Outcome("exit_code_ping", str(int(exit_code)))
    # sys.exit("message") prints the message, which is therefore part of the job's output.
    return Outcome("fail_ping", "fail", exit_code if isinstance(exit_code, str) else "")


def _format_traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error)).rstrip("\n")
    except Exception as problem:  # noqa: BLE001 - formatting the job's exception may raise anything
        return f"{type(error).__name__} (its traceback could not be formatted: {type(problem).__name__})"
