"""How the planner answers a list and a name search among many: by an index, sorting no more than it shows."""

from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import event, text

from app.candidates import service as candidates
from app.candidates.features import Features, dump_features
from app.consent import service as consent
from app.directory import repository, service
from app.directory.repository import DirectoryRepository, Question
from app.directory.schemas import Filters
from app.directory.sorting import Place, parse_sort
from app.kit import json
from app.kit.clock import now
from app.kit.db import Database, Session, count_statements
from app.kit.ids import new_id
from app.normalise.search import query_terms
from app.pools.criteria_fields import read
from tests.conftest import TenantFixture

PEOPLE = 5_000
CROWD = f"""
insert into candidates (id, full_name, years_of_experience, tags, created_at, updated_at)
select uuidv7(), 'Name ' || n, case when n % 3 > 0 then n % 40 end,
  case when n % 3 > 0 then jsonb_build_array((n % 40 = 39)::text) else '[]' end,
  now() - n * interval '1 minute', now() - n * interval '1 hour'
from generate_series(1, {PEOPLE}) n
"""  # noqa: S608 (a constant)
FILED = """
insert into terms (term, candidate_id)
select t.term, c.id from candidates c,
  lateral unnest(array['w:name', 'w:' || right(c.full_name, 2), 't:' || (c.years_of_experience = 39)]) t(term)
where t.term is not null
on conflict do nothing
"""
SAID = """
insert into records (id, candidate_id, first_candidate_id, door, payload, features, normaliser_version, by)
select uuidv7(), id, id, 'api', '{}', cast(:features as jsonb), 1, 'test' from candidates
"""


@pytest.fixture
async def crowd(database: Database, database_url: str, tenant: TenantFixture) -> TenantFixture:
    """A tenant with enough people for plans to differ, and statistics of them."""
    async with database.transaction(tenant.caller) as session:
        await session.run(CROWD)
        await session.run(FILED)
        await session.run(SAID, features=json.dumps(dump_features(Features())))
    owner = Database(database_url, pool_size=1, role="talentpool_owner")
    async with owner.outside() as connection:
        await connection.execute(text("analyze candidates, terms, records"))
    await owner.close()
    return tenant


async def plan_of(
    database: Database,
    tenant: TenantFixture,
    sort: str,
    after: Place | None,
    q: str = "",
    tag: Sequence[str] = (),
    criteria: object = None,
) -> str:
    """Return the plan of the statement that finds a page."""
    seen: list[tuple[str, Any]] = []

    def record(*arguments: Any) -> None:
        seen.append((arguments[2], arguments[3]))

    node = None if criteria is None else read(criteria, "")
    asked = Question(Filters(tag=tag), node, query_terms(q) or None, (), now())
    async with database.transaction(tenant.caller) as session:
        event.listen(database.engine.sync_engine, "before_cursor_execute", record)
        try:
            found = await DirectoryRepository(session, asked).page(parse_sort(sort), after, 20)
            assert len(found) == (0 if criteria else 20)
        finally:
            event.remove(database.engine.sync_engine, "before_cursor_execute", record)
        statement, parameters = next(each for each in seen if "ORDER BY" in each[0])
        connection = await session.connection()
        rows = await connection.exec_driver_sql(f"explain {statement}", parameters)
        return "\n".join(row[0] for row in rows.all())


ORDERS = [
    ("-created_at", None, "Index Scan using ix_candidates_created_at"),
    ("-created_at", Place(now(), new_id()), "Index Scan using ix_candidates_created_at"),
    ("created_at", None, "Index Scan Backward using ix_candidates_created_at"),
    ("-updated_at", Place(now(), new_id()), "Index Scan Backward using ix_candidates_updated_at"),
    ("full_name", Place("Name 1", new_id()), "Index Scan using ix_candidates_full_name"),
    ("-years_of_experience", None, "Index Scan Backward using ix_candidates_years_of_experience"),
    ("years_of_experience", Place(3.0, new_id()), "Index Scan using ix_candidates_years_of_experience"),
]


@pytest.mark.parametrize(("sort", "after", "index"), ORDERS)
async def test_a_page_walks_the_index_of_its_order(
    database: Database, crowd: TenantFixture, sort: str, after: Place | None, index: str
) -> None:
    plan = await plan_of(database, crowd, sort, after)
    assert index in plan.replace("Index Only", "Index"), plan
    assert "Seq Scan" not in plan, plan
    assert "Sort" not in plan, plan


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Plans of the textual statements that are asked from here on."""
    seen: list[str] = []
    run = Session.rows

    async def explained(session: Session, sql: str, /, **parameters: Any) -> list[Any]:
        seen.append("\n".join(row[0] for row in await run(session, f"explain {sql}", **parameters)))
        return await run(session, sql, **parameters)

    monkeypatch.setattr(Session, "rows", explained)
    return seen


@pytest.mark.parametrize(("sort", "after", "index"), ORDERS)
async def test_everybody_is_listed_by_the_index_of_their_order(
    database: Database, crowd: TenantFixture, plans: list[str], sort: str, after: Place | None, index: str
) -> None:
    asked = Question(Filters(), None, None, (), now())
    async with database.transaction(crowd.caller, by_keys=True) as session:
        listed = await DirectoryRepository(session, asked).everybody(parse_sort(sort), after, 20)
        found = await DirectoryRepository(session, asked).page(parse_sort(sort), after, 20)
    assert [Place(row.place, row.id) for row in listed] == found
    assert index in plans[0], plans
    assert [each for each in ("Seq Scan", "Sort Key: c.", "hashed") if each in plans[0]] == [], plans


@pytest.mark.parametrize(
    ("q", "how"),
    [
        ("name", "Index Only Scan using ix_candidates_created_at"),  # what everybody is called: from the newest on
        ("na 12", "Index Only Scan using pk_terms"),  # what few are called: from the term
    ],
)
async def test_a_name_search_begins_where_fewest_are(
    database: Database, crowd: TenantFixture, plans: list[str], q: str, how: str
) -> None:
    asked = Question(Filters(), None, query_terms(q), (), now())
    async with database.transaction(crowd.caller) as session:
        found = await DirectoryRepository(session, asked).page(parse_sort("-created_at"), None, 20)
    assert len(found) == 20
    assert how in plans[0], plans
    assert "Seq Scan" not in plans[0], plans


async def test_a_rare_tag_is_found_by_its_term(database: Database, crowd: TenantFixture) -> None:
    plan = await plan_of(database, crowd, "-created_at", None, tag=["true"])
    assert "Index Only Scan using pk_terms" in plan, plan
    assert "Seq Scan" not in plan, plan


async def test_criteria_begin_at_the_terms_that_they_need(database: Database, crowd: TenantFixture) -> None:
    tree = {"any": [{"all": [{"field": "tags", "op": "has", "value": "TRUE"}, {"field": "headline", "op": "exists"}]}]}
    plan = await plan_of(database, crowd, "-created_at", None, criteria=tree)
    assert "Index Only Scan using pk_terms" in plan, plan
    assert "Seq Scan" not in plan, plan


async def test_a_search_looks_for_its_people_once(
    database: Database, crowd: TenantFixture, client_of: Callable[[str], httpx.AsyncClient]
) -> None:
    """The page and the facets are told by one statement."""
    asked = {"q": "name", "facets": ["tags", "current_company"]}
    api, seen = client_of(crowd.key), list[str]()
    stop = count_statements(database.engine, seen)
    found = await api.post("/v1/candidates/search", json={**asked, "limit": 20})
    stop()
    assert len([each for each in seen if "FROM terms" in each]) == 1
    by_itself = await api.post("/v1/candidates/search", json={**asked, "facets": [], "limit": 20})
    assert found.json()["data"] == by_itself.json()["data"]
    assert len(found.json()["data"]) == 20


@pytest.mark.parametrize("sort", ["full_name", "-years_of_experience"])
async def test_few_by_another_order_are_looked_up_not_walked_to(
    database: Database, crowd: TenantFixture, sort: str
) -> None:
    plan = await plan_of(database, crowd, sort, None, "na 12")
    assert "CTE met" in plan, plan
    assert "Index Only Scan using pk_terms" in plan, plan
    assert f"ix_candidates_{sort.removeprefix('-')}" not in plan, plan


async def test_many_by_another_order_are_gathered_and_looked_for_on_the_way(
    database: Database, crowd: TenantFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Question(Filters(), None, query_terms("na 12"), (), now())

    async def page() -> list[Place]:
        async with database.transaction(crowd.caller) as session:
            return await DirectoryRepository(session, asked).page(parse_sort("full_name"), None, 20)

    looked_up = await page()
    monkeypatch.setattr(repository, "FEW", 0)
    assert await page() == looked_up
    plan = await plan_of(database, crowd, "full_name", None, "na 12")
    assert "hashed SubPlan" in plan, plan
    assert "Scan using ix_candidates_full_name" in plan, plan


@pytest.mark.parametrize("many", [1, 50, 500])
async def test_who_is_named_by_ids_is_looked_up_by_them(
    database: Database, crowd: TenantFixture, plans: list[str], many: int
) -> None:
    async with database.transaction(crowd.caller) as session:
        newest = await session.rows("select id from candidates order by id desc limit :many", many=many)
        ids = [row.id for row in newest]
        plans.clear()
        await service.read_many(session, ids)
        await DirectoryRepository(session, Question(Filters(), None, None, (), now())).documents(ids)
        await consent.judged_reach(session, ids, now())
        await candidates.resolve_many(session, ids)
        await candidates.records_of(session, ids)
        await candidates.features_of(session, ids)
    assert len(plans) > 5
    assert [plan for plan in plans if "Seq Scan on candidates" in plan or "Seq Scan on records" in plan] == []
