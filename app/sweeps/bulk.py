"""The engine for large pools: Splink on DuckDB."""

from pathlib import Path

import duckdb
from splink import Linker

from app.dedup.rules import Knowledge
from app.dedup.sides import COUNTED
from app.sweeps.exported import Exported
from app.sweeps.prediction import Found, found_by, least, stated, write_frequencies
from app.sweeps.worth import write_shared, write_worthy
from app.training.engine import Engine


def find(exported: Exported, known: Knowledge) -> Found:
    """Weigh all pairs of an exported pool that share a key; blocks, so it is to be run in a thread."""
    return found_by(_predict, exported, known)


def _predict(db: duckdb.DuckDBPyConnection, known: Knowledge, _: Path) -> tuple[str, int]:
    api = Engine(connection=db)
    linker = Linker(api.register("people"), stated(known))
    for column in COUNTED:
        table = write_frequencies(db, column, known)
        linker.table_management.register_term_frequency_lookup(api.register(table), column)
    compared = write_shared(db)
    write_worthy(db, known)
    linker.table_management.register_blocked_pairs_for_predict(api.register("worthy"))
    return str(linker.inference.predict(threshold_match_weight=least(known)).physical_name), compared
