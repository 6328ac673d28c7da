"""`client` as a function that returns an httpx client: for pre-forking servers, several event loops, and pickling."""

from __future__ import annotations

import asyncio
import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from client_functions import HEADERS, make_async_httpx_client, make_httpx_client, ping

from healthchecks_io import AsyncClient, CheckTrap, Client, HCAPIError

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from conftest import Api, Stub


def test_the_function_is_called_when_the_first_request_is_sent(
    connect: Callable[..., Api], http_client: Callable[..., Any], stub: Stub
) -> None:
    created: list[Any] = []

    def create() -> Any:
        created.append(http_client(headers=HEADERS))
        return created[-1]

    stub.queue_response(200, "OK")
    api = connect(client=create, **stub.settings())
    assert created == []

    api.success_ping("u")
    api.success_ping("u")

    assert len(created) == 1
    assert [request.headers["X-From"] for request in stub.requests] == ["function"] * 2


def test_closing_the_client_closes_the_httpx_client_that_the_function_returned(
    connect: Callable[..., Api], http_client: Callable[..., Any], stub: Stub
) -> None:
    http = http_client()
    stub.queue_response(200, "OK")
    api = connect(client=lambda: http, **stub.settings())
    api.success_ping("u")

    api.close()

    assert http.is_closed


@pytest.mark.parametrize("result", [None, "http", object()])
def test_a_function_that_returns_something_else_is_an_error(connect: Callable[..., Api], result: object) -> None:
    with pytest.raises(HCAPIError, match="passed as client failed: TypeError: client must be an httpx"):
        connect(client=lambda: result).success_ping("u")


def test_a_function_that_raises_is_an_error_that_shows_no_key(connect: Callable[..., Api]) -> None:
    def create() -> httpx.Client:
        raise ValueError("no client for pingkeypingkeyping00")

    with pytest.raises(HCAPIError, match=r"failed: ValueError: no client for \*\*\*"):
        connect(ping_key="pingkeypingkeyping00", client=create).success_ping("u")


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_client_with_a_function_works_in_other_processes(stub: Stub, method: str) -> None:
    stub.queue_response(200, "OK")
    client = Client(client=make_httpx_client, **stub.settings())
    client.success_ping("u")

    with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
        assert pool.submit(ping, client).result() == "OK"
    client.close()

    assert [request.headers["X-From"] for request in stub.requests] == ["function"] * 2


def test_one_async_client_with_a_function_works_in_several_event_loops(stub: Stub) -> None:
    stub.queue_response(200, "OK")
    client = AsyncClient(client=make_async_httpx_client, **stub.settings())

    async def ping_twice() -> None:
        await client.success_ping("u")
        await client.success_ping("u")
        (session,) = [session for key, session in client._sessions.items() if key[1] is asyncio.get_running_loop()]
        await session.connections.aclose()

    asyncio.run(ping_twice())
    asyncio.run(ping_twice())

    assert len(stub.requests) == 4


def pickle_and_unpickle(client: Any) -> Any:
    return pickle.loads(pickle.dumps(client))  # noqa: S301 - the test pickled it


@pytest.mark.parametrize("duplicate", [pickle_and_unpickle, copy.copy, copy.deepcopy])
def test_a_used_client_can_be_pickled_and_copied(
    connect: Callable[..., Api], stub: Stub, duplicate: Callable[[Any], Any]
) -> None:
    stub.queue_response(200, "OK")
    api = connect(**stub.settings(ping_key="key", timeout=3, api_version=2))
    api.success_ping(slug="s")

    duplicated = duplicate(api.client)
    api.client, original = duplicated, api.client
    assert api.success_ping(slug="s").success
    api.close()
    api.client = original

    assert repr(duplicated) == repr(original)
    assert not original.is_closed
    assert len({request.port for request in stub.requests}) == 2


def test_a_client_with_an_httpx_client_cannot_be_pickled(
    connect: Callable[..., Api], http_client: Callable[..., Any]
) -> None:
    with pytest.raises(TypeError, match="pass a function that returns the httpx client"):
        pickle.dumps(connect(client=http_client()).client)


def test_a_closed_client_cannot_be_entered_again(connect: Callable[..., Api], stub: Stub) -> None:
    api = connect(**stub.settings())
    with api.entering(api.client):
        pass

    with pytest.raises(HCAPIError, match="the client is closed"), api.entering(api.client):
        pass


def test_without_asyncio_an_async_client_raises_an_hcapi_error() -> None:
    coroutine = AsyncClient().success_ping("u")

    # As another event loop does, such as trio's.
    with pytest.raises(HCAPIError, match="needs asyncio"):
        coroutine.send(None)


def test_an_async_check_trap_whose_event_loop_is_gone_ends_with_a_warning(
    stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    async def start() -> CheckTrap[AsyncClient]:
        async with AsyncClient(**stub.settings()) as client:
            return await CheckTrap(client, "u").__aenter__()

    stub.queue_response(200, "OK")
    trap = asyncio.run(start())

    with pytest.raises(StopIteration):
        trap.__aexit__(None, None, None).send(None)

    assert "needs asyncio" in caplog.text
