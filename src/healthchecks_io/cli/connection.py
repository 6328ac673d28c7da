"""The client of a command: made from the environment and from options that win over it."""

from __future__ import annotations

import functools
import logging
import os
import re
from typing import TYPE_CHECKING, Any, TypeVar

import click

from healthchecks_io.cli.durations import duration
from healthchecks_io.client import Client
from healthchecks_io.client.settings import content_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx

    from healthchecks_io.client.settings import ClientSettings

F = TypeVar("F", bound="Callable[..., Any]")

# Nothing of it goes to standard error: what went wrong, the commands say in one line.
logging.getLogger("healthchecks_io").addHandler(logging.NullHandler())


def ping_options(function: F) -> F:
    """Add the options of commands that ping, which are arguments of `connect`."""
    return _add(
        function,
        "--timeout",
        click.option("--ping-key", metavar="KEY", help="Better in HEALTHCHECKS_PING_KEY, or as file:PATH."),
        click.option("--ping-url", metavar="URL", help="The root of the ping API, instead of HEALTHCHECKS_PING_URL."),
        click.option(
            "--header", "headers", metavar="NAME:VALUE", multiple=True, help="A header to send along; may be repeated."
        ),
    )


def with_client(*, needs_key: bool = True) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command of the management API its first argument, a client, and the options that the client is made from.

    Args:
        needs_key: Whether the command is refused without an API key.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(command)
        def connected(
            *,
            api_key: str | None,
            api_url: str | None,
            api_version: int | None,
            http_timeout: float,
            retries: int,
            **arguments: Any,
        ) -> None:
            from healthchecks_io.cli.output import allow_any_text

            allow_any_text()
            if not os.environ.get("HEALTHCHECKS_API_VERSION"):
                # Older ones change the slug with the name, and hide the status while a run is in progress.
                api_version = api_version or 3
            client = connect(
                api_key=api_key, api_url=api_url, api_version=api_version, timeout=http_timeout, retries=retries
            )
            if needs_key and not client._api_key:
                raise click.ClickException("no API key is set: give it in HEALTHCHECKS_API_KEY, or as file:PATH there")
            with client:
                command(client, **arguments)

        return _add(
            connected,
            "--http-timeout",
            click.option("--api-key", metavar="KEY", help="Better in HEALTHCHECKS_API_KEY, or as file:PATH."),
            click.option("--api-url", metavar="URL", help="The root of the API, instead of HEALTHCHECKS_API_URL."),
            click.option("--api-version", type=click.IntRange(1, 3), help="Instead of HEALTHCHECKS_API_VERSION, or 3."),
        )

    return decorate


def _add(function: F, timeout: str, *options: Callable[[F], F]) -> F:
    function = click.option(
        "--retries",
        type=click.IntRange(0),
        default=2,
        show_default=True,
        help="How many attempts may follow the first.",
    )(function)
    function = click.option(
        timeout, type=duration, default="10s", show_default=True, metavar="DURATION", help="For each attempt."
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
    timeout: float,
    retries: int,
    headers: Sequence[str] = (),
) -> Client:
    """Make the client. Headers are sent along with each request.

    Raises:
        click.ClickException: A setting is not what was expected.
    """
    settings: ClientSettings = {"timeout": timeout, "retries": retries}
    try:
        if api_key is not None:
            settings["api_key"] = content_of("--api-key", api_key)
        if ping_key is not None:
            settings["ping_key"] = content_of("--ping-key", ping_key)
        if api_url is not None:
            settings["api_url"] = api_url
        if ping_url is not None:
            settings["ping_url"] = ping_url
        if api_version is not None:
            settings["api_version"] = api_version
        client = _ClientWithHeaders.from_env(**settings)
        client.headers = [_header(text) for text in headers]
    except (ValueError, TypeError) as error:
        raise click.ClickException(str(error)) from None
    return client


class _ClientWithHeaders(Client):
    """Not by an httpx client that is passed in, which cannot be held to the time-out in all that it does."""

    headers: list[tuple[str, str]]

    def _request(self, *args: Any, **kwargs: Any) -> httpx.Request:
        request = super()._request(*args, **kwargs)
        request.headers.update(self.headers)
        return request


def _header(text: str) -> tuple[str, str]:
    header = re.fullmatch(r"\s*([\w!#$%&'*+.^`|~-]+)\s*:\s*([\t -~]*?)\s*", text, re.ASCII)
    if header is None:
        raise ValueError("--header must be NAME:VALUE, in ASCII")
    return header[1], header[2]
