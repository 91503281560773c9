"""How a page is asked for: the language, the form, and a transaction that is run again when it met another one."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar
from urllib.parse import parse_qs
from uuid import UUID

from fastapi import Request

from app.kit import caller
from app.kit.db import Session
from app.kit.errors import Overtaken
from app.pages.reader import Asked
from app.pages.repository import is_conflict
from app.pages.wording import accepted

MOST_BYTES: Final = 1 << 16
"""Of a form; what is more is not read."""
MOST_FIELDS: Final = 200
MOST_AGENT: Final = 2000
MOST_ADDRESS: Final = 100
ATTEMPTS: Final = 5

R = TypeVar("R")
Form = Mapping[str, list[str]]


async def inside(request: Request, tenant_id: UUID, what: str, work: Callable[[Session], Awaitable[R]]) -> R:
    """Do some work in one transaction of a tenant."""
    for attempt in range(ATTEMPTS):
        try:
            async with request.app.state.database.transaction(caller.system(tenant_id, what)) as session:
                return await work(session)
        except Exception as error:  # only a transaction that met another one is run again
            if attempt == ATTEMPTS - 1 or not (isinstance(error, Overtaken) or is_conflict(error)):
                raise
    raise AssertionError


def asked(request: Request) -> Asked:
    """Return the language that the page's own switch asks for, and those that the browser prefers."""
    return Asked(request.query_params.get("lang"), accepted(request.headers.get("Accept-Language", "")))


async def form(request: Request) -> Form:
    """Return the fields of a form of ours; of any other body, and of one that is too long, none."""
    if not request.headers.get("Content-Type", "").lower().startswith("application/x-www-form-urlencoded"):
        return {}
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > MOST_BYTES:
            return {}
    try:
        fields = parse_qs(read.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return {}
    return {name: [value.replace("\x00", "") for value in values] for name, values in fields.items()}


def one(fields: Form, name: str) -> str:
    """Return a field's only value; empty when there is none."""
    return fields.get(name, [""])[0].strip()
