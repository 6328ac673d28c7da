"""The data of a Healthchecks server and its rules, without HTTP. Callers pass in the current time."""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import unicodedata
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Literal
from uuid import UUID, uuid4

from pydantic import AwareDatetime  # noqa: TC002 - pydantic needs it at runtime; under freezegun, datetime is a fake

from healthchecks_io.sandbox.schedules import next_run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from healthchecks_io.sandbox.fields import Fields

PingType = Literal["success", "start", "fail", "log", "ign"]

# The server treats a start and an end further apart than this as unrelated.
_MAX_DURATION = timedelta(hours=72)
# If a list of pings lacks the starts of more runs than this, the server shows no durations in it.
_MAX_UNMATCHED_ENDS = 10
_PRUNE_EVERY = 100

_SPECIAL_FIELDS = {"name", "schedule", "timeout", "subject", "subject_fail", "channels", "unique"}


class BadChannelError(ValueError):
    """Raised for an empty, unknown or ambiguous identifier of an integration."""


@dataclass(frozen=True)
class Channel:
    """An integration, called a channel in the API."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True)
class Flip:
    """A change of a check's status."""

    date: AwareDatetime
    status: str


@dataclass(frozen=True)
class Ping:
    """A ping that was received."""

    # For saving to JSON: bodies are binary.
    __pydantic_config__: ClassVar[dict[str, str]] = {"ser_json_bytes": "base64", "val_json_bytes": "base64"}

    n: int
    """The sequence number of the ping, starting at 1."""
    type: PingType
    """``success``, ``start``, ``fail``, ``log`` or ``ign`` (ignored)."""
    date: AwareDatetime
    """When the ping was received, by the sandbox's clock."""
    scheme: str
    """``http``, ``https`` or ``email``."""
    remote_addr: str
    """The IP address of the client."""
    method: str
    """The HTTP method."""
    user_agent: str
    """The User-Agent header, truncated to 200 characters."""
    rid: UUID | None
    """The run ID, or None."""
    exit_status: int | None
    """The reported exit status, or None."""
    duration: timedelta | None
    """On a success or fail ping, the time since the start ping of the same run, if there was one."""
    body: bytes
    """The body of the request, truncated to the sandbox's ping body limit."""


@dataclass
class Check:
    """A check with its settings, status, pings and flips."""

    uuid: str = field(default_factory=lambda: str(uuid4()))
    badge_key: str = field(default_factory=lambda: str(uuid4()))

    name: str = ""
    slug: str = ""
    tags: str = ""
    desc: str = ""
    timeout: timedelta = timedelta(days=1)
    grace: timedelta = timedelta(hours=1)
    schedule: str = ""
    """A cron or OnCalendar expression. Empty for a simple check, which uses the timeout."""
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
    last_ping: AwareDatetime | None = None
    last_start: AwareDatetime | None = None
    last_start_rid: UUID | None = None
    last_duration: timedelta | None = None
    due: AwareDatetime | None = None
    """When the next success is expected; None unless the check is up."""
    pings: list[Ping] = field(default_factory=list)
    flips: list[Flip] = field(default_factory=list)

    @property
    def unique_key(self) -> str:
        """The identifier that read-only keys see instead of the UUID."""
        return hashlib.sha1(self.uuid.replace("-", "")[:16].encode(), usedforsecurity=False).hexdigest()

    @property
    def tag_list(self) -> list[str]:
        """The tags as a list."""
        return [tag.strip() for tag in self.tags.split(" ") if tag.strip()]

    @property
    def next_ping(self) -> datetime | None:
        """The earlier of the due time and the start of the run in progress, or None."""
        if self.status == "down":
            return None
        return min((date for date in (self.due, self.last_start) if date is not None), default=None)

    def status_at(self, now: datetime, version: int) -> str:
        """Return the status as the given version of the API reports it."""
        if version == 1 and self.last_start is not None and now < self.last_start + self.grace:
            return "started"
        if self.due is not None and now >= self.due:
            return "grace"
        return self.status

    def update_status(self, now: datetime) -> None:
        """Mark the check as down if its grace time is over, with a flip at the time when it ended."""
        if self.next_ping is not None and self.next_ping + self.grace <= now:
            self._set_status("down", self.next_ping + self.grace)

    def update(self, fields: Fields, now: datetime, *, derives_slug: bool) -> None:
        """Apply the fields of a request, except for its channels."""
        if fields.name is not None:
            self.name = fields.name
            if derives_slug:
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
            if value is not None and name not in _SPECIAL_FIELDS:
                setattr(self, name, value)
        self._update_due()
        self.update_status(now)

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
        """Record a ping and update the status."""
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
                self._set_status(status, now)
        self._update_due()
        self.n_pings += 1
        duration = self._time_since_start(rid, now) if action in ("success", "fail") else None
        ping = Ping(
            self.n_pings, action, now, scheme, remote_addr, method, user_agent, rid, exit_status, duration, body
        )
        self.pings.append(ping)

    def prune(self, limit: int) -> None:
        """Delete old pings, on every hundredth ping."""
        if self.n_pings % _PRUNE_EVERY == 0:
            self.pings = [ping for ping in self.pings if ping.n > self.n_pings - limit]

    def pause(self, now: datetime) -> None:
        """Pause the check. Do nothing if it is already paused."""
        if self.status != "paused":
            self._set_status("paused", now)
            self.last_start = None

    def resume(self, now: datetime) -> None:
        """Resume the check. It becomes new again."""
        self._set_status("new", now)
        self.last_start = self.last_ping = None

    def _set_status(self, status: Literal["new", "up", "down", "paused"], date: datetime) -> None:
        self.status = status
        self.flips.append(Flip(date, status))
        self._update_due()

    def _update_due(self) -> None:
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


def should_show_durations(pings: list[Ping]) -> bool:
    """Return True if the server shows durations in a list of pings, newest first.

    It shows none if the list lacks the starts of too many runs.
    """
    seen: set[UUID | None] = set()
    unmatched_ends = 0
    for ping in reversed(pings):
        if ping.type in ("start", "success", "fail"):
            if ping.type != "start" and ping.rid not in seen and ping.date - pings[-1].date < _MAX_DURATION:
                unmatched_ends += 1
            seen.add(ping.rid)
    return unmatched_ends <= _MAX_UNMATCHED_ENDS


@dataclass
class Project:
    """A project: checks and integrations that share API keys."""

    api_key: str = field(default_factory=lambda: f"hcw_{_random_key(28)}")
    read_only_key: str = field(default_factory=lambda: f"hcr_{_random_key(28)}")
    ping_key: str = field(default_factory=lambda: _random_key(22))
    badge_key: str = field(default_factory=lambda: str(uuid4()))
    channels: list[Channel] = field(default_factory=list)
    checks: dict[str, Check] = field(default_factory=dict)

    def current_checks(self, now: datetime) -> Iterator[Check]:
        """Iterate over the checks with their status updated."""
        for check in self.checks.values():
            check.update_status(now)
            yield check

    def find_channels(self, identifiers: str, *, by_name: bool = True) -> set[str]:
        """Return the IDs of the integrations that match the identifiers in a request: IDs and, by default, names.

        Raises:
            BadChannelError: An identifier is empty, unknown or ambiguous. The message is the server's.
        """
        if identifiers == "*":
            return {channel.id for channel in self.channels}
        found: set[str] = set()
        for identifier in identifiers.split(",") if identifiers else ():
            if not identifier and by_name:
                raise BadChannelError("empty channel identifier")
            matches = [
                channel.id
                for channel in self.channels
                if identifier == channel.id or (by_name and identifier == channel.name)
            ]
            if not matches:
                raise BadChannelError(f"invalid channel identifier: {identifier}")
            if len(matches) > 1:
                raise BadChannelError(f"non-unique channel identifier: {identifier}")
            found.update(matches)
        return found

    def find_existing(self, fields: Fields, now: datetime) -> Check | None:
        """Return the first check that matches a request in all fields listed in its `unique`, or None."""
        required = {name: getattr(fields, name) for name in fields.unique}
        if not required or None in required.values():
            return None
        for check in self.current_checks(now):
            if all(getattr(check, name) == value for name, value in required.items()):
                return check
        return None

    def save(
        self, check: Check, fields: Fields, now: datetime, *, derives_slug: bool, finds_channels_by_name: bool
    ) -> None:
        """Apply the fields of a request to a check, and add the check to the project if it is new.

        Raises:
            BadChannelError: An identifier is empty, unknown or ambiguous. The check is not changed.
        """
        if fields.channels is not None:
            check.channels = self.find_channels(fields.channels, by_name=finds_channels_by_name)
        check.update(fields, now, derives_slug=derives_slug)
        self.checks[check.uuid] = check


@dataclass
class Account:
    """An account: its projects, and the limits that apply to all of them."""

    check_limit: int | None = None
    ping_log_limit: int = 100
    projects: list[Project] = field(default_factory=list)
    badge_secret: str = field(default_factory=secrets.token_hex)

    def find(self, uuid: str, now: datetime) -> tuple[Project, Check] | None:
        """Return a check with its status updated, and its project, or None if there is no such check."""
        for project in self.projects:
            check = project.checks.get(uuid)
            if check is not None:
                check.update_status(now)
                return project, check
        return None

    def is_full(self, factor: int = 1) -> bool:
        """Return True if the account has reached its check limit, multiplied by a factor."""
        count = sum(len(project.checks) for project in self.projects)
        return self.check_limit is not None and count >= self.check_limit * factor

    def visible_pings(self, check: Check) -> list[Ping]:
        """Return the pings within the ping log limit, newest first."""
        return [ping for ping in reversed(check.pings) if ping.n > check.n_pings - self.ping_log_limit]


def _random_key(length: int) -> str:
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(length))


def _slugify(name: str) -> str:
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", ascii_name)).strip("-_")
