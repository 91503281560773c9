"""The level of two names in SQL: plain names by expressions, all others by the Python that the service itself uses.

A plain name is one of which the columns of `match_features` say all that the comparison asks. `part_likeness` gives for
two parts of plain names what `app.normalise.name_parts.compare_parts` says, as one of six codes; where it cannot tell,
Python is asked. `LEVELS` then is `app.normalise.name_verdict.name_verdict`, written out for every combination.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import Any, Final

import duckdb
import pyarrow as pa
from duckdb.func import FunctionNullHandling, PythonUDFType

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
    if family == given == _OTHER and crossed == {_OTHER}:
        return None
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
        when (a.kana is null) != (a.latin is null)
            and (a.kana is null) = (b.latin is null) and (a.latin is null) = (b.kana is null)
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
        when a.has_letter or b.has_letter then {_ASK}
        when list_has_any(a.words, b.words) then {_NEAR}
        when is_given and a.is_listed and b.is_listed then {_DIFFERENT}
        when a.latin is not null and b.latin is not null
            then if(is_edited(a.latin, b.latin), {_NEAR}, {_DIFFERENT})
        when is_edited(a.key, b.key) then {_NEAR}
        else {_DIFFERENT} end
    """,
    f"""
    part_likeness(a, b, is_given) as case
        when is_given and (a.is_long or b.is_long) and a.words[1] = b.words[1] then {_ASK}
        when (a.kanji = b.kanji and a.kana = b.kana and part_latin(a, b)) is not false
            then if(coalesce(a.kanji = b.kanji, a.kana = b.kana, part_latin(a, b)) is null,
                {_UNKNOWN}, {_EQUAL})
        when a.kanji = b.kanji or a.kana = b.kana or part_latin(a, b) then {_OTHER}
        else part_apart(a, b, is_given) end
    """,
    """
    is_bordered_anew(a, b) as a.is_guessed and not b.is_guessed
        and starts_with(a.kanji, b.family.kanji) and a.family.kanji != b.family.kanji
    """,
    f"""
    plain_level(a, b) as list_extract([{", ".join(_all_levels())}], 1
        + part_likeness(a.family, b.family, false) * 432 + part_likeness(a.given, b.given, true) * 72
        + part_likeness(a.family, b.given, true) * 12 + part_likeness(a.given, b.family, true) * 2
        + if(a.kanji = b.kanji, 1, 0)
        + if(a.is_guessed is null or b.is_guessed is null
            or is_bordered_anew(a, b) or is_bordered_anew(b, a)
            or (a.unsplit_kana is not null and b.unsplit_kana is not null)
            or a.unsplit_kana = b.family.kana[1] or b.unsplit_kana = a.family.kana[1], null, 0))
    """,
    """
    name_level(name_l, name_r, spelled_l, spelled_r) as
        coalesce(plain_level(spelled_l, spelled_r), name_level_of(name_l, name_r))
    """,
)

_SMALL_KANA: Final = "ァィゥェォッャュョヮヂヅヵヶ", "アイウエオツヤユヨワジズカケ"


def _part(part: str) -> str:
    latin = f"p.{part}_latin"
    return f"""{{
        'kanji': p.{part}_kanji, 'kana': p.{part}_kana, 'latin': replace({latin}, ' ', ''), 'key': p.{part}_key,
        'words': list_filter(string_split({latin}, ' '), lambda x: length(x) > 1),
        'is_long': coalesce(contains({latin}, ' '), false),
        'has_letter': coalesce(length(string_split({latin}, ' ')[1]) = 1, false)
            or coalesce(length(p.{part}_key) = 1, false),
        'roots': {part}.roots, 'is_listed': {part}.is_listed, 'is_romaji': {part}.is_romaji}}"""


def _is_spelled(part: str) -> str:
    """The columns say all of this part: its scripts are the ones that their names say, and it has one key at most."""
    return f"""
    coalesce(p.{part}_kanji, p.{part}_kana, p.{part}_latin) is not null
    and regexp_matches(coalesce(p.{part}_kanji, '一'), '[一-鿋]')
    and regexp_full_match(coalesce(p.{part}_latin, 'a'), '[a-z]+( [a-z]+)*')
    and (p.{part}_key is not null or (p.{part}_kana is null and p.{part}_latin is null))
    and (p.is_plain or coalesce(json_array_length(p.name, '$.{part}.keys'), 0) <= 1)"""


_WHOLE_KANA: Final = "case when not p.is_plain then p.name ->> '$.whole.kana' end"
_IS_GUESSED: Final = "coalesce(not p.is_plain and (p.name ->> '$.split_score') is not null, false)"

SPELLED: Final = f"""if({_is_spelled("family")} and {_is_spelled("given")}
    and (p.family_kana is null) = (p.given_kana is null)
    and (p.name_kanji is null or p.family_kanji is not null or p.given_kanji is not null)
    and (not {_IS_GUESSED} or p.family_kanji || p.given_kanji = p.name_kanji)
    and (p.is_plain or (p.name ->> '$.suffix' is null and json_array_length(p.name, '$.others') = 0
        and (p.family_kana is null or {_WHOLE_KANA} is not null))),
    {{
        'kanji': p.name_kanji, 'is_guessed': {_IS_GUESSED},
        'unsplit_kana': if(p.family_kana is null, translate(({_WHOLE_KANA})[1], '{"', '".join(_SMALL_KANA)}'), null),
        'family': {_part("family")}, 'given': {_part("given")}
    }}, null)"""
"""The column `spelled` of a name that SQL can compare, null for others: from rows `p` of features with `name_words`.

Beside plain names these are names with a guessed border, a reading without one, or of several Latin words; where
another name could move a border, or words matter, Python is asked.
"""


def register(connection: duckdb.DuckDBPyConnection) -> None:
    """Teach a connection `name_level(name_l, name_r, spelled_l, spelled_r)`, which gives a level or `missing`."""
    connection.create_function(
        "name_level_of",
        _levels,
        ["varchar", "varchar"],
        "varchar",
        type=PythonUDFType.ARROW,
        null_handling=FunctionNullHandling.SPECIAL,
    )
    for macro in _MACROS:
        connection.execute(f"create or replace macro {macro}")


def _levels(left: pa.ChunkedArray, right: pa.ChunkedArray) -> pa.Array:
    return pa.array([level_of(a, b) for a, b in zip(left.to_pylist(), right.to_pylist(), strict=True)], pa.string())


@lru_cache(maxsize=200_000)
def level_of(left: str | None, right: str | None) -> str:
    """Compare two names as JSON text by the Python that the service itself uses; return a level or `missing`."""
    return name_level(_read(left), _read(right)) or MISSING


@lru_cache(maxsize=200_000)
def _read(name: str | None) -> NameFeatures | None:
    return load_name(json.loads(name)) if name else None


def write_words(connection: duckdb.DuckDBPyConnection, source: str) -> None:
    """Make the table `name_words` of what is known of the Latin spellings and keys of a table's names."""
    rows = connection.execute(
        f"select family_latin, family_key from {source} union select given_latin, given_key from {source}"
    ).fetchall()
    words = pa.Table.from_pylist([_word(latin, key) for latin, key in rows], _WORDS)
    connection.register("name_words_made", words)
    connection.execute("create or replace table name_words as from name_words_made")
    connection.unregister("name_words_made")


_WORDS: Final = pa.schema(
    [
        ("latin", pa.string()),
        ("key", pa.string()),
        ("roots", pa.list_(pa.string())),
        ("is_listed", pa.bool_()),
        ("is_romaji", pa.bool_()),
    ]
)


def _word(latin: str | None, key: str | None) -> dict[str, Any]:
    joined = (latin or "").replace(" ", "")
    return {
        "latin": latin,
        "key": key,
        "roots": sorted(nickname_roots(latin.split()[0])) if latin else None,
        "is_listed": is_given_name(joined, (key,) if key else ()),
        "is_romaji": bool(joined) and is_romaji(joined),
    }
