from typing import Any, Final
from uuid import UUID

from pydantic import ConfigDict, JsonValue

from app.kit.schemas import Schema, Timestamp

EXAMPLE: Final[dict[str, JsonValue]] = {
    "seq": 41,
    "type": "candidate.created",
    "resource": "candidate",
    "id": "01999999-0000-7000-8000-000000000003",
    "version": 1,
    "changed_fields": [],
    "data": {},
    "at": "2026-11-23T00:00:00Z",
}


class ChangeRead(Schema):
    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})
    seq: int
    type: str
    resource: str
    id: UUID
    version: int | None
    changed_fields: list[str]
    data: dict[str, Any]
    at: Timestamp


class ChangePage(Schema):
    """One page of the feed; `next_cursor` is never null."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"data": [EXAMPLE], "next_cursor": "p6Jx0…", "has_more": False}}
    )
    data: list[ChangeRead]
    next_cursor: str
    has_more: bool
