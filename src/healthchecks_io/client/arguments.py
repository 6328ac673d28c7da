"""The arguments of the clients' methods, checked before anything is sent."""

from __future__ import annotations

from healthchecks_io.client.exceptions import BadAPIRequestError
from healthchecks_io.client.settings import is_path_segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

MAX_PING_BODY = 1_000_000
"""Bytes: servers refuse bodies of more than 2.5 MiB, and then record nothing."""

MAX_EXIT_CODE = 255

_MAX_FLIP_SECONDS = 365 * 24 * 3600
_MAX_TIMESTAMP = 10_000_000_000
_MAX_PING_NUMBER = 2**31 - 1


def identifier(name: str, value: str | UUID | None) -> str:
    """Check what names a check: a UUID or a unique key. A UUID is sent in lower case, as servers want it."""
    text = value if isinstance(value, str) else _from_uuid(name, value)
    if not is_path_segment(text):
        strangers = [character for character in text if not is_path_segment(character)]
        raise BadAPIRequestError(f"{name} must be made of letters, digits, '-' and '_': {_problem_of(strangers)}")
    return text.lower() if len(text) == 36 and text.count("-") == 4 else text


def _problem_of(strangers: list[str]) -> str:
    # The text itself is not shown: keys get mixed up with identifiers.
    return f"it has {strangers[0]!r} in it" if strangers else "it is empty"


def _from_uuid(name: str, value: object) -> str:
    from uuid import UUID

    if value is None:
        raise BadAPIRequestError(f"{name} is None: a check that was read with a read-only key has no uuid")
    if not isinstance(value, UUID):
        raise BadAPIRequestError(f"{name} must be a string or a uuid.UUID, not {type(value).__name__}")
    return str(value)


def run_id(value: str | UUID) -> str:
    """Check a run ID, and give it in the canonical form that servers want."""
    from uuid import UUID

    if isinstance(value, UUID):
        return str(value)
    if not isinstance(value, str):
        raise BadAPIRequestError(f"rid must be a UUID, as string or uuid.UUID, not {type(value).__name__}")
    try:
        rid = UUID(value)
    except ValueError:
        pass
    else:
        # Python makes a number of it, which may have signs, blanks and underscores.
        if rid.hex in value.replace("-", "").lower():
            return str(rid)
    raise BadAPIRequestError("rid must be a UUID, which this string is not")


def slug(value: str) -> str:
    """Check the slug of a check."""
    if not isinstance(value, str):
        raise BadAPIRequestError(f"slug must be a string, not {type(value).__name__}")
    if not is_path_segment(value) or value != value.lower():
        strangers = [character for character in value if not is_path_segment(character) or character.isupper()]
        raise BadAPIRequestError(f"slug must be made of a-z, 0-9, '-' and '_': {_problem_of(strangers)}")
    return value


def _whole_number(name: str, value: int, lowest: int, highest: int) -> int:
    """Check a whole number."""
    if not _is_whole_number(value):
        raise BadAPIRequestError(f"{name} must be a whole number, not {type(value).__name__}")
    if not lowest <= value <= highest:
        raise BadAPIRequestError(f"{name} must be from {lowest} to {highest}")
    return int(value)


def _is_whole_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def exit_code(value: int) -> int:
    """Check the exit status of a job."""
    return _whole_number("exit_code", value, 0, MAX_EXIT_CODE)


def ping_number(value: int) -> int:
    """Check the number of a ping."""
    return _whole_number("n", value, 1, _MAX_PING_NUMBER)


def ping_body(data: str | bytes) -> bytes:
    """Give the body of a ping: the end of it when it is too long for any server."""
    if isinstance(data, bytes):
        return data[-MAX_PING_BODY:]
    if not isinstance(data, str):
        raise BadAPIRequestError(f"data must be str or bytes, not {type(data).__name__}")
    body = data[-MAX_PING_BODY:].encode("utf-8", "replace")
    return body[-MAX_PING_BODY:].decode("utf-8", "ignore").encode() if len(body) > MAX_PING_BODY else body


def checks_query(tags: Iterable[str] | None, slug: str | None) -> str:
    """Build the filters of a list of checks. Several tags are ANDed by the server."""
    from collections.abc import Iterable

    if isinstance(tags, (str, bytes)):
        raise BadAPIRequestError("tags must be a list of strings, not one string: a check must have all of them")
    if tags is not None and not isinstance(tags, Iterable):
        raise BadAPIRequestError(f"tags must be a list of strings, not {type(tags).__name__}")
    pairs = [("tag", tag) for tag in tags or ()]
    if slug is not None:
        pairs.append(("slug", slug))
    for name, value in pairs:
        if not isinstance(value, str):
            raise BadAPIRequestError(f"a {name} must be a string, not {type(value).__name__}")
    return _query(pairs)


def flips_query(seconds: int | None, start: int | datetime | None, end: int | datetime | None) -> str:
    """Build the filters of a list of flips."""
    pairs: list[tuple[str, str]] = []
    if seconds is not None:
        pairs.append(("seconds", str(_whole_number("seconds", seconds, 0, _MAX_FLIP_SECONDS))))
    if start is not None:
        pairs.append(("start", str(_timestamp("start", start))))
    if end is not None:
        pairs.append(("end", str(_timestamp("end", end))))
    return _query(pairs)


def _timestamp(name: str, value: int | datetime) -> int:
    from datetime import datetime

    if isinstance(value, datetime):
        if value.utcoffset() is None:
            raise BadAPIRequestError(f"{name} must have a time zone: datetime.now(timezone.utc), for instance")
        # A fraction of a second at the end counts, and servers take whole seconds only.
        value = int(value.timestamp()) + (1 if name == "end" and value.microsecond else 0)
    elif not _is_whole_number(value):
        raise BadAPIRequestError(f"{name} must be UNIX seconds (int) or an aware datetime, not {type(value).__name__}")
    return _whole_number(name, value, 0, _MAX_TIMESTAMP)


def _query(pairs: list[tuple[str, str]]) -> str:
    from urllib.parse import urlencode

    try:
        return urlencode(pairs)
    except UnicodeEncodeError:
        names = " and ".join(dict(pairs))
        raise BadAPIRequestError(f"{names} must be text that can be sent: without lone surrogates") from None
