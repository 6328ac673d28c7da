"""The status badges of a project."""

from __future__ import annotations

from pydantic import Field

from healthchecks_io.schemas.api_result import APIResult


class Badges(APIResult):
    """The badge URLs of one tag. They are public: anyone who knows a URL can view the badge.

    See "List Project's Badges" in the documentation of the management API.

    Do not decode or re-encode the URLs: the tags in them are percent-encoded twice.
    """

    svg: str
    """SVG image with two states, up and down. A check in its grace time counts as up."""
    svg3: str
    """SVG image with three states: up, late and down."""
    json_url: str = Field(validation_alias="json", serialization_alias="json")
    """JSON document with two states. ``json`` in the API."""
    json3_url: str = Field(validation_alias="json3", serialization_alias="json3")
    """JSON document with three states. ``json3`` in the API."""
    shields: str
    """JSON document for Shields.io with two states."""
    shields3: str
    """JSON document for Shields.io with three states."""


class ProjectBadges(APIResult):
    """The response with the badges of a project by tag. The key ``*`` is for all checks."""

    badges: dict[str, object]

    def by_tag(self) -> dict[str, Badges]:
        """Return the badges by tag.

        Raises:
            pydantic.ValidationError: A badge is invalid. Validation stops at the first invalid one.
        """
        return {tag: Badges.model_validate(badges) for tag, badges in self.badges.items()}
