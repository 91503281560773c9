"""Every request that wrote says who asked for it, in the transaction of what it wrote."""

import httpx

from app.kit.db import Database
from tests.conftest import TenantFixture


async def test_a_write_leaves_one_row_and_a_refusal_none(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture
) -> None:
    made = await api.post("/v1/candidates", json={"full_name": "監査 花子"}, headers={"Act-As-User": "recruiter-7"})
    candidate = made.json()["id"]
    await api.post("/v1/candidates", json={"colour": "red"})
    await api.patch(f"/v1/candidates/{candidate}", json={"headline": "x"})
    async with database.transaction(tenant.caller) as session:
        rows = await session.rows(
            "select actor, act_as, action, resource, ids, request_id from audit where kind = 'write' order by n"
        )
    key = (await api.get("/v1/me")).json()["actor"]
    assert [(row.actor, row.act_as, row.action, row.resource, [str(each) for each in row.ids]) for row in rows] == [
        (key, "recruiter-7", "create_candidate", "candidates", [candidate]),
        (key, None, "update_candidate", "candidates", [candidate]),
    ]
    assert rows[0].request_id == made.headers["X-Request-Id"]
