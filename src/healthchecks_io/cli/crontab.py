"""The `crontab` command, which puts the jobs of a crontab under monitoring."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import click

from healthchecks_io.cli import output, provisioning, tables
from healthchecks_io.cli.connection import with_client
from healthchecks_io.cli.fields import fields_from
from healthchecks_io.cli.schedules import parse_period, parse_time_zone
from healthchecks_io.cli.tables import Column
from healthchecks_io.client.settings import DEFAULT_API_URL, DEFAULT_PING_URL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from healthchecks_io.cli.tables import Cell
    from healthchecks_io.client import Client
    from healthchecks_io.crontab.files import Source
    from healthchecks_io.crontab.lines import Job
    from healthchecks_io.provisioning.plan import Plan
    from healthchecks_io.schemas.checks import CheckCreate

_KEY = "HEALTHCHECKS_PING_KEY"
_DEFAULTS = {"HEALTHCHECKS_PING_URL": DEFAULT_PING_URL, "HEALTHCHECKS_API_URL": DEFAULT_API_URL}
_CHECK = Column("Check", worth=5)
_COLUMNS = (
    Column("Line", worth=3),
    Column("Schedule", worth=4),
    Column("Slug"),
    _CHECK,
    Column("State", wraps=True),
    Column("Command", worth=2, shortest=16),
)
_DONE = {"create": "created", "update": "updated"}


class _Entry(NamedTuple):
    """A job, and what is done with it.

    Attributes:
        job: The job.
        command: Its command, before it was put under monitoring.
        slug: The slug of its check, or an empty string if --write does not put it under `run`.
        tz: The time zone of its schedule.
        is_monitored: Whether it is monitored.
        is_declared: Whether its check is created and updated, because the job is or will be under monitoring by us.
        reason: Why it cannot be monitored.
        new_line: The line that puts it under monitoring, or adds an option to `run`.
        fields: Other fields of its check.
    """

    job: Job
    command: str
    slug: str
    tz: str
    is_monitored: bool
    is_declared: bool
    reason: str
    new_line: str | None
    fields: Mapping[str, object]

    @property
    def wanted(self) -> CheckCreate:
        from healthchecks_io.schemas.checks import CheckCreate

        fields = {"slug": self.slug, "schedule": self.job.schedule, "tz": self.tz, **self.fields}
        return fields_from(CheckCreate, None, fields)


@click.command()
@click.argument("file", required=False, type=click.Path(allow_dash=False))
@click.option("--write", is_flag=True, help="Create or update the checks, and wrap the jobs in `run`.")
@click.option("--undo", is_flag=True, help="Undo the changes of --write in the crontab. The checks remain.")
@click.option("--prefix", help="Beginning of the slugs. The default is the name of the host.")
@click.option(
    "--tz", type=parse_time_zone, metavar="TZ", help="Time zone of the schedules. The default is that of cron."
)
@click.option(
    "--grace", type=parse_period, metavar="DURATION", help="Grace time of the checks. The default for new ones is 1h."
)
@click.option("--tags", help="Tags of the checks, separated by spaces.")
@click.option("--quiet-success", is_flag=True, help="With --write, let cron mail the output of a job only if it fails.")
@click.option("--key-file", type=click.Path(), metavar="PATH", help="File with the ping key, which the crontab names.")
@output.json_option
@with_client(needs_key=False)
def crontab(
    client: Client,
    file: str | None,
    write: bool,
    undo: bool,
    prefix: str | None,
    tz: str | None,
    grace: int | None,
    tags: str | None,
    quiet_success: bool,
    key_file: str | None,
    as_json: bool,
) -> None:
    """Show the jobs of a crontab, and put them under monitoring.

    FILE is a crontab without a column of users. The default is your own crontab.

    With an API key, show what --write would change in the checks of the project.
    """
    if sys.platform == "win32":  # pragma: no cover - Windows has no cron
        raise click.ClickException("crontab requires Linux, macOS or another Unix system")
    from healthchecks_io.client.exceptions import HCAPIUnavailableError
    from healthchecks_io.crontab.files import CrontabError, CrontabFile, UserCrontab, decode

    if write and undo:
        raise click.UsageError("pass either --write or --undo")
    source = UserCrontab() if file is None else CrontabFile(file)
    try:
        content = source.read()
        text = decode(content)
        if undo:
            _undo(source, content, text)
            return
        start = prefix or socket.gethostname().partition(".")[0]
        fields = {"grace": grace, "tags": tags}
        entries = _entries(text, start, tz, fields, is_quiet=quiet_success)
        try:
            plan = _plan(client, entries)
        except HCAPIUnavailableError as error:
            if write:
                raise
            click.echo(f"Warning: the checks are not shown: {output.printable(str(error))}", err=True)
            plan = None
        if write:
            text = _write(client, source, content, text, entries, plan, key_file)
            entries = _entries(text, start, tz, fields)
        _note_another_key_file(text, key_file)
        _show(entries, plan, as_json, is_done=write)
    except CrontabError as error:
        output.fail(str(error))


def _entries(
    text: str, prefix: str, tz: str | None, fields: Mapping[str, object], *, is_quiet: bool = False
) -> list[_Entry]:
    from healthchecks_io.client.settings import variable
    from healthchecks_io.crontab import files, jobs, lines, rewriting

    found = lines.parse(text)
    _check_users(found)
    ping_urls = (_DEFAULTS["HEALTHCHECKS_PING_URL"], variable("HEALTHCHECKS_PING_URL"))
    default_tz = tz or files.system_time_zone()
    knows_time_zones = any(job.time_zone for job in found) and files.is_cronie()
    program = _program()
    commands: Counter[str] = Counter()
    entries: list[_Entry] = []
    for job in found:
        original = rewriting.original_command(job.command)
        command = job.command if original is None else original[0]
        slug = jobs.slug_of(command, prefix, commands[command]) if command else ""
        commands[command] += 1
        job_tz = job.time_zone if job.time_zone and knows_time_zones and not tz else default_tz
        is_monitored = jobs.is_monitored(job.command, ping_urls)
        reason = "" if is_monitored else job.reason
        new_line = None
        if original is not None:
            slug = original[1]
            new_line = rewriting.quiet_line(job) if is_quiet else None
        elif not is_monitored and not reason:
            new_line = rewriting.monitored_line(job, program, slug, is_quiet=is_quiet)
            if new_line is None:
                reason = f"under monitoring, the line would be longer than {lines.MAX_LENGTH} characters"
        if original is None and new_line is None:
            slug = ""
        is_declared = bool(job.schedule if original is not None else new_line)
        if is_declared and not job_tz:
            output.fail("the time zone of the system is not known: pass --tz")
        entries.append(_Entry(job, command, slug, job_tz, is_monitored, is_declared, reason, new_line, fields))
    return entries


def _check_users(found: Sequence[Job]) -> None:
    """Raise an error if the jobs have a column of users: cron would take each name for a part of the command.

    A word counts as a user only if no program has the same name, as `backup` or `sync` may have.
    """
    import pwd

    users = {user.pw_name for user in pwd.getpwall()}

    def has_user(job: Job) -> bool:
        first, *rest = job.command.split(None, 2)
        # An option or an operator is no command.
        has_command = bool(rest) and rest[0][0] not in "-|&;<>)%#0123456789"
        return has_command and first in users and shutil.which(first, path=job.path) is None

    with_commands = [job for job in found if job.command.strip()]
    if with_commands and all(map(has_user, with_commands)):
        user = with_commands[0].command.split(None, 1)[0]
        output.fail(f"the lines have a column of users ({user}), as in /etc/crontab, which is not supported")


def _program() -> str:
    program = shutil.which(sys.argv[0]) if os.path.basename(sys.argv[0]) == "py-healthchecks.io" else None  # noqa: PTH119
    program = program or shutil.which("py-healthchecks.io", path=os.path.dirname(sys.executable))  # noqa: PTH120
    program = program or shutil.which("py-healthchecks.io")
    if program is None:
        output.fail("py-healthchecks.io was not found beside Python or on the PATH")
    path = os.path.abspath(program)  # noqa: PTH100 - a link to the program is kept
    if set(path) & {"'", "%", "\n"}:
        output.fail(f"cron lines cannot contain the path of this program, {path!r}: install it elsewhere")
    return path


def _plan(client: Client, entries: Sequence[_Entry]) -> Plan | None:
    """Plan the checks of the jobs. Return None without an API key."""
    from healthchecks_io.client.abstract_client import settings_of

    if not settings_of(client).api_key:
        return None
    plan = provisioning.plan_or_fail(client, [entry.wanted for entry in entries if entry.is_declared])
    # The other checks of the project have nothing to do with the crontab.
    return replace(plan, unmanaged=())


def _write(
    client: Client,
    source: Source,
    content: bytes,
    text: str,
    entries: Sequence[_Entry],
    plan: Plan | None,
    key_file: str | None,
) -> str:
    """Apply the plan and write the crontab. Return its new text."""
    from healthchecks_io.crontab import rewriting

    if plan is None:
        output.fail("creating the checks needs an API key: set HEALTHCHECKS_API_KEY to the key or to file:PATH")
    refused = [entry for entry in entries if entry.job.is_refused]
    if refused:
        problems = "\n".join(f"line {entry.job.number}: {entry.reason}" for entry in refused)
        output.fail(f"cron would refuse the file, so nothing was changed:\n{problems}")
    new_lines = {entry.job.number: entry.new_line for entry in entries if entry.new_line}
    new_text = text
    if new_lines or (key_file is not None and any(entry.is_declared for entry in entries)):
        if not text.endswith("\n"):
            output.fail("cron would refuse the file, because its last line has no line break, so nothing was changed")
        variables = _variables(client, text, key_file)
        new_text = rewriting.replace_lines(text, new_lines)
        if variables and (new_lines or variables != rewriting.added_variables(text)):
            new_text = rewriting.with_variables(new_text, variables, source.argument)
    provisioning.apply_or_fail(client, plan)
    if new_text == text:
        click.echo("There are no further jobs to monitor.", err=True)
        return text
    copy = source.replace(content, new_text.encode("utf-8", "surrogateescape"))
    done = _done(entries, rewriting.added_variables(text), rewriting.added_variables(new_text))
    click.echo(f"{' '.join(done)} The old crontab is in {copy}", err=True)
    return new_text


def _done(entries: Sequence[_Entry], old: Mapping[str, str], new: Mapping[str, str]) -> Iterable[str]:
    """Describe what was changed in the crontab: its jobs, and the added variables."""
    changed = Counter(entry.is_monitored for entry in entries if entry.new_line)
    if changed[False]:
        yield f"Put {_jobs(changed[False])} under monitoring."
    if changed[True]:
        yield f"Added --quiet-success to {_jobs(changed[True])}."
    if changed and not old:
        return
    if old.get(_KEY) != new.get(_KEY):
        yield f"Changed the key file to {new.get(_KEY, '').removeprefix('file:')}."
    if any(old.get(name) != new.get(name) for name in _DEFAULTS):
        yield "Changed the URLs."


def _jobs(count: int) -> str:
    return f"{count} job{'s' if count != 1 else ''}"


def _variables(client: Client, text: str, key_file: str | None) -> dict[str, str]:
    """Return the variables that the jobs need and the crontab does not set."""
    from healthchecks_io.client.abstract_client import settings_of
    from healthchecks_io.crontab import lines, rewriting

    settings = settings_of(client)
    # A variable that is set further down does not reach the first job.
    own = rewriting.without_variables(text)
    first = next((job.number for job in lines.parse(own) if job.command), 0)
    own = "\n".join(own.split("\n")[: first and first - 1])
    is_set = [name for name in (_KEY, *_DEFAULTS) if _sets(own, name)]
    used = {"HEALTHCHECKS_PING_URL": settings.ping_url, "HEALTHCHECKS_API_URL": settings.api_url}
    variables = {name: url for name, url in used.items() if url != _DEFAULTS[name]}
    if "HEALTHCHECKS_API_URL" in variables and not {"HEALTHCHECKS_PING_URL"} & {*variables, *is_set}:
        output.fail(
            f"the checks are on {settings.api_url}, but the jobs would ping {settings.ping_url}: set "
            "HEALTHCHECKS_PING_URL to the ping URL of that server"
        )
    if _KEY not in is_set:
        variables = {_KEY: f"file:{_key_file(key_file, settings.api_key)}", **variables}
    return {name: value for name, value in variables.items() if name not in is_set}


def _sets(text: str, name: str) -> bool:
    import re

    return re.search(rf"^[ \t]*[\"']?{name}[\"']?[ \t]*=", text, re.MULTILINE) is not None


def _key_file(key_file: str | None, api_key: str) -> str:
    from healthchecks_io.client.settings import checked_ping_key, resolve

    path = _key_path(key_file)
    if not path:
        output.fail("the ping key must be in a file, because other users can read crontabs: pass --key-file PATH")
    try:
        key = checked_ping_key("the key", resolve("--key-file", f"file:{path}"))
    except ValueError as error:
        output.fail(str(error))
    if not key or "\n" in path:
        output.fail(f"the file {path!r} does not contain a ping key")
    if key == api_key:
        output.fail(f"the file {path!r} contains the API key instead of the ping key")
    return path


def _key_path(key_file: str | None) -> str:
    """Return the absolute path of the file with the ping key, or an empty string if none is named."""
    value = os.environ.get(_KEY, "").strip()
    path = key_file or (value.removeprefix("file:") if value.startswith("file:") else "")
    return path and os.path.abspath(path)  # noqa: PTH100 - a link is kept


def _note_another_key_file(text: str, key_file: str | None) -> None:
    from healthchecks_io.crontab import rewriting

    path = _key_path(key_file)
    used = rewriting.added_variables(text).get(_KEY, "").removeprefix("file:")
    if path and used and path != used:
        click.echo(f"The jobs use the key file {used}. To change it to {path}, pass --write and --key-file.", err=True)


def _undo(source: Source, content: bytes, text: str) -> None:
    from healthchecks_io.crontab import jobs, lines, rewriting

    old_lines: dict[int, str] = {}
    left: list[int] = []
    for job in lines.parse(text):
        original = rewriting.original_command(job.command)
        if original is not None:
            old_lines[job.number] = f"{job.start}{original[0]}"
        elif jobs.is_under_run(job.command):
            left.append(job.number)
    new_text = rewriting.replace_lines(text, old_lines)
    # The lines that stay under `run` may need the variables.
    has_left = left and rewriting.without_variables(text) != text
    old = (new_text if has_left else rewriting.without_variables(new_text)).encode("utf-8", "surrogateescape")
    if old != content:
        copy = source.replace(content, old)
        click.echo(f"Restored {_jobs(len(old_lines))}. The previous crontab is in {copy}", err=True)
    elif not has_left:
        click.echo("Nothing to undo.", err=True)
    if has_left:
        numbers = ", ".join(map(str, left))
        click.echo(
            f"Left under run, in a form that --write does not make: line{'s' if len(left) != 1 else ''} {numbers}. "
            "The variables that --write has added are left too, because such lines may need them.",
            err=True,
        )


def _show(entries: Sequence[_Entry], plan: Plan | None, as_json: bool, *, is_done: bool) -> None:
    actions = None if plan is None else {change.slug: change.action for change in plan.changes}
    if as_json:
        output.print_json([_as_json(entry, actions) for entry in entries])
        return
    if not entries:
        click.echo("There are no jobs.")
        return
    columns = _COLUMNS if plan is not None else tuple(column for column in _COLUMNS if column is not _CHECK)
    tables.print_table(columns, [_row(entry, actions, is_done=is_done) for entry in entries])
    if plan is not None and not is_done:
        click.echo(plan.summary())


def _row(entry: _Entry, actions: Mapping[str, str] | None, *, is_done: bool) -> tuple[Cell, ...]:
    action = _action(entry, actions) or ""
    check = _DONE.get(action, action) if is_done else action
    return (
        str(entry.job.number),
        entry.job.schedule_text,
        entry.slug,
        *(() if actions is None else (check,)),
        _state(entry),
        entry.command or entry.job.text,
    )


def _state(entry: _Entry) -> tuple[str, str]:
    if entry.is_monitored:
        return "monitored", "green"
    return (f"left alone: {entry.reason}", "yellow") if entry.reason else ("not monitored", "")


def _action(entry: _Entry, actions: Mapping[str, str] | None) -> str | None:
    """Return what happens to the check of a job. Without an API key, that is not known."""
    return actions.get(entry.slug, "unchanged") if actions is not None and entry.is_declared else None


def _as_json(entry: _Entry, actions: Mapping[str, str] | None) -> dict[str, object]:
    return {
        "line": entry.job.number,
        "schedule": entry.job.schedule_text,
        "tz": entry.tz,
        "slug": entry.slug or None,
        "command": entry.command,
        "monitored": entry.is_monitored,
        "reason": entry.reason or None,
        "action": _action(entry, actions),
    }
