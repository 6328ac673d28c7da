"""Parse the fields of a check in a request, and reject invalid ones with the error messages of the real server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any, cast

from healthchecks_io.sandbox.schedules import is_schedule, stored_name
from healthchecks_io.schemas.limits import (
    MAX_KEYWORDS_LENGTH,
    MAX_NAME_LENGTH,
    MAX_SCHEDULE_LENGTH,
    MAX_SECONDS,
    MAX_SLUG_LENGTH,
    MIN_SECONDS,
    SLUG_PATTERN,
    is_cron,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healthchecks_io.sandbox.versions import ServerVersion

_OLD_MAX_SECONDS = 30 * 24 * 3600


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


def parse_fields(body: Mapping[str, object], server: ServerVersion) -> Fields:
    """Parse and validate the fields in the JSON object of a request. Names that the server does not know are ignored.

    Raises:
        InvalidFieldError: A field is invalid. The message is the server's message for the first such field.
        OverflowError: The timeout or grace is so large that the real server fails as well.
    """
    values: dict[str, Any] = {}
    for name, parser in _parsers(server).items():
        if name in body and server.accepts(name):
            try:
                values[name] = parser(body[name])
            except InvalidFieldError as error:
                raise InvalidFieldError(str(error).format(name)) from None
    if "schedule" not in values and not server.has("tz without schedule"):
        values.pop("tz", None)
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


def _parse_seconds(value: object, server: ServerVersion) -> timedelta:
    # The server, too, accepts a bool as an int: true is one second.
    if not isinstance(value, int):
        raise InvalidFieldError("{} is not a number")
    duration = timedelta(seconds=value)
    if value < MIN_SECONDS:
        raise InvalidFieldError("{} is too small")
    if value > (MAX_SECONDS if server.has("timeouts over 30 days") else _OLD_MAX_SECONDS):
        raise InvalidFieldError("{} is too large")
    return duration


def _parse_methods(value: object) -> str:
    if value not in ("", "POST"):
        raise InvalidFieldError("{} has unexpected value")
    return _parse_text(value)


def _parse_schedule(value: object, server: ServerVersion) -> str:
    text = _text_parser(MAX_SCHEDULE_LENGTH)(value)
    if not server.has("OnCalendar"):
        is_known = is_cron(text) and ("LW" not in text.upper() or server.has("cron LW"))
        if not (is_known and is_schedule(text)):
            raise InvalidFieldError("{} is not a valid cron expression")
    elif not is_schedule(text):
        raise InvalidFieldError("{} is not a valid cron or OnCalendar expression")
    return text


def _parse_slug(value: object) -> str:
    text = _text_parser(MAX_SLUG_LENGTH)(value)
    if not re.fullmatch(SLUG_PATTERN, text):
        raise InvalidFieldError("{} does not match pattern")
    return text


def _parse_time_zone(value: object, server: ServerVersion) -> str:
    name = stored_name(_parse_text(value), has_current_names=server.has("current time zones"))
    if name is None:
        raise InvalidFieldError("{} is not a valid timezone")
    return name


def _parse_unique(value: object, server: ServerVersion) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise InvalidFieldError("{} is not an array")
    names = cast("list[object]", value)
    allowed = {"name", "tags", "timeout", "grace", *(["slug"] if server.has("unique slug") else [])}
    if any(name not in allowed for name in names):
        raise InvalidFieldError("an item in '{}' has unexpected value")
    return tuple(map(_parse_text, names))


_parse_keywords = _text_parser(MAX_KEYWORDS_LENGTH)


@cache
def _parsers(server: ServerVersion) -> dict[str, Callable[[object], object]]:
    """Return the parsers of all fields, in the order in which the newest server validates them."""
    parse_seconds = partial(_parse_seconds, server=server)
    return {
        "channels": _parse_text,
        "desc": _parse_text,
        "failure_kw": _parse_keywords,
        "filter_subject": _parse_bool,
        "filter_body": _parse_bool,
        "filter_http_body": _parse_bool,
        "filter_default_fail": _parse_bool,
        "grace": parse_seconds,
        "manual_resume": _parse_bool,
        "methods": _parse_methods,
        "name": _text_parser(MAX_NAME_LENGTH),
        "schedule": partial(_parse_schedule, server=server),
        "slug": _parse_slug,
        "start_kw": _parse_keywords,
        "subject": _parse_keywords,
        "subject_fail": _parse_keywords,
        "success_kw": _parse_keywords,
        "tags": _parse_text,
        "timeout": parse_seconds,
        "tz": partial(_parse_time_zone, server=server),
        "unique": partial(_parse_unique, server=server),
    }
