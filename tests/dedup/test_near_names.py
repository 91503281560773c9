"""Of a crowd that shares a name only those are read who could be the same person; it changes no decision."""

from typing import Any

import httpx

from app.candidates.features import read_features
from app.dedup import service as dedup
from app.kit.db import Database

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
        known = await dedup.knowledge(session)
        everybody = await dedup.pool(session, [statement], known, told="all")
        some = await dedup.pool(session, [statement], await dedup.knowledge(session))
        decided = [{each.candidate_id: each.judgement for each in pool.meet(statement)} for pool in (everybody, some)]
    assert decided[0] == decided[1]
    assert len(everybody.people) == 31
    near = {made[12]["id"], made[30]["id"]}  # one of the same year, one of the same employer
    assert {str(each) for each in some.people} == near
