"""Replay all recorded and documented responses of the API to both clients."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from endpoints import ENDPOINTS, Endpoint, endpoint_of

from healthchecks_io import (
    BadAPIRequestError,
    CheckNotFoundError,
    HCAPIAuthError,
    HCAPIError,
    HCAPIUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub


ENVELOPES = {"checks", "pings", "flips", "channels", "badges"}


def with_parsed_times(value: Any) -> Any:
    """Parse times, because 2026-01-01T00:00:00Z and 2026-01-01T00:00:00+00:00 are equal."""
    if isinstance(value, dict):
        return {name: with_parsed_times(item) for name, item in value.items()}
    if isinstance(value, list):
        return [with_parsed_times(item) for item in value]
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\dT", value):
        return datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value


def dump(result: Any) -> Any:
    if isinstance(result, list):
        return [dump(item) for item in result]
    if isinstance(result, dict):
        return {name: dump(item) for name, item in result.items()}
    return with_parsed_times(result.model_dump(mode="json", by_alias=True, exclude_unset=True))


def unwrap(body: Any) -> Any:
    (name, *others) = body if isinstance(body, dict) else ("",)
    return body[name] if name in ENVELOPES and not others else body


def body_of(response: dict[str, Any]) -> bytes | None:
    body = response["body"]
    if isinstance(body, str):
        return body.encode()
    if "$hex" in body:
        return bytes.fromhex(body["$hex"])
    return None if "$truncated" in body or "$repeat" in body else json.dumps(body).encode()


def test_recorded_management_responses_are_parsed_without_loss(
    connect: Callable[..., Api], stub: Stub, recordings: list[dict[str, Any]]
) -> None:
    api, count = connect(**stub.settings()), 0
    for recording in recordings:
        response, endpoint = recording["response"], endpoint_of(recording)
        body = body_of(response)
        is_usable = response["status"] in (200, 201) and "Content-Encoding" not in response["headers"]
        if endpoint is None or endpoint.is_ping or body is None or not is_usable:
            continue
        stub.set_response(response["status"], body)
        result = endpoint.call(api)
        if isinstance(result, bytes):
            assert result == body, recording["id"]
        elif not isinstance(result, bool):
            assert dump(result) == with_parsed_times(unwrap(response["body"])), recording["id"]
        count += 1

    assert count > 300


def test_documented_responses_are_parsed_without_loss(
    connect: Callable[..., Api], stub: Stub, documented: list[dict[str, Any]]
) -> None:
    api = connect(**stub.settings())
    for example in documented:
        stub.set_response(200, json.dumps(example["answer"]))
        endpoints = [endpoint for endpoint in ENDPOINTS if endpoint.document == example["kind"]]
        assert endpoints
        for endpoint in endpoints:
            assert dump(endpoint.call(api)) == with_parsed_times(unwrap(example["answer"])), example["document"]


def expected_error(endpoint: Endpoint, status: int) -> type[HCAPIError]:
    if status == 409:
        return endpoint.conflict
    errors = {400: BadAPIRequestError, 401: HCAPIAuthError, 403: HCAPIAuthError, 404: CheckNotFoundError}
    return errors.get(status, HCAPIUnavailableError if status >= 500 else HCAPIError)


def test_recorded_errors_raise_the_matching_exception(
    connect: Callable[..., Api], stub: Stub, recordings: list[dict[str, Any]]
) -> None:
    api, count = connect(**stub.settings()), 0
    for recording in recordings:
        response, endpoint = recording["response"], endpoint_of(recording)
        body = body_of(response) or b"<html>"
        if endpoint is None or response["status"] < 300:
            continue
        headers = {name: response["headers"][name] for name in {"Location", "Retry-After"} & set(response["headers"])}
        stub.set_response(response["status"], body, headers)
        with pytest.raises(HCAPIError) as caught:
            endpoint.call(api)
        assert type(caught.value) is expected_error(endpoint, response["status"]), recording["id"]
        assert caught.value.status_code == response["status"]
        assert "<" not in str(caught.value)
        if isinstance(response["body"], dict) and "error" in response["body"]:
            assert response["body"]["error"][:100] in str(caught.value)
        count += 1

    assert count > 100


def test_recorded_ping_responses_are_parsed(
    connect: Callable[..., Api], stub: Stub, recordings: list[dict[str, Any]]
) -> None:
    api, count = connect(**stub.settings()), 0
    for recording in recordings:
        response, endpoint = recording["response"], endpoint_of(recording)
        if endpoint is None or not endpoint.is_ping or response["status"] >= 300:
            continue
        stub.set_response(response["status"], response["body"])
        assert endpoint.call(api) == (True, response["body"]), recording["id"]
        count += 1

    assert count > 40
