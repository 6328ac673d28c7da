"""The limits that a Healthchecks server puts on the fields of a check, said once for the schemas and the sandbox."""

from __future__ import annotations

MAX_NAME_LENGTH = 100
MAX_SLUG_LENGTH = 100
MAX_KEYWORDS_LENGTH = 200
MAX_SCHEDULE_LENGTH = 100

MIN_SECONDS = 60
"""The shortest timeout and grace."""
MAX_SECONDS = 365 * 24 * 3600
"""The longest timeout and grace."""

SLUG_PATTERN = r"^[a-z0-9_-]*$"


def is_cron(schedule: str) -> bool:
    """Tell a cron expression from an OnCalendar one as the server does: five parts on one line."""
    return "\n" not in schedule.strip() and len(schedule.split()) == 5
