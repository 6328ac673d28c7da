"""Fuzz tests: no argument or response causes an undocumented exception or a hang."""

from __future__ import annotations

import contextlib
import inspect
import json
import threading
import time
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from endpoints import ENDPOINTS, UUID
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healthchecks_io import (
    AsyncClient,
    Badges,
    Check,
    CheckCreate,
    CheckPings,
    CheckStatuses,
    CheckTrap,
    CheckUpdate,
    Client,
    HCAPIError,
    Integration,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator

DOCUMENTED_ERRORS = (HCAPIError, TypeError, ValueError)


@contextlib.contextmanager
def raises_only(*documented: type[Exception]) -> Iterator[None]:
    """Fail if the block raises any other exception, or one without a message."""
    try:
        yield
    except documented as error:
        if not str(error):
            raise AssertionError(f"{type(error).__name__} has no message") from error


fuzzed = settings(
    deadline=timedelta(seconds=10),
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

# Arguments.

TEXTS = (
    st.text(st.characters(), max_size=20)  # Includes surrogates.
    | st.text("abcdefXYZ019-_./?#%\\ \n\0é", max_size=40)
    | st.sampled_from(
        ["", "file:/x", "http://[", "https://a:99999/", "* * * * *", "UTC", "1" * 5000, "\ud800", "%2e%2e"]
    )
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**31, 2**63, -(2**64), 10**400, 60, 3600, 255]),
    st.floats(),
    st.complex_numbers(),
    st.decimals(),
    st.fractions(),
    TEXTS,
    st.binary(max_size=20),
    st.binary(max_size=5).map(bytearray),
    st.just(memoryview(b"x")),
    st.uuids(),
    st.datetimes(),
    st.datetimes(timezones=st.timezones() | st.just(timezone(timedelta(hours=23, minutes=59)))),
    st.sampled_from(
        [
            datetime.min.replace(tzinfo=timezone.utc),
            datetime.max.replace(tzinfo=timezone.utc),
            datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
            datetime.max.replace(tzinfo=timezone(-timedelta(hours=14))),
        ]
    ),
    st.dates(),
    st.timedeltas(),
    st.sampled_from([object(), object, int, len, NotImplemented, ..., Path("x"), Decimal("sNaN"), Fraction(1, 3)]),
    st.just(CheckCreate(name="x")),
    st.just(CheckUpdate(name="x")),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.lists(inner, max_size=3).map(iter),
        st.lists(TEXTS, max_size=3).map(set),
        st.dictionaries(TEXTS, inner, max_size=3),
    ),
    max_leaves=5,
)

# Responses.


class Raw(str):
    """JSON text, possibly invalid, that is sent verbatim."""

    __slots__ = ()


HUGE = [Raw("1e999999"), Raw("-1e400"), Raw("9" * 5000), Raw("1" + "0" * 19), Raw("NaN"), Raw("-Infinity"), Raw("-0.0")]
DEEP = [Raw("[" * 50_000), Raw('{"a":' * 20_000), Raw("[" * 300 + "]" * 300)]
ODD_STRINGS = [
    Raw('"\\ud800"'),
    Raw('"\\udfff\\ud800"'),
    Raw('"\\u0000"'),
    Raw('"\0"'),
    Raw('"\\x"'),
    Raw('"'),
    "9999-99-99",
]
ODD_DATES = ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:60Z", "2026-01-01", "1e400", "١٢٣", "P1D"]
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from([*HUGE, *DEEP, *ODD_STRINGS, *ODD_DATES]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


def _recorded_bodies() -> dict[str, Any]:
    lines = (Path(__file__).parent.parent / "recordings.jsonl").read_text(encoding="utf-8").splitlines()
    bodies = [json.loads(line)["response"] for line in lines]
    return {json.dumps(body["body"]): body["body"] for body in bodies if isinstance(body["body"], dict)}


BODIES = sorted(_recorded_bodies().values(), key=lambda body: (len(json.dumps(body)), json.dumps(body)))


@dataclass
class ObjectPairs:
    """A JSON object as a list of pairs, in which a key may occur twice."""

    items: list[tuple[str, Any]]


def _to_mutable(value: Any) -> Any:
    if isinstance(value, dict):
        return ObjectPairs([(name, _to_mutable(item)) for name, item in value.items()])
    return [_to_mutable(item) for item in value] if isinstance(value, list) else value


def _to_json(value: Any) -> str:
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        value = ObjectPairs(list(value.items()))
    if isinstance(value, ObjectPairs):
        return "{" + ",".join(f"{json.dumps(name)}:{_to_json(item)}" for name, item in value.items) + "}"
    return "[" + ",".join(map(_to_json, value)) + "]" if isinstance(value, list) else json.dumps(value)


def _find_containers(value: Any) -> Iterator[Any]:
    if isinstance(value, (ObjectPairs, list)) and (items := value.items if isinstance(value, ObjectPairs) else value):
        yield value
        for item in items:
            yield from _find_containers(item[1] if isinstance(value, ObjectPairs) else item)


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """Generate a recorded response body in which a few items are deleted, replaced, duplicated or renamed."""
    body = _to_mutable(draw(st.sampled_from(BODIES)))
    for _ in range(draw(st.integers(0, 3))):
        containers = list(_find_containers(body))
        if not containers:
            break
        container = draw(st.sampled_from(containers))
        items: list[Any] = container.items if isinstance(container, ObjectPairs) else container
        index = draw(st.integers(0, len(items) - 1))
        mutation = draw(
            st.sampled_from(["delete", "replace", "replace", "duplicate", "duplicate with another value", "rename"])
        )
        in_object = isinstance(container, ObjectPairs)
        other = draw(JSON_VALUES) if mutation in ("replace", "duplicate with another value") else None
        if mutation == "delete":
            del items[index]
        elif mutation == "duplicate":
            items.append(items[index])
        elif mutation == "rename":
            items[index] = (draw(st.text(max_size=5)), items[index][1]) if in_object else draw(JSON_VALUES)
        else:
            items.append((items[index][0], other) if in_object else other)
            if mutation == "replace":
                items[index] = items.pop()
    return _to_json(body)


ENCODINGS = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32-be", "latin-1", "cp037"]
TEXT_BODIES = st.builds(
    lambda text, encoding: text.encode(encoding, "replace"), mutations(), st.sampled_from(ENCODINGS)
)
CUT_BODIES = st.builds(lambda body, length: body[:length], TEXT_BODIES, st.integers(0, 2000))
PING_BODIES = st.sampled_from([b"OK", b"Created", b"OK (not found)", b"OK (rate limited)", b"", b"\xff", b"<html>"])
RESPONSE_BODIES = st.one_of(TEXT_BODIES, TEXT_BODIES, CUT_BODIES, PING_BODIES, st.binary(max_size=200))

HEADER_VALUES = {
    "Content-Type": [
        b"application/json",
        b"text/html; charset=idna",
        b"text/plain; charset=rot13",
        b"text/plain; charset=utf-16",
        b"application/json; charset=\xff",
        b";;;=",
    ],
    "Content-Encoding": [b"", b"identity", b"IDENTITY", b"gzip", b"br, zstd", b"\xff", b"identity, identity"],
    "Content-Length": [b"0", b"-1", b"x", b"9" * 50],
    "Transfer-Encoding": [b"chunked", b"gzip"],
    "Retry-After": [
        b"0", b"-1", b"1", b"3600", b"1e400", b"nan", b"-inf", b"0x10", b"1_0", b"9" * 400, b"\xd9\xa1", b"soon",
        b"\xff", b"31 Dec 0000", b"Mon, 99 Foo -1 x:y:z", b"Fri, 31 Dec 9999 23:59:59 GMT",
        b"Fri, 31 Dec 1999 23:59:59 -9999",
    ],
    "Location": [
        b"", b"/", b"//", b"//[", b"http://", b"http://[::1", b"http://a:b/", b"http://a:99999999/", b"https://\xff/",
        b"http://xn--\xc3\xa9/", b"ftp://x", b"javascript:x", b"http://a b/", b"?x", b"#", b"\\\\x", b"http://user:pw@x/",
        b"http://" + b"a" * 70_000 + b"/", b"http://x/\x7f", b"http://%zz/", b"..", b"http://new.example/v3/checks/",
    ],
    "Set-Cookie": [b"a=b; Domain=.; Expires=x", b"=", b"\xff=\xff", b"a=b; Max-Age=9e9", b"a=b; Version=x; Port=y"],
    "Ping-Body-Limit": [b"", b"0", b"-5", b"99", b"1e5", b"\xd9\xa1", b"\xc2\xb2", b"9" * 5000, b"10000", b"100 "],
    "X-Other": [b"\0", b"\xff\xfe", b"x" * 70_000],
}  # fmt: skip
ONE_HEADER = st.sampled_from([(name, value) for name, values in HEADER_VALUES.items() for value in values]) | st.tuples(
    st.sampled_from(sorted(HEADER_VALUES)), st.binary(max_size=20)
)


@st.composite
def responses(draw: st.DrawFn) -> dict[str, Any]:
    """Generate arguments for httpx.Response."""
    status = draw(st.sampled_from([200, 200, 200, 200, 201, 301, 308, 400, 404, 409, 429, 503]) | st.integers(100, 999))
    headers = draw(st.lists(ONE_HEADER, max_size=4))
    return {
        "status_code": status,
        "headers": [(name.encode(), value) for name, value in headers],
        "stream": httpx.ByteStream(draw(RESPONSE_BODIES)),
    }


def valid_response(request: httpx.Request) -> httpx.Response:
    """Return a valid response to the request."""
    check = {"name": "x", "grace": 60, "n_pings": 0, "status": "new"}
    if request.url.host == "ping.example" or request.url.path.endswith("/status/"):
        return httpx.Response(200, text="OK")
    lists: dict[str, Any] = {name: [] for name in ("checks", "pings", "flips", "channels")} | {"badges": {}}
    return httpx.Response(200, json=check | lists)


URLS: dict[str, Any] = {"api_url": "https://api.example/", "ping_url": "https://ping.example/"}
KEYS: dict[str, Any] = {"api_key": "an-example-api-key", "ping_key": "an-example-ping-key"}


def sync_client(respond: Callable[[httpx.Request], httpx.Response], **options: Any) -> Client:
    http = httpx.Client(transport=httpx.MockTransport(respond))
    return Client(**{**URLS, **KEYS, "client": http, "retries": 0, **options})


@pytest.fixture
def call(client_kind: str, loop: asyncio.AbstractEventLoop) -> Iterator[Callable[..., Any]]:
    """Return a function that calls a method of a client with a stubbed response, for each kind of client."""
    responders: list[Callable[[httpx.Request], httpx.Response]] = [valid_response]

    def current_response(request: httpx.Request) -> httpx.Response:
        return responders[0](request)

    client: Client | AsyncClient
    if client_kind == "sync":
        client = sync_client(current_response)
    else:
        http = httpx.AsyncClient(transport=httpx.MockTransport(current_response))
        client = AsyncClient(**URLS, **KEYS, client=http, retries=0)

    def call(
        name: str, *args: Any, respond: Callable[[httpx.Request], httpx.Response] = valid_response, **kwargs: Any
    ) -> Any:
        responders[0] = respond
        result = getattr(client, name)(*args, **kwargs)
        return loop.run_until_complete(result) if inspect.isawaitable(result) else result

    yield call
    if isinstance(client, Client):
        client.close()
    else:
        loop.run_until_complete(client.aclose())


@pytest.fixture(params=["sync", "async"])
def client_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@fuzzed
@given(st.data())
def test_methods_raise_only_documented_errors_for_any_arguments(call: Callable[..., Any], data: st.DataObject) -> None:
    endpoint = data.draw(st.sampled_from(ENDPOINTS))
    arguments = {**endpoint.arguments}
    signature = inspect.signature(getattr(Client, endpoint.method))
    parameters = [parameter for parameter in signature.parameters if parameter != "self"]
    for parameter in parameters and data.draw(st.lists(st.sampled_from(parameters), min_size=1, max_size=3)):
        arguments[parameter] = data.draw(ANYTHING, label=parameter)
    with raises_only(HCAPIError):
        call(endpoint.method, **arguments)


@fuzzed
@given(st.dictionaries(st.sampled_from([*URLS, *KEYS, "api_version", "timeout", "retries"]), ANYTHING, min_size=1))
def test_client_settings_are_either_usable_or_rejected(options: dict[str, Any]) -> None:
    # Retry without delays.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", lambda _: None)
        try:
            client = sync_client(valid_response, **options)
        except (TypeError, ValueError):
            return
        with client:
            assert repr(client)
            assert isinstance(client.get_checks(), list)
            assert client.success_ping(UUID).text


@fuzzed
@given(st.dictionaries(st.sampled_from(["uuid", "slug", "create", "rid", "ping_errors"]), ANYTHING), ANYTHING, ANYTHING)
def test_check_trap_raises_only_documented_errors_for_any_arguments(
    options: dict[str, Any], line: Any, text: Any
) -> None:
    with (
        sync_client(valid_response) as client,
        raises_only(*DOCUMENTED_ERRORS),
        CheckTrap(client, **{"uuid": UUID, **options}) as trap,
    ):
        trap.add_log(line)
        trap.write(text)


@fuzzed
@given(st.data(), responses())
def test_methods_return_a_result_or_raise_an_hcapi_error_for_any_response(
    call: Callable[..., Any], data: st.DataObject, response: dict[str, Any]
) -> None:
    endpoint = data.draw(st.sampled_from(ENDPOINTS))
    with raises_only(HCAPIError):
        assert repr(call(endpoint.method, respond=lambda _: httpx.Response(**response), **endpoint.arguments))


@fuzzed
@given(responses())
def test_check_trap_raises_only_hcapi_errors_for_any_response(response: dict[str, Any]) -> None:
    with (
        sync_client(lambda _: httpx.Response(**response)) as client,
        raises_only(HCAPIError),
        CheckTrap(client, UUID, ping_errors="raise") as trap,
    ):
        trap.add_log("x" * 20_000)


@fuzzed
@given(st.lists(responses(), min_size=1, max_size=5), st.integers(0, 5))
def test_the_delays_between_retries_add_up_to_ten_seconds_at_most(
    response_arguments: list[dict[str, Any]], retries: int
) -> None:
    delays: list[float] = []
    remaining = [*response_arguments]

    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(**(remaining.pop(0) if len(remaining) > 1 else remaining[0]))

    sleep, this_thread = time.sleep, threading.get_ident()

    def record(seconds: float) -> None:
        # Servers of other tests may sleep in their threads.
        if threading.get_ident() == this_thread:
            delays.append(seconds)
        else:
            sleep(seconds)

    with pytest.MonkeyPatch.context() as patch, sync_client(respond, retries=retries) as client:
        patch.setattr(time, "sleep", record)
        with raises_only(HCAPIError):
            client.get_checks()
    assert len(delays) <= retries
    assert all(0 <= delay <= 10 for delay in delays)
    assert sum(delays) <= 10.001


# Schemas.

RESULT_SCHEMAS: list[Any] = [Check, CheckPings, CheckStatuses, Badges, Integration]
FIELDS = sorted({field for schema in RESULT_SCHEMAS for field in schema.model_fields} | {"n", "ua", "json", "json3"})


@fuzzed
@given(
    st.sampled_from(RESULT_SCHEMAS), ANYTHING | st.dictionaries(st.sampled_from(FIELDS) | TEXTS, ANYTHING, max_size=8)
)
def test_parsing_any_result_raises_only_documented_errors(schema: Any, result: Any) -> None:
    with raises_only(TypeError, ValueError):
        schema.from_api_result(result)


@fuzzed
@given(st.sampled_from(RESULT_SCHEMAS), mutations())
def test_parsing_a_mutated_response_raises_only_documented_errors(schema: Any, text: str) -> None:
    try:
        result = json.loads(text)
    except (ValueError, RecursionError):
        return
    with raises_only(TypeError, ValueError):
        schema.from_api_result(result)


@fuzzed
@given(
    st.sampled_from([CheckCreate, CheckUpdate]),
    st.dictionaries(st.sampled_from(sorted(CheckUpdate.model_fields)) | TEXTS, ANYTHING, max_size=6),
)
def test_check_schemas_raise_only_documented_errors_for_any_fields(schema: Any, fields: dict[str, Any]) -> None:
    with raises_only(TypeError, ValueError):
        assert isinstance(json.loads(schema(**fields).to_request()), dict)


@fuzzed
@given(st.sampled_from([CheckCreate, CheckUpdate]), st.sampled_from(sorted(CheckUpdate.model_fields)), ANYTHING)
def test_assigning_any_value_to_a_check_field_raises_only_documented_errors(
    schema: Any, field: str, value: Any
) -> None:
    check = schema(name="x")
    with raises_only(TypeError, ValueError):
        setattr(check, field, value)
    assert isinstance(json.loads(check.to_request()), dict)


SCHEDULES = (
    st.lists(
        st.sampled_from(
            [*"0123456789*,-/:~. @#?LW+", "\n", "mon", "fri", "jan", "UTC", "Europe/Riga", "2026", "60", "\0"]
        ),
        max_size=25,
    ).map("".join)
    | TEXTS
)


@fuzzed
@given(SCHEDULES)
def test_a_schedule_is_accepted_or_raises_a_value_error(schedule: str) -> None:
    with raises_only(ValueError):
        CheckCreate(schedule=schedule)
