"""Fields that a person chose against survivorship, as the correction that makes them stand.

A choice is one record of door `manual` that states just the chosen values. So every later reading of the profile finds
it by the one rule there is: it stands over all but the person's own word, until somebody corrects the field again. The
record belongs to its merge and goes with it; it says nothing of who somebody is, so matching does not see it.
"""

from collections.abc import Mapping
from typing import Any, Final

_LOCATION: Final = ("country_code", "region", "city")


def chosen(
    choices: Mapping[str, str], sides: Mapping[str, Mapping[str, Any]], merged: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what has to be stated so that each field has the value of its chosen side; nothing where it has already.

    `sides` are the profiles of `survivor` and `loser`, `merged` is what their records add up to.
    """
    wanted = {name: sides[side].get(name) for name, side in choices.items()}
    return {name: _stated(name, value, merged[name]) for name, value in wanted.items() if value != merged[name]}


def _stated(name: str, value: Any, merged: Any) -> Any:  # noqa: ANN401 (any JSON value)
    if name == "location" and value:
        return {part: value.get(part) for part in _LOCATION}
    if name == "custom_fields":
        return patch_between(merged or {}, value or {})
    return value


def patch_between(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON Merge Patch (RFC 7396) that makes `new` of `old`."""
    patch: dict[str, Any] = {name: None for name in old if name not in new}
    for name, value in new.items():
        before = old.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            patch |= {name: inner} if (inner := patch_between(before, value)) else {}
        elif value != before:
            patch[name] = value
    return patch
