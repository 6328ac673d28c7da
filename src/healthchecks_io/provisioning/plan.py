"""Plan the changes to the checks of a project. Planning sends nothing."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Literal

from healthchecks_io._durations import format_exactly
from healthchecks_io.schemas.checks import CheckUpdate, channel_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from healthchecks_io.schemas.checks import Check, CheckCreate
    from healthchecks_io.schemas.integrations import Integration

Action = Literal["create", "update", "delete"]

_SYMBOLS: dict[Action, str] = {"create": "+", "update": "~", "delete": "-"}
_NOT_COMPARED = frozenset({"slug", "unique"})
_COMPARED_APART = frozenset({*_NOT_COMPARED, "channels"})
_LINE_LENGTH = 76
"""The length of the longest change that is shown in one line: with its indentation, it fits into 80 columns."""


@dataclass(frozen=True)
class Change:
    """A change to one check."""

    action: Action
    """``create``, ``update`` or ``delete``."""
    slug: str
    """The check's slug."""
    check: Check | None = None
    """The existing check, or None if it is created."""
    wanted: CheckCreate | None = None
    """The wanted check, or None if it is deleted."""
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict[str, "tuple[Any, Any]"])
    """The old and new values of the fields that change, by name."""

    def update(self) -> CheckUpdate:
        """Return the request that makes the change to an existing check."""
        values = {name: new for name, (_, new) in self.fields.items()}
        # With versions 1 and 2 of the API, a name sets the slug.
        return CheckUpdate.model_validate({**values, "slug": self.slug})

    def __str__(self) -> str:
        return "\n".join([f"{_SYMBOLS[self.action]} {self.slug}", *(f"    {line}" for line in self._lines())])

    def _lines(self) -> Iterable[str]:
        for name, (old, new) in self.fields.items():
            if self.action == "create":
                yield f"{name}: {readable(name, new)}"
                continue
            before, after = f"{name}: {readable(name, old)}", f"-> {readable(name, new)}"
            if len(before) + len(after) < _LINE_LENGTH:
                yield f"{before} {after}"
            else:
                yield from (before, f"{after:>{len(after) + len(name) - 1}}")
        if self.action == "delete" and self.check is not None and self.check.n_pings:
            yield f"{self.check.n_pings} ping{'s' if self.check.n_pings > 1 else ''}"


@dataclass(frozen=True)
class Plan:
    """The changes that turn the checks of a project into the wanted ones.

    It is true if there are changes. ``str(plan)`` is a readable diff.
    """

    changes: tuple[Change, ...] = ()
    """The changes, in the order in which they are applied: creations, updates, deletions."""
    unchanged: tuple[Check, ...] = ()
    """The existing checks that are as wanted."""
    unmanaged: tuple[Check, ...] = ()
    """The existing checks that are not declared, and not deleted."""

    def __bool__(self) -> bool:
        return bool(self.changes)

    def __str__(self) -> str:
        return "\n".join([*map(str, self.changes), self.summary()])

    def summary(self) -> str:
        """Return the number of changed and unchanged checks, in one line."""
        counts = Counter(change.action for change in self.changes)
        parts = [f"{counts[action]} to {action}" for action in _SYMBOLS if counts[action]]
        parts.append(f"{len(self.unchanged)} unchanged")
        if self.unmanaged:
            parts.append(f"{len(self.unmanaged)} not managed")
        return ("Plan: " if self else "No changes: ") + ", ".join(parts)

    def to_json(self) -> str:
        """Return the plan as JSON, for programs."""
        return json.dumps(
            {
                "changes": [
                    {
                        "action": change.action,
                        "slug": change.slug,
                        "uuid": change.check and change.check.uuid,
                        "fields": {name: {"old": old, "new": new} for name, (old, new) in change.fields.items()},
                    }
                    for change in self.changes
                ],
                "unchanged": [_reference(check) for check in self.unchanged],
                "unmanaged": [_reference(check) for check in self.unmanaged],
            },
            indent=2,
        )


def _reference(check: Check) -> dict[str, str | None]:
    return {"slug": check.slug, "name": check.name, "uuid": check.uuid}


def readable(name: str, value: Any) -> str:
    """Format the value of a field for display."""
    if value is None:
        return "(none)"
    if name in ("timeout", "grace"):
        return format_exactly(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = json.dumps(value, ensure_ascii=False)
    return text[1:-1] if text[1:-1] and text[1:-1] == value.strip() else text


# Planning.


def needs_integrations(wanted: Iterable[CheckCreate]) -> bool:
    """Return whether planning needs the integrations of the project: to resolve their names."""
    return any("channels" in check.model_fields_set for check in wanted)


def make_plan(
    wanted: Sequence[CheckCreate],
    existing: Sequence[Check],
    integrations: Sequence[Integration] = (),
    *,
    prune: bool = False,
    prune_tag: str | None = None,
) -> Plan:
    """Plan the changes that turn the existing checks into the wanted ones.

    Args:
        wanted: The wanted checks. Only the fields that are set are compared.
        existing: The checks of the project.
        integrations: The integrations of the project, if a wanted check declares its channels.
        prune: Whether to delete the existing checks that are not wanted.
        prune_tag: Delete only those with this tag.

    Raises:
        ValueError: The wanted checks conflict with each other or with the project. The message lists all problems.
    """
    counts = Counter([check.slug for check in existing])
    problems = [*_problems_of(wanted, existing, counts), *_problems_of_channels(wanted, existing, integrations)]
    if prune and not wanted and prune_tag is None:
        problems.append("pruning without any wanted check would delete all checks of the project: pass prune_tag")
    if prune_tag is not None and not prune_tag.strip():
        problems.append("prune_tag is empty: pass the tag of the checks to delete")
    if problems:
        raise ValueError("\n".join(dict.fromkeys(problems)))
    by_slug = {check.slug: check for check in existing}
    difference = _Difference(integrations)
    creations: list[Change] = []
    updates: list[Change] = []
    unchanged: list[Check] = []
    for each in wanted:
        slug = each.slug or ""
        check = by_slug.get(slug)
        if check is None:
            creations.append(Change("create", slug, wanted=each, fields=_initial_fields(each)))
        elif fields := difference.between(each, check):
            updates.append(Change("update", slug, check, each, fields))
        else:
            unchanged.append(check)
    declared = {each.slug for each in wanted}
    deletions: list[Change] = []
    unmanaged: list[Check] = []
    undeclared = [check for check in existing if check.slug not in declared]
    for check in sorted(undeclared, key=lambda check: (check.slug, check.name, str(check.uuid))):
        is_to_be_pruned = prune and (prune_tag is None or prune_tag in check.tags.split())
        if is_to_be_pruned and check.slug and counts[check.slug] == 1:
            deletions.append(Change("delete", check.slug, check))
        else:
            unmanaged.append(check)
    return Plan((*creations, *updates, *deletions), tuple(unchanged), tuple(unmanaged))


def _problems_of(wanted: Sequence[CheckCreate], existing: Sequence[Check], counts: Counter[str]) -> Iterable[str]:
    wanted_counts = Counter([each.slug for each in wanted])
    repeated = {slug for slug, count in (*wanted_counts.items(), *counts.items()) if count > 1 or not slug}
    if repeated.isdisjoint(wanted_counts):
        return
    for each in wanted:
        slug = each.slug
        if not slug:
            yield f"{_prefix(each)}a wanted check has no slug, which identifies it"
            continue
        if wanted_counts[slug] > 1:
            yield f"{_prefix(each)}several wanted checks have the slug {slug!r}"
        if counts[slug] > 1:
            same = [check for check in existing if check.slug == slug]
            found = " and ".join(f"{check.name!r} ({check.uuid or check.unique_key})" for check in same)
            yield f"{_prefix(each)}several checks of the project have the slug {slug!r}: {found}"


def _problems_of_channels(
    wanted: Sequence[CheckCreate], existing: Sequence[Check], integrations: Sequence[Integration]
) -> Iterable[str]:
    if needs_integrations(wanted) and any(check.channels is None for check in existing):
        yield "channels are declared, but the API key is read-only and cannot see them: use a read-write key"
        return
    names = Counter(each.name for each in integrations)
    known = {"*", *(each.id for each in integrations), *(name for name, count in names.items() if count == 1)}
    # Many checks have the same channels.
    if known.issuperset(
        channel for channels in {str(each.channels or "") for each in wanted} for channel in _split(channels)
    ):
        return
    problems = {
        f"{_place_of_channels(each)}: channels: {_problem_of_channel(channel, names)}": None
        for each in wanted
        for channel in _split(each.channels)
        if channel not in known
    }
    # Checks that have the channels from the defaults of a file have the same problem.
    yield from problems


def _place_of_channels(check: CheckCreate) -> str:
    return check._place.channels or f"check {check.slug!r}"  # pyright: ignore[reportPrivateUsage]  # private to users


def _problem_of_channel(channel: str, names: Counter[str]) -> str:
    from difflib import get_close_matches

    if names[channel]:
        return f"there are several integrations named {channel!r}: use an ID"
    close = get_close_matches(channel, names, 1)
    suggestion = f": did you mean {close[0]!r}?" if close else ""
    return f"there is no integration named {channel!r}{suggestion}"


def _prefix(check: CheckCreate) -> str:
    """Return the place of a check, as the beginning of a message."""
    return f"{check.place}: " if check.place else ""


def _initial_fields(wanted: CheckCreate) -> dict[str, tuple[Any, Any]]:
    declared = {name: getattr(wanted, name) for name in sorted(wanted.model_fields_set - _NOT_COMPARED)}
    # As for a check that a ping creates: without a name, nobody would recognize it, and without integrations, it would
    # alert nobody.
    defaults = {"name": wanted.slug, "channels": "*"}
    values = {**defaults, **{name: value for name, value in declared.items() if value is not None}}
    return {name: (None, value) for name, value in values.items()}


class _Difference:
    """Finds the fields in which checks differ from the wanted ones.

    Values are equal if the server treats them as equal, such as tags in another order. Most fields
    of most checks are equal: they are compared without Python code for each of them, and each list of channels is
    resolved once.
    """

    def __init__(self, integrations: Sequence[Integration]) -> None:
        self._channels = _Channels(integrations)
        self._values_of: dict[frozenset[str], Callable[[dict[str, Any]], Any]] = {}

    def between(self, wanted: CheckCreate, check: Check) -> dict[str, tuple[Any, Any]]:
        """Return the declared fields in which a check differs, with their old and new values."""
        declared, existing = vars(wanted), vars(check)
        fields = frozenset(wanted.model_fields_set)
        values_of = self._values_of.get(fields)
        if values_of is None:
            values_of = self._values_of[fields] = itemgetter("slug", *sorted(fields - _COMPARED_APART))
        is_same = values_of(declared) == values_of(existing)
        if is_same and (
            "channels" not in fields or self._channels.are_same(existing["channels"], declared["channels"])
        ):
            return {}
        changed: dict[str, tuple[Any, Any]] = {}
        for name in sorted(fields - _NOT_COMPARED):
            old, new = existing[name], declared[name]
            if new is None or old == new or not _is_stored(name, wanted, check):
                continue
            if name == "channels":
                if not self._channels.are_same(old, new):
                    changed[name] = (self._channels.names(old), new)
            elif _normalized(name, old) != _normalized(name, new):
                changed[name] = (old, new)
        return changed


def _is_stored(name: str, wanted: CheckCreate, check: Check) -> bool:
    """Return whether a server stores the field: a timeout only without, and a time zone only with a schedule."""
    if name not in ("timeout", "tz"):
        return True
    keeps_schedule = check.schedule is not None and "timeout" not in wanted.model_fields_set
    has_schedule = wanted.schedule is not None or keeps_schedule
    return has_schedule == (name == "tz")


def _normalized(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "tags":
        return frozenset(value.split())
    if name == "tz":
        return _time_zone_data(value)
    return value


class _Channels:
    """Resolves the channels of checks to integrations. Each pair of lists of channels is compared once."""

    def __init__(self, integrations: Sequence[Integration]) -> None:
        self._integrations = integrations
        by_name = {each.name: {each.id} for each in integrations}
        by_id = {each.id: {each.id} for each in integrations}
        self._ids_by_channel = {**by_name, **by_id, "*": set(by_id)}
        self._results: dict[tuple[str | None, str | None], bool] = {}

    def are_same(self, old: str | None, new: str | None) -> bool:
        """Return whether two lists of IDs and names, separated by commas, refer to the same integrations."""
        is_same = self._results.get((old, new))
        if is_same is None:
            is_same = self._results[old, new] = old == new or (
                old is not None and new is not None and self._ids(old) == self._ids(new)
            )
        return is_same

    def _ids(self, channels: str) -> set[str]:
        return set[str]().union(*(self._ids_by_channel.get(each, {each}) for each in _split(channels)))

    def names(self, channels: str | None) -> str | None:
        """Return a list of channels by name, for display."""
        return channel_names(channels, self._integrations) if channels else channels


def _split(channels: object) -> list[str]:
    return str(channels).split(",") if channels else []


@lru_cache
def _time_zone_data(name: str) -> object:
    """Return the data of a time zone. The old and the new name of a zone have the same data."""
    from importlib.resources import files

    try:
        return files("pytz").joinpath("zoneinfo", *name.split("/")).read_bytes()
    except (OSError, ValueError):
        return name  # The server knows it, pytz does not.
