"""Generates the command line reference from the help texts and the examples below.

Run it after changing either of them: ``python docs/command_line_reference.py``.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from healthchecks_io.cli import commands

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

PAGE = Path(__file__).parent / "reference" / "command-line.md"
PROGRAM = "py-healthchecks.io"
WIDTH = 130
SHARED_OPTIONS = (
    "--api-key",
    "--api-url",
    "--api-version",
    "--ping-key",
    "--ping-url",
    "--header",
    "--http-timeout",
    "--retries",
)
"""Options of many commands, which are described once."""

CODE = re.compile(
    r"`[^`]*`|(?<!\w)--[a-z][a-z-]*|HEALTHCHECKS_\w+|\$[A-Z_]+|file:PATH|/bin/sh|"
    r"\b(?:COMMAND|DURATION|FILE|ID(?= is)|SIGNAL|TIME)\b|\"[^\"]*\"|(?<= )\*(?=[ .])|\[[^\]]*[:=][^\]]*\]"
)
"""What is code in a help text."""

INTRODUCTION = """\
The command needs the extra `cli`. The [guide](../how-to/command-line.md) explains it by task: running a job, sending a
ping, managing checks, and shell completion. The [connection options](#connection-options) and the
[exit statuses](#exit-statuses) of all commands are at the end of this page."""

CONNECTION = """\
## Connection options

These options override the [environment variables](environment.md). Each command lists those that it has."""

EXIT_STATUSES = """\
## Exit statuses

| Status | Meaning |
|---|---|
| 0 | The command has succeeded. |
| 1 | An error, with a message on standard error: a missing key, an unknown check, no response, or an error response. |
| 2 | Incorrect usage, such as an unknown option. |

These commands differ:

| Command | Status |
|---|---|
| [`run`](#run) | That of the command that it runs. Failed pings do not affect it. |
| [`status`](#status) | 1 also if the service is down. |
| [`checks plan`](#checks-plan) | With `--exit-code`, 2 if there are changes. Incorrect usage is 1. |
| [`checks apply`](#checks-apply), [`checks export`](#checks-export) | Incorrect usage is 1. |"""

EXAMPLES = {
    "run": """\
```console
$ py-healthchecks.io run --slug nightly-backup -- restic backup /home
```

Create the check or update its schedule, print the output only if the command fails, and stop it after two hours:

```console
$ py-healthchecks.io run --slug nightly-backup --schedule "0 3 * * *" \\
    --tz Europe/Riga --grace 1h --quiet-success --max-time 2h -- \\
    restic backup /home
```

See [run a job](../how-to/command-line.md#run-a-job), [cron](../how-to/cron.md),
[systemd](../how-to/systemd.md) and [containers](../how-to/containers.md).""",
    "crontab": """\
List the jobs of your crontab, change it, and change it back:

```console
$ py-healthchecks.io crontab
$ py-healthchecks.io crontab --write --key-file /etc/healthchecks/ping-key
$ py-healthchecks.io crontab --undo
```

See [a whole crontab](../how-to/crontab.md).""",
    "ping": """\
```console
$ py-healthchecks.io ping --slug nightly-backup start
$ py-healthchecks.io ping --slug nightly-backup
```

Report a failure, with the last lines of a log:

```console
$ journalctl -u backup -n 50 | \\
    py-healthchecks.io ping --slug nightly-backup fail --data -
```""",
    "checks apply": """\
```toml
# checks.toml
[checks.nightly-backup]
name = "Nightly backup"
schedule = "0 3 * * *"
tz = "Europe/Riga"
```

```console
$ py-healthchecks.io checks apply checks.toml
```

```text
~ nightly-backup
    name: "" -> Nightly backup
Plan: 1 to update, 0 unchanged, 3 not managed
Applied.
```

See [checks as code](../how-to/checks-as-code.md).""",
    "checks create": """\
```console
$ py-healthchecks.io checks create --name "Weekly report" --slug weekly-report \\
    --schedule "0 9 * * MON" --tz Europe/Riga --grace 2h --unique slug
```

Copy a check:

```console
$ py-healthchecks.io checks get weekly-report --json | \\
    py-healthchecks.io checks create --from - --slug monthly-report
```""",
    "checks delete": """\
```console
$ py-healthchecks.io checks delete mirror --yes
```""",
    "checks export": """\
```console
$ py-healthchecks.io checks export > checks.toml
```""",
    "checks get": """\
```console
$ py-healthchecks.io checks get nightly-backup mail-queue
$ py-healthchecks.io checks get nightly-backup --json | jq -r .ping_url
```""",
    "checks list": """\
```console
$ py-healthchecks.io checks list
$ py-healthchecks.io checks list --tag prod --status down
$ py-healthchecks.io checks list --json | jq -r '.[].slug'
```

![A table of five checks with coloured statuses](../_static/checks-list.svg)""",
    "checks pause": """\
```console
$ py-healthchecks.io checks pause nightly-backup
```

```text
Paused Nightly backup (5bf66975-d4c7-4bf5-bcc8-b8d8a82ea278)
```""",
    "checks plan": """\
```console
$ py-healthchecks.io checks plan checks.toml
```

In CI, fail if someone has changed a check in the dashboard:

```console
$ py-healthchecks.io checks plan checks.toml --prune --exit-code
```""",
    "checks resume": """\
```console
$ py-healthchecks.io checks resume nightly-backup
```""",
    "checks update": """\
```console
$ py-healthchecks.io checks update weekly-report --grace 4h --tags "prod reports"
$ py-healthchecks.io checks update nightly-backup mail-queue --channels "*"
```""",
    "pings": """\
```console
$ py-healthchecks.io pings nightly-backup --limit 10
$ py-healthchecks.io pings nightly-backup --body last-fail
```

![The pings of four nightly runs: start, end, and a bar showing the duration](../_static/pings-nightly-backup.svg)""",
    "flips": """\
```console
$ py-healthchecks.io flips nightly-backup --seconds 30d
$ py-healthchecks.io flips nightly-backup --start 2026-01-01 --end 2026-02-01
```""",
    "report": """\
```console
$ py-healthchecks.io report
$ py-healthchecks.io report nightly-backup mail-queue --days 90
$ py-healthchecks.io report --tag prod --svg report.svg
```

![A report on five checks, with a bar of the last 30 days for each](../_static/report.svg)

See [reports](../how-to/reports.md).""",
    "integrations": """\
```console
$ py-healthchecks.io integrations
```

```text
Name         Kind     ID
Ops Email    email    7cf0fe30-b2a5-4d05-bc64-3fff6b1d57b9
Ops Webhook  webhook  2a3e0ff6-1dca-4dc7-bb75-de1bd6a0d4c0
```""",
    "badges": """\
Print the URL of the SVG badge for all checks:

```console
$ py-healthchecks.io badges --json | jq -r '."*".svg'
```""",
    "status": """\
```console
$ py-healthchecks.io status
```""",
    "sandbox": """\
Run the server in the background, and use its keys and URLs in this shell:

```console
$ py-healthchecks.io sandbox > sandbox.env &
$ until [ -s sandbox.env ]; do sleep 0.1; done; . ./sandbox.env
```

See [the sandbox](sandbox.md).""",
    "demo": """\
```console
$ py-healthchecks.io demo
```""",
}
"""Markdown with examples of each command. The tests run them in the order of the page."""


def page() -> str:
    """Return the text of the page."""
    root = click.Context(commands, info_name=PROGRAM, **commands.context_settings)
    leaves = list(_subcommands(root))
    shared = {name: option for ctx in leaves for option in _options(ctx) for name in option.opts}
    parts = [
        "# Command line",
        INTRODUCTION,
        *_description(root),
        _table_of_options(root, root.command.get_params(root)),
        *(part for ctx in leaves for part in _section(ctx)),
        CONNECTION,
        _table_of_options(root, [shared[name] for name in SHARED_OPTIONS]),
        EXIT_STATUSES,
    ]
    return "\n\n".join(parts) + "\n"


def _subcommands(ctx: click.Context) -> Iterator[click.Context]:
    """Return the contexts of all commands in a group, each group before its commands."""
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            if command is not None:
                child = click.Context(command, ctx, info_name=name)
                yield child
                yield from _subcommands(child)


def _section(ctx: click.Context) -> Iterator[str]:
    name = _name(ctx)
    yield f"{'##' if name in commands.list_commands(ctx) else '###'} {name}"
    yield from _description(ctx)
    if isinstance(ctx.command, click.Group):
        return
    yield EXAMPLES[name]
    options = _options(ctx)
    own = [option for option in options if option.opts[0] not in SHARED_OPTIONS]
    if own:
        yield _table_of_options(ctx, own)
    names = ", ".join(f"`{option.opts[0]}`" for option in options if option not in own)
    if names:
        yield _filled(f"[Connection options](#connection-options): {names}.")


def _description(ctx: click.Context) -> Iterator[str]:
    """Return the help text with the usage after its first paragraph, and the commands of a group."""
    summary, *details = inspect.cleandoc(ctx.command.help or "").split("\n\n")
    yield _prose(summary)
    yield f"```text\n{ctx.get_usage().removeprefix('Usage: ')}\n```"
    yield from map(_prose, details)
    if isinstance(ctx.command, click.Group):
        rows = [
            (f"[`{_name(child)}`](#{_name(child).replace(' ', '-')})", _code(child.command.get_short_help_str(WIDTH)))
            for child in _subcommands(ctx)
            if child.parent is ctx
        ]
        yield _table(("Command", "What it does"), rows)


def _options(ctx: click.Context) -> list[click.Parameter]:
    return [parameter for parameter in ctx.command.params if isinstance(parameter, click.Option)]


def _table_of_options(ctx: click.Context, options: Iterable[click.Parameter]) -> str:
    records = [record for option in options if (record := option.get_help_record(ctx))]
    # The spaces allow a line break in a list of choices, which would otherwise fill the screen of a telephone.
    rows = [(f"`{names.replace('|', ' | ')}`", _code(" ".join(text.split()))) for names, text in records]
    return _table(("Option", "Meaning"), rows)


def _table(header: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    head, *body = ["| {} | {} |".format(*(cell.replace("|", r"\|") for cell in row)) for row in (header, *rows)]
    return "\n".join([head, "|---|---|", *body])


def _name(ctx: click.Context) -> str:
    return ctx.command_path.removeprefix(f"{PROGRAM} ")


def _prose(paragraph: str) -> str:
    return _filled(_code(" ".join(paragraph.split())))


def _filled(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_on_hyphens=False, break_long_words=False)


def _code(text: str) -> str:
    """Put the code in a help text into backticks."""
    return CODE.sub(lambda code: code[0] if code[0].startswith("`") else f"`{code[0]}`", text)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
