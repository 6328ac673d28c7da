"""How a run of a job ended: which ping reports it, and what follows its log."""

from __future__ import annotations

import traceback
from typing import NamedTuple

from healthchecks_io.client.arguments import MAX_EXIT_CODE


class Outcome(NamedTuple):
    """The outcome of a run.

    Attributes:
        name: The name of the final ping, for messages.
        action: The action of the final ping: nothing for success, fail, log, or an exit status.
        postscript: What follows the log: the traceback, or the reason.
    """

    name: str
    action: str
    postscript: str = ""


SUCCESS = Outcome("success_ping", "")


def outcome_of(error: BaseException | None) -> Outcome:
    """Return the outcome of a job that ended normally or raised an exception."""
    if error is None:
        return SUCCESS
    if not isinstance(error, SystemExit):
        return Outcome("fail_ping", "fail", _format_traceback(error))
    exit_code = 0 if error.code is None else error.code
    if isinstance(exit_code, int) and 0 <= exit_code <= MAX_EXIT_CODE:
        return Outcome("exit_code_ping", str(int(exit_code)))
    # sys.exit("reason") prints the reason: it belongs to the job's output.
    return Outcome("fail_ping", "fail", exit_code if isinstance(exit_code, str) else "")


def _format_traceback(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error)).rstrip("\n")
    except Exception as problem:  # noqa: BLE001 - exceptions of the job may fail in any way when they are formatted
        return f"{type(error).__name__} (its traceback cannot be formatted: {type(problem).__name__})"
