"""What is rolled back by itself, and what stays."""

from app.kit.db import Database
from tests.conftest import TenantFixture

INSERT = "insert into candidates (id, full_name) values (uuidv7(), :name)"


async def test_a_savepoint_takes_back_textual_statements(database: Database, tenant: TenantFixture) -> None:
    async with database.transaction(tenant.caller) as session:
        await session.run(INSERT, name="kept")
        savepoint = await session.savepoint()
        await session.run(INSERT, name="taken back")
        await savepoint.rollback()
        savepoint = await session.savepoint()
        await session.run(INSERT, name="committed")
        await savepoint.commit()
    async with database.transaction(tenant.caller) as session:
        rows = await session.rows("select full_name from candidates order by id")
    assert [row.full_name for row in rows] == ["kept", "committed"]
