"""What a pool lacks, and what would help most."""

import httpx

from app.criteria.tree import parse
from app.kit.db import Database
from app.pools.criteria_fields import FIELDS
from app.pools.readiness import supposing
from tests.conftest import TenantFixture
from tests.pools.conftest import Recruiter

SENIOR = {
    "all": [
        {"field": "skills.name", "op": "has", "value": "python"},
        {"not": [{"field": "years_of_experience", "op": "lt", "value": 5}]},
    ]
}


async def test_readiness_counts_what_the_gate_says_and_what_is_missing(
    api: httpx.AsyncClient, recruiter: Recruiter, database: Database, tenant: TenantFixture
) -> None:
    python = [{"name": "Python"}]
    ada = await recruiter.person("Ada", skills=python, years_of_experience=9, headline="Engineer")
    await recruiter.permit(ada)
    await recruiter.person("Bob", skills=python)  # no consent
    nameless = {"full_name": "Cyd", "phone_numbers": [{"value": "090-1234-5678"}], "skills": python}
    cyd = (await recruiter.post("/v1/candidates", nameless))["id"]
    await recruiter.permit(cyd)
    await recruiter.person("Dan", years_of_experience=7)  # would match with a skill
    await recruiter.person("Eve", years_of_experience=1)
    pool = await recruiter.pool("senior", SENIOR, required_fields=["headline", "location"])
    async with database.transaction(tenant.caller) as session:
        await session.run("update records set received_at = received_at - interval '400 days'")
    ready = (await api.get(f"/v1/pools/{pool}/readiness")).json()
    assert (ready["matched"], ready["contactable"]) == (3, 1)
    assert ready["blocked"] == [{"code": "consent_missing", "count": 1}, {"code": "no_address", "count": 1}]
    assert ready["stale"] == [{"field": "headline", "count": 1}]
    assert ready["missing"] == [
        {"field": "email_addresses.value", "count": 1, "would_reach": 1, "would_match": 0},
        {"field": "skills.name", "count": 0, "would_reach": 0, "would_match": 1},
        {"field": "location", "count": 3, "would_reach": 0, "would_match": 0},
        {"field": "headline", "count": 2, "would_reach": 0, "would_match": 0},
        {"field": "years_of_experience", "count": 2, "would_reach": 0, "would_match": 0},
    ]
    codes = [each["contact"]["decision"] for each in await recruiter.approaches(pool)]
    assert codes.count("allow") == ready["contactable"]


def test_a_missing_field_is_supposed_to_be_favourable_on_both_sides_of_a_not() -> None:
    leaf = {"field": "headline", "op": "eq", "value": "x"}
    node = supposing(parse({"all": [leaf, {"not": [leaf]}]}, FIELDS), FIELDS.known["headline"])
    unknown = {"any": [leaf, {"field": "headline", "op": "exists", "value": False}]}
    known = {"all": [leaf, {"field": "headline", "op": "exists"}]}
    assert _shape(node) == _shape(parse({"all": [unknown, {"not": [known]}]}, FIELDS))


def _shape(node: object) -> object:
    inner = getattr(node, "nodes", None)
    if inner is None:
        return (node.op, node.value)  # type: ignore[attr-defined]  # a leaf
    return type(node), [_shape(each) for each in inner]
