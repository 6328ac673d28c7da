"""Checks: what the API gives of them, and what one may ask of it."""

from __future__ import annotations

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
    PlainValidator,
    ValidationError,
    model_validator,
)

from healthchecks_io.schemas import limits
from healthchecks_io.schemas.api_result import APIResult

if TYPE_CHECKING:
    from typing_extensions import Self


def _is_list(value: object) -> TypeGuard[list[object] | tuple[object, ...]]:
    return isinstance(value, (list, tuple))


def _uuid_in(fields: dict[str, object]) -> str | None:
    ping_url = fields.get("ping_url")
    return ping_url.rstrip("/").rpartition("/")[2] if isinstance(ping_url, str) else None


class Check(APIResult):
    """A check, as it was when the server answered.

    Which fields are there depends on the key and on the age of the server; what a server leaves out has a default.

    Source: Management API, "Get a Single Check".

    Attributes:
        unique_key: Names the check where its UUID must stay unknown. Read-only keys only.
        name: The name, which may be empty.
        slug: The name in ping URLs, which may be empty and need not be unique.
        tags: The tags, separated by spaces.
        desc: The description.
        grace: For how many seconds the check may be late before it is down.
        n_pings: How many pings the check has received, of all kinds.
        status: ``new``, ``up``, ``grace``, ``down`` or ``paused``; with version 1 of the API also ``started``.
        started: Whether a run is in progress.
        last_ping: When the last success or fail ping came.
        next_ping: When the next ping is expected; while a run is in progress, when it started.
        last_duration: How many seconds the last run took.
        manual_resume: Whether a paused check stays paused when it is pinged.
        methods: ``POST`` where only POST requests count as pings, else empty.
        subject: Deprecated: see success_kw.
        subject_fail: Deprecated: see failure_kw.
        start_kw: Keywords that make an e-mail or a ping body a start signal, separated by commas.
        success_kw: The same for success.
        failure_kw: The same for failure.
        filter_subject: Whether the keywords are looked for in the subjects of e-mails.
        filter_body: Whether the keywords are looked for in the bodies of e-mails.
        filter_http_body: Whether the keywords are looked for in the bodies of pings.
        filter_default_fail: Whether a ping without any of the keywords is a failure (else it is ignored).
        badge_url: The address of the check's badge.
        ping_url: Where the check is pinged. Read-write keys only.
        uuid: The UUID, taken from ping_url where a server older than 3.5 does not send it. Read-write keys only.
        update_url: Where the check is updated. Read-write keys only.
        pause_url: Where the check is paused. Read-write keys only.
        resume_url: Where the check is resumed. Read-write keys only.
        channels: The ids of the check's integrations, separated by commas. Read-write keys only.
        timeout: How many seconds pass between two pings of a simple check.
        schedule: The cron or OnCalendar expression of a check with a schedule.
        tz: The time zone of the schedule.
    """

    unique_key: str | None = None
    name: str
    slug: str = ""
    tags: str = ""
    desc: str = ""
    grace: int
    n_pings: int
    status: str
    started: bool = Field(default_factory=lambda fields: fields.get("status") == "started")
    last_ping: AwareDatetime | None = None
    next_ping: AwareDatetime | None = None
    last_duration: int | None = None
    manual_resume: bool = False
    methods: str = ""
    subject: str = ""
    subject_fail: str = ""
    start_kw: str = ""
    success_kw: str = ""
    failure_kw: str = ""
    filter_subject: bool = False
    filter_body: bool = False
    filter_http_body: bool = False
    filter_default_fail: bool = False
    badge_url: str | None = None
    ping_url: str | None = None
    uuid: str | None = Field(default_factory=_uuid_in)
    update_url: str | None = None
    pause_url: str | None = None
    resume_url: str | None = None
    channels: str | None = None
    timeout: int | None = None
    schedule: str | None = None
    tz: str | None = None


class Checks(APIResult):
    """The envelope of a list of checks."""

    checks: Annotated[list[Check], FailFast()]


class CheckPings(APIResult):
    """A ping that a check has received.

    Source: Management API, "List Check's Logged Pings".

    Attributes:
        type: ``success``, ``start``, ``fail``, ``log`` or ``ign`` (ignored).
        date: When it came.
        number_of_pings: Its number, counted from 1; ``n`` in the API.
        scheme: ``http``, ``https`` or ``email``.
        remote_addr: The address it came from.
        method: The HTTP method; empty for an e-mail.
        user_agent: The User-Agent of the sender; ``ua`` in the API.
        rid: The run ID, if it had one.
        duration: On a success or fail ping: how many seconds the run took, if its start is known.
        body_url: Where its body can be had, if it had one.
    """

    type: str
    date: AwareDatetime
    number_of_pings: int = Field(validation_alias="n", serialization_alias="n")
    scheme: str = ""
    remote_addr: str | None = None
    method: str = ""
    user_agent: str = Field(default="", validation_alias="ua", serialization_alias="ua")
    rid: str | None = None
    duration: float | None = None
    body_url: str | None = None


class Pings(APIResult):
    """The envelope of a list of pings."""

    pings: Annotated[list[CheckPings], FailFast()]


class CheckStatuses(APIResult):
    """A flip: a change of a check's status.

    Source: Management API, "List Check's Status Changes".

    Attributes:
        timestamp: When it happened.
        up: 1 for a change to up, 0 for any other change; pausing and resuming are flips too.
    """

    timestamp: AwareDatetime
    up: int


class Flips(APIResult):
    """The envelope of a list of flips. The documents show a bare list; servers send an envelope."""

    flips: Annotated[list[CheckStatuses], FailFast()]

    @model_validator(mode="before")
    @classmethod
    def _accept_a_bare_list(cls, answer: object) -> object:
        return {"flips": answer} if _is_list(answer) else answer


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character is not allowed: some servers fail on it")
    text.encode()  # A lone surrogate is a UnicodeEncodeError, which is a ValueError.
    return text


def _joined(names: object, separator: str) -> str:
    if _is_list(names):
        parts = [name for name in names if isinstance(name, str) and name and not _has(separator, name)]
        if len(parts) != len(names):
            what = "white space" if separator.isspace() else repr(separator)
            raise ValueError(f"the list must be of strings, none of them empty or with {what} in it")
        names = separator.join(parts)
    if not isinstance(names, str):
        raise ValueError("a string or a list of strings is expected")  # noqa: TRY004 - pydantic wants a ValueError
    return _text(names)


def _has(separator: str, name: str) -> bool:
    return name.split() != [name] if separator.isspace() else separator in name


def _tags(tags: object) -> str:
    return _joined(tags, " ")


def _channels(channels: object) -> str:
    joined = _joined(channels, ",")
    if joined and "" in joined.split(","):
        raise ValueError("there is nothing between two of the commas, or at an end")
    return joined


def _seconds(value: object) -> int:
    if isinstance(value, timedelta) and not value.microseconds:
        value = value // timedelta(seconds=1)
    if not isinstance(value, int) or isinstance(value, bool) or not limits.MIN_SECONDS <= value <= limits.MAX_SECONDS:
        raise ValueError(
            f"whole seconds from {limits.MIN_SECONDS} to {limits.MAX_SECONDS} are expected, as int or timedelta"
        )
    return int(value)


def _schedule(schedule: str) -> str:
    # croniter and oncalendar cost time to import, and most checks have no schedule.
    from healthchecks_io.schemas.schedules import check_schedule

    return check_schedule(schedule)


def _time_zone(name: str) -> str:
    import pytz

    if name not in pytz.all_timezones_set:
        raise ValueError(f"{name!r} is no time zone that is known here: a name such as Europe/Riga is expected")
    return name


_Text = Annotated[str, AfterValidator(_text)]
_Name = Annotated[str, Field(max_length=limits.MAX_NAME_LENGTH), AfterValidator(_text)]
_Slug = Annotated[str, Field(max_length=limits.MAX_SLUG_LENGTH, pattern=limits.SLUG_PATTERN)]
_Keywords = Annotated[str, Field(max_length=limits.MAX_KEYWORDS_LENGTH), AfterValidator(_text)]
_Tags = Annotated[str | list[str] | tuple[str, ...], PlainValidator(_tags)]
_Channels = Annotated[str | list[str] | tuple[str, ...], PlainValidator(_channels)]
_Seconds = Annotated[int | timedelta, PlainValidator(_seconds)]
_Schedule = Annotated[str, Field(max_length=limits.MAX_SCHEDULE_LENGTH), AfterValidator(_schedule)]
_TimeZone = Annotated[str, AfterValidator(_time_zone)]
_Unique = Sequence[Literal["name", "slug", "tags", "timeout", "grace"]]


class CheckUpdate(BaseModel):
    """What is to change of a check.

    Only what was set is sent: everything else of the check stays as it was. None means not set; an empty string clears.

    Source: Management API, "Update an Existing Check".

    Attributes:
        name: The name, at most 100 characters. Versions 1 and 2 of the API also derive the slug from it.
        slug: The name in ping URLs: at most 100 of ``a-z``, ``0-9``, ``-``, ``_``.
        tags: The tags: a string with spaces between them, or a list.
        desc: The description.
        timeout: How much time passes between two pings: 60 to 31536000 seconds, or a timedelta.
        grace: How late a ping may be before the check is down: 60 to 31536000 seconds, or a timedelta.
        schedule: A cron expression (five fields) or an OnCalendar expression, instead of a timeout.
        tz: The time zone of the schedule, such as ``Europe/Riga``.
        manual_resume: Whether a paused check stays paused when it is pinged.
        methods: ``POST`` to let only POST requests count as pings, or empty.
        channels: The integrations: ``*`` for all, an empty string for none, or their ids or names, as a list or with
            commas between them.
        unique: The fields by which an existing check is found when one is created: see CheckCreate.
        start_kw: Keywords that make an e-mail or a ping body a start signal, at most 200 characters, separated by
            commas.
        success_kw: The same for success.
        failure_kw: The same for failure.
        filter_subject: Whether to look for the keywords in the subjects of e-mails.
        filter_body: Whether to look for the keywords in the bodies of e-mails.
        filter_http_body: Whether to look for the keywords in the bodies of pings.
        filter_default_fail: Whether a ping without any of the keywords is a failure (else it is ignored).
        subject: Deprecated: use success_kw and filter_subject.
        subject_fail: Deprecated: use failure_kw and filter_subject.

    Raises:
        pydantic.ValidationError: A value is one that servers refuse, or a name is unknown.
    """

    model_config = ConfigDict(strict=True, extra="forbid", validate_assignment=True)

    name: _Name | None = None
    slug: _Slug | None = None
    tags: _Tags | None = None
    desc: _Text | None = None
    timeout: _Seconds | None = None
    grace: _Seconds | None = None
    schedule: _Schedule | None = None
    tz: _TimeZone | None = None
    manual_resume: bool | None = None
    methods: Literal["", "POST"] | None = None
    channels: _Channels | None = None
    unique: _Unique | None = None
    start_kw: _Keywords | None = None
    success_kw: _Keywords | None = None
    failure_kw: _Keywords | None = None
    filter_subject: bool | None = None
    filter_body: bool | None = None
    filter_http_body: bool | None = None
    filter_default_fail: bool | None = None
    subject: _Keywords | None = None
    subject_fail: _Keywords | None = None

    @model_validator(mode="after")
    def _what_is_unique_is_set(self) -> Self:
        for field in self.unique or ():
            if field not in self.model_fields_set or getattr(self, field) is None:
                raise ValueError(f"{field} is named in unique and must be set: else each call would make a new check")
            if field == "timeout" and self.schedule is not None:
                raise ValueError("timeout is named in unique, but a check with a schedule has none")
        return self

    if not TYPE_CHECKING:  # For type checkers, it would allow any name.

        def __setattr__(self, name: str, value: object) -> None:
            """Set a field, or leave the object as it was when the value is refused."""
            before, set_before = dict(self.__dict__), set(self.model_fields_set)
            try:
                super().__setattr__(name, value)
            except ValidationError:
                self.__dict__.update(before)
                self.model_fields_set.intersection_update(set_before)
                raise

    def to_request(self) -> bytes:
        """Give the JSON that is sent: what was set, and never a null.

        Raises:
            pydantic.ValidationError: A value that was changed in place is one that servers refuse.
        """
        fields = self.model_dump(exclude_unset=True, exclude_none=True)
        if self.unique:
            # It may have been changed in place.
            fields["unique"] = self.unique
        return type(self).model_validate(fields).model_dump_json(exclude_unset=True).encode()


class CheckCreate(CheckUpdate):
    """A check to be created.

    Only what was set is sent; the defaults are the servers' own. With ``unique``, an existing check in which all the
    fields named there are equal is updated, and nothing else of it changes.

    The fields are those of CheckUpdate.

    Source: Management API, "Create a New Check".

    Raises:
        pydantic.ValidationError: A value is one that servers refuse, a name is unknown, or a field named in ``unique``
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
