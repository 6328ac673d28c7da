"""The packages of which the documentation shows how to use them with this library."""

from __future__ import annotations

import re

OTHER_PACKAGE = re.compile(
    r"^(?:from|import) (apscheduler|celery|django|dramatiq|fastapi|huey|loguru|opentelemetry|redis|rq|schedule|"
    r"sentry_sdk|structlog|tenacity)\b",
    re.MULTILINE,
)
"""Finds the other packages that a block needs. It runs where they are installed: in the session `celery`."""
