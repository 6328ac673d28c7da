"""What a Healthchecks server keeps, and the rules by which it changes: no HTTP, and the time is always handed in."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal
from uuid import UUID, uuid4

from healthchecks_io.sandbox.schedules import next_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from healthchecks_io.sandbox.fields import Fields

PingType = Literal["success", "start", "fail", "log", "ign"]

# Above this, a start and an end count as unrelated.
_MAX_DURATION = timedelta(hours=72)
# The server looks for the start of this many runs outside a list of pings; with more it shows no durations at all.
_MAX_LONE_ENDS = 10
_PRUNE_EVERY = 100

_FIELDS_WITH_RULES = {"name", "schedule", "timeout", "subject", "subject_fail", "channels", "unique"}


class BadChannelError(ValueError):
    """A request named integrations that the project does not have."""


@dataclass(frozen=True)
class Channel:
    """An integration: a way in which a server would notify."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True)
class Flip:
    """A change of a check's status."""

    date: datetime
    status: str


@dataclass(frozen=True)
class Ping:
    """A ping that was received.

    Attributes:
        n: Its number; the first ping of a check has number 1.
        type: "success", "start", "fail", "log", or "ign" for a ping that was ignored.
        date: When it came, by the sandbox's clock.
        scheme: "http", "https" or "email".
        remote_addr: Where it came from.
        method: The HTTP method.
        user_agent: The User-Agent header, at most 200 characters of it.
        rid: The run ID.
        exit_status: The exit status that was reported.
        duration: The time since the start of the same run.
        body: The first bytes of what was sent, as many as the server keeps.
    """

    # For pydantic, which writes the state to a file: bodies are no text.
    __pydantic_config__: ClassVar[dict[str, str]] = {"ser_json_bytes": "base64", "val_json_bytes": "base64"}

    n: int
    type: PingType
    date: datetime
    scheme: str
    remote_addr: str
    method: str
    user_agent: str
    rid: UUID | None
    exit_status: int | None
    duration: timedelta | None
    body: bytes


@dataclass
class Check:
    """A check: its settings, its status, its pings and flips."""

    uuid: str = field(default_factory=lambda: str(uuid4()))
    badge_key: str = field(default_factory=lambda: str(uuid4()))

    name: str = ""
    slug: str = ""
    tags: str = ""
    desc: str = ""
    timeout: timedelta = timedelta(days=1)
    grace: timedelta = timedelta(hours=1)
    schedule: str = ""
    """A cron or OnCalendar expression; empty for a check that has a timeout."""
    tz: str = "UTC"
    manual_resume: bool = False
    methods: str = ""
    start_kw: str = ""
    success_kw: str = ""
    failure_kw: str = ""
    filter_subject: bool = False
    filter_body: bool = False
    filter_http_body: bool = False
    filter_default_fail: bool = False
    channels: set[str] = field(default_factory=set)

    status: Literal["new", "up", "down", "paused"] = "new"
    n_pings: int = 0
    last_ping: datetime | None = None
    last_start: datetime | None = None
    last_start_rid: UUID | None = None
    last_duration: timedelta | None = None
    due: datetime | None = None
    """When the next success is expected; None unless the check is up."""
    pings: list[Ping] = field(default_factory=list)
    flips: list[Flip] = field(default_factory=list)

    @property
    def unique_key(self) -> str:
        """What read-only keys show instead of the UUID."""
        return hashlib.sha1(self.uuid.replace("-", "")[:16].encode(), usedforsecurity=False).hexdigest()

    @property
    def tag_list(self) -> list[str]:
        """The tags one by one."""
        return [tag.strip() for tag in self.tags.split(" ") if tag.strip()]

    @property
    def next_ping(self) -> datetime | None:
        """When something is expected: the next success, or at once when a run is in progress."""
        if self.status == "down":
            return None
        return min((date for date in (self.due, self.last_start) if date is not None), default=None)

    def status_at(self, now: datetime, version: int) -> str:
        """Return the status as a version of the API shows it."""
        if version == 1 and self.last_start is not None and now < self.last_start + self.grace:
            return "started"
        if self.due is not None and now >= self.due:
            return "grace"
        return self.status

    def settle(self, now: datetime) -> None:
        """Go down when the grace time is over, at the moment at which it was."""
        if self.next_ping is not None and self.next_ping + self.grace <= now:
            self._turn("down", self.next_ping + self.grace)

    def change(self, fields: Fields, now: datetime, version: int) -> None:
        """Take over the fields of a request, apart from its channels."""
        if fields.name is not None:
            self.name = fields.name
            # Version 3 leaves slugs alone.
            if version < 3:
                self.slug = _slugify(fields.name)
        if fields.schedule is not None:
            self.schedule = fields.schedule
        elif fields.timeout is not None:
            self.schedule, self.timeout = "", fields.timeout
        if fields.subject is not None:
            self.success_kw = fields.subject
        if fields.subject_fail is not None:
            self.failure_kw = fields.subject_fail
        if fields.subject is not None or fields.subject_fail is not None:
            self.filter_subject = bool(self.success_kw or self.failure_kw)
        for name, value in vars(fields).items():
            if value is not None and name not in _FIELDS_WITH_RULES:
                setattr(self, name, value)
        self._expect()
        self.settle(now)

    def ping(
        self,
        action: PingType,
        now: datetime,
        *,
        scheme: str = "http",
        remote_addr: str = "127.0.0.1",
        method: str = "POST",
        user_agent: str = "",
        rid: UUID | None = None,
        exit_status: int | None = None,
        body: bytes = b"",
    ) -> None:
        """Record a ping, and act on it."""
        if self.status == "paused" and self.manual_resume:
            action = "ign"
        if action == "start":
            self.last_start, self.last_start_rid = now, rid
        elif action in ("success", "fail"):
            self.last_ping, self.last_duration = now, None
            if self.last_start is not None and self.last_start_rid == rid:
                self.last_duration, self.last_start = now - self.last_start, None
            elif action == "fail" or rid is None:
                self.last_start = None
            status: Literal["up", "down"] = "up" if action == "success" else "down"
            if self.status != status:
                self._turn(status, now)
        self._expect()
        self.n_pings += 1
        duration = self._time_since_start(rid, now) if action in ("success", "fail") else None
        ping = Ping(
            self.n_pings, action, now, scheme, remote_addr, method, user_agent, rid, exit_status, duration, body
        )
        self.pings.append(ping)

    def prune(self, kept: int) -> None:
        """Forget old pings, every hundredth time."""
        if self.n_pings % _PRUNE_EVERY == 0:
            self.pings = [ping for ping in self.pings if ping.n > self.n_pings - kept]

    def pause(self, now: datetime) -> None:
        """Expect no pings; nothing happens to a check that is paused already."""
        if self.status != "paused":
            self._turn("paused", now)
            self.last_start = None

    def resume(self, now: datetime) -> None:
        """Start afresh after a pause."""
        self._turn("new", now)
        self.last_start = self.last_ping = None

    def _turn(self, status: Literal["new", "up", "down", "paused"], date: datetime) -> None:
        self.status = status
        self.flips.append(Flip(date, status))
        self._expect()

    def _expect(self) -> None:
        if self.status != "up" or self.last_ping is None:
            self.due = None
        elif self.schedule:
            self.due = next_run(self.schedule, self.tz, self.last_ping)
        else:
            self.due = self.last_ping + self.timeout

    def _time_since_start(self, rid: UUID | None, now: datetime) -> timedelta | None:
        for ping in reversed(self.pings):
            if ping.rid == rid and ping.type == "start" and now - ping.date < _MAX_DURATION:
                return now - ping.date
            if ping.rid == rid and ping.type in ("success", "fail"):
                break
        return None


def shows_durations(pings: list[Ping]) -> bool:
    """Tell whether the server shows durations in a list of pings (newest first): not when it lacks too many starts."""
    seen: set[UUID | None] = set()
    lone_ends = 0
    for ping in reversed(pings):
        if ping.type in ("start", "success", "fail"):
            if ping.type != "start" and ping.rid not in seen and ping.date - pings[-1].date < _MAX_DURATION:
                lone_ends += 1
            seen.add(ping.rid)
    return lone_ends <= _MAX_LONE_ENDS


@dataclass
class Project:
    """Checks and integrations under common keys."""

    api_key: str = field(default_factory=lambda: f"hcw_{_random_key(28)}")
    read_only_key: str = field(default_factory=lambda: f"hcr_{_random_key(28)}")
    ping_key: str = field(default_factory=lambda: _random_key(22))
    badge_key: str = field(default_factory=lambda: str(uuid4()))
    channels: list[Channel] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)

    def settled_checks(self, now: datetime) -> Iterator[Check]:
        """Go through the checks, as they are after all went down that had to."""
        for check in self.checks.values():
            check.settle(now)
            yield check

    def find_channels(self, identifiers: str) -> set[str]:
        """Return the IDs of the integrations that a request means.

        Raises:
            BadChannelError: With the server's text.
        """
        if identifiers == "*":
            return {channel.id for channel in self.channels}
        found: set[str] = set()
        for identifier in identifiers.split(",") if identifiers else ():
            if not identifier:
                raise BadChannelError("empty channel identifier")
            matches = [channel.id for channel in self.channels if identifier in (channel.id, channel.name)]
            if not matches:
                raise BadChannelError(f"invalid channel identifier: {identifier}")
            if len(matches) > 1:
                raise BadChannelError(f"non-unique channel identifier: {identifier}")
            found.update(matches)
        return found

    def find_twin(self, fields: Fields, now: datetime) -> Check | None:
        """Return the first check that agrees with a request in all fields that it calls unique."""
        wanted = {name: getattr(fields, name) for name in fields.unique}
        if not wanted or None in wanted.values():
            return None
        for check in self.settled_checks(now):
            if all(getattr(check, name) == value for name, value in wanted.items()):
                return check
        return None

    def save(self, check: Check, fields: Fields, now: datetime, version: int) -> None:
        """Change a check as a request says, and keep it if it is new; nothing is done when a channel is not known.

        Raises:
            BadChannelError: With the server's text.
        """
        if fields.channels is not None:
            check.channels = self.find_channels(fields.channels)
        check.change(fields, now, version)
        self.checks[check.uuid] = check


@dataclass
class Account:
    """The owner of the projects, with the limits that hold for all of them together."""

    check_limit: int | None = None
    ping_log_limit: int = 100
    projects: list[Project] = field(default_factory=list)
    badge_secret: str = field(default_factory=secrets.token_hex)

    def find(self, uuid: str, now: datetime) -> tuple[Project, Check] | None:
        """Find a check, which goes down if it has to, and its project."""
        for project in self.projects:
            check = project.checks.get(uuid)
            if check is not None:
                check.settle(now)
                return project, check
        return None

    def is_full(self, times: int = 1) -> bool:
        """Tell whether there are as many checks as the limit allows, or several times that many."""
        number = sum(len(project.checks) for project in self.projects)
        return self.check_limit is not None and number >= self.check_limit * times

    def visible_pings(self, check: Check) -> list[Ping]:
        """Return the pings that the account may see, newest first."""
        return [ping for ping in reversed(check.pings) if ping.n > check.n_pings - self.ping_log_limit]


def _random_key(length: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(length))


def _slugify(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_name)).strip("-_")
