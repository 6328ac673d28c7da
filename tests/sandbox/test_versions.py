"""Tests of sandboxes that behave like older servers, each with the version that changed and the one before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from healthchecks_io.sandbox import Sandbox
from healthchecks_io.sandbox.versions import parse_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

VERSIONS = [f"{major}.{minor}" for major, minors in {1: 26, 2: 11, 3: 14, 4: 4}.items() for minor in range(minors)][15:]
RUN_1 = "123e4567-e89b-12d3-a456-426614174001"
RUN_2 = "123e4567-e89b-12d3-a456-426614174002"
NOT_UTF8 = b"gr\xf6n"


class Server:
    """A sandbox of a version, and its API without a client."""

    def __init__(self, sandbox: Sandbox, http: httpx.Client) -> None:
        self.sandbox = sandbox
        self.http = http

    def request(self, method: str, path: str, *, read_only: bool = False, **options: Any) -> httpx.Response:
        key = self.sandbox.read_only_key if read_only else self.sandbox.api_key
        return self.http.request(method, f"{self.sandbox.api_url}{path}", headers={"X-Api-Key": key}, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", f"v1/{path}", **options)

    def post(self, path: str, **fields: object) -> httpx.Response:
        return self.request("POST", f"v1/{path}", json=fields)

    def create(self, **fields: object) -> str:
        """Create a check and return its UUID."""
        response = self.post("checks/", **fields)
        assert response.status_code == 201, response.text
        ping_url: str = response.json()["ping_url"]
        return ping_url.rpartition("/")[2]

    def create_with_slug(self, slug: str) -> str:
        """Create a check with a slug derived from its name, as all servers with slugs do in version 1 of the API."""
        return self.create(name=slug)

    def ping(self, path: str, body: bytes = b"") -> httpx.Response:
        return self.http.post(f"{self.sandbox.ping_url}{path}", content=body)


@pytest.fixture
def server(request: pytest.FixtureRequest, http: httpx.Client) -> Iterator[Server]:
    with Sandbox(version=request.param) as sandbox:
        yield Server(sandbox, http)


def before(version: str) -> str:
    return VERSIONS[VERSIONS.index(version) - 1]


def changed_in(version: str) -> pytest.MarkDecorator:
    """Run a test with the version before, and with the version. Its argument `is_new` tells them apart."""
    return pytest.mark.parametrize(
        ("server", "is_new"),
        [(before(version), False), (version, True)],
        ids=[before(version), version],
        indirect=["server"],
    )


def each_changed_in(*cases: tuple[Any, ...]) -> pytest.MarkDecorator:
    """Run a test for each field, with an optional value, and the version in which it was added."""
    arguments = [
        pytest.param(version, is_new, *case[:-1], id=f"{case[0]}-{version}")
        for case in cases
        for version, is_new in ((before(case[-1]), False), (case[-1], True))
    ]
    names = ("server", "is_new", "field", "value")[: len(cases[0]) + 1]
    return pytest.mark.parametrize(names, arguments, indirect=["server"])


def is_page(response: httpx.Response, status: int) -> bool:
    """Whether a response is one of the server's generic error pages."""
    return (response.status_code, response.text.lstrip()[:15]) == (status, "<!doctype html>")


# API versions and endpoints.


@changed_in("2.6")
def test_version_2_of_the_api(server: Server, is_new: bool) -> None:
    response = server.request("GET", "v2/status/")
    assert response.text == "OK" if is_new else is_page(response, 404)


@changed_in("2.10")
def test_version_3_of_the_api(server: Server, is_new: bool) -> None:
    response = server.request("POST", "v3/checks/", json={})
    assert response.status_code == 201 if is_new else is_page(response, 404)


@pytest.mark.parametrize("version", VERSIONS)
def test_all_versions_have_version_1_of_the_api(http: httpx.Client, version: str) -> None:
    with Sandbox(version=version) as sandbox:
        server = Server(sandbox, http)
        uuid = server.create(name="Backup")
        assert server.ping(uuid).text == "OK"
        assert server.get(f"checks/{uuid}").json()["status"] == "up"
        assert server.get(f"checks/{uuid}", read_only=True).json()["name"] == "Backup"
        assert server.post(f"checks/{uuid}/pause").json()["status"] == "paused"
        assert server.request("DELETE", f"v1/checks/{uuid}").status_code == 200
        assert len(server.get("channels/").json()["channels"]) == 2


@changed_in("1.16")
def test_check_by_unique_key(server: Server, is_new: bool) -> None:
    server.create()
    unique_key = server.get("checks/", read_only=True).json()["checks"][0]["unique_key"]
    for path in (f"checks/{unique_key}", f"checks/{unique_key}/flips/"):
        response = server.get(path)
        assert response.status_code == 200 if is_new else is_page(response, 404)


@changed_in("1.16")
@pytest.mark.parametrize("endpoint", ["flips", "pings"])
def test_lists_of_flips_and_pings(server: Server, is_new: bool, endpoint: str) -> None:
    response = server.get(f"checks/{server.create()}/{endpoint}/")
    assert response.json() == {endpoint: []} if is_new else is_page(response, 404)


@changed_in("1.23")
def test_list_of_badges(server: Server, is_new: bool) -> None:
    response = server.get("badges/")
    assert list(response.json()["badges"]) == ["*"] if is_new else is_page(response, 404)


@changed_in("2.3")
def test_resume(server: Server, is_new: bool) -> None:
    uuid = server.create()
    server.post(f"checks/{uuid}/pause")
    response = server.post(f"checks/{uuid}/resume")
    assert response.json()["status"] == "new" if is_new else is_page(response, 404)


@changed_in("2.5")
def test_body_of_a_ping(server: Server, is_new: bool) -> None:
    uuid = server.create()
    server.ping(uuid, b"done")
    response = server.get(f"checks/{uuid}/pings/1/body")
    assert response.text == "done" if is_new else is_page(response, 404)


@changed_in("3.3")
def test_badge_of_a_check(server: Server, is_new: bool) -> None:
    server.create()
    (check,) = server.sandbox.checks
    response = server.http.get(check.badge_url or "")
    assert response.status_code == 200 if is_new else is_page(response, 404)


# Fields.


@each_changed_in(
    ("manual_resume", True, "1.16"),
    ("methods", "POST", "1.17"),
    ("subject", "done", "2.2"),
    ("subject_fail", "error", "2.2"),
    ("success_kw", "done", "2.3"),
    ("failure_kw", "error", "2.3"),
    ("filter_subject", True, "2.3"),
    ("filter_body", True, "2.3"),
    ("start_kw", "start", "2.6"),
    ("slug", "backup", "2.10"),
    ("filter_http_body", True, "3.13"),
    ("filter_default_fail", True, "3.13"),
)
def test_field_is_ignored_before(server: Server, is_new: bool, field: str, value: object) -> None:
    uuid = server.create(**{field: value})
    assert (server.get(f"checks/{uuid}").json().get(field) == value) is is_new
    assert (server.post(f"checks/{uuid}", **{field: value}).json().get(field) == value) is is_new
    # Not even its type matters.
    assert server.post("checks/", **{field: None}).status_code == (400 if is_new else 201)


@each_changed_in(
    ("manual_resume", "1.16"),
    ("methods", "1.17"),
    ("slug", "1.23"),
    ("subject", "2.2"),
    ("subject_fail", "2.2"),
    ("success_kw", "2.3"),
    ("failure_kw", "2.3"),
    ("filter_subject", "2.3"),
    ("filter_body", "2.3"),
    ("resume_url", "2.3"),
    ("started", "2.6"),
    ("start_kw", "2.6"),
    ("uuid", "3.5"),
    ("badge_url", "3.10"),
    ("filter_http_body", "3.13"),
    ("filter_default_fail", "3.13"),
)
def test_field_is_missing_from_checks_before(server: Server, is_new: bool, field: str) -> None:
    uuid = server.create()
    assert (field in server.get(f"checks/{uuid}").json()) is is_new
    assert (field in server.get("checks/").json()["checks"][0]) is is_new


@each_changed_in(("rid", "2.5"), ("body_url", "2.5"))
def test_field_is_missing_from_pings_before(server: Server, is_new: bool, field: str) -> None:
    uuid = server.create()
    server.ping(uuid)
    (ping,) = server.get(f"checks/{uuid}/pings/").json()["pings"]
    assert (field in ping) is is_new


@changed_in("1.18")
def test_time_zone_is_ignored_without_a_schedule(server: Server, is_new: bool) -> None:
    uuid = server.create(schedule="* * * * *", tz="Asia/Tokyo")
    check = server.post(f"checks/{uuid}", tz="Europe/Berlin").json()
    assert check["tz"] == ("Europe/Berlin" if is_new else "Asia/Tokyo")


@changed_in("1.18")
def test_channels_by_name(server: Server, is_new: bool) -> None:
    response = server.post("checks/", channels="Ops Email")
    if is_new:
        assert response.json()["channels"]
    else:
        assert (response.status_code, response.json()) == (400, {"error": "invalid channel identifier: Ops Email"})


@changed_in("1.18")
def test_channels_by_id_and_empty_identifiers(server: Server, is_new: bool) -> None:
    channel = server.get("channels/").json()["channels"][0]["id"]
    assert server.post("checks/", channels=channel).json()["channels"] == channel
    error = "empty channel identifier" if is_new else "invalid channel identifier: "
    assert server.post("checks/", channels=f"{channel},").json() == {"error": error}


@changed_in("1.24")
@pytest.mark.parametrize("field", ["timeout", "grace"])
def test_timeouts_over_30_days(server: Server, is_new: bool, field: str) -> None:
    assert server.post("checks/", **{field: 30 * 86400}).status_code == 201
    response = server.post("checks/", **{field: 30 * 86400 + 1})
    if is_new:
        assert response.json()[field] == 30 * 86400 + 1
    else:
        assert (response.status_code, response.json()) == (
            400,
            {"error": f"json validation error: {field} is too large"},
        )


@changed_in("2.10")
def test_cron_expression_with_the_last_weekday(server: Server, is_new: bool) -> None:
    response = server.post("checks/", schedule="0 9 LW * *")
    if is_new:
        assert response.json()["schedule"] == "0 9 LW * *"
    else:
        error = "json validation error: schedule is not a valid cron expression"
        assert (response.status_code, response.json()) == (400, {"error": error})


@changed_in("3.1")
def test_oncalendar_schedule(server: Server, is_new: bool) -> None:
    response = server.post("checks/", schedule="daily")
    if is_new:
        assert response.json()["schedule"] == "daily"
    else:
        error = "json validation error: schedule is not a valid cron expression"
        assert (response.status_code, response.json()) == (400, {"error": error})


@changed_in("3.1")
def test_error_for_an_invalid_schedule(server: Server, is_new: bool) -> None:
    what = "cron or OnCalendar" if is_new else "cron"
    error = server.post("checks/", schedule="61 * * * *").json()["error"]
    assert error == f"json validation error: schedule is not a valid {what} expression"


@changed_in("3.4")
@pytest.mark.parametrize("name", ["Europe/Kyiv", "America/Nuuk", "America/Ciudad_Juarez", "Pacific/Kanton"])
def test_new_time_zone_names(server: Server, is_new: bool, name: str) -> None:
    response = server.post("checks/", schedule="* * * * *", tz=name)
    if is_new:
        assert response.json()["tz"] == name
    else:
        error = "json validation error: tz is not a valid timezone"
        assert (response.status_code, response.json()) == (400, {"error": error})


@changed_in("3.4")
def test_obsolete_time_zone_names_are_kept_before(server: Server, is_new: bool) -> None:
    check = server.post("checks/", schedule="* * * * *", tz="America/Buenos_Aires").json()
    assert check["tz"] == ("America/Argentina/Buenos_Aires" if is_new else "America/Buenos_Aires")


# Slugs.


@changed_in("1.23")
def test_slug_is_derived_from_the_name(server: Server, is_new: bool) -> None:
    check = server.post("checks/", name="Nightly Backup").json()
    assert check.get("slug") == ("nightly-backup" if is_new else None)
    assert [check.slug for check in server.sandbox.checks] == ["nightly-backup" if is_new else ""]


@changed_in("2.10")
def test_filter_by_slug_is_ignored_before(server: Server, is_new: bool) -> None:
    server.create_with_slug("one")
    server.create_with_slug("two")
    names = [check["name"] for check in server.get("checks/?slug=two").json()["checks"]]
    assert names == (["two"] if is_new else ["one", "two"])


@changed_in("2.10")
def test_unique_slug(server: Server, is_new: bool) -> None:
    server.create_with_slug("backup")
    response = server.post("checks/", slug="backup", unique=["slug"])
    if is_new:
        assert response.status_code == 200
    else:
        error = "json validation error: an item in 'unique' has unexpected value"
        assert (response.status_code, response.json()) == (400, {"error": error})


@pytest.mark.parametrize("server", ["1.15"], indirect=True)
@pytest.mark.parametrize("field", ["name", "tags", "timeout", "grace"])
def test_other_unique_fields_work_in_all_versions(server: Server, field: str) -> None:
    fields = {"name": "Backup", "tags": "db", "timeout": 3600, "grace": 60}
    server.create(**fields)
    assert server.post("checks/", **fields, unique=[field]).status_code == 200


# Pings.


@changed_in("1.18")
@pytest.mark.parametrize(("exit_status", "type_"), [("0", "success"), ("1", "fail")])
def test_exit_status(server: Server, is_new: bool, exit_status: str, type_: str) -> None:
    uuid = server.create()
    response = server.ping(f"{uuid}/{exit_status}")
    assert response.text == "OK" if is_new else is_page(response, 404)
    assert [ping.type for ping in server.sandbox.pings(uuid)] == ([type_] if is_new else [])


@changed_in("1.23")
def test_exit_status_over_255(server: Server, is_new: bool) -> None:
    uuid = server.create()
    response = server.ping(f"{uuid}/256")
    assert (response.status_code, response.text) == ((400, "invalid url format") if is_new else (200, "OK"))
    assert [ping.type for ping in server.sandbox.pings(uuid)] == ([] if is_new else ["fail"])


@changed_in("1.23")
def test_ping_by_slug(server: Server, is_new: bool) -> None:
    uuid = server.create_with_slug("backup")
    for action in ("", "/start", "/fail", "/7"):
        response = server.ping(f"{server.sandbox.ping_key}/backup{action}")
        assert response.text == "OK" if is_new else is_page(response, 404)
    assert len(server.sandbox.pings(uuid)) == (4 if is_new else 0)


@changed_in("1.23")
def test_ping_of_an_unknown_check(server: Server, is_new: bool) -> None:
    response = server.ping(str(uuid4()))
    assert (response.status_code, response.text) == (404, "not found") if is_new else is_page(response, 404)


@changed_in("1.24")
def test_body_that_is_not_utf8(server: Server, is_new: bool) -> None:
    uuid = server.create()
    response = server.ping(uuid, NOT_UTF8)
    assert response.text == "OK" if is_new else is_page(response, 500)
    # The first byte that is not UTF-8 is replaced.
    assert [ping.body.decode() for ping in server.sandbox.pings(uuid)] == (["gr\ufffdn"] if is_new else [])


@changed_in("2.0")
def test_body_that_is_not_utf8_is_kept(server: Server, is_new: bool) -> None:
    uuid = server.create()
    server.ping(uuid, NOT_UTF8)
    assert [ping.body for ping in server.sandbox.pings(uuid)] == [NOT_UTF8 if is_new else "gr\ufffdn".encode()]


@changed_in("2.0")
def test_body_limit_counts_bytes(server: Server, is_new: bool) -> None:
    uuid = server.create()
    server.ping(uuid, b"\xc3\xa9" * 10_001)
    (ping,) = server.sandbox.pings(uuid)
    assert len(ping.body) == (10_000 if is_new else 20_000)


@changed_in("2.1")
def test_body_limit_is_announced(server: Server, is_new: bool) -> None:
    response = server.ping(server.create())
    assert response.headers.get("Ping-Body-Limit") == ("10000" if is_new else None)


@changed_in("2.3")
def test_log_ping(server: Server, is_new: bool) -> None:
    uuid = server.create_with_slug("backup")
    by_uuid, by_slug = server.ping(f"{uuid}/log"), server.ping(f"{server.sandbox.ping_key}/backup/log")
    if is_new:
        assert (by_uuid.text, by_slug.text) == ("OK", "OK")
    else:
        # The server looks for a check with the slug "log".
        assert (by_uuid.status_code, by_uuid.text) == (404, "not found")
        assert is_page(by_slug, 404)
    assert [ping.type for ping in server.sandbox.pings(uuid)] == (["log", "log"] if is_new else [])


@pytest.mark.parametrize("server", ["1.22"], indirect=True)
def test_log_ping_without_slugs(server: Server) -> None:
    assert is_page(server.ping(f"{server.create()}/log"), 404)


@changed_in("2.5")
def test_run_ids(server: Server, is_new: bool) -> None:
    uuid = server.create()
    server.ping(f"{uuid}/start?rid={RUN_1}")
    server.sandbox.advance(seconds=10)
    server.ping(f"{uuid}/start?rid={RUN_2}")
    server.sandbox.advance(seconds=10)
    server.ping(f"{uuid}?rid={RUN_1}")
    # Without run IDs, the first end is that of the last start.
    assert (server.get(f"checks/{uuid}").json()["status"] == "started") is is_new
    duration = server.sandbox.pings(uuid)[0].duration
    assert duration is not None
    assert abs(duration - timedelta(seconds=20 if is_new else 10)) < timedelta(seconds=5)
    assert {ping.rid is None for ping in server.sandbox.pings(uuid)} == {not is_new}


@changed_in("2.5")
def test_invalid_run_id(server: Server, is_new: bool) -> None:
    response = server.ping(f"{server.create()}?rid=7")
    assert (response.status_code, response.text) == ((400, "invalid uuid format") if is_new else (200, "OK"))


@changed_in("2.10")
def test_create_is_ignored_before(server: Server, is_new: bool) -> None:
    response = server.ping(f"{server.sandbox.ping_key}/backup?create=1")
    assert (response.status_code, response.text) == ((201, "Created") if is_new else (404, "not found"))
    assert len(server.sandbox.checks) == is_new


@pytest.mark.parametrize("server", ["2.9"], indirect=True)
def test_ping_with_create_counts_if_the_check_exists(server: Server) -> None:
    server.create_with_slug("backup")
    assert server.ping(f"{server.sandbox.ping_key}/backup?create=1").text == "OK"


@changed_in("4.1")
def test_upper_case_in_slugs(server: Server, is_new: bool) -> None:
    response = server.ping(f"{server.sandbox.ping_key}/Backup?create=1")
    assert (response.status_code, response.text) == ((400, "invalid url format") if is_new else (201, "Created"))


@pytest.mark.parametrize(("version", "expected"), [("4.2", 201), ("4.3", 404)])
def test_limit_of_checks_applies_to_created_checks(http: httpx.Client, version: str, expected: int) -> None:
    with Sandbox(version=version, check_limit=0) as hc:
        assert Server(hc, http).ping(f"{hc.ping_key}/backup?create=1").status_code == expected


# The argument.


def test_default_is_the_newest_version(http: httpx.Client) -> None:
    with Sandbox() as default, Sandbox(version="4.3") as newest:
        fields = [list(Server(hc, http).post("checks/").json()) for hc in (default, newest)]
    assert fields[0] == fields[1]


@pytest.mark.parametrize(
    "version",
    [
        "",
        "1",
        "1.2",
        "1.14",
        "1.26",
        "2.11",
        "4.4",
        "5.0",
        "V2.4",
        "v2",
        "2.04",
        "2.4.1.1",
        "2.4.",
        "2.4.x",
        "2.4\n",
        "२.४",
        2.4,
        (2, 4),
    ],
)
def test_unknown_versions_are_rejected(version: Any) -> None:
    with pytest.raises(ValueError, match='version must be a version of Healthchecks from "1.15" to "4.3", not'):
        Sandbox(version=version)


@pytest.mark.parametrize("version", ["2.4", "v2.4", "2.4.1", "v2.4.1"])
def test_patch_levels_and_a_leading_v_do_not_matter(version: str) -> None:
    assert parse_version(version) == (2, 4)


def test_contents_can_be_loaded_into_another_version(http: httpx.Client, tmp_path: Any) -> None:
    with Sandbox() as new, Sandbox(version="1.15") as old:
        uuid = Server(new, http).create(slug="backup", filter_http_body=True)
        new.save(tmp_path / "state.sqlite")
        old.load(tmp_path / "state.sqlite")
        assert "filter_http_body" not in Server(old, http).get(f"checks/{uuid}").json()
