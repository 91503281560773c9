"""The face of consent, as the sender, the lists and the merges use it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy.exc import DBAPIError

from app.candidates.service import external_key, identifier_hash
from app.consent import service, suppressions
from app.consent.errors import CandidateUnknown, Leased, StatementInvalid
from app.consent.schemas import ConsentStatement, SuppressionCheck
from app.consent.service import Question
from app.kit.clock import now
from app.kit.db import Database, Session, count_statements
from app.kit.ids import new_id
from app.normalise.emails import parse_email
from tests.conftest import TenantFixture
from tests.consent.conftest import MakeCandidate

RunSql = Callable[..., Awaitable[list[Any]]]
DAY = timedelta(days=1)
LONG_AGO = datetime(2026, 1, 5, tzinfo=UTC)


def said(candidate_id: UUID, status: str = "granted", **changes: Any) -> ConsentStatement:
    return ConsentStatement.model_validate(
        {
            "candidate_id": candidate_id,
            "purpose": "talent_pool",
            "channel": "email",
            "status": status,
            "basis": "consent",
            "obtained_at": LONG_AGO,
            "evidence": {"kind": "form", "detail": "aiko@example.co.jp on the career site"},
            **changes,
        }
    )


def question(candidate_id: UUID, **changes: Any) -> Question:
    return Question(candidate_id, "email", "talent_pool", **changes)


@pytest.fixture
def say(database: Database, tenant: TenantFixture) -> Callable[..., Awaitable[None]]:
    """Records statements."""

    async def record(*statements: ConsentStatement) -> None:
        async with database.transaction(tenant.caller) as session:
            await service.record_statements(session, statements)

    return record


@pytest.fixture
def codes(database: Database, tenant: TenantFixture) -> Callable[..., Awaitable[list[tuple[str, ...]]]]:
    """Asks the gate, and answers the codes."""

    async def ask(*questions: Question) -> list[tuple[str, ...]]:
        async with database.transaction(tenant.caller) as session:
            return [each.codes for each in await service.decide(session, questions, keep=False)]

    return ask


Say = Callable[..., Awaitable[None]]
Codes = Callable[..., Awaitable[list[tuple[str, ...]]]]


async def test_any_number_of_questions_takes_the_same_few_statements(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture, make_candidate: MakeCandidate, say: Say
) -> None:
    rules = {"frequency_caps": {"email": {"max": 2, "days": 7}}, "fatigue_guard": {"after": 3, "action": "slow"}}
    await api.patch("/v1/tenant", json={**rules, "send_window": {"from": "09:00", "to": "18:00"}})
    ids = [await make_candidate(f"person{number}@example.co.jp") for number in range(8)]
    await say(*(said(each) for each in ids))
    counts = []
    for asked in (ids[:1], ids):
        seen: list[str] = []
        async with database.transaction(tenant.caller) as session:
            stop = count_statements(database.engine, seen)
            decisions = await service.decide(session, [question(each) for each in asked], keep=True, lock=True)
            assert (await service.reach(session, asked)).contactable == set(asked)
            stop()
        assert [each.candidate_id for each in decisions] == asked
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 11, "seven to decide and keep, four to say who is contactable"


async def test_uses_count_against_the_cap_until_they_leave_it(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture, make_candidate: MakeCandidate, say: Say
) -> None:
    await api.patch("/v1/tenant", json={"frequency_caps": {"email": {"max": 2, "days": 7}}})
    candidate_id, first, second = await make_candidate("aiko@example.co.jp"), new_id(), new_id()
    await say(said(candidate_id))
    moment = now()
    async with database.transaction(tenant.caller) as session:
        await service.count_uses(session, {first: candidate_id}, "email", moment - 3 * DAY)
        await service.count_uses(session, {second: candidate_id}, "email", moment - DAY)
        asked = [
            question(candidate_id),
            question(candidate_id, message_id=first),
            question(candidate_id, at=moment - 2 * DAY),
            Question(candidate_id, "sms", "talent_pool"),
        ]
        full, own, earlier, _ = await service.decide(session, asked, keep=False)
        assert (full.codes, full.not_before) == (("frequency_cap",), moment + 4 * DAY)
        assert (own.decision, earlier.decision) == ("allow", "allow")
        await service.uncount_uses(session, [first])
        [again] = await service.decide(session, asked[:1], keep=False)
        assert again.decision == "allow"


async def test_a_human_sign_rests_the_guard(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture, make_candidate: MakeCandidate, say: Say
) -> None:
    await api.patch("/v1/tenant", json={"fatigue_guard": {"after": 2, "action": "slow"}})
    candidate_id, first = await make_candidate("aiko@example.co.jp"), new_id()
    await say(said(candidate_id))
    async with database.transaction(tenant.caller) as session:
        await service.count_uses(session, {first: candidate_id}, "email", now() - 2 * DAY)
        await service.count_uses(session, {new_id(): candidate_id}, "email", now() - DAY)
        [tired] = await service.decide(session, [question(candidate_id)], keep=False)
        assert tired.codes == ("fatigue",)
        await service.human_signs(session, {first: now() - 2 * DAY})
        [awake] = await service.decide(session, [question(candidate_id)], keep=False)
        assert awake.decision == "allow"


async def test_who_is_not_there_is_denied_and_leaves_no_row(
    codes: Codes, make_candidate: MakeCandidate, say: Say, database: Database, tenant: TenantFixture, run_sql: RunSql
) -> None:
    candidate_id = await make_candidate("aiko@example.co.jp")
    await say(said(candidate_id))
    await run_sql("update candidates set hidden_at = now() where id = :id returning 1", id=candidate_id)
    assert await codes(question(candidate_id)) == [("erased",)]
    async with database.transaction(tenant.caller) as session:
        [stranger] = await service.decide(session, [question(new_id())], keep=True)
        assert stranger.codes == ("consent_missing", "erased")
        assert (await service.reach(session, [candidate_id, new_id()])).contactable == set()
    assert await run_sql("select 1 from contact_decisions") == []


async def test_contactable_is_some_granted_purpose_that_is_not_denied(
    database: Database, tenant: TenantFixture, make_candidate: MakeCandidate, say: Say
) -> None:
    waiting = await make_candidate("a@example.com", rejected_at=now() - DAY)
    silent, withdrawn = await make_candidate("b@example.com"), await make_candidate("c@example.com")
    elsewhere = await make_candidate("d@example.com", phone_numbers=[{"value": "+819012345670"}])
    await say(said(waiting), said(withdrawn, "withdrawn"), said(elsewhere), said(elsewhere, channel="sms"))
    async with database.transaction(tenant.caller) as session:
        await service.suppress(session, "email", "email", "d@example.com", "complaint", "test")
        assert (await service.reach(session, [waiting, silent, withdrawn, elsewhere])).contactable == {
            waiting,
            elsewhere,
        }


async def test_a_lease_is_held_by_one_until_it_ends(
    database: Database, tenant: TenantFixture, make_candidate: MakeCandidate, say: Say
) -> None:
    candidate_id = await make_candidate("aiko@example.co.jp")
    await say(said(candidate_id))
    async with database.transaction(tenant.caller) as session:
        lease = await service.take_lease(session, candidate_id, None, "user:aiko", now() + DAY)
        assert await service.leases_of(session, [candidate_id]) == {candidate_id: lease}
        renewed = await service.take_lease(session, candidate_id, None, "user:aiko", now() + 2 * DAY)
        with pytest.raises(Leased):
            await service.take_lease(session, candidate_id, None, "user:ken", now() + DAY)
        with pytest.raises(Leased):
            await service.release_lease(session, candidate_id, "user:ken")
        [decision] = await service.decide(session, [question(candidate_id)], keep=False)
        assert (decision.codes, decision.not_before) == (("leased",), renewed.expires_at)
        await service.release_lease(session, candidate_id, "user:aiko")
        mine = await service.take_lease(session, candidate_id, None, session.caller.holder, now() + DAY)
        assert mine.holder == session.caller.holder
        [own] = await service.decide(session, [question(candidate_id)], keep=False)
        assert own.decision == "allow"
        await service.take_lease(session, candidate_id, None, session.caller.holder, now() - DAY)
        assert (await service.take_lease(session, candidate_id, None, "user:ken", now() + DAY)).holder == "user:ken"


async def test_unsubscribing_twice_is_once(
    database: Database, tenant: TenantFixture, make_candidate: MakeCandidate, say: Say, codes: Codes, run_sql: RunSql
) -> None:
    candidate_id = await make_candidate("aiko@example.co.jp")
    await say(said(candidate_id), said(candidate_id, purpose="events"))
    for expected in (True, False):
        async with database.transaction(tenant.caller) as session:
            changed = await service.unsubscribe(
                session, candidate_id, "email", "talent_pool", "aiko@example.co.jp", "link"
            )
            assert changed is expected
    assert await codes(question(candidate_id), Question(candidate_id, "email", "events")) == [
        ("consent_withdrawn", "unsubscribed"),
        ("unsubscribed",),
    ]
    lifting = said(candidate_id, obtained_at=now(), lift_suppression=True)
    await say(lifting)
    assert await codes(question(candidate_id)) == [("consent",)]
    async with database.transaction(tenant.caller) as session:
        assert await service.unsubscribe(session, candidate_id, "email", "talent_pool", None, "link")
    assert await codes(question(candidate_id)) == [("consent_withdrawn", "unsubscribed")]
    assert len(await run_sql("select 1 from suppressions")) == 1


async def is_suppressed(session: Session, value: str) -> bool:
    return (await suppressions.check(session, SuppressionCheck(channel="email", value=value))).suppressed


async def test_unsubscribing_from_a_former_address_holds_for_the_present_one(
    database: Database, tenant: TenantFixture, make_candidate: MakeCandidate, say: Say, codes: Codes
) -> None:
    candidate_id = await make_candidate("new@example.co.jp")
    await say(said(candidate_id, purpose="events"))
    for expected in (True, False):
        async with database.transaction(tenant.caller) as session:
            former = "old@example.co.jp"
            assert await service.unsubscribe(session, candidate_id, "email", "news", former, "link") is expected
            assert await is_suppressed(session, former)
    assert await codes(Question(candidate_id, "email", "events")) == [("unsubscribed",)]


async def test_an_unsubscription_outlives_the_person(database: Database, tenant: TenantFixture) -> None:
    async with database.transaction(tenant.caller) as session:
        nobody = new_id()
        assert await service.unsubscribe(session, nobody, "email", "events", "a@example.com", "link")
        assert not await service.unsubscribe(session, nobody, "email", "events", "A@example.com", "link")
        assert not await service.unsubscribe(session, nobody, "email", "events", None, "link")
        assert await is_suppressed(session, "a@EXAMPLE.com")
        assert not await is_suppressed(session, "b@example.com")


async def test_a_wrong_statement_writes_none_of_its_batch(
    database: Database, tenant: TenantFixture, make_candidate: MakeCandidate, run_sql: RunSql
) -> None:
    candidate_id = await make_candidate()
    for wrong, error in ((said(new_id()), CandidateUnknown), (said(candidate_id, basis=None), StatementInvalid)):
        with pytest.raises(error):
            async with database.transaction(tenant.caller) as session:
                await service.record_statements(session, [said(candidate_id), wrong])
    assert await run_sql("select 1 from consents") == []


@pytest.mark.parametrize(
    "sql",
    [
        "delete from consents",
        "update consents set status = 'granted'",
        "update consents set obtained_at = now()",
        "update consents set evidence = '{}'",
    ],
)
async def test_the_ledger_is_append_only(make_candidate: MakeCandidate, say: Say, run_sql: RunSql, sql: str) -> None:
    await say(said(await make_candidate()))
    with pytest.raises(DBAPIError) as refusal:
        await run_sql(f"{sql} returning 1")
    assert any(reason in str(refusal.value) for reason in ("permission denied", "can only be emptied"))


async def test_the_least_permissive_side_of_a_merge_wins_and_undoing_leaves_both_as_they_were(
    database: Database, tenant: TenantFixture, make_candidate: MakeCandidate, say: Say, codes: Codes
) -> None:
    survivor, loser = await make_candidate("a@example.com"), await make_candidate("b@example.com")
    await say(
        said(loser, "withdrawn"),
        said(survivor, obtained_at=LONG_AGO + DAY),
        said(loser, purpose="events"),
        said(survivor, purpose="newsletter", status="withdrawn"),
        said(survivor, purpose="newsletter", obtained_at=LONG_AGO + DAY),
    )
    async with database.transaction(tenant.caller) as session:
        assert await service.carried(session, [[survivor, loser]]) == [(loser, "talent_pool", "email")]
        assert (await service.counts(session, [loser]))[loser] == {"consents": 2}
        await service.absorb(session, {loser: survivor})
        has = (await service.counts(session, [survivor, loser]))[survivor]
        assert has == {"consents": 6}, "three and two, and the withdrawal that holds"
        since = now()
    asked = [Question(survivor, "email", purpose) for purpose in ("talent_pool", "events", "newsletter")]
    assert await codes(*asked) == [("consent_withdrawn",), ("consent",), ("consent",)]
    await say(said(survivor, obtained_at=now()), said(survivor, "withdrawn", purpose="events", obtained_at=now()))
    assert await codes(*asked) == [("consent",), ("consent_withdrawn",), ("consent",)]
    async with database.transaction(tenant.caller) as session:
        conflicts = await service.release(session, survivor, loser, [loser], since)
    assert len(conflicts) == 2
    assert await codes(*asked) == [("consent",), ("consent_withdrawn",), ("consent",)]
    alone = [Question(loser, "email", purpose) for purpose in ("talent_pool", "events", "newsletter")]
    assert await codes(*alone) == [("consent_withdrawn",), ("consent_withdrawn",), ("consent_missing",)]


async def test_an_erased_person_does_not_come_back_until_it_is_lifted(
    database: Database, tenant: TenantFixture, make_candidate: MakeCandidate, say: Say, run_sql: RunSql
) -> None:
    candidate_id = await make_candidate("aiko.sato@gmail.com", bounced=("aiko.sato@gmail.com",))
    await say(said(candidate_id))
    record_id = (await run_sql("select id from records"))[0].id
    await run_sql(
        """insert into external_ids (source, external_id, candidate_id, record_id)
           values ('greenhouse', '12', :id, :record_id) returning 1""",
        id=candidate_id,
        record_id=record_id,
    )
    async with database.transaction(tenant.caller) as session:
        await session.run(
            "update identifiers set value_hash = :hash where candidate_id = :id",
            hash=identifier_hash(tenant.id, "email", "aikosato@gmail.com"),
            id=candidate_id,
        )
        assert await service.erase(session, candidate_id, "erasure:1") == 2
    assert [row.evidence for row in await run_sql("select evidence from consents")] == [None]
    async with database.transaction(tenant.caller) as session:
        spelled = parse_email("Aiko.Sato+x@googlemail.com")
        assert spelled is not None
        mine = [("email", spelled.key), ("external_id", external_key("greenhouse", "12"))]
        others = [("email", "other@example.com"), ("phone", "+819012345670")]
        others.append(("external_id", external_key("greenhouse", "13")))
        assert await service.suppressed(session, [*mine, *others]) == {each: {"erased"} for each in mine}
        assert await service.lift_erasure(session, "erasure:1") == 2
        assert await service.suppressed(session, mine) == {}


async def test_the_gate_waits_for_a_withdrawal_that_is_being_written(
    database: Database, tenant: TenantFixture, make_candidate: MakeCandidate, say: Say
) -> None:
    candidate_id = await make_candidate("aiko@example.co.jp")
    await say(said(candidate_id))

    async def ask() -> str:
        async with database.transaction(tenant.caller) as session:
            [decision] = await service.decide(session, [question(candidate_id)], keep=True, lock=True)
            return decision.decision

    async with database.transaction(tenant.caller) as writing:
        await service.record_statements(writing, [said(candidate_id, "withdrawn", obtained_at=now())])
        asking = asyncio.create_task(ask())
        done, _ = await asyncio.wait([asking], timeout=0.3)
        assert not done, "the gate holds still while a statement about the person is open"
    assert await asking == "deny"
