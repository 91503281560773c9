"""Brings a database to this version: roles, then migrations. Also what `alembic` needs from the command line."""

import asyncio
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from app.kit.db import driver_url

ROOT: Final = Path(__file__).parents[2]
OLDEST_SERVER: Final = 180_000
"""PostgreSQL 18, in the server's own number form: casefold() and its collation are used for text that is compared."""

ROLES: Final = """
do $$ begin
  perform pg_advisory_xact_lock(7414201);
  if not exists (select from pg_roles where rolname = 'talentpool_owner') then
    create role talentpool_owner nologin;
  end if;
  if not exists (select from pg_roles where rolname = 'talentpool_app') then create role talentpool_app nologin; end if;
  if not exists (select from pg_roles where rolname = 'talentpool_router') then
    create role talentpool_router nologin bypassrls;
  end if;
  if not pg_has_role(current_user, 'talentpool_owner', 'SET') then
    execute format('grant talentpool_owner to %I with set true', current_user);
  end if;
  if not pg_has_role(current_user, 'talentpool_app', 'SET') then
    execute format('grant talentpool_app to %I with set true', current_user);
  end if;
  if not pg_has_role('talentpool_owner', 'talentpool_router', 'SET') then
    grant talentpool_router to talentpool_owner with set true, inherit true;
  end if;
  execute format('grant create, connect on database %I to talentpool_owner', current_database());
  grant usage, create on schema public to talentpool_owner;
  grant usage on schema public to talentpool_app;
  grant usage, create on schema public to talentpool_router;
end $$
"""


class DatabaseUnusable(Exception):
    """The database cannot be used; the message is one sentence for whoever starts the service."""


def config(url: str) -> Config:
    """Return alembic's configuration for one database."""
    settings = Config(str(ROOT / "alembic.ini"))
    settings.set_main_option("script_location", str(ROOT / "migrations"))
    settings.set_main_option("prepend_sys_path", str(ROOT))
    settings.attributes["url"] = driver_url(url)
    return settings


def upgrade(url: str, revision: str = "head") -> None:
    """Create the roles and bring the schema to `revision`; raises DatabaseUnusable."""
    asyncio.run(_prepare(url))
    command.upgrade(config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Take the schema back to `revision`."""
    command.downgrade(config(url), revision)


async def _prepare(url: str) -> None:
    engine = create_async_engine(driver_url(url), connect_args={"timeout": 5})
    try:
        async with engine.begin() as connection:
            version = int((await connection.execute(text("show server_version_num"))).scalar_one())
            if version < OLDEST_SERVER:
                found, needed = version // 10_000, OLDEST_SERVER // 10_000
                raise DatabaseUnusable(f"The database is PostgreSQL {found}; talentpool needs {needed} or newer.")
            await connection.execute(text(ROLES))
    except (OSError, TimeoutError) as error:
        raise DatabaseUnusable("The database of DATABASE_URL cannot be reached.") from error
    except DBAPIError as error:
        raise DatabaseUnusable(_sentence(error)) from error
    finally:
        await engine.dispose()


def _sentence(error: DBAPIError) -> str:
    state = getattr(error.orig, "sqlstate", None)
    if state == "42501":
        return (
            "The user of DATABASE_URL may not create the roles talentpool_owner, talentpool_app and talentpool_router."
        )
    if state in {"28P01", "28000"}:
        return "The database of DATABASE_URL refuses the user or the password."
    if state == "3D000":
        return "The database that DATABASE_URL names does not exist."
    return f"The database of DATABASE_URL cannot be used (SQLSTATE {state})."
