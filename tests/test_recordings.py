"""Every recorded answer of a real server, and every answer printed in the documents, replayed to both clients."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import (
    BadAPIRequestError,
    CheckCreate,
    CheckNotFoundError,
    CheckNotPausedError,
    CheckUpdate,
    HCAPIAuthError,
    HCAPIError,
    HCAPIUnavailableError,
    NonUniqueSlugError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub


CHECK = "(?:[0-9a-f-]{36}|[0-9a-f]{40})"
CALLS: dict[str, Callable[..., Any]] = {
    r"GET checks/(\?.*)?": lambda api: api.get_checks(),
    r"POST checks/": lambda api: api.create_check(CheckCreate()),
    rf"GET checks/{CHECK}": lambda api: api.get_check("x"),
    rf"POST checks/{CHECK}": lambda api: api.update_check("x", CheckUpdate()),
    rf"DELETE checks/{CHECK}": lambda api: api.delete_check("x"),
    rf"POST checks/{CHECK}/pause": lambda api: api.pause_check("x"),
    rf"POST checks/{CHECK}/resume": lambda api: api.resume_check("x"),
    rf"GET checks/{CHECK}/pings/": lambda api: api.get_check_pings("x"),
    rf"GET checks/{CHECK}/pings/\d+/body": lambda api: api.get_ping_body("x", 1),
    rf"GET checks/{CHECK}/flips/(\?.*)?": lambda api: api.get_check_flips("x"),
    r"GET channels/": lambda api: api.get_integrations(),
    r"GET badges/": lambda api: api.get_badges(),
    r"GET status/": lambda api: api.get_status(),
}
ENVELOPES = {"checks", "pings", "flips", "channels", "badges"}
DOCUMENTED_CALLS: dict[str, Callable[..., Any]] = {
    "check": lambda api: api.get_check("x"),
    "checks": lambda api: api.get_checks(),
    "pings": lambda api: api.get_check_pings("x"),
    "flips": lambda api: api.get_check_flips("x"),
    "channels": lambda api: api.get_integrations(),
    "badges": lambda api: api.get_badges(),
}


def call_for(recording: dict[str, Any]) -> Any:
    """The call of the client that asks for what was recorded, if there is one."""
    request = recording["request"]
    path = re.fullmatch(r"(?:/hc)?/api/v\d/(.*)", request["path"])
    asked = f"{request['method']} {path[1]}" if path else ""
    return next((call for pattern, call in CALLS.items() if re.fullmatch(pattern, asked)), None)


def comparable(value: Any) -> Any:
    """Times as times, for 2026-01-01T00:00:00Z is 2026-01-01T00:00:00+00:00."""
    if isinstance(value, dict):
        return {name: comparable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value


def dumped(result: Any) -> Any:
    if isinstance(result, list):
        return [dumped(item) for item in result]
    if isinstance(result, dict):
        return {name: dumped(item) for name, item in result.items()}
    return comparable(result.model_dump(mode="json", by_alias=True, exclude_unset=True))


def without_envelope(answer: Any) -> Any:
    (name, *others) = answer if isinstance(answer, dict) else ("",)
    return answer[name] if name in ENVELOPES and not others else answer


def body_of(response: dict[str, Any]) -> bytes | None:
    body = response["body"]
    if isinstance(body, str):
        return body.encode()
    if "$hex" in body:
        return bytes.fromhex(body["$hex"])
    return None if "$truncated" in body or "$repeat" in body else json.dumps(body).encode()


def test_every_recorded_management_answer_is_read_with_nothing_lost(
    connect: Callable[..., Api], stub: Stub, recordings: list[dict[str, Any]]
) -> None:
    api, count = connect(**stub.settings()), 0
    for recording in recordings:
        response, call = recording["response"], call_for(recording)
        body = body_of(response)
        is_wanted = response["status"] in (200, 201) and "Content-Encoding" not in response["headers"]
        if call is None or body is None or not is_wanted:
            continue
        stub.set_response(response["status"], body)
        result = call(api)
        if isinstance(result, bytes):
            assert result == body, recording["id"]
        elif not isinstance(result, bool):
            assert dumped(result) == comparable(without_envelope(response["body"])), recording["id"]
        count += 1

    assert count > 300


def test_every_documented_answer_is_read_with_nothing_lost(
    connect: Callable[..., Api], stub: Stub, documented: list[dict[str, Any]]
) -> None:
    api = connect(**stub.settings())
    for example in documented:
        stub.set_response(200, json.dumps(example["answer"]))
        result = DOCUMENTED_CALLS[example["kind"]](api)
        assert dumped(result) == comparable(without_envelope(example["answer"])), example["document"]


def error_for(recording: dict[str, Any]) -> type[HCAPIError]:
    status, path = recording["response"]["status"], recording["request"]["path"]
    if status == 409:
        return CheckNotPausedError if path.endswith("/resume") else NonUniqueSlugError
    known = {400: BadAPIRequestError, 401: HCAPIAuthError, 403: HCAPIAuthError, 404: CheckNotFoundError}
    return known.get(status, HCAPIUnavailableError if status >= 500 else HCAPIError)


def test_every_recorded_error_raises_its_class(
    connect: Callable[..., Api], stub: Stub, recordings: list[dict[str, Any]]
) -> None:
    api, count = connect(**stub.settings()), 0
    for recording in recordings:
        response, request = recording["response"], recording["request"]
        is_ping = request["path"].startswith("/ping/") and request["method"] == "POST"
        call = (lambda api: api.success_ping("x")) if is_ping else call_for(recording)
        body = body_of(response) or b"<html>"
        if call is None or response["status"] < 300:
            continue
        headers = {name: response["headers"][name] for name in {"Location", "Retry-After"} & set(response["headers"])}
        stub.set_response(response["status"], body, headers)
        with pytest.raises(HCAPIError) as caught:
            call(api)
        assert type(caught.value) is error_for(recording), recording["id"]
        assert caught.value.status_code == response["status"]
        assert "<" not in str(caught.value)
        if isinstance(response["body"], dict) and "error" in response["body"]:
            assert response["body"]["error"][:100] in str(caught.value)
        count += 1

    assert count > 100


def test_every_recorded_answer_to_a_ping_is_read(
    connect: Callable[..., Api], stub: Stub, recordings: list[dict[str, Any]]
) -> None:
    api, count = connect(**stub.settings()), 0
    for recording in recordings:
        request, response = recording["request"], recording["response"]
        if not re.match(r"(/hc)?/ping/", request["path"]) or request["method"] != "POST" or response["status"] >= 300:
            continue
        stub.set_response(response["status"], response["body"])
        assert api.success_ping("x") == (True, response["body"]), recording["id"]
        count += 1

    assert count > 40
