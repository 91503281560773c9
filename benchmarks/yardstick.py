"""The least that could be done: bare FastAPI routes that insert the same rows by asyncpg, under the same keys."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import asyncpg
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, TypeAdapter

from app.kit.ids import new_id

TENANT = UUID("01999999-0000-7000-8000-000000000000")
TOUCHPOINT = """
insert into bench.touchpoints (tenant_id, id, candidate_id, type, occurred_at, source, external_id, actor)
select $1, t.id, $2, t.type, t.at, t.source, t.external_id, 'human'
from unnest($3::uuid[], $4::text[], $5::timestamptz[], $6::text[], $7::text[]) as t(id, type, at, source, external_id)
"""
CHANGE = """
insert into bench.changes (tenant_id, type, resource, resource_id, data, actor)
select $1, 'touchpoint.created', 'touchpoint', id, jsonb_build_object('candidate_id', $2::uuid), 'bench'
from unnest($3::uuid[]) as id
"""
CANDIDATE = uuid5(TENANT, "candidate")


class Touchpoint(BaseModel):
    candidate_id: UUID
    type: str
    occurred_at: datetime
    source: str
    external_id: str


TOUCHPOINTS = TypeAdapter(list[Touchpoint])


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.pool = await asyncpg.create_pool(
        os.environ["DATABASE_URL"].replace("+asyncpg", ""), min_size=10, max_size=10
    )
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


async def _insert(pool: asyncpg.Pool, touchpoints: list[Touchpoint]) -> list[UUID]:
    ids = [new_id() for _ in touchpoints]
    columns = [
        [each.type for each in touchpoints],
        [each.occurred_at for each in touchpoints],
        [each.source for each in touchpoints],
        [each.external_id for each in touchpoints],
    ]
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(TOUCHPOINT, TENANT, CANDIDATE, ids, *columns)
        await connection.execute(CHANGE, TENANT, CANDIDATE, ids)
    return ids


@app.post("/touchpoints", status_code=201)
async def one(request: Request, touchpoint: Touchpoint) -> dict[str, str]:
    return {"id": str((await _insert(request.app.state.pool, [touchpoint]))[0])}


@app.post("/batch")
async def batch(request: Request) -> dict[str, Any]:
    given = TOUCHPOINTS.validate_json(await request.body())
    return {"count": len(await _insert(request.app.state.pool, given))}


class Statement(BaseModel):
    sql: str


@app.post("/statement")
async def statement(request: Request, asked: Statement) -> Response:
    """Answer what a statement makes: the same database, without anything of the service."""
    async with request.app.state.pool.acquire() as connection:
        return Response(await connection.fetchval(asked.sql), media_type="application/json")
