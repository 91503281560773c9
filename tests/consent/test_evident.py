"""Who is spared the gate is told of as the gate would tell."""

import random
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any, Final

from app.candidates.service import identifier_hash
from app.consent import repository, service
from app.consent.gate import local_date
from app.kit import json
from app.kit.clock import now
from app.kit.db import Database, Session
from app.kit.ids import new_id
from app.tenancy import service as tenancy
from tests.conftest import TenantFixture
from tests.consent.test_consent_service import said

PEOPLE: Final = 300
DAY: Final = timedelta(days=1)
DRAW: Final = random.Random(5)
PERSON: Final = """
with person as (
  insert into candidates (id, email_addresses, phone_numbers, links, hidden_at, live_selection_at, rejected_at,
    retention_expires_on)
  select id, email_addresses, phone_numbers, links, hidden_at, live_selection_at, rejected_at, retention_expires_on
  from jsonb_to_recordset(cast(:people as jsonb)) as t(id uuid, email_addresses jsonb, phone_numbers jsonb, links jsonb,
    hidden_at timestamptz, live_selection_at timestamptz, rejected_at timestamptz, retention_expires_on date)
), record as (
  insert into records (id, candidate_id, first_candidate_id, door, payload, normaliser_version, by)
  select id, id, id, 'api', '{}', 1, 'test' from jsonb_to_recordset(cast(:people as jsonb)) as t(id uuid)
)
insert into identifiers (id, candidate_id, record_id, kind, value, raw, value_hash, state)
select uuidv7(), candidate_id, candidate_id, kind, value, value, decode(hash, 'hex'), state
from jsonb_to_recordset(cast(:identifiers as jsonb)) as t(candidate_id uuid, kind text, value text,
  hash text, state text)
"""


def rarely() -> bool:
    return DRAW.random() < 0.1


def person(number: int) -> dict[str, Any]:
    """Somebody of whom anything may be on file, and mostly nothing is."""
    emails = [f"p{number}@example.com", f"P.{number}@example.com"][: DRAW.choice([0, 1, 1, 1, 2])]
    phones = [f"+8190{12340000 + number}"][: DRAW.choice([0, 0, 1])]
    today = now().date()
    return {
        "id": new_id(),
        "email_addresses": [{"value": None if rarely() else each, "raw": each, "type": "other"} for each in emails],
        "phone_numbers": [{"value": each, "raw": each, "type": "mobile"} for each in phones],
        "links": [{"type": "website", "url": f"https://example.com/{number}"}] if rarely() else [],
        "hidden_at": now() if rarely() else None,
        "live_selection_at": now() + DRAW.choice([-DAY, DAY]) if rarely() else None,
        "rejected_at": now() - DAY if rarely() else None,
        "retention_expires_on": DRAW.choice([None, None, today + 30 * DAY, today, today - DAY]),
    }


def identifiers(tenant: TenantFixture, each: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for kind, field in (("email", "email_addresses"), ("phone", "phone_numbers")):
        for value in (item["value"] for item in each[field] if item["value"]):
            key = value.lower()
            state = "bounced" if kind == "email" and rarely() else "ok"
            hashed = identifier_hash(tenant.id, kind, key).hex()
            if not rarely():  # who was read by an older normaliser may have another
                yield {"candidate_id": each["id"], "kind": kind, "value": key, "hash": hashed, "state": state}


async def state(session: Session, people: list[dict[str, Any]]) -> None:
    """Let some of them say something, and suppress some addresses."""
    moments = [now() - days * DAY for days in (1, 2, 2, 3)]
    statements = [
        said(
            each["id"],
            DRAW.choice(["granted", "granted", "granted", "withdrawn"]),
            purpose=DRAW.choice(["talent_pool", "recruiting", "service"]),
            channel=DRAW.choice(["email", "email", "email", "sms", "sns", "post"]),
            obtained_at=DRAW.choice(moments),
            expires_at=DRAW.choice([None, None, None, now() + DAY]),
            lift_suppression=False,
        )
        for each in people
        for _ in range(DRAW.choice([0, 1, 1, 2, 3]))
        if each["hidden_at"] is None
    ]
    await service.record_statements(session, statements)
    for each in people:
        for kind, field in (("email", "email_addresses"), ("phone", "phone_numbers")):
            if each[field] and each[field][0]["value"] and rarely():
                reason = DRAW.choice(["manual", "unsubscribed", "hard_bounce", "complaint", "erased"])
                channel = DRAW.choice(["any", "email", "sms"])
                await service.suppress(session, channel, kind, each[field][0]["value"], reason, "test")


async def test_what_is_evident_is_what_the_gate_says(
    database: Database, tenant: TenantFixture, run_sql: Callable[..., Awaitable[list[Any]]]
) -> None:
    people = [person(number) for number in range(PEOPLE)]
    pointing = [each for one in people for each in identifiers(tenant, one)]
    await run_sql(PERSON, people=json.dumps(people), identifiers=json.dumps(pointing))
    ids = [each["id"] for each in people]
    async with database.transaction(tenant.caller) as session:
        await state(session, people)
        for at in (now(), now() + 2 * DAY):
            today = local_date(at, (await tenancy.read(session)).timezone)
            evident = {row.id: row.contactable for row in await repository.evident(session, ids, today, at)}
            judged = await service.judged_reach(session, ids, at)
            plain = {each for each, contactable in evident.items() if contactable is not None}
            assert {each for each in plain if evident[each]} == plain & judged.contactable
            assert not await suppressed_of(session, plain)
            assert PEOPLE / 20 < sum(map(bool, evident.values())) < len(plain) < PEOPLE
        assert await service.reach(session, ids) == await service.judged_reach(session, ids, now())


async def suppressed_of(session: Session, ids: set[Any]) -> frozenset[str]:
    return (await service.judged_reach(session, sorted(ids), now())).suppressed
