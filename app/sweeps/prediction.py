"""What engines for large pools share: Splink finds and weighs the pairs, the rules of matching decide on them.

An engine is where Splink predicts, which takes nearly all the work; what is before and after grows with the pool only.

A decision is a function of the levels that a pair meets and of its weight, and there are few combinations of levels. So
the rules judge each combination once, and the database lays that on the pairs; a level is told by what it weighs. Who
has several records, or no name, or weights that tell no level, is judged one by one.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import duckdb
import pyarrow as pa

from app.dedup.frequencies import share
from app.dedup.levels import COMPARISONS, CONTRADICTING, LEVELS
from app.dedup.model import PSEUDO_RECORDS
from app.dedup.rules import FEATURES, STRONG, Knowledge, is_automatic, log_odds
from app.dedup.sides import COUNTED, LISTS, PARTS, SEPARATOR
from app.normalise.name_lists import family_readings
from app.sweeps.counting import miscounted, write_counts
from app.sweeps.exported import DELIMITER, QUOTE, Exported
from app.training.columns import prepare
from app.training.name_sql import MISSING
from app.training.settings import CONDITIONS, KEY_RULE, Conditions, settings

MEMORY: Final = "2GB"
THREADS: Final = 2
MOST_OF_A_KEY: Final = 200
"""So many records under one key are compared with each other; a key of more tells nothing."""

_ROUNDED: Final = 1e-4
"""Bits by which what Splink says that a level weighs may differ from the model."""

Pair = tuple[UUID, UUID]


@dataclass(frozen=True, slots=True)
class Found:
    """Pairs of candidates, the older first: decided ones, those to be judged one by one, and how many were weighed.

    `named` has the level of the names of possible pairs, None where nothing can be compared: it is told by its weight,
    and stands for all that say and weigh the same. `miscounted` has (hash, more) of the values whose counts are not
    what the doors have kept.
    """

    same: Mapping[Pair, float]
    possible: Sequence[Pair]
    open: Sequence[Pair]
    compared: int
    named: Mapping[Pair, str | None]
    miscounted: pa.Table


Predict = Callable[[duckdb.DuckDBPyConnection, Knowledge, Path], tuple[str, int]]
"""Lets Splink weigh the pairs of the table `people`; it may write to the folder.

It returns the table of edges, and how many pairs share a key.
"""


def found_by(predict: Predict, exported: Exported, known: Knowledge) -> Found:
    """Weigh all pairs of an exported pool that share a key; blocks, so it is to be run in a thread."""
    with connect(exported.folder) as db:
        load(db, exported.features, known)
        predicted, compared = predict(db, known, exported.folder)
        _write_edges(db, known, predicted)
        _write_rules(db, known)
        _decide(db, known)
        same = db.execute("select left_id, right_id, weight from decided where decision = 'same' order by weight")
        return Found(
            {(left, right): weight for left, right, weight in same.fetchall()},
            _decided(db, "possible"),
            _decided(db, "open"),
            compared,
            _named(db),
            miscounted(db, exported),
        )


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open a database in memory, and in this folder what memory does not hold."""
    return duckdb.connect(config={"threads": THREADS, "memory_limit": MEMORY, "temp_directory": str(folder)})


def load(db: duckdb.DuckDBPyConnection, file: Path, known: Knowledge) -> None:
    """Make the table `people` of the exported file: what is compared, and the keys under which it is."""
    _read(db, file)
    file_features(db, known)


def file_features(db: duckdb.DuckDBPyConnection, known: Knowledge) -> None:
    """Make the table `people` of the table `features`: of those who share a key with somebody."""
    _write_keys(db)
    db.execute(
        """create view filed_features as
           select f.*, number as record_id, k.keys from features f join keyed k using (number)"""
    )
    kept = ("candidate_id", "number", "keys")
    prepare(db, "filed_features", "people", unique_sources=known.policy.unique_sources, kept=kept)


def _read(db: duckdb.DuckDBPyConnection, file: Path) -> None:
    texts = ", ".join((*COUNTED, "birth_date", "name", *PARTS))
    lists = ", ".join(f"coalesce({each}::varchar[], []) as {each}" for each in LISTS)
    types = dict.fromkeys((*LISTS, *COUNTED, *PARTS, "birth_date", "name", "candidate_id"), "VARCHAR")
    types["is_plain"] = "BOOLEAN"
    written = db.read_csv(str(file), header=True, dtype=types, sep=DELIMITER, quotechar=QUOTE, escapechar=QUOTE)
    written.create_view("exported")
    db.execute(
        f"""create table loaded as
            select candidate_id::uuid as candidate_id, {lists}, {texts}, is_plain from exported;
            create view features as select rowid as number, * from loaded"""
    )


def _write_keys(db: duckdb.DuckDBPyConnection) -> None:
    """File every record under what the doors file it under; crowded keys are left out. A contact's key is odd."""
    parts = ("family", "given")
    with_employer = [
        f"'{part}' || {part}_{form} || '{SEPARATOR}' || f.employer" for part in parts for form in ("kanji", "key")
    ]
    with_birth = [f"'born' || {each}" for each in (x.replace("f.employer", "f.birth_date") for x in with_employer)]
    named = ["'kanji' || f.name_kanji", "'kanji' || given_kanji || family_kanji", "'key' || f.name_key"]
    named += ["'key' || family_key || given_key", "'key' || given_key || family_key"]  # as readings without a border
    single = ", ".join((*named, *with_employer, *with_birth))
    lists = ("emails", "mobiles", "fixed_phones", "urls", "external_ids")
    contacts = f"list_concat({', '.join(f'f.{each}' for each in lists)})"
    telling = f"list_filter({contacts}, lambda x: not list_contains(list_concat(f.nobodys, f.generic), x))"
    _write_readings(db)
    db.execute(
        f"""create table filed as
            select number, hash(key) // 2 * 2 + is_contact::utinyint as key from (
              select number, unnest(list_distinct({telling})) as key, true as is_contact from features f
              union all
              select number, unnest(list_distinct([{single}])), false from features f
              union all
              select number, 'born' || 'family' || reading || '{SEPARATOR}' || f.birth_date, false
              from features f join readings r using (family_kanji) where f.family_key is null
            ) where key is not null"""
    )
    db.execute(
        f"""create table keyed as
            with told as (select key from filed group by key having count(*) between 2 and {MOST_OF_A_KEY})
            select number, list(key) as keys from filed semi join told using (key) group by number;
            drop table filed"""
    )


def _write_readings(db: duckdb.DuckDBPyConnection) -> None:
    """Write how family names in kanji alone are usually read: as at the doors, to be found by and nothing more."""
    names = db.execute("select distinct family_kanji from features where family_key is null").fetchall()
    readings = [(name, reading) for (name,) in names if name for reading in family_readings(name)]
    columns = {"family_kanji": [name for name, _ in readings], "reading": [reading for _, reading in readings]}
    db.register("known_readings", pa.table(columns, pa.schema([(each, pa.string()) for each in columns])))
    db.execute("create table readings as from known_readings")


def stated(known: Knowledge, conditions: Conditions = CONDITIONS) -> dict[str, Any]:
    """Return what Splink is to do, its conditions in the words of the engine."""
    weights = {key: (weight.m, weight.m / 2.0**weight.bits) for key, weight in known.model.weights.items()}
    odds = 2.0**known.prior
    return {
        **settings(weights, conditions),
        "blocking_rules_to_generate_predictions": [KEY_RULE],
        "probability_two_random_records_match": odds / (1 + odds),
        "retain_intermediate_calculation_columns": True,
    }


def least(known: Knowledge) -> float:
    """Return the bits below which no pair is asked for: any contact alone weighs more, whatever the name says."""
    worst = sum(min(known.model.bits(of, level.name) for level in COMPARISONS[of]) for of in COMPARISONS)
    weakest = min(known.model.bits(feature, "shared") for feature in STRONG)
    return min(log_odds(known.policy.review_threshold), known.prior + weakest + worst)


def write_frequencies(db: duckdb.DuckDBPyConnection, column: str, known: Knowledge) -> str:
    """Write the share of the pool that holds each value of a counted column; return the table's name."""
    counted = write_counts(db, column)
    values = [value for (value,) in db.execute(f"select {column} from {counted}").fetchall()]
    shares = pa.table({column: values, "share": [share(column, value) for value in values]})
    db.register("shipped", shares)
    db.execute(
        f"""create table frequencies_{column} as
            select c.{column}, (c.n + s.share * {PSEUDO_RECORDS}) / ({known.pool} + {PSEUDO_RECORDS}) as tf_{column}
            from {counted} c join shipped s using ({column})"""
    )
    db.unregister("shipped")
    return f"frequencies_{column}"


def _write_edges(db: duckdb.DuckDBPyConnection, known: Knowledge, predicted: str) -> None:
    """Write what the pairs weigh that are asked for: those of some weight, and all that share a contact."""
    shared = " or ".join(f"mw_{feature} > 0" for feature in sorted(STRONG))
    db.execute(
        f"""create table edges as
            select least(l.candidate_id, r.candidate_id) as left_id,
              greatest(l.candidate_id, r.candidate_id) as right_id, match_weight as weight,
              l.name is null or r.name is null as is_nameless, {", ".join(f"mw_{each}" for each in FEATURES)}
            from {predicted} join people l on l.number = record_id_l join people r on r.number = record_id_r
            where l.candidate_id <> r.candidate_id
              and (match_weight >= {log_odds(known.policy.review_threshold)} or {shared})"""
    )


def _write_rules(db: duckdb.DuckDBPyConnection, known: Knowledge) -> None:
    """Judge each combination of weights: whether it contradicts, shares a contact, and may be linked by the model."""
    columns = [f"mw_{feature}" for feature in FEATURES]
    rows = []
    for weights in db.execute(f"select distinct {', '.join(columns)} from edges").fetchall():
        levels = list(map(partial(_levels, known), FEATURES, weights))
        verdicts = {_verdict(dict(zip(FEATURES, each, strict=True)), known) for each in product(*levels)}
        rows.append((*weights, *min(verdicts), len(verdicts) == 1, _one_name(levels[0], known)))
    names = [*columns, "contradicts", "is_strong", "may_link", "is_told", "name_level"]
    db.register("judged", pa.table({name: [row[i] for row in rows] for i, name in enumerate(names)}))
    db.execute("create table rules as from judged")


def _levels(known: Knowledge, feature: str, weight: float) -> list[str]:
    """Return the levels that weigh so much, before any frequency; what cannot be compared weighs nothing."""
    bits = {level: weight.bits for (of, level), weight in known.model.weights.items() if of == feature} | {MISSING: 0.0}
    return [level for level, each in bits.items() if math.isclose(each, weight, abs_tol=_ROUNDED)]


def _one_name(levels: Sequence[str], known: Knowledge) -> str | None:
    """Return a level of the name, if all of these say and weigh the same."""
    said = {
        (known.model.weights["name", each], LEVELS["name", each].verdict, each in CONTRADICTING)
        for each in levels
        if each != MISSING
    }
    return levels[0] if len(said) + (MISSING in levels) == 1 else None


def _verdict(levels: Mapping[str, str], known: Knowledge) -> tuple[bool, bool, bool]:
    agreeing = frozenset(
        feature for feature, level in levels.items() if level != MISSING and LEVELS[feature, level].verdict == "agree"
    )
    name = levels["name"] if levels["name"] != MISSING else None
    may_link = is_automatic(name, math.inf, agreeing, known.policy)
    return name in CONTRADICTING, bool(agreeing & STRONG), may_link


def _decide(db: duckdb.DuckDBPyConnection, known: Knowledge) -> None:
    policy = known.policy
    sure, asked = log_odds(policy.auto_threshold), log_odds(policy.review_threshold)
    asks_each = "true" if policy.rules else "not is_told or (is_strong and is_nameless)"
    db.execute(
        f"""create table several as select candidate_id from features group by 1 having count(*) > 1;
            create table decided as
            select left_id, right_id, weight, name_level, case
                when a.candidate_id is not null or b.candidate_id is not null or {asks_each} then 'open'
                when may_link and not contradicts and weight >= {sure} then 'same'
                when (contradicts and is_strong) or weight >= {asked} then 'possible' end as decision
            from edges join rules using ({", ".join(f"mw_{each}" for each in FEATURES)})
            left join several a on a.candidate_id = left_id left join several b on b.candidate_id = right_id"""
    )


def _decided(db: duckdb.DuckDBPyConnection, decision: str) -> list[Pair]:
    return db.execute(
        f"select distinct left_id, right_id from decided where decision = '{decision}' order by all"
    ).fetchall()


def _named(db: duckdb.DuckDBPyConnection) -> dict[Pair, str | None]:
    rows = db.execute(
        """select left_id, right_id, name_level from decided
           where decision = 'possible' and name_level is not null"""
    ).fetchall()
    return {(left, right): None if level == MISSING else level for left, right, level in rows}
