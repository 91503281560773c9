"""The columns that the comparisons read in SQL, made from the rows of `match_features`."""

from collections.abc import Collection, Iterable
from typing import Any, Final

import duckdb
import pyarrow as pa

from app.dedup.sides import COUNTED, LISTS, PARTS, SEPARATOR, Side, dump_side
from app.kit import json
from app.training import name_sql

FEATURES: Final = pa.schema(
    [
        ("record_id", pa.string()),
        *((column, pa.list_(pa.string())) for column in LISTS),
        *((column, pa.string()) for column in (*COUNTED, "birth_date", "name", *PARTS)),
        ("is_plain", pa.bool_()),
    ]
)
"""What `prepare` reads: the rows of `match_features`, the name as JSON text. More columns may stand beside them."""

_SHARED: Final = ("emails", "mobiles", "fixed_phones", "urls")


def features_table(sides: Iterable[tuple[str, Side]]) -> pa.Table:
    """Return (record id, side) as a table of features."""
    rows = [_row(side) | {"record_id": record_id} for record_id, side in sides]
    return pa.Table.from_pylist(rows, schema=FEATURES)


def _row(side: Side) -> dict[str, Any]:
    row = dump_side(side)
    return row | {"name": json.dumps(row["name"]) if row["name"] else None}


def prepare(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    target: str,
    *,
    generic: Collection[str] = (),
    unique_sources: Collection[str] = (),
    kept: Collection[str] = (),
) -> None:
    """Make the table `target` of what the comparisons read, from the table `source` of FEATURES.

    `generic` are match keys that too many people share, `unique_sources` the systems that give each person one id,
    `kept` further columns that go along. Lists lose their generic and nobodys' values, which go to lists of their own;
    an empty list is null.
    """
    name_sql.register(connection)
    name_sql.write_words(connection, source)
    connection.register("generic_keys", pa.table({"value": pa.array(sorted(generic), pa.string())}))
    connection.execute(f"create or replace table {target} as {_select(source, unique_sources, kept)}")
    connection.unregister("generic_keys")


def _select(source: str, unique_sources: Collection[str], kept: Collection[str]) -> str:
    lists = ", ".join(
        f"{_telling(column)} as {column}, {_weightless(column)} as weightless_{column}" for column in _SHARED
    )
    sources = ", ".join(f"'{each.replace(chr(39), chr(39) * 2)}'" for each in sorted(unique_sources))
    shown = f"list_transform(p.external_ids, lambda x: split_part(x, '{SEPARATOR}', 1))"
    return f"""
    with shared as (
        select record_id, list(value) as keys from (
            select record_id, unnest(list_concat({", ".join(_SHARED)})) as value from {source}
        ) semi join generic_keys using (value) group by record_id
    ), p as (
        select p.*, list_concat(p.nobodys, p.generic, coalesce(shared.keys, [])) as idle
        from {source} as p left join shared using (record_id)
    )
    select p.record_id, {"".join(f"p.{column}, " for column in kept)}
        p.name, {name_sql.SPELLED} as spelled, p.name_kanji, p.name_key, {lists},
        nullif(list_distinct(list_transform({_telling("urls")}, lambda x: split_part(x, '/', 1))), []) as url_sites,
        p.birth_date, p.employer, nullif(p.external_ids, []) as external_ids,
        nullif(list_intersect({shown}, [{sources}]::varchar[]), []) as unique_sources
    from p
    left join name_words as family on family.latin is not distinct from p.family_latin
        and family.key is not distinct from p.family_key
    left join name_words as given on given.latin is not distinct from p.given_latin
        and given.key is not distinct from p.given_key
    """


def _telling(column: str) -> str:
    return f"""nullif(case when len(p.idle) = 0 then p.{column}
        else list_filter(p.{column}, lambda x: not list_contains(p.idle, x)) end, [])"""


def _weightless(column: str) -> str:
    return f"case when len(p.idle) > 0 then nullif(list_intersect(p.{column}, p.idle), []) end"
