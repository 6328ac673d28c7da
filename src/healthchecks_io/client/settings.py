"""The settings of a client: validating them, and reading them from the environment."""

from __future__ import annotations

import errno
import os

from healthchecks_io.client.arguments import is_path_segment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal, TypeVar

    import httpx
    from typing_extensions import TypedDict

    class CommonKeywords(TypedDict, total=False):
        """The keyword arguments that both clients accept."""

        api_key: str
        ping_key: str
        api_url: str
        ping_url: str
        api_version: int
        timeout: float
        retries: int

    class ClientKeywords(CommonKeywords, total=False):
        """The keyword arguments of Client."""

        client: httpx.Client | Callable[[], httpx.Client] | None

    class AsyncClientKeywords(CommonKeywords, total=False):
        """The keyword arguments of AsyncClient."""

        client: httpx.AsyncClient | Callable[[], httpx.AsyncClient] | None

    Keywords = TypeVar("Keywords", ClientKeywords, AsyncClientKeywords)

DEFAULT_API_URL = "https://healthchecks.io/api/"
DEFAULT_PING_URL = "https://hc-ping.com/"

_MAX_TIMEOUT = 2_147_483
"""In seconds. Sockets reject longer timeouts."""
_MAX_URL_LENGTH = 2_000
"""In characters, for the root of an API. httpx rejects URLs longer than 65,536."""
_MAX_DIGITS = 9
_MAX_FILE = 10_000
"""In bytes, for a file with the value of a variable."""
_MAX_WAIT_FOR_PIPE = 2
"""In seconds."""
_FALSE = ("", "0", "false", "no")


class Settings:
    """The validated settings of a client.

    Raises:
        ValueError: A setting has an invalid value.
        TypeError: A setting has the wrong type.
    """

    __slots__ = (
        "api_key",
        "api_root",
        "api_url",
        "api_version",
        "ping_key",
        "ping_url",
        "retries",
        "timeout",
        "user_agent",
    )

    def __init__(
        self,
        *,
        api_key: str,
        ping_key: str,
        api_url: str,
        ping_url: str,
        api_version: int,
        timeout: float,
        retries: int,
        user_agent: str,
    ) -> None:
        self.api_key = checked_key("api_key", api_key)
        self.ping_key = checked_ping_key("ping_key", ping_key)
        self.api_url = checked_url("api_url", api_url)
        self.ping_url = checked_url("ping_url", ping_url)
        self.api_version = checked_version(api_version)
        self.timeout = checked_timeout("timeout", timeout)
        self.retries = checked_retries("retries", retries)
        self.api_root = f"{self.api_url}v{self.api_version}/"
        self.user_agent = user_agent


def with_environment(keywords: Keywords) -> Keywords:
    """Complete the keyword arguments of a client with settings from the environment.

    Raises:
        ValueError: A variable has an invalid value, or names a file that cannot be read.
    """
    if "api_key" not in keywords and (value := variable("HEALTHCHECKS_API_KEY")):
        keywords["api_key"] = checked_key("HEALTHCHECKS_API_KEY", value)
    if "ping_key" not in keywords and (value := variable("HEALTHCHECKS_PING_KEY")):
        keywords["ping_key"] = checked_ping_key("HEALTHCHECKS_PING_KEY", value)
    if "api_url" not in keywords and (value := variable("HEALTHCHECKS_API_URL")):
        keywords["api_url"] = checked_url("HEALTHCHECKS_API_URL", value)
    if "ping_url" not in keywords and (value := variable("HEALTHCHECKS_PING_URL")):
        keywords["ping_url"] = checked_url("HEALTHCHECKS_PING_URL", value)
    if "api_version" not in keywords:
        # Older versions change the slug when the name changes, and hide the status during a run.
        value = variable("HEALTHCHECKS_API_VERSION") or "3"
        if value not in ("1", "2", "3"):
            raise ValueError("HEALTHCHECKS_API_VERSION must be 1, 2 or 3")
        keywords["api_version"] = int(value)
    if "timeout" not in keywords and (value := variable("HEALTHCHECKS_TIMEOUT")):
        from healthchecks_io._durations import parse_duration

        try:
            timeout = parse_duration(value)
        except ValueError as error:
            raise ValueError(f"HEALTHCHECKS_TIMEOUT: {error}") from None
        keywords["timeout"] = checked_timeout("HEALTHCHECKS_TIMEOUT", timeout)
    if "retries" not in keywords and (value := variable("HEALTHCHECKS_RETRIES")):
        if not value.isdecimal() or len(value) > _MAX_DIGITS:
            raise ValueError(f"HEALTHCHECKS_RETRIES must be a whole number, such as 2, not {value!r}")
        keywords["retries"] = int(value)
    return keywords


def warn_of_missing_urls(settings: Settings) -> None:
    """Log a warning if one of the URLs is missing that the keys are for."""
    if settings.ping_key:
        warn_if_url_is_missing(settings, "PING")
    if settings.api_key:
        warn_if_url_is_missing(settings, "API")


def warn_if_url_is_missing(settings: Settings, kind: Literal["API", "PING"]) -> None:
    """Log a warning, once per process, if requests go to healthchecks.io, but the other API is on another server.

    If the variable is set, that is what the user wants.

    Args:
        settings: The settings of the client.
        kind: The API that the requests are for.
    """
    has_default_api, has_default_ping = settings.api_url == DEFAULT_API_URL, settings.ping_url == DEFAULT_PING_URL
    if kind == "PING":
        is_missing = has_default_ping and not has_default_api
        message = f"Pings go to {DEFAULT_PING_URL}, although the API URL is set: set HEALTHCHECKS_PING_URL too"
    else:
        is_missing = has_default_api and not has_default_ping
        message = f"The API URL is {DEFAULT_API_URL}, although the ping URL is set: set HEALTHCHECKS_API_URL too"
    if is_missing and not os.environ.get(f"HEALTHCHECKS_{kind}_URL", "").strip():
        from healthchecks_io.client.logger import warn_once

        warn_once(message)


def is_disabled() -> bool:
    """Return whether HEALTHCHECKS_DISABLED is set, to anything but 0, false or no."""
    return os.environ.get("HEALTHCHECKS_DISABLED", "").strip().lower() not in _FALSE


def variable(name: str) -> str:
    """Return the value of an environment variable, or the contents of the file that it names. Empty if it is not set.

    Surrounding whitespace is removed: files that contain secrets tend to end with a line break.

    Raises:
        ValueError: The file cannot be read.
    """
    return resolve(name, os.environ.get(name, "").strip())


def resolve(name: str, value: str) -> str:
    """Return a value, or the contents of the file that it names as ``file:PATH``.

    Args:
        name: The variable or option, for error messages.
        value: Its value.

    Raises:
        ValueError: The file cannot be read.
    """
    if not value.startswith("file:"):
        return value
    path = value.removeprefix("file:")
    try:
        # utf-8-sig: some editors write a byte order mark.
        text = _read(path).decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"{name} names the file {path!r}, which cannot be read: {reason}") from None
    return text.strip()


def _read(path: str) -> bytes:
    """Return the contents of a file, without waiting for a pipe to which nobody writes, and without reading forever."""
    with open(path, "rb", opener=_open_without_waiting) as file:
        if hasattr(os, "O_NONBLOCK"):
            import select

            poller = select.poll()
            poller.register(file, select.POLLIN)
            if not poller.poll(_MAX_WAIT_FOR_PIPE * 1000):
                raise OSError(errno.ETIMEDOUT, "it is a pipe to which nobody writes")
            os.set_blocking(file.fileno(), True)
        contents = file.read(_MAX_FILE + 1)
    if len(contents) > _MAX_FILE:
        raise OSError(errno.EFBIG, f"it is longer than {_MAX_FILE} bytes")
    return contents


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def checked_key(name: str, key: object) -> str:
    """Return an API key if it can be sent in a header. Error messages do not show it."""
    if not isinstance(key, str):
        raise TypeError(f"{name} must be a string")
    for character in key:
        if not "!" <= character <= "~":
            raise ValueError(
                f"{name} must consist of printable ASCII characters without spaces, but contains {character!r}"
            )
    return key


def checked_ping_key(name: str, key: object) -> str:
    """Return a ping key if it can be part of a URL. Error messages do not show it."""
    if not isinstance(key, str):
        raise TypeError(f"{name} must be a string")
    for character in key:
        if not is_path_segment(character):
            raise ValueError(f"{name} must consist of letters, digits, '-' and '_', but contains {character!r}")
    return key


def checked_url(name: str, url: object) -> str:
    """Return the root URL of an API, with a trailing slash, if it is valid."""
    from urllib.parse import urlsplit

    if not isinstance(url, str):
        raise TypeError(f"{name} must be a string")
    expected = (
        f"{name} must be a URL with https:// or http:// and a host, such as https://healthchecks.example/api/, "
        "in ASCII and without a query"
    )
    if not all("!" <= character <= "~" for character in url) or set(url) & set("?#\\") or len(url) > _MAX_URL_LENGTH:
        raise ValueError(expected)
    try:
        parts = urlsplit(url)
        has_host = parts.port != 0 and _is_host(parts.netloc.rpartition("@")[2], parts.hostname or "")
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme not in ("http", "https") or not has_host:
        raise ValueError(expected)
    if "@" in parts.netloc:
        raise ValueError(f"{name} must not contain a user name: send an Authorization header instead")
    return url if url.endswith("/") else url + "/"


def _is_host(netloc: str, host: str) -> bool:
    if "[" in netloc or "]" in netloc:
        import ipaddress

        closing = netloc.rpartition("]")[2]
        return netloc[0] == "[" and closing[:1] in ("", ":") and bool(ipaddress.IPv6Address(host))
    if host.replace(".", "").isdecimal():
        import ipaddress

        return bool(ipaddress.IPv4Address(host))
    labels = host.removesuffix(".").encode().decode("idna").split(".")
    return all(0 < len(label) < 64 and is_path_segment(label.encode("idna").decode()) for label in labels)


def checked_version(version: object) -> int:
    """Return a version of the management API if it is valid."""
    if type(version) is not int or version not in (1, 2, 3):
        raise ValueError("api_version must be 1, 2 or 3")
    return version


def checked_timeout(name: str, timeout: object) -> float:
    """Return a timeout in seconds if it is valid."""
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"{name} must be a number of seconds")
    if not 0 < timeout <= _MAX_TIMEOUT:
        raise ValueError(f"{name} must be a number of seconds above 0 and at most {_MAX_TIMEOUT}")
    return timeout


def checked_retries(name: str, retries: object) -> int:
    """Return a number of retries if it is valid."""
    if type(retries) is not int:
        raise TypeError(f"{name} must be a whole number")
    if retries < 0:
        raise ValueError(f"{name} must not be negative: 0 means a single attempt")
    return retries
