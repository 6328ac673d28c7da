"""The integrations of a project, which deliver its alerts."""

from __future__ import annotations

from typing import Annotated

from pydantic import FailFast

from healthchecks_io.schemas.api_result import APIResult


class Integration(APIResult):
    """An integration of the project, called a channel in the API.

    See "List Existing Integrations" in the documentation of the management API.
    """

    id: str
    """The integration's UUID, as used in a check's ``channels``."""
    name: str
    """The name. It may be empty and need not be unique."""
    kind: str
    """The type of the integration, such as ``email``, ``webhook`` or ``slack``."""


class Integrations(APIResult):
    """The response with the integrations of a project."""

    channels: Annotated[list[Integration], FailFast()]
