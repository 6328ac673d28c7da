"""The fields of a check as requests give them, and what the server says of those it does not accept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from healthchecks_io.sandbox.schedules import canonical_name, is_schedule
from healthchecks_io.schemas.limits import (
    MAX_KEYWORDS_LENGTH,
    MAX_NAME_LENGTH,
    MAX_SCHEDULE_LENGTH,
    MAX_SECONDS,
    MAX_SLUG_LENGTH,
    MIN_SECONDS,
    SLUG_PATTERN,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class InvalidFieldError(ValueError):
    """A value that the server does not accept; `{}` in its text stands for the name of the field."""


@dataclass(frozen=True)
class Fields:
    """The fields that a request gave, None where it gave none."""

    channels: str | None = None
    desc: str | None = None
    failure_kw: str | None = None
    filter_subject: bool | None = None
    filter_body: bool | None = None
    filter_http_body: bool | None = None
    filter_default_fail: bool | None = None
    grace: timedelta | None = None
    manual_resume: bool | None = None
    methods: str | None = None
    name: str | None = None
    schedule: str | None = None
    slug: str | None = None
    start_kw: str | None = None
    subject: str | None = None
    subject_fail: str | None = None
    success_kw: str | None = None
    tags: str | None = None
    timeout: timedelta | None = None
    tz: str | None = None
    unique: tuple[str, ...] = ()


def read_fields(body: Mapping[str, object]) -> Fields:
    """Check the fields in the JSON object of a request; names that are no fields are ignored.

    Raises:
        InvalidFieldError: With the server's text, for the first field that it does not accept.
        OverflowError: A timeout or grace that the real server stumbles over, too.
    """
    values: dict[str, Any] = {}
    for name, reader in _READERS.items():
        if name in body:
            try:
                values[name] = reader(body[name])
            except InvalidFieldError as error:
                raise InvalidFieldError(str(error).format(name)) from None
    return Fields(**values)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidFieldError("{} is not a string")
    return value


def _text_up_to(length: int) -> Callable[[object], str]:
    def read(value: object) -> str:
        text = _text(value)
        if len(text) > length:
            raise InvalidFieldError("{} is too long")
        return text

    return read


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidFieldError("{} is not a boolean")
    return value


def _seconds(value: object) -> timedelta:
    # A bool is an int, to the server too: true counts as one second.
    if not isinstance(value, int):
        raise InvalidFieldError("{} is not a number")
    duration = timedelta(seconds=value)
    if value < MIN_SECONDS:
        raise InvalidFieldError("{} is too small")
    if value > MAX_SECONDS:
        raise InvalidFieldError("{} is too large")
    return duration


def _methods(value: object) -> str:
    if value not in ("", "POST"):
        raise InvalidFieldError("{} has unexpected value")
    return _text(value)


def _schedule(value: object) -> str:
    text = _text_up_to(MAX_SCHEDULE_LENGTH)(value)
    if not is_schedule(text):
        raise InvalidFieldError("{} is not a valid cron or OnCalendar expression")
    return text


def _slug(value: object) -> str:
    text = _text_up_to(MAX_SLUG_LENGTH)(value)
    if not re.fullmatch(SLUG_PATTERN, text):
        raise InvalidFieldError("{} does not match pattern")
    return text


def _time_zone(value: object) -> str:
    name = canonical_name(_text(value))
    if name is None:
        raise InvalidFieldError("{} is not a valid timezone")
    return name


def _unique(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise InvalidFieldError("{} is not an array")
    names = cast("list[object]", value)
    if any(name not in ("name", "slug", "tags", "timeout", "grace") for name in names):
        raise InvalidFieldError("an item in '{}' has unexpected value")
    return tuple(map(_text, names))


_keywords = _text_up_to(MAX_KEYWORDS_LENGTH)

# In the order in which the server looks at them.
_READERS: dict[str, Callable[[object], object]] = {
    "channels": _text,
    "desc": _text,
    "failure_kw": _keywords,
    "filter_subject": _flag,
    "filter_body": _flag,
    "filter_http_body": _flag,
    "filter_default_fail": _flag,
    "grace": _seconds,
    "manual_resume": _flag,
    "methods": _methods,
    "name": _text_up_to(MAX_NAME_LENGTH),
    "schedule": _schedule,
    "slug": _slug,
    "start_kw": _keywords,
    "subject": _keywords,
    "subject_fail": _keywords,
    "success_kw": _keywords,
    "tags": _text,
    "timeout": _seconds,
    "tz": _time_zone,
    "unique": _unique,
}
