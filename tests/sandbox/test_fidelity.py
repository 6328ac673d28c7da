"""Replay recorded requests to a real server against a sandbox, in order, and compare the responses."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from endpoints import Endpoint, each_endpoint, endpoint_of

from healthchecks_io.sandbox import Sandbox
from healthchecks_io.sandbox.state import Channel, Project

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Concatenate, ParamSpec, TypeGuard

    import pytest

    P = ParamSpec("P")

RECORDINGS: list[dict[str, Any]] = [
    json.loads(line) for line in (Path(__file__).parent.parent / "recordings.jsonl").read_text("utf-8").splitlines()
]

# Excluded recordings, by server or by ID, and known differences: the HTTP status, a header, the body, or its fields.
EXCLUDED_SERVERS = {
    "debug": "a server in Django's debug mode",
    "pg": "values that only PostgreSQL rejects, and its order of checks",
    "s3dead": "a server whose object storage for ping bodies does not work",
    "subpath": "a server on a subpath of its host",
}
COMPRESSION = "the sandbox does not compress responses"
METRICS_KEY = "the sandbox has no key for the metrics of the server"
PROMETHEUS = "Prometheus metrics are not part of the management API, and their URL contains a UUID that the API hides"
EXCLUDED = {
    "var-limit100k-007": COMPRESSION,
    **{f"misc-{n:03}": METRICS_KEY for n in (9, 10)},
    **{f"misc-{n:03}": PROMETHEUS for n in (17, 18, 19, 20, 21)},
}
ALERTS = "recorded while the alert loop of the server was not running: in the sandbox, overdue checks are down"
SVG = "the sandbox renders its own SVG badges, which test_badges.py covers"
CSRF_PAGE = "the sandbox has its own text for Django's CSRF error page"
DIFFERENCES = {
    **{f"state-{n:03}": ({"next_ping"}, ALERTS) for n in (20, 21, 22, 36, 37, 38)},
    "state-023": ({"flips", "up"}, ALERTS),
    "more-003": ({"next_ping"}, ALERTS),
    "more-004": ({"HTTP status", "Content-Type", "body"}, ALERTS),
    "more-005": ({"next_ping"}, ALERTS),
    "more-006": ({"next_ping"}, ALERTS),
    "more-007": ({"next_ping", "status"}, ALERTS),
    "more-022": ({"status", "started"}, ALERTS),
    **{f"badges-{n:03}": ({"body"}, SVG) for n in (5, 6, 16, 19, 22, 36)},
    "badges-043": ({"body"}, CSRF_PAGE),
    "misc-005": ({"body"}, CSRF_PAGE),
}

NAME = re.compile(r"http://127\.0\.0\.1:\d+|[\w-]+", re.ASCII)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NIL_UUID = "00000000-0000-4000-8000-000000000000"
BADGE_KEY = "ecb7176b-24ba-4935-a8e4-25fac4f7e24c"
UUIDS_IN_OTHER_PROJECT = ("4a174daf", "d2825987", "4a9eec5f")
# Groups that reuse the checks of the previous group. All other groups start with an empty server.
CONTINUED_GROUPS = ("get", "http", "misc")


def test_responses_match_the_recorded_ones(http: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    compared: list[str] = []
    unexpected: dict[str, set[str]] = {}
    with (
        Sandbox() as main,
        Sandbox(check_limit=2) as limited,
        Sandbox(ping_body_limit=100_000) as larger,
        Sandbox(ping_body_limit=None) as unlimited,
    ):
        servers = {"main": main, "limit": limited, "var-limit100k": larger, "var-nolimit": unlimited}
        replay = Replay(http, servers)
        for recording in RECORDINGS:
            if exclusion_reason(recording) is None:
                replay.begin_group(recording["group"])
                for run_step in SETUP_STEPS.get(recording["id"], ()):
                    run_step(replay)
                differences = set(replay.differences(recording["response"], replay.send(recording["request"])))
                if differences != DIFFERENCES.get(recording["id"], (set(), ""))[0]:
                    unexpected[recording["id"]] = differences
                compared.append(recording["id"])
    with capsys.disabled():
        sys.stdout.write(report(len(compared), len(compared) - len(unexpected) - len(DIFFERENCES)))
    assert unexpected == {}


def test_exclusions_and_differences_refer_to_recordings() -> None:
    assert {*EXCLUDED, *DIFFERENCES, *SETUP_STEPS} <= {recording["id"] for recording in RECORDINGS}
    assert not EXCLUDED.keys() & DIFFERENCES.keys()


@each_endpoint()
def test_every_endpoint_is_compared_by_a_recorded_success(endpoint: Endpoint) -> None:
    assert any(
        endpoint_of(recording) is endpoint
        for recording in RECORDINGS
        if recording["response"]["status"] in (200, 201)
        and exclusion_reason(recording) is None
        and recording["id"] not in DIFFERENCES
    )


def exclusion_reason(recording: dict[str, Any]) -> str | None:
    return EXCLUDED.get(recording["id"]) or EXCLUDED_SERVERS.get(recording["server"].split()[0])


def report(compared: int, matching: int) -> str:
    known = Counter(reason for _, reason in DIFFERENCES.values())
    excluded = Counter(reason for recording in RECORDINGS if (reason := exclusion_reason(recording)))
    return "\n".join(
        [
            f"\nfidelity: {matching} of {compared} recorded responses match. Known differences:",
            *(f"{number:4}  {reason}" for reason, number in known.items()),
            f"Excluded, out of {len(RECORDINGS)}:",
            *(f"{number:4}  {reason}" for reason, number in excluded.items()),
            "",
        ]
    )


class Replay:
    """Replays recordings against sandboxes, and maps recorded names (UUIDs, keys, URLs) to those of the sandbox."""

    def __init__(self, http: httpx.Client, servers: dict[str, Sandbox]) -> None:
        self.http = http
        self.servers = servers
        self.hc = servers["main"]
        self.settings = recorded_settings()
        uuids = {uuid for recording in RECORDINGS for uuid in UUID.findall(json.dumps(recording))}
        self.uuids = {name: uuid for uuid in uuids for name in (uuid, unique_key(uuid))}
        self.group = ""
        self.names: dict[str, str] = {}
        self.time_offset = 0

    def begin_group(self, group: str) -> None:
        if group != self.group and group not in CONTINUED_GROUPS:
            self.hc = self.servers.get(group, self.servers["main"])
            self.hc.reset()
            self.limit_ping_log(1000)
            self.hc._account.projects[2:] = []
            project, other_project = self.hc._account.projects
            project.channels[2:] = []
            email, webhook = project.channels
            self.names = {
                **{f"http://127.0.0.1:{port}": self.root for port in range(8100, 8110)},
                "RW_KEY": project.api_key,
                "RO_KEY": project.read_only_key,
                "PING_KEY": project.ping_key,
                "OTHER_RW_KEY": other_project.api_key,
                "OTHER_RO_KEY": other_project.read_only_key,
                "OTHER_PING_KEY": other_project.ping_key,
                "main-badge-key": project.badge_key,
                "LIMITED_RW_KEY": project.api_key,
                "LIMITED_PING_KEY": project.ping_key,
                "eee56fcb-c3de-4d3e-9703-89e1eb6dea1a": email.id,
                "434c292d-4117-46a6-abe4-3184e17fcf4d": webhook.id,
            }
        self.group = group

    @property
    def root(self) -> str:
        return self.hc.api_url.removesuffix("/api/")

    # Mapping of names.

    def full_uuid(self, prefix: str) -> str:
        return next(uuid for uuid in self.uuids if uuid.startswith(prefix))

    def translate(self, text: str) -> str:
        return NAME.sub(lambda match: self.names.get(match[0], match[0]), text)

    def learn(self, recorded: dict[str, Any], actual: dict[str, Any]) -> None:
        """Map the identifiers in a recorded response to those in the actual one, unless they are already mapped."""
        for key in recorded.keys() & actual.keys() & {"uuid", "id"}:
            self.names.setdefault(recorded[key], actual[key])
            self.names.setdefault(unique_key(recorded[key]), unique_key(actual[key]))
        for key in recorded.keys() & actual.keys() & {"unique_key"}:
            self.names.setdefault(recorded[key], actual[key])
        for key in (
            recorded.keys() & actual.keys() & {"badge_url", *("svg", "svg3", "json", "json3", "shields", "shields3")}
        ):
            for recorded_part, actual_part in zip(
                re.split(r"[/.]", recorded[key]), re.split(r"[/.]", actual[key]), strict=True
            ):
                if recorded_part != actual_part:
                    self.names.setdefault(recorded_part, actual_part)

    # Setup steps.

    def check(self, uuid: str) -> str:
        """Return the UUID in the sandbox of a recorded check. Create the check if it does not exist."""
        return self.names.get(self.full_uuid(uuid)) or self.create(uuid)

    def create(self, /, recorded: str = "", version: int = 3, **changes: object) -> str:
        uuid = self.full_uuid(recorded) if recorded else ""
        settings = {**self.settings.get(uuid, self.settings.get(unique_key(uuid), {})), **changes}
        key = self.hc.other_api_key if uuid.startswith(UUIDS_IN_OTHER_PROJECT) else self.hc.api_key
        url, body = f"{self.hc.api_url}v{version}/checks/", self.translate(json.dumps(settings))
        response = self.http.post(url, headers={"X-Api-Key": key}, content=body)
        assert response.status_code == 201, response.text
        self.learn({"uuid": uuid} if uuid else {}, response.json())
        actual: str = response.json()["uuid"]
        return actual

    def create_several(self, *slugs: str) -> None:
        for slug in slugs:
            self.create(slug=slug)

    def create_listed_in(self, recording_id: str) -> None:
        for recording in RECORDINGS:
            if recording["id"] == recording_id:
                for check in recording["response"]["body"]["checks"]:
                    self.create(check["uuid"])

    def create_with_derived_slug(self, uuid: str) -> None:
        """Create a check whose slug is longer than a request can set."""
        name = self.settings[self.full_uuid(uuid)]["name"]
        self.settings[self.full_uuid(uuid)] = {"name": name}
        self.create(uuid, version=1)

    def create_checks_with_badges(self) -> None:
        actual = self.create(name="B1", tags="prod db")
        self.names[BADGE_KEY] = self.hc._project.checks[actual].badge_key
        self.create(name="B2", tags="prod täg a/b c.d")

    def ping(self, uuid: str, *pings: str, method: str = "GET", body: str = "", agent: str = "") -> None:
        for ping in pings:
            url = f"{self.hc.ping_url}{self.check(uuid)}{ping}"
            response = self.http.request(method, url, headers={"User-Agent": agent}, content=body)
            assert response.text == "OK"

    def ping_with_bodies(self, uuid: str, body: str, times: int) -> None:
        for n in range(1, times + 1):
            self.ping(uuid, "", method="POST", body=body.format(n))

    def ping_check_with_badge(self) -> None:
        assert self.http.get(f"{self.hc.ping_url}{self.hc.checks[0].uuid}").text == "OK"

    def pause(self, uuid: str) -> None:
        url = f"{self.hc.api_url}v3/checks/{self.check(uuid)}/pause"
        assert self.http.post(url, headers={"X-Api-Key": self.hc.api_key}).is_success

    def advance(self, /, **time: float) -> None:
        self.hc.advance(**time)

    def flip_thrice(self, uuid: str, recorded_at: int) -> None:
        """Go up, then down after two hours, then up after another hour, each time in the middle of a second."""
        start = self.hc.now.replace(microsecond=500_000) + timedelta(seconds=1)
        for hours, ping in ((0, ""), (2, "/fail"), (3, "")):
            self.hc.advance(seconds=(start + timedelta(hours=hours) - self.hc.now).total_seconds())
            self.ping(uuid, ping)
        self.time_offset = int(start.timestamp()) + 3 * 3600 - recorded_at

    def end_runs(self, uuid: str, numbers: Iterable[int]) -> None:
        self.ping(uuid, *(f"?rid=00000000-0000-4000-8000-{number:012}" for number in numbers))

    def receive_email(self, uuid: str) -> None:
        check = self.hc._project.checks[self.check(uuid)]
        message = b"From: Sender <sender@example.org>\r\nTo: x@localhost\r\nSubject: Backup OK\r\n\r\nall good\r\n"
        agent = "Email from sender@example.org"
        check.ping("success", self.hc.now, scheme="email", method="", user_agent=agent, body=message)

    def add_legacy_project(self) -> None:
        self.hc._account.projects.append(Project(api_key="A" * 31 + "w", read_only_key="A" * 31 + "r"))

    def add_channels(self) -> None:
        self.hc._project.channels += [Channel("c3", "Ops Email", "email"), Channel("c4", "", "slack")]

    def limit_ping_log(self, limit: int) -> None:
        self.hc._account.ping_log_limit = limit

    # Requests and comparison.

    def send(self, recorded: dict[str, Any]) -> httpx.Response:
        for name in NAME.findall(recorded["path"].split("?")[0]):
            if self.uuids.get(name) not in (None, NIL_UUID, BADGE_KEY):
                self.check(self.uuids[name])
        path = re.sub(r"\b179\d{7}\b", lambda match: str(int(match[0]) + self.time_offset), recorded["path"])
        # httpx does not send spaces around a header value.
        headers = {name: self.translate(value.strip()) for name, value in recorded["headers"].items()}
        chunked = headers.pop("Transfer-Encoding", "") == "chunked"
        content = self.as_bytes(recorded["body"])
        body = iter([content]) if chunked else content
        url = self.root + self.translate(path)
        return self.http.send(httpx.Request(recorded["method"], url, headers=headers, content=body))

    def as_bytes(self, recorded: object) -> bytes:
        body = expand(recorded)
        if body is None or isinstance(body, bytes):
            return body or b""
        return self.translate(body if isinstance(body, str) else json.dumps(body)).encode()

    def differences(self, recorded: dict[str, Any], actual: httpx.Response) -> Iterator[str]:
        """Yield the names of all differences: the HTTP status, headers, the body, or fields in it."""
        if recorded["status"] != actual.status_code:
            yield "HTTP status"
        headers = httpx.Headers({name: self.translate(value) for name, value in recorded["headers"].items()})
        for name in ("Content-Type", "Location", "Allow", "Cache-Control", "Ping-Body-Limit"):
            if headers.get(name) != actual.headers.get(name):
                yield name
        for name in (
            f"Access-Control-{name}" for name in ("Allow-Origin", "Allow-Headers", "Allow-Methods", "Max-Age")
        ):
            # The real server lists the methods in random order.
            if sorted(headers.get(name, "").split(", ")) != sorted(actual.headers.get(name, "").split(", ")):
                yield name
        if is_object(recorded["body"]) and actual.headers["Content-Type"] == "application/json":
            yield from self.differing_fields("body", recorded["body"], actual.json())
        else:
            content = self.as_bytes(recorded["body"])
            # Long binary bodies are recorded truncated.
            is_truncated = 0 < len(content) < int(recorded["headers"]["Content-Length"]) == len(actual.content)
            if content != (actual.content[: len(content)] if is_truncated else actual.content):
                yield "body"

    def differing_fields(self, name: str, recorded: object, actual: object) -> Iterator[str]:
        if is_object(recorded) and is_object(actual):
            self.learn(recorded, actual)
            if list(recorded) != list(actual) and (name != "badges" or recorded.keys() != actual.keys()):
                yield name
            for key in recorded.keys() & actual.keys():
                yield from self.differing_fields(key, recorded[key], actual[key])
        elif is_list(recorded) and is_list(actual):
            if len(recorded) != len(actual):
                yield name
            for one, other in zip(recorded, actual, strict=False):
                yield from self.differing_fields(name, one, other)
        elif self.comparable(name, recorded) != self.comparable(name, actual):
            yield name

    def comparable(self, name: str, value: object) -> object:
        if name == "duration":
            return type(value)
        if not isinstance(value, str):
            return value
        if name in ("last_ping", "next_ping", "date", "timestamp"):
            # The time differs, but not its format.
            return re.sub(r"\d", "0", value)
        translated = self.translate(value)
        return sorted(translated.split(",")) if name == "channels" else translated


def unique_key(uuid: str) -> str:
    return hashlib.sha1(uuid.replace("-", "")[:16].encode()).hexdigest()  # noqa: S324 - as on the server


def recorded_settings() -> dict[str, dict[str, Any]]:
    """Return the first recorded JSON object of each check, by its UUID or, if missing, its unique key."""
    found: dict[str, dict[str, Any]] = {}
    for recording in RECORDINGS:
        body = recording["response"]["body"]
        documents: list[dict[str, Any]] = body.get("checks", [body]) if is_object(body) else []
        for document in documents:
            if "n_pings" in document:
                found.setdefault(document.get("uuid") or document["unique_key"], document)
    return found


def is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def expand(body: object) -> object:
    """Expand the short forms that the recordings use for long and binary bodies."""
    if not is_object(body):
        return body
    if "$hex" in body:
        return bytes.fromhex(body["$hex"])
    if "$repeat" in body:
        return str(body["$repeat"]["text"]) * int(body["$repeat"]["count"])
    return {name: expand(value) for name, value in body.items()}


def step(
    method: Callable[Concatenate[Replay, P], object], *args: P.args, **kwargs: P.kwargs
) -> Callable[[Replay], object]:
    return lambda replay: method(replay, *args, **kwargs)


# Steps that reproduce what happened on the recorded server outside the recordings.
SETUP_STEPS: dict[str, list[Callable[[Replay], object]]] = {
    "auth-001": [step(Replay.create_listed_in, "auth-001")],
    "auth-069": [step(Replay.add_legacy_project)],
    "list-002": [step(Replay.create_listed_in, "list-002")],
    "upsert-017": [step(Replay.create, name="simple to cron")],
    "state-010": [step(Replay.advance, seconds=1.2)],
    "state-020": [step(Replay.advance, minutes=10, seconds=1)],
    "state-033": [step(Replay.advance, hours=1, seconds=1)],
    "state-036": [step(Replay.advance, minutes=10, seconds=1)],
    "ping-slug-001": [step(Replay.create_several, "slugged", "dup", "dup", "123", "start")],
    "ping-filter-001": [step(Replay.create, "0d07109d", filter_default_fail=False)],
    "pings-002": [step(Replay.ping, "af7c98f7", "", "/start", "/fail", "/log", "/0", "/3", agent="test-agent/1.0")],
    "pings-008": [step(Replay.limit_ping_log, 5), step(Replay.ping_with_bodies, "5706a2e4", "body {}", 8)],
    "pings-011": [step(Replay.limit_ping_log, 1000)],
    "pause-001": [step(Replay.ping, "8641d42b", "")],
    "pause-018": [step(Replay.pause, "8641d42b")],
    "pause-033": [step(Replay.ping, "21c70579", "/start")],
    "flips-002": [step(Replay.flip_thrice, "14466a1e", recorded_at=1_795_309_179)],
    "delete-001": [step(Replay.ping, "aa4501fb", "")],
    "channels-006": [step(Replay.add_channels)],
    "badges-002": [step(Replay.create_checks_with_badges)],
    "badges-027": [step(Replay.ping_check_with_badge), step(Replay.advance, days=1, minutes=1)],
    "badges-034": [step(Replay.advance, hours=1)],
    "extra-002": [step(Replay.advance, hours=73)],
    "extra-005": [step(Replay.ping, "a2a9aee3", "/start")],
    "extra-009": [step(Replay.create_with_derived_slug, "278238c4")],
    "extra-010": [step(Replay.limit_ping_log, 20), step(Replay.ping_with_bodies, "9df73e99", "b{}", 100)],
    "extra-012": [step(Replay.receive_email, "50db2e14")],
    "var-limit100k-001": [
        step(Replay.create_listed_in, "var-limit100k-008"),
        step(Replay.ping, "59d4da5d", *[""] * 4),
        step(Replay.ping, "f0413d61", *[""] * 4),
    ],
    "more-001": [
        step(Replay.ping, "4ec6dbbb", "/start?rid=00000000-0000-4000-8000-000000000999"),
        step(Replay.end_runs, "4ec6dbbb", [999, *range(10)]),
    ],
    "more-002": [step(Replay.end_runs, "4ec6dbbb", [10])],
    "more-003": [
        step(Replay.pause, "5a35a00f"),
        step(Replay.ping, "5a35a00f", "/start"),
        step(Replay.advance, minutes=10, seconds=1),
    ],
    "more-005": [step(Replay.ping, "8d086014", "/start"), step(Replay.advance, minutes=10, seconds=1)],
    "more-006": [step(Replay.ping, "6e3b58bf", ""), step(Replay.advance, minutes=21, seconds=41)],
    "more-013": [step(Replay.ping, "028a9a13", "/fail", "/log")],
    "more-023": [step(Replay.ping, "2a8d6e31", "")],
    "more-024": [step(Replay.ping, "b49b76e2", "")],
}
