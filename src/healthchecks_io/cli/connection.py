"""The options that connect a command to a server.

The client itself is in another module: `run` starts its command before it is imported.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, TypeVar

import click

from healthchecks_io.cli.durations import parse_duration
from healthchecks_io.client import settings
from healthchecks_io.client.exceptions import BadAPIRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")
T = TypeVar("T")
V = TypeVar("V")


def checked_by(check: Callable[[str, V], T]) -> Callable[[V], T]:
    """Return the type of an option whose value a function of the library checks."""

    def parse(value: V) -> T:
        try:
            return check("it", value)
        except (ValueError, BadAPIRequestError) as error:
            raise click.BadParameter(str(error)) from None

    return parse


def _key(text: str) -> str:
    """Check an API key, except in a file, which is read when the key is used. Use it as the type of a click option."""
    return text if text.startswith("file:") else checked_by(settings.checked_key)(text)


def _ping_key(text: str) -> str:
    """Check a ping key, except in a file, which is read when the key is used. Use it as the type of a click option."""
    return text if text.startswith("file:") else checked_by(settings.checked_ping_key)(text)


def _header(text: str) -> tuple[str, str]:
    header = re.fullmatch(r"\s*([\w!#$%&'*+.^`|~-]+)\s*:\s*([\t -~]*?)\s*", text, re.ASCII)
    if header is None:
        raise click.BadParameter("it must have the form NAME:VALUE, in ASCII")
    return header[1], header[2]


def _timeout(text: str) -> float:
    return checked_by(settings.checked_timeout)(parse_duration(text))


_API_OPTIONS = (
    click.option(
        "--api-key", type=_key, metavar="KEY", help="API key. HEALTHCHECKS_API_KEY or file:PATH is more secure."
    ),
    click.option(
        "--api-url",
        type=checked_by(settings.checked_url),
        metavar="URL",
        help="Root URL of the management API; overrides HEALTHCHECKS_API_URL.",
    ),
)


def ping_options(function: F) -> F:
    """Add the options of commands that send pings. They are arguments of `connect`."""
    return _add_options(
        function,
        click.option(
            "--ping-key",
            type=_ping_key,
            metavar="KEY",
            help="Ping key. HEALTHCHECKS_PING_KEY or file:PATH is more secure.",
        ),
        click.option(
            "--ping-url",
            type=checked_by(settings.checked_url),
            metavar="URL",
            help="Root URL of the ping API; overrides HEALTHCHECKS_PING_URL.",
        ),
        click.option(
            "--header",
            "headers",
            type=_header,
            metavar="NAME:VALUE",
            multiple=True,
            help="Extra request header; may be repeated.",
        ),
    )


def declaration_options(function: F) -> F:
    """Add the options of commands that send pings and also create checks. They are arguments of `connect`."""
    for option in reversed(_API_OPTIONS):
        function = option(function)
    return function


def with_client(*, needs_key: bool = True) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Decorate a command of the management API: add the connection options, and pass a client as its first argument.

    Args:
        needs_key: Whether to fail if no API key is set.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def connected(
            *,
            api_key: str | None,
            api_url: str | None,
            api_version: int | None,
            timeout: float | None,
            retries: int | None,
            **arguments: Any,
        ) -> None:
            from healthchecks_io.cli.client import connect, warnings_printed
            from healthchecks_io.cli.output import escape_unencodable_output, print_warning
            from healthchecks_io.client.abstract_client import settings_of

            escape_unencodable_output()
            client = connect(
                api_key=api_key, api_url=api_url, api_version=api_version, timeout=timeout, retries=retries
            )
            if needs_key and not settings_of(client).api_key:
                raise click.ClickException("no API key: set HEALTHCHECKS_API_KEY to the key or to file:PATH")
            with client, warnings_printed(print_warning):
                settings.warn_if_url_is_missing(settings_of(client), "API")
                command(client, **arguments)

        return _add_options(
            connected,
            *_API_OPTIONS,
            click.option(
                "--api-version",
                type=click.IntRange(1, 3),
                metavar="N",
                help="API version; overrides HEALTHCHECKS_API_VERSION. Defaults to 3.",
            ),
        )

    return decorate


def _add_options(function: F, *options: Callable[[F], F]) -> F:
    function = click.option(
        "--retries",
        type=click.IntRange(0),
        metavar="N",
        help="Number of retries after a failed request; overrides HEALTHCHECKS_RETRIES. Defaults to 2.",
    )(function)
    function = click.option(
        "--http-timeout",
        "timeout",
        type=_timeout,
        metavar="DURATION",
        help="Timeout of each attempt; overrides HEALTHCHECKS_TIMEOUT. Defaults to 10s.",
    )(function)
    for option in reversed(options):
        function = option(function)
    return function
