"""Everything that is kept about one person, as one file: what they said, and what was added to it."""

from typing import Any, Final
from uuid import UUID

from app.kit.db import Session

MOST: Final = 10_000
"""Rows of one kind."""
PARTS: Final = {
    "records": """select id, source, external_id, door, payload, received_at from records
        where candidate_id = :id order by received_at, id""",
    "consents": """select purpose, channel, status, basis, policy_version, wording, evidence, obtained_at, expires_at,
        created_at as recorded_at from consents where candidate_id = :id order by id""",
    "touchpoints": """select id, type, occurred_at, source, topics, data, actor from touchpoints
        where candidate_id = :id order by occurred_at, id""",
    "messages": """select id, channel, purpose, state, "to", due_at, sent_at, delivery from messages
        where candidate_id = :id order by id""",
    "pools": """select p.name, m.by, m.since from pool_members m join pools p on p.id = m.pool_id
        where m.candidate_id = :id order by p.name""",
    "decisions_on_pools": """select p.name, o.membership, o.note, o.created_at as at from pool_overrides o
        join pools p on p.id = o.pool_id where o.candidate_id = :id order by p.name""",
    "scores": """select model_key as model, model_version, fit, interest, since, tier, computed_at from scores
        where candidate_id = :id order by model_key""",
    "disclosures": """select recipient, fields, at from audit
        where n in (select audit_route(:id)) and kind = 'disclosure' order by n""",
}


async def parts(session: Session, candidate_id: UUID) -> dict[str, list[dict[str, Any]]]:
    """Return what each table keeps of a person: what they provided, what happened, what was concluded."""
    return {
        name: [dict(row) for row in await session.rows(f"{sql} limit {MOST}", id=candidate_id)]
        for name, sql in PARTS.items()
    }


async def last(session: Session, candidate_id: UUID, most: int) -> tuple[int, list[Any]]:
    """Return how many entries a person's timeline has, and (occurred_at, type, source) of the last ones."""
    count = await session.value("select count(*) from touchpoints where candidate_id = :id", id=candidate_id)
    rows = await session.rows(
        """select occurred_at, type, source from touchpoints where candidate_id = :id
           order by occurred_at desc, id limit :most""",
        id=candidate_id,
        most=most,
    )
    return int(count), rows
