"""People of one tenant, written as rows: the doors through which they come belong to other slices."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol
from uuid import UUID

import pytest

from app.kit import json
from app.kit.db import Database
from app.kit.ids import new_id
from app.normalise.emails import parse_email
from tests.conftest import TenantFixture

JSON_COLUMNS = {"email_addresses", "phone_numbers", "links", "location"}


class MakeCandidate(Protocol):
    async def __call__(self, *emails: str, bounced: tuple[str, ...] = (), **columns: Any) -> UUID: ...


@pytest.fixture
def make_candidate(database: Database, tenant: TenantFixture) -> MakeCandidate:
    """Makes a candidate with these e-mail addresses, the first primary, and these columns."""

    async def make(*emails: str, bounced: tuple[str, ...] = (), **columns: Any) -> UUID:
        candidate_id, record_id = new_id(), new_id()
        addresses = [
            {"value": email, "raw": email, "type": "personal", "is_primary": place == 0}
            for place, email in enumerate(emails)
        ]
        values = {"email_addresses": addresses, **columns}
        names = ", ".join(values)
        places = ", ".join(f"cast(:{name} as jsonb)" if name in JSON_COLUMNS else f":{name}" for name in values)
        bound = {name: json.dumps(value) if name in JSON_COLUMNS else value for name, value in values.items()}
        async with database.transaction(tenant.caller) as session:
            await session.run(
                f"insert into candidates (id, {names}) values (:id, {places})",  # noqa: S608 (columns named by the tests)
                id=candidate_id,
                **bound,
            )
            await session.run(
                """insert into records (id, candidate_id, first_candidate_id, door, payload, normaliser_version, by)
                   values (:id, :candidate_id, :candidate_id, 'api', '{}', 1, 'test')""",
                id=record_id,
                candidate_id=candidate_id,
            )
            for email in bounced:
                await session.run(
                    """insert into identifiers (id, candidate_id, record_id, kind, value, raw, value_hash, state)
                       values (:id, :candidate_id, :record_id, 'email', :value, :raw, :hash, 'bounced')""",
                    id=new_id(),
                    candidate_id=candidate_id,
                    record_id=record_id,
                    value=_key(email),
                    raw=email,
                    hash=email.encode(),
                )
        return candidate_id

    return make


def _key(email: str) -> str:
    parsed = parse_email(email)
    assert parsed is not None
    return parsed.key


@pytest.fixture
def run_sql(database: Database, tenant: TenantFixture) -> Callable[..., Awaitable[list[Any]]]:
    """Runs one statement inside the tenant."""

    async def run(sql: str, **parameters: Any) -> list[Any]:
        async with database.transaction(tenant.caller) as session:
            return await session.rows(sql, **parameters)

    return run
