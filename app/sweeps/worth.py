"""Which pairs that share a key can weigh enough to be asked for, told by what is cheap to compare.

Most pairs share an employer and one part of a name, and weigh far too little. So it is told of each what it could weigh
at most, and only those that could reach the review threshold, or share a contact, go on to be weighed.
"""

from typing import Final

import duckdb

from app.dedup.levels import COMPARISONS
from app.dedup.model import CAP, Weight
from app.dedup.rules import Knowledge, log_odds
from app.dedup.sides import COUNTED

_CONTACTS: Final = ("emails", "mobiles", "fixed_phones", "urls", "external_ids")
_SCRIPTS: Final = ("kanji", "kana", "latin", "key", "word")
"""By each of these two parts of a name can be equal; a word is the first of a Latin spelling."""
_ROUNDED: Final = 0.01
"""Bits by which what Splink says that a pair weighs may differ from the model."""


def write_shared(db: duckdb.DuckDBPyConnection) -> int:
    """Make the table `shared` of all pairs of `people` that share a key; return how many there are."""
    db.execute(
        """create table shared as
           with filed as (select number, unnest(keys) as key from people)
           select distinct l.number as left_number, r.number as right_number
           from filed l join filed r on l.key = r.key and l.number < r.number"""
    )
    [(many,)] = db.execute("select count(*) from shared").fetchall()
    return int(many)


def write_worthy(db: duckdb.DuckDBPyConnection, known: Knowledge) -> None:
    """Make the table `worthy` of such pairs out of `shared`, as Splink takes them.

    It reads `people`, `features` and the frequencies of the counted columns.
    """
    _write_light(db)
    db.execute(
        f"""create table worthy as
            select '0' as match_key, left_number as join_key_l, right_number as join_key_r
            from shared join light l on l.number = left_number join light r on r.number = right_number
            where {_share_contact()} or {_most(known)} >= {log_odds(known.policy.review_threshold) - _ROUNDED}"""
    )


def _write_light(db: duckdb.DuckDBPyConnection) -> None:
    """Write what is looked at, in columns that are cheap to join."""
    shares = ", ".join(f"{each}.tf_{each}" for each in COUNTED)
    counts = " ".join(f"left join frequencies_{each} as {each} on {each}.{each} = p.{each}" for each in COUNTED)
    contacts = ", ".join(f"p.{each}" for each in _CONTACTS)
    parts = ", ".join(
        f"""f.{part}_kanji, f.{part}_kana, f.{part}_key, replace(f.{part}_latin, ' ', '') as {part}_latin,
            split_part(f.{part}_latin, ' ', 1) as {part}_word"""
        for part in ("family", "given")
    )
    db.execute(
        f"""create table light as
            select p.number, p.employer, p.birth_date, {contacts}, {shares}, {parts}, f.name_kanji,
              f.family_kanji || f.given_kanji is not null as is_in_kanji, p.spelled is not null as is_spelled,
              p.spelled.unsplit_kana is not null as is_unsplit
            from people p join features f using (number) {counts}"""
    )


def _share_contact() -> str:
    return " or ".join(f"coalesce(list_has_any(l.{each}, r.{each}), false)" for each in _CONTACTS)


def _most(known: Knowledge) -> str:
    """Return the most bits of a pair that shares no contact."""
    weights = known.model.weights
    rest = sum(_best(known, of, but="shared") for of in COMPARISONS if of not in ("name", "employer", "birth_date"))
    employer = f"""case when l.employer is null or r.employer is null then 0
        when l.employer = r.employer then {_at(weights["employer", "equal"])}
        else {weights["employer", "differs"].bits} end"""
    born = f"""case when l.birth_date is null or r.birth_date is null then 0
        when l.birth_date = r.birth_date then {weights["birth_date", "equal"].bits}
        else {_best(known, "birth_date", but="equal")} end"""
    return f"{known.prior + rest} + {employer} + {born} + {_most_of_names(known)}"


def _most_of_names(known: Knowledge) -> str:
    """Return the most bits of two names: levels that count a name need both parts equal, wherever their border is."""
    levels = [weight for (of, _), weight in known.model.weights.items() if of == "name"]
    others = max(0.0, *(weight.bits for weight in levels if weight.counted is None))
    agreeing = ", ".join(_at(weight) for weight in levels if weight.counted)
    return f"""case when not (l.is_spelled and r.is_spelled) then {CAP}
        when (l.is_unsplit or r.is_unsplit) and not (l.is_in_kanji and r.is_in_kanji) then {CAP}
        when ({_alike("family", "family")}) and ({_alike("given", "given")})
          or ({_alike("family", "given")}) and ({_alike("given", "family")})
          or coalesce(l.name_kanji = r.name_kanji, false) then greatest({others}, {agreeing})
        else {others} end"""


def _alike(part: str, other: str) -> str:
    return " or ".join(f"coalesce(l.{part}_{script} = r.{other}_{script}, false)" for script in _SCRIPTS)


def _at(weight: Weight) -> str:
    """Return the bits of a level by the larger share of the pool that holds one of two values."""
    tf = f"tf_{weight.counted}"
    share = f"greatest(coalesce(l.{tf}, r.{tf}), coalesce(r.{tf}, l.{tf}), {weight.least})"
    return f"coalesce(log2({weight.m} / nullif({share}, 0)), {CAP})"


def _best(known: Knowledge, feature: str, but: str) -> float:
    """Return the most bits of a feature's levels but one; what cannot be compared weighs nothing."""
    levels = {level: weight.bits for (of, level), weight in known.model.weights.items() if of == feature}
    return max(0.0, *(bits for level, bits in levels.items() if level != but))
