"""What a candidate is found by: search terms of texts (`n:`, `w:`) and exact terms of filters."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from app.criteria.fold import fold
from app.normalise.names import NameFeatures
from app.normalise.search import name_terms, text_terms

FILTERS: Final[Mapping[str, str]] = {
    "skill": "s",
    "tag": "t",
    "interest": "i",
    "source_type": "o",
    "company": "c",
    "city": "l",
}

_NAMES: Final = ("full_name", "family_name", "given_name", "family_name_romaji", "given_name_romaji")


@lru_cache(maxsize=4_096)
def filter_term(kind: str, value: str) -> str:
    """Return the term that a filter's value asks for, case and width aside."""
    return f"{FILTERS[kind]}:{fold(value)}"


@lru_cache(maxsize=4_096)
def _words_of(text: str) -> frozenset[str]:
    return frozenset(text_terms(text))


def _joined_names(fields: Mapping[str, Any]) -> Iterator[str]:
    """Give the names whose parts are found by themselves, too: features know `Jean-Luc` as one word."""
    for name in (*(fields[each] for each in _NAMES), *fields["other_names"]):
        if name and "-" in name:
            yield name


def terms_of(fields: Mapping[str, Any], names: Iterable[NameFeatures]) -> set[str]:
    """List the terms of one candidate: of every name that a record gives them, of company, skills, tags and kin."""
    found = {term for name in names for term in name_terms(name)}
    company, city = fields["current_company"], (fields["location"] or {}).get("city")
    skills = [skill["name"] for skill in fields["skills"]]
    for text in filter(None, (company, *skills, *_joined_names(fields))):
        found |= _words_of(text)
    exact = {
        "skill": skills,
        "tag": fields["tags"],
        "interest": fields["interests"],
        "source_type": [source["type"] for source in fields["sources"]],
        "company": filter(None, [company]),
        "city": filter(None, [city]),
    }
    return found | {filter_term(kind, value) for kind, values in exact.items() for value in values}
