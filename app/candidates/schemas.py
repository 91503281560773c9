"""What a candidate is called in JSON: as read, as created or upserted, as patched."""

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from app.candidates.custom_fields import FieldType
from app.candidates.fields import PROFILE
from app.kit.schemas import Body, Ignored, Kept, ListPatch, Schema, Timestamp
from app.tenancy.schemas import Country, Language, Zone

MAX_ITEMS = 500
_PROFILE = set(PROFILE)
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
LongText = Annotated[str, StringConstraints(max_length=20_000)]
EmailType = Literal["personal", "work", "other"]
Years = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
"""Taken and ignored, so that what was read can be sent back."""


class EmailIn(Body):
    value: Text | None = None
    raw: Text | None = None
    type: EmailType | None = None
    is_primary: bool | None = None
    status: Ignored = None


class PhoneIn(Body):
    value: Text | None = None
    raw: Text | None = None
    type: Word | None = None


class ExternalIdIn(Body):
    source: Word
    id: Annotated[str, StringConstraints(min_length=1, max_length=500)]


class LinkIn(Body):
    type: Word | None = None
    url: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_048)]


class SkillIn(Body):
    name: Word
    level: int | None = Field(None, ge=1, le=5)
    years: Years | None = None


class SourceIn(Body):
    type: Word
    name: Text | None = None
    occurred_on: date | None = None
    detail: LongText | None = None


class LocationIn(Body):
    country_code: Country | None = None
    region: Text | None = None
    city: Text | None = None


class Scalars(Body):
    """The fields with one value; in a body, null clears."""

    full_name: Text | None = None
    full_name_kana: Text | None = None
    family_name: Text | None = None
    given_name: Text | None = None
    family_name_kana: Text | None = None
    given_name_kana: Text | None = None
    family_name_romaji: Text | None = None
    given_name_romaji: Text | None = None
    birth_date: date | None = None
    language: Language | None = None
    timezone: Zone | None = None
    headline: Text | None = None
    current_company: Text | None = None
    department: Text | None = None
    location: LocationIn | None = None
    years_of_experience: Years | None = None
    custom_fields: dict[str, Any] | None = None

    def stated(self) -> dict[str, Any]:
        """Return what was said of the profile, as JSON, absent fields left out: the payload of a record."""
        return self.model_dump(mode="json", exclude_unset=True, include=_PROFILE)


class ReadOnly(Body):
    """What the service decides: taken and ignored."""

    id: Ignored = None
    version: Ignored = None
    status: Ignored = None
    can_contact: Ignored = None
    warnings: Ignored = None
    last_interaction_at: Ignored = None
    retention: Ignored = None
    merged_ids: Ignored = None
    match: Ignored = None
    created_at: Ignored = None
    updated_at: Ignored = None


EXAMPLE: dict[str, Any] = {
    "full_name": "髙橋 花子",
    "full_name_kana": "タカハシ ハナコ",
    "email_addresses": [{"value": "hanako@example.jp", "type": "personal"}],
    "phone_numbers": [{"value": "０９０-1234-5678"}],
    "external_ids": [{"source": "greenhouse", "id": "123"}],
    "skills": [{"name": "Python", "years": 5}],
    "tags": ["backend"],
    "sources": [{"type": "event", "name": "Tech Night", "occurred_on": "2026-05-20"}],
}


class CandidateFields(Scalars, ReadOnly):
    """One statement about a person: a name, an e-mail, a phone or an external id is enough."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})
    other_names: list[Word] = Field(default=[], max_length=MAX_ITEMS)
    email_addresses: list[EmailIn] = Field(default=[], max_length=MAX_ITEMS)
    phone_numbers: list[PhoneIn] = Field(default=[], max_length=MAX_ITEMS)
    external_ids: list[ExternalIdIn] = Field(default=[], max_length=MAX_ITEMS)
    links: list[LinkIn] = Field(default=[], max_length=MAX_ITEMS)
    skills: list[SkillIn] = Field(default=[], max_length=MAX_ITEMS)
    interests: list[Word] = Field(default=[], max_length=MAX_ITEMS)
    tags: list[Word] = Field(default=[], max_length=MAX_ITEMS)
    sources: list[SourceIn] = Field(default=[], max_length=MAX_ITEMS)


class CandidatePatch(Scalars, ReadOnly):
    """JSON Merge Patch for what has one value; lists change by `add` and `remove` only."""

    model_config = ConfigDict(
        json_schema_extra={"example": {"headline": "Staff engineer", "tags": {"add": ["rust"], "remove": ["java"]}}}
    )
    other_names: ListPatch[Word] = ListPatch()
    email_addresses: ListPatch[EmailIn] = ListPatch()
    phone_numbers: ListPatch[PhoneIn] = ListPatch()
    external_ids: ListPatch[ExternalIdIn] = ListPatch()
    links: ListPatch[LinkIn] = ListPatch()
    skills: ListPatch[SkillIn] = ListPatch()
    interests: ListPatch[Word] = ListPatch()
    tags: ListPatch[Word] = ListPatch()
    sources: ListPatch[SourceIn] = ListPatch()


FIELD_EXAMPLE: dict[str, Any] = {
    "key": "notice_period",
    "name": "Notice period",
    "description": "How long until they could begin.",
    "type": "choice",
    "options": ["at once", "one month", "longer"],
    "reason": None,
}
FieldKey = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^.\x00]{1,100}$")]


class FieldReadOnly(Body):
    """What an answer holds besides what can be set; it is ignored."""

    id: Ignored = None
    version: Ignored = None
    sensitivity: Ignored = None
    created_at: Ignored = None
    updated_at: Ignored = None


class CustomFieldCreate(FieldReadOnly):
    """A key of `custom_fields` and what it may hold; `reason` says why a sensitive one is indispensable."""

    model_config = ConfigDict(json_schema_extra={"example": FIELD_EXAMPLE})
    key: FieldKey
    name: Word
    description: Text | None = None
    type: FieldType
    options: list[Word] = Field(default=[], max_length=MAX_ITEMS)
    reason: Text | None = None


class CustomFieldUpdate(FieldReadOnly):
    """Absent stays; `key` and `type` stay whatever is said, for values of them are stored."""

    model_config = ConfigDict(json_schema_extra={"example": {"options": {"add": ["two months"]}}})
    key: Ignored = None
    type: Ignored = None
    name: Kept[Word] = None
    description: Text | None = None
    options: Kept[ListPatch[Word]] = None
    reason: Text | None = None


class CustomFieldRead(Schema):
    """A custom field; `sensitivity` is told from its names: `ordinary`, `special_care` or `restricted`."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01999999-0000-7000-8000-000000000050",
                "version": 1,
                **FIELD_EXAMPLE,
                "sensitivity": "ordinary",
                "created_at": "2026-11-23T00:00:00Z",
                "updated_at": "2026-11-23T00:00:00Z",
            }
        }
    )
    id: UUID
    version: int
    key: str
    name: str
    description: str | None
    type: str
    options: list[str]
    reason: str | None
    sensitivity: str
    created_at: Timestamp
    updated_at: Timestamp


class EmailRead(Schema):
    value: str | None
    raw: str
    type: str
    is_primary: bool
    status: str


class PhoneRead(Schema):
    value: str | None
    raw: str
    type: str


class ExternalIdRead(Schema):
    source: str
    id: str


class LinkRead(Schema):
    type: str
    url: str


class SkillRead(Schema):
    name: str
    level: int | None
    years: float | None


class SourceRead(Schema):
    type: str
    name: str | None
    occurred_on: date | None
    detail: str | None


class LocationRead(Schema):
    country_code: str | None
    region: str | None
    city: str | None


class RetentionRead(Schema):
    expires_on: date | None
    basis: str | None


class Warn(Schema):
    """Something to look at: a value that could not be read, or a statement that another one supersedes."""

    code: str
    pointer: str
    by: str | None = None


EXAMPLE_READ: dict[str, Any] = {
    "id": "01999999-0000-7000-8000-000000000001",
    "version": 2,
    "status": "active",
    "full_name": "髙橋 花子",
    "full_name_kana": "タカハシ ハナコ",
    "other_names": [],
    "family_name": None,
    "given_name": None,
    "family_name_kana": None,
    "given_name_kana": None,
    "family_name_romaji": None,
    "given_name_romaji": None,
    "birth_date": None,
    "language": "ja",
    "timezone": "Asia/Tokyo",
    "email_addresses": [
        {
            "value": "hanako@example.jp",
            "raw": "hanako@example.jp",
            "type": "personal",
            "is_primary": True,
            "status": "ok",
        }
    ],
    "phone_numbers": [{"value": "+819012345678", "raw": "０９０-1234-5678", "type": "mobile"}],
    "external_ids": [{"source": "greenhouse", "id": "123"}],
    "links": [{"type": "github", "url": "https://github.com/hanako"}],
    "headline": "Backend engineer",
    "current_company": "株式会社例",
    "department": None,
    "location": {"country_code": "JP", "region": None, "city": "Osaka"},
    "skills": [{"name": "Python", "level": 4, "years": 5}],
    "years_of_experience": 7,
    "interests": ["distributed systems"],
    "tags": ["backend"],
    "sources": [{"type": "event", "name": "Tech Night", "occurred_on": "2026-05-20", "detail": None}],
    "custom_fields": {},
    "can_contact": True,
    "warnings": [],
    "last_interaction_at": "2026-11-20T09:00:00Z",
    "retention": {"expires_on": "2029-11-19", "basis": "consent"},
    "merged_ids": [],
    "created_at": "2026-05-21T01:00:00Z",
    "updated_at": "2026-11-20T09:00:00Z",
}


class CandidateRead(Schema):
    """One person, as all records about them add up."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE_READ})
    id: UUID
    version: int
    status: str
    full_name: str | None
    full_name_kana: str | None
    other_names: list[str]
    family_name: str | None
    given_name: str | None
    family_name_kana: str | None
    given_name_kana: str | None
    family_name_romaji: str | None
    given_name_romaji: str | None
    birth_date: date | None
    language: str | None
    timezone: str | None
    email_addresses: list[EmailRead]
    phone_numbers: list[PhoneRead]
    external_ids: list[ExternalIdRead]
    links: list[LinkRead]
    headline: str | None
    current_company: str | None
    department: str | None
    location: LocationRead | None
    skills: list[SkillRead]
    years_of_experience: float | None
    interests: list[str]
    tags: list[str]
    sources: list[SourceRead]
    custom_fields: dict[str, Any]
    can_contact: bool
    warnings: list[Warn]
    last_interaction_at: Timestamp | None
    retention: RetentionRead
    merged_ids: list[UUID]
    created_at: Timestamp
    updated_at: Timestamp
