"""The recorded answers of a real server, replayed in order against a sandbox."""

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

# All that is left out, by server or one by one, and what may differ: the HTTP status, the whole body, or fields in it.
SERVERS_LEFT_OUT = {
    "debug": "a server in Django's debug mode",
    "pg": "what PostgreSQL refuses, and its order of checks",
    "s3dead": "a server that stores bodies elsewhere, where they get lost",
    "subpath": "a server below the root of its host",
}
COMPRESSION = "the sandbox compresses nothing"
METRICS_KEY = "the sandbox has no key for the server's own metrics"
PROMETHEUS = "metrics for Prometheus are no part of the management API, and need a UUID of the project that it hides"
LEFT_OUT = {
    "var-limit100k-007": COMPRESSION,
    **{f"misc-{n:03}": METRICS_KEY for n in (9, 10)},
    **{f"misc-{n:03}": PROMETHEUS for n in (17, 18, 19, 20, 21)},
}
ALERTS = "recorded while the server's alert loop stood still: in the sandbox, what is overdue has gone down"
DRAWING = "the sandbox draws its own picture; test_badges.py shows that it says the same"
CSRF_PAGE = "the sandbox has its own words for the page of Django's protection against forged requests"
DIFFERENCES = {
    **{f"state-{n:03}": ({"next_ping"}, ALERTS) for n in (20, 21, 22, 36, 37, 38)},
    "state-023": ({"flips", "up"}, ALERTS),
    "more-003": ({"next_ping"}, ALERTS),
    "more-004": ({"HTTP status", "Content-Type", "body"}, ALERTS),
    "more-005": ({"next_ping"}, ALERTS),
    "more-006": ({"next_ping"}, ALERTS),
    "more-007": ({"next_ping", "status"}, ALERTS),
    "more-022": ({"status", "started"}, ALERTS),
    **{f"badges-{n:03}": ({"body"}, DRAWING) for n in (5, 6, 16, 19, 22, 36)},
    "badges-043": ({"body"}, CSRF_PAGE),
    "misc-005": ({"body"}, CSRF_PAGE),
}

NAME = re.compile(r"http://127\.0\.0\.1:\d+|[\w-]+", re.ASCII)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NIL_UUID = "00000000-0000-4000-8000-000000000000"
BADGE_KEY = "ecb7176b-24ba-4935-a8e4-25fac4f7e24c"
OF_OTHER_PROJECT = ("4a174daf", "d2825987", "4a9eec5f")
# The groups that go on with the checks of the group before; every other one begins with an empty server.
CONTINUED = ("get", "http", "misc")


def test_it_answers_as_the_recorded_server_did(http: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    compared: list[str] = []
    unexpected: dict[str, set[str]] = {}
    with (
        Sandbox() as main,
        Sandbox(check_limit=2) as limited,
        Sandbox(ping_body_limit=100_000) as generous,
        Sandbox(ping_body_limit=None) as unlimited,
    ):
        servers = {"main": main, "limit": limited, "var-limit100k": generous, "var-nolimit": unlimited}
        replay = Replay(http, servers)
        for recording in RECORDINGS:
            if reason_to_leave_out(recording) is None:
                replay.begin(recording["group"])
                for step in SET_UPS.get(recording["id"], ()):
                    step(replay)
                found = set(replay.differences(recording["response"], replay.send(recording["request"])))
                if found != DIFFERENCES.get(recording["id"], (set(), ""))[0]:
                    unexpected[recording["id"]] = found
                compared.append(recording["id"])
    with capsys.disabled():
        sys.stdout.write(report(len(compared), len(compared) - len(unexpected) - len(DIFFERENCES)))
    assert unexpected == {}


def test_each_exception_is_for_something_that_was_recorded() -> None:
    assert {*LEFT_OUT, *DIFFERENCES, *SET_UPS} <= {recording["id"] for recording in RECORDINGS}
    assert not LEFT_OUT.keys() & DIFFERENCES.keys()


def reason_to_leave_out(recording: dict[str, Any]) -> str | None:
    return LEFT_OUT.get(recording["id"]) or SERVERS_LEFT_OUT.get(recording["server"].split()[0])


def report(compared: int, agree: int) -> str:
    known = Counter(reason for _, reason in DIFFERENCES.values())
    left_out = Counter(reason for recording in RECORDINGS if (reason := reason_to_leave_out(recording)))
    return "\n".join(
        [
            f"\nfidelity: {agree} of {compared} recorded answers agree; known to differ:",
            *(f"{number:4}  {reason}" for reason, number in known.items()),
            f"left out of all {len(RECORDINGS)}:",
            *(f"{number:4}  {reason}" for reason, number in left_out.items()),
            "",
        ]
    )


class Replay:
    """A server that lives through what the recorded one did, and what the recorded things are called there."""

    def __init__(self, http: httpx.Client, servers: dict[str, Sandbox]) -> None:
        self.http = http
        self.servers = servers
        self.hc = servers["main"]
        self.settings = settings_of_checks()
        uuids = {uuid for recording in RECORDINGS for uuid in UUID.findall(json.dumps(recording))}
        self.uuids = {name: uuid for uuid in uuids for name in (uuid, unique_key(uuid))}
        self.group = ""
        self.names: dict[str, str] = {}
        self.seconds_later = 0

    def begin(self, group: str) -> None:
        if group != self.group and group not in CONTINUED:
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

    # What things are called.

    def full(self, beginning: str) -> str:
        return next(uuid for uuid in self.uuids if uuid.startswith(beginning))

    def translate(self, text: str) -> str:
        return NAME.sub(lambda match: self.names.get(match[0], match[0]), text)

    def learn(self, recorded: dict[str, Any], here: dict[str, Any]) -> None:
        """Take over the identifiers in an answer, unless they are known."""
        for key in recorded.keys() & here.keys() & {"uuid", "id"}:
            self.names.setdefault(recorded[key], here[key])
            self.names.setdefault(unique_key(recorded[key]), unique_key(here[key]))
        for key in recorded.keys() & here.keys() & {"unique_key"}:
            self.names.setdefault(recorded[key], here[key])
        for key in (
            recorded.keys() & here.keys() & {"badge_url", *("svg", "svg3", "json", "json3", "shields", "shields3")}
        ):
            for part, part_here in zip(re.split(r"[/.]", recorded[key]), re.split(r"[/.]", here[key]), strict=True):
                if part != part_here:
                    self.names.setdefault(part, part_here)

    # How things come about that were there before a recording was made.

    def check(self, uuid: str) -> str:
        """Return what a recorded check is called here; it is created, with its settings, unless it is there."""
        return self.names.get(self.full(uuid)) or self.create(uuid)

    def create(self, /, recorded: str = "", version: int = 3, **changes: object) -> str:
        uuid = self.full(recorded) if recorded else ""
        settings = {**self.settings.get(uuid, self.settings.get(unique_key(uuid), {})), **changes}
        key = self.hc.other_api_key if uuid.startswith(OF_OTHER_PROJECT) else self.hc.api_key
        url, body = f"{self.hc.api_url}v{version}/checks/", self.translate(json.dumps(settings))
        response = self.http.post(url, headers={"X-Api-Key": key}, content=body)
        assert response.status_code == 201, response.text
        self.learn({"uuid": uuid} if uuid else {}, response.json())
        here: str = response.json()["uuid"]
        return here

    def create_several(self, *slugs: str) -> None:
        for slug in slugs:
            self.create(slug=slug)

    def create_listed_in(self, recording_id: str) -> None:
        for recording in RECORDINGS:
            if recording["id"] == recording_id:
                for check in recording["response"]["body"]["checks"]:
                    self.create(check["uuid"])

    def create_with_derived_slug(self, uuid: str) -> None:
        """Create a check whose slug is longer than a request may give it."""
        name = self.settings[self.full(uuid)]["name"]
        self.settings[self.full(uuid)] = {"name": name}
        self.create(uuid, version=1)

    def create_badged(self) -> None:
        here = self.create(name="B1", tags="prod db")
        self.names[BADGE_KEY] = self.hc._project.checks[here].badge_key
        self.create(name="B2", tags="prod täg a/b c.d")

    def ping(self, uuid: str, *pings: str, method: str = "GET", body: str = "", agent: str = "") -> None:
        for ping in pings:
            url = f"{self.hc.ping_url}{self.check(uuid)}{ping}"
            answer = self.http.request(method, url, headers={"User-Agent": agent}, content=body)
            assert answer.text == "OK"

    def ping_with_bodies(self, uuid: str, body: str, times: int) -> None:
        for n in range(1, times + 1):
            self.ping(uuid, "", method="POST", body=body.format(n))

    def ping_badged(self) -> None:
        assert self.http.get(f"{self.hc.ping_url}{self.hc.checks[0].uuid}").text == "OK"

    def pause(self, uuid: str) -> None:
        url = f"{self.hc.api_url}v3/checks/{self.check(uuid)}/pause"
        assert self.http.post(url, headers={"X-Api-Key": self.hc.api_key}).is_success

    def advance(self, /, **time: float) -> None:
        self.hc.advance(**time)

    def flip_thrice(self, uuid: str, recorded_at: int) -> None:
        """Go up, two hours later down, another hour later up, all in the middle of a second."""
        begin = self.hc.now.replace(microsecond=500_000) + timedelta(seconds=1)
        for hours, ping in ((0, ""), (2, "/fail"), (3, "")):
            self.hc.advance(seconds=(begin + timedelta(hours=hours) - self.hc.now).total_seconds())
            self.ping(uuid, ping)
        self.seconds_later = int(begin.timestamp()) + 3 * 3600 - recorded_at

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

    # One interaction.

    def send(self, recorded: dict[str, Any]) -> httpx.Response:
        for name in NAME.findall(recorded["path"].split("?")[0]):
            if self.uuids.get(name) not in (None, NIL_UUID, BADGE_KEY):
                self.check(self.uuids[name])
        path = re.sub(r"\b179\d{7}\b", lambda match: str(int(match[0]) + self.seconds_later), recorded["path"])
        # Spaces around a value are no part of it; httpx does not send them.
        headers = {name: self.translate(value.strip()) for name, value in recorded["headers"].items()}
        chunked = headers.pop("Transfer-Encoding", "") == "chunked"
        content = self.as_bytes(recorded["body"])
        body = iter([content]) if chunked else content
        url = self.root + self.translate(path)
        return self.http.send(httpx.Request(recorded["method"], url, headers=headers, content=body))

    def as_bytes(self, recorded: object) -> bytes:
        body = in_full(recorded)
        if body is None or isinstance(body, bytes):
            return body or b""
        return self.translate(body if isinstance(body, str) else json.dumps(body)).encode()

    def differences(self, recorded: dict[str, Any], here: httpx.Response) -> Iterator[str]:
        """Name what differs: the HTTP status, headers, the body, or fields in it."""
        if recorded["status"] != here.status_code:
            yield "HTTP status"
        headers = httpx.Headers({name: self.translate(value) for name, value in recorded["headers"].items()})
        for name in ("Content-Type", "Location", "Allow", "Cache-Control", "Ping-Body-Limit"):
            if headers.get(name) != here.headers.get(name):
                yield name
        for name in (
            f"Access-Control-{name}" for name in ("Allow-Origin", "Allow-Headers", "Allow-Methods", "Max-Age")
        ):
            # The order of the methods is random.
            if sorted(headers.get(name, "").split(", ")) != sorted(here.headers.get(name, "").split(", ")):
                yield name
        if is_object(recorded["body"]) and here.headers["Content-Type"] == "application/json":
            yield from self.differing_fields("body", recorded["body"], here.json())
        else:
            content = self.as_bytes(recorded["body"])
            # Of a long binary body, only the beginning is recorded.
            cut = 0 < len(content) < int(recorded["headers"]["Content-Length"]) == len(here.content)
            if content != (here.content[: len(content)] if cut else here.content):
                yield "body"

    def differing_fields(self, name: str, recorded: object, here: object) -> Iterator[str]:
        if is_object(recorded) and is_object(here):
            self.learn(recorded, here)
            if list(recorded) != list(here) and (name != "badges" or recorded.keys() != here.keys()):
                yield name
            for key in recorded.keys() & here.keys():
                yield from self.differing_fields(key, recorded[key], here[key])
        elif is_list(recorded) and is_list(here):
            if len(recorded) != len(here):
                yield name
            for one, other in zip(recorded, here, strict=False):
                yield from self.differing_fields(name, one, other)
        elif self.comparable(name, recorded) != self.comparable(name, here):
            yield name

    def comparable(self, name: str, value: object) -> object:
        if name == "duration":
            return type(value)
        if not isinstance(value, str):
            return value
        if name in ("last_ping", "next_ping", "date", "timestamp"):
            # Another time, but written in the same way.
            return re.sub(r"\d", "0", value)
        translated = self.translate(value)
        return sorted(translated.split(",")) if name == "channels" else translated


def unique_key(uuid: str) -> str:
    return hashlib.sha1(uuid.replace("-", "")[:16].encode()).hexdigest()  # noqa: S324 - how the server makes them


def settings_of_checks() -> dict[str, dict[str, Any]]:
    """Return the earliest recorded description of each check, by its UUID or else its unique key."""
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


def in_full(body: object) -> object:
    """Undo the short forms in which long and binary bodies are recorded."""
    if not is_object(body):
        return body
    if "$hex" in body:
        return bytes.fromhex(body["$hex"])
    if "$repeat" in body:
        return str(body["$repeat"]["text"]) * int(body["$repeat"]["count"])
    return {name: in_full(value) for name, value in body.items()}


def do(step: Callable[Concatenate[Replay, P], object], *args: P.args, **kwargs: P.kwargs) -> Callable[[Replay], object]:
    return lambda replay: step(replay, *args, **kwargs)


# What was done behind the scenes before a recording was made.
SET_UPS: dict[str, list[Callable[[Replay], object]]] = {
    "auth-001": [do(Replay.create_listed_in, "auth-001")],
    "auth-069": [do(Replay.add_legacy_project)],
    "list-002": [do(Replay.create_listed_in, "list-002")],
    "upsert-017": [do(Replay.create, name="simple to cron")],
    "state-010": [do(Replay.advance, seconds=1.2)],
    "state-020": [do(Replay.advance, minutes=10, seconds=1)],
    "state-033": [do(Replay.advance, hours=1, seconds=1)],
    "state-036": [do(Replay.advance, minutes=10, seconds=1)],
    "ping-slug-001": [do(Replay.create_several, "slugged", "dup", "dup", "123", "start")],
    "ping-filter-001": [do(Replay.create, "0d07109d", filter_default_fail=False)],
    "pings-002": [do(Replay.ping, "af7c98f7", "", "/start", "/fail", "/log", "/0", "/3", agent="test-agent/1.0")],
    "pings-008": [do(Replay.limit_ping_log, 5), do(Replay.ping_with_bodies, "5706a2e4", "body {}", 8)],
    "pings-011": [do(Replay.limit_ping_log, 1000)],
    "pause-001": [do(Replay.ping, "8641d42b", "")],
    "pause-018": [do(Replay.pause, "8641d42b")],
    "pause-033": [do(Replay.ping, "21c70579", "/start")],
    "flips-002": [do(Replay.flip_thrice, "14466a1e", recorded_at=1_795_309_179)],
    "delete-001": [do(Replay.ping, "aa4501fb", "")],
    "channels-006": [do(Replay.add_channels)],
    "badges-002": [do(Replay.create_badged)],
    "badges-027": [do(Replay.ping_badged), do(Replay.advance, days=1, minutes=1)],
    "badges-034": [do(Replay.advance, hours=1)],
    "extra-002": [do(Replay.advance, hours=73)],
    "extra-005": [do(Replay.ping, "a2a9aee3", "/start")],
    "extra-009": [do(Replay.create_with_derived_slug, "278238c4")],
    "extra-010": [do(Replay.limit_ping_log, 20), do(Replay.ping_with_bodies, "9df73e99", "b{}", 100)],
    "extra-012": [do(Replay.receive_email, "50db2e14")],
    "var-limit100k-001": [
        do(Replay.create_listed_in, "var-limit100k-008"),
        do(Replay.ping, "59d4da5d", *[""] * 4),
        do(Replay.ping, "f0413d61", *[""] * 4),
    ],
    "more-001": [
        do(Replay.ping, "4ec6dbbb", "/start?rid=00000000-0000-4000-8000-000000000999"),
        do(Replay.end_runs, "4ec6dbbb", [999, *range(10)]),
    ],
    "more-002": [do(Replay.end_runs, "4ec6dbbb", [10])],
    "more-003": [
        do(Replay.pause, "5a35a00f"),
        do(Replay.ping, "5a35a00f", "/start"),
        do(Replay.advance, minutes=10, seconds=1),
    ],
    "more-005": [do(Replay.ping, "8d086014", "/start"), do(Replay.advance, minutes=10, seconds=1)],
    "more-006": [do(Replay.ping, "6e3b58bf", ""), do(Replay.advance, minutes=21, seconds=41)],
    "more-013": [do(Replay.ping, "028a9a13", "/fail", "/log")],
    "more-023": [do(Replay.ping, "2a8d6e31", "")],
    "more-024": [do(Replay.ping, "b49b76e2", "")],
}
