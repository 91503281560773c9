"""The fields of a profile: which have one value, which have many, and what tells two items of a list apart."""

from collections.abc import Callable, Mapping
from typing import Any, Final

Item = Any
Key = tuple[Any, ...]

SCALARS: Final = (
    "full_name",
    "full_name_kana",
    "family_name",
    "given_name",
    "family_name_kana",
    "given_name_kana",
    "family_name_romaji",
    "given_name_romaji",
    "birth_date",
    "language",
    "timezone",
    "headline",
    "current_company",
    "department",
    "years_of_experience",
)
OBJECTS: Final = ("location", "custom_fields")
CONTACTS: Final = ("email_addresses", "phone_numbers")


def _text(item: Item) -> Key:
    return (item,)


def _contact(item: Item) -> Key:
    return (item.get("value") or item.get("raw"),)


KEYS: Final[Mapping[str, Callable[[Item], Key]]] = {
    "other_names": _text,
    "email_addresses": _contact,
    "phone_numbers": _contact,
    "external_ids": lambda item: (item.get("source"), item.get("id")),
    "links": lambda item: (item.get("url"),),
    "skills": lambda item: (item.get("name"),),
    "interests": _text,
    "tags": _text,
    "sources": lambda item: (item.get("type"), item.get("name")),
}
LISTS: Final = tuple(KEYS)
PROFILE: Final = (*SCALARS, *OBJECTS, *LISTS)
