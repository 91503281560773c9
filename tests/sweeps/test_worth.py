"""A bulk engine meets whom the doors would meet, and thinks nobody too light who is asked for."""

from collections.abc import Iterator

import pytest

pytest.importorskip("splink")

import duckdb
import pyarrow as pa

from app.dedup.model import default_model
from app.dedup.rules import STRONG, Policy, judge_records, log_odds
from app.dedup.sides import COUNTED
from app.sweeps import prediction
from app.sweeps.worth import write_shared, write_worthy
from app.training.corpus import Corpus
from app.training.statements import records
from tests.scale import scaled

MANY = scaled(2_000, 20_000)


@pytest.fixture
def db() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


@pytest.mark.more
def test_whoever_is_asked_for_is_weighed(db: duckdb.DuckDBPyConnection) -> None:
    corpus = Corpus.of_payloads(record.payload for record in records(MANY, 5))
    known = corpus.knowledge(default_model(), Policy())
    features = corpus.table.append_column("number", pa.array(range(MANY))).append_column(
        "candidate_id", pa.array(map(str, range(MANY)))
    )
    db.register("exported", features.drop_columns(["keys"]))
    db.execute("create table features as from exported")
    prediction.file_features(db, known)
    for column in COUNTED:
        prediction.write_frequencies(db, column, known)
    write_shared(db)
    write_worthy(db, known)
    shared = set(db.execute("select left_number, right_number from shared").fetchall())
    worthy = set(db.execute("select join_key_l, join_key_r from worthy").fetchall())
    asked = set()
    for left, right in corpus.pairs():
        found = judge_records(corpus.side(left), corpus.side(right), known)
        if found.weight >= log_odds(known.policy.review_threshold) or found.agreeing & STRONG:
            asked.add((left, right))
    assert asked <= worthy < shared
