"""Tests of the request and response models."""

from __future__ import annotations

import copy
import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
import pytz
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from healthchecks_io import Badges, Check, CheckCreate, CheckPings, CheckStatuses, CheckUpdate, Integration
from healthchecks_io.schemas.checks import Checks, Flips, Pings
from healthchecks_io.schemas.integrations import Integrations

MINIMAL_CHECK = {"name": "x", "grace": 60, "n_pings": 0, "status": "new"}

both = pytest.mark.parametrize("schema", [CheckCreate, CheckUpdate])


@both
@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({}, b"{}"),
        ({"name": "x"}, b'{"name":"x"}'),
        ({"desc": ""}, b'{"desc":""}'),
        ({"name": None, "schedule": None, "channels": None}, b"{}"),
        ({"tags": ["a", "b"]}, b'{"tags":"a b"}'),
        ({"tags": ("a", "b")}, b'{"tags":"a b"}'),
        ({"tags": []}, b'{"tags":""}'),
        ({"channels": ["Ops Email", "other"]}, b'{"channels":"Ops Email,other"}'),
        ({"channels": "*"}, b'{"channels":"*"}'),
        ({"timeout": timedelta(minutes=5), "grace": 90}, b'{"timeout":300,"grace":90}'),
        ({"timeout": "1h 30m", "grace": "90"}, b'{"timeout":5400,"grace":90}'),
        ({"timeout": "1m", "grace": "365d"}, b'{"timeout":60,"grace":31536000}'),
        ({"schedule": "0 0 LW * *", "tz": "Europe/Kiev"}, b'{"schedule":"0 0 LW * *","tz":"Europe/Kiev"}'),
        ({"name": "x", "unique": ("name",)}, b'{"name":"x","unique":["name"]}'),
        ({"manual_resume": False}, b'{"manual_resume":false}'),
    ],
)
def test_only_fields_that_were_set_are_sent(schema: Any, fields: dict[str, Any], sent: bytes) -> None:
    assert schema(**fields).to_request() == sent


@both
def test_fields_assigned_later_are_sent(schema: Any) -> None:
    check = schema(name="x")
    check.tags = ["a", "b"]
    check.timeout = timedelta(hours=1)
    check.grace = "5m"

    assert check.to_request() == b'{"name":"x","tags":"a b","timeout":3600,"grace":300}'


@both
@pytest.mark.parametrize("field", ["timeout", "grace"])
@pytest.mark.parametrize("duration", [5400, timedelta(minutes=90), "5400", "90m", "1h30m", " 1h  30m "])
def test_durations_are_stored_in_seconds(schema: Any, field: str, duration: Any) -> None:
    stored = getattr(schema(**{field: duration}), field)

    assert (stored, type(stored)) == (5400, int)


@both
@pytest.mark.parametrize(
    "fields",
    [
        {"time_out": 60},
        {"name": "x" * 101},
        {"name": 5},
        {"name": b"x"},
        {"name": "a\0b"},
        {"name": "\ud800"},
        {"slug": "x" * 101},
        {"slug": "Upper"},
        {"slug": "a b"},
        {"slug": "a\n"},
        {"tags": 5},
        {"tags": ["a b"]},
        {"tags": ["a\tb"]},
        {"tags": [""]},
        {"tags": ["a", 5]},
        {"tags": {"a": 1}},
        {"tags": "a\0"},
        {"tags": ["\udfff"]},
        {"channels": ["a,b"]},
        {"channels": [""]},
        {"channels": "a,,b"},
        {"channels": "a,"},
        {"channels": 5},
        {"desc": 5},
        {"timeout": 59},
        {"timeout": 31536001},
        {"timeout": 3600.0},
        {"timeout": "an hour"},
        {"timeout": "59"},
        {"timeout": "59s"},
        {"timeout": "366d"},
        {"timeout": "90.5s"},
        {"timeout": "90.0"},
        {"timeout": "9" * 5000},
        {"timeout": ""},
        {"timeout": b"90"},
        {"timeout": ["90"]},
        {"timeout": True},
        {"timeout": timedelta(seconds=90, microseconds=1)},
        {"timeout": timedelta(days=-1)},
        {"grace": 59},
        {"grace": 31536001},
        {"schedule": "@hourly"},
        {"schedule": ""},
        {"schedule": "* * * * * *"},
        {"schedule": "60 * * * *"},
        {"schedule": "0 0 ? * *"},
        {"schedule": "R * * * *"},
        {"schedule": "0 0 * * fri-mon"},
        {"schedule": "0 22-2 * * *"},
        {"schedule": "1999-01-01"},
        {"schedule": "*-*-* " * 20},
        {"tz": "Mars/Olympus"},
        {"tz": "europe/riga"},
        {"tz": ""},
        {"manual_resume": 1},
        {"manual_resume": "true"},
        {"methods": "GET"},
        {"start_kw": "x" * 201},
        {"success_kw": "x" * 201},
        {"failure_kw": "x" * 201},
        {"subject": "x" * 201},
        {"subject_fail": "x" * 201},
        {"filter_subject": None, "filter_body": "no"},
        {"unique": ["status"]},
        {"unique": "name"},
        {"unique": ["name"]},
        {"unique": ["name"], "name": None},
        {"unique": ["timeout"], "timeout": 600, "schedule": "daily"},
        {"schedule": "daily America"},
        {"tags": ["\u00a0x"]},
    ],
    ids=str,
)
def test_invalid_values_are_rejected(schema: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        schema(**fields)


@both
def test_invalid_assignments_are_rejected(schema: Any) -> None:
    check = schema()
    for duration in (5, 90.0, "soon", "5s", timedelta(days=366)):
        with pytest.raises(
            ValidationError,
            match=r"from 60 to 31536000 whole seconds \(a minute to 365 days\), such as 5400 or '1h 30m'",
        ):
            check.timeout = duration
    with pytest.raises(ValidationError):
        check.time_out = 60


@both
def test_rejected_assignment_changes_nothing(schema: Any) -> None:
    check = schema(name="x", unique=["name"])
    for field, value in (("unique", ["slug"]), ("name", None), ("tz", "Mars")):
        with pytest.raises(ValidationError):
            setattr(check, field, value)

    check.desc = "still usable"
    assert check.to_request() == b'{"name":"x","desc":"still usable","unique":["name"]}'


def test_in_place_changes_of_unique_are_sent() -> None:
    check: Any = CheckCreate(name="x")
    check.unique.append("name")

    assert check.to_request() == b'{"name":"x","unique":["name"]}'


@both
@pytest.mark.parametrize("field", ["name", "slug", "tags", "timeout", "grace"])
def test_fields_named_in_unique_must_be_set(schema: Any, field: str) -> None:
    with pytest.raises(ValidationError, match=f"{field} is named in unique and must be set"):
        schema(unique=[field])


@both
def test_all_pytz_time_zones_are_accepted(schema: Any) -> None:
    assert [schema(tz=zone).tz for zone in pytz.all_timezones] == pytz.all_timezones


def test_check_create_has_the_defaults_of_the_server() -> None:
    check = CheckCreate()

    assert (check.timeout, check.grace, check.tz, check.unique, check.channels) == (86400, 3600, "UTC", [], None)
    assert all(value is None for _, value in CheckUpdate())


ACCEPTED_BY_SERVERS_ONLY = {
    "auth-020": "the API key belongs in the header",
    "update-029": "the API key belongs in the header",
    "create-028": "servers ignore unknown fields",
    "create-040": "the same, with the JSON of a check",
    "create-041": "the same",
    "update-028": "the same",
    "upsert-008": "unique has no effect without the name: each call creates a check",
    "upsert-009": "the same",
    "create-err-098": "NUL characters are a server error with PostgreSQL",
}
REJECTED_BY_SERVERS_ONLY = {
    "channel identifier": "only the server knows the integrations",
    "channels is not a string": "lists are joined",
    "tags is not a string": "lists are joined",
    "timeout is not a number": "durations as text are converted",
    "grace is not a number": "the same",
    "schedule is not a valid cron or OnCalendar expression": "the 31st of February",
    "Bad Request (400)": "a description of 2.5 MiB",
}


def test_validation_matches_recorded_servers(
    recorded_fields: list[tuple[dict[str, Any], type[CheckUpdate], dict[str, Any]]],
) -> None:
    differing = set()
    for recording, schema, fields in recorded_fields:
        response = recording["response"]
        without_nulls = {name: value for name, value in fields.items() if value is not None}
        is_accepted = response["status"] < 400 or fields != without_nulls
        try:
            sent = json.loads(schema(**fields).to_request())
        except ValidationError:
            if is_accepted:
                differing.add(recording["id"])
            continue
        if is_accepted:
            assert sent == without_nulls
        else:
            error = str(response["body"])
            assert any(text in error for text in REJECTED_BY_SERVERS_ONLY), (recording["id"], error)

    assert differing == set(ACCEPTED_BY_SERVERS_ONLY)


def test_minimal_check_is_parsed() -> None:
    check = Check.from_api_result(MINIMAL_CHECK)

    assert (check.slug, check.tags, check.uuid, check.started, check.last_ping) == ("", "", None, False, None)


@pytest.mark.parametrize("missing", MINIMAL_CHECK)
def test_missing_required_fields_are_rejected(missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        Check.from_api_result({name: value for name, value in MINIMAL_CHECK.items() if name != missing})


def test_uuid_is_taken_from_the_ping_url_if_missing() -> None:
    assert Check.from_api_result({**MINIMAL_CHECK, "ping_url": "https://hc.example/ping/abc"}).uuid == "abc"
    assert Check.from_api_result({**MINIMAL_CHECK, "ping_url": "https://hc.example/ping/abc", "uuid": "u"}).uuid == "u"


def test_started_is_derived_from_the_status_if_missing() -> None:
    assert Check.from_api_result({**MINIMAL_CHECK, "status": "started"}).started


def test_unknown_fields_and_statuses_are_kept() -> None:
    check: Any = Check.from_api_result({**MINIMAL_CHECK, "status": "snoozed", "colour": {"r": 1}, "model_dump": 1})

    assert (check.status, check.colour) == ("snoozed", {"r": 1})
    assert check.model_dump(exclude_unset=True)["colour"] == {"r": 1}


def test_times_are_aware_and_naive_ones_are_rejected() -> None:
    check = Check.from_api_result({**MINIMAL_CHECK, "last_ping": "2026-11-22T00:50:01+00:00"})

    assert check.last_ping == datetime(2026, 11, 22, 0, 50, 1, tzinfo=timezone.utc)
    with pytest.raises(ValidationError):
        Check.from_api_result({**MINIMAL_CHECK, "last_ping": "2026-11-22T00:50:01"})


RESULTS: list[tuple[Any, dict[str, Any]]] = [
    (Check, {**MINIMAL_CHECK, "ping_url": "https://hc.example/ping/abc"}),
    (Check, {**MINIMAL_CHECK, "status": "started", "colour": None}),
    (CheckPings, {"type": "success", "date": "2026-11-22T00:50:01.5+00:00", "n": 4, "ua": "curl"}),
    (CheckStatuses, {"timestamp": "2026-11-22T00:50:01+00:00", "up": 1}),
    (Badges, dict.fromkeys(("svg", "svg3", "json", "json3", "shields", "shields3"), "https://hc.example/b")),
    (Integration, {"id": "i", "name": "", "kind": "email"}),
]


@pytest.mark.parametrize(("schema", "result"), RESULTS)
def test_from_api_result_does_not_modify_its_argument(schema: Any, result: dict[str, Any]) -> None:
    result = result | dict.fromkeys(optional_fields(schema))
    before = copy.deepcopy(result)
    schema.from_api_result(result)
    assert result == before


def optional_fields(schema: Any) -> list[str]:
    """Return the fields that have a default, as the API names them."""
    fields = schema.model_fields.items()
    return [field.validation_alias or name for name, field in fields if not field.is_required()]


def required_fields(schema: Any) -> list[str]:
    return [field.validation_alias or name for name, field in schema.model_fields.items() if field.is_required()]


LIST_SCHEMAS: dict[Any, tuple[Any, str]] = {
    Check: (Checks, "checks"),
    CheckPings: (Pings, "pings"),
    CheckStatuses: (Flips, "flips"),
    Integration: (Integrations, "channels"),
}


def parsed_in_every_way(schema: Any, result: dict[str, Any]) -> list[Any]:
    parsed = [schema.from_api_result(result), schema.model_validate_json(json.dumps(result))]
    if schema in LIST_SCHEMAS:
        list_schema, name = LIST_SCHEMAS[schema]
        body = {name: [result, result], "next": None}
        for response in (list_schema.from_api_result(body), list_schema.model_validate_json(json.dumps(body))):
            assert response.model_extra == {"next": None}
            parsed += getattr(response, name)
    return parsed


@given(st.data())
def test_null_in_a_field_with_a_default_counts_as_left_out(data: st.DataObject) -> None:
    schema, result = data.draw(st.sampled_from(RESULTS))
    nulls = data.draw(st.sets(st.sampled_from([*optional_fields(schema), "unknown"])))
    without_nulls = {name: value for name, value in result.items() if name not in nulls}

    expected = schema.from_api_result(without_nulls | dict.fromkeys(nulls & {"unknown"}))

    for parsed in parsed_in_every_way(schema, result | dict.fromkeys(nulls)):
        assert parsed == expected
        assert parsed.model_fields_set == expected.model_fields_set


@pytest.mark.parametrize(
    ("schema", "field"),
    [(Check, field) for field in optional_fields(Check)] + [(CheckPings, "ua"), (CheckPings, "rid")],
)
def test_each_field_with_a_default_may_be_null(schema: Any, field: str) -> None:
    result = next(result for kind, result in RESULTS if kind is schema)
    expected = schema.from_api_result({name: value for name, value in result.items() if name != field})

    for parsed in parsed_in_every_way(schema, result | {field: None}):
        assert parsed == expected
        assert field not in parsed.model_fields_set


def test_null_is_left_out_under_the_name_of_a_field_too() -> None:
    ping = {"type": "success", "date": "2026-11-22T00:50:01.5+00:00", "n": 4}

    for parsed in parsed_in_every_way(CheckPings, ping | {"user_agent": None}):
        assert parsed.user_agent == ""


@pytest.mark.parametrize(("schema", "result"), RESULTS)
def test_null_in_a_required_field_is_rejected(schema: Any, result: dict[str, Any]) -> None:
    for field in required_fields(schema):
        invalid = json.dumps(result | {field: None} | dict.fromkeys(optional_fields(schema)))
        with pytest.raises(ValidationError, match=field) as raised:
            schema.model_validate_json(invalid)
        problem = raised.value.errors()[0]
        assert (problem["loc"], problem["input"]) == ((field,), None)


@pytest.mark.parametrize("value", [5, [], {}, ["x"]], ids=repr)
def test_null_elsewhere_does_not_hide_an_invalid_value(value: Any) -> None:
    body = json.dumps({"checks": [MINIMAL_CHECK | {"desc": None}, MINIMAL_CHECK | {"desc": value}]})

    with pytest.raises(ValidationError) as raised:
        Checks.model_validate_json(body)
    assert raised.value.errors()[0]["loc"] == ("checks", 1, "desc")


def test_null_in_an_unknown_field_is_kept() -> None:
    extra = {"colour": None, "size": {"desc": None, "checks": [{"desc": None}]}}

    for parsed in parsed_in_every_way(Check, MINIMAL_CHECK | {"desc": None} | extra):
        assert parsed.model_extra == extra
        assert parsed.model_fields_set == MINIMAL_CHECK.keys() | extra.keys()


def test_null_that_a_field_accepts_is_dumped_as_the_server_sent_it() -> None:
    for nulls in ({"timeout": None}, {"timeout": None, "desc": None}):
        for parsed in parsed_in_every_way(Check, MINIMAL_CHECK | nulls):
            assert parsed.model_dump(exclude_unset=True) == MINIMAL_CHECK | {"timeout": None}


@pytest.mark.filterwarnings("error")
def test_a_check_without_a_uuid_can_be_created_and_dumped() -> None:
    check = Check(name="x", grace=60, n_pings=0, status="new", ping_url="https://hc.example/ping/abc", uuid=None)

    assert check.uuid is None
    assert json.loads(check.model_dump_json())["uuid"] is None


def test_responses_can_be_created_by_field_name() -> None:
    ping = CheckPings(type="start", date=datetime.now(timezone.utc), number_of_pings=4, user_agent="curl")

    assert (ping.number_of_pings, ping.user_agent, ping.remote_addr) == (4, "curl", None)
    assert ping.model_dump(by_alias=True)["n"] == 4


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_duration_that_is_no_finite_number_is_invalid(number: str) -> None:
    with pytest.raises(ValidationError):
        CheckPings.model_validate_json(
            f'{{"type": "success", "date": "2026-01-02T03:04:05+00:00", "n": 1, "duration": {number}}}'
        )
