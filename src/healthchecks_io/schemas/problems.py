"""The problems that pydantic found in a value, for error messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError


def problems_of(error: ValidationError) -> Iterator[tuple[str, str]]:
    """Yield the field and the message of each problem. The field is empty if a problem concerns the whole value.

    pydantic's own text quotes the value, which may contain secrets.
    """
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        yield ".".join(map(str, problem["loc"])), problem["msg"].removeprefix("Value error, ")
