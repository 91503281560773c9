"""The edge: a route class that authenticates, opens the transaction, keeps idempotency, and answers after the commit.

What a handler needs is put on `request.state`: `caller` and `session`. An operation names its scope once, in
`operation`, which is both what is enforced and what the OpenAPI document says.
"""

import asyncio
import hashlib
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from sqlalchemy.exc import DBAPIError

from app.kit import errors, json
from app.kit.body import JsonRequest
from app.kit.caller import Caller
from app.kit.clock import now
from app.kit.db import Session
from app.kit.errors import AppError, FieldError
from app.kit.lean import Next, shortened
from app.kit.rate import LocalRate, cost_of
from app.kit.schemas import Problem

KEPT: Final = timedelta(days=7)
KEY_LENGTH: Final = 255
SWEPT: Final = 20
"""How many expired answers each new one takes away: they hold what people sent, and nobody may keep that longer."""
RETRIED: Final = frozenset({"40P01", "40001"})
"""SQLSTATE of deadlock and serialisation failure: the transaction is rolled back whole, so it is run again."""
ATTEMPTS: Final = 5
PAUSE_S: Final = 0.02
"""Twice as long after each attempt, at most: those who met do not all come back at the same moment."""
HTTP_300: Final = 300
COMMON: Final = (
    errors.Unauthorized,
    errors.Forbidden,
    errors.Invalid,
    errors.TooManyRequests,
    errors.Unavailable,
)


@dataclass(frozen=True, slots=True)
class Audited:
    """An operation that leaves a row of who asked for it: its id, and whether it reads people or writes."""

    action: str
    kind: Literal["read", "write"]


def operation(
    scope: str,
    *raises: type[AppError],
    empty_body: bool = False,
    media: Sequence[str] = ("application/json",),
    max_body: int | None = None,
    secret: str | None = None,
    by_keys: bool = False,
    each_alone: bool = False,
    **extra: Any,  # noqa: ANN401 (parts of an OpenAPI operation)
) -> dict[str, Any]:
    """Return the keyword arguments of a route: its scope, the problems it declares, and how its body is read.

    `scope` is `area:read`, `area:write`, `any` (a valid key is enough) or `public`; `empty_body` reads an empty body
    as `{}`; `max_body` is in bytes; `secret` names a member that is stored as null for replays; `by_keys` is how its
    transaction plans (`Database.transaction`); with `each_alone` text or a number that cannot be kept
    in one of a body's `items` fails that one.
    """
    security: list[dict[str, list[str]]] = [] if scope == "public" else [{"apiKey": [] if scope == "any" else [scope]}]
    common = () if scope == "public" else COMMON
    edge = {
        "empty_body": empty_body,
        "media": list(media),
        "max_body": max_body,
        "secret": secret,
        "by_keys": by_keys,
        "each_alone": each_alone,
    }
    return {
        "responses": problems(*common, *raises),
        "openapi_extra": {"security": security, "x-edge": edge, **extra},
    }


def problems(*raises: type[AppError]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of an operation that may answer these problems."""
    found: dict[int | str, dict[str, Any]] = {}
    for error in raises:
        codes = found.setdefault(error.status, {"model": Problem, "description": error.title, "x-codes": []})["x-codes"]
        if error.code not in codes:
            codes.append(error.code)
    return found


class EdgeRoute(APIRoute):
    """Precedence of answers: 401, 403, 415, 413, 400, 404, 428, 412, 422."""

    def get_route_handler(self) -> Next:
        handle = shortened(self, super().get_route_handler())
        extra = self.openapi_extra or {}
        edge = extra.get("x-edge", {})
        security = extra.get("security", [])
        scope = next(iter(security[0]["apiKey"]), None) if security else None
        audited = _audited(self.name, scope, self.methods or ())
        known = _query_names(self.dependant)
        takes_json = self.body_field is not None and "json" in str(edge.get("media", "json"))

        async def answer(request: Request) -> Response:
            request = JsonRequest(request.scope, request.receive, edge)
            caller = await request.app.state.authenticate(request) if security else None
            if caller is not None:
                request.state.caller = caller
                await _admit(request, caller, scope)
            _refuse_unknown_parameters(request, known)
            _refuse_nul(request)
            if takes_json:
                await request.check_media()
            if caller is None:
                return await handle(request)
            response = await _transact(request, caller, self.path_format, handle, audited)
            await _charge(request, caller)
            return response

        return answer


async def _admit(request: Request, caller: Caller, scope: str | None) -> None:
    """Hold the caller to the rate limit, then to the scope."""
    rate: LocalRate | None = request.app.state.rate
    if rate is not None:
        admitted, request.state.rate = await rate.take(caller.key_id)
        if not admitted:
            raise errors.TooManyRequests(headers={"Retry-After": str(request.state.rate.reset_s)})
    if scope is not None and not caller.may(scope):
        raise errors.Forbidden(scope=scope)


async def _charge(request: JsonRequest, caller: Caller) -> None:
    """Count the items of a batch, of which the first hundred are counted already."""
    rate: LocalRate | None = request.app.state.rate
    if rate is not None and (more := cost_of(request.batch_size) - 1):
        _, request.state.rate = await rate.take(caller.key_id, more)


def _audited(action: str, scope: str | None, methods: Collection[str]) -> Audited | None:
    """Say what an operation leaves in the audit: what touchpoints write does not, each is a row of its own."""
    if scope is None or scope == "touchpoints:write":
        return None
    return Audited(action, "read" if scope.endswith(":read") or "GET" in methods else "write")


async def _transact(
    request: JsonRequest, caller: Caller, route: str, handle: Next, audited: Audited | None
) -> Response:
    by_keys = bool(request.edge.get("by_keys"))
    for attempt in range(ATTEMPTS):
        try:
            async with request.app.state.database.transaction(caller, by_keys=by_keys) as session:
                request.state.session = session
                response = await _keyed(request, session, f"{request.method} {route}", handle)
                if audited is not None and response.status_code < HTTP_300:
                    await request.app.state.audit(session, audited, request, response)
                return response
        except (errors.Overtaken, DBAPIError) as error:
            if isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) not in RETRIED:
                raise
            if attempt == ATTEMPTS - 1:
                raise errors.Overtaken from error
            await asyncio.sleep(random.uniform(0, PAUSE_S * 2**attempt))  # noqa: S311 (a spread)
    raise AssertionError


async def _keyed(request: JsonRequest, session: Session, route: str, handle: Next) -> Response:
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method != "POST":
        return await handle(request)
    if not 0 < len(key) <= KEY_LENGTH:
        raise errors.Invalid(errors=[FieldError("/header/Idempotency-Key", "invalid_key", "1 to 255 characters.")])
    fingerprint = await _fingerprint(request)
    lock = int.from_bytes(
        hashlib.blake2b(f"{session.tenant_id}{route}{key}".encode(), digest_size=8).digest(), signed=True
    )
    if not await session.value("select pg_try_advisory_xact_lock(:lock)", lock=lock):
        raise errors.IdempotencyInProgress
    stored = await session.row(
        """select fingerprint, status, headers, body from idempotency_keys
           where route = :route and key = :key and expires_at > now()""",
        route=route,
        key=key,
    )
    if stored is not None:
        if stored.fingerprint != fingerprint:
            raise errors.IdempotencyMismatch
        if stored.status >= 400:  # noqa: PLR2004 (a problem names its request, as X-Request-Id does)
            request.state.request_id = json.loads(stored.body)["request_id"]
        return Response(stored.body, stored.status, {**stored.headers, "Idempotency-Replayed": "true"})
    response = await _effect(request, session, handle)
    await _store(request, session, route, key, fingerprint, response)
    return response


async def _effect(request: JsonRequest, session: Session, handle: Next) -> Response:
    """Run the handler; what a 409 of the effect had written is undone, and the 409 itself is the answer to be kept."""
    savepoint = await session.savepoint()
    try:
        response = await handle(request)
    except errors.Conflict as conflict:
        await savepoint.rollback()
        return render(conflict, request)
    await savepoint.commit()
    return response


async def _store(
    request: JsonRequest, session: Session, route: str, key: str, fingerprint: bytes, response: Response
) -> None:
    body = bytes(response.body)
    secret = request.edge.get("secret")
    if secret and response.status_code < 300:  # noqa: PLR2004 (2xx)
        body = json.dumpb({**json.loads(body), secret: None})
    kept = {
        name: value
        for name, value in response.headers.items()
        if name in {"content-type", "location", "etag", "content-location", "link"}
    }
    await session.run(
        """insert into idempotency_keys (route, key, fingerprint, status, headers, body, expires_at)
           values (:route, :key, :fingerprint, :status, cast(:headers as jsonb), :body, :expires_at)
           on conflict (tenant_id, route, key) do update set
             fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers,
             body = excluded.body, expires_at = excluded.expires_at""",
        route=route,
        key=key,
        fingerprint=fingerprint,
        status=response.status_code,
        headers=json.dumps(kept),
        body=body,
        expires_at=now() + KEPT,
    )
    await session.run(
        """delete from idempotency_keys where (route, key) in (
             select route, key from idempotency_keys where expires_at <= now()
             order by expires_at limit :most for update skip locked)""",
        most=SWEPT,
    )


async def _fingerprint(request: JsonRequest) -> bytes:
    parts = hashlib.blake2b(digest_size=16)
    for part in (
        request.method.encode(),
        request.url.path.encode(),
        request.url.query.encode(),
        await request.body(),
    ):
        parts.update(len(part).to_bytes(8))
        parts.update(part)
    return parts.digest()


def _query_names(dependant: Dependant) -> set[str]:
    names = {parameter.alias for parameter in dependant.query_params}
    return names.union(*(_query_names(needed) for needed in dependant.dependencies))


def _refuse_unknown_parameters(request: Request, known: set[str]) -> None:
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        raise UnknownParameter(
            errors=[
                FieldError("/query", "unknown_parameter", "The query holds a parameter that this list does not know.")
            ]
        )


def _refuse_nul(request: Request) -> None:
    """No text that is kept holds a NUL: a path with one names nothing, a parameter with one is wrong."""
    if "\x00" in request.scope["path"]:
        raise errors.NotFound
    wrong = {name for name, value in request.query_params.multi_items() if "\x00" in value}
    if wrong:
        raise errors.Invalid(
            errors=[FieldError(f"/query/{name}", "invalid_text", "Text must hold no NUL.") for name in sorted(wrong)]
        )


class UnknownParameter(errors.Invalid):
    """The query holds a parameter that this operation does not know."""

    code = "unknown_parameter"


def render(error: AppError, request: Request) -> Response:
    """Render the one form in which an error leaves the service."""
    request_id = getattr(request.state, "request_id", "00000000-0000-0000-0000-000000000000")
    return Response(error.body(request_id), error.status, error.headers, "application/problem+json")


async def session_of(request: Request) -> Session:
    """Return the transaction of this request (a coroutine: plain functions would be sent to a thread)."""
    session: Session = request.state.session
    return session


SessionDep = Annotated[Session, Depends(session_of)]
