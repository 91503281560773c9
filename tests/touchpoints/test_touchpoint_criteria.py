"""What criteria ask of a timeline is the same in SQL and over facts."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from app.candidates.models import Candidate
from app.criteria.predicate import holds
from app.criteria.sql import compiled
from app.criteria.tree import parse
from app.kit.db import Database
from app.touchpoints import service
from app.touchpoints.criteria_fields import ADAPTERS, FIELDS, facts
from tests.conftest import TenantFixture

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"types": ["event_attended"]}, True),
        ({"types": ["event_attended"], "min_count": 2}, True),
        ({"types": ["event_attended"], "min_count": 3}, False),
        ({"types": ["event_attended"], "within_days": 10, "min_count": 2}, False),
        ({"types": ["event_attended"], "topics_any": ["ＰＹＴＨＯＮ"], "within_days": 10}, True),
        ({"types": ["event_attended"], "topics_any": ["rust"], "within_days": 10}, False),
        ({"types": ["email_clicked"]}, False),
        ({"types": ["call", "meeting"]}, False),
    ],
)
async def test_both_languages_agree(
    api: httpx.AsyncClient,
    new_person: Callable[..., Awaitable[str]],
    database: Database,
    tenant: TenantFixture,
    wanted: dict[str, Any],
    expected: bool,
) -> None:
    person = await new_person()
    told = {"candidate_id": person, "source": "s"}
    for happened in (
        {"type": "event_attended", "occurred_at": "2026-11-20T00:00:00Z", "topics": ["Python"]},
        {"type": "event_attended", "occurred_at": "2026-10-20T00:00:00Z", "topics": ["Rust"]},
        {"type": "email_clicked", "occurred_at": "2026-11-20T00:00:00Z", "actor": "machine"},
    ):
        assert (await api.post("/v1/touchpoints", json=told | happened)).status_code == 201
    node = parse({"field": "touchpoints", "op": "has", "value": wanted}, FIELDS)
    async with database.transaction(tenant.caller) as session:
        found = list((await session.scalars(select(Candidate.id).where(compiled(node, ADAPTERS, NOW)))).all())
        timeline = (await service.signals_of(session, [UUID(person)]))[UUID(person)]
    assert (found == [UUID(person)]) is expected
    assert holds(node, facts(timeline), NOW) is expected
