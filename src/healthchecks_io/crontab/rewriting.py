"""Put jobs of a crontab under `run`, and take them out again."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from healthchecks_io.crontab.jobs import split_command
from healthchecks_io.crontab.lines import is_too_long

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healthchecks_io.crontab.lines import Job

_BEGIN = "# Added by py-healthchecks.io crontab --write. To take it back: py-healthchecks.io crontab "
_UNDO = "--undo"
_END = "# End of py-healthchecks.io"
_BLOCK = re.compile(
    rf"{re.escape(_BEGIN)}(?:[^\n]* )?{_UNDO}\n((?:(?!{re.escape(_END)}\n)[^\n]*\n)*){re.escape(_END)}\n"
)
_VARIABLE = re.compile(r"(HEALTHCHECKS_(?:PING_KEY|PING_URL|API_URL))=([^\n]*)\n")
"""A line of the block. Users may have added others, which are theirs."""

_QUIET = "--quiet-success"
_QUOTED = r"'((?:[^']|'\\'')*)'"
_PROGRAM = r"(?:\S*/py-healthchecks\.io|'[^']*/py-healthchecks\.io')"
_OPTION = r"""--([a-z-]+)(?:(?:=|[ \t]+(?!-))((?:[^\s'"\\%#;&|<>()$`]|'[^'%]*'|"[^"\\%$`]*")+))?[ \t]+"""
_MONITORED = re.compile(rf"{_PROGRAM}[ \t]+run[ \t]+((?:{_OPTION})+)--[ \t]+\"\$SHELL\" -c {_QUOTED}(%.*)?", re.DOTALL)
"""A command under `run`. Users may have added options to it."""


def monitored_line(job: Job, program: str, slug: str, *, is_quiet: bool = False) -> str | None:
    """Return the line of a job under `run`, or None if it would be too long for cron.

    Args:
        job: The job.
        program: The absolute path of ``py-healthchecks.io``.
        slug: The slug of the check.
        is_quiet: Whether to show the output only if the job fails.
    """
    command, rest = split_command(job.command)
    quoted = "'" + command.replace("'", "'\\''") + "'"
    path = shlex.quote(program).replace("%", "\\%")
    option = f" {_QUIET}" if is_quiet else ""
    line = f'{job.start}{path} run --slug={slug}{option} -- "$SHELL" -c {quoted}{rest}'
    return None if is_too_long(line) else line


def quiet_line(job: Job) -> str | None:
    """Return the line of a job under `run` that shows the output only if the job fails.

    Return None if it does so already, or would be too long for cron.
    """
    match = _MONITORED.fullmatch(job.command)
    if match is None or any(name == _QUIET.removeprefix("--") for name, _ in re.findall(_OPTION, match[1])):
        return None
    line = f"{job.start}{job.command[: match.end(1)]}{_QUIET} {job.command[match.end(1) :]}"
    return None if is_too_long(line) else line


def original_command(command: str) -> tuple[str, str] | None:
    """Return the command of a job before it was put under `run`, and its slug, or None if it was not.

    Options that were added to `run` since are not part of the command.
    """
    match = _MONITORED.fullmatch(command)
    if match is None:
        return None
    slugs = [value.strip("'\"") for name, value in re.findall(_OPTION, match[1]) if name == "slug"]
    if len(slugs) != 1 or not re.fullmatch("[a-z0-9_-]+", slugs[0]):
        return None
    return match[4].replace("'\\''", "'") + (match[5] or ""), slugs[0]


def with_variables(text: str, variables: Mapping[str, str], file: str) -> str:
    """Return a crontab with variables at its beginning, instead of those that were added before.

    Args:
        text: The crontab.
        variables: The variables.
        file: The path of the crontab, or an empty string for that of the user.
    """
    text = without_variables(text)
    lines = "".join(f"{name}={value}\n" for name, value in variables.items())
    argument = f"{shlex.quote(file)} " if file else ""
    return f"{_BEGIN}{argument}{_UNDO}\n{lines}{_END}\n{text}"


def added_variables(text: str) -> dict[str, str]:
    """Return the variables that were added to a crontab."""
    match = _BLOCK.search(text)
    return dict(_VARIABLE.findall(match[1])) if match else {}


def without_variables(text: str) -> str:
    """Return a crontab without the variables that were added."""
    return _BLOCK.sub(lambda block: _VARIABLE.sub("", block[1]), text)


def replace_lines(text: str, lines: Mapping[int, str]) -> str:
    """Return a crontab with other lines at some numbers."""
    return "\n".join(lines.get(number, line) for number, line in enumerate(text.split("\n"), 1))
