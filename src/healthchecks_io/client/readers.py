"""How the documented answers are read.

A reader takes an Answer and gives what the method of the client returns. What is not the documented answer is an
UnexpectedAnswerError, which the clients turn into an HCAPIError. The schemas are imported when an answer is read: a
ping has no need of them.
"""

from __future__ import annotations

from healthchecks_io.client.exceptions import HCAPIError, PingFailedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from healthchecks_io.client.operation import T
    from healthchecks_io.client.outcomes import Answer
    from healthchecks_io.client.ping_result import PingResult
    from healthchecks_io.schemas.badges import Badges
    from healthchecks_io.schemas.checks import Check, CheckPings, CheckStatuses
    from healthchecks_io.schemas.integrations import Integration


DEFAULT_BODY_LIMIT = 10_000
"""Bytes that a server keeps of a ping's body, when it does not say how many."""

_MAX_DIGITS = 20


class UnexpectedAnswerError(Exception):
    """The answer is not the documented one; the message says where.

    Attributes:
        kind: The error that the caller gets.
    """

    def __init__(self, message: str, kind: type[HCAPIError] = HCAPIError) -> None:
        super().__init__(message)
        self.kind = kind


def _parsed(read: Callable[[bytes], T], answer: Answer) -> T:
    from pydantic import ValidationError

    try:
        return read(answer.body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    # Outside of the handler: pydantic's own message quotes the answer, which may have anything in it.
    where = ".".join(map(str, first["loc"]))
    raise UnexpectedAnswerError(f"{where}: {first['msg']}" if where else first["msg"])


def check(answer: Answer) -> Check:
    """Read a check."""
    from healthchecks_io.schemas.checks import Check

    return _parsed(Check.model_validate_json, answer)


def checks(answer: Answer) -> list[Check]:
    """Read a list of checks."""
    from healthchecks_io.schemas.checks import Checks

    return _parsed(Checks.model_validate_json, answer).checks


def pings(answer: Answer) -> list[CheckPings]:
    """Read a list of pings."""
    from healthchecks_io.schemas.checks import Pings

    return _parsed(Pings.model_validate_json, answer).pings


def flips(answer: Answer) -> list[CheckStatuses]:
    """Read a list of flips."""
    from healthchecks_io.schemas.checks import Flips

    return _parsed(Flips.model_validate_json, answer).flips


def integrations(answer: Answer) -> list[Integration]:
    """Read a list of integrations."""
    from healthchecks_io.schemas.integrations import Integrations

    return _parsed(Integrations.model_validate_json, answer).channels


def badges(answer: Answer) -> dict[str, Badges]:
    """Read the badges of a project."""
    from healthchecks_io.schemas.badges import ProjectBadges

    return _parsed(lambda body: ProjectBadges.model_validate_json(body).by_tag(), answer)


def body(answer: Answer) -> bytes:
    """Read the body of a ping: as it is."""
    return answer.body


def status(answer: Answer) -> bool:
    """Read whether the service says that its database works."""
    if answer.status_code >= 500:
        return False
    if answer.text() != "OK":
        raise UnexpectedAnswerError("the text OK was expected")
    return True


def ping(answer: Answer) -> PingResult:
    """Read the answer to a ping."""
    from healthchecks_io.client.ping_result import PingResult

    text = answer.text()
    return PingResult((answer.status_code, text) in ((200, "OK"), (201, "Created")), text)


def ping_of_run(answer: Answer) -> int:
    """Read the answer to a ping of a CheckTrap: how many bytes of a body the server keeps."""
    if not ping(answer).success:
        raise UnexpectedAnswerError("OK was expected", PingFailedError)
    limit = answer.headers.get("Ping-Body-Limit", "")
    return int(limit) if limit.isdecimal() and len(limit) < _MAX_DIGITS else DEFAULT_BODY_LIMIT
