"""The status badges of a project."""

from __future__ import annotations

from pydantic import Field

from healthchecks_io.schemas.api_result import APIResult


class Badges(APIResult):
    """The addresses of the badges of one tag. They are public: whoever knows an address can see the badge.

    Source: Management API, "List Project's Badges".

    Use the addresses as they are: the tags in them are percent-encoded twice.

    Attributes:
        svg: An SVG document with two states, up and down. A check in its grace time counts as up.
        svg3: An SVG document with three states: up, late and down.
        json_url: A JSON document with two states.
        json3_url: A JSON document with three states.
        shields: A JSON document for Shields.io with two states.
        shields3: A JSON document for Shields.io with three states.
    """

    svg: str
    svg3: str
    json_url: str = Field(validation_alias="json", serialization_alias="json")
    json3_url: str = Field(validation_alias="json3", serialization_alias="json3")
    shields: str
    shields3: str


class ProjectBadges(APIResult):
    """The envelope of the badges of a project: by tag, ``*`` standing for all checks."""

    badges: dict[str, object]

    def by_tag(self) -> dict[str, Badges]:
        """Read the badges one after the other: of an answer that is no good, the first problem is enough.

        Raises:
            pydantic.ValidationError: It is not what the API documents.
        """
        return {tag: Badges.model_validate(badges) for tag, badges in self.badges.items()}
