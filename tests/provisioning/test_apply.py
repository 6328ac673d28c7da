"""Applying a plan makes the checks of a project as they are wanted."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from healthchecks_io import (
    BadAPIRequestError,
    CheckCreate,
    CheckNotFoundError,
    CheckUpdate,
    HCAPIAuthError,
    HCAPIRateLimitError,
    HCAPIUnavailableError,
    Plan,
)
from healthchecks_io.client import pacing, upsert
from healthchecks_io.client.sync_client import carry_out
from healthchecks_io.provisioning import apply

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Api, Stub

    from healthchecks_io.sandbox import Sandbox

pytestmark = pytest.mark.server("2.10")

WANTED = [
    CheckCreate(slug="a", timeout="5m", tags="x y", channels="*"),
    CheckCreate(slug="b", schedule="0 3 * * *", tz="Europe/Riga", name="B", channels=[]),
    CheckCreate(slug="c", desc="Text"),
]


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upsert, "_SETTLING_TIME", 0.0)


def settings_of_checks(hc: Sandbox) -> dict[str, dict[str, Any]]:
    fields = ("name", "tags", "desc", "timeout", "grace", "schedule", "tz")
    return {check.slug: {name: getattr(check, name) for name in fields} for check in hc.checks}


def test_applying_makes_the_checks_as_wanted(api: Api, hc: Sandbox) -> None:
    plan = api.plan_checks(WANTED)
    checks = api.apply_plan(plan)

    assert [check.slug for check in checks] == ["a", "b", "c"]
    assert settings_of_checks(hc) == {
        "a": {"name": "a", "tags": "x y", "desc": "", "timeout": 300, "grace": 3600, "schedule": None, "tz": None},
        "b": {
            "name": "B", "tags": "", "desc": "", "timeout": None, "grace": 3600, "schedule": "0 3 * * *",
            "tz": "Europe/Riga",
        },
        "c": {"name": "c", "tags": "", "desc": "Text", "timeout": 86400, "grace": 3600, "schedule": None, "tz": None},
    }  # fmt: skip


def test_a_new_check_alerts_all_integrations_unless_its_channels_are_declared(api: Api) -> None:
    api.apply_checks([CheckCreate(slug="a"), CheckCreate(slug="b", channels=[]), CheckCreate(slug="c", channels="*")])

    channels = {check.slug: check.channels or "" for check in api.get_checks()}
    assert {*channels["a"].split(",")} == {each.id for each in api.get_integrations()} != set()
    assert channels == {"a": channels["c"], "b": "", "c": channels["c"]}


def test_applying_again_changes_nothing(api: Api, hc: Sandbox) -> None:
    assert api.apply_checks(WANTED)

    plan = api.apply_checks(WANTED)
    assert isinstance(plan, Plan)
    assert not plan
    assert len(plan.unchanged) == 3


def test_checks_are_updated_and_deleted(api: Api, hc: Sandbox) -> None:
    api.apply_checks(WANTED)

    plan = api.apply_checks([CheckCreate(slug="a", schedule="0 4 * * *", tags="z")], prune=True)

    assert [(change.action, change.slug) for change in plan.changes] == [
        ("update", "a"), ("delete", "b"), ("delete", "c"),
    ]  # fmt: skip
    (check,) = hc.checks
    assert (check.slug, check.schedule, check.tags, check.timeout) == ("a", "0 4 * * *", "z", None)
    assert not api.plan_checks([CheckCreate(slug="a", schedule="0 4 * * *", tags="z")], prune=True)


def test_a_prune_tag_implies_pruning(api: Api, hc: Sandbox) -> None:
    api.apply_checks(WANTED)

    api.apply_checks([], prune_tag="x")

    assert sorted(settings_of_checks(hc)) == ["b", "c"]


def test_planning_changes_nothing(api: Api, hc: Sandbox) -> None:
    api.plan_checks(WANTED, prune=True)

    assert hc.checks == []


def test_planning_sends_two_requests(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, '{"checks": []}')
    stub.queue_response(200, '{"channels": []}')

    connect(**stub.settings()).plan_checks([CheckCreate(slug=f"c{number}", channels="") for number in range(50)])

    assert [request.path for request in stub.requests] == ["/api/v1/checks/", "/api/v1/channels/"]


def test_applying_without_changes_sends_no_more_requests_than_planning(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(body='{"checks": []}')
    stub.queue_response(body='{"channels": []}')

    plan = connect(**stub.settings()).apply_checks([])

    assert not plan
    assert [request.method for request in stub.requests] == ["GET"]


def test_planning_without_channels_does_not_ask_for_the_integrations(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(200, '{"checks": []}')

    connect(**stub.settings()).plan_checks([CheckCreate(slug="a")])

    assert len(stub.requests) == 1


def test_a_plan_with_a_problem_changes_nothing(api: Api, hc: Sandbox) -> None:
    with pytest.raises(ValueError, match="no integration named 'Nobody'"):
        api.apply_checks([*WANTED, CheckCreate(slug="d", channels="Nobody")])

    assert hc.checks == []


def test_a_read_only_key_can_plan_without_channels(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox
) -> None:
    with hc.client() as client:
        client.create_check(CheckCreate(slug="a", name="a"))
    api = connect(**settings | {"api_key": hc.read_only_key})

    plan = api.plan_checks([CheckCreate(slug="a", timeout=60), CheckCreate(slug="b")])

    assert [(change.action, dict(change.fields)) for change in plan.changes] == [
        ("create", {"name": (None, "b"), "channels": (None, "*")}),
        ("update", {"timeout": (86400, 60)}),
    ]
    with pytest.raises(ValueError, match="read-only"):
        api.plan_checks([CheckCreate(slug="a", channels="*")])


def test_a_check_that_has_vanished_since_the_plan_is_reported(api: Api, hc: Sandbox) -> None:
    api.apply_checks(WANTED)
    plan = api.plan_checks([CheckCreate(slug="c", desc="New"), CheckCreate(slug="d")])
    with hc.client() as client:
        client.delete_check(next(check.uuid for check in hc.checks if check.slug == "c"))

    with pytest.raises(CheckNotFoundError, match="could not update c: the check was deleted after the plan") as caught:
        api.apply_plan(plan)
    assert "done before: created d" in str(caught.value)
    assert caught.value.status_code == 404


def test_an_error_states_what_was_done(api: Api, hc: Sandbox) -> None:
    api.apply_checks(WANTED)
    plan = api.plan_checks(
        [CheckCreate(slug="a", desc="1"), CheckCreate(slug="b", desc="2"), CheckCreate(slug="c", desc="3")]
    )
    hc.fail_next(status=400)

    with pytest.raises(Exception, match=r"could not update a: .*\(done before: nothing; not attempted: 2 of 3"):
        api.apply_plan(plan)


@pytest.fixture
def fail_request(faults: None, hc: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Return a function that lets the request with a number fail, counted from now on."""
    original = type(hc)._respond

    def fail(number: int) -> None:
        count = 0

        def respond(self: Any, request: Any, body: bytes) -> Any:
            nonlocal count
            count += 1
            if count == number:
                self.fail_next(status=503)
            return original(self, request, body)

        monkeypatch.setattr(type(hc), "_respond", respond)

    return fail


@pytest.mark.parametrize("wanted", [CheckCreate(slug="a", timeout=60), CheckCreate(slug="b")], ids=["update", "create"])
def test_a_plan_that_was_made_with_a_read_only_key_is_refused_as_a_whole(
    connect: Callable[..., Api], settings: dict[str, Any], api: Api, hc: Sandbox, wanted: CheckCreate
) -> None:
    api.apply_checks([CheckCreate(slug="a")])
    plan = connect(**settings | {"api_key": hc.read_only_key}).plan_checks([CheckCreate(slug="first"), wanted])

    with pytest.raises(BadAPIRequestError, match="was made with a read-only key, .* Nothing was changed"):
        api.apply_plan(plan)
    assert settings_of_checks(hc).keys() == {"a"}


def test_a_plan_without_changes_can_be_applied_with_a_read_only_key(
    connect: Callable[..., Api], settings: dict[str, Any], api: Api, hc: Sandbox
) -> None:
    api.apply_checks([CheckCreate(slug="a")])

    assert not connect(**settings | {"api_key": hc.read_only_key}).apply_checks([CheckCreate(slug="a")])


@pytest.mark.parametrize("number", range(1, 10))
def test_applying_again_continues_after_any_failed_request(
    connect: Callable[..., Api],
    settings: dict[str, Any],
    hc: Sandbox,
    fail_request: Callable[[int], None],
    number: int,
) -> None:
    api = connect(**settings, retries=0)
    api.apply_checks([CheckCreate(slug="old"), CheckCreate(slug="b", timeout=60)])
    plan = api.plan_checks(WANTED, prune=True)
    fail_request(number)
    # A check that cannot be named, or whose duplicates cannot be listed, is used nevertheless.
    with contextlib.suppress(HCAPIUnavailableError):
        api.apply_plan(plan)
    fail_request(0)

    api.apply_checks(WANTED, prune=True)

    assert sorted(settings_of_checks(hc)) == ["a", "b", "c"]
    assert not api.plan_checks(WANTED, prune=True)


def test_another_program_may_change_a_check_between_plan_and_apply(api: Api, hc: Sandbox) -> None:
    api.apply_checks(WANTED)
    plan = api.plan_checks([CheckCreate(slug="a", desc="New")])
    with hc.client() as client:
        client.update_check(next(check.uuid for check in hc.checks if check.slug == "a"), CheckUpdate(grace=120))

    api.apply_plan(plan)

    assert settings_of_checks(hc)["a"]["desc"] == "New"
    assert settings_of_checks(hc)["a"]["grace"] == 120


def test_a_check_that_another_program_creates_between_plan_and_apply_keeps_what_is_not_declared(
    api: Api, hc: Sandbox
) -> None:
    plan = api.plan_checks([CheckCreate(slug="a", desc="Declared")])
    with hc.client(api_version=3) as client:
        created = client.create_check(CheckCreate(slug="a", name="A", channels="", desc="Other"))

    (updated,) = api.apply_plan(plan)

    assert (updated.uuid, updated.name, updated.channels, updated.desc) == (created.uuid, "A", "", "Declared")


def test_a_wrong_key_is_reported(connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox) -> None:
    with pytest.raises(HCAPIAuthError):
        connect(**settings | {"api_key": "x" * 32}).plan_checks(WANTED)


def test_after_a_429_it_waits_and_continues(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    api = connect(**settings, retries=0)
    hc.fail_next(status=429, times=2)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pacing, "_DEFAULT_WAIT", 0.01)
        api.apply_checks(WANTED)

    assert len(hc.checks) == 3
    assert len([message for message in caplog.messages if "too many requests" in message]) == 2


def test_it_does_not_claim_to_give_up_before_it_waits(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    hc.fail_next(status=429, headers={"Retry-After": "0"}, times=2)

    connect(**settings, retries=1).apply_checks(WANTED)

    assert caplog.messages == ["The server has received too many requests: waiting for 0 s"]


def test_the_retry_after_of_the_server_is_respected(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(429, "", {"Retry-After": "0"})
    stub.queue_response(200, '{"checks": []}')

    assert not connect(**stub.settings()).plan_checks([])


def test_single_calls_are_not_paced(connect: Callable[..., Api], stub: Stub) -> None:
    stub.queue_response(429, "")

    with pytest.raises(HCAPIRateLimitError):
        connect(**stub.settings()).get_checks()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_new_name_does_not_change_the_slug(
    connect: Callable[..., Api], settings: dict[str, Any], hc: Sandbox, version: int
) -> None:
    api = connect(**settings | {"api_version": version})
    api.apply_checks([CheckCreate(slug="a", name="First name")])

    api.apply_checks([CheckCreate(slug="a", name="Second name")])

    assert [(check.slug, check.name) for check in hc.checks] == [("a", "Second name")]


def test_a_wait_is_announced(hc: Sandbox, faults: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "_DEFAULT_WAIT", 0.01)
    hc.fail_next(status=429)
    waits: list[float] = []
    with hc.client(retries=0) as client:
        carry_out(client, apply.plan_checks(client, [], waiting=waits.append))

    assert waits == [0.01]
