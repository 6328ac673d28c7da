"""Parse a crontab as Vixie cron, Debian's cron and cronie do.

Every byte of the file is kept: a line is its text, and what is known about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from healthchecks_io.schemas.limits import NICKNAMES

MAX_LENGTH = 1000
"""In bytes. Vixie cron and Debian's refuse longer commands."""

_DEFAULT_PATH = "/usr/bin:/bin"
_SPACE = r"[ \t\v\f\r]"
_WORD = r"[^ \t\v\f\r'\"]"
_VARIABLE = re.compile(
    rf"""[ \t]*(?:"([^"=]*)"|'([^'=]*)'|((?:(?!=){_WORD}(?:(?![=]|{_SPACE}).)*)?)){_SPACE}*="""
    rf"""{_SPACE}*(?:"([^"]*)"|'([^']*)'|({_WORD}(?:.*(?!{_SPACE}).)?)){_SPACE}*""",
    re.DOTALL,
)
"""An unquoted value is not empty: cron takes such a line for a job, and refuses it."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _WEEKDAYS),
)
_TERM = re.compile(r"(?:\*|([0-9A-Za-z]+)(?:-([0-9A-Za-z]+))?)(?:/([0-9A-Za-z]+))?")
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
        schedule_text: The schedule, verbatim.
        schedule: The schedule in five fields, or an empty string if there is none.
        command: The command, verbatim, including its standard input after the first ``%``.
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
            name, value = [group for group in variable.groups() if group is not None]
            variables[name] = value
        else:
            jobs.append(_job(number, line, variables))
    return jobs


def is_too_long(line: str) -> bool:
    """Return whether cron may refuse a line because of its length."""
    return len(line.encode("utf-8", "surrogateescape")) >= MAX_LENGTH


def _job(number: int, line: str, variables: dict[str, str]) -> Job:
    job = Job(
        number,
        line,
        shell=variables.get("SHELL", "/bin/sh"),
        path=variables.get("PATH", _DEFAULT_PATH),
        time_zone=variables.get("CRON_TZ", ""),
    )
    length = 1 if line.lstrip(" \t").startswith("@") else 5
    match = re.fullmatch(rf"[ \t]*((?:[^ \t]+[ \t]+){{{length - 1}}}[^ \t]+)(?:[ \t]+(.*))?", line, re.DOTALL)
    if match is None:
        return replace(job, reason="cron refuses the line: it is not a comment, a variable or a job", is_refused=True)
    job = replace(job, schedule_text=match[1], command=match[2] or "")
    try:
        return replace(job, schedule=_schedule_of(job))
    except RefusedError as error:
        return replace(job, reason=f"cron refuses the line: {error}", is_refused=True)
    except UnsupportedError as error:
        return replace(job, reason=str(error))


def _schedule_of(job: Job) -> str:
    if not job.command:
        raise UnsupportedError("there is no command")
    if job.command.startswith("*"):
        raise RefusedError("the command starts with an asterisk")
    schedule = _parse_schedule(job.schedule_text)
    if is_too_long(job.text):
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
        if text not in NICKNAMES:
            raise RefusedError(f"{text} is not a schedule")
        return NICKNAMES[text]
    if text.startswith("-"):
        raise UnsupportedError("only some versions of cron accept a schedule that starts with a minus sign")
    fields = re.split("[ \t]+", text)
    problems = [_check_field(field, *limits) for field, limits in zip(fields, _FIELDS, strict=True)]
    if problem := next(filter(None, problems), ""):
        raise UnsupportedError(problem)
    schedule = " ".join(fields)
    from healthchecks_io.schemas.schedules import check_schedule

    try:
        check_schedule(schedule)
    except ValueError:
        raise UnsupportedError("Healthchecks does not accept the schedule") from None
    day, month = (min(_numbers(fields[2], *_FIELDS[2][1:])), _numbers(fields[3], *_FIELDS[3][1:]))
    if all(day > _DAYS[number - 1] for number in month):
        raise UnsupportedError("Healthchecks does not accept the schedule: the months are too short")
    return schedule


def _check_field(field: str, name: str, lowest: int, highest: int, names: tuple[str, ...]) -> str:
    """Return why a field has no equivalent in Healthchecks, or an empty string.

    Raises:
        RefusedError: Cron refuses it.
    """
    if "~" in field:
        return "Healthchecks has no equivalent of a random time (~)"
    refused = RefusedError(f"bad {name} {field!r}")
    problem = ""
    position = 0
    while True:
        match = _TERM.match(field, position)
        if match is None:
            raise refused
        first, last, step = match.groups()
        rest = field[match.end() :]
        values = [_value(each, lowest, names) for each in (first, last) if each is not None]
        if not all(value is not None and lowest <= value <= highest for value in values):
            raise refused
        if (
            (step is not None and not _number(step))
            or (rest[:1] == "/" and not step)
            or (first and not last and rest[:1] == "-")
        ):
            raise refused
        if (step and first and not last) or (last and (values[0] or 0) > (values[1] or 0)):
            # Some versions of cron refuse the line, others ignore the step, and never run the job in a backward range.
            problem = f"versions of cron differ in how they read {match[0]}"
        if rest[:1] != ",":
            break
        position = match.end() + 1
    return f"versions of cron differ in how they read {field}" if rest else problem


def _numbers(field: str, lowest: int, highest: int, names: tuple[str, ...]) -> set[int]:
    """Return the numbers of a valid field."""
    numbers: set[int] = set()
    for first, last, step in _TERM.findall(field):
        start = _value(first, lowest, names) if first else lowest
        end = _value(last, lowest, names) if last else start if first else highest
        numbers.update(range(start or 0, (end or 0) + 1, int(step or 1)))
    return numbers


def _value(text: str, lowest: int, names: tuple[str, ...]) -> int | None:
    return names.index(text.lower()) + lowest if text.lower() in names else _number(text)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else None
