"""The command line.

Each command lives in its own module, which is imported only when the command is used: a cron job that sends a ping
does not pay for importing the others.
"""

from __future__ import annotations

import os
from importlib import import_module

import click

from healthchecks_io._version import __version__
from healthchecks_io.cli.suggestions import SuggestingGroup

_COMMAND_MODULES = {
    "run": "run",
    "crontab": "crontab",
    "ping": "ping",
    "checks": "checks",
    "pings": "pings",
    "flips": "flips",
    "report": "report",
    "integrations": "project",
    "badges": "project",
    "status": "project",
    "sandbox": "sandbox",
    "demo": "demo",
}
"""The module of each command, in the order in which `--help` lists the commands."""


class _LazyGroup(SuggestingGroup):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMAND_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMAND_MODULES:
            return None
        command: click.Command = getattr(import_module(f"{__name__}.{_COMMAND_MODULES[cmd_name]}"), cmd_name)
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
            # Python flushes stdout at exit: the unwritten output would cause the same error again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            raise click.ClickException(error.strerror or str(error)) from None


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def commands() -> None:
    """Monitor cron jobs and other scheduled jobs with Healthchecks.

    Settings are read from environment variables: HEALTHCHECKS_API_KEY, HEALTHCHECKS_PING_KEY, HEALTHCHECKS_API_URL,
    HEALTHCHECKS_PING_URL, HEALTHCHECKS_API_VERSION, HEALTHCHECKS_TIMEOUT and HEALTHCHECKS_RETRIES. Set a variable to
    file:PATH to read its value from a file.
    """
