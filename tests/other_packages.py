"""The packages of which the documentation shows how to use them with this library."""

from __future__ import annotations

import re

OTHER_PACKAGE = re.compile(
    r"^(?:from|import) (apscheduler|celery|django|dramatiq|fastapi|huey|loguru|opentelemetry|redis|rq|schedule|"
    r"sentry_sdk|structlog|tenacity)\b",
    re.MULTILINE,
)
"""Finds the other packages that a block needs. It runs where they are installed: in the session `celery`."""

MOCK_TOOL = re.compile(r"\b(httpx_mock|respx|vcr)\b")
"""Finds the blocks that need a tool which mocks httpx. They run where these are installed: in the session `tools`."""
