"""Who did what: one row for each request that wrote, in the transaction of what it wrote."""

import re
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from fastapi import Request, Response

from app.kit.db import Session

_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def write(session: Session, action: str, request: Request, response: Response) -> None:
    """Record the caller's `action` (an operation id) on the resources that its path and its `Location` name."""
    caller = session.caller
    await session.run(
        """insert into audit (actor, act_as, action, resource, ids, request_id)
           values (:actor, :act_as, :action, :resource, :ids, :request_id)""",
        actor=caller.actor,
        act_as=caller.act_as,
        action=action,
        resource=request.url.path.split("/")[2],
        ids=_named([request.url.path, response.headers.get("Location", "")]),
        request_id=caller.request_id,
    )


def _named(paths: Iterable[str]) -> list[UUID]:
    """Return the ids in `paths`, each once."""
    return [UUID(found) for found in dict.fromkeys(found for path in paths for found in _ID.findall(path))]
