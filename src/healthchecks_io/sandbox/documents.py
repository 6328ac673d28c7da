"""The JSON objects of the management API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from healthchecks_io.sandbox.state import shows_durations

if TYPE_CHECKING:
    from datetime import datetime

    from healthchecks_io.sandbox.state import Check, Flip, Ping


def check_document(check: Check, now: datetime, *, root: str, version: int, read_only: bool = False) -> dict[str, Any]:
    """Describe a check as a version of the API and a kind of key show it."""
    document: dict[str, Any] = {
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
        document["last_duration"] = int(check.last_duration.total_seconds())
    if read_only:
        document["unique_key"] = check.unique_key
    else:
        update_url = f"{root}/api/v{version}/checks/{check.uuid}"
        document["uuid"] = check.uuid
        document["ping_url"] = f"{root}/ping/{check.uuid}"
        document["update_url"] = update_url
        document["pause_url"] = f"{update_url}/pause"
        document["resume_url"] = f"{update_url}/resume"
        document["channels"] = ",".join(sorted(check.channels))
    if check.schedule:
        document["schedule"] = check.schedule
        document["tz"] = check.tz
    else:
        document["timeout"] = int(check.timeout.total_seconds())
    return document


def ping_documents(pings: list[Ping], check_url: str) -> list[dict[str, Any]]:
    """Describe pings (newest first) of the check at a URL."""
    with_durations = shows_durations(pings)
    documents: list[dict[str, Any]] = []
    for ping in pings:
        document: dict[str, Any] = {
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
        if ping.duration is not None and with_durations:
            document["duration"] = round(ping.duration.total_seconds(), 2)
        documents.append(document)
    return documents


def flip_document(flip: Flip) -> dict[str, Any]:
    """Describe a flip: only a change to "up" counts as up."""
    return {"timestamp": _whole_seconds(flip.date), "up": int(flip.status == "up")}


def _whole_seconds(date: datetime | None) -> str | None:
    return None if date is None else date.replace(microsecond=0).isoformat()
