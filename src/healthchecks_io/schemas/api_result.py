"""The base class of the response models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json, to_json

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from typing_extensions import Self


class APIResult(BaseModel):
    """An object in a response: the base class of the models of responses.

    Unknown fields, for example from newer servers, are kept as attributes. A null in a field that has a default counts
    as left out.
    """

    model_config = ConfigDict(extra="allow", populate_by_name=True, allow_inf_nan=False)

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

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Create an instance from an object, as in pydantic.

        Args:
            obj: The object, such as the parsed JSON of a response.
            **options: The options of pydantic's method.
        """
        return super().model_validate(_without_nulls(obj, cls), **options)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Create an instance from JSON, as in pydantic.

        Args:
            json_data: The JSON text.
            **options: The options of pydantic's method.
        """
        # Servers rarely send nulls that validation rejects, and looking for them in every response would be slow.
        try:
            return super().model_validate_json(json_data, **options)
        except ValidationError as error:
            if all(problem["input"] is not None for problem in error.errors(include_url=False, include_context=False)):
                raise
        return super().model_validate_json(to_json(_without_nulls(from_json(json_data), cls)), **options)

    @property
    def model_fields_set(self) -> set[str]:
        """The names of the fields that the response has. None counts as left out."""
        return {name for name in super().model_fields_set if self.__dict__.get(name, name) is not None}


def _without_nulls(value: object, kind: Any) -> Any:
    """Return a value of a field or a model without the nulls that count as left out.

    A null in a field whose default is None is kept: it is valid, and what the server sent.
    """
    if get_origin(kind) is list and isinstance(value, list):
        (item_kind,) = get_args(kind)
        return [_without_nulls(item, item_kind) for item in cast("list[object]", value)]
    is_model = isinstance(kind, type) and not get_origin(kind) and issubclass(kind, APIResult)
    if not is_model or not isinstance(value, Mapping):
        return value
    fields = _fields_by_key(kind)
    return {
        key: _without_nulls(item, fields[key].annotation) if key in fields else item
        for key, item in cast("Mapping[str, object]", value).items()
        if item is not None or key not in fields or fields[key].is_required() or fields[key].default is None
    }


@cache
def _fields_by_key(model: type[APIResult]) -> dict[str, FieldInfo]:
    fields = model.model_fields
    return fields | {str(field.validation_alias): field for field in fields.values() if field.validation_alias}
