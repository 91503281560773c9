"""create_app(): settings, log, database, routers, error handlers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware

from app import api, wiring
from app.kit import dispatch, edge, garbage, log, rate
from app.kit.db import Database
from app.kit.jobs import Waker
from app.kit.origins import Origins
from app.openapi import describe
from app.settings import DEFAULT_DATABASE_URL, Settings, get_settings
from app.tenancy import audit
from app.tenancy.auth import KeyAuthenticator, names_origin

COMPRESSED_FROM: Final = 1024
"""Bytes of a body; less is sent as quickly as it is."""
UNCOMPRESSED: Final = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "text/html")
"""What is a stream, or compressed already, and pages: they show a person's data beside what their address says, and the
length of a compressed page would tell how much of that is the same."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the API process; nothing is connected before the first request."""
    settings = settings or get_settings()
    log.configure(settings.log_level)
    wiring.wire()
    waker = Waker(settings.redis_url)
    database = Database(
        settings.database_url or DEFAULT_DATABASE_URL,
        pool_size=settings.db_pool_size,
        helped=False,
        on_wake=waker.wake,
    )

    limit = rate.make(settings.rate_limit, settings.redis_url)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        garbage.settle()
        yield
        await waker.close()
        if limit is not None:
            await limit.close()
        await database.close()

    app = FastAPI(
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    app.state.settings = settings
    app.state.database = database
    app.state.rate = limit
    app.state.audit = audit.write
    app.state.authenticate = KeyAuthenticator(database)
    for router in api.ROUTERS:
        app.include_router(router)
    app.add_middleware(
        GZipMiddleware, minimum_size=COMPRESSED_FROM, compresslevel=5, exclude_content_types=UNCOMPRESSED
    )
    app.add_middleware(Origins, find=partial(names_origin, database))
    edge.install(app)
    describe(app)
    dispatch.install(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
