"""Proxies and certificates from the environment, as httpx reads them, but for one host at a time."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.request import getproxies

import httpx

from healthchecks_io.client.exceptions import HCAPIError

if TYPE_CHECKING:
    import ssl


_TLS_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")


def proxy_for(scheme: str, host: str, port: int) -> httpx.Proxy | None:
    """Return the proxy for a host, or None to connect to it directly.

    Raises:
        HCAPIError: The environment names a proxy for this host that cannot be used.
    """
    proxies = getproxies()
    kind = scheme if scheme in proxies else "all"
    url = proxies.get(kind)
    if not url or _is_excluded(proxies.get("no", ""), scheme, host, port):
        return None
    try:
        proxy = httpx.Proxy(url if "://" in url else f"http://{url}")
    except Exception as error:
        from healthchecks_io.client.tracebacks import is_foreign

        if is_foreign(error):
            raise
        problem = f"{type(error).__name__}: {error}".replace(url, _without_password(url))
    else:
        if not proxy.url.scheme.startswith("socks5") or _has_socksio():
            return proxy
        problem = "SOCKS needs the package socksio: pip install 'httpx[socks]'"
    raise HCAPIError(f"{_variable(kind)}={_without_password(url)!r} cannot be used as a proxy: {problem}")


def _has_socksio() -> bool:
    from importlib.util import find_spec

    return find_spec("socksio") is not None


def _is_excluded(no_proxy: str, scheme: str, host: str, port: int) -> bool:
    return any(_matches(entry.strip(), scheme, host, port) for entry in no_proxy.split(","))


def _matches(entry: str, scheme: str, host: str, port: int) -> bool:
    """Return whether an entry of NO_PROXY covers a host."""
    entry_scheme, separator, rest = entry.lower().rpartition("://")
    if not rest or (separator and entry_scheme not in (scheme, "all")):
        return False
    if rest == "*":
        return True
    try:
        return ip_address(host) in ip_network(rest.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        pass
    name, _, entry_port = rest.partition(":")
    if entry_port not in ("", str(port)):
        return False
    name = name.removeprefix("*")
    return host == name or host.endswith(name if name.startswith(".") else f".{name}")


def tls_context() -> ssl.SSLContext:
    """Return the TLS context that httpx uses by default.

    All clients share it, because creating it takes longer than a ping.

    Raises:
        HCAPIError: The certificates that the environment names cannot be loaded.
    """
    variables = tuple((name, os.environ.get(name, "")) for name in _TLS_VARIABLES)
    try:
        return _tls_context_for(variables)
    except Exception as error:
        from healthchecks_io.client.tracebacks import is_foreign

        if is_foreign(error):
            raise
        problem = f"{type(error).__name__}: {error}"
    named = " and ".join(f"{name}={value!r}" for name, value in variables if value)
    raise HCAPIError(f"the certificates cannot be loaded{f' ({named})' if named else ''}: {problem}")


@lru_cache(maxsize=1)
def _tls_context_for(_variables: tuple[tuple[str, str], ...]) -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _variable(kind: str) -> str:
    """Return the name of the environment variable for a kind of proxy, in the case in which it is set."""
    lower = f"{kind}_proxy"
    return next((name for name in (lower, lower.upper()) if os.environ.get(name)), lower.upper())


def _without_password(url: str) -> str:
    return re.sub(r"(?<=://)[^/@]*@|^[^/@]*@", "***@", url)
