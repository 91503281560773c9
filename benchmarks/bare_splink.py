"""Splink on DuckDB by itself: rows from Parquet, pairs to Parquet, with the model and the keys of a sweep."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import duckdb
from splink import Linker

from app.dedup.rules import Knowledge, log_odds
from app.dedup.sides import COUNTED
from app.sweeps import prediction
from app.training import name_sql
from app.training.engine import Engine

_PEOPLE: Final = "people"


@dataclass(frozen=True)
class Found:
    """Pairs of candidates with their bits, from the review threshold on, and what finding them took in seconds."""

    pairs: list[tuple[UUID, UUID, float]]
    seconds: float


def predict(file: Path, known: Knowledge) -> Found:
    """Give Splink the rows of a sweep's exported file, and time what it does with them."""
    folder = file.parent
    _prepare(file, known)
    begun = time.perf_counter()
    with prediction.connect(folder) as db:
        name_sql.register(db)
        api = Engine(connection=db)
        db.read_parquet(_named(folder, _PEOPLE)).create(_PEOPLE)
        linker = Linker(api.register(_PEOPLE), _settings(known))
        for column in COUNTED:
            shares = api.register(db.read_parquet(_named(folder, column)))
            linker.table_management.register_term_frequency_lookup(shares, column)
        least = log_odds(known.policy.review_threshold)
        predicted = linker.inference.predict(threshold_match_weight=least).physical_name
        db.table(predicted).write_parquet(_named(folder, "predicted"))
        seconds = time.perf_counter() - begun
        return Found(_pairs(db, predicted), seconds)


def _settings(known: Knowledge) -> dict[str, Any]:
    return {**prediction.stated(known), "retain_intermediate_calculation_columns": False}


def _named(folder: Path, table: str) -> str:
    return str(folder / f"{table}.parquet")


def _prepare(file: Path, known: Knowledge) -> None:
    """Write what is compared, and what is known of the values, to Parquet."""
    with prediction.connect(file.parent) as db:
        prediction.load(db, file, known)
        db.table(_PEOPLE).write_parquet(_named(file.parent, _PEOPLE))
        for column in COUNTED:
            db.table(prediction.write_frequencies(db, column, known)).write_parquet(_named(file.parent, column))


def _pairs(db: duckdb.DuckDBPyConnection, predicted: str) -> list[tuple[UUID, UUID, float]]:
    rows: list[tuple[UUID, UUID, float]] = db.execute(
        f"""select l.candidate_id, r.candidate_id, match_weight from {predicted}
            join {_PEOPLE} l on l.record_id = record_id_l join {_PEOPLE} r on r.record_id = record_id_r"""
    ).fetchall()
    return rows
