"""Bodies as they are written: a number is no text, a truth no number, and a day is text, not seconds since 1970.

Pydantic is lenient with all of these and strict with ids and moments, which JSON has only as text; so strictness is
given to the parts of a model that JSON has as such.
"""

import re
from datetime import date
from typing import Any, Final

from pydantic_core import PydanticCustomError, core_schema

_OF_JSON: Final = ("int", "float", "bool")
_OPAQUE: Final = ("default", "metadata", "serialization", "config")
"""What a schema holds besides schemas."""
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def exact(part: Any, model: type) -> Any:  # noqa: ANN401 (any part of a schema)
    """Return the schema of `model`, exact in what JSON has; other models within it see to themselves."""
    if isinstance(part, list | tuple):
        return type(part)(exact(each, model) for each in part)
    if not isinstance(part, dict) or part.get("cls", model) is not model:
        return part
    if part.get("type") == "date":
        return core_schema.no_info_before_validator_function(_written_as_day, part)
    whole = {name: each if name in _OPAQUE else exact(each, model) for name, each in part.items()}
    return {**whole, "strict": True} if part.get("type") in _OF_JSON else whole


def _written_as_day(value: Any) -> Any:  # noqa: ANN401 (whatever was sent)
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise PydanticCustomError("not_a_day", "This must be a day.")
