"""The shipped lists of names; sources and licences are in names.LICENSE.txt."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path


def _lines(name: str) -> tuple[str, ...]:
    return tuple(Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines())


@cache
def _given_names() -> frozenset[str]:
    return frozenset(_lines("given_names.tsv"))


def is_given_name(latin: str, keys: Iterable[str]) -> bool:
    """Say whether a Latin spelling, or a romaji key of at least four letters, is a listed given name."""
    names = _given_names()
    return f"latin\t{latin}" in names or any(f"key\t{key}" in names for key in keys)


@cache
def _full_forms() -> dict[str, frozenset[str]]:
    forms: dict[str, set[str]] = {}
    for line in _lines("nicknames.tsv"):
        nickname, full = line.split("\t")
        forms.setdefault(nickname, {nickname}).add(full)
    return {nickname: frozenset(full) for nickname, full in forms.items()}


def nickname_roots(latin: str) -> frozenset[str]:
    """Return the name and those that it is short for; two names that share a root may be one person's."""
    return _full_forms().get(latin, frozenset((latin,)))


@cache
def long_surnames() -> frozenset[str]:
    """Return family names of three or more characters, which a splitter takes for a whole name."""
    return frozenset(_lines("long_surnames.txt"))


@cache
def _family_readings() -> dict[str, tuple[str, ...]]:
    lines = (line.split("\t") for line in _lines("family_readings.tsv"))
    return {kanji: tuple(keys.split(" ")) for kanji, keys in lines}


def family_readings(kanji: str) -> tuple[str, ...]:
    """Return the romaji keys of a family name's usual readings, the commonest first; `kanji` is folded."""
    return _family_readings().get(kanji, ())
