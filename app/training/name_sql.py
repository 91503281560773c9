"""The level of two names in SQL: plain names by expressions, all others by the Python that the service itself uses.

A plain name is one of which the columns of `match_features` say all that the comparison asks. `part_likeness` gives for
two parts of plain names what `app.normalise.name_parts.compare_parts` says, as one of six codes; where it cannot tell,
Python is asked. `LEVELS` then is `app.normalise.name_verdict.name_verdict`, written out for every combination.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import Final

import duckdb
import pyarrow as pa
from duckdb.func import PythonUDFType

from app.dedup.levels import name_level
from app.kit import json
from app.normalise.name_lists import is_given_name, nickname_roots
from app.normalise.names import NameFeatures, load_name
from app.normalise.romaji import is_romaji

MISSING: Final = "missing"
"""The level of names of which nothing can be compared."""

_EQUAL, _OTHER, _NEAR, _DIFFERENT, _UNKNOWN, _ASK = range(6)
_CODES: Final = range(6)
_MATCHED: Final = (_EQUAL, _OTHER, _NEAR)
_SPELLED: Final = {_EQUAL: "family_changed", _OTHER: "other_spelling", _NEAR: "near"}
_RANK: Final = {"given_differs": 0, "names_differ": 0, "other_part": 0, MISSING: 1}
_PARTIAL_RANK: Final = 2


def _straight(family: int, given: int) -> str | None:
    """Return the level of names whose parts compare so, the order of the parts as it is; None: ask."""
    if _ASK in (family, given):
        return None
    if given == _DIFFERENT:
        return "given_differs" if family == _EQUAL else "names_differ"
    if family == given == _UNKNOWN:
        return MISSING
    if given in _MATCHED:
        return _one_matched(family, given)
    return "one_part" if family in _MATCHED else "other_part"


def _one_matched(family: int, given: int) -> str:
    if family == _UNKNOWN:
        return "one_part"
    if given != _EQUAL:
        return _SPELLED[given]
    return "family_changed" if family == _DIFFERENT else "reading" if family == _EQUAL else _SPELLED[family]


def _level(family: int, given: int, family_crossed: int, given_crossed: int, is_same_kanji: int) -> str | None:
    """Return the level; the crossed codes compare one side's family name with the other's given name."""
    straight = _straight(family, given)
    if straight == "reading":
        return "kanji" if is_same_kanji else "reading"
    crossed = {family_crossed, given_crossed}
    if straight is None or crossed & {_DIFFERENT, _UNKNOWN}:
        return straight
    if _ASK in crossed:
        return None
    if crossed == {_EQUAL}:
        return "swapped"
    return straight if _RANK.get(straight, _PARTIAL_RANK) == _PARTIAL_RANK else "near"


def _all_levels() -> Iterator[str]:
    for codes in product(_CODES, _CODES, _CODES, _CODES, range(2)):
        level = _level(*codes)
        yield f"'{level}'" if level else "null"


_MACROS: Final = (
    """
    part_latin(a, b) as case
        when a.latin is not null and b.latin is not null
            then a.latin = b.latin or (a.is_romaji and b.is_romaji and a.key = b.key)
        when (a.kana is null) != (b.kana is null) and (a.latin is null) != (b.latin is null)
            then coalesce(a.key = b.key, false) end
    """,
    """
    is_edited(x, y) as least(length(x), length(y)) >= 4 and abs(length(x) - length(y)) <= 1
        and damerau_levenshtein(x, y) = 1
    """,
    f"""
    part_apart(a, b, is_given) as case
        when a.kana is not null and b.kana is not null and a.key = b.key then {_OTHER}
        when is_given and list_has_any(a.roots, b.roots) then {_NEAR}
        when length(a.key) = 1 or length(b.key) = 1 or length(a.latin) = 1 or length(b.latin) = 1 then {_ASK}
        when is_given and a.is_listed and b.is_listed then {_DIFFERENT}
        when a.latin is not null and b.latin is not null
            then if(is_edited(a.latin, b.latin), {_NEAR}, {_DIFFERENT})
        when is_edited(a.key, b.key) then {_NEAR}
        else {_DIFFERENT} end
    """,
    f"""
    part_likeness(a, b, is_given) as case
        when (a.kana is null) != (b.kana is null) and (a.latin is null) != (b.latin is null)
            and (a.kana is null) = (a.latin is null) then {_ASK}
        when (a.kanji = b.kanji and a.kana = b.kana and part_latin(a, b)) is not false
            then if(coalesce(a.kanji = b.kanji, a.kana = b.kana, part_latin(a, b)) is null, {_UNKNOWN}, {_EQUAL})
        when a.kanji = b.kanji or a.kana = b.kana or part_latin(a, b) then {_OTHER}
        else part_apart(a, b, is_given) end
    """,
    f"""
    plain_level(a, b) as list_extract([{", ".join(_all_levels())}], 1
        + part_likeness(a.family, b.family, false) * 432 + part_likeness(a.given, b.given, true) * 72
        + part_likeness(a.family, b.given, true) * 12 + part_likeness(a.given, b.family, true) * 2
        + if(a.kanji = b.kanji, 1, 0))
    """,
    f"""
    name_level(name_l, name_r, spelled_l, spelled_r) as case
        when name_l is null or name_r is null then '{MISSING}'
        when spelled_l is not null and spelled_r is not null
            then coalesce(plain_level(spelled_l, spelled_r), name_level_of(name_l, name_r))
        else name_level_of(name_l, name_r) end
    """,
)

_PART: Final = """{{
    'kanji': p.{part}_kanji, 'kana': p.{part}_kana, 'latin': p.{part}_latin, 'key': p.{part}_key,
    'roots': {part}.roots, 'is_listed': {part}.is_listed, 'is_romaji': {part}.is_romaji}}"""

_IS_SPELLED: Final = """p.is_plain
    and (p.name_kanji is null or p.family_kanji is not null or p.given_kanji is not null)
    and regexp_matches(coalesce(p.family_kanji, '一'), '[一-鿋]')
    and regexp_matches(coalesce(p.given_kanji, '一'), '[一-鿋]')
    and regexp_full_match(coalesce(p.family_latin, 'a'), '[a-z]+')
    and regexp_full_match(coalesce(p.given_latin, 'a'), '[a-z]+')
    and (p.family_key is not null or (p.family_kana is null and p.family_latin is null))
    and (p.given_key is not null or (p.given_kana is null and p.given_latin is null))"""

SPELLED: Final = f"""if({_IS_SPELLED}, {{
    'kanji': p.name_kanji, 'family': {_PART.format(part="family")}, 'given': {_PART.format(part="given")}}}, null)"""
"""The column `spelled` of a plain name, null for others: from rows `p` of features, joined with WORDS twice."""


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Teach a connection `name_level(name_l, name_r, spelled_l, spelled_r)`, which gives a level or `missing`."""
    connection.create_function("name_level_of", _levels, ["varchar", "varchar"], "varchar", type=PythonUDFType.ARROW)
    for macro in _MACROS:
        connection.execute(f"create or replace macro {macro}")


def _levels(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.Array:
    return pa.array([_level_of(a, b) for a, b in zip(left.to_pylist(), right.to_pylist(), strict=True)], pa.string())


@lru_cache(maxsize=200_000)
def _level_of(left: str, right: str) -> str:
    return name_level(_read(left), _read(right)) or MISSING


@lru_cache(maxsize=200_000)
def _read(name: str) -> NameFeatures:
    return load_name(json.loads(name))


def write_words(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    """Make the table `name_words` of what is known of the Latin spellings and keys of a table's names."""
    rows = connection.execute(
        f"select family_latin, family_key from {source} union select given_latin, given_key from {source}"
    ).fetchall()
    words = pa.table(
        {
            "latin": pa.array([latin for latin, _ in rows], pa.string()),
            "key": pa.array([key for _, key in rows], pa.string()),
            "roots": pa.array(
                [sorted(nickname_roots(latin)) if latin else None for latin, _ in rows], pa.list_(pa.string())
            ),
            "is_listed": pa.array(
                [is_given_name(latin or "", (key,) if key else ()) for latin, key in rows], pa.bool_()
            ),
            "is_romaji": pa.array([bool(latin) and is_romaji(latin) for latin, _ in rows], pa.bool_()),
        }
    )
    connection.register("name_words_made", words)
    connection.execute("create or replace table name_words as from name_words_made")
    connection.unregister("name_words_made")
