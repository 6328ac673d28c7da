"""Parse the fields of a check in a request, and reject invalid ones with the error messages of the real server."""

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
    """Raised for a value that the server does not accept. `{}` in the message is a placeholder for the field name."""


@dataclass(frozen=True)
class Fields:
    """The fields of a request. Fields that the request does not set are None."""

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


def parse_fields(body: Mapping[str, object]) -> Fields:
    """Parse and validate the fields in the JSON object of a request. Unknown names are ignored.

    Raises:
        InvalidFieldError: A field is invalid. The message is the server's message for the first such field.
        OverflowError: The timeout or grace is so large that the real server fails as well.
    """
    values: dict[str, Any] = {}
    for name, parser in _PARSERS.items():
        if name in body:
            try:
                values[name] = parser(body[name])
            except InvalidFieldError as error:
                raise InvalidFieldError(str(error).format(name)) from None
    return Fields(**values)


def _parse_text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidFieldError("{} is not a string")
    return value


def _text_parser(max_length: int) -> Callable[[object], str]:
    def parse(value: object) -> str:
        text = _parse_text(value)
        if len(text) > max_length:
            raise InvalidFieldError("{} is too long")
        return text

    return parse


def _parse_bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidFieldError("{} is not a boolean")
    return value


def _parse_seconds(value: object) -> timedelta:
    # The server, too, accepts a bool as an int: true is one second.
    if not isinstance(value, int):
        raise InvalidFieldError("{} is not a number")
    duration = timedelta(seconds=value)
    if value < MIN_SECONDS:
        raise InvalidFieldError("{} is too small")
    if value > MAX_SECONDS:
        raise InvalidFieldError("{} is too large")
    return duration


def _parse_methods(value: object) -> str:
    if value not in ("", "POST"):
        raise InvalidFieldError("{} has unexpected value")
    return _parse_text(value)


def _parse_schedule(value: object) -> str:
    text = _text_parser(MAX_SCHEDULE_LENGTH)(value)
    if not is_schedule(text):
        raise InvalidFieldError("{} is not a valid cron or OnCalendar expression")
    return text


def _parse_slug(value: object) -> str:
    text = _text_parser(MAX_SLUG_LENGTH)(value)
    if not re.fullmatch(SLUG_PATTERN, text):
        raise InvalidFieldError("{} does not match pattern")
    return text


def _parse_time_zone(value: object) -> str:
    name = canonical_name(_parse_text(value))
    if name is None:
        raise InvalidFieldError("{} is not a valid timezone")
    return name


def _parse_unique(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise InvalidFieldError("{} is not an array")
    names = cast("list[object]", value)
    if any(name not in ("name", "slug", "tags", "timeout", "grace") for name in names):
        raise InvalidFieldError("an item in '{}' has unexpected value")
    return tuple(map(_parse_text, names))


_parse_keywords = _text_parser(MAX_KEYWORDS_LENGTH)

# In the order in which the server validates them.
_PARSERS: dict[str, Callable[[object], object]] = {
    "channels": _parse_text,
    "desc": _parse_text,
    "failure_kw": _parse_keywords,
    "filter_subject": _parse_bool,
    "filter_body": _parse_bool,
    "filter_http_body": _parse_bool,
    "filter_default_fail": _parse_bool,
    "grace": _parse_seconds,
    "manual_resume": _parse_bool,
    "methods": _parse_methods,
    "name": _text_parser(MAX_NAME_LENGTH),
    "schedule": _parse_schedule,
    "slug": _parse_slug,
    "start_kw": _parse_keywords,
    "subject": _parse_keywords,
    "subject_fail": _parse_keywords,
    "success_kw": _parse_keywords,
    "tags": _parse_text,
    "timeout": _parse_seconds,
    "tz": _parse_time_zone,
    "unique": _parse_unique,
}
