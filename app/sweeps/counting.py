"""How many candidates hold each value of a counted column: what a bulk engine counts anyhow, beside what doors kept."""

import duckdb
import pyarrow as pa

from app.dedup.sides import COUNTED, SEPARATOR
from app.sweeps.exported import Exported


def write_counts(db: duckdb.DuckDBPyConnection, column: str) -> str:
    """Count how many candidates of the table `features` hold each value of a column; return the table's name."""
    db.execute(
        f"""create table counted_{column} as
            select {column}, count(distinct candidate_id) as n from features where {column} is not null group by 1"""
    )
    return f"counted_{column}"


def miscounted(db: duckdb.DuckDBPyConnection, exported: Exported) -> pa.Table:
    """Return (hash, more): the values of which more (or fewer) candidates are counted than was kept of them.

    A value that nobody holds any more is among them. It reads the tables of all counted columns.
    """
    held = " union all ".join(
        f"select '{column}{SEPARATOR}' || {column} as value, n from counted_{column}" for column in COUNTED
    )
    hashed = "sha256(?::blob || encode(value))[:16] as hash"
    db.read_csv(str(exported.counts), header=True, dtype={"hash": "VARCHAR", "n": "BIGINT"}).create_view("kept")
    return db.sql(
        f"""select hash, coalesce(c.n, 0) - coalesce(k.n, 0) as more
            from (select {hashed}, sum(n)::bigint as n from ({held}) group by 1) as c
            full join kept k using (hash) where c.n is distinct from k.n""",
        params=[exported.secret],
    ).to_arrow_table()
