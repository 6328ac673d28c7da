"""Parsers for the documented responses.

A parser takes a Response and returns the result of the client method. It raises an UnexpectedResponseError for any
undocumented response, and the client then raises an exception of its ``kind``. Schemas are imported when a response is
parsed, because pings do not need pydantic.
"""

from __future__ import annotations

from healthchecks_io.client.exceptions import (
    CheckNotFoundError,
    HCAPIError,
    HCAPIRateLimitError,
    PingFailedError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from healthchecks_io.client.call import T
    from healthchecks_io.client.ping_result import PingResult
    from healthchecks_io.client.response import Response
    from healthchecks_io.schemas.badges import Badges
    from healthchecks_io.schemas.checks import Check, CheckPings, CheckStatuses
    from healthchecks_io.schemas.integrations import Integration


_MAX_DIGITS = 20

_PING_ERRORS: dict[str, type[HCAPIError]] = {
    "not found": CheckNotFoundError,
    "rate limited": HCAPIRateLimitError,
    "rate-limited": HCAPIRateLimitError,
}
"""Texts that healthchecks.io uses to report an error although the status of the response is 200."""


class UnexpectedResponseError(Exception):
    """Raised for an undocumented response. The message states the reason, unless the response does.

    Attributes:
        kind: The class of the exception that the client raises.
    """

    def __init__(self, message: str, kind: type[HCAPIError] = HCAPIError) -> None:
        super().__init__(message)
        self.kind = kind


def ping(response: Response) -> PingResult:
    """Parse the response to a ping."""
    from healthchecks_io.client.ping_result import PingResult

    text = response.text()
    if (response.status_code, text) in ((200, "OK"), (201, "Created")):
        return PingResult(success=True, text=text)
    lower = text.lower()
    for phrase, kind in _PING_ERRORS.items():
        if phrase in lower:
            raise UnexpectedResponseError("", kind)
    return PingResult(success=False, text=text)


def run_ping(response: Response) -> int | None:
    """Parse the response to a ping of a run. Return the body limit in bytes if the server announces one."""
    if not ping(response).success:
        raise UnexpectedResponseError("expected OK", PingFailedError)
    limit = response.headers.get("Ping-Body-Limit", "")
    return int(limit) if limit.isdecimal() and len(limit) < _MAX_DIGITS else None


def ping_body(response: Response) -> bytes:
    """Return the body of a logged ping, unchanged."""
    return response.body


def status(response: Response) -> bool:
    """Return whether the server's database works."""
    if response.status_code >= 500:
        return False
    if response.text() != "OK":
        raise UnexpectedResponseError("expected the text OK")
    return True


def check(response: Response) -> Check:
    """Parse a check."""
    from healthchecks_io.schemas.checks import Check

    return _validated(Check.model_validate_json, response)


def saved_check(request_body: bytes) -> Callable[[Response], Check]:
    """Return a parser for the check that a request saved. It logs which fields the server ignored."""

    def parse(response: Response) -> Check:
        import json
        import logging

        from healthchecks_io.client.logger import log

        saved = check(response)
        has_schedule = saved.schedule is not None
        not_returned = {"unique", "timeout"} if has_schedule else {"unique", "schedule", "tz"}
        sent = json.loads(request_body or b"{}")
        ignored = sent.keys() - saved.model_fields_set - not_returned
        if saved.slug != sent.get("slug", saved.slug):
            # Servers from 1.23 to 2.9 derive the slug from the name.
            ignored.add("slug")
        if ignored:
            names = ", ".join(sorted(ignored))
            log(logging.WARNING, "the server is too old for these fields of a check, and ignored them: %s", names)
        return saved

    return parse


def checks(response: Response) -> list[Check]:
    """Parse a list of checks."""
    from healthchecks_io.schemas.checks import Checks

    return _validated(Checks.model_validate_json, response).checks


def checks_with_slug(slug: str) -> Callable[[Response], list[Check]]:
    """Return a parser for the checks with a slug. Servers older than 2.10 return all checks, whatever their slug."""
    return lambda response: [each for each in checks(response) if each.slug == slug]


def pings(response: Response) -> list[CheckPings]:
    """Parse a list of pings."""
    from healthchecks_io.schemas.checks import Pings

    return _validated(Pings.model_validate_json, response).pings


def flips(response: Response) -> list[CheckStatuses]:
    """Parse a list of flips."""
    from healthchecks_io.schemas.checks import Flips

    return _validated(Flips.model_validate_json, response).flips


def integrations(response: Response) -> list[Integration]:
    """Parse a list of integrations."""
    from healthchecks_io.schemas.integrations import Integrations

    return _validated(Integrations.model_validate_json, response).channels


def badges(response: Response) -> dict[str, Badges]:
    """Parse the badges of a project."""
    from healthchecks_io.schemas.badges import ProjectBadges

    return _validated(lambda body: ProjectBadges.model_validate_json(body).by_tag(), response)


def _validated(validate: Callable[[bytes], T], response: Response) -> T:
    from pydantic import ValidationError

    from healthchecks_io.schemas.problems import problems_of

    try:
        return validate(response.body)
    except ValidationError as error:
        field, message = next(problems_of(error))
    # Raise outside the except block: pydantic's error quotes the response, which may contain secrets.
    raise UnexpectedResponseError(f"{field}: {message}" if field else message)
