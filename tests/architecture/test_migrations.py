"""Migrations: one head, the models' schema exactly, and back."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from app.kit import migrate

VERSIONS = Path(__file__).parents[2] / "migrations" / "versions"


@pytest.fixture
def empty_database(database_url: str) -> str:
    """A database that nothing has been done to."""

    async def create() -> None:
        connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
        await connection.execute("create database empty")
        await connection.close()

    asyncio.run(create())
    return database_url.replace("/talentpool?", "/empty?")


def test_up_down_up_and_no_drift(empty_database: str) -> None:
    migrate.upgrade(empty_database)
    migrate.downgrade(empty_database, "base")
    migrate.upgrade(empty_database)
    try:
        command.check(migrate.config(empty_database))
    except CommandError as error:
        pytest.fail(f"the models and the migrations differ: {error}")


def test_one_line_of_revisions() -> None:
    script = ScriptDirectory.from_config(migrate.config("postgresql://unused/unused"))
    assert len(script.get_heads()) == 1
    names = sorted(path.stem for path in VERSIONS.glob("*.py"))
    assert [name[:4] for name in names] == [f"{number:04d}" for number in range(1, len(names) + 1)]


def test_every_revision_limits_its_locks() -> None:
    assert [path.name for path in VERSIONS.glob("*.py") if "lock_timeout" not in path.read_text()] == []
