"""Real PostgreSQL, built by the migrations, one server per xdist worker.

Each test gets a tenant of its own: row-level security keeps tests apart as it keeps clients apart, transactions are
really committed, and nothing has to be cleaned up.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest
import pytest_socket
from fastapi import FastAPI
from hypothesis import HealthCheck, settings

from app.kit import caller, due, migrate
from app.kit.caller import Caller
from app.kit.db import Database
from app.kit.embedded import start_postgres
from app.kit.ids import new_id
from app.main import create_app
from app.settings import get_settings
from app.tenancy import bootstrap
from tests.documented import Documented
from tests.scale import HOUR, PROVING
from workers.main import load_tasks

DATABASE = "talentpool"


@dataclass(frozen=True)
class TenantFixture:
    """One tenant of one test, with its admin key."""

    id: UUID
    name: str
    key: str

    @property
    def caller(self) -> Caller:
        return caller.system(self.id, "test")

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def pytest_runtest_setup() -> None:
    pytest_socket.socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the scaled tests the time that their proof needs."""
    for item in items if PROVING else ():
        if item.get_closest_marker("more"):
            item.add_marker(pytest.mark.timeout(HOUR))


settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")
"""How fast an example is says something of the machine only, which others use at the same time."""


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """The address of a database that the migrations have just built."""
    with tempfile.TemporaryDirectory(prefix="tp-") as folder:
        Path(folder).chmod(0o755)  # the server runs as another user when the tests run as root
        server = start_postgres(Path(folder) / "pg", durable=False)
        try:
            server.ensure_database(DATABASE)
            url = server.database_url(DATABASE)
            migrate.upgrade(url)
            yield url
        finally:
            server.stop()


@pytest.fixture(scope="session")
def app(database_url: str) -> FastAPI:
    """The API process, in this one."""
    os.environ |= {
        "DATABASE_URL": database_url,
        "TALENTPOOL_DATA_DIR": tempfile.mkdtemp(prefix="tp-data-"),
        "TALENTPOOL_RATE_LIMIT": "0",
        "TALENTPOOL_SECRET_KEY": "0" * 64,
        "PUBLIC_BASE_URL": "https://talent.example.com",
    }
    get_settings.cache_clear()
    load_tasks()
    return create_app(get_settings())


@pytest.fixture(scope="session")
async def database(app: FastAPI) -> AsyncIterator[Database]:
    found: Database = app.state.database
    yield found
    await found.close()


@pytest.fixture
async def new_tenant(database: Database) -> Callable[[], Awaitable[TenantFixture]]:
    """Makes tenants."""

    async def make() -> TenantFixture:
        name = f"Test {new_id()}"
        tenant_id, key = await bootstrap.issue(database, name, [caller.ADMIN], "test")
        return TenantFixture(tenant_id, name, key)

    return make


@pytest.fixture
async def tenant(new_tenant: Callable[[], Awaitable[TenantFixture]]) -> TenantFixture:
    return await new_tenant()


@pytest.fixture(scope="session")
def served(app: FastAPI) -> Documented:
    """The API process, held to its document."""
    return Documented(app)


@pytest.fixture
async def client_of(served: Documented) -> AsyncIterator[Callable[[str], httpx.AsyncClient]]:
    """Makes HTTP clients that carry a key (or none, for an empty one)."""
    made: list[httpx.AsyncClient] = []

    def make(key: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        client = httpx.AsyncClient(transport=httpx.ASGITransport(served), base_url="http://testserver", headers=headers)
        made.append(client)
        return client

    yield make
    for client in made:
        await client.aclose()


@pytest.fixture
def api(client_of: Callable[[str], httpx.AsyncClient], tenant: TenantFixture) -> httpx.AsyncClient:
    """A client with the admin key of the test's tenant."""
    return client_of(tenant.key)


@pytest.fixture
def drain(database: Database) -> Callable[[], Awaitable[int]]:
    """Does everything that is due, as a worker would."""

    async def run() -> int:
        return await due.run_until_quiet(database)

    return run
