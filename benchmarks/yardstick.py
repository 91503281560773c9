"""The least that could be done: bare FastAPI routes that insert the same rows by asyncpg, under the same keys.

Their tables (stand.py) have the columns, checks, indexes, primary, unique and foreign keys of ours, but no row-level
security and no triggers. Nothing is looked up, and nothing follows from what is written. A statement that reads is run
on the service's own tables; that of a tenant as the service's role and inside it, under the policies that ours has.
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, TypeAdapter

from app.kit.db import APP_ROLE
from app.kit.ids import new_id

CHANGE: Final = """
insert into bench.changes (tenant_id, type, resource, resource_id, data, actor)
select $1, 'touchpoint.created', 'touchpoint', t.id,
  jsonb_build_object('candidate_id', t.candidate_id, 'type', t.type), 'bench'
from unnest($2::uuid[], $3::uuid[], $4::text[]) as t(id, candidate_id, type)
"""


class Touchpoint(BaseModel):
    """What is told of a person who is known by id."""

    candidate_id: UUID
    type: str
    occurred_at: datetime
    source: str
    external_id: str


TOUCHPOINT: Final = """
insert into bench.touchpoints (tenant_id, id, candidate_id, arrived_with, type, occurred_at, source, external_id,
  actor, actor_reasons, actor_rule_version)
select $1, t.id, t.candidate_id, t.candidate_id, t.type, t.at, t.source, t.external_id, 'unknown', '{no_agent}', 1
from unnest($2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::text[])
  as t(id, candidate_id, type, at, source, external_id)
"""


class Mail(BaseModel):
    """What is told of a mail to an address that nobody is known by; the hash and the data are ready to be stored."""

    email: str
    hash: bytes
    type: str
    occurred_at: datetime
    source: str
    external_id: str
    message_id: str
    data: str


MAIL: Final = """
insert into bench.touchpoints (tenant_id, id, identifier_kind, identifier_value, identifier_hash, unmatched_reason,
  type, occurred_at, source, external_id, message_id, data, agent_class, actor, actor_reasons, actor_rule_version)
select $1, t.id, 'email', t.email, t.hash, 'unknown', t.type, t.at, t.source, t.external_id, t.message_id,
  t.data::jsonb, 'browser', 'human', '{browser_agent}', 1
from unnest($2::uuid[], $3::text[], $4::bytea[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::text[],
  $10::text[]) as t(id, email, hash, type, at, source, external_id, message_id, data)
"""
TOUCHPOINTS: Final = TypeAdapter(list[Touchpoint])
MAILS: Final = TypeAdapter(list[Mail])


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    url = os.environ["DATABASE_URL"].replace("+asyncpg", "")
    app.state.pool = await asyncpg.create_pool(url, min_size=10, max_size=10)
    app.state.readers = await asyncpg.create_pool(url, min_size=1, max_size=10, server_settings={"role": APP_ROLE})
    app.state.tenant = await app.state.pool.fetchval("select id from tenants")
    yield
    await app.state.readers.close()
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


async def _insert(statement: str, given: Sequence[BaseModel], people: Sequence[UUID | None]) -> list[UUID]:
    ids = [new_id() for _ in given]
    columns = [[getattr(each, name) for each in given] for name in type(given[0]).model_fields]
    types = [each.type for each in given]  # type: ignore[attr-defined] # both have one
    async with app.state.pool.acquire() as connection, connection.transaction():
        await connection.execute(statement, app.state.tenant, ids, *columns)
        await connection.execute(CHANGE, app.state.tenant, ids, people, types)
    return ids


@app.post("/touchpoints", status_code=201)
async def one(touchpoint: Touchpoint) -> dict[str, str]:
    return {"id": str((await _insert(TOUCHPOINT, [touchpoint], [touchpoint.candidate_id]))[0])}


@app.post("/batch")
async def batch(request: Request) -> dict[str, Any]:
    given = TOUCHPOINTS.validate_json(await request.body())
    return {"count": len(await _insert(TOUCHPOINT, given, [each.candidate_id for each in given]))}


@app.post("/mails")
async def mails(request: Request) -> dict[str, Any]:
    given = MAILS.validate_json(await request.body())
    return {"count": len(await _insert(MAIL, given, [None] * len(given)))}


class Statement(BaseModel):
    sql: str
    tenant: UUID | None = None
    """Whose policies hold; without, none do."""


@app.post("/statement")
async def statement(asked: Statement) -> Response:
    """Answer what a statement makes: the same database, without anything of the service."""
    if asked.tenant is None:
        async with app.state.pool.acquire() as connection:
            return Response(await connection.fetchval(asked.sql), media_type="application/json")
    async with app.state.readers.acquire() as connection:
        await connection.execute(f"begin; select set_config('app.tenant', '{asked.tenant}', true)")
        answer = await connection.fetchval(asked.sql)
        await connection.execute("commit")
    return Response(answer, media_type="application/json")
