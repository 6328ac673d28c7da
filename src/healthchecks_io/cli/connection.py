"""Creates the client for a command from the environment and from options, which take precedence."""

from __future__ import annotations

import functools
import logging
import re
from typing import TYPE_CHECKING, Any, TypeVar

import click

from healthchecks_io.cli.durations import parse_duration
from healthchecks_io.client import Client
from healthchecks_io.client.abstract_client import settings_of
from healthchecks_io.client.settings import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

    from healthchecks_io.client.call import Call
    from healthchecks_io.client.http import Connections
    from healthchecks_io.client.settings import ClientKeywords

F = TypeVar("F", bound="Callable[..., Any]")

# Keep log records off standard error: commands report each error in one line themselves.
logging.getLogger("healthchecks_io").addHandler(logging.NullHandler())


def ping_options(function: F) -> F:
    """Add the options of commands that send pings. They are arguments of `connect`."""
    return _add_options(
        function,
        click.option("--ping-key", metavar="KEY", help="Ping key. HEALTHCHECKS_PING_KEY or file:PATH is more secure."),
        click.option("--ping-url", metavar="URL", help="Root URL of the ping API; overrides HEALTHCHECKS_PING_URL."),
        click.option(
            "--header", "headers", metavar="NAME:VALUE", multiple=True, help="Extra request header; may be repeated."
        ),
    )


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
            from healthchecks_io.cli.output import escape_unencodable_output

            escape_unencodable_output()
            client = connect(
                api_key=api_key, api_url=api_url, api_version=api_version, timeout=timeout, retries=retries
            )
            if needs_key and not settings_of(client).api_key:
                raise click.ClickException("no API key: set HEALTHCHECKS_API_KEY to the key or to file:PATH")
            with client:
                command(client, **arguments)

        return _add_options(
            connected,
            click.option(
                "--api-key",
                metavar="KEY",
                help="API key. HEALTHCHECKS_API_KEY or file:PATH is more secure.",
            ),
            click.option(
                "--api-url", metavar="URL", help="Root URL of the management API; overrides HEALTHCHECKS_API_URL."
            ),
            click.option(
                "--api-version",
                type=click.IntRange(1, 3),
                help="API version; overrides HEALTHCHECKS_API_VERSION. Defaults to 3.",
            ),
        )

    return decorate


def _add_options(function: F, *options: Callable[[F], F]) -> F:
    function = click.option(
        "--retries",
        type=click.IntRange(0),
        help="Number of retries after a failed request; overrides HEALTHCHECKS_RETRIES. Defaults to 2.",
    )(function)
    function = click.option(
        "--http-timeout",
        "timeout",
        type=parse_duration,
        metavar="DURATION",
        help="Timeout of each attempt; overrides HEALTHCHECKS_TIMEOUT. Defaults to 10s.",
    )(function)
    for option in reversed(options):
        function = option(function)
    return function


def connect(
    *,
    api_key: str | None = None,
    ping_key: str | None = None,
    api_url: str | None = None,
    ping_url: str | None = None,
    api_version: int | None = None,
    timeout: float | None = None,
    retries: int | None = None,
    headers: Sequence[str] = (),
) -> Client:
    """Create a client. Settings that are None come from the environment.

    Args:
        api_key: The API key, or ``file:PATH``.
        ping_key: The ping key, or ``file:PATH``.
        api_url: The root URL of the management API.
        ping_url: The root URL of the ping API.
        api_version: The version of the management API.
        timeout: The timeout of each attempt, in seconds.
        retries: The maximum number of retries.
        headers: Extra headers to send with each request, as ``NAME:VALUE``.

    Raises:
        click.ClickException: A setting is invalid.
    """
    settings: ClientKeywords = {}
    try:
        if api_key is not None:
            settings["api_key"] = resolve("--api-key", api_key)
        if ping_key is not None:
            settings["ping_key"] = resolve("--ping-key", ping_key)
        if api_url is not None:
            settings["api_url"] = api_url
        if ping_url is not None:
            settings["ping_url"] = ping_url
        if api_version is not None:
            settings["api_version"] = api_version
        if timeout is not None:
            settings["timeout"] = timeout
        if retries is not None:
            settings["retries"] = retries
        client = _ClientWithHeaders.from_env(**settings)
        client.headers = [_parse_header(text) for text in headers]
    except (ValueError, TypeError) as error:
        raise click.ClickException(str(error)) from None
    return client


class _ClientWithHeaders(Client):
    """A client that adds headers to each request.

    A passed-in httpx client could add them too, but the timeout would then not cover the whole attempt.
    """

    headers: list[tuple[str, str]]

    def _build_request(self, connections: Connections, call: Call[Any], seconds: float) -> httpx.Request:
        request = super()._build_request(connections, call, seconds)
        request.headers.update(self.headers)
        return request


def _parse_header(text: str) -> tuple[str, str]:
    header = re.fullmatch(r"\s*([\w!#$%&'*+.^`|~-]+)\s*:\s*([\t -~]*?)\s*", text, re.ASCII)
    if header is None:
        raise ValueError("--header must have the form NAME:VALUE, in ASCII")
    return header[1], header[2]
