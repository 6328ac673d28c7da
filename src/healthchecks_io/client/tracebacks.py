"""Distinguish exceptions of the lower layers from those of other code, and keep keys out of tracebacks.

The lower layers are this library and its dependencies.
"""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, TypeVar

import httpcore
import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

AnyError = TypeVar("AnyError", bound=BaseException)

_LOWER_PACKAGES = frozenset({
    "anyio", "certifi", "h11", "healthchecks_io", "httpcore", "httpx", "idna", "sniffio", "socksio", "uvloop",
    "annotated_types", "croniter", "dateutil", "oncalendar", "pydantic", "pydantic_core", "pytz", "typing_extensions",
})  # fmt: skip
"""The packages that an attempt, or the validation of a check, runs through besides the standard library."""

_HTTP_ERRORS = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.StreamError,
    httpcore.ConnectionNotAvailable,
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.ProxyError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
)


def find_foreign(error: BaseException, *, handled: BaseException | None, calls_user_code: bool) -> BaseException | None:
    """Return the exception that other code raised during an attempt, or None if the attempt itself failed.

    Other code is a signal handler, such as one that limits the time of the job, or a hook of a passed-in httpx client.
    The lower layers may have wrapped its exception: they take a TimeoutError from a signal handler for a network error.

    Args:
        error: The exception of the attempt.
        handled: The exception that was being handled when the attempt began, such as the job's.
        calls_user_code: Whether the attempt may call the user's code, as a passed-in httpx client does. If that code
            raises an OSError, the attempt itself has failed.
    """
    for each in _chain(error, handled):
        if (raised := _raised_in_codec(each)) is not None:
            return raised
        frames = _foreign_frames(each.__traceback__)
        if frames is None:
            continue
        if isinstance(each, _HTTP_ERRORS):
            return None
        if not calls_user_code or not isinstance(each, OSError) or is_from_signal_handler(each):
            return each
    return None


def is_foreign(error: BaseException) -> bool:
    """Return whether other code raised an exception while no code of the user was called: a signal handler."""
    return _foreign_frames(error.__traceback__) is not None or _raised_in_codec(error) is not None


def _raised_in_codec(error: BaseException) -> BaseException | None:
    """Return the exception that a signal handler raised in a codec, or its wrapper.

    Old versions of CPython wrap it in one of the same class, and httpcore removes the original with its traceback.
    """
    if isinstance(error, UnicodeError) or "coding with '" not in str(error):
        return None
    cause = error.__cause__
    return cause if type(cause) is type(error) else error


def is_from_signal_handler(error: BaseException) -> bool:
    """Return whether a signal handler raised an exception."""
    import signal  # Slow to import, and rarely needed.

    codes = {getattr(signal.getsignal(number), "__code__", None) for number in signal.valid_signals()}
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code in codes:
            return True
        traceback = traceback.tb_next
    return False


def raise_if_from_signal_handler(error: Exception) -> None:
    """Raise an exception again if a signal handler raised it, such as the time limit of a job.

    For code that must survive whatever other code raises, such as a codec or a logging handler.
    """
    if is_from_signal_handler(error):
        raise error


def hide_lower_frames(error: AnyError, handled: BaseException | None) -> AnyError:
    """Remove the frames of the lower layers, whose variables contain keys, from an exception and its causes.

    Args:
        error: The exception.
        handled: The exception that was being handled when the call began. It belongs to the job and is not changed.

    Returns:
        The exception.
    """
    for each in _chain(error, handled):
        each.__traceback__ = _foreign_frames(each.__traceback__)
    return error


def _foreign_frames(traceback: TracebackType | None) -> TracebackType | None:
    """Return the frames after the last one of a lower layer, or None if a lower layer raised the exception."""
    following: list[TracebackType] = []
    while traceback is not None:
        package = str(traceback.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        if package in _LOWER_PACKAGES:
            following.clear()
        elif following or not _is_standard_library(package):
            # A frame of the standard library belongs to its caller.
            following.append(traceback)
        traceback = traceback.tb_next
    copied: TracebackType | None = None
    for each in reversed(following):
        copied = types.TracebackType(copied, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return copied


def _is_standard_library(package: str) -> bool:
    # namedtuple() compiles constructors, such as those of the URLs that urllib splits, in a module of their own.
    return package in sys.stdlib_module_names or package.startswith("namedtuple_")


def _chain(error: BaseException, handled: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception, its causes and its contexts, except the exception that was already being handled."""
    seen: set[int] = {id(handled)}
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop(0)
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each
            waiting += [each.__cause__, each.__context__]
