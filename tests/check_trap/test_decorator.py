"""CheckTrap as a decorator: each call is a separate run."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import AsyncClient, BadAPIRequestError, CheckTrap, Client, WrongClientError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator

    from conftest import Api

    from healthchecks_io.sandbox import Sandbox

pytestmark = pytest.mark.server("1.23")


def decorated(api: Api, job: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """Decorate a function with a CheckTrap for either kind of client, and return a plain function that calls it."""
    if isinstance(api.client, Client):
        return CheckTrap(api.client, slug="backup", **options)(job)

    @CheckTrap(api.client, slug="backup", **options)
    @functools.wraps(job)
    async def coroutine_function(*args: Any, **kwargs: Any) -> Any:
        return job(*args, **kwargs)

    return lambda *args, **kwargs: api.run(coroutine_function(*args, **kwargs))


def test_a_call_is_reported_as_a_run(api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]) -> None:
    def add(a: int, *, b: int) -> int:
        CheckTrap.current().add_log(f"{a} and {b}")  # type: ignore[union-attr]  # never None inside the call
        return a + b

    assert decorated(api, add)(2, b=3) == 5
    assert ping_types() == ["start", "success"]
    assert hc.pings("backup")[0].body == b"2 and 3"


def test_an_exception_propagates_unchanged(api: Api, check: Any, ping_types: Callable[[], list[str]]) -> None:
    error = ValueError("job failed")

    def fail() -> None:
        raise error

    with pytest.raises(ValueError, match="job failed") as caught:
        decorated(api, fail)()
    assert caught.value is error
    assert ping_types() == ["start", "fail"]


def test_a_call_whose_exception_is_suppressed_returns_none(
    api: Api, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    assert decorated(api, lambda: int("not a number"), suppress_exceptions=True)() is None
    assert ping_types() == ["start", "fail"]


@pytest.mark.server("2.5")
def test_each_call_has_its_own_run_id_and_log(api: Api, hc: Sandbox, check: Any) -> None:
    def log(line: str) -> str:
        trap = CheckTrap.current()
        assert trap is not None
        trap.add_log(line)
        return trap.rid

    job = decorated(api, log)
    rids = [job("one"), job("two")]

    assert [ping.body for ping in reversed(hc.pings("backup")) if ping.type == "success"] == [b"one", b"two"]
    assert rids == [str(ping.rid) for ping in reversed(hc.pings("backup")) if ping.type == "success"]
    assert len(set(rids)) == 2


def pings_by_run(hc: Sandbox) -> dict[str, list[str]]:
    """Return the types and bodies of the pings by run ID."""
    runs: dict[str, list[str]] = {}
    for ping in reversed(hc.pings("backup")):
        runs.setdefault(str(ping.rid), []).append(f"{ping.type} {ping.body.decode()}".strip())
    return runs


@pytest.mark.server("2.5")
def test_concurrent_calls_in_threads_do_not_interfere(hc: Sandbox, check: Any) -> None:
    all_started = threading.Barrier(4)
    with hc.client() as client:

        @CheckTrap(client, slug="backup")
        def work(number: int) -> str:
            trap = CheckTrap.current()
            assert trap is not None
            all_started.wait(10)
            trap.add_log(str(number))
            return trap.rid

        with ThreadPoolExecutor(4) as threads:
            rids = list(threads.map(work, range(4)))

    assert pings_by_run(hc) == {rid: ["start", f"success {number}"] for number, rid in enumerate(rids)}


@pytest.mark.server("2.5")
def test_concurrent_calls_in_tasks_do_not_interfere(settings: dict[str, Any], hc: Sandbox, check: Any) -> None:
    async def main() -> list[str]:
        async with AsyncClient(**settings) as client:

            @CheckTrap(client, slug="backup")
            async def work(number: int) -> str:
                trap = CheckTrap.current()
                assert trap is not None
                await asyncio.sleep(0.3 - number / 20)
                assert CheckTrap.current() is trap
                trap.add_log(str(number))
                return trap.rid

            return await asyncio.gather(*(work(number) for number in range(4)))

    rids = asyncio.run(main())
    assert pings_by_run(hc) == {rid: ["start", f"success {number}"] for number, rid in enumerate(rids)}


@pytest.mark.server("2.5")
def test_a_decorated_function_can_be_recursive(hc: Sandbox, check: Any) -> None:
    with hc.client() as client:

        @CheckTrap(client, slug="backup")
        def factorial(n: int) -> int:
            trap = CheckTrap.current()
            result = n * factorial(n - 1) if n else 1
            assert CheckTrap.current() is trap
            return result

        assert factorial(4) == 24

    assert list(pings_by_run(hc).values()) == [["start", "success"]] * 5
    assert CheckTrap.current() is None


def test_a_decorated_function_keeps_its_signature_name_and_kind(api: Api) -> None:
    def add(a: int, *, b: int = 1) -> int:
        """Add two numbers."""
        return a + b

    async def add_async(a: int, *, b: int = 1) -> int:
        """Add two numbers."""
        return a + b

    is_sync = isinstance(api.client, Client)
    job: Any = add if is_sync else add_async
    trap: Any = CheckTrap(api.client, slug="backup")
    wrapped = trap(job)

    assert inspect.signature(wrapped) == inspect.signature(job)
    assert (wrapped.__name__, wrapped.__doc__) == (job.__name__, job.__doc__)
    assert inspect.iscoroutinefunction(wrapped) is not is_sync


def test_methods_can_be_decorated(hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]) -> None:
    with hc.client() as client:
        trap = CheckTrap(client, slug="backup")

        class Worker:
            name = "worker"

            @trap
            def method(self, suffix: str) -> str:
                return self.name + suffix

            @classmethod
            @trap
            def class_method(cls) -> str:
                return cls.name

            @staticmethod
            @trap
            def static_method(name: str) -> str:
                return name

        assert Worker().method("!") == "worker!"
        assert Worker.class_method() == "worker"
        assert Worker.static_method("static") == "static"
    assert ping_types() == ["start", "success"] * 3


class SyncCallable:
    def __call__(self) -> int:
        return 5


class AsyncCallable:
    async def __call__(self) -> int:
        return 5


async def coroutine_function() -> int:
    return 5


def generator() -> Iterator[int]:
    yield 5


async def async_generator() -> AsyncIterator[int]:
    yield 5


def test_a_callable_object_can_be_decorated(api: Api, check: Any, ping_types: Callable[[], list[str]]) -> None:
    job = SyncCallable() if isinstance(api.client, Client) else AsyncCallable()
    trap: Any = CheckTrap(api.client, slug="backup")

    assert api.run(trap(job)()) == 5
    assert ping_types() == ["start", "success"]


@pytest.mark.parametrize("job", [coroutine_function, AsyncCallable(), functools.partial(coroutine_function)])
def test_a_coroutine_function_requires_an_async_client(job: Any) -> None:
    with pytest.raises(WrongClientError, match="with Client cannot decorate a coroutine function"):
        CheckTrap(Client(), "u")(job)


@pytest.mark.parametrize("job", [print, SyncCallable(), lambda: None])
def test_a_plain_function_requires_a_sync_client(job: Any) -> None:
    with pytest.raises(WrongClientError, match="with AsyncClient cannot decorate a plain function"):
        CheckTrap(AsyncClient(), "u")(job)


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (generator, "cannot decorate a generator"),
        (async_generator, "cannot decorate a generator"),
        (staticmethod(print), "below @staticmethod"),
        (classmethod(print), "below @staticmethod and @classmethod"),
        (int, "functions and methods"),
        (5, "functions and methods"),
    ],
)
@pytest.mark.parametrize("client", [Client(), AsyncClient()], ids=["sync", "async"])
def test_generators_classes_and_other_unsupported_objects_are_rejected(client: Any, job: Any, message: str) -> None:
    with pytest.raises(BadAPIRequestError, match=message):
        CheckTrap(client, "u")(job)


@pytest.mark.parametrize("client", [Client(), AsyncClient()], ids=["sync", "async"])
def test_a_trap_with_an_explicit_run_id_cannot_be_used_as_a_decorator(client: Any) -> None:
    with pytest.raises(BadAPIRequestError, match="for one run"):
        CheckTrap(client, "u", rid=uuid.uuid4())(print)


# Jobs that have not run


class AwaitableObject:
    """An awaitable that is neither a coroutine nor a future."""

    def __await__(self) -> Generator[None]:
        yield


@contextlib.contextmanager
def context_manager() -> Iterator[None]:
    yield


@contextlib.asynccontextmanager
async def async_context_manager() -> AsyncIterator[None]:
    yield


UNFINISHED: dict[str, tuple[Callable[[], object], str]] = {
    "coroutine": (coroutine_function, "an awaitable (coroutine)"),
    "future": (lambda: asyncio.Future(loop=asyncio.new_event_loop()), "an awaitable (Future)"),
    "awaitable": (AwaitableObject, "an awaitable (AwaitableObject)"),
    "generator": (generator, "a generator (generator)"),
    "generator expression": (lambda: (number for number in [5]), "a generator (generator)"),
    "async generator": (async_generator, "a generator (async_generator)"),
}


@pytest.mark.parametrize(("create", "description"), UNFINISHED.values(), ids=UNFINISHED)
def test_a_function_that_returns_what_has_not_run_yet_is_reported_as_failed(
    api: Api,
    hc: Sandbox,
    check: Any,
    ping_types: Callable[[], list[str]],
    caplog: pytest.LogCaptureFixture,
    create: Callable[[], Any],
    description: str,
) -> None:
    value = create()

    result = decorated(api, lambda: value)()

    assert result is value
    assert ping_types() == ["start", "fail"]
    body = hc.pings("backup")[0].body.decode()
    assert body.startswith(f"The job has not run: the decorated function returned {description}. To monitor it, ")
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (record.name, record.message) == ("healthchecks_io", body)
    close(value)


def close(value: Any) -> None:
    """Close what was never awaited, to avoid a warning."""
    if asyncio.isfuture(value):
        value.get_loop().close()
    elif hasattr(value, "close"):
        value.close()


@pytest.mark.parametrize("function", [context_manager, async_context_manager])
def test_a_function_that_returns_a_context_manager_is_reported_as_failed(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]], function: Callable[..., Any]
) -> None:
    result = decorated(api, function)()

    assert isinstance(result, (contextlib.AbstractContextManager, contextlib.AbstractAsyncContextManager))
    assert ping_types() == ["start", "fail"]
    assert hc.pings("backup")[0].body.startswith(
        b"The job has not run: the decorated function returned a context manager"
    )


def test_a_job_that_awaits_what_another_function_returns_has_run(
    settings: dict[str, Any], check: Any, ping_types: Callable[[], list[str]]
) -> None:
    async def main() -> int:
        async with AsyncClient(**settings) as client:

            @CheckTrap(client, slug="backup")
            async def job() -> int:
                awaited: Awaitable[int] = coroutine_function()
                return await awaited

            return await job()

    assert asyncio.run(main()) == 5
    assert ping_types() == ["start", "success"]


class LazyObject:
    """An object whose attributes raise."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


FINISHED: dict[str, Callable[[], object]] = {
    "None": lambda: None,
    "iterator": lambda: iter([5]),
    "context manager": contextlib.nullcontext,
    "lock": threading.Lock,
    "coroutine function": lambda: coroutine_function,
    "lazy object": LazyObject,
}


@pytest.mark.parametrize("create", FINISHED.values(), ids=FINISHED)
def test_a_function_may_return_any_other_object(
    api: Api, check: Any, ping_types: Callable[[], list[str]], create: Callable[[], object]
) -> None:
    value = create()

    assert decorated(api, lambda: value)() is value
    assert ping_types() == ["start", "success"]


# Task queues


def task_class(method: str) -> type:
    """Return a class like those of the tasks of task queues: an instance is callable, and has a method to queue it."""

    async def __call__(self: object) -> None:  # noqa: N807 - a method of the class
        """Run the job."""

    return type("Task", (), {method: lambda _: None, "__call__": __call__})


@pytest.mark.parametrize("method", ["delay", "send", "apply_async", "kiq", "call_local"])
@pytest.mark.parametrize("client", [Client(), AsyncClient()], ids=["sync", "async"])
def test_a_task_of_a_task_queue_is_refused(client: Any, method: str) -> None:
    with pytest.raises(BadAPIRequestError, match="put a CheckTrap below the decorator of the task queue, not above it"):
        CheckTrap(client, "u")(task_class(method)())


@pytest.mark.parametrize("client", [Client(), AsyncClient()], ids=["sync", "async"])
def test_a_function_with_a_method_of_a_task_queue_is_refused(client: Any) -> None:
    def task() -> None:
        """Run the job."""

    task.delay = print  # type: ignore[attr-defined]  # as RQ does

    with pytest.raises(BadAPIRequestError, match="below the decorator of the task queue"):
        CheckTrap(client, "u")(task)


def test_a_function_below_the_decorator_of_a_task_queue_is_accepted(
    api: Api, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    job = decorated(api, lambda: 5)
    job.delay = print  # type: ignore[attr-defined]  # as RQ does

    assert job() == 5
    assert ping_types() == ["start", "success"]


def test_a_call_can_be_reported_as_failed(
    api: Api, hc: Sandbox, check: Any, ping_types: Callable[[], list[str]]
) -> None:
    def job(reason: str) -> int:
        trap = CheckTrap.current()
        assert trap is not None
        if reason:
            trap.fail(reason)
        return 5

    run = decorated(api, job)
    assert run("2 files could not be read") == 5
    assert run("") == 5

    assert ping_types() == ["start", "fail", "start", "success"]
    assert hc.pings("backup")[2].body == b"2 files could not be read"
