"""Serialize checks, pings and flips to the JSON objects of the management API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthchecks_io.sandbox.state import should_show_durations
from healthchecks_io.sandbox.versions import NEWEST

if TYPE_CHECKING:
    from datetime import datetime

    from healthchecks_io.sandbox.state import Check, Flip, Ping
    from healthchecks_io.sandbox.versions import ServerVersion


def serialize_check(
    check: Check,
    now: datetime,
    *,
    root: str,
    version: int,
    read_only: bool = False,
    server: ServerVersion = NEWEST,
) -> dict[str, Any]:
    """Return the JSON object of a check, for a version of the API, a type of key, and a version of the server."""
    serialized: dict[str, Any] = {
        "name": check.name,
        "slug": check.slug,
        "tags": check.tags,
        "desc": check.desc,
        "grace": int(check.grace.total_seconds()),
        "n_pings": check.n_pings,
        "status": check.status_at(now, version),
        "started": check.last_start is not None,
        "last_ping": _whole_seconds(check.last_ping),
        "next_ping": _whole_seconds(check.next_ping),
        "manual_resume": check.manual_resume,
        "methods": check.methods,
        "subject": check.success_kw if check.filter_subject else "",
        "subject_fail": check.failure_kw if check.filter_subject else "",
        "start_kw": check.start_kw,
        "success_kw": check.success_kw,
        "failure_kw": check.failure_kw,
        "filter_subject": check.filter_subject,
        "filter_body": check.filter_body,
        "filter_http_body": check.filter_http_body,
        "filter_default_fail": check.filter_default_fail,
        "badge_url": f"{root}/b/2/{check.badge_key}.svg",
    }
    if check.last_duration is not None:
        serialized["last_duration"] = int(check.last_duration.total_seconds())
    if read_only:
        serialized["unique_key"] = check.unique_key
    else:
        update_url = f"{root}/api/v{version}/checks/{check.uuid}"
        serialized["uuid"] = check.uuid
        serialized["ping_url"] = f"{root}/ping/{check.uuid}"
        serialized["update_url"] = update_url
        serialized["pause_url"] = f"{update_url}/pause"
        serialized["resume_url"] = f"{update_url}/resume"
        serialized["channels"] = ",".join(sorted(check.channels))
    if check.schedule:
        serialized["schedule"] = check.schedule
        serialized["tz"] = check.tz
    else:
        serialized["timeout"] = int(check.timeout.total_seconds())
    return _known_fields(serialized, server)


def serialize_pings(pings: list[Ping], check_url: str, server: ServerVersion) -> list[dict[str, Any]]:
    """Return the JSON objects of a check's pings, newest first. `check_url` is the API URL of the check."""
    show_durations = should_show_durations(pings)
    serialized_pings: list[dict[str, Any]] = []
    for ping in pings:
        serialized: dict[str, Any] = {
            "type": ping.type,
            "date": ping.date.isoformat(),
            "n": ping.n,
            "scheme": ping.scheme,
            "remote_addr": ping.remote_addr,
            "method": ping.method,
            "ua": ping.user_agent,
            "rid": None if ping.rid is None else str(ping.rid),
            "body_url": f"{check_url}/pings/{ping.n}/body" if ping.body else None,
        }
        if ping.duration is not None and show_durations:
            serialized["duration"] = round(ping.duration.total_seconds(), 2)
        serialized_pings.append(_known_fields(serialized, server))
    return serialized_pings


def serialize_flip(flip: Flip) -> dict[str, Any]:
    """Return the JSON object of a flip. Its `up` is 1 only for a change to "up"."""
    return {"timestamp": _whole_seconds(flip.date), "up": int(flip.status == "up")}


def _known_fields(serialized: dict[str, Any], server: ServerVersion) -> dict[str, Any]:
    return {name: value for name, value in serialized.items() if server.shows(name)}


def _whole_seconds(date: datetime | None) -> str | None:
    return None if date is None else date.replace(microsecond=0).isoformat()
