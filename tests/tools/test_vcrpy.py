"""vcrpy records the requests of both clients, and replays the responses without the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import vcr

from healthchecks_io import CheckCreate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox

UUID = "5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278"


@pytest.fixture
def cassette(tmp_path: Path) -> Path:
    return tmp_path / "cassette.yaml"


def test_a_recorded_response_is_replayed_and_nothing_is_sent(
    connect: Callable[..., Api], stub: Stub, cassette: Path
) -> None:
    stub.queue_response(200, "recorded")
    api = connect(**stub.settings())
    with vcr.use_cassette(cassette):
        assert api.success_ping(UUID).text == "recorded"
    assert len(stub.requests) == 1
    stub.set_response(200, "from the server")

    with vcr.use_cassette(cassette, record_mode="none"):
        assert api.success_ping(UUID).text == "recorded"
    assert len(stub.requests) == 1


def test_recorded_calls_of_the_management_api_are_replayed(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, cassette: Path
) -> None:
    def create_and_list() -> tuple[str | None, list[str | None]]:
        api = connect(**settings)
        created = api.create_check(CheckCreate(name="Nightly backup"))
        return created.uuid, [check.uuid for check in api.get_checks()]

    with vcr.use_cassette(cassette):
        recorded = create_and_list()
    hc.reset()

    with vcr.use_cassette(cassette, record_mode="none"):
        assert create_and_list() == recorded
    assert hc.checks == []


def test_a_cassette_contains_the_whole_request(connect: Callable[..., Api], stub: Stub, cassette: Path) -> None:
    stub.queue_response(200, "OK")

    with vcr.use_cassette(cassette) as recorded:
        connect(**stub.settings()).fail_ping(UUID, data="disk full")

    (request,) = recorded.requests
    assert (request.method, request.uri, request.body) == ("POST", f"{stub.url}/ping/{UUID}/fail", b"disk full")
    assert request.headers["Content-Type"] == "text/plain"


def test_a_trap_is_replayed_if_its_run_id_is_filtered(connect: Callable[..., Api], stub: Stub, cassette: Path) -> None:
    recorder = vcr.VCR(filter_query_parameters=["rid"])
    stub.queue_response(200, "OK")
    api = connect(**stub.settings())
    with recorder.use_cassette(cassette), api.trap(UUID):
        pass
    assert len(stub.requests) == 2

    with recorder.use_cassette(cassette, record_mode="none") as replayed, api.trap(UUID) as trap:
        pass

    assert trap.ping_failures == []
    assert replayed.play_count == 2
    assert len(stub.requests) == 2


def test_by_default_a_cassette_contains_both_keys(connect: Callable[..., Api], stub: Stub, cassette: Path) -> None:
    stub.queue_response(200, '{"checks": []}')
    api = connect(**stub.settings(api_key="the-api-key", ping_key="the-ping-key"))

    with vcr.use_cassette(cassette):
        api.get_checks()
        api.success_ping(slug="nightly-backup")

    text = cassette.read_text(encoding="utf-8")
    assert "the-api-key" in text
    assert "the-ping-key" in text


def test_the_filters_of_vcrpy_keep_the_keys_out_of_a_cassette(
    connect: Callable[..., Api], stub: Stub, cassette: Path
) -> None:
    def without_ping_key(request: Any) -> Any:
        request.uri = request.uri.replace("the-ping-key", "PING-KEY")
        return request

    recorder = vcr.VCR(filter_headers=["X-Api-Key"], before_record_request=without_ping_key)
    stub.queue_response(200, '{"checks": []}')
    api = connect(**stub.settings(api_key="the-api-key", ping_key="the-ping-key"))

    for mode in ("once", "none"):
        with recorder.use_cassette(cassette, record_mode=mode):
            api.get_checks()
            api.success_ping(slug="nightly-backup")

    text = cassette.read_text(encoding="utf-8")
    assert "the-api-key" not in text
    assert "the-ping-key" not in text
    assert [request.path for request in stub.requests] == ["/api/v1/checks/", "/ping/the-ping-key/nightly-backup"]


def test_after_a_cassette_is_ejected_requests_are_sent(connect: Callable[..., Api], stub: Stub, cassette: Path) -> None:
    stub.queue_response(200, "recorded")
    api = connect(**stub.settings())
    with vcr.use_cassette(cassette):
        api.success_ping(UUID)
    stub.set_response(200, "from the server")
    with vcr.use_cassette(cassette, record_mode="none"):
        assert api.success_ping(UUID).text == "recorded"

    assert api.success_ping(UUID).text == "from the server"


def test_a_recorded_request_leaves_its_connection_open(connect: Callable[..., Api], stub: Stub, cassette: Path) -> None:
    stub.queue_response(200, "OK")
    api = connect(**stub.settings())

    with vcr.use_cassette(cassette) as recorded:
        api.success_ping(UUID)
    api.success_ping(UUID)

    assert len(recorded.requests) == 1
    assert len({request.port for request in stub.requests}) == 1
