"""The level of two names that an engine tells says what the door's own comparison says."""

from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest

pytest.importorskip("splink")

import duckdb
import pyarrow as pa

from app.dedup.levels import CONTRADICTING, LEVELS
from app.dedup.model import default_model
from app.dedup.rules import Knowledge, Policy, compare, judge_records
from app.dedup.sides import COUNTED, LISTS, PARTS
from app.sweeps import bulk
from app.sweeps.exported import DELIMITER, QUOTE, Exported
from app.training.corpus import Corpus
from app.training.statements import records
from tests.scale import scaled

MANY = scaled(4_000, 40_000)


def _export(corpus: Corpus, folder: Path) -> Exported:
    """Write the corpus as a sweep exports a pool, each record a candidate whose id is its number."""
    exported = Exported(folder, b"secret")
    ids = pa.array([str(UUID(int=number)) for number in range(len(corpus.statements))])
    lists = ", ".join(f"to_json(nullif({each}, [])) as {each}" for each in LISTS)
    texts = ", ".join((*COUNTED, "birth_date", "name", *PARTS, "is_plain"))
    with duckdb.connect() as db:
        db.register("said", corpus.table.append_column("candidate_id", ids))
        told = db.table("said").project(f"candidate_id, {lists}, {texts}")
        told.write_csv(str(exported.features), sep=DELIMITER, quotechar=QUOTE, escapechar=QUOTE, header=True)
    exported.counts.write_text("hash,n\n", encoding="ascii")
    return exported


def _says(level: str | None, known: Knowledge) -> object:
    return level and (known.model.weights["name", level], LEVELS["name", level].verdict, level in CONTRADICTING)


@pytest.mark.more
def test_named_levels_are_those_of_the_door(tmp_path: Path) -> None:
    corpus = Corpus.of_payloads(record.payload for record in records(MANY, 5))
    known = corpus.knowledge(default_model(), Policy(review_threshold=0.0001))
    told = bulk.find(_export(corpus, tmp_path), known)
    assert len(told.named) > 0.9 * len(told.possible) > MANY / 20
    met: Counter[str | None] = Counter()
    for (left, right), level in told.named.items():
        a, b = corpus.side(left.int), corpus.side(right.int)
        name = compare(a, b, known)[0]
        assert _says(level, known) == _says(name.level, known)
        found, judged = (judge_records(a, b, known, each) for each in (name._replace(level=level), None))
        assert (found.evidence, found.order, found.reason) == (judged.evidence, judged.order, judged.reason)
        met[level] += 1
    assert len(met) > 7, met
