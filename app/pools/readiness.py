"""How ready a pool is: who may be contacted now, what blocks the others, and which missing fact matters most."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from app.consent import service as consent
from app.consent.contact import Question
from app.criteria.fields import Field
from app.criteria.tree import All, AnyOf, Leaf, Node, NoneOf, leaves
from app.kit.db import Session
from app.pools import membership
from app.pools.criteria_fields import FIELDS
from app.pools.models import Pool
from app.pools.repository import MemberRepository, PersonRepository
from app.pools.schemas import BlockedRead, MissingRead, ReadinessRead, StaleRead

CHUNK: Final = 2_000
STALE: Final = timedelta(days=365)
"""What nobody has confirmed for so long is stale. Our choice: a working life changes about once a year."""
ADDRESSES: Final = {"email": "email_addresses.value", "phone": "phone_numbers.value", "sms": "phone_numbers.value"}
"""The field without which a channel has no address."""
DERIVED: Final = frozenset({"pool", "score", "touchpoints", "id", "status", "created_at", "updated_at"})
"""What nobody can fill in."""


async def read(session: Session, pool: Pool) -> ReadinessRead:
    """Count the members of a pool by what may be done with them, and what is not known."""
    moment = await membership.local_now(session)
    matched, contactable, codes, unreachable = await _asked(session, pool)
    blocked = [BlockedRead(code=code, count=count) for code, count in _ranked(codes)]
    stale = await PersonRepository(session).stale(pool.id, pool.required_fields, moment - STALE)
    missing = [
        await _missing(session, pool, name, moment, unreachable if name == ADDRESSES.get(pool.channel) else 0)
        for name in _fields(pool)
    ]
    return ReadinessRead(
        as_of=moment,
        matched=matched,
        contactable=contactable,
        blocked=blocked,
        stale=[StaleRead(field=name, count=count) for name, count in _ranked(stale)],
        missing=sorted(
            (each for each in missing if each.count or each.would_match),
            key=lambda each: (-each.would_reach - each.would_match, -each.count, each.field),
        ),
    )


async def _asked(session: Session, pool: Pool) -> tuple[int, int, Counter[str], int]:
    """Ask the gate for everybody: how many are members, may be contacted, are blocked by what, lack only an address."""
    codes: Counter[str] = Counter()
    matched = contactable = unreachable = 0
    after: UUID | None = None
    while rows := await MemberRepository(session).page(pool.id, after, CHUNK):
        questions = [Question(row.candidate_id, pool.channel, pool.purpose) for row in rows]
        for decision in await consent.decide(session, questions, keep=False):
            if decision.decision == "allow":
                contactable += 1
            else:
                codes.update(decision.codes)
                unreachable += decision.codes == ("no_address",)
        matched, after = matched + len(rows), rows[-1].candidate_id
    return matched, contactable, codes, unreachable


def _fields(pool: Pool) -> list[str]:
    """List the profile fields that should be known: those required, asked for, or needed to write to somebody."""
    asked = [leaf.field.name for leaf in leaves(membership.node_of(pool)) if leaf.field.adapter not in DERIVED]
    address = ADDRESSES.get(pool.channel)
    return list(dict.fromkeys([*pool.required_fields, *asked, *([address] if address else [])]))


async def _missing(session: Session, pool: Pool, name: str, at: datetime, unreachable: int) -> MissingRead:
    people = PersonRepository(session)
    field = FIELDS.find(name)
    if field is None:
        return MissingRead(field=name, count=await people.count_empty(pool.id, name), would_reach=0, would_match=0)
    unknown = Leaf(field, "exists", value=False, pointer="")
    supposed = All((unknown, supposing(membership.node_of(pool), field)))
    return MissingRead(
        field=name,
        count=await people.count_members(pool.id, unknown, at),
        would_reach=unreachable,
        would_match=await people.count_others(pool.id, supposed, at),
    )


def supposing(node: Node, field: Field, *, wanted: bool = True) -> Node:
    """Return criteria that hold also for whom they would hold, were a missing `field` known and favourable."""
    if isinstance(node, Leaf):
        if node.field.name != field.name:
            return node
        presence = Leaf(field, "exists", not wanted, node.pointer)
        return AnyOf((node, presence)) if wanted else All((node, presence))
    inner = tuple(supposing(each, field, wanted=wanted != isinstance(node, NoneOf)) for each in node.nodes)
    return type(node)(inner)


def _ranked(counts: Counter[str]) -> Iterator[tuple[str, int]]:
    return iter(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
