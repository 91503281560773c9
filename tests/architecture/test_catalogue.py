"""What the database itself says about tenancy: read from its catalogue, table by table."""

from typing import Final

from app.kit.db import Database
from tests.conftest import TenantFixture

GLOBAL_UNIQUE: Final = {"uq_api_keys_id_text", "uq_tenants_name", "pk_tenants"}
"""Unique across tenants on purpose: they are looked up before the tenant is known."""
NO_TENANT: Final = {"tenants", "alembic_version"}

SET: Final = "(current_setting('app.tenant'::text))::uuid"
INSIDE: Final = {SET, f"( SELECT {SET} AS current_setting)"}
"""The tenant, as the planner looks it up, or, where plans are kept, as it does not."""
TABLES: Final = """
select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
  pg_get_userbyid(c.relowner) as owner,
  (select count(*) from pg_policy p where p.polrelid = c.oid) as policies,
  (select bool_and(pg_get_expr(polqual, polrelid) = pg_get_expr(polwithcheck, polrelid) and polcmd = '*'
     and polpermissive) from pg_policy p where p.polrelid = c.oid) as whole,
  (select string_agg(pg_get_expr(polqual, polrelid), '') from pg_policy p where p.polrelid = c.oid) as rule
from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
"""
UNIQUE: Final = """
select c.relname as name, i.indrelid::regclass::text as table_name,
  (select attname from pg_attribute a where a.attrelid = i.indrelid and a.attnum = i.indkey[0]) as first_column
from pg_index i join pg_class c on c.oid = i.indexrelid
where i.indisunique and c.relnamespace = 'public'::regnamespace
"""
FOREIGN: Final = """
select c.conname as name, c.conrelid::regclass::text as table_name, c.confdeltype as on_delete,
  (select attname from pg_attribute a where a.attrelid = c.conrelid and a.attnum = c.conkey[1]) as first_column,
  exists (select from pg_index i where i.indrelid = c.conrelid and i.indisvalid
          and (i.indkey::int2[])[0:array_length(c.conkey, 1) - 1] @> c.conkey) as indexed
from pg_constraint c where c.contype = 'f' and c.connamespace = 'public'::regnamespace
"""
DEFINERS: Final = """
select p.proname as name, pg_get_userbyid(p.proowner) as owner, p.proconfig as config,
  has_function_privilege('public', p.oid, 'execute') as everybody
from pg_proc p where p.prosecdef and p.pronamespace = 'public'::regnamespace
"""


async def _rows(database: Database, tenant: TenantFixture, sql: str) -> list[dict[str, object]]:
    async with database.transaction(tenant.caller) as session:
        return [dict(row) for row in await session.rows(sql)]


async def test_every_table_is_forced_under_one_whole_policy(database: Database, tenant: TenantFixture) -> None:
    tables = {row["name"]: row for row in await _rows(database, tenant, TABLES)}
    assert len(tables) > 10
    for name, row in tables.items():
        if name == "alembic_version":
            continue
        column = "id" if name == "tenants" else "tenant_id"
        assert (row["enabled"], row["forced"], row["policies"], row["whole"]) == (True, True, 1, True), name
        assert row["rule"] in {f"({column} = {inside})" for inside in INSIDE}, name
        assert row["owner"] == "talentpool_owner", name


async def test_every_unique_key_begins_with_the_tenant(database: Database, tenant: TenantFixture) -> None:
    keys = await _rows(database, tenant, UNIQUE)
    loose = {row["name"] for row in keys if row["first_column"] != "tenant_id" and row["table_name"] not in NO_TENANT}
    assert loose <= GLOBAL_UNIQUE


async def test_every_foreign_key_carries_the_tenant_and_has_its_index(
    database: Database, tenant: TenantFixture
) -> None:
    keys = await _rows(database, tenant, FOREIGN)
    assert keys
    assert [row for row in keys if row["first_column"] != "tenant_id" or row["on_delete"] not in (b"a", b"r")] == []
    assert [f"{row['table_name']}.{row['name']}" for row in keys if not row["indexed"]] == []


async def test_the_service_owns_nothing_and_cannot_pass_the_policies(database: Database, tenant: TenantFixture) -> None:
    role = (
        await _rows(
            database, tenant, "select rolbypassrls, rolsuper, rolcreaterole from pg_roles where rolname = current_user"
        )
    )[0]
    assert not any(role.values())
    owned = await _rows(database, tenant, "select relname from pg_class where pg_get_userbyid(relowner) = current_user")
    assert owned == []


async def test_routing_functions_belong_to_the_router_and_pin_their_search_path(
    database: Database, tenant: TenantFixture
) -> None:
    functions = {row["name"]: row for row in await _rows(database, tenant, DEFINERS)}
    assert {"auth_key", "due_tenants", "feed_tenants", "tenant_named"} <= functions.keys()
    for row in functions.values():
        assert row["owner"] == "talentpool_router"
        assert "search_path=pg_catalog, public" in str(row["config"])
        assert row["everybody"] is False


async def test_without_a_tenant_every_table_refuses_loudly(database: Database, tenant: TenantFixture) -> None:
    tables = [row["name"] for row in await _rows(database, tenant, TABLES) if row["name"] != "alembic_version"]
    for name in tables:
        async with database.engine.connect() as connection:
            for setting in ("", None):  # a reused connection reads '', a fresh one nothing at all
                if setting is not None:
                    await connection.exec_driver_sql("select set_config('app.tenant', '', true)")
                refused = False
                try:
                    await connection.exec_driver_sql(f"select count(*) from {name}")  # noqa: S608 (from the catalogue)
                except Exception as error:  # noqa: BLE001 (any refusal counts)
                    refused = "app.tenant" in str(error) or "uuid" in str(error)
                await connection.rollback()
                assert refused or await _is_empty_without_rows(database, tenant, str(name)), name


async def _is_empty_without_rows(database: Database, tenant: TenantFixture, name: str) -> bool:
    """A policy is not evaluated over no rows at all."""
    return not await _rows(database, tenant, f"select 1 from {name} limit 1")  # noqa: S608 (from the catalogue)
