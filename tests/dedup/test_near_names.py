"""Of a crowd that shares a name, or its employer and a part of one, only who could be the same person is read."""

from collections import defaultdict
from itertools import combinations
from typing import Any

import httpx
import pytest

from app.candidates.features import read_features
from app.dedup import service as dedup
from app.dedup.levels import name_level
from app.dedup.pool import EMPLOYER_KINDS, NAME_KINDS, Keyed, keyed
from app.dedup.sides import written
from app.kit.db import Database
from app.training.statements import records
from tests.scale import scaled

NAME = {"family_name": "佐藤", "given_name": "健"}


async def test_who_shares_only_a_common_name_is_not_read(
    api: httpx.AsyncClient, database: Database, tenant: Any
) -> None:
    others = [{**NAME, "birth_date": f"19{60 + number}-02-{number % 27 + 1:02}"} for number in range(30)]
    items = [*others, {**NAME, "current_company": "山田商事"}]
    made = (await api.post("/v1/candidates/batch-upsert", json={"items": items})).json()["items"]
    asked = {**NAME, "birth_date": "1972-06-30", "current_company": "株式会社山田商事"}
    async with database.transaction(tenant.caller) as session:
        statement = dedup.key(session, read_features(asked, "JP"))
        known = await dedup.knowledge(session, [statement])
        everybody = await dedup.pool(session, [statement], known, told="all")
        some = await dedup.pool(session, [statement], await dedup.knowledge(session, [statement]))
        decided = [{each.candidate_id: each.judgement for each in pool.meet(statement)} for pool in (everybody, some)]
    assert decided[0] == decided[1]
    assert len(everybody.people) == 31
    near = {made[12]["id"], made[30]["id"]}  # one of the same year, one of the same employer
    assert {str(each) for each in some.people} == near


async def test_who_shares_only_a_common_employer_and_a_part_of_a_name_is_not_read(
    api: httpx.AsyncClient, database: Database, tenant: Any
) -> None:
    given = [
        first + second for first in "一二三四五六七八九十百千東西南北" for second in "郎男夫彦介助太美子代江香奈菜恵"
    ]
    others = [{"family_name": "佐藤", "given_name": each, "current_company": "山田商事"} for each in given]
    others[3]["birth_date"] = "1972-01-31"
    others[5]["given_name"] = "Ken"
    made = (await api.post("/v1/candidates/batch-upsert", json={"items": others})).json()["items"]
    asked = {"full_name": "佐藤健", "birth_date": "1972-06-30", "current_company": "山田商事"}
    async with database.transaction(tenant.caller) as session:
        statement = dedup.key(session, read_features(asked, "JP"))
        known = await dedup.knowledge(session, [statement])
        everybody = await dedup.pool(session, [statement], known, told="all")
        some = await dedup.pool(session, [statement], known)
        decided = [{each.candidate_id: each.judgement for each in pool.meet(statement)} for pool in (everybody, some)]
    assert decided[0] == decided[1]
    assert len(everybody.people) == dedup.KEY_CAP
    assert {str(each) for each in some.people} == {made[3]["id"], made[5]["id"]}  # near in birth, not all in kanji


@pytest.mark.more
def test_names_of_one_writing_that_agree_share_a_key_of_whole_names() -> None:
    said = [keyed(read_features(each.payload, "JP"), b"0" * 16) for each in records(scaled(1_500, 40_000), seed=5)]
    sharing: defaultdict[bytes, list[Keyed]] = defaultdict(list)
    for statement in said:
        for hashed in statement.hashes(EMPLOYER_KINDS):
            sharing[hashed].append(statement)
    pairs = [pair for each in sharing.values() for pair in combinations(each[: dedup.KEY_CAP], 2)]
    agreeing = [
        (a, b)
        for a, b in pairs
        if (writing := written(a.side.name)) and writing == written(b.side.name)
        if name_level(a.side.name, b.side.name) in ("kanji", "reading", "swapped")
    ]
    assert agreeing
    assert all(not set(a.hashes(NAME_KINDS)).isdisjoint(b.hashes(NAME_KINDS)) for a, b in agreeing)
