"""Parse a crontab as Vixie cron, Debian's cron and cronie do.

Every byte of the file is kept: a line is its text, and what is known about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

MAX_LENGTH = 1000
"""In characters. Vixie cron and Debian's refuse longer commands."""

_DEFAULT_PATH = "/usr/bin:/bin"
_VARIABLE = re.compile(r"""[ \t]*(?:"([^"]*)"|'([^']*)'|([^\s=]+))[ \t]*=[ \t]*(.*?)[ \t]*""", re.DOTALL)
_NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _WEEKDAYS),
)
_SHELLS = frozenset({"sh", "ash", "bash", "busybox", "dash", "ksh", "mksh", "yash", "zsh"})
"""Shells in which single quotes keep every character."""


class RefusedError(Exception):
    """Cron refuses a line, and with it the whole file."""


class UnsupportedError(Exception):
    """A job cannot be monitored. Cron accepts its line."""


@dataclass(frozen=True)
class Job:
    """A line that runs a command.

    Attributes:
        number: The number of the line, from 1.
        text: The line, without its line break.
        schedule_text: The schedule as it is in the file.
        schedule: The schedule in five fields, or an empty string if there is none.
        command: The command as it is in the file, with the standard input after the first ``%``.
        shell: The shell that cron runs it with.
        path: Where the shell looks for programs.
        time_zone: The value of CRON_TZ, or an empty string.
        reason: Why it cannot be monitored, or an empty string.
        is_refused: Whether cron refuses the line.
    """

    number: int
    text: str
    schedule_text: str = ""
    schedule: str = ""
    command: str = ""
    shell: str = "/bin/sh"
    path: str = _DEFAULT_PATH
    time_zone: str = ""
    reason: str = ""
    is_refused: bool = False

    @property
    def start(self) -> str:
        """The line up to the command."""
        return self.text.removesuffix(self.command)


def parse(text: str) -> list[Job]:
    """Return the jobs of a crontab, also those that cron refuses."""
    jobs: list[Job] = []
    variables: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        content = line.lstrip(" \t")
        if not content or content.startswith("#"):
            continue
        if variable := _VARIABLE.fullmatch(line):
            name = next(group for group in variable.group(1, 2, 3) if group is not None)
            variables[name] = _without_quotes(variable[4])
        else:
            jobs.append(_job(number, line, variables))
    return jobs


def _without_quotes(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"" else value


def _job(number: int, line: str, variables: dict[str, str]) -> Job:
    job = Job(
        number,
        line,
        shell=variables.get("SHELL", "/bin/sh"),
        path=variables.get("PATH", _DEFAULT_PATH),
        time_zone=variables.get("CRON_TZ", ""),
    )
    length = 1 if line.lstrip(" \t").startswith("@") else 5
    match = re.fullmatch(rf"[ \t]*((?:\S+[ \t]+){{{length - 1}}}\S+)(?:[ \t]+(.*))?", line, re.DOTALL)
    if match is None:
        return replace(job, reason="cron refuses the line: it is no comment, variable or job", is_refused=True)
    job = replace(job, schedule_text=match[1], command=match[2] or "")
    try:
        return replace(job, schedule=_schedule_of(job))
    except RefusedError as error:
        return replace(job, reason=f"cron refuses the line: {error}", is_refused=True)
    except UnsupportedError as error:
        return replace(job, reason=str(error))


def _schedule_of(job: Job) -> str:
    if not job.command:
        raise RefusedError("there is no command")
    schedule = _parse_schedule(job.schedule_text)
    if len(job.text) >= MAX_LENGTH:
        raise UnsupportedError(f"the line is longer than {MAX_LENGTH} characters")
    if job.shell.rpartition("/")[2] not in _SHELLS:
        raise UnsupportedError(f"SHELL is {job.shell}, which is not a POSIX shell")
    return schedule


def _parse_schedule(text: str) -> str:
    """Return a schedule in five fields, as Healthchecks understands it.

    Raises:
        RefusedError: Cron refuses it.
        UnsupportedError: There is no such schedule in Healthchecks.
    """
    if text == "@reboot":
        raise UnsupportedError("@reboot has no schedule")
    if text.startswith("@"):
        if text not in _NICKNAMES:
            raise RefusedError(f"{text} is no schedule")
        return _NICKNAMES[text]
    if text.startswith("-"):
        raise UnsupportedError("only some versions of cron accept a schedule that starts with a minus sign")
    fields = text.split()
    for field, (name, lowest, highest, names) in zip(fields, _FIELDS, strict=True):
        for term in field.split(","):
            if not _is_valid_term(term, lowest, highest, names):
                raise RefusedError(f"bad {name} {field!r}")
    schedule = " ".join(fields)
    from healthchecks_io.schemas.schedules import check_schedule

    try:
        return check_schedule(schedule)
    except ValueError:
        raise UnsupportedError("Healthchecks does not accept the schedule, which may never be due") from None


def _is_valid_term(term: str, lowest: int, highest: int, names: tuple[str, ...]) -> bool:
    span, has_step, step = term.partition("/")
    if has_step and not (step.isdecimal() and step.isascii() and 0 < int(step) <= highest):
        return False
    if span == "*":
        return True
    if "~" in span:
        raise UnsupportedError("a random time has no schedule")
    first, is_range, last = span.partition("-")
    values = [_value(each, lowest, names) for each in ((first, last) if is_range else (first,))]
    if None in values or not all(value is not None and lowest <= value <= highest for value in values):
        return False
    if has_step and not is_range:
        # Some versions refuse it, others ignore the step, and Healthchecks counts up to the highest value.
        raise UnsupportedError(f"versions of cron differ in how they read {term}")
    return not is_range or (values[0] or 0) <= (values[1] or 0)


def _value(text: str, lowest: int, names: tuple[str, ...]) -> int | None:
    if text.isdecimal() and text.isascii() and len(text) <= 2:
        return int(text)
    return names.index(text.lower()) + lowest if text.lower() in names else None
