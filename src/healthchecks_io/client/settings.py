"""The settings of a client: what they must look like, and which of them the environment can give."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    import httpx
    from typing_extensions import TypedDict

    class Settings(TypedDict, total=False):
        """The keywords that both clients take."""

        api_key: str
        ping_key: str
        api_url: str
        ping_url: str
        api_version: int
        timeout: float
        retries: int

    class ClientSettings(Settings, total=False):
        """The keywords of Client."""

        client: httpx.Client | None

    class AsyncClientSettings(Settings, total=False):
        """The keywords of AsyncClient."""

        client: httpx.AsyncClient | None

    AnySettings = TypeVar("AnySettings", ClientSettings, AsyncClientSettings)

_MAX_TIMEOUT = 2_147_483
"""Seconds: more than that a socket does not take."""
_MAX_URL_LENGTH = 2_000
"""Characters of a root: httpx takes 65,536 for the whole URL."""


def with_environment(settings: AnySettings) -> AnySettings:
    """Fill in from the environment what is not set.

    Raises:
        ValueError: A variable names a file that cannot be read, or is not what was expected.
    """
    if "api_key" not in settings and (value := variable("HEALTHCHECKS_API_KEY")):
        settings["api_key"] = checked_key("HEALTHCHECKS_API_KEY", value)
    if "ping_key" not in settings and (value := variable("HEALTHCHECKS_PING_KEY")):
        settings["ping_key"] = checked_ping_key("HEALTHCHECKS_PING_KEY", value)
    if "api_url" not in settings and (value := variable("HEALTHCHECKS_API_URL")):
        settings["api_url"] = checked_url("HEALTHCHECKS_API_URL", value)
    if "ping_url" not in settings and (value := variable("HEALTHCHECKS_PING_URL")):
        settings["ping_url"] = checked_url("HEALTHCHECKS_PING_URL", value)
    if "api_version" not in settings and (value := variable("HEALTHCHECKS_API_VERSION")):
        if value not in ("1", "2", "3"):
            raise ValueError("HEALTHCHECKS_API_VERSION must be 1, 2 or 3")
        settings["api_version"] = int(value)
    return settings


def variable(name: str) -> str:
    """Give the value of a variable of the environment, or what is in the file that it names; empty if it is not set.

    Raises:
        ValueError: The file cannot be read.
    """
    return content_of(name, os.environ.get(name, ""))


def content_of(name: str, value: str) -> str:
    """Give a value, or what is in the file that it names with ``file:``.

    Raises:
        ValueError: The file cannot be read.
    """
    if not value.startswith("file:"):
        return value
    path = value.removeprefix("file:")
    try:
        # utf-8-sig: some editors put a byte order mark before the key.
        with open(path, encoding="utf-8-sig") as file:  # noqa: PTH123 - pathlib costs a cron script more than all this
            return file.read().strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a text in UTF-8"
        raise ValueError(f"{name} names the file {path!r}, which cannot be read: {reason}") from None


def checked_key(name: str, key: object) -> str:
    """Check an API key by what can be sent in a header. The key is in no message."""
    if not isinstance(key, str):
        raise TypeError(f"{name} must be a string")
    if not all("!" <= character <= "~" for character in key):
        raise ValueError(f"{name} must be made of printable ASCII characters without spaces")
    return key


def checked_ping_key(name: str, key: object) -> str:
    """Check a ping key by what can be sent in a path. The key is in no message."""
    if not isinstance(key, str):
        raise TypeError(f"{name} must be a string")
    if key and not is_path_segment(key):
        raise ValueError(f"{name} must be made of letters, digits, '-' and '_'")
    return key


def is_path_segment(text: str) -> bool:
    """Whether a text can stand in a URL as it is and cannot lead to another one."""
    return text.isascii() and text.replace("-", "a").replace("_", "a").isalnum()


def checked_url(name: str, url: object) -> str:
    """Check the root of an API, and give it with a slash at its end."""
    from urllib.parse import urlsplit

    if not isinstance(url, str):
        raise TypeError(f"{name} must be a string")
    expected = f"{name} must be an address such as https://healthchecks.example/, in ASCII and without a query"
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
        raise ValueError(f"{name} must not have a user name in it: pass an httpx client with auth= instead")
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
    """Check the version of the management API."""
    if type(version) is not int or version not in (1, 2, 3):
        raise ValueError("api_version must be 1, 2 or 3")
    return version


def checked_timeout(timeout: object) -> float:
    """Check the seconds that bound an attempt."""
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError("timeout must be a number of seconds")
    if not 0 < timeout <= _MAX_TIMEOUT:
        raise ValueError(f"timeout must be a number of seconds above 0 and at most {_MAX_TIMEOUT}")
    return timeout


def checked_retries(retries: object) -> int:
    """Check the number of attempts that may follow the first."""
    if type(retries) is not int:
        raise TypeError("retries must be a whole number")
    if retries < 0:
        raise ValueError("retries must not be negative: 0 means one attempt")
    return retries
