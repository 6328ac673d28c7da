"""The recipes for logging and tracing libraries do what the guide says."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from healthchecks_io.sandbox import Sandbox

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "frameworks.md"


def run_recipe(title: str, package: str, hc: Sandbox, more: str = "") -> str:
    """Run the example of a section, with further code after it. Return its output."""
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"needs {package}, which only the nox session celery installs")
    section = GUIDE.read_text(encoding="utf-8").partition(f"\n## {title}\n")[2]
    (code, *_) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    result = subprocess.run(  # noqa: S603 - our own documentation
        [sys.executable, "-c", code + more],
        env={**os.environ, **hc.environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_records_of_loguru_are_in_the_log_of_the_run(healthchecks_sandbox: Sandbox) -> None:
    run_recipe("loguru", "loguru", healthchecks_sandbox)

    assert healthchecks_sandbox.pings("nightly-backup")[0].body == b"INFO saved 3 files"


def test_records_of_structlog_are_in_the_log_of_the_run(healthchecks_sandbox: Sandbox) -> None:
    run_recipe("structlog", "structlog", healthchecks_sandbox)

    assert b"event='saved'" in healthchecks_sandbox.pings("nightly-backup")[0].body


def test_sentry_sees_the_exception_but_not_the_ping_key(healthchecks_sandbox: Sandbox) -> None:
    more = "\nsentry_sdk.capture_message('the end')\nprint(len(events), events)"

    output = run_recipe("sentry-sdk", "sentry_sdk", healthchecks_sandbox, more)

    assert "the server is down" in output
    assert output.splitlines()[-1].startswith("2 ")
    assert healthchecks_sandbox.ping_key not in output
    assert healthchecks_sandbox.pings("mail-queue")[0].type == "fail"


def test_spans_of_the_recipe_do_not_contain_the_ping_key(healthchecks_sandbox: Sandbox) -> None:
    more = "\nprint([span.to_json() for span in exporter.get_finished_spans()])"

    output = run_recipe("OpenTelemetry", "opentelemetry", healthchecks_sandbox, more)

    assert healthchecks_sandbox.ping_key not in output
    assert healthchecks_sandbox.pings("nightly-backup")[0].type == "success"
