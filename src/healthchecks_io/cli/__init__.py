"""The command line.

Each command stands in a module of its own, which is imported when the command is used: a cron job that sends a ping
pays for nothing else.
"""

from __future__ import annotations

import os
from importlib import import_module

import click

from healthchecks_io._version import __version__

_HOMES = {
    "run": "run",
    "ping": "ping",
    "checks": "checks",
    "pings": "pings",
    "flips": "flips",
    "integrations": "project",
    "badges": "project",
    "status": "project",
    "sandbox": "sandbox",
    "demo": "demo",
}
"""The modules of the commands, in the order in which the help shows them."""


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as in click
        return list(_HOMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as in click
        if cmd_name not in _HOMES:
            return None
        command: click.Command = getattr(import_module(f"{__name__}.{_HOMES[cmd_name]}"), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> object:
        from healthchecks_io.client.exceptions import HCAPIError

        try:
            return super().invoke(ctx)
        except HCAPIError as error:
            from healthchecks_io.cli.output import printable

            raise click.ClickException(printable(str(error))) from None
        except BrokenPipeError:
            raise
        except OSError as error:
            # What was not written would be tried again, and fail again, at the end of the program.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise click.ClickException(error.strerror or str(error)) from None


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def commands() -> None:
    """Watch cron jobs and other jobs with Healthchecks.

    Keys and addresses come from the environment: HEALTHCHECKS_API_KEY, HEALTHCHECKS_PING_KEY, HEALTHCHECKS_API_URL,
    HEALTHCHECKS_PING_URL and HEALTHCHECKS_API_VERSION. A value that begins with "file:" names a file with the value.
    """
