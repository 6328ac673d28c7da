"""Validate the arguments of the clients' methods, before anything is sent."""

from __future__ import annotations

from healthchecks_io.client.exceptions import BadAPIRequestError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta
    from uuid import UUID

MAX_PING_BODY = 1_000_000
"""In bytes. Servers reject bodies longer than 2.5 MiB and then do not record the ping."""

MAX_EXIT_CODE = 255

_MAX_FLIP_SECONDS = 365 * 24 * 3600
_MAX_TIMESTAMP = 10_000_000_000
_MAX_PING_NUMBER = 2**31 - 1


def is_path_segment(text: str) -> bool:
    """Return whether a text can be a segment of a URL path without quoting."""
    return text.isascii() and text.replace("-", "a").replace("_", "a").isalnum()


def identifier(name: str, value: str | UUID | None) -> str:
    """Return the path segment for a UUID or unique key. Servers accept UUIDs only in lower case."""
    text = value if isinstance(value, str) else _from_uuid(name, value)
    if "://" in text:
        raise BadAPIRequestError(f"{name} must be a UUID or unique key, not a URL: pass only the last part of the URL")
    if not is_path_segment(text):
        invalid = [character for character in text if not is_path_segment(character)]
        raise BadAPIRequestError(f"{name} must consist of letters, digits, '-' and '_': {_problem_with(invalid)}")
    return text.lower() if len(text) == 36 and text.count("-") == 4 else text


def _problem_with(invalid: list[str]) -> str:
    # Do not show the text itself: it may be a key that was passed by mistake.
    return f"it contains {invalid[0]!r}" if invalid else "it is empty"


def _from_uuid(name: str, value: object) -> str:
    from uuid import UUID

    if value is None:
        raise BadAPIRequestError(f"{name} is None: a check read with a read-only key has no uuid. Use a read-write key")
    if not isinstance(value, UUID):
        raise BadAPIRequestError(f"{name} must be a string or a uuid.UUID, not {type(value).__name__}")
    return str(value)


def run_id(name: str, value: str | UUID) -> str:
    """Return a run ID in the canonical form that servers expect."""
    if isinstance(value, str) and _is_canonical(value):
        return value
    from uuid import UUID

    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, str):
        raise BadAPIRequestError(f"{name} must be a UUID (a string or uuid.UUID), not {type(value).__name__}")
    try:
        rid = UUID(value)
    except ValueError:
        pass
    else:
        # uuid.UUID also accepts what int() accepts: signs, spaces and underscores.
        if rid.hex in value.replace("-", "").lower():
            return str(rid)
    raise BadAPIRequestError(f"{name} is not a valid UUID")


def _is_canonical(text: str) -> bool:
    """Return whether a text is a UUID in canonical form. Importing the module uuid takes 2% of a script."""
    return [len(part) for part in text.split("-")] == [8, 4, 4, 4, 12] and set(text) <= set("-0123456789abcdef")


def slug(name: str, value: str) -> str:
    """Return a slug if it is valid."""
    if not isinstance(value, str):
        raise BadAPIRequestError(f"{name} must be a string, not {type(value).__name__}")
    if not is_path_segment(value) or value != value.lower():
        invalid = [character for character in value if not is_path_segment(character) or character.isupper()]
        raise BadAPIRequestError(f"{name} must consist of a-z, 0-9, '-' and '_': {_problem_with(invalid)}")
    return value


def _whole_number(name: str, value: int, lowest: int, highest: int) -> int:
    if not _is_whole_number(value):
        raise BadAPIRequestError(f"{name} must be a whole number, not {type(value).__name__}")
    if not lowest <= value <= highest:
        raise BadAPIRequestError(f"{name} must be from {lowest} to {highest}")
    return int(value)


def _is_whole_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def exit_code(value: int) -> int:
    """Return an exit status if it is valid."""
    return _whole_number("exit_code", value, 0, MAX_EXIT_CODE)


def ping_number(name: str, value: int) -> int:
    """Return the number of a ping if it is valid."""
    return _whole_number(name, value, 1, _MAX_PING_NUMBER)


def ping_body(data: str | bytes) -> bytes:
    """Return the body of a ping as bytes. If it is too long for any server, only its end is kept."""
    if isinstance(data, bytes):
        return data[-MAX_PING_BODY:]
    if not isinstance(data, str):
        raise BadAPIRequestError(f"data must be str or bytes, not {type(data).__name__}")
    body = data[-MAX_PING_BODY:].encode("utf-8", "replace")
    return body[-MAX_PING_BODY:].decode("utf-8", "ignore").encode() if len(body) > MAX_PING_BODY else body


def checks_query(tags: Iterable[str] | None, slug: str | None) -> str:
    """Return the query string that filters a list of checks. The server combines tags with AND."""
    from collections.abc import Iterable

    if isinstance(tags, (str, bytes)):
        raise BadAPIRequestError("tags must be a list of strings, not a single string")
    if tags is not None and not isinstance(tags, Iterable):
        raise BadAPIRequestError(f"tags must be a list of strings, not {type(tags).__name__}")
    pairs = [("tag", tag) for tag in tags or ()]
    if slug is not None:
        pairs.append(("slug", slug))
    for name, value in pairs:
        if not isinstance(value, str):
            raise BadAPIRequestError(f"a {name} must be a string, not {type(value).__name__}")
    return _query(pairs)


def flips_query(
    seconds: int | timedelta | str | None, start: float | datetime | None, end: float | datetime | None
) -> str:
    """Return the query string that filters a list of flips.

    Servers accept whole seconds only. The interval is extended to whole seconds, so that it contains the given one.
    """
    import math

    pairs: list[tuple[str, str]] = []
    if seconds is not None:
        pairs.append(("seconds", str(flip_seconds("seconds", seconds))))
    if start is not None:
        pairs.append(("start", str(math.floor(unix_seconds("start", start)))))
    if end is not None:
        pairs.append(("end", str(math.ceil(unix_seconds("end", end)))))
    return _query(pairs)


def flip_seconds(name: str, value: int | timedelta | str) -> int:
    """Return the length of the interval before the present in whole seconds if it is valid."""
    from datetime import timedelta

    if isinstance(value, timedelta):
        whole, fraction = divmod(value, timedelta(seconds=1))
        value = whole + 1 if whole >= 0 and fraction else whole
    elif isinstance(value, str):
        from healthchecks_io._durations import parse_whole_seconds

        try:
            value = parse_whole_seconds(value)
        except ValueError as error:
            raise BadAPIRequestError(f"{name}: {error}") from None
    elif not _is_whole_number(value):
        raise BadAPIRequestError(
            f"{name} must be whole seconds, a timedelta or text such as '1h 30m', not {type(value).__name__}"
        )
    return _whole_number(name, value, 0, _MAX_FLIP_SECONDS)


def unix_seconds(name: str, value: float | datetime) -> float:
    """Return a time as UNIX seconds if it is valid."""
    from datetime import datetime

    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise BadAPIRequestError(f"{name} must be an aware datetime, such as datetime.now(timezone.utc)")
        value = value.timestamp()
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise BadAPIRequestError(
            f"{name} must be UNIX seconds (int or float) or an aware datetime, not {type(value).__name__}"
        )
    if not 0 <= value <= _MAX_TIMESTAMP:
        raise BadAPIRequestError(f"{name} must be from 0 to {_MAX_TIMESTAMP} UNIX seconds, or a datetime in that range")
    return value


def _query(pairs: list[tuple[str, str]]) -> str:
    from urllib.parse import urlencode

    try:
        return f"?{urlencode(pairs)}" if pairs else ""
    except UnicodeEncodeError:
        names = " and ".join(dict(pairs))
        raise BadAPIRequestError(f"{names} must not contain lone surrogates") from None
