"""The limits of Healthchecks servers for the fields of a check, shared by the schemas and the sandbox."""

from __future__ import annotations

MAX_NAME_LENGTH = 100
MAX_SLUG_LENGTH = 100
MAX_KEYWORDS_LENGTH = 200
MAX_SCHEDULE_LENGTH = 100

MIN_SECONDS = 60
"""The minimum timeout and grace time."""
MAX_SECONDS = 365 * 24 * 3600
"""The maximum timeout and grace time."""

SLUG_PATTERN = "[a-z0-9_-]*"

NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
"""The names that cron has for schedules, and Healthchecks does not."""


def is_cron(schedule: str) -> bool:
    """Return True if the server treats a schedule as a cron expression: five fields on one line."""
    return "\n" not in schedule.strip() and len(schedule.split()) == 5
