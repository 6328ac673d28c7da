"""The check that a command pings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from healthchecks_io.client import arguments
from healthchecks_io.client.exceptions import BadAPIRequestError
from healthchecks_io.client.settings import content_of, variable

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthchecks_io.client import Client, PingResult

F = TypeVar("F", bound="Callable[..., Any]")


class Target(NamedTuple):
    """The check that is pinged: the arguments of a ping method."""

    uuid: str
    slug: str
    create: bool

    def ping(self, client: Client, kind: str | int, data: str | bytes, rid: str | None) -> PingResult:
        """Send a ping: success, start, fail, log, or an exit status."""
        uuid, slug, create = self
        if isinstance(kind, int):
            return client.exit_code_ping(kind, uuid, slug, data, rid=rid, create=create)
        send: Callable[..., PingResult] = getattr(client, f"{kind}_ping")
        return send(uuid, slug, data, rid=rid, create=create)


def target_options(function: F) -> F:
    """Add the options that name a check, which are arguments of `target`."""
    for option in (
        click.option("--create", is_flag=True, help="Create the check when there is none with this slug."),
        click.option("--slug", help="The check's slug, instead of HEALTHCHECKS_CHECK_SLUG; it needs a ping key."),
        click.option("--uuid", help="The check's UUID, instead of HEALTHCHECKS_CHECK_UUID."),
    ):
        function = option(function)
    return function


def target(uuid: str | None, slug: str | None, *, create: bool) -> Target:
    """Say which check is meant: by the options, or by the environment where there are none.

    Raises:
        click.UsageError: It is none, or two.
        click.ClickException: What is given cannot be one, or the file that it is in cannot be read.
    """
    try:
        if uuid is None and slug is None:
            uuid, slug = variable("HEALTHCHECKS_CHECK_UUID"), variable("HEALTHCHECKS_CHECK_SLUG")
            if uuid and slug:
                raise click.ClickException(
                    "HEALTHCHECKS_CHECK_UUID and HEALTHCHECKS_CHECK_SLUG are both set: unset one"
                )
        else:
            uuid, slug = content_of("--uuid", uuid or ""), content_of("--slug", slug or "")
        if bool(uuid) == bool(slug):
            raise click.UsageError("name the check: either --uuid or --slug")
        if create and not slug:
            raise click.UsageError("--create goes with --slug")
        return Target(uuid and arguments.identifier("--uuid", uuid), slug and arguments.slug(slug), create)
    except (BadAPIRequestError, ValueError) as error:
        raise click.ClickException(str(error)) from None
