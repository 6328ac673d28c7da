"""Checks, their pings and flips, and the requests to create and update checks."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, TypeGuard

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    GetCoreSchemaHandler,
    GetPydanticSchema,
    PlainValidator,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from healthchecks_io._durations import parse_whole_seconds
from healthchecks_io.schemas import limits
from healthchecks_io.schemas.api_result import APIResult
from healthchecks_io.schemas.places import Place
from healthchecks_io.schemas.time_zones import check_time_zone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from typing_extensions import Self

    from healthchecks_io.schemas.integrations import Integration


def _is_list(value: object) -> TypeGuard[list[object] | tuple[object, ...]]:
    return isinstance(value, (list, tuple))


def _uuid_from_ping_url(fields: dict[str, object]) -> str | None:
    ping_url = fields.get("ping_url")
    return ping_url.rstrip("/").rpartition("/")[2] if isinstance(ping_url, str) else None


def _reject_null_in_json(kind: type, handler: GetCoreSchemaHandler) -> CoreSchema:
    return core_schema.json_or_python_schema(core_schema.str_schema(), handler(kind))


# So that null counts as left out, and the UUID is taken from the ping URL: see APIResult.
_UUID = Annotated[str | None, GetPydanticSchema(_reject_null_in_json)]


class Check(APIResult):
    """A snapshot of a check, as returned by the server.

    The fields that a server sends depend on its version and the type of the API key. Omitted fields have their default
    value.

    See "Get a Single Check" in the documentation of the management API.
    """

    unique_key: str | None = None
    """The identifier of the check for read-only keys, which cannot see the UUID. Read-only keys only."""
    name: str
    """The name. It may be empty."""
    slug: str = ""
    """The slug, used in ping URLs. It may be empty and need not be unique. Needs Healthchecks 1.23 or newer."""
    tags: str = ""
    """The tags, separated by spaces."""
    desc: str = ""
    """The description."""
    grace: int
    """The grace time in seconds: how late a ping may be before the check goes down."""
    n_pings: int
    """The number of pings received, of all types."""
    status: str
    """``new``, ``up``, ``grace``, ``down`` or ``paused``, or ``started`` with API version 1."""
    started: bool = Field(default_factory=lambda fields: fields.get("status") == "started")
    """Whether a run is in progress. If a server older than 2.6 omits it, it is taken from status."""
    last_ping: AwareDatetime | None = None
    """The time of the last success or fail ping."""
    next_ping: AwareDatetime | None = None
    """The time when the next ping is expected. While a run is in progress, the time when it started."""
    last_duration: int | None = None
    """The duration of the last run in seconds."""
    manual_resume: bool = False
    """Whether a paused check ignores pings until it is resumed through the API or the web interface.

    Needs Healthchecks 1.16 or newer.
    """
    methods: str = ""
    """``POST`` if only POST requests count as pings, otherwise empty. Needs Healthchecks 1.17 or newer."""
    subject: str = ""
    """Deprecated: see success_kw. Needs Healthchecks 2.2 or newer."""
    subject_fail: str = ""
    """Deprecated: see failure_kw. Needs Healthchecks 2.2 or newer."""
    start_kw: str = ""
    """Comma-separated keywords that mark an email or a ping body as a start signal. Needs Healthchecks 2.6 or newer."""
    success_kw: str = ""
    """Comma-separated keywords that mark an email or a ping body as a success signal.

    Needs Healthchecks 2.3 or newer.
    """
    failure_kw: str = ""
    """Comma-separated keywords that mark an email or a ping body as a failure signal.

    Needs Healthchecks 2.3 or newer.
    """
    filter_subject: bool = False
    """Whether the server looks for the keywords in email subjects. Needs Healthchecks 2.3 or newer."""
    filter_body: bool = False
    """Whether the server looks for the keywords in email bodies. Needs Healthchecks 2.3 or newer."""
    filter_http_body: bool = False
    """Whether the server looks for the keywords in ping bodies.

    The keywords then decide whether a ping is a start, success or failure signal, whatever the client reports. Needs
    Healthchecks 3.13 or newer.
    """
    filter_default_fail: bool = False
    """Whether a message without any of the keywords is a failure.

    If False, it is ignored. Needs Healthchecks 3.13 or newer.
    """
    badge_url: str | None = None
    """The URL of the check's badge. Needs Healthchecks 3.10 or newer."""
    ping_url: str | None = None
    """The URL for pinging the check. Read-write keys only."""
    uuid: _UUID = Field(default_factory=_uuid_from_ping_url)
    """The UUID. If a server older than 3.5 omits it, it is taken from ping_url. Read-write keys only."""
    update_url: str | None = None
    """The URL for updating the check. Read-write keys only."""
    pause_url: str | None = None
    """The URL for pausing the check. Read-write keys only."""
    resume_url: str | None = None
    """The URL for resuming the check. Read-write keys only. Needs Healthchecks 2.3 or newer."""
    channels: str | None = None
    """The IDs of the check's integrations, separated by commas. Read-write keys only."""
    timeout: int | None = None
    """The expected time between two pings in seconds. None for checks with a schedule."""
    schedule: str | None = None
    """The cron or OnCalendar expression. None for simple checks."""
    tz: str | None = None
    """The time zone of the schedule. None for simple checks."""


class Checks(APIResult):
    """The response with a list of checks."""

    checks: Annotated[list[Check], FailFast()]


class CheckPings(APIResult):
    """A ping received by a check.

    See "List Check's Logged Pings" in the documentation of the management API.
    """

    type: str
    """``success``, ``start``, ``fail``, ``log`` or ``ign`` (ignored)."""
    date: AwareDatetime
    """The time when the ping was received."""
    number_of_pings: int = Field(validation_alias="n", serialization_alias="n")
    """The sequence number of the ping, starting at 1. ``n`` in the API."""
    scheme: str = ""
    """``http``, ``https`` or ``email``."""
    remote_addr: str | None = None
    """The IP address of the sender."""
    method: str = ""
    """The HTTP method. Empty for an email."""
    user_agent: str = Field(default="", validation_alias="ua", serialization_alias="ua")
    """The User-Agent header. ``ua`` in the API."""
    rid: str | None = None
    """The run ID, if the ping had one. Needs Healthchecks 2.5 or newer."""
    duration: float | None = None
    """The duration of the run in seconds. Only for success and fail pings of runs whose start is known."""
    body_url: str | None = None
    """The URL for downloading the request body, if the ping had one. Needs Healthchecks 2.5 or newer."""


class Pings(APIResult):
    """The response with a list of pings."""

    pings: Annotated[list[CheckPings], FailFast()]


class CheckStatuses(APIResult):
    """A flip: a change of a check's status.

    See "List Check's Status Changes" in the documentation of the management API.
    """

    timestamp: AwareDatetime
    """The time of the change."""
    up: int
    """1 for a change to up, 0 for any other change. Pausing and resuming a check are also flips."""


class Flips(APIResult):
    """The response with a list of flips. The API documentation shows a bare list, but servers send an object."""

    flips: Annotated[list[CheckStatuses], FailFast()]

    @model_validator(mode="before")
    @classmethod
    def _accept_bare_list(cls, body: object) -> object:
        return {"flips": body} if _is_list(body) else body


def _check_text(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain NUL characters: some servers fail on them")
    text.encode()  # Raises UnicodeEncodeError, a ValueError, for lone surrogates.
    return text


def _join(names: object, separator: str) -> str:
    if _is_list(names):
        parts = [name for name in names if isinstance(name, str) and name and not _contains(separator, name)]
        if len(parts) != len(names):
            forbidden = "whitespace" if separator.isspace() else repr(separator)
            raise ValueError(f"the items of the list must be non-empty strings without {forbidden}")
        names = separator.join(parts)
    if not isinstance(names, str):
        raise ValueError("must be a string or a list of strings")  # noqa: TRY004 - pydantic expects ValueError
    return _check_text(names)


def _contains(separator: str, name: str) -> bool:
    return name.split() != [name] if separator.isspace() else separator in name


def _parse_tags(tags: object) -> str:
    return _join(tags, " ")


def _parse_channels(channels: object) -> str:
    joined = _join(channels, ",")
    if joined and "" in joined.split(","):
        raise ValueError("must not contain empty items: remove the extra comma")
    return joined


def _parse_seconds(value: object) -> int:
    seconds = _whole_seconds(value)
    if seconds is None or not limits.MIN_SECONDS <= seconds <= limits.MAX_SECONDS:
        raise ValueError(
            f"must be from {limits.MIN_SECONDS} to {limits.MAX_SECONDS} whole seconds (a minute to 365 days), such as "
            "5400 or '1h 30m', with the units w, d, h, m and s"
        )
    return seconds


def _whole_seconds(value: object) -> int | None:
    if isinstance(value, timedelta):
        return None if value.microseconds else value // timedelta(seconds=1)
    if isinstance(value, str):
        try:
            return parse_whole_seconds(value)
        except ValueError:
            return None
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _check_slug(slug: str) -> str:
    if not re.fullmatch(limits.SLUG_PATTERN, slug):
        raise ValueError("must consist of a-z, 0-9, '-' and '_'")
    return slug


def _check_schedule(schedule: str) -> str:
    # croniter and oncalendar are slow to import, and most checks have no schedule.
    from healthchecks_io.schemas.schedules import check_schedule

    return check_schedule(schedule)


_Text = Annotated[str, AfterValidator(_check_text)]
_Name = Annotated[str, Field(max_length=limits.MAX_NAME_LENGTH), AfterValidator(_check_text)]
_Slug = Annotated[str, Field(max_length=limits.MAX_SLUG_LENGTH), AfterValidator(_check_slug)]
_Keywords = Annotated[str, Field(max_length=limits.MAX_KEYWORDS_LENGTH), AfterValidator(_check_text)]
_Tags = Annotated[str | list[str] | tuple[str, ...], PlainValidator(_parse_tags)]
_Channels = Annotated[str | list[str] | tuple[str, ...], PlainValidator(_parse_channels)]
_Seconds = Annotated[int | timedelta | str, PlainValidator(_parse_seconds)]
_Schedule = Annotated[str, Field(max_length=limits.MAX_SCHEDULE_LENGTH), AfterValidator(_check_schedule)]
_TimeZone = Annotated[str, AfterValidator(check_time_zone)]
_Unique = Sequence[Literal["name", "slug", "tags", "timeout", "grace"]]


class CheckUpdate(BaseModel):
    """The fields to change in a check.

    Only the fields that you set are sent, and the other fields of the check do not change. None means "not set". An
    empty string clears a field.

    See "Update an Existing Check" in the documentation of the management API.

    Raises:
        pydantic.ValidationError: Servers would reject a value, or a field name is unknown.
    """

    model_config = ConfigDict(strict=True, extra="forbid", validate_assignment=True)

    name: _Name | None = None
    """The name. With API versions 1 and 2, the server also derives the slug from it."""
    slug: _Slug | None = None
    """The slug, used in ping URLs: a-z, 0-9, - and _. Needs Healthchecks 2.10 or newer."""
    tags: _Tags | None = None
    """The tags, as a list or as a string separated by spaces."""
    desc: _Text | None = None
    """The description."""
    timeout: _Seconds | None = None
    """The expected time between two pings, from 60 to 31536000 seconds (365 days).

    Whole seconds, a timedelta, or text such as ``90``, ``5m``, ``1h 30m`` or ``1d``. The value is stored in seconds.
    """
    grace: _Seconds | None = None
    """The grace time, which is how late a ping may be before the check goes down. The same values as timeout."""
    schedule: _Schedule | None = None
    """A cron expression (five fields) or an OnCalendar expression, instead of a timeout.

    OnCalendar expressions need Healthchecks 3.1 or newer.
    """
    tz: _TimeZone | None = None
    """The time zone of the schedule, such as ``Europe/Riga``."""
    manual_resume: bool | None = None
    """Whether a paused check ignores pings until it is resumed through the API or the web interface.

    Needs Healthchecks 1.16 or newer.
    """
    methods: Literal["", "POST"] | None = None
    """``POST`` to count only POST requests as pings, or an empty string to count all requests.

    Needs Healthchecks 1.17 or newer.
    """
    channels: _Channels | None = None
    """The integrations to notify: ``*`` for all, an empty string for none, or their IDs or names.

    As a list or as a string separated by commas. Names need Healthchecks 1.18 or newer.
    """
    unique: _Unique | None = None
    """The fields used to look up an existing check when creating one: see CheckCreate.

    Slugs need Healthchecks 2.10 or newer.
    """
    start_kw: _Keywords | None = None
    """Comma-separated keywords that mark an email or a ping body as a start signal.

    Needs Healthchecks 2.6 or newer.
    """
    success_kw: _Keywords | None = None
    """Comma-separated keywords that mark an email or a ping body as a success signal.

    Needs Healthchecks 2.3 or newer.
    """
    failure_kw: _Keywords | None = None
    """Comma-separated keywords that mark an email or a ping body as a failure signal.

    Needs Healthchecks 2.3 or newer.
    """
    filter_subject: bool | None = None
    """Whether to look for the keywords in email subjects. Needs Healthchecks 2.3 or newer."""
    filter_body: bool | None = None
    """Whether to look for the keywords in email bodies. Needs Healthchecks 2.3 or newer."""
    filter_http_body: bool | None = None
    """Whether to look for the keywords in ping bodies.

    The keywords then decide whether a ping is a start, success or failure signal, whatever the client reports. Leave it
    off for checks of a CheckTrap: fail pings without a keyword are ignored. Needs Healthchecks 3.13 or newer.
    """
    filter_default_fail: bool | None = None
    """Whether a message without any of the keywords is a failure.

    If False, it is ignored. With filter_http_body, start pings are failures, because they have no body.
    Needs Healthchecks 3.13 or newer.
    """
    subject: _Keywords | None = None
    """Deprecated: use success_kw and filter_subject. Needs Healthchecks 2.2 or newer."""
    subject_fail: _Keywords | None = None
    """Deprecated: use failure_kw and filter_subject. Needs Healthchecks 2.2 or newer."""

    _place: Place = PrivateAttr(default=Place())

    @property
    def place(self) -> str:
        """The file and line that load_checks has read the check from, or an empty string."""
        return str(self._place)

    @model_validator(mode="after")
    def _check_unique_fields_are_set(self) -> Self:
        for field in self.unique or ():
            if field not in self.model_fields_set or getattr(self, field) is None:
                raise ValueError(
                    f"{field} is named in unique and must be set: otherwise each call would create a new check"
                )
            if field == "timeout" and self.schedule is not None:
                raise ValueError("timeout is named in unique, but a check with a schedule has no timeout")
        return self

    if not TYPE_CHECKING:  # Type checkers would accept assignments to any name.

        def __setattr__(self, name: str, value: object) -> None:
            """Set a field. If the value is invalid, leave the object unchanged."""
            previous_values, previously_set = dict(self.__dict__), set(self.model_fields_set)
            try:
                super().__setattr__(name, value)
            except ValidationError:
                self.__dict__.update(previous_values)
                self.model_fields_set.intersection_update(previously_set)
                raise

    def to_request(self) -> bytes:
        """Return the request body: the fields that are set, without nulls, as JSON.

        Raises:
            pydantic.ValidationError: Servers would reject a value that was changed in place.
        """
        # Not model_dump(), which can replace the exception of a signal handler, such as a time limit.
        values = {name: getattr(self, name) for name in type(self).model_fields if name in self.model_fields_set}
        if self.unique:
            # It may have been changed in place, which does not mark it as set.
            values["unique"] = self.unique
        sent = {name: value for name, value in values.items() if value is not None}
        valid = type(self).model_validate(sent)
        fields = {name: getattr(valid, name) for name in sent}
        # The only value that JSON does not know may be `unique`: a sequence of any type.
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), default=list).encode()


class CheckCreate(CheckUpdate):
    """The fields of a new check.

    Only the fields that you set are sent. The defaults shown here are those that the server applies to the others.

    With ``unique``, the server first looks for a check with the same values in all fields named there. If it finds one,
    it updates that check with the fields that you set, and creates no new check.

    See "Create a New Check" in the documentation of the management API.

    Raises:
        pydantic.ValidationError: Servers would reject a value, a field name is unknown, or a field named in ``unique``
            is not set.
    """

    name: _Name | None = ""
    slug: _Slug | None = ""
    tags: _Tags | None = ""
    desc: _Text | None = ""
    timeout: _Seconds | None = 86400
    grace: _Seconds | None = 3600
    tz: _TimeZone | None = "UTC"
    manual_resume: bool | None = False
    methods: Literal["", "POST"] | None = ""
    unique: _Unique | None = []
    start_kw: _Keywords | None = ""
    success_kw: _Keywords | None = ""
    failure_kw: _Keywords | None = ""
    filter_subject: bool | None = False
    filter_body: bool | None = False
    filter_http_body: bool | None = False
    filter_default_fail: bool | None = False
    subject: _Keywords | None = ""
    subject_fail: _Keywords | None = ""

    @classmethod
    def from_check(cls, check: Check, integrations: Iterable[Integration] | None = None) -> Self:
        """Return the settings of a check, for example to create the same check elsewhere.

        ::

            copy = CheckCreate.from_check(check)
            other_client.create_check(copy)

        Args:
            check: The check.
            integrations: The integrations of its project. The channels are then set to their names, or to their IDs
                where a name is empty, ambiguous or contains a comma. Without them, channels are not set.

        Returns:
            A CheckCreate with the fields that the server has sent, and with either a timeout or a schedule.

        Raises:
            pydantic.ValidationError: The server has sent a value that servers reject.
        """
        names = check.model_fields_set & (cls.model_fields.keys() - _NOT_COPIED)
        fields = {name: getattr(check, name) for name in names}
        if integrations is not None and check.channels is not None:
            fields["channels"] = channel_names(check.channels, list(integrations))
        return cls.model_validate({name: value for name, value in fields.items() if value is not None})


_NOT_COPIED = frozenset({"channels", "subject", "subject_fail"})
"""Fields that are copied separately, or mirror other fields."""


def channel_names(channels: str, integrations: Sequence[Integration]) -> str:
    """Return channels by name, or by ID where the name does not identify the integration.

    Args:
        channels: The IDs, separated by commas.
        integrations: The integrations of the project.
    """
    names = [each.name for each in integrations]
    ids = {each.id for each in integrations}
    by_id = {
        each.id: each.name
        for each in integrations
        if names.count(each.name) == 1 and each.name not in ids | {"", "*"} and "," not in each.name
    }
    return ",".join(by_id.get(each, each) for each in channels.split(",")) if channels else ""
