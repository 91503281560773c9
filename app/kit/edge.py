"""The outermost layer: request ids, one line of log a request, metrics, health, and every error as a problem."""

import time
from functools import reduce
from typing import Any, Final, cast

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from pydantic import ConfigDict
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException as StarletteHTTPException  # noqa: TID251 (caught, never raised)
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kit import errors
from app.kit.errors import AppError, FieldError
from app.kit.ids import new_id
from app.kit.log import get_logger
from app.kit.pointers import at_unknown, below
from app.kit.rate import Allowance
from app.kit.routing import problems, render
from app.kit.schemas import Schema

log = get_logger(__name__)

REQUESTS = Counter("talentpool_requests_total", "Requests by operation and status.", ["operation", "status"])
SECONDS = Histogram(
    "talentpool_request_seconds",
    "Time to the answer, by operation.",
    ["operation"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
TRANSIENT: Final = ("08", "53", "57P", "55P03", "25P03")
"""SQLSTATE classes of a database that is away, full, starting or too busy: the client may try again."""
BY_STATUS: Final = {
    400: errors.Malformed,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.TooLarge,
    415: errors.UnsupportedMediaType,
    422: errors.Invalid,
}


class Envelope:
    """Gives each request its id, measures it, and writes one line about it: ids, never values."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        begun, status = time.perf_counter(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                rate: Allowance | None = scope["state"].get("rate")
                limits = rate.headers if rate is not None else []
                told = scope["state"]["request_id"]
                message["headers"] = [*message["headers"], (b"x-request-id", told.encode()), *limits]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, answer)
            finally:
                self._write(scope, status, time.perf_counter() - begun)

    def _write(self, scope: Scope, status: int, seconds: float) -> None:
        name = getattr(scope.get("route"), "name", "none")
        REQUESTS.labels(name, str(status)).inc()
        SECONDS.labels(name).observe(seconds)
        log.debug("request", operation=name, method=scope["method"], status=status, ms=round(seconds * 1000, 1))


def install(app: FastAPI) -> None:
    """Put the envelope, the health routes and the error handlers on `app`."""
    app.add_middleware(cast("Any", Envelope))
    public: dict[str, Any] = {"tags": ["health"], "openapi_extra": {"security": []}}
    app.add_api_route("/livez", livez, summary="Whether the process is alive", **public)
    app.add_api_route(
        "/readyz", readyz, summary="Whether it can serve", responses=problems(errors.Unavailable), **public
    )
    app.add_api_route("/metrics", metrics, summary="Figures for Prometheus", response_class=PlainTextResponse, **public)
    app.add_exception_handler(AppError, _app_error)
    app.add_exception_handler(errors.NotModified, _not_modified)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(StarletteHTTPException, _http)
    app.add_exception_handler(DBAPIError, _database)
    app.add_exception_handler(PoolTimeout, _unavailable)
    app.add_exception_handler(OSError, _unavailable)
    app.add_exception_handler(Exception, _crash)


class Health(Schema):
    """The service answers."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "ok"}})
    status: str


async def livez() -> Health:
    """Whether the process is alive."""
    return Health(status="ok")


async def readyz(request: Request) -> Health:
    """Whether the process can serve: the database answers and its schema is there."""
    try:
        async with request.app.state.database.outside() as connection:
            await connection.execute(text("select 1 from alembic_version"))
    except (OSError, DBAPIError, PoolTimeout, TimeoutError):
        raise errors.Unavailable from None
    return Health(status="ok")


async def metrics() -> Response:
    """What Prometheus reads."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _app_error(request: Request, error: Exception) -> Response:
    return render(cast("AppError", error), request)


async def _not_modified(_: Request, answer: Exception) -> Response:
    return Response(status_code=304, headers={"ETag": cast("errors.NotModified", answer).etag})


async def _validation(request: Request, error: Exception) -> Response:
    wrong = cast("RequestValidationError", error)
    found = wrong.errors()
    if any(item["loc"][0] == "path" for item in found):
        return render(errors.NotFound(), request)
    if any(item["type"] == "json_invalid" for item in found):
        return render(errors.Malformed(), request)
    return render(errors.Invalid(errors=[field_error(item, wrong.body) for item in found]), request)


def field_error(item: Any, body: Any = None) -> FieldError:  # noqa: ANN401 (pydantic's error details, any JSON value)
    """Turn one of pydantic's errors into ours: its place (in `body`, when that is known), its kind, never a value."""
    place, *rest = item["loc"]
    if place == "body" and body is not None:
        rest = _written(rest, body, is_missing=item["type"] == "missing")
    root = "" if place == "body" else f"/{place}"
    pointer = at_unknown(root, *rest) if item["type"] == "extra_forbidden" else reduce(below, rest, root)
    return FieldError(pointer, item["type"], SENTENCES.get(item["type"], "Not a valid value."))


def _written(place: list[Any], body: Any, *, is_missing: bool) -> list[Any]:  # noqa: ANN401 (any JSON value)
    """Drop from a place what is not in the body: pydantic puts the kind of a member of a union there."""
    kept: list[Any] = []
    for index, part in enumerate(place):
        if isinstance(body, dict) and part not in body and not (is_missing and index == len(place) - 1):
            continue
        kept.append(part)
        if isinstance(body, dict):
            body = body.get(part)
        elif isinstance(body, list) and isinstance(part, int) and part < len(body):
            body = body[part]
    return kept


SENTENCES: Final = {
    "missing": "This field is required.",
    "extra_forbidden": "This field is not known here.",
    "string_type": "This must be text.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "float_type": "This must be a number.",
    "bool_type": "This must be true or false.",
    "list_type": "This must be an array.",
    "dict_type": "This must be an object.",
    "model_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
    "uuid_parsing": "This must be an id (a UUID).",
    "not_a_moment": "This must be a moment, as 2026-11-23T09:00:00Z.",
    "not_a_day": "This must be a date, as 2026-11-23.",
    "not_nullable": "This can be changed, but not cleared.",
    "datetime_from_date_parsing": "This must be a moment, as 2026-11-23T09:00:00Z.",
    "timezone_aware": "This moment needs a zone, as in 2026-11-23T09:00:00Z.",
    "date_from_datetime_parsing": "This must be a date, as 2026-11-23.",
    "string_too_long": "This text is too long.",
    "string_too_short": "This text is too short.",
    "too_long": "These are too many.",
    "too_short": "These are too few.",
    "literal_error": "This is none of the values that are known here.",
    "enum": "This is none of the values that are known here.",
    "string_pattern_mismatch": "This text does not have the form that is asked here.",
    "name_taken": "Two of these have one name.",
    "first_tier": "Exactly one tier has null for its start, and it is the first.",
    "not_rising": "Each of these must be larger than the one before.",
    "greater_than": "This number is too small.",
    "greater_than_equal": "This number is too small.",
    "less_than": "This number is too large.",
    "less_than_equal": "This number is too large.",
}


async def _http(request: Request, error: Exception) -> Response:
    if isinstance(error.__cause__, AppError):  # FastAPI wraps what reading a body raises
        return render(error.__cause__, request)
    http = cast("StarletteHTTPException", error)
    kind = BY_STATUS.get(http.status_code, errors.Malformed)
    headers = {"Allow": _methods(request)} if kind is errors.MethodNotAllowed else dict(http.headers or {})
    return render(kind(headers=headers), request)


def _methods(request: Request) -> str:
    """Return what this path can be asked for: it may have a route for each method, in several routers."""
    included = (getattr(route, "original_router", None) for route in request.app.routes)
    routes = [*request.app.routes, *(route for router in included if router for route in router.routes)]
    here = [
        route for route in routes if isinstance(route, APIRoute) and route.matches(request.scope)[0] is not Match.NONE
    ]
    return ", ".join(sorted({method for route in here for method in route.methods or ()}))


async def _database(request: Request, error: Exception) -> Response:
    failure = cast("DBAPIError", error)
    state = str(getattr(failure.orig, "sqlstate", None) or "")
    away = failure.connection_invalidated or isinstance(failure, InterfaceError) or state.startswith(TRANSIENT)
    if away or (isinstance(failure, OperationalError) and not state):
        log.warning("database.unavailable", sqlstate=state, exc_info=error)
        return render(errors.Unavailable(), request)
    return await _bug(request, error)


async def _unavailable(request: Request, error: Exception) -> Response:
    log.warning("dependency.unavailable", exc_info=error)
    return render(errors.Unavailable(), request)


async def _crash(request: Request, error: Exception) -> Response:
    """Answer what nothing else did: this is outside of the envelope, which would have given the request its id."""
    answer = await _bug(request, error)
    answer.headers["X-Request-Id"] = request.state.request_id
    return answer


async def _bug(request: Request, error: Exception) -> Response:
    log.error("request.failed", exc_info=error)
    return render(errors.Bug(), request)
