"""The base class of the response models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self


class APIResult(BaseModel):
    """An object in a response. Unknown fields, for example from newer servers, are kept as attributes."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    @classmethod
    def from_api_result(cls, result: Mapping[str, object]) -> Self:
        """Create an instance from the parsed JSON of a response.

        Args:
            result: The JSON object. It is not modified.

        Returns:
            The instance.

        Raises:
            pydantic.ValidationError: A required field is missing, or a field has an invalid value.
        """
        return cls.model_validate(result)
