"""Which version of the Healthchecks server introduced what, so that the sandbox can behave like an older one."""

from __future__ import annotations

import re
from typing import NamedTuple

_BEHAVIOR = {
    "api/v1": "1.0",
    "flips": "1.16",
    "pings": "1.16",
    "unique keys": "1.16",
    "channels by name": "1.18",
    "exit statuses": "1.18",
    "tz without schedule": "1.18",
    "badges": "1.23",
    "limit of exit statuses": "1.23",
    "slugs": "1.23",
    "text for unknown checks": "1.23",
    "ping bodies that are not UTF-8": "1.24",
    "timeouts over 30 days": "1.24",
    "ping bodies as bytes": "2.0",
    "Ping-Body-Limit": "2.1",
    "log pings": "2.3",
    "resume": "2.3",
    "access to ping bodies": "2.5",
    "run IDs": "2.5",
    "api/v2": "2.6",
    "api/v3": "2.10",
    "cron LW": "2.10",
    "create=1": "2.10",
    "filter by slug": "2.10",
    "unique slug": "2.10",
    "OnCalendar": "3.1",
    "badges of checks": "3.3",
    "current time zones": "3.4",
    "lower-case slugs only": "4.1",
    "limit for create=1": "4.3",
}
_REQUEST_FIELDS = {
    "manual_resume": "1.16",
    "methods": "1.17",
    "subject": "2.2",
    "subject_fail": "2.2",
    "failure_kw": "2.3",
    "filter_body": "2.3",
    "filter_subject": "2.3",
    "success_kw": "2.3",
    "start_kw": "2.6",
    "slug": "2.10",
    "filter_default_fail": "3.13",
    "filter_http_body": "3.13",
}
_RESPONSE_FIELDS = {
    **_REQUEST_FIELDS,
    "slug": "1.23",
    "resume_url": "2.3",
    "body_url": "2.5",
    "rid": "2.5",
    "started": "2.6",
    "uuid": "3.5",
    "badge_url": "3.10",
}
_LAST_MINOR_VERSIONS = {1: 25, 2: 10, 3: 13, 4: 3}


class ServerVersion(NamedTuple):
    """A version of the server, without its patch level."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"

    def has(self, feature: str) -> bool:
        """Return True if the server behaves as described by a name in the table."""
        return self >= _BEHAVIOR_SINCE[feature]

    def accepts(self, field: str) -> bool:
        """Return True if requests can set a field of a check. The server ignores other fields."""
        return self >= _REQUEST_FIELDS_SINCE.get(field, OLDEST)

    def shows(self, field: str) -> bool:
        """Return True if responses contain a field of a check or a ping."""
        return self >= _RESPONSE_FIELDS_SINCE.get(field, OLDEST)


def _parse(text: str) -> ServerVersion:
    major, minor = text.split(".")
    return ServerVersion(int(major), int(minor))


def parse_version(text: object) -> ServerVersion:
    """Parse the version of a server, such as "2.10". A patch level and a leading v, as in "v2.8.1", do not matter.

    Raises:
        ValueError: There is no such version, or the sandbox cannot behave like it.
    """
    # Not a number: 2.10 would be 2.1.
    found = re.fullmatch(r"v?([0-9]\.(?:[0-9]|[1-9][0-9]))(?:\.[0-9]{1,3})?", text) if isinstance(text, str) else None
    if found is not None:
        version = _parse(found[1])
        if version >= OLDEST and version.minor <= _LAST_MINOR_VERSIONS.get(version.major, -1):
            return version
    raise ValueError(f'version must be a version of Healthchecks from "{OLDEST}" to "{NEWEST}", not {text!r}')


_BEHAVIOR_SINCE, _REQUEST_FIELDS_SINCE, _RESPONSE_FIELDS_SINCE = (
    {name: _parse(version) for name, version in table.items()}
    for table in (_BEHAVIOR, _REQUEST_FIELDS, _RESPONSE_FIELDS)
)
OLDEST = ServerVersion(1, 15)
NEWEST = ServerVersion(*max(_LAST_MINOR_VERSIONS.items()))
