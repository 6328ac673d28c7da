"""A project that is exported can be planned and applied again without any difference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies

from healthchecks_io import Check, CheckCreate, Client, load_checks
from healthchecks_io.client import upsert
from healthchecks_io.provisioning.files import dump_checks

if TYPE_CHECKING:
    from pathlib import Path

    from healthchecks_io.sandbox import Sandbox

pytestmark = pytest.mark.server("3.13")

CHARACTERS = strategies.characters(codec="utf-8", exclude_characters="\0")
TEXT = strategies.text(CHARACTERS)
TAGS = strategies.lists(
    strategies.text(strategies.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1), max_size=3
)
SECONDS = strategies.integers(60, 31_536_000)
SCHEDULES = strategies.sampled_from(
    ["0 3 * * *", "*/5 * * * 1-5", "0 0 LW * *", "daily", "Mon..Fri 09:00", "*-*-* 03:00\n12:00"]
)
ZONES = strategies.sampled_from(["UTC", "Europe/Riga", "Europe/Kiev", "America/Argentina/ComodRivadavia", "Etc/GMT+5"])
KEYWORDS = strategies.text(CHARACTERS, max_size=20)

FIRST_INTEGRATION = "first"
"""Stands for the ID of the first integration of the project, if there is one."""

COMMON: dict[str, Any] = {
    "name": TEXT.map(lambda text: text[:100]),
    "tags": TAGS,
    "desc": TEXT,
    "grace": SECONDS,
    "manual_resume": strategies.booleans(),
    "methods": strategies.sampled_from(["", "POST"]),
    "channels": strategies.sampled_from(["", "*", FIRST_INTEGRATION]),
    "start_kw": KEYWORDS,
    "success_kw": KEYWORDS,
    "failure_kw": KEYWORDS,
    "filter_subject": strategies.booleans(),
    "filter_body": strategies.booleans(),
    "filter_http_body": strategies.booleans(),
    "filter_default_fail": strategies.booleans(),
}
SLUGS = strategies.sampled_from(["", "a", "b", "on", "123", "null", "-", "_x", "0x1", "no-1"])
CHECKS = strategies.one_of(
    strategies.fixed_dictionaries({"slug": SLUGS}, optional={**COMMON, "timeout": SECONDS}),
    strategies.fixed_dictionaries({"slug": SLUGS, "schedule": SCHEDULES}, optional={**COMMON, "tz": ZONES}),
)

NOT_COPIED = {"uuid", "ping_url", "update_url", "pause_url", "resume_url", "badge_url", "unique_key"}


def settings_of(check: Check) -> dict[str, Any]:
    return check.model_dump(exclude=NOT_COPIED) | {"channels": sorted((check.channels or "").split(","))}


def exported(client: Client, folder: Path, document_format: str) -> list[CheckCreate]:
    """Export the checks that can be identified by their slug, and load the file."""
    checks = client.get_checks()
    slugs = [check.slug for check in checks]
    integrations = client.get_integrations()
    declared = [
        CheckCreate.from_check(check, integrations) for check in checks if check.slug and slugs.count(check.slug) == 1
    ]
    path = folder / f"checks.{document_format}"
    path.write_text(dump_checks(declared, document_format), encoding="utf-8", newline="")
    return load_checks(path)


@pytest.mark.parametrize("document_format", ["toml", "yaml", "json"])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(project=strategies.lists(CHECKS, max_size=4))
@example(project=[{"slug": "a", "name": " \x85 \u2028 \u2029 \x7f \ufeff"}])
@example(project=[{"slug": "a", "desc": "on\r\n 1:30\n\n# x\t"}])
def test_an_exported_project_equals_the_original(
    hc: Sandbox, tmp_path: Path, document_format: str, project: list[dict[str, Any]]
) -> None:
    with pytest.MonkeyPatch.context() as patch, hc.client(api_version=3) as client:
        patch.setattr(upsert, "_SETTLING_TIME", 0.0)
        for check in client.get_checks():
            client.delete_check(check.uuid)
        integrations = client.get_integrations()
        for fields in project:
            if fields.get("channels") == FIRST_INTEGRATION:
                fields["channels"] = integrations[0].id if integrations else ""
            client.create_check(CheckCreate(**fields))
        wanted = exported(client, tmp_path, document_format)

        plan = client.plan_checks(wanted)
        assert not plan, str(plan)
        assert len(plan.unchanged) == len(wanted)

        originals = {check.slug: settings_of(check) for check in client.get_checks()}
        for check in client.get_checks():
            client.delete_check(check.uuid)
        client.apply_checks(wanted)
        copies = {check.slug: settings_of(check) for check in client.get_checks()}
        assert copies == {each.slug: originals[each.slug or ""] for each in wanted}


def test_an_exported_check_without_a_slug_is_left_out(hc: Sandbox, tmp_path: Path) -> None:
    with hc.client(api_version=3) as client:
        client.create_check(CheckCreate(name="x"))
        client.create_check(CheckCreate(slug="a"))
        client.create_check(CheckCreate(slug="a"))

        assert exported(client, tmp_path, "toml") == []
