from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from app.kit.schemas import Body, Ignored, Kept, ListPatch, Schema, Timestamp
from app.tenancy.schemas import Language, OneLine

Kind = Literal["article", "interview", "event", "job"]
Status = Literal["active", "archived"]
Key = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s\"'<>]+$", max_length=2000)]
Topic = Annotated[str, StringConstraints(min_length=1, max_length=100)]

EXAMPLE: dict[str, Any] = {
    "key": "engineer-interview-1",
    "kind": "interview",
    "title": "How our platform team works",
    "url": "https://www.example.co.jp/blog/platform",
    "summary": "Two engineers about their first year.",
    "topics": ["engineering", "culture"],
    "language": "en",
    "expires_at": None,
    "status": "active",
}
READ_ONLY: dict[str, Any] = {
    "id": "01999999-0000-7000-8000-000000000010",
    "version": 1,
    "created_at": "2026-11-23T00:00:00Z",
    "updated_at": "2026-11-23T00:00:00Z",
}


class ContentRead(Schema):
    model_config = ConfigDict(json_schema_extra={"example": READ_ONLY | EXAMPLE})
    id: UUID
    version: int
    key: str
    kind: str
    title: str
    url: str
    summary: str | None
    topics: list[str]
    language: str | None
    expires_at: Timestamp | None
    status: str
    created_at: Timestamp
    updated_at: Timestamp


class ReadOnly(Body):
    """What an answer holds besides what can be set; it is ignored, so that what was read can be sent back."""

    id: Ignored = None
    version: Ignored = None
    created_at: Ignored = None
    updated_at: Ignored = None


class ContentWrite(ReadOnly):
    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})
    key: Key
    kind: Kind
    title: Annotated[OneLine, Field(min_length=1)]
    url: Url
    summary: str | None = Field(None, max_length=5000)
    topics: list[Topic] = Field([], max_length=100)
    language: Language | None = None
    expires_at: Timestamp | None = None
    status: Status = "active"


class ContentPatch(ReadOnly):
    """Absent stays, null clears; `topics` changes by `add` and `remove`."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "archived"}})
    key: Kept[Key] = None
    kind: Kept[Kind] = None
    title: Kept[Annotated[OneLine, Field(min_length=1)]] = None
    url: Kept[Url] = None
    summary: str | None = Field(None, max_length=5000)
    topics: Kept[ListPatch[Topic]] = None
    language: Language | None = None
    expires_at: Timestamp | None = None
    status: Kept[Status] = None
