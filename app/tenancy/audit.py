"""Who did what to whom: one row for each request that wrote or showed people, in the transaction of what it did."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final
from uuid import UUID

from fastapi import Request, Response

from app.kit import json
from app.kit.answer import Plain
from app.kit.db import Session
from app.kit.routing import Audited

ALL: Final = ("*",)
"""Every field of what was shown."""
_ID: Final = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_IN_PATH: Final = re.compile(_ID)
_PERSON: Final = re.compile(rf'"(?:candidate_id|left_id|right_id|survivor_id|loser_id)":"({_ID})"'.encode())
_PEOPLE: Final = "candidates"
"""The resource whose own ids are people's."""


async def write(session: Session, audited: Audited, request: Request, response: Response) -> None:
    """Record a request on the resources that its path, its `Location` and its answer name.

    A read leaves a row when it showed somebody: whom, and which fields of them.
    """
    path: str = request.scope["path"]
    resource = path.split("/")[2]
    shown = list(dict.fromkeys(_shown(resource, response)))
    if audited.kind == "read" and not shown:
        return
    named = _named([path, response.headers.get("Location", "")])
    await _insert(
        session,
        kind=audited.kind,
        action=audited.action,
        resource=resource,
        ids=list(dict.fromkeys([*named, *shown])),
        fields=_fields(request) if audited.kind == "read" else (),
    )


async def disclose(
    session: Session, action: str, recipient: str, ids: Collection[UUID], fields: Collection[str] = ALL
) -> None:
    """Record that `recipient` was given these fields of these people: by a file, a webhook, an export."""
    await _insert(
        session, kind="disclosure", action=action, resource=_PEOPLE, ids=ids, fields=fields, recipient=recipient
    )


async def _insert(session: Session, *, recipient: str | None = None, **columns: Any) -> None:  # noqa: ANN401 (columns)
    caller = session.caller
    await session.run(
        """insert into audit (kind, actor, act_as, action, resource, ids, recipient, request_id, fields)
           values (:kind, :actor, :act_as, :action, :resource, :ids, :recipient, :request_id, :fields)""",
        actor=caller.actor,
        act_as=caller.act_as,
        request_id=caller.request_id,
        recipient=recipient,
        **{
            name: list(value) if isinstance(value, Collection) and not isinstance(value, str) else value
            for name, value in columns.items()
        },
    )


def _named(paths: Iterable[str]) -> list[UUID]:
    return [UUID(found) for path in paths for found in _IN_PATH.findall(path)]


def _shown(resource: str, response: Response) -> Iterator[UUID]:
    """Return whom an answer is about: by the members that name people, and by the ids of candidates themselves."""
    if isinstance(response, Plain):
        yield from response.people
        return
    body = bytes(getattr(response, "body", b""))
    if resource == _PEOPLE and body.startswith(b"{"):
        answered = json.loads(body)
        rows = answered.get("data") or answered.get("items") or [answered]
        for row in rows:
            found = row.get("candidate_id", row.get("id")) if isinstance(row, dict) else None
            if isinstance(found, str) and _IN_PATH.fullmatch(found):
                yield UUID(found)
    yield from (UUID(found.decode()) for found in _PERSON.findall(body))


def _fields(request: Request) -> Collection[str]:
    """Return which fields were asked for."""
    asked = [name for given in request.query_params.getlist("fields") for name in given.split(",")]
    return tuple(dict.fromkeys(asked)) or ALL
