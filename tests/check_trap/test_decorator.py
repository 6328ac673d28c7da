"""A CheckTrap as a decorator: each call is a run of its own."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import AsyncClient, BadAPIRequestError, CheckTrap, Client, WrongClientError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from conftest import Api

    from healthchecks_io.sandbox import Sandbox


def decorated(api: Api, job: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """The function, decorated with a CheckTrap as it fits the client, and called as a plain one."""
    if isinstance(api.client, Client):
        return CheckTrap(api.client, slug="backup", **options)(job)

    @CheckTrap(api.client, slug="backup", **options)
    @functools.wraps(job)
    async def coroutine_function(*args: Any, **kwargs: Any) -> Any:
        return job(*args, **kwargs)

    return lambda *args, **kwargs: api.run(coroutine_function(*args, **kwargs))


def test_a_call_is_a_run(api: Api, hc: Sandbox, check: Any, recorded: Callable[[], list[str]]) -> None:
    def add(a: int, *, b: int) -> int:
        CheckTrap.current().add_log(f"{a} and {b}")  # type: ignore[union-attr]  # it is the one of this call
        return a + b

    assert decorated(api, add)(2, b=3) == 5
    assert recorded() == ["start", "success"]
    assert hc.pings("backup")[0].body == b"2 and 3"


def test_an_exception_leaves_unchanged(api: Api, check: Any, recorded: Callable[[], list[str]]) -> None:
    error = ValueError("of the job")

    def fail() -> None:
        raise error

    with pytest.raises(ValueError, match="of the job") as caught:
        decorated(api, fail)()
    assert caught.value is error
    assert recorded() == ["start", "fail"]


def test_a_call_whose_exception_is_swallowed_gives_none(
    api: Api, check: Any, recorded: Callable[[], list[str]]
) -> None:
    assert decorated(api, lambda: int("no number"), suppress_exceptions=True)() is None
    assert recorded() == ["start", "fail"]


def test_each_call_has_a_run_id_and_a_log_of_its_own(api: Api, hc: Sandbox, check: Any) -> None:
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


def pairs_of(hc: Sandbox) -> dict[str, list[str]]:
    """The kinds and logs of the pings of each run."""
    runs: dict[str, list[str]] = {}
    for ping in reversed(hc.pings("backup")):
        runs.setdefault(str(ping.rid), []).append(f"{ping.type} {ping.body.decode()}".strip())
    return runs


def test_calls_that_overlap_in_threads_never_mix(hc: Sandbox, check: Any) -> None:
    all_have_begun = threading.Barrier(4)
    with hc.client() as client:

        @CheckTrap(client, slug="backup")
        def work(number: int) -> str:
            trap = CheckTrap.current()
            assert trap is not None
            all_have_begun.wait(10)
            trap.add_log(str(number))
            return trap.rid

        with ThreadPoolExecutor(4) as threads:
            rids = list(threads.map(work, range(4)))

    assert pairs_of(hc) == {rid: ["start", f"success {number}"] for number, rid in enumerate(rids)}


def test_calls_that_overlap_in_tasks_never_mix(settings: dict[str, Any], hc: Sandbox, check: Any) -> None:
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
    assert pairs_of(hc) == {rid: ["start", f"success {number}"] for number, rid in enumerate(rids)}


def test_a_job_may_call_itself(hc: Sandbox, check: Any) -> None:
    with hc.client() as client:

        @CheckTrap(client, slug="backup")
        def factorial(n: int) -> int:
            trap = CheckTrap.current()
            result = n * factorial(n - 1) if n else 1
            assert CheckTrap.current() is trap
            return result

        assert factorial(4) == 24

    assert list(pairs_of(hc).values()) == [["start", "success"]] * 5
    assert CheckTrap.current() is None


def test_a_decorated_function_is_what_it_was(api: Api) -> None:
    def add(a: int, *, b: int = 1) -> int:
        """Add two numbers."""
        return a + b

    async def add_async(a: int, *, b: int = 1) -> int:
        """Add two numbers."""
        return a + b

    is_sync = isinstance(api.client, Client)
    job: Any = add if is_sync else add_async
    trap: Any = CheckTrap(api.client, slug="backup")
    again = trap(job)

    assert inspect.signature(again) == inspect.signature(job)
    assert (again.__name__, again.__doc__) == (job.__name__, job.__doc__)
    assert inspect.iscoroutinefunction(again) is not is_sync


def test_methods_can_be_decorated(hc: Sandbox, recorded: Callable[[], list[str]]) -> None:
    with hc.client() as client:
        trap = CheckTrap(client, slug="backup", create=True)

        class Worker:
            name = "worker"

            @trap
            def method(self, suffix: str) -> str:
                return self.name + suffix

            @classmethod
            @trap
            def of_class(cls) -> str:
                return cls.name

            @staticmethod
            @trap
            def of_none(name: str) -> str:
                return name

        assert Worker().method("!") == "worker!"
        assert Worker.of_class() == "worker"
        assert Worker.of_none("nobody") == "nobody"
    assert recorded() == ["start", "success"] * 3


class Callable_:  # noqa: N801 - Callable is another
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


def test_an_object_that_can_be_called_is_as_good_as_a_function(
    api: Api, check: Any, recorded: Callable[[], list[str]]
) -> None:
    job = Callable_() if isinstance(api.client, Client) else AsyncCallable()
    trap: Any = CheckTrap(api.client, slug="backup")

    assert api.run(trap(job)()) == 5
    assert recorded() == ["start", "success"]


@pytest.mark.parametrize("job", [coroutine_function, AsyncCallable(), functools.partial(coroutine_function)])
def test_a_coroutine_function_needs_an_async_client(job: Any) -> None:
    with pytest.raises(WrongClientError, match="with Client cannot decorate a coroutine function"):
        CheckTrap(Client(), "u")(job)


@pytest.mark.parametrize("job", [print, Callable_(), lambda: None])
def test_a_plain_function_needs_a_client(job: Any) -> None:
    with pytest.raises(WrongClientError, match="with AsyncClient cannot decorate a plain function"):
        CheckTrap(AsyncClient(), "u")(job)


@pytest.mark.parametrize(
    ("job", "problem"),
    [
        (generator, "a generator ends when its caller likes"),
        (async_generator, "a generator ends when its caller likes"),
        (staticmethod(print), "below @staticmethod"),
        (classmethod(print), "below @staticmethod and @classmethod"),
        (int, "functions and methods"),
        (5, "functions and methods"),
    ],
)
@pytest.mark.parametrize("client", [Client(), AsyncClient()], ids=["sync", "async"])
def test_what_cannot_be_a_run_is_refused(client: Any, job: Any, problem: str) -> None:
    with pytest.raises(BadAPIRequestError, match=problem):
        CheckTrap(client, "u")(job)


@pytest.mark.parametrize("client", [Client(), AsyncClient()], ids=["sync", "async"])
def test_a_run_id_of_ones_own_is_for_one_run_and_not_for_a_function(client: Any) -> None:
    with pytest.raises(BadAPIRequestError, match="for one run"):
        CheckTrap(client, "u", rid=uuid.uuid4())(print)
