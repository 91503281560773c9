"""The service's scorer and Splink give one weight to a pair, on every level of every comparison."""

from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from app.dedup.levels import LEVELS
from app.dedup.model import read_model
from app.dedup.rules import FEATURES, Policy, compare, judge_records
from app.kit import json
from app.training.corpus import Corpus
from app.training.measure import Truth
from app.training.people_file import PeopleFile
from app.training.statements import records
from app.training.train import DEFAULT

_PEOPLE = 260
_VARIANTS = 5
_BLOCK = 8
_NAMES: tuple[dict[str, Any], ...] = (
    {"full_name": "佐藤 健一", "full_name_kana": "サトウ ケンイチ"},
    {"full_name": "佐藤 健壱", "full_name_kana": "サトウ ケンイチ"},
    {"full_name": "佐藤 健一", "full_name_kana": "サトウ タケカズ"},
    {"full_name": "高橋 健一", "full_name_kana": "タカハシ ケンイチ"},
    {"full_name": "佐藤 優子", "full_name_kana": "サトウ ユウコ"},
    {"full_name": "Kenichi Sato"},
    {"full_name": "Sato Kenichi"},
    {"full_name": "Kenichi Satoh"},
    {"full_name": "Kenichi Sota"},
    {"full_name": "Robert Smith"},
    {"full_name": "Bob Smith"},
    {"full_name": "Smith"},
    {"full_name": "佐藤"},
    {"full_name": "鈴木"},
    {"full_name": "佐藤健一"},
    {"full_name_kana": "サトウケンイチ"},
    {},
)
_PHONES = ("090-7261-5538", "080-2945-6180", "070-4185-9637", "03-3461-7895", "06-6341-6782")


def _varied(stated: dict[str, Any], dice: Random) -> dict[str, Any]:
    """Say some of it again, some otherwise, some not at all."""
    said = dict(stated)
    if dice.random() < 0.5:
        said = {key: value for key, value in said.items() if "name" not in key} | dice.choice(_NAMES)
    said["external_ids"] = [{"source": dice.choice(("ats", "form")), "id": str(dice.randrange(40))}]
    said["birth_date"] = dice.choice(("1990-04-05", "1990-05-04", "1990-04-06", "1971-12-30"))
    said["phone_numbers"] = [{"value": value} for value in dice.sample(_PHONES, 2)]
    said["email_addresses"] = [
        {"value": f"{local}@example.jp"} for local in dice.sample(("a.b", "c.d", "e", "info"), 1)
    ]
    said["links"] = [
        {"url": f"https://{dice.choice(('github.com', 'qiita.com'))}/{dice.choice('ab')}{dice.choice('cd')}"}
    ]
    said["current_company"] = dice.choice(("青空株式会社", "Summit Foods", "㈱青空"))
    for field in ("external_ids", "birth_date", "phone_numbers", "email_addresses", "links", "current_company"):
        if dice.random() < 0.25:
            del said[field]
    return said


def _payloads(dice: Random) -> Iterator[dict[str, Any]]:
    for record in records(_PEOPLE, 7):
        for _ in range(_VARIANTS):
            yield _varied(record.payload, dice)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Records in blocks, of which each shares a key, however different they are."""
    found = Corpus.of_payloads(_payloads(Random(7)))
    blocks = [[record // (_VARIANTS * _BLOCK)] for record in range(len(found.statements))]
    at = found.table.schema.get_field_index("keys")
    found.__dict__["table"] = found.table.set_column(at, "keys", pa.array(blocks, pa.list_(pa.int64())))
    # Generic by decree: in blocks of made-up repetitions every contact would be.
    found.__dict__["generic"] = frozenset({"c.d@example.jp", "+817041859637", "qiita.com/ac"})
    return found


def test_ten_thousand_pairs_weigh_the_same_on_every_level(corpus: Corpus) -> None:
    stated, policy = json.loads(DEFAULT.read_bytes()), Policy(unique_sources=("ats",))
    with duckdb.connect(config={"threads": 2}) as connection:
        many = len(corpus.statements)
        file = PeopleFile(connection, corpus, Truth(range(many), [0] * many), policy=policy)
        splinks = {(each.left, each.right): each.weight for each in file.score_by_splink(stated)}
    known = corpus.knowledge(read_model(stated, "default"), policy)
    met: Counter[tuple[str, str]] = Counter()
    worst = 0.0
    for (left, right), weight in splinks.items():
        a, b = corpus.side(left), corpus.side(right)
        met.update((of, found.level) for of, found in zip(FEATURES, compare(a, b, known), strict=True) if found.level)
        worst = max(worst, abs(judge_records(a, b, known).weight - weight))
    assert len(splinks) >= 10_000
    assert {key: met[key] for key in LEVELS if met[key] < 20} == {}
    assert worst < 1e-9
