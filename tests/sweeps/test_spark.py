"""Splink on Spark finds the pairs that Splink on DuckDB finds."""

import csv
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.dedup.model import default_model
from app.dedup.rules import Policy
from app.dedup.sides import COUNTED, LISTS, PARTS, dump_side
from app.kit import json
from app.sweeps.engines import is_installed
from app.training.corpus import Corpus
from app.training.statements import records

MANY = 100_000
COLUMNS = ("record_id", "candidate_id", *LISTS, *COUNTED, "birth_date", "name", *PARTS, "is_plain")

pytestmark = [
    pytest.mark.prove,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not is_installed("duckdb"), reason="the extra bulk is not installed"),
    pytest.mark.skipif(not is_installed("spark"), reason="the extra spark is not installed, or there is no Java"),
    pytest.mark.filterwarnings("default"),  # Spark's own
]


def write(corpus: Corpus, file: Path) -> None:
    """Write the corpus as a sweep exports a pool: lists as JSON, each record a candidate of its own."""
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.DictWriter(out, COLUMNS)
        rows.writeheader()
        rows.writerows(row(corpus, record) for record in range(len(corpus.statements)))


def row(corpus: Corpus, record: int) -> Mapping[str, Any]:
    side = corpus.side(record)
    said = dump_side(side)
    lists = {column: said[column] for column in LISTS} | {"generic": sorted(side.identifiers & corpus.generic)}
    texts = {column: json.dumps(values) for column, values in lists.items()}
    name = json.dumps(said["name"]) if said["name"] else None
    return said | texts | {"record_id": UUID(int=record), "candidate_id": UUID(int=record), "name": name}


def test_spark_decides_as_duckdb_does(tmp_path: Path) -> None:
    corpus = Corpus.of_payloads(each.payload for each in records(MANY, 7))
    known = corpus.knowledge(default_model(), Policy())
    found = []
    for engine in ("bulk", "spark"):
        folder = tmp_path / engine
        folder.mkdir()
        write(corpus, folder / "features.csv")
        found.append(import_module(f"app.sweeps.{engine}").find(folder / "features.csv", known))
    duckdbs, sparks = found
    assert len(duckdbs.same) > MANY / 20
    assert len(duckdbs.possible) > MANY / 100
    assert sparks.same.keys() == duckdbs.same.keys()
    assert max(abs(weight - duckdbs.same[pair]) for pair, weight in sparks.same.items()) < 1e-9
    assert sparks.possible == duckdbs.possible
    assert sparks.open == duckdbs.open
    assert sparks.compared == duckdbs.compared
    print(f"{MANY:,} records: {sparks.compared:,} pairs, {len(sparks.same):,} the same, {len(sparks.possible):,} asked")  # noqa: T201 - the proof's figures
