"""Lists of everybody: each page by the index alone, all of them together everybody once, in the order of value."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.kit.clock import now
from app.kit.db import Database
from app.kit.ids import new_id
from app.scores.curve import Curve
from tests.conftest import TenantFixture

CURVES = st.lists(
    st.tuples(
        st.sampled_from([0.0, 10.0, -3.5, 20.0]),
        st.sampled_from([0.0, 10.0, 0.1, -4.0, 30.0, 1e-30, -1e-30, 20.0]),
        st.sampled_from([0, 1, 30, 4_000]),
    ),
    max_size=14,
)
WRITE = """
insert into scores (model_key, model_version, candidate_id, fit, interest, since, half_life_days, rank_key, tier,
  computed_at)
select 'default', 1, *, 'cold', now() from unnest(cast(:ids as uuid[]), cast(:fits as float8[]),
  cast(:amounts as float8[]), cast(:since as timestamptz[]), cast(:lives as float8[]), cast(:ranks as float8[])) as t
"""


QUERIES: list[dict[str, Any]] = [
    {"tier": ["warm"]},
    {"tier": ["cold", "hot"]},
    {"value_gte": 10.0},
    {"tier": ["cold"], "value_gte": 5.0},
]


async def pages(api: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    """Read a list to its end, three rows a page."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await api.get("/v1/scores", params={"limit": 3, **query, **cursor})).json()
        found += page["data"]
        if not page["has_more"]:
            return found
        assert len(page["data"]) == 3
        cursor = {"cursor": page["next_cursor"]}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(curves=CURVES)
async def test_pages_are_everybody_once_in_order(
    api: httpx.AsyncClient, database: Database, tenant: TenantFixture, curves: list[tuple[float, float, int]]
) -> None:
    made = [Curve(fit, amount, now() - timedelta(days=days), 30.0) for fit, amount, days in curves]
    ids = [new_id() for _ in made]
    async with database.transaction(tenant.caller) as session:
        await session.run("delete from scores")
        await session.run("insert into candidates (id, full_name) select unnest(cast(:ids as uuid[])), 'Name'", ids=ids)
        await session.run(
            WRITE,
            ids=ids,
            fits=[each.fit for each in made],
            amounts=[each.amount for each in made],
            since=[each.since for each in made],
            lives=[each.half_life_days for each in made],
            ranks=[each.rank_key for each in made],
        )
    falling = await pages(api)
    assert sorted(each["candidate_id"] for each in falling) == sorted(map(str, ids))
    assert all(one["value"] >= other["value"] - 1e-9 for one, other in pairwise(falling))
    rising = await pages(api, sort="value")
    assert [each["candidate_id"] for each in rising] == [each["candidate_id"] for each in reversed(falling)]
    for query in QUERIES:
        wanted = [each["candidate_id"] for each in falling if _is_asked(each, query)]
        assert [each["candidate_id"] for each in await pages(api, **query)] == wanted, query
        counted = (await api.get("/v1/scores", params={**query, "include": "total"})).json()
        assert counted["total"] == len(wanted), query


def _is_asked(row: dict[str, Any], query: dict[str, Any]) -> bool:
    return row["value"] >= query.get("value_gte", -1e9) and row["tier"] in query.get("tier", row["tier"])
