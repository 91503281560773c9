"""Splink on Spark finds the pairs that Splink on DuckDB finds, weighs them alike, and leaves nothing running."""

import csv
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psutil
import pytest

from app.dedup.model import default_model
from app.dedup.rules import FEATURES, Knowledge, Policy
from app.dedup.sides import COUNTED, LISTS, PARTS, dump_side
from app.kit import json
from app.kit.db import Database
from app.sweeps import sweep
from app.sweeps.engines import Engine, is_installed
from app.sweeps.exported import Exported
from app.training.corpus import Corpus
from app.training.statements import records
from tests.sweeps.test_engines import ClientOf, NewTenant, linked, load, swept

MANY: Final = 100_000
AT_THE_DOOR: Final = 2_000
ENGINES: Final[tuple[Engine, ...]] = ("duckdb", "spark")
COLUMNS: Final = ("record_id", "candidate_id", *LISTS, *COUNTED, "birth_date", "name", *PARTS, "is_plain")
WEIGHTS: Final = ("weight", *(f"mw_{feature}" for feature in FEATURES))

Edges = Mapping[tuple[UUID, UUID], tuple[float, ...]]
"""Pair → its WEIGHTS, in bits."""

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


def weighed(engine: Engine, exported: Exported, known: Knowledge) -> tuple[Edges, Any]:
    """Let an engine weigh a pool as a sweep does; return all pairs that may be asked for, and what is decided."""
    prediction = import_module("app.sweeps.prediction")
    edges: dict[tuple[UUID, UUID], tuple[float, ...]] = {}

    def predict(db: Any, known: Knowledge, folder: Path) -> tuple[str, int]:
        found: tuple[str, int] = import_module(f"app.sweeps.{sweep._MODULES[engine]}")._predict(db, known, folder)
        prediction._write_edges(db, known, found[0])
        rows = db.table("edges").project(", ".join(("left_id", "right_id", *WEIGHTS))).fetchall()
        edges.update({(left, right): tuple(weights) for left, right, *weights in rows})
        db.sql("drop table edges")
        return found

    return edges, prediction.found_by(predict, exported, known)


def test_spark_weighs_and_decides_as_duckdb_does(tmp_path: Path) -> None:
    corpus = Corpus.of_payloads(each.payload for each in records(MANY, 7))
    known = corpus.knowledge(default_model(), Policy())
    answers = []
    for engine in ENGINES:
        folder = tmp_path / engine
        folder.mkdir()
        exported = Exported(folder, b"secret")
        write(corpus, exported.features)
        exported.counts.write_text("hash,n\n", encoding="utf-8")
        answers.append(weighed(engine, exported, known))
    (edges, decided), (edges_of_spark, decided_by_spark) = answers
    assert len(decided.same) > MANY / 20
    assert len(decided.possible) > MANY / 100
    assert edges_of_spark.keys() == edges.keys()
    apart = max(abs(a - b) for pair in edges for a, b in zip(edges[pair], edges_of_spark[pair], strict=True))
    assert apart < 1e-9
    assert decided_by_spark.same == pytest.approx(decided.same, rel=0, abs=1e-9)
    assert decided_by_spark.possible == decided.possible
    assert decided_by_spark.open == decided.open
    assert decided_by_spark.compared == decided.compared
    print(f"{decided.compared:,} pairs, {len(edges):,} edges within {apart:.0e} bits, {len(decided.same):,} the same")  # noqa: T201 - the proof's figures


async def test_a_sweep_by_spark_links_as_one_by_duckdb(
    new_tenant: NewTenant, client_of: ClientOf, database: Database
) -> None:
    said = list(records(AT_THE_DOOR, 3))
    found = []
    for engine in ENGINES:
        tenant = await new_tenant()
        owner = await load(client_of(tenant.key), said, range(AT_THE_DOOR), "create")
        await swept(database, tenant.caller, engine)
        found.append(await linked(database, tenant.caller, owner))
    assert found[0] == found[1]
    assert len(found[0]) > AT_THE_DOOR / 20
    assert not javas()


def test_after_java_has_died_the_next_sweep_starts_it_anew(tmp_path: Path) -> None:
    session = import_module("app.sweeps.spark")._session
    with suppress(Exception), session(tmp_path):
        for java in javas():
            java.kill()
    with session(tmp_path) as spark:
        assert spark.range(3).count() == 3
        assert javas()
    assert not javas()


def javas() -> list[psutil.Process]:
    return [each for each in psutil.Process().children(recursive=True) if each.name() == "java"]
