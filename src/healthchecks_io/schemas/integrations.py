"""The integrations of a project: where alerts go."""

from __future__ import annotations

from typing import Annotated

from pydantic import FailFast

from healthchecks_io.schemas.api_result import APIResult


class Integration(APIResult):
    """An integration of the project, called a channel in the API.

    Source: Management API, "List Existing Integrations".

    Attributes:
        id: The integration's UUID; a check's ``channels`` name integrations by it.
        name: The name, which may be empty and need not be unique.
        kind: What kind of integration it is: ``email``, ``webhook``, ``slack``, ...
    """

    id: str
    name: str
    kind: str


class Integrations(APIResult):
    """The envelope of a list of integrations."""

    channels: Annotated[list[Integration], FailFast()]
