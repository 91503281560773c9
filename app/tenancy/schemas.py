from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from app.kit.schemas import Body, Kept, Schema, Timestamp


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError
    return name


def _one_line(value: str) -> str:
    if "\r" in value or "\n" in value:
        raise ValueError
    return value


def _without_scheme(value: object) -> object:
    return value.removeprefix("mailto:") if isinstance(value, str) else value


Zone = Annotated[str, AfterValidator(_zone)]
OneLine = Annotated[str, StringConstraints(max_length=500), AfterValidator(_one_line)]
Mailbox = Annotated[
    OneLine, StringConstraints(pattern=r"^[^\s\x00-\x1f\x7f<>()\[\],;:\\\"@]+@[^\s\x00-\x1f\x7f<>()\[\],;:\\\"@]+$")
]
"""One address without a name, as a header of a mail takes it."""
Name = Annotated[OneLine, StringConstraints(min_length=1)]
Clock = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Opening = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Origin = Annotated[
    str, StringConstraints(pattern=r"^https?://[a-z0-9.-]+(:[0-9]{1,5})?$|^https?://\[[0-9a-f:]+\](:[0-9]{1,5})?$")
]
Language = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class Sender(Body):
    """Who writes to candidates, and the display items that Japanese law asks of each mail."""

    name: OneLine | None = None
    from_email: OneLine | None = None
    reply_to: OneLine | None = None
    postal_address: OneLine | None = None
    complaint_contact: OneLine | None = None
    opt_out_notice: OneLine | None = None
    unsubscribe_mailto: OneLine | None = None


class SenderUpdate(Sender):
    """What no header could hold is refused here, not at each mail."""

    from_email: Mailbox | None = None
    reply_to: Mailbox | None = None
    unsubscribe_mailto: Annotated[Mailbox, BeforeValidator(_without_scheme)] | None = None


class SendWindow(Body):
    """When mails may leave, half-open `[from, to)`, in the candidate's zone."""

    weekdays: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri")
    from_: Opening = Field("09:00", alias="from")
    to: Clock = "18:00"
    holidays: Literal["skip", "ignore"] = "skip"


class FrequencyCap(Body):
    """At most `max` mails in any `days` days."""

    max: int = Field(ge=1, le=1000)
    days: int = Field(ge=1, le=366)


class FrequencyCaps(Body):
    email: FrequencyCap | None = None


class FatigueGuard(Body):
    """What happens after so many mails without a human sign."""

    after: int = Field(ge=1, le=1000)
    action: Literal["slow", "stop"]


class Rates(Body):
    """How many mails leave a minute, over all workers."""

    per_minute: int | None = Field(None, ge=1)
    per_domain_per_minute: int | None = Field(None, ge=1)


class Tracking(Body):
    opens: bool = False
    links: bool = False


class TenantRead(Schema):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "version": 1,
                "name": "Example K.K.",
                "timezone": "Asia/Tokyo",
                "country_code": "JP",
                "language": "ja",
                "sender": {"name": "Example K.K.", "from_email": "talent@example.co.jp"},
                "send_window": None,
                "frequency_caps": {"email": None},
                "fatigue_guard": None,
                "rates": {"per_minute": None, "per_domain_per_minute": None},
                "tracking": {"opens": False, "links": False},
                "allowed_origins": ["https://recruiting.example.co.jp"],
                "require_if_match": False,
            }
        }
    )
    version: int
    name: str
    timezone: str
    country_code: str
    language: str
    sender: Sender
    send_window: SendWindow | None
    frequency_caps: FrequencyCaps
    fatigue_guard: FatigueGuard | None
    rates: Rates
    tracking: Tracking
    allowed_origins: list[str]
    require_if_match: bool


Origins = Annotated[list[Origin], Field(max_length=50)]


class TenantUpdate(Body):
    """Absent stays, null clears (JSON Merge Patch); read-only members are ignored."""

    model_config = ConfigDict(json_schema_extra={"example": {"frequency_caps": {"email": {"max": 2, "days": 7}}}})
    version: int | None = None
    name: Kept[Name] = None
    timezone: Kept[Zone] = None
    country_code: Kept[Country] = None
    language: Kept[Language] = None
    sender: Kept[SenderUpdate] = None
    send_window: SendWindow | None = None
    frequency_caps: Kept[FrequencyCaps] = None
    fatigue_guard: FatigueGuard | None = None
    rates: Kept[Rates] = None
    tracking: Kept[Tracking] = None
    allowed_origins: Annotated[
        Kept[Origins], Field(description="Origins whose browser front ends may read answers (CORS).")
    ] = None
    require_if_match: Kept[bool] = None


class ApiKeyCreate(Body):
    model_config = ConfigDict(
        json_schema_extra={"example": {"name": "ATS", "scopes": ["candidates:write", "candidates:read"]}}
    )
    name: str = Field(min_length=1, max_length=200)
    scopes: list[str] = Field(min_length=1, max_length=50)
    expires_at: Timestamp | None = None


class ApiKeyRotate(Body):
    model_config = ConfigDict(json_schema_extra={"example": {"overlap_s": 86400}})
    overlap_s: int = Field(86_400, ge=0, le=2_592_000, description="How long the old secret lives on, in seconds.")


class ApiKeyRead(Schema):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01999999-0000-7000-8000-000000000001",
                "name": "ATS",
                "scopes": ["candidates:write"],
                "prefix": "tp_live_abcdefgh12345678",
                "created_at": "2026-11-23T00:00:00Z",
                "expires_at": None,
                "last_used_at": None,
            }
        }
    )
    id: UUID
    name: str
    scopes: list[str]
    prefix: str
    created_at: Timestamp
    expires_at: Timestamp | None
    last_used_at: Timestamp | None


class ApiKeyCreated(ApiKeyRead):
    """The only answer that holds the key itself."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01999999-0000-7000-8000-000000000001",
                "name": "ATS",
                "scopes": ["candidates:write"],
                "prefix": "tp_live_abcdefgh12345678",
                "created_at": "2026-11-23T00:00:00Z",
                "expires_at": None,
                "last_used_at": None,
                "key": "tp_live_abcdefgh12345678_…",
            }
        }
    )

    key: str | None


class Me(Schema):
    """Whom the service takes the caller for."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "tenant_id": "01999999-0000-7000-8000-000000000000",
                "tenant": "demo",
                "key_id": "01999999-0000-7000-8000-000000000001",
                "actor": "key:01999999-0000-7000-8000-000000000001",
                "act_as": None,
                "scopes": ["admin"],
            }
        }
    )
    tenant_id: UUID
    tenant: str
    key_id: UUID | None
    actor: str
    act_as: str | None
    scopes: list[str]


AuditKind = Literal["read", "write", "disclosure"]


class AuditRead(Schema):
    """Who read or wrote what of which people (`ids`), or to whom (`recipient`) which fields of them were given."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "n": 81,
                "at": "2026-11-23T00:00:00Z",
                "kind": "read",
                "actor": "key:01999999-0000-7000-8000-000000000001",
                "act_as": "hanako@example.co.jp",
                "action": "read_candidate",
                "resource": "candidates",
                "ids": ["01999999-0000-7000-8000-000000000003"],
                "fields": ["*"],
                "recipient": None,
                "request_id": "01999999-0000-7000-8000-000000000000",
            }
        }
    )
    n: int
    at: Timestamp
    kind: AuditKind
    actor: str
    act_as: str | None
    action: str
    resource: str
    ids: list[UUID]
    fields: list[str]
    recipient: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the audit log is narrowed to; None and empty ask for nothing."""

    candidate_id: UUID | None = None
    kind: Sequence[AuditKind] = ()
    actor: Sequence[str] = ()
    act_as: Sequence[str] = ()
    action: Sequence[str] = ()
    resource: Sequence[str] = ()
    recipient: Sequence[str] = ()
    at_gte: datetime | None = None
    at_lt: datetime | None = None


class LimitPolicy(Schema):
    name: str
    quota: int
    window_s: int
    remaining: int
    reset_s: int


class Limits(Schema):
    model_config = ConfigDict(
        json_schema_extra={"example": {"policies": [], "max_body_bytes": 1048576, "max_batch_items": 500}}
    )
    policies: list[LimitPolicy]
    max_body_bytes: int
    max_batch_items: int
