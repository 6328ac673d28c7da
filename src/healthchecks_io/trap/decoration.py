"""Decorate functions with CheckTrap and monitor, and detect results that show that a job has not run."""

from __future__ import annotations

import functools
import inspect
import logging
import types
from typing import TYPE_CHECKING, Any

from healthchecks_io.client.exceptions import BadAPIRequestError, WrongClientError
from healthchecks_io.client.logger import log
from healthchecks_io.client.sync_client import Client

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthchecks_io.client.async_client import AsyncClient

_QUEUE_METHODS = ("apply_async", "call_local", "delay", "kiq", "send")
"""Methods by which the objects of task queues are recognised: Celery and RQ, Huey, taskiq, Dramatiq."""


def check_job(job: object, decorator: str, client: Client | AsyncClient | None) -> bool:
    """Raise an error if a function cannot be decorated.

    Args:
        job: The function.
        decorator: The decorator, for error messages.
        client: The client of the decorator, or None if it works with both.

    Returns:
        Whether it is a plain function, rather than a coroutine function.

    Raises:
        BadAPIRequestError: The object is not a function, or is one that does not run the job when it is called.
        WrongClientError: The object is a coroutine function and the client is a Client, or the reverse.
    """
    if isinstance(job, (staticmethod, classmethod)):
        raise BadAPIRequestError(f"put {decorator} below @staticmethod and @classmethod, not above them")
    if not callable(job) or isinstance(job, type):
        raise BadAPIRequestError(f"{decorator} can decorate functions and methods, not {job!r}")
    if any(callable(getattr(job, name, None)) for name in _QUEUE_METHODS):
        raise BadAPIRequestError(
            f"{job!r} is a task of a task queue, whose workers do not call it: "
            f"put {decorator} below the decorator of the task queue, not above it"
        )
    kinds = (job, type(job).__call__)
    if any(inspect.isgeneratorfunction(kind) or inspect.isasyncgenfunction(kind) for kind in kinds):
        raise BadAPIRequestError(f"{decorator} cannot decorate a generator function: use a with block in the function")
    is_plain = not any(inspect.iscoroutinefunction(kind) for kind in kinds)
    if client is not None and is_plain is not isinstance(client, Client):
        kind, needed = ("plain", "a Client") if is_plain else ("coroutine", "an AsyncClient")
        used = type(client).__name__
        raise WrongClientError(f"{decorator} with {used} cannot decorate a {kind} function: use {needed}")
    return is_plain


def decorate(job: Callable[..., Any], new_trap: Callable[[], Any], *, is_plain: bool) -> Callable[..., Any]:
    """Return a function that runs a job in a new trap in each call.

    Args:
        job: A function or coroutine function.
        new_trap: Returns the trap.
        is_plain: Whether the job is a plain function.
    """
    if is_plain:

        @functools.wraps(job)
        def run(*args: Any, **kwargs: Any) -> Any:
            with new_trap() as trap:
                return _checked(trap, job, job(*args, **kwargs))

        return run

    @functools.wraps(job)
    async def run_async(*args: Any, **kwargs: Any) -> Any:
        async with new_trap() as trap:
            return _checked(trap, job, await job(*args, **kwargs))

    return run_async


def _checked(trap: Any, job: object, result: Any) -> Any:
    """Return the result of a job. If it shows that the job has not run yet, report the run as failed."""
    problem = _unfinished(job, result)
    if problem is not None:
        trap.fail(problem)
        log(logging.ERROR, "%s", problem)
    return result


def _unfinished(job: object, result: object) -> str | None:
    """Return what is wrong with the result of a job that has not run yet, or None if it has.

    Args:
        job: The decorated function.
        result: What it returned.
    """
    # Look only at the class: an attribute of a lazy object might do anything.
    kind = type(result)
    is_generator = issubclass(kind, types.GeneratorType)
    if hasattr(kind, "__await__") or (is_generator and inspect.isawaitable(result)):
        name = "an awaitable"
        advice = "decorate an async function with a CheckTrap of an AsyncClient, or await the job in a with block"
    elif is_generator or issubclass(kind, types.AsyncGeneratorType):
        name = "a generator"
        advice = "use a with block in the generator, or around the loop that iterates over it"
    elif _is_context_manager_function(job, kind):
        name = "a context manager"
        advice = "use a with block in the function instead of the decorator"
    else:
        return None
    return f"The job has not run: the decorated function returned {name} ({kind.__name__}). To monitor it, {advice}."


def _is_context_manager_function(job: object, kind: type) -> bool:
    is_manager = hasattr(kind, "__exit__") or hasattr(kind, "__aexit__")
    if not is_manager or not callable(job):
        return False
    function = inspect.unwrap(job)
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
