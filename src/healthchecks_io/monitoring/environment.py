"""Create clients from the environment, whose errors must never stop a job."""

from __future__ import annotations

from healthchecks_io.client.abstract_client import settings_of
from healthchecks_io.client.logger import warn_once
from healthchecks_io.client.settings import warn_if_url_is_missing
from healthchecks_io.client.sync_client import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from healthchecks_io.client.async_client import AsyncClient

_PLACEHOLDER_KEY = "placeholder"


def placeholder_client() -> Client:
    """Return a client for validating arguments. Keys are read from the environment only when a run begins."""
    return Client(_PLACEHOLDER_KEY, _PLACEHOLDER_KEY)


def client_from_env(
    client_class: type[Client | AsyncClient], *, by_slug: bool, declares: bool
) -> Client | AsyncClient | None:
    """Return a client that can ping a check, or None. Log what is wrong with the environment, once per process.

    Args:
        client_class: The class of the client.
        by_slug: Whether the check is identified by its slug, which needs a key.
        declares: Whether the job declares the check, so that an API key is enough.
    """
    try:
        client = client_class.from_env()
    except Exception as error:  # noqa: BLE001 - the environment must not stop the job
        warn_once(f"Jobs are not monitored: {error}")
        return None
    settings = settings_of(client)
    if by_slug and not settings.ping_key and not (declares and settings.api_key):
        warn_once(
            "Jobs are not monitored: set HEALTHCHECKS_PING_KEY, or HEALTHCHECKS_DISABLED=1 to silence this warning"
        )
        return None
    warn_if_url_is_missing(settings, "PING")
    return client


def warn_that_fields_are_ignored() -> None:
    """Warn that a check cannot be created or updated without an API key."""
    warn_once("Schedules and other declared fields of checks are ignored: setting them requires HEALTHCHECKS_API_KEY")
