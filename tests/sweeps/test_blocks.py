"""What PostgreSQL finds and tells of pairs is what the doors would decide on each that shares a key."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.dedup import service as dedup
from app.dedup.rules import Knowledge, Policy, judge
from app.dedup.sides import Side
from app.kit.chunks import chunks
from app.kit.db import Database, Session
from app.sweeps import blocks
from app.sweeps.combinations import Combinations
from app.training.statements import records
from tests.conftest import TenantFixture
from tests.scale import scaled

MANY = scaled(300, 5_000)
SHARING = "select array_agg(distinct candidate_id) as ids from record_keys group by key_hash having count(*) > 1"
ROLE = {"full_name": "Grey Ada", "email_addresses": [{"value": "info@example.com"}, {"value": "ada@example.com"}]}
NAMELESS = {"email_addresses": [{"value": "ada@example.com"}]}
SMALL_KANA = [
    {"family_name_kana": "サトウ", "given_name_kana": given, "current_company": "株式会社 梢"}
    for given in ("ショウタ", "シヨウタ")
]
"""They share no key of a name: シヨ and ショ are read differently."""
MIDDLE = [
    {"given_name": given, "family_name": "Rockwell", "current_company": "Elm Ltd"}
    for given in ("Olivia", "Olivia Donna")
]


@pytest.mark.more
@pytest.mark.timeout(600)
async def test_pairs_are_decided_as_at_the_door(
    api: httpx.AsyncClient, tenant: TenantFixture, database: Database
) -> None:
    said = [record.payload for record in records(MANY, 7)] + [ROLE, NAMELESS, *SMALL_KANA, *MIDDLE]
    for chunk in chunks(said, 250):
        items = [{**each, "on_match": "create"} for each in chunk]
        await api.post("/v1/candidates/batch-upsert", json={"items": items})
    async with database.transaction(tenant.caller) as session:
        known = await dedup.knowledge(session)
        sharing = {(min(pair), max(pair)) for row in await session.rows(SHARING) for pair in combinations(row.ids, 2)}
        people = await dedup.sides_of(session, sorted({each for pair in sharing for each in pair}))
        await dedup.learn(session, known, [side for sides in people.values() for side in sides])
        told = await _told(session, known)
    decided = {pair: judge(people[pair[0]], people[pair[1]], known) for pair in sharing}
    assert {pair for pair, found in decided.items() if found.decision != "different"} <= told.keys() <= sharing
    assert len(told) < len(sharing)
    levels = Combinations(known)
    for pair, row in told.items():
        if not row["is_open"]:
            decision, weight = levels.judge(row)
            assert decision == decided[pair].decision
            assert weight == pytest.approx(decided[pair].weight, abs=1e-9)
    is_open = {pair for pair, row in told.items() if row["is_open"]}
    assert is_open == {pair for pair in told if any(_is_odd(people[each]) for each in pair)}
    assert is_open


async def test_rules_of_a_tenant_are_asked_about_every_pair(
    api: httpx.AsyncClient, tenant: TenantFixture, database: Database
) -> None:
    for mail in ("one@example.jp", "two@example.jp"):
        said = {"full_name": "佐藤 健", "email_addresses": [{"value": mail}], "on_match": "create"}
        await api.post("/v1/candidates", json=said)
    async with database.transaction(tenant.caller) as session:
        assert await _told(session, Knowledge(pool=2)) == {}
    ruled = Knowledge(Policy(rules=({"all": ["name_kanji"], "decision": "possible"},)), pool=2)
    async with database.transaction(tenant.caller) as session:
        [row] = (await _told(session, ruled)).values()
    assert row["is_open"]


def _is_odd(said: Sequence[Side]) -> bool:
    return any(side.name is None or side.nobodys or side.generic for side in said)


async def _told(session: Session, known: Knowledge) -> dict[tuple[UUID, UUID], Any]:
    found: dict[tuple[UUID, UUID], Any] = {}

    async def take_in(rows: Sequence[Any]) -> None:
        found.update(((row["left_id"], row["right_id"]), row) for row in rows)

    await blocks.visit(session, known, take_in)
    return found
