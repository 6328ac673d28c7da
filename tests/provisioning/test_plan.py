"""A plan is the difference between the checks that are wanted and those of a project."""

from __future__ import annotations

import json
from typing import Any

import pytest

from healthchecks_io import Check, CheckCreate, Integration
from healthchecks_io.provisioning.plan import make_plan

EMAIL = Integration(id="11111111-0000-4000-8000-000000000000", name="Ops Email", kind="email")
SLACK = Integration(id="22222222-0000-4000-8000-000000000000", name="Slack", kind="slack")
TWINS = [Integration(id=f"{n}3333333-0000-4000-8000-000000000000", name="Twin", kind="sms") for n in "45"]
INTEGRATIONS = [EMAIL, SLACK, *TWINS]


def check(slug: str, **fields: Any) -> Check:
    defaults: dict[str, Any] = {
        "name": slug, "slug": slug, "grace": 3600, "n_pings": 0, "status": "new", "channels": "",
        "uuid": f"00000000-0000-4000-8000-{abs(hash((slug, str(fields)))) % 10**12:012}",
    }  # fmt: skip
    if "schedule" not in fields:
        defaults["timeout"] = 86400
    return Check.model_validate(defaults | fields)


def changes(wanted: CheckCreate, existing: Check) -> dict[str, Any]:
    """Return the fields that differ."""
    plan = make_plan([wanted], [existing], INTEGRATIONS)
    return dict(plan.changes[0].fields) if plan else {}


def test_a_check_that_does_not_exist_is_created() -> None:
    wanted = CheckCreate(slug="a", timeout="5m", tags="x")
    plan = make_plan([wanted], [])

    (change,) = plan.changes
    assert (change.action, change.slug, change.check, change.wanted) == ("create", "a", None, wanted)
    assert change.fields == {
        "timeout": (None, 300), "tags": (None, "x"), "name": (None, "a"), "channels": (None, "*"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "channels"),
    [({}, "*"), ({"channels": None}, "*"), ({"channels": []}, ""), ({"channels": "Slack"}, "Slack")],
)
def test_a_new_check_has_all_integrations_unless_its_channels_are_declared(
    declared: dict[str, Any], channels: str
) -> None:
    (change,) = make_plan([CheckCreate(slug="a", **declared)], [], INTEGRATIONS).changes

    assert change.fields["channels"] == (None, channels)


def test_an_existing_check_keeps_its_channels_unless_they_are_declared() -> None:
    assert changes(CheckCreate(slug="a", timeout=60), check("a", channels="")) == {"timeout": (86400, 60)}


@pytest.mark.parametrize(
    ("declared", "name"), [({}, "a"), ({"name": None}, "a"), ({"name": ""}, ""), ({"name": "A"}, "A")]
)
def test_a_new_check_is_named_after_its_slug_unless_its_name_is_declared(declared: dict[str, Any], name: str) -> None:
    (change,) = make_plan([CheckCreate(slug="a", **declared)], []).changes

    assert change.fields["name"] == (None, name)


def test_only_declared_fields_are_compared() -> None:
    existing = check("a", name="Name", tags="x", desc="text", timeout=60)

    assert changes(CheckCreate(slug="a"), existing) == {}
    assert changes(CheckCreate(slug="a", timeout=60), existing) == {}
    assert changes(CheckCreate(slug="a", timeout=120, desc="text"), existing) == {"timeout": (60, 120)}


@pytest.mark.parametrize(
    ("wanted", "existing"),
    [
        ({"tags": "b a"}, {"tags": "a b"}),
        ({"tags": ["a", "b"]}, {"tags": " a  b a"}),
        ({"tags": ""}, {"tags": " "}),
        ({"channels": "Ops Email,Slack"}, {"channels": f"{SLACK.id},{EMAIL.id}"}),
        ({"channels": [EMAIL.id]}, {"channels": EMAIL.id}),
        ({"channels": "*"}, {"channels": ",".join(each.id for each in INTEGRATIONS)}),
        ({"channels": []}, {"channels": ""}),
        ({"grace": "1h 30m"}, {"grace": 5400}),
        ({"schedule": "0 3 * * *", "tz": "Europe/Kiev"}, {"schedule": "0 3 * * *", "tz": "Europe/Kyiv"}),
        ({"schedule": "0 3 * * *", "tz": "UTC"}, {"schedule": "0 3 * * *", "tz": "Etc/UTC"}),
        ({"tz": "Europe/Riga"}, {"timeout": 60}),
        ({"schedule": "0 3 * * *", "timeout": 60}, {"schedule": "0 3 * * *", "tz": "UTC"}),
        ({"manual_resume": False, "methods": "", "filter_body": False}, {}),
    ],
)
def test_values_that_the_server_treats_as_equal_are_equal(wanted: dict[str, Any], existing: dict[str, Any]) -> None:
    assert changes(CheckCreate(slug="a", **wanted), check("a", **existing)) == {}


@pytest.mark.parametrize(
    ("wanted", "existing", "expected"),
    [
        ({"tags": "a"}, {"tags": "a b"}, {"tags": ("a b", "a")}),
        ({"channels": ""}, {"channels": EMAIL.id}, {"channels": ("Ops Email", "")}),
        ({"channels": "Slack"}, {"channels": EMAIL.id}, {"channels": ("Ops Email", "Slack")}),
        ({"channels": "*"}, {"channels": EMAIL.id}, {"channels": ("Ops Email", "*")}),
        ({"schedule": "0 3 * * *"}, {"timeout": 60}, {"schedule": (None, "0 3 * * *")}),
        (
            {"schedule": "0 3 * * *", "tz": "Europe/Riga"},
            {"timeout": 60},
            {"schedule": (None, "0 3 * * *"), "tz": (None, "Europe/Riga")},
        ),
        ({"timeout": 60}, {"schedule": "0 3 * * *", "tz": "UTC"}, {"timeout": (None, 60)}),
        ({"timeout": 60, "tz": "Europe/Riga"}, {"schedule": "0 3 * * *", "tz": "UTC"}, {"timeout": (None, 60)}),
        ({"tz": "Europe/Riga"}, {"schedule": "0 3 * * *", "tz": "UTC"}, {"tz": ("UTC", "Europe/Riga")}),
        ({"name": ""}, {"name": "x"}, {"name": ("x", "")}),
    ],
)
def test_other_values_are_changes(wanted: dict[str, Any], existing: dict[str, Any], expected: dict[str, Any]) -> None:
    assert changes(CheckCreate(slug="a", **wanted), check("a", **existing)) == expected


def test_an_update_sends_only_the_changes_and_the_slug() -> None:
    plan = make_plan([CheckCreate(slug="a", timeout=60, name="New")], [check("a", timeout=60, name="Old")])

    assert json.loads(plan.changes[0].update().to_request()) == {"name": "New", "slug": "a"}


def test_checks_that_are_not_declared_are_not_managed_without_pruning() -> None:
    plan = make_plan([CheckCreate(slug="a")], [check("a"), check("b"), check("", name="x")])

    assert not plan
    assert [each.slug for each in plan.unchanged] == ["a"]
    assert [each.slug for each in plan.unmanaged] == ["", "b"]


def test_pruning_deletes_the_checks_that_are_not_declared() -> None:
    plan = make_plan([CheckCreate(slug="a")], [check("a"), check("b"), check("c")], prune=True)

    assert [(change.action, change.slug) for change in plan.changes] == [("delete", "b"), ("delete", "c")]
    assert plan.unmanaged == ()


def test_pruning_by_tag_deletes_only_checks_with_this_tag() -> None:
    existing = [check("b", tags="x y"), check("c", tags="xy"), check("d")]
    plan = make_plan([], existing, prune=True, prune_tag="x")

    assert [change.slug for change in plan.changes] == ["b"]
    assert [each.slug for each in plan.unmanaged] == ["c", "d"]


def test_checks_without_a_slug_or_with_a_shared_one_are_never_deleted() -> None:
    existing = [check("", name="x"), check("b", name="1"), check("b", name="2")]
    plan = make_plan([CheckCreate(slug="a")], existing, prune=True)

    assert [change.action for change in plan.changes] == ["create"]
    assert len(plan.unmanaged) == 3


def test_changes_are_ordered_creations_updates_deletions() -> None:
    wanted = [CheckCreate(slug="b", timeout=60), CheckCreate(slug="a"), CheckCreate(slug="c", timeout=60)]
    plan = make_plan(wanted, [check("x"), check("b"), check("c", timeout=60)], prune=True)

    assert [(change.action, change.slug) for change in plan.changes] == [
        ("create", "a"), ("update", "b"), ("delete", "x"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "existing", "options", "message"),
    [
        ([CheckCreate(slug="a"), CheckCreate(slug="a")], [], {}, "several wanted checks have the slug 'a'"),
        ([CheckCreate(name="a")], [], {}, "a wanted check has no slug"),
        (
            [CheckCreate(slug="a")],
            [check("a", name="One", uuid="u1"), check("a", name="Two", uuid="u2")],
            {},
            r"'One' \(u1\) and 'Two' \(u2\)",
        ),
        (
            [CheckCreate(slug="a", channels="Nobody")],
            [],
            {},
            "^check 'a': channels: there is no integration named 'Nobody'$",
        ),
        (
            [CheckCreate(slug="a", channels="Slack,Ops Emial")],
            [],
            {},
            r"^check 'a': channels: there is no integration named 'Ops Emial': did you mean 'Ops Email'\?$",
        ),
        (
            [CheckCreate(slug="a", channels="Twin")],
            [],
            {},
            "^check 'a': channels: there are several integrations named 'Twin': use an ID$",
        ),
        ([CheckCreate(slug="a", channels="")], [check("b", channels=None)], {}, "the API key is read-only"),
        ([], [check("a")], {"prune": True}, "pass prune_tag"),
        ([CheckCreate(slug="a")], [], {"prune": True, "prune_tag": " "}, "prune_tag is empty"),
        ([CheckCreate(slug="a")] * 2, [], {}, "^several wanted checks have the slug 'a'$"),
    ],
)
def test_contradictions_are_reported(
    wanted: list[CheckCreate], existing: list[Check], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        make_plan(wanted, existing, INTEGRATIONS, **options)


def test_all_contradictions_are_reported_at_once() -> None:
    wanted = [CheckCreate(slug="a", channels="x,y"), CheckCreate(slug="b", channels="z"), CheckCreate()]

    with pytest.raises(ValueError, match=".") as caught:
        make_plan(wanted, [])
    assert len(str(caught.value).splitlines()) == 4


def test_a_plan_is_true_if_there_is_something_to_change() -> None:
    assert make_plan([CheckCreate(slug="a")], [])
    assert not make_plan([CheckCreate(slug="a")], [check("a")])


def test_a_plan_is_printed_as_a_diff() -> None:
    wanted = [
        CheckCreate(slug="new", timeout="1w", name="New check", manual_resume=True),
        CheckCreate(slug="changed", grace="2h", channels="Slack", desc=""),
        CheckCreate(slug="same"),
    ]
    existing = [
        check("changed", channels=EMAIL.id, desc="text"), check("same"), check("old", n_pings=5), check("", name="x"),
    ]  # fmt: skip

    assert str(make_plan(wanted, existing, INTEGRATIONS, prune=True)) == (
        "+ new\n"
        "    name: New check\n"
        "    channels: *\n"
        "    manual_resume: yes\n"
        "    timeout: 1w\n"
        "~ changed\n"
        "    channels: Ops Email -> Slack\n"
        '    desc: text -> ""\n'
        "    grace: 1h -> 2h\n"
        "- old\n"
        "    5 pings\n"
        "Plan: 1 to create, 1 to update, 1 to delete, 1 unchanged, 1 not managed"
    )


def test_a_plan_without_changes_states_that() -> None:
    assert str(make_plan([CheckCreate(slug="a")], [check("a")])) == "No changes: 1 unchanged"


def test_a_plan_is_available_as_json() -> None:
    plan = make_plan([CheckCreate(slug="a", timeout=60)], [check("a", uuid="u1"), check("b", uuid="u2")])

    assert json.loads(plan.to_json()) == {
        "changes": [{"action": "update", "slug": "a", "uuid": "u1", "fields": {"timeout": {"old": 86400, "new": 60}}}],
        "unchanged": [],
        "unmanaged": [{"slug": "b", "name": "b", "uuid": "u2"}],
    }


def test_a_time_zone_that_only_the_server_knows_is_compared_by_its_name() -> None:
    existing = check("a", schedule="0 3 * * *", tz="Mars/Crater")

    assert changes(CheckCreate(slug="a", tz="UTC"), existing) == {"tz": ("Mars/Crater", "UTC")}
