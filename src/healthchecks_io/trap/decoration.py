"""What a CheckTrap can decorate, and which results show that a job has not finished."""

from __future__ import annotations

import inspect
import types

from healthchecks_io.client.exceptions import BadAPIRequestError, WrongClientError

_QUEUE_METHODS = ("apply_async", "call_local", "delay", "kiq", "send")
"""Methods by which the objects of task queues are recognised: Celery and RQ, Huey, taskiq, Dramatiq."""


def check_job(job: object, client_class: str, *, is_sync: bool) -> None:
    """Raise an error if a CheckTrap cannot decorate an object.

    Args:
        job: The object.
        client_class: The class of the trap's client, for error messages.
        is_sync: Whether the client is a Client.

    Raises:
        BadAPIRequestError: The object is not a function, or is one that does not run the job when it is called.
        WrongClientError: The object is a coroutine function and the client is a Client, or the reverse.
    """
    if isinstance(job, (staticmethod, classmethod)):
        raise BadAPIRequestError("put a CheckTrap below @staticmethod and @classmethod, not above them")
    if not callable(job) or isinstance(job, type):
        raise BadAPIRequestError(f"a CheckTrap can decorate functions and methods, not {job!r}")
    if any(callable(getattr(job, name, None)) for name in _QUEUE_METHODS):
        raise BadAPIRequestError(
            f"{job!r} is a task of a task queue, whose workers do not call it: "
            "put the CheckTrap below the decorator of the task queue, not above it"
        )
    kinds = (job, type(job).__call__)
    if any(inspect.isgeneratorfunction(kind) or inspect.isasyncgenfunction(kind) for kind in kinds):
        raise BadAPIRequestError("a CheckTrap cannot decorate a generator function: use a with block in the function")
    is_coroutine_function = any(inspect.iscoroutinefunction(kind) for kind in kinds)
    if is_coroutine_function is is_sync:
        kind, needed = ("coroutine", "an AsyncClient") if is_coroutine_function else ("plain", "a Client")
        raise WrongClientError(f"a CheckTrap with {client_class} cannot decorate a {kind} function: use {needed}")


def unfinished(job: object, result: object) -> str | None:
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
