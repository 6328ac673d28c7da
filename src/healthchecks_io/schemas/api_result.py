"""What all answers of the management API have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self


class APIResult(BaseModel):
    """A part of an answer. Fields that this library does not know yet are kept, as attributes."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    @classmethod
    def from_api_result(cls, result: Mapping[str, object]) -> Self:
        """Read the parsed JSON of an answer.

        Args:
            result: What the API gave; it is left as it is.

        Returns:
            The object.

        Raises:
            pydantic.ValidationError: It is not what the API documents.
        """
        return cls.model_validate(result)
