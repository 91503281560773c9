"""Which pairs PostgreSQL finds worth judging: who shares a key, less those who could not weigh enough.

Most people who share a key share a common name, or an employer and one part of a name, and weigh far too little. So a
name is filed together with what could speak beside it, and a part of a name only with an employer that is rare enough;
of what is met then it is told what it could weigh at most. Only the rest goes on, with the levels that SQL can tell.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from app.candidates.facts import LIVE
from app.dedup import service as dedup
from app.dedup.levels import COMPARISONS
from app.dedup.model import CAP, PSEUDO_RECORDS, Weight
from app.dedup.pool import NAME_KINDS
from app.dedup.rules import Knowledge, log_odds
from app.dedup.sides import COUNTED, SEPARATOR
from app.kit.chunks import in_batches
from app.kit.db import Session

MOST_OF_A_KEY: Final = 200
"""So many records of one key, the oldest, are paired with each other; more of them say little."""
FETCHED: Final = 4_000
"""Pairs that are fetched at once."""

_SETTINGS: Final = """
set local statement_timeout = '30min'; set local work_mem = '256MB';
set local enable_seqscan = off  -- an index finds a tenant's rows at once, a scan asks each row for its tenant
"""
_ONE_BY_ONE: Final = "set local enable_hashjoin = off; set local enable_mergejoin = off"
_CONTACT, _NAME, _PART = 1, 2, 4
"""What a key says: a contact, a whole name, or a part of a name beside an employer or a birth date."""
_SAYS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("email", "phone", "url", "external_id"), _CONTACT),
    **dict.fromkeys(NAME_KINDS, _NAME),
    **dict.fromkeys(("birth_family", "birth_given", "family_employer", "given_employer"), _PART),
}
_WITHOUT: Final = "cast('{0}' as bigint[])"
"""With what a key is filed that stands by itself."""
_SCRIPTS: Final = ("kanji", "kana", "latin")
_LISTS: Final = {"email": "emails", "mobile": "mobiles", "fixed_phone": "fixed_phones", "profile_url": "urls"}
_ROUNDED: Final = 0.01
"""Bits by which what is told here may differ from the model."""


async def visit(session: Session, known: Knowledge, work: Callable[[Sequence[Any]], Awaitable[None]]) -> None:
    """Work on all pairs of live candidates worth judging, some thousand at a time: rows that `combinations` can judge.

    Rows that say `is_open` are to be judged as at the door: by a tenant's own rules, or with several records, values
    that weigh nothing, or no name.
    """
    least = log_odds(known.policy.review_threshold) - _ROUNDED if not known.policy.rules else float("-inf")
    await session.run(_SETTINGS)
    await session.run(_people(known), secret=dedup.secret_of(session), least=least)
    await session.run("create unique index on swept_people (record_id); analyze swept_people")
    await session.run(_keys())
    await session.run("analyze swept_keys")
    many = await session.run(_pairs(known), least=least)
    await session.run("analyze swept_pairs")
    await session.run(_ONE_BY_ONE)
    await session.run(f"declare sweep no scroll cursor for {_told(known)}")
    turn = asyncio.Lock()

    async def fetch(places: Sequence[int]) -> Sequence[Any]:
        async with turn:
            return await session.rows(f"fetch {len(places)} from sweep")

    await in_batches(range(many), FETCHED, fetch, work)


def _people(known: Knowledge) -> str:
    """Number the records of live candidates, with what is looked at before a pair is judged.

    `beside` is what a name is filed with: an employer rare enough for it, the year and the day of birth. `is_rare` is
    an employer that is rare enough for a part of any name. `alike` are names, with their employer, that can agree
    without a name's key in common: readings that differ in small kana, and Latin names with a middle name.
    """
    named = {column: f"'{column}' || chr({ord(SEPARATOR)}) || m.{column}" for column in COUNTED}
    hashed = {column: f"substring(sha256(:secret || convert_to({n}, 'UTF8')) for 8)" for column, n in named.items()}
    held = ", ".join(f"case when m.{each} is not null then coalesce({each}.n, 1) end as {each}_n" for each in COUNTED)
    counts = " ".join(
        f"left join term_frequencies {column} on {column}.value_hash = {value}" for column, value in hashed.items()
    )
    employed = _at(known, known.model.weights["employer", "equal"], "employer_n")
    equal, near = (f"case when birth_date is null then 0 else {each} end" for each in _born(known))
    beside = _WITHOUT if names_suffice(known) else "array_remove(array[rare, year, day], null)"
    return f"""
    create temp table swept_people on commit drop as
    select cast(row_number() over () as int) as number, p.*, {beside} as beside,
      array_remove(array[kana # rare, words # rare], null) as alike,
      {known.prior + _best_of_names(known)} + {employed} + {near} >= :least as is_rare
    from (
      select m.record_id, m.candidate_id, m.birth_date, {hashed["employer"]}::bigint as employer, {held},
        hashtextextended(left(m.birth_date, 4), 1) as year, hashtextextended(right(m.birth_date, 6), 2) as day,
        hashtextextended(m.family_kana || ' ' || m.given_kana, 3) as kana,
        hashtextextended(m.family_key || ' ' || split_part(m.given_latin, ' ', 1), 4) as words
      from match_features m join candidates c on c.id = m.candidate_id and {LIVE} {counts}
      order by m.record_id
    ) as p cross join lateral (
      select case when {known.prior} + {employed} + {equal} + {_name(known, "{0}_n")} >= :least
        then employer end as rare
    ) as worth"""  # noqa: S608 (constants)


def _keys() -> str:
    """File these records under their keys that somebody else has."""
    says = " ".join(f"when '{kind}' then {what}" for kind, what in _SAYS.items())
    names = ", ".join(f"'{kind}'" for kind in NAME_KINDS)
    return f"""
    create temp table swept_keys on commit drop as
    select key, number, says from (
      select *, row_number() over same as place, lead(number) over same as next from (
        select k.key_hash::bigint # unnest(case when k.kind in ({names}) then p.beside else {_WITHOUT} end) as key,
          p.number, case k.kind {says} end as says
        from record_keys k join swept_people p using (record_id)
        where not exists (select from key_stats s where s.key_hash = k.key_hash and s.generic)
          and (p.is_rare or k.kind not in ('family_employer', 'given_employer'))
        union all
        select unnest(alike), number, {_NAME} from swept_people
      ) as filed window same as (partition by key order by number)
    ) as placed where place <= {MOST_OF_A_KEY} and (place > 1 or next is not null)"""  # noqa: S608 (constants)


def _pairs(known: Knowledge) -> str:
    """Pair who shares a key; without a contact in common only those who could weigh enough."""
    counts = ", ".join(f"{side[0]}.{each}_n as {side}_{each}_n" for each in COUNTED for side in ("left", "right"))
    return f"""
    create temp table swept_pairs on commit drop as
    with several as (select candidate_id from swept_people group by 1 having count(*) > 1)
    select l.record_id as left_record, r.record_id as right_record, {counts},
      least(l.candidate_id, r.candidate_id) as left_id, greatest(l.candidate_id, r.candidate_id) as right_id,
      x.candidate_id is not null or y.candidate_id is not null as is_several
    from (
      select a.number as left_number, b.number as right_number, bit_or(a.says) as says
      from swept_keys a join swept_keys b on a.key = b.key and a.number < b.number group by 1, 2
    ) as met join swept_people l on l.number = left_number join swept_people r on r.number = right_number
    left join several x on x.candidate_id = l.candidate_id left join several y on y.candidate_id = r.candidate_id
    where l.candidate_id <> r.candidate_id and (says & {_CONTACT} > 0 or {_most(known)} >= :least)
    order by l.number"""  # noqa: S608 (constants)


def _most(known: Knowledge) -> str:
    """Return the most bits of a pair that shares no contact."""
    weights = known.model.weights
    rest = sum(_best(known, of, but="shared") for of in COMPARISONS if of not in ("name", "employer", "birth_date"))
    employer = f"""case when l.employer is null or r.employer is null then 0
        when l.employer = r.employer then {_at(known, weights["employer", "equal"], "l.employer_n")}
        else {weights["employer", "differs"].bits} end"""
    equal, near = _born(known)
    born = f"""case when l.birth_date is null or r.birth_date is null then 0
        when l.birth_date = r.birth_date then {equal} else {near} end"""
    agreeing, others = _name(known, "greatest(l.{0}_n, r.{0}_n)"), _best_of_names(known)
    name = f"case when says & {_NAME} > 0 then {agreeing} else {others} end"
    return f"{known.prior + rest} + {employer} + {born} + {name}"


def _name(known: Knowledge, n: str) -> str:
    """Return the most bits of a name; `n`, formatted with a counted column, is how many hold its value."""
    weights = (weight for (of, _), weight in known.model.weights.items() if of == "name" and weight.counted)
    agreeing = ", ".join(_at(known, weight, n.format(weight.counted)) for weight in weights)
    return f"greatest(coalesce(greatest({agreeing}), {CAP}), {_best_of_names(known)})"


def _born(known: Knowledge) -> tuple[float, float]:
    """Return the most bits of two birth dates that are equal, and of two that are not."""
    return known.model.bits("birth_date", "equal"), _best(known, "birth_date", but="equal")


def _best(known: Knowledge, feature: str, but: str) -> float:
    """Return the most bits of a feature's levels but one; what cannot be compared weighs nothing."""
    levels = {level: weight.bits for (of, level), weight in known.model.weights.items() if of == feature}
    return max(0.0, *(bits for level, bits in levels.items() if level != but))


def _best_of_names(known: Knowledge) -> float:
    """Return the most bits of two names that do not agree."""
    return max(0.0, *(each.bits for (of, _), each in known.model.weights.items() if of == "name" and not each.counted))


def _at(known: Knowledge, weight: Weight, n: str) -> str:
    """Return the bits of a level, at most, whose value so many hold; shipped shares would make it weigh less."""
    return f"ln({weight.m} / greatest({n}::float8 / {known.pool + PSEUDO_RECORDS}, {weight.least})) / ln(2::float8)"


def names_suffice(known: Knowledge) -> bool:
    """Whether a name alone, however rare, can reach the review threshold or decides by a tenant's rule."""
    rarest = 1 / (known.pool + PSEUDO_RECORDS)
    best = max(known.model.bits("name", level, rarest) for (of, level) in known.model.weights if of == "name")
    by_rule = any(term.startswith("name") for rule in known.policy.rules for term in rule["all"])
    return by_rule or best + known.prior >= log_odds(known.policy.review_threshold)


def _told(known: Knowledge) -> str:
    shared = ", ".join(f"{_shared(feature, column)} as {feature}" for feature, column in _LISTS.items())
    values = ", ".join(f"a.{each} as left_{each}, b.{each} as right_{each}" for each in (*COUNTED, "birth_date"))
    counts = ", ".join(f"left_{each}_n, right_{each}_n" for each in COUNTED)
    is_open = "true" if known.policy.rules or known.policy.unique_sources else _IS_OPEN
    return f"""
    select left_id, right_id, {is_open} as is_open, {shared}, {values}, {counts}, name_level,
      case when name_level is null then a.name::text end as left_name,
      case when name_level is null then b.name::text end as right_name
    from swept_pairs
    join match_features a on a.record_id = left_record join match_features b on b.record_id = right_record
    cross join lateral (select {_NAME_LEVEL} as name_level) as told"""  # noqa: S608 (constants)


_IDLE: Final = " || ".join(f"{side}.{each}" for side in "ab" for each in ("nobodys", "generic"))
_IS_OPEN: Final = f"""
is_several or a.name is null or b.name is null or a.external_ids && b.external_ids or cardinality({_IDLE}) > 0"""


def _shared(feature: str, column: str) -> str:
    """Say whether values are shared, null where there is nothing to compare: only profiles on one site can differ."""
    both = f"a.{column} && b.{column}"
    if feature != "profile_url":
        return f"case when cardinality(a.{column}) > 0 and cardinality(b.{column}) > 0 then {both} end"
    sites = f"""exists (select from unnest(a.{column}) x, unnest(b.{column}) y
        where split_part(x, '/', 1) = split_part(y, '/', 1))"""
    return f"case when {both} then true when {sites} then false end"


def _same(part: str) -> str:
    """Say that a part of two plain names is equal in a script that both show, and different in none."""
    equal = {each: f"a.{part}_{each} = b.{part}_{each}" for each in (*_SCRIPTS, "key")}
    differ = " and ".join(f"({each}) is not false" for each in equal.values())
    return f"{differ} and coalesce({', '.join(equal[each] for each in _SCRIPTS)})"


def _bridged(part: str) -> str:
    """Say that one side alone shows kana, and one alone Latin: the model then compares keys."""
    return " and ".join(f"(a.{part}_{each} is null) <> (b.{part}_{each} is null)" for each in ("kana", "latin"))


_NAME_LEVEL: Final = f"""
case when ({_bridged("family")}) or ({_bridged("given")}) then null
  when a.name_kanji = b.name_kanji and (a.name_key is null or b.name_key is null)
    and a.family_kanji || a.given_kanji || b.family_kanji || b.given_kanji is not null then 'kanji'
  when a.is_plain and b.is_plain and {_same("family")} and {_same("given")}
    then case when a.name_kanji = b.name_kanji then 'kanji' else 'reading' end end"""
"""The level of most names that agree, one of them in kanji alone or both plain; null where Python is to be asked."""
