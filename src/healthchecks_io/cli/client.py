"""Creates the client for a command from its options, which take precedence over the environment."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

import click

from healthchecks_io.cli.output import printable
from healthchecks_io.client.logger import IS_ABOUT_ATTEMPT
from healthchecks_io.client.settings import resolve, with_environment
from healthchecks_io.client.sync_client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    import httpx

    from healthchecks_io.client.call import Call
    from healthchecks_io.client.http import Connections
    from healthchecks_io.client.settings import ClientKeywords

_logger = logging.getLogger("healthchecks_io")
# Keep log records off standard error: commands report each error in one line themselves.
_logger.addHandler(logging.NullHandler())


class _Warnings(logging.Handler):
    """Prints the warnings of the library, except those about attempts: commands report how a call ended."""

    def __init__(self, write: Callable[[str], object]) -> None:
        super().__init__(logging.WARNING)
        self._write = write
        self._printed: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        message = printable(record.getMessage())
        if not hasattr(record, IS_ABOUT_ATTEMPT) and message not in self._printed:
            self._printed.add(message)
            self._write(message)


@contextlib.contextmanager
def warnings_printed(write: Callable[[str], object]) -> Generator[None]:
    """Print the warnings that the library logs while the block runs, each once.

    Args:
        write: Prints one of them.
    """
    handler = _Warnings(write)
    _logger.addHandler(handler)
    try:
        yield
    finally:
        _logger.removeHandler(handler)


def connect(
    *,
    api_key: str | None = None,
    ping_key: str | None = None,
    api_url: str | None = None,
    ping_url: str | None = None,
    api_version: int | None = None,
    timeout: float | None = None,
    retries: int | None = None,
    headers: Sequence[tuple[str, str]] = (),
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
        headers: Names and values of extra headers to send with each request.

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
        # Unlike from_env, this does not warn of a missing URL: that depends on the requests of the command.
        client = _ClientWithHeaders(**with_environment(settings))
        client.headers = list(headers)
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
