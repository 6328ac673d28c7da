"""The methods get_report and get_reports of both clients."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import threading
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as properties
from hypothesis import strategies as st

from healthchecks_io import (
    BadAPIRequestError,
    CheckCreate,
    CheckNotFoundError,
    HCAPIAuthError,
    HCAPIError,
    HCAPIRateLimitError,
    HCAPIUnavailableError,
    Report,
)
from healthchecks_io.client import pacing
from healthchecks_io.client.async_client import MAX_CONCURRENT_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox

pytestmark = pytest.mark.server("1.16")

UUID = "46788547-e873-48a9-a9af-975558bdaeff"
CHECK = {"name": "Backup", "uuid": UUID, "grace": 3600, "n_pings": 0, "status": "new"}


@pytest.fixture
def backup(api: Api, hc: Sandbox) -> str:
    """The UUID of a check that has been up for ten days, except for the last hours of the fifth one."""
    uuid: str = api.create_check(CheckCreate(name="Backup", timeout="1d", grace="1h", tags="db prod")).uuid
    for day in range(10):
        if day != 5:
            api.start_ping(uuid)
            hc.advance(minutes=10)
            api.success_ping(uuid)
            hc.advance(minutes=-10, days=1)
        else:
            hc.advance(days=1)
    return uuid


# What a report contains.


def test_a_report_has_the_uptime_downtimes_runs_and_durations_of_a_check(api: Api, hc: Sandbox, backup: str) -> None:
    report = api.get_report(backup)

    assert isinstance(report, Report)
    assert report.check.name == "Backup"
    assert report.until - report.since == timedelta(days=30)
    assert report.down_since is None
    assert (report.runs, report.failures) == (9, 0)
    assert report.durations is not None
    assert report.durations.median == pytest.approx(600, abs=60)
    ((start, end),) = report.downtimes
    assert end is not None
    assert end - start == pytest.approx(timedelta(hours=23), abs=timedelta(minutes=5))
    assert report.uptime == pytest.approx(1 - 23 / 240, abs=0.001)


def test_a_run_that_has_just_ended_is_counted(api: Api, hc: Sandbox) -> None:
    uuid = api.create_check(CheckCreate(name="Backup")).uuid
    # The sandbox sends its time in whole seconds: somewhere in a second, too.
    for count in range(1, 6):
        api.success_ping(uuid)
        assert api.get_report(uuid).runs == count
        hc.advance(milliseconds=1300)


@pytest.mark.usefixtures("faults")
def test_a_check_that_has_just_failed_is_down_from_then_on(api: Api, hc: Sandbox) -> None:
    uuid = api.create_check(CheckCreate(name="Backup")).uuid
    api.fail_ping(uuid)

    report = api.get_report(uuid)

    assert report.down_since is not None
    assert report.down_since <= hc.now
    assert report.downtimes == [(report.down_since, None)]
    assert (report.runs, report.failures, report.durations) == (1, 1, None)


def test_a_new_check_has_not_been_down_before_its_first_run_ended(api: Api, hc: Sandbox) -> None:
    uuid = api.create_check(CheckCreate(name="Backup")).uuid
    api.start_ping(uuid)
    hc.advance(minutes=30)
    api.success_ping(uuid)
    hc.advance(hours=1)

    report = api.get_report(uuid)

    assert (report.uptime, report.downtimes) == (1.0, [])
    assert report.seconds("up") == pytest.approx(3600, abs=60)


@pytest.mark.parametrize(
    "version", [1, pytest.param(2, marks=pytest.mark.server("2.6")), pytest.param(3, marks=pytest.mark.server("2.10"))]
)
def test_a_check_whose_job_is_running_is_what_it_was_before(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, version: int
) -> None:
    api = connect(**settings | {"api_version": version})
    up, down = (api.create_check(CheckCreate(name=name, timeout="1d", grace="1h")).uuid for name in ("up", "down"))
    api.success_ping(up)
    api.fail_ping(down)
    hc.advance(hours=10)
    for uuid in (up, down):
        api.start_ping(uuid)
    hc.advance(minutes=1)

    assert api.get_report(up).uptime == 1.0
    assert api.get_report(up).down_since is None
    assert api.get_report(down).uptime == 0.0
    assert api.get_report(down).down_since is not None


def test_a_check_that_is_paused_is_unknown_from_then_on(api: Api, hc: Sandbox, backup: str) -> None:
    api.pause_check(backup)
    hc.advance(days=5)

    report = api.get_report(backup, days=8)

    assert report.seconds("unknown") == pytest.approx(5 * 86_400, abs=300)
    assert report.uptime == 1.0
    assert report.downtimes == []


@pytest.mark.server("2.3")
def test_a_check_that_was_resumed_is_unknown_from_then_on(api: Api, hc: Sandbox, backup: str) -> None:
    api.pause_check(backup)
    hc.advance(days=1)
    api.resume_check(backup)
    hc.advance(days=2)

    report = api.get_report(backup, days=4)

    assert report.seconds("unknown") == pytest.approx(2 * 86_400, abs=300)
    assert report.seconds("down") == pytest.approx(86_400, abs=300)


def test_the_text_notes_that_a_past_pause_counts_as_downtime(api: Api, hc: Sandbox, backup: str) -> None:
    api.pause_check(backup)
    hc.advance(days=1)
    api.success_ping(backup)

    report = api.get_report(backup, days=2)

    assert report.seconds("down") == pytest.approx(86_400, abs=300)
    assert "past pauses count as downtime" in str(report)


def test_the_text_notes_how_far_back_the_pings_go(api: Api, hc: Sandbox) -> None:
    uuid = api.create_check(CheckCreate(name="Backup", timeout="1d")).uuid
    for _ in range(150):
        api.success_ping(uuid)
        hc.advance(hours=1)

    report = api.get_report(uuid)

    assert report.runs == 100
    assert report.runs_since is not None
    oldest = report.runs_since.isoformat(" ", "seconds")
    assert f"earlier runs are not counted: the server has kept no pings before {oldest}" in str(report)
    assert "no pings before" not in str(api.get_report(uuid, days=2))


def test_the_text_notes_that_the_known_flips_begin_later_than_the_window(api: Api, hc: Sandbox, backup: str) -> None:
    flips = api.get_check_flips(backup)

    ending = flips[-1].timestamp.isoformat(" ")
    assert f"the status is not known before its first recorded change: {ending}" in str(api.get_report(backup))
    assert "first recorded change" not in str(api.get_report(backup, days=8))


@pytest.mark.usefixtures("faults")
def test_the_end_of_the_window_is_the_time_of_the_server(api: Api, hc: Sandbox, backup: str) -> None:
    hc.advance(days=1000)

    (report,) = api.get_reports(days=7)

    assert abs(report.until - hc.now) < timedelta(minutes=1)
    assert abs(api.get_report(backup).until - hc.now) < timedelta(minutes=1)
    assert report.until.utcoffset() == timedelta()


# The Date header.


def respond(stub: Stub, date: str | None, *bodies: object) -> None:
    for body in bodies:
        stub.queue_response(body=json.dumps(body), headers={} if date is None else {"Date": date})


class DatedServer:
    """A server of one check, whose Date header the test sets."""

    date: str | None = None

    def __init__(self) -> None:
        self.url = ""
        self.flips: list[dict[str, Any]] = []
        self.pings: list[dict[str, Any]] = []
        self.check: dict[str, Any] = dict(CHECK)


@pytest.fixture
def server() -> Iterator[DatedServer]:
    state = DatedServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def date_time_string(self, timestamp: float | None = None) -> str:  # noqa: ARG002 - a method of the base class
            return state.date or ""

        def send_header(self, keyword: str, value: str) -> None:
            if keyword != "Date" or state.date is not None:
                super().send_header(keyword, value)

        def do_GET(self) -> None:
            if "/flips/" in self.path:
                document: dict[str, Any] = {"flips": state.flips}
            elif "/pings/" in self.path:
                document = {"pings": state.pings}
            else:
                document = {"checks": [state.check]} if self.path.endswith("/checks/") else state.check
            body = json.dumps(document).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - name used by http.server
            """Do not log requests to standard error."""

    http_server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http_server.daemon_threads = True
    state.url = f"http://127.0.0.1:{http_server.server_port}/api/"
    thread = threading.Thread(target=http_server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield state
    http_server.shutdown()
    thread.join()
    http_server.server_close()


def client_of(server: DatedServer, connect: Callable[..., Api]) -> Api:
    return connect(api_key="k" * 32, api_url=server.url, retries=0)


def test_the_date_header_is_the_end_of_the_window(connect: Callable[..., Api], server: DatedServer) -> None:
    server.date = "Thu, 01 Mar 2040 12:00:00 GMT"
    api = client_of(server, connect)

    assert api.get_report(UUID).until == datetime(2040, 3, 1, 12, tzinfo=timezone.utc)
    assert api.get_reports()[0].until == datetime(2040, 3, 1, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "date",
    [
        None,
        "",
        "yesterday",
        "Thu, 01 Mar 2040 25:61:61 GMT",
        "Thu, 99 Mar 2040 12:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2300",
        "Thu, 01 Mar 2040 12:00:00 +9999999999",
        "2026-03-01T00:00:00Z",
    ],
)
def test_without_a_valid_date_header_the_window_ends_at_the_time_of_the_local_clock(
    connect: Callable[..., Api], server: DatedServer, date: str | None
) -> None:
    server.date = date

    report = client_of(server, connect).get_report(UUID)

    assert abs(report.until - datetime.now(timezone.utc)) < timedelta(minutes=1)


@properties(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(date=st.text(st.characters(min_codepoint=32, max_codepoint=126)) | st.datetimes().map(format_datetime))
def test_no_date_header_breaks_a_report(connect: Callable[..., Api], server: DatedServer, date: str) -> None:
    server.date = date

    report = client_of(server, connect).get_report(UUID)

    assert report.until - report.since == timedelta(days=30)


TIMES = st.datetimes(timezones=st.timezones()).map(datetime.isoformat) | st.sampled_from(
    ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"]
)


@properties(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    check=st.fixed_dictionaries(
        {"status": st.sampled_from(["up", "down", "grace", "new", "paused", "started", "unheard of"])},
        optional={"last_ping": TIMES, "next_ping": TIMES, "grace": st.integers(0, 10**15)},
    ),
    flips=st.lists(st.fixed_dictionaries({"timestamp": TIMES, "up": st.integers(-1, 2)}), max_size=4),
    pings=st.lists(
        st.fixed_dictionaries(
            {"date": TIMES, "n": st.integers(), "type": st.sampled_from(["success", "start", "fail", "log", "?"])}
        ),
        max_size=4,
    ),
    date=st.sampled_from(
        ["Sat, 01 Jan 0100 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Mar 2040 12:00:00 GMT"]
    ),
)
def test_no_times_that_a_server_sends_break_a_report(
    connect: Callable[..., Api], server: DatedServer, check: Any, flips: Any, pings: Any, date: str
) -> None:
    server.check, server.flips, server.pings, server.date = {**CHECK, **check}, flips, pings, date

    with contextlib.suppress(HCAPIError):
        report = client_of(server, connect).get_report(UUID)
        assert json.loads(report.to_json())
        assert str(report)
        assert sum(report.seconds(state) for state in ("up", "down", "unknown")) == 30 * 86_400


def test_a_down_that_the_server_has_not_recorded_begins_when_the_grace_time_ended(
    connect: Callable[..., Api], server: DatedServer
) -> None:
    server.date = "Thu, 01 Mar 2040 12:00:00 GMT"
    server.flips = [{"timestamp": "2040-02-20T00:00:00+00:00", "up": 1}]
    server.check |= {
        "status": "down",
        "next_ping": "2040-03-01T10:00:00+00:00",
        "last_ping": "2040-02-29T10:00:00+00:00",
    }

    report = client_of(server, connect).get_report(UUID)

    assert report.downtimes == [(datetime(2040, 3, 1, 11, tzinfo=timezone.utc), None)]
    assert report.seconds("down") == 3600


# Which checks.


def test_reports_of_all_checks_are_in_the_order_of_the_checks(api: Api, hc: Sandbox) -> None:
    for number in range(30):
        api.create_check(CheckCreate(name=f"{number}"))

    names = [report.check.name for report in api.get_reports()]

    assert names == [check.name for check in api.get_checks()]
    assert len(names) == 30


def test_reports_of_tagged_checks(api: Api, hc: Sandbox, backup: str) -> None:
    api.create_check(CheckCreate(name="Other", tags="db"))

    assert [report.check.name for report in api.get_reports(tags=["db", "prod"])] == ["Backup"]
    assert len(api.get_reports(tags=["db"])) == 2


def test_an_unknown_tag_has_no_reports(api: Api, backup: str) -> None:
    assert api.get_reports(tags=["unknown"]) == []


def test_a_project_without_checks_has_no_reports(api: Api, hc: Sandbox) -> None:
    assert api.get_reports() == []


@pytest.mark.parametrize("days", [0, -1, 366, 10**30, 1.5, "30", None, True, timedelta(days=1)])
def test_invalid_days_are_rejected_before_anything_is_sent(
    connect: Callable[..., Api], stub: Stub, days: object
) -> None:
    api = connect(**stub.settings())

    with pytest.raises(BadAPIRequestError, match="days must be"):
        api.get_report(UUID, days)
    with pytest.raises(BadAPIRequestError, match="days must be"):
        api.get_reports(days)

    assert stub.requests == []


@pytest.mark.parametrize("days", [1, 365])
def test_a_day_and_a_year_are_valid(api: Api, backup: str, days: int) -> None:
    report = api.get_report(backup, days)

    assert report.until - report.since == timedelta(days=days)
    assert len(report.days()) == days


@pytest.mark.parametrize("check_id", ["", None, "a/b"])
def test_an_invalid_identifier_is_rejected_before_anything_is_sent(
    connect: Callable[..., Api], stub: Stub, check_id: str | None
) -> None:
    with pytest.raises(BadAPIRequestError):
        connect(**stub.settings()).get_report(check_id)

    assert stub.requests == []


def test_invalid_tags_are_rejected_before_anything_is_sent(connect: Callable[..., Api], stub: Stub) -> None:
    with pytest.raises(BadAPIRequestError):
        connect(**stub.settings()).get_reports(tags=[1])

    assert stub.requests == []


def test_an_unknown_check_is_an_error(api: Api, hc: Sandbox) -> None:
    with pytest.raises(CheckNotFoundError):
        api.get_report(UUID)


def test_a_wrong_key_is_an_error(connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox) -> None:
    api = connect(**settings | {"api_key": "x" * 32})

    with pytest.raises(HCAPIAuthError):
        api.get_report(UUID)
    with pytest.raises(HCAPIAuthError):
        api.get_reports()


# A read-only key.


def test_with_a_read_only_key_a_report_has_no_runs_and_notes_why(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, backup: str
) -> None:
    api = connect(**settings | {"api_key": hc.read_only_key})

    (report,) = api.get_reports()

    assert report.durations is None
    assert report.runs_since is None
    assert report.uptime == pytest.approx(1 - 23 / 240, abs=0.001)
    assert report.check.uuid is None
    assert "runs: not known" in str(report)
    assert "the API key is read-only and cannot see pings" in str(report)
    assert api.get_report(report.check.unique_key).downtimes == report.downtimes


def test_with_a_read_only_key_no_pings_are_requested(connect: Callable[..., Api], stub: Stub) -> None:
    check = {"name": "Backup", "unique_key": "1f" * 20, "grace": 3600, "n_pings": 5, "status": "up"}
    respond(stub, None, {"checks": [check]}, {"flips": []})

    connect(**stub.settings()).get_reports()

    assert [request.path for request in stub.requests] == ["/api/v1/checks/", f"/api/v1/checks/{'1f' * 20}/flips/"]


# Checks that disappear.


def before_requests(hc: Sandbox, patch: pytest.MonkeyPatch, call: Callable[[str], None]) -> None:
    """Call a function with the path of each request before the sandbox responds to it."""
    original = type(hc)._respond

    def respond(self: Sandbox, request: Any, body: bytes) -> Any:
        call(request.url.path)
        return original(self, request, body)

    patch.setattr(type(hc), "_respond", respond)


@pytest.mark.parametrize("path", ["flips", "pings"])
@pytest.mark.usefixtures("faults")
def test_a_check_that_is_deleted_in_the_meantime_is_left_out(
    api: Api, hc: Sandbox, backup: str, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    deleted = api.create_check(CheckCreate(name="Deleted")).uuid

    def delete(requested: str) -> None:
        if requested.endswith(f"{deleted}/{path}/"):
            del hc._project.checks[deleted]

    before_requests(hc, monkeypatch, delete)

    assert [report.check.name for report in api.get_reports()] == ["Backup"]


def test_a_server_without_flips_is_an_error_and_not_a_project_without_checks(
    connect: Callable[..., Api], stub: Stub
) -> None:
    stub.queue_response(body=json.dumps({"checks": [CHECK]}))
    stub.queue_response(404)
    stub.queue_response(body=json.dumps(CHECK))

    with pytest.raises(CheckNotFoundError, match="flips"):
        connect(**stub.settings()).get_reports()

    assert [request.path.removeprefix("/api/v1/checks/") for request in stub.requests] == ["", f"{UUID}/flips/", UUID]


# Too many requests.


@pytest.mark.usefixtures("faults")
def test_after_a_429_it_waits_and_continues(
    connect: Callable[..., Api],
    settings: dict[str, Any],
    hc: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(pacing, "_DEFAULT_WAIT", 0.01)
    api = connect(**settings, retries=0)
    for number in range(10):
        api.create_check(CheckCreate(name=f"{number}"))
    rejected: set[str] = set()

    def reject_once(path: str) -> None:
        if path not in rejected:
            rejected.add(path)
            hc.fail_next(status=429)

    before_requests(hc, monkeypatch, reject_once)

    assert len(api.get_reports()) == 10

    # The list, and the flips and pings of each check.
    assert len([message for message in caplog.messages if "too many requests" in message]) == 21


@pytest.mark.parametrize("seconds", [0, 1])
def test_the_retry_after_of_the_server_is_respected(
    connect: Callable[..., Api],
    settings: dict[str, Any],
    hc: Sandbox,
    caplog: pytest.LogCaptureFixture,
    seconds: int,
) -> None:
    api = connect(**settings, retries=0)
    api.create_check(CheckCreate(name="Backup"))
    hc.fail_next(status=429, headers={"Retry-After": f"{seconds}"})

    assert len(api.get_reports()) == 1

    assert f"waiting for {seconds} s" in caplog.text


def test_a_single_report_is_not_paced(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(429, "", {"Retry-After": "0"})

    with pytest.raises(HCAPIRateLimitError):
        connect(**stub.settings()).get_report(UUID)

    assert len(stub.requests) == 1


# Failures.


@pytest.mark.parametrize("path", ["flips", "pings"])
@pytest.mark.usefixtures("faults")
def test_a_request_that_fails_is_an_error(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    api = connect(**settings, retries=0)
    uuids = [api.create_check(CheckCreate(name=f"{number}")).uuid for number in range(10)]

    def fail(requested: str) -> None:
        if requested.endswith(f"{uuids[3]}/{path}/"):
            hc.fail_next(status=503)

    before_requests(hc, monkeypatch, fail)

    with pytest.raises(HCAPIUnavailableError):
        api.get_reports()


def test_a_request_that_fails_is_repeated(api: Api, hc: Sandbox, backup: str) -> None:
    hc.fail_next(status=503)

    assert len(api.get_reports()) == 1


@pytest.fixture
def many_checks(hc: Sandbox) -> list[str]:
    """The UUIDs of more checks than an AsyncClient sends requests at the same time."""
    client = hc.client()
    checks = [client.create_check(CheckCreate(name=f"{number}")) for number in range(2 * MAX_CONCURRENT_REQUESTS)]
    return [check.uuid or "" for check in checks]


@pytest.mark.usefixtures("faults")
def test_an_async_client_reads_several_checks_at_once_but_not_all_at_once(
    hc: Sandbox, many_checks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[str] = []
    before_requests(hc, monkeypatch, paths.append)

    async def read() -> list[Report]:
        async with hc.async_client() as client:
            return await client.get_reports()

    assert len(asyncio.run(read())) == len(many_checks)

    kinds = ["flips" if "/flips/" in path else "pings" for path in paths[1:]]
    begun = [kinds[:end].count("flips") - kinds[:end].count("pings") for end in range(len(kinds) + 1)]
    # The flips of those that wait for their pings are in memory.
    assert 1 < max(begun) <= MAX_CONCURRENT_REQUESTS
    assert begun[-1] == 0


@pytest.mark.usefixtures("faults")
def test_a_client_reads_one_check_after_the_other(
    hc: Sandbox, many_checks: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    paths: list[str] = []
    before_requests(hc, monkeypatch, paths.append)

    hc.client().get_reports()

    assert [path.rpartition("/checks/")[2] for path in paths[1:]] == [
        f"{uuid}/{kind}/" for uuid in many_checks for kind in ("flips", "pings")
    ]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("ending", ["a failure", "a cancellation", "a time limit"])
@pytest.mark.usefixtures("faults")
def test_when_one_request_fails_the_others_are_cancelled(
    hc: Sandbox,
    many_checks: list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    ending: str,
) -> None:
    def disturb(requested: str) -> None:
        if requested.endswith(f"{many_checks[3]}/flips/") and ending == "a failure":
            hc.fail_next(status=503)
        elif requested.endswith("/flips/"):
            hc.fail_next(delay=60.0)

    before_requests(hc, monkeypatch, disturb)
    unhandled: list[Any] = []

    async def read() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: unhandled.append(context))
        async with hc.async_client(retries=0, timeout=50) as client:
            if ending == "a failure":
                with pytest.raises(HCAPIUnavailableError):
                    await client.get_reports()
            elif ending == "a time limit":
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(client.get_reports(), 0.5)
            else:
                task = asyncio.create_task(client.get_reports())
                await asyncio.sleep(0.5)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert asyncio.all_tasks() == {asyncio.current_task()}
            # The client works still.
            assert (await client.get_check(many_checks[0])).name == "0"

    asyncio.run(read())
    gc.collect()

    assert unhandled == []
    assert caplog.messages == []
