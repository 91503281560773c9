"""Which pairs that share a key can weigh enough to be asked for, told by what is cheap to compare.

Most pairs share an employer and one part of a name, and weigh far too little. So it is told of each what it could weigh
at most, and only those that could reach the review threshold, or share a contact, go on to be weighed. There are ten
million of them, so what is looked at is of a fixed width: hashes and bits. A hash that two values share costs a look.
"""

from typing import Final

import duckdb

from app.dedup.levels import COMPARISONS
from app.dedup.model import CAP
from app.dedup.rules import Knowledge, log_odds
from app.dedup.sides import COUNTED

_SCRIPTS: Final = ("kanji", "kana", "latin", "key", "word")
"""By each of these two parts of a name can be equal; a word is the first of a Latin spelling."""
_ROUNDED: Final = 0.01
"""Bits by which what Splink says that a pair weighs may differ from the model."""


def write_shared(db: duckdb.DuckDBPyConnection) -> int:
    """Make the table `shared` of all pairs of `people` that share a key, and whether one is a contact's; count them."""
    db.execute(
        """create table shared as
           with filed as (select number, unnest(keys) as key from people)
           select l.number as left_number, r.number as right_number, bool_or(l.key % 2 = 1) as has_contact
           from filed l join filed r on l.key = r.key and l.number < r.number group by all"""
    )
    [(many,)] = db.execute("select count(*) from shared").fetchall()
    return int(many)


def write_worthy(db: duckdb.DuckDBPyConnection, known: Knowledge) -> None:
    """Make the table `worthy` of such pairs out of `shared`, as Splink takes them.

    It reads `people`, `features` and the frequencies of the counted columns.
    """
    _write_light(db, known)
    db.execute(
        f"""create table worthy as
            select '0' as match_key, left_number as join_key_l, right_number as join_key_r
            from shared join light l on l.number = left_number join light r on r.number = right_number
            where has_contact or {_may_suffice(known)}"""
    )


def _write_light(db: duckdb.DuckDBPyConnection, known: Knowledge) -> None:
    """Write what is looked at: what each counted value weighs at most, and hashes of what can be equal."""
    spelled = {f"{part}_{script}": _spelled(part, script) for part in ("family", "given") for script in _SCRIPTS}
    hashed = {"employer": "p.employer", "birth_date": "p.birth_date", "name_kanji": "f.name_kanji", **spelled}
    hashes = ", ".join(
        f"case when {value} is not null then hash({value}) end as {each}" for each, value in hashed.items()
    )
    bits = ", ".join(f"{_bits(known, each)} as {each}_bits" for each in COUNTED)
    counts = " ".join(f"left join frequencies_{each} as {each} on {each}.{each} = p.{each}" for each in COUNTED)
    db.execute(
        f"""create table light as
            select p.number, {hashes}, {bits}, f.family_kanji || f.given_kanji is not null as is_in_kanji,
              p.spelled is null as is_odd, p.spelled.unsplit_kana is not null as is_unsplit
            from people p join features f using (number) {counts}"""
    )


def _spelled(part: str, script: str) -> str:
    if script == "word":
        return f"split_part(f.{part}_latin, ' ', 1)"
    return f"replace(f.{part}_latin, ' ', '')" if script == "latin" else f"f.{part}_{script}"


def _bits(known: Knowledge, column: str) -> str:
    """Return the most bits of a level that counts this column, by the share of the pool that holds the value."""
    counting = [weight for weight in known.model.weights.values() if weight.counted == column]
    bits = ", ".join(f"log2({each.m} / greatest({column}.tf_{column}, {each.least}))" for each in counting)
    return f"coalesce(greatest({bits}), {CAP})"


def _may_suffice(known: Knowledge) -> str:
    """Say that a pair that shares no contact can weigh enough: by its name at best, if that may agree, or without.

    Of two values the one that more people hold weighs. What cannot be compared makes a condition null: not met.
    """
    least = log_odds(known.policy.review_threshold) - _ROUNDED
    weights = known.model.weights
    rest = sum(_best(known, of, but="shared") for of in COMPARISONS if of not in ("name", "employer", "birth_date"))
    disagreeing = max(0.0, *(weight.bits for (of, _), weight in weights.items() if of == "name" and not weight.counted))
    but_name = f"""{known.prior + rest}
        + case when l.employer = r.employer then least(l.employer_bits, r.employer_bits)
            when l.employer <> r.employer then {weights["employer", "differs"].bits} else 0 end
        + case when l.birth_date = r.birth_date then {weights["birth_date", "equal"].bits}
            when l.birth_date <> r.birth_date then {_best(known, "birth_date", but="equal")} else 0 end"""
    agreeing = ", ".join(f"least(l.{each}_bits, r.{each}_bits)" for each in ("name_kanji", "name_key"))
    return f"""{but_name} + greatest({disagreeing}, {agreeing}) >= {least}
        and ({but_name} + {disagreeing} >= {least} or {_MAY_AGREE})"""


def _best(known: Knowledge, feature: str, but: str) -> float:
    """Return the most bits of a feature's levels but one; what cannot be compared weighs nothing."""
    levels = {level: weight.bits for (of, level), weight in known.model.weights.items() if of == feature}
    return max(0.0, *(bits for level, bits in levels.items() if level != but))


def _alike(part: str, other: str) -> str:
    return " or ".join(f"l.{part}_{script} = r.{other}_{script}" for script in _SCRIPTS)


_MAY_AGREE: Final = f"""
l.is_odd or r.is_odd or l.name_kanji = r.name_kanji
or (l.is_unsplit or r.is_unsplit) and not (l.is_in_kanji and r.is_in_kanji)
or ({_alike("family", "family")}) and ({_alike("given", "given")})
or ({_alike("family", "given")}) and ({_alike("given", "family")})"""
"""Levels that count a name need both parts equal, wherever their border is, or a name that the columns do not show."""
