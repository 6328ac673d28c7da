"""Selects the check to ping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from healthchecks_io.cli.completion import complete_slugs
from healthchecks_io.client import arguments
from healthchecks_io.client.exceptions import BadAPIRequestError
from healthchecks_io.client.settings import resolve, variable

if TYPE_CHECKING:
    from collections.abc import Callable

    from healthchecks_io.client import Client, PingResult

F = TypeVar("F", bound="Callable[..., Any]")

_VARIABLES = ("HEALTHCHECKS_CHECK_UUID", "HEALTHCHECKS_CHECK_SLUG")


class Target(NamedTuple):
    """The check to ping, as arguments of the client's ping methods.

    Attributes:
        uuid: The UUID of the check; empty if it is identified by its slug.
        slug: The slug of the check; empty if it is identified by its UUID.
        create: Whether the server creates the check if no check has the slug.
    """

    uuid: str
    slug: str
    create: bool

    def ping(self, client: Client, kind: str | int, data: str | bytes, rid: str | None) -> PingResult:
        """Send a ping.

        Args:
            client: The client to send it with.
            kind: ``success``, ``start``, ``fail``, ``log``, or an exit status.
            data: The body.
            rid: The run ID, if any.
        """
        uuid, slug, create = self
        if isinstance(kind, int):
            return client.exit_code_ping(kind, uuid, slug, data, rid=rid, create=create)
        send: Callable[..., PingResult] = getattr(client, f"{kind}_ping")
        return send(uuid, slug, data, rid=rid, create=create)


def target_options(function: F) -> F:
    """Add the options that select a check. They are the arguments of `target`."""
    for option in (
        click.option("--create", is_flag=True, help="Create the check if no check has this slug."),
        click.option(
            "--slug",
            shell_complete=complete_slugs,
            help="Slug of the check; overrides HEALTHCHECKS_CHECK_SLUG. Requires a ping key.",
        ),
        click.option("--uuid", help="UUID of the check; overrides HEALTHCHECKS_CHECK_UUID."),
    ):
        function = option(function)
    return function


def target(uuid: str | None, slug: str | None, *, create: bool) -> Target:
    """Return the check selected by the options, or by the environment if there are no such options.

    Raises:
        click.UsageError: Neither a UUID nor a slug is given, both options are, an option is invalid, or `create` is set
            without a slug.
        click.ClickException: Both environment variables are set, a value is invalid, or its file cannot be read.
    """
    if uuid is None and slug is None:
        return _target_from_environment(create=create)
    try:
        return _target(
            resolve("--uuid", uuid or ""), resolve("--slug", slug or ""), create=create, names=("--uuid", "--slug")
        )
    except (BadAPIRequestError, ValueError) as error:
        raise click.UsageError(str(error)) from None


def _target_from_environment(*, create: bool) -> Target:
    try:
        uuid, slug = map(variable, _VARIABLES)
        if uuid and slug:
            raise click.ClickException(f"{' and '.join(_VARIABLES)} are both set: unset one")
        return _target(uuid, slug, create=create, names=_VARIABLES)
    except (BadAPIRequestError, ValueError) as error:
        raise click.ClickException(str(error)) from None


def _target(uuid: str, slug: str, *, create: bool, names: tuple[str, str]) -> Target:
    """Return the target with this UUID or slug. The names are those of its origins, for error messages."""
    if bool(uuid) == bool(slug):
        raise click.UsageError("select the check with either --uuid or --slug")
    if create and not slug:
        raise click.UsageError("--create requires --slug")
    return Target(uuid and arguments.identifier(names[0], uuid), slug and arguments.slug(names[1], slug), create)
