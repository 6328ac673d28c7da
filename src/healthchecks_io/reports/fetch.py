"""Fetch the data that reports need."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from healthchecks_io.client import abstract_client
from healthchecks_io.client.exceptions import BadAPIRequestError, CheckNotFoundError
from healthchecks_io.client.pacing import paced
from healthchecks_io.reports.report import make_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from uuid import UUID

    from healthchecks_io.client.abstract_client import AbstractClient
    from healthchecks_io.client.call import Call
    from healthchecks_io.client.response import Response
    from healthchecks_io.client.steps import Steps
    from healthchecks_io.reports.report import Report
    from healthchecks_io.schemas.checks import Check

MAX_DAYS = 365


def checked_days(days: int) -> int:
    """Return a number of days if it is valid.

    Raises:
        BadAPIRequestError: It is not a whole number from 1 to 365.
    """
    if isinstance(days, bool) or not isinstance(days, int):
        raise BadAPIRequestError(f"days must be a whole number, not {type(days).__name__}")
    if not 1 <= days <= MAX_DAYS:
        raise BadAPIRequestError(f"days must be from 1 to {MAX_DAYS}, not {days}")
    return days


def get_report(client: AbstractClient, check_id: str | UUID | None, days: int) -> Steps[Report]:
    """Report how a check has been doing. See AbstractClient.get_report."""
    checked_days(days)
    check, now = yield _dated(abstract_client.get_call(client, check_id))
    return (yield from _report(client, check, days, now))


def list_checks(
    client: AbstractClient, tags: Iterable[str] | None, waiting: Callable[[float], None] | None = None
) -> Steps[tuple[list[Check], datetime]]:
    """Return the checks of a project, and the time of the server.

    Args:
        client: The client.
        tags: Only checks with all of these tags.
        waiting: See paced.
    """
    return paced(_list(client, tags), waiting)


def _list(client: AbstractClient, tags: Iterable[str] | None) -> Steps[tuple[list[Check], datetime]]:
    checks: tuple[list[Check], datetime] = yield _dated(abstract_client.list_call(client, tags, None))
    return checks


def report_of(
    client: AbstractClient, check: Check, days: int, now: datetime, waiting: Callable[[float], None] | None = None
) -> Steps[Report | None]:
    """Report how a check has been doing. Return None if it was deleted in the meantime.

    Args:
        client: The client.
        check: The check.
        days: The length of the window.
        now: The time of the server when it sent the check.
        waiting: See paced.
    """
    return paced(_report_if_it_exists(client, check, days, now), waiting)


def _report_if_it_exists(client: AbstractClient, check: Check, days: int, now: datetime) -> Steps[Report | None]:
    try:
        return (yield from _report(client, check, days, now))
    except CheckNotFoundError:
        # Servers older than 1.16 have neither flips nor pings. That must not make all checks disappear.
        try:
            yield abstract_client.get_call(client, check.uuid or check.unique_key)
        except CheckNotFoundError:
            return None
        raise


def get_reports(client: AbstractClient, days: int, tags: Iterable[str] | None) -> Steps[list[Report]]:
    """Report how the checks of a project have been doing, one after the other. See AbstractClient.get_reports."""
    checked_days(days)
    checks, now = yield from list_checks(client, tags)
    return (yield from reports_of(client, checks, days, now))


def reports_of(
    client: AbstractClient,
    checks: Iterable[Check],
    days: int,
    now: datetime,
    started: Callable[[int], None] | None = None,
    waiting: Callable[[float], None] | None = None,
) -> Steps[list[Report]]:
    """Report how some checks have been doing, one after the other. Checks that have since been deleted are left out.

    Args:
        client: The client.
        checks: The checks.
        days: The length of the window.
        now: The time of the server when it sent the checks.
        started: Called with the number of each check, from 1, before it is read.
        waiting: See paced.
    """
    reports: list[Report] = []
    for number, check in enumerate(checks, 1):
        if started is not None:
            started(number)
        report = yield from report_of(client, check, days, now, waiting)
        if report is not None:
            reports.append(report)
    return reports


def _report(client: AbstractClient, check: Check, days: int, now: datetime) -> Steps[Report]:
    flips = yield abstract_client.flips_call(client, check.uuid or check.unique_key, None, None, None)
    # A read-only key sees neither UUIDs nor pings.
    pings = None if check.uuid is None else (yield abstract_client.pings_call(client, check.uuid))
    return make_report(check, flips, pings, now - timedelta(days=days), now)


def _dated(call: Call[Any]) -> Call[Any]:
    """Return a call whose result is that of another one, and the time of the server."""

    def parse(response: Response) -> tuple[Any, datetime]:
        return call.parse(response), _date_of(response)

    return call.replace(parse=parse)


def _date_of(response: Response) -> datetime:
    try:
        date = parsedate_to_datetime(response.headers["Date"])
        return date.replace(tzinfo=timezone.utc) if date.utcoffset() is None else date.astimezone(timezone.utc)
    except (KeyError, ValueError, TypeError, OverflowError):
        return datetime.now(timezone.utc)
