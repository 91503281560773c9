"""What is answered past its schema is what the schema says, member by member."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from app.candidates.schemas import EXAMPLE
from app.directory.schemas import CandidateShown
from app.kit.schemas import Page
from app.pools.schemas import MemberRead

Drain = Callable[[], Awaitable[int]]
EVERYTHING = {"expand": ["score", "last_touchpoint", "pools"], "include": "total"}
POOL = {
    "key": "all",
    "name": "All",
    "criteria": {"any": [{"field": "tags", "op": "exists"}, {"field": "headline", "op": "exists", "value": False}]},
    "required_fields": ["birth_date"],
}


async def test_rows_are_what_their_schema_writes(api: httpx.AsyncClient, drain: Drain) -> None:
    emails = [{"value": "x@example.com"}, {"value": "no address"}]
    ids = [
        (await api.post("/v1/candidates", json=each)).json()["id"]
        for each in (EXAMPLE, {"full_name": "Ada", "email_addresses": emails})
    ]
    call = {"type": "call", "occurred_at": "2026-01-01T00:00:00.5Z", "source": "x", "data": {"minutes": 2.5}}
    for each in ids:
        assert (await api.post("/v1/touchpoints", json={"candidate_id": each, **call})).status_code == 201
    pool = (await api.post("/v1/pools", json=POOL)).json()["id"]
    await drain()

    listed = (await api.get("/v1/candidates", params=EVERYTHING)).json()
    assert listed == as_written(Page[CandidateShown], listed)
    assert [each["id"] for each in listed["data"]] == ids[::-1]
    assert (await api.get("/v1/candidates")).json()["data"] == [
        {name: value for name, value in each.items() if name not in EVERYTHING["expand"]} for each in listed["data"]
    ]
    one = (await api.get(f"/v1/candidates/{ids[0]}")).json()
    assert one == as_written(CandidateShown, one)
    members = (await api.get(f"/v1/pools/{pool}/members", params={"include": "total"})).json()
    assert members == as_written(Page[MemberRead], members)
    assert members["total"] == 2


def as_written(schema: Any, value: Any) -> Any:
    return schema.model_validate(value).model_dump(mode="json")
