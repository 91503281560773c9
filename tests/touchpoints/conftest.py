"""People to whom something happens."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest

from app.candidates import events, service
from app.candidates.models import Candidate, ExternalId, Identifier, Record
from app.kit import outbox
from app.kit.db import Database
from app.kit.ids import new_id
from tests.conftest import TenantFixture

NewPerson = Callable[..., Awaitable[UUID]]


@pytest.fixture
def new_person(database: Database, tenant: TenantFixture) -> NewPerson:
    """Makes candidates, with or without an address and an external id."""

    async def make(email: str | None = None, external_id: tuple[str, str] | None = None) -> UUID:
        async with database.transaction(tenant.caller) as session:
            record_id = new_id()
            shown = [{"value": email, "raw": email, "type": "personal", "is_primary": True}] if email else []
            person = Candidate(id=new_id(), full_name="山田 花子", email_addresses=shown)
            session.add(person)
            await session.flush()
            record = Record(
                id=record_id,
                candidate_id=person.id,
                first_candidate_id=person.id,
                door="api",
                payload={},
                normaliser_version=1,
                by="test",
            )
            session.add(record)
            await session.flush()
            if email:
                digest = service.identifier_hash(tenant.id, "email", email)
                named = {"candidate_id": person.id, "record_id": record_id, "kind": "email"}
                session.add(Identifier(**named, value=email, raw=email, value_hash=digest))
            if external_id:
                source, id_ = external_id
                session.add(ExternalId(source=source, external_id=id_, candidate_id=person.id, record_id=record_id))
            await session.flush()
            await outbox.record(session, events.created(person.id, 1, []))
            return person.id

    return make
