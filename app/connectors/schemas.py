from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from app.kit.schemas import Body, Ignored, Kept, Schema, Timestamp

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
Status = Literal["stored", "parsed", "duplicate", "refused", "dead"]

_PUBLIC_KEY = (
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfS"
    "mpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
)
_ID = "01999999-0000-7000-8000-000000000020"


class ProviderRead(Schema):
    """A provider that a connection can be made to."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "key": "sendgrid",
                "name": "SendGrid",
                "kind": "webhook",
                "settings_schema": {"type": "object", "properties": {}},
                "secret_hint": "The public key of the signed event webhook, base64 of DER.",
                "event_types": ["email_delivered", "email_opened"],
            }
        }
    )
    key: str
    name: str
    kind: Literal["webhook", "poll", "file"]
    settings_schema: dict[str, Any] = Field(description="JSON Schema of a connection's `settings`.")
    secret_hint: str
    event_types: list[str] = Field(description="The touchpoint types that its signals become.")


class ReadOnly(Body):
    """What an answer holds besides what can be set; it is ignored, so that what was read can be sent back."""

    id: Ignored = None
    version: Ignored = None
    hook_url: Ignored = None
    created_at: Ignored = None
    updated_at: Ignored = None
    counts: Ignored = None


class ConnectionCreate(ReadOnly):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {"provider": "sendgrid", "name": "Newsletter", "settings": {}, "secret": _PUBLIC_KEY}
        }
    )
    provider: Annotated[str, StringConstraints(max_length=100)]
    name: Name
    settings: dict[str, JsonValue] = Field(default_factory=dict)
    enabled: bool = True
    secret: Secret | None = Field(None, description="Absent where the provider has none.")


class ConnectionUpdate(ReadOnly):
    """The provider stays. Absent stays, at every depth of `settings`, too, where null removes (RFC 7396)."""

    model_config = ConfigDict(json_schema_extra={"example": {"enabled": False}})
    provider: Ignored = None
    name: Kept[Name] = None
    settings: Kept[dict[str, JsonValue]] = None
    enabled: Kept[bool] = None


class SecretRotate(Body):
    model_config = ConfigDict(json_schema_extra={"example": {"secret": _PUBLIC_KEY, "overlap_s": 86_400}})
    secret: Secret
    overlap_s: int = Field(86_400, ge=0, le=2_592_000, description="How long the old secret lives on, in seconds.")


class Counts(Schema):
    """Calls of the hook: each is stored, a duplicate or refused; those that are dead now are among the stored."""

    stored: int = 0
    duplicate: int = 0
    refused: int = 0
    dead: int = 0


class ConnectionRead(Schema):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": _ID,
                "version": 1,
                "provider": "sendgrid",
                "name": "Newsletter",
                "settings": {},
                "hook_url": f"https://talent.example.com/v1/hooks/{_ID}",
                "enabled": True,
                "created_at": "2026-11-23T00:00:00Z",
                "updated_at": "2026-11-23T00:00:00Z",
                "counts": {"stored": 12, "duplicate": 3, "refused": 1, "dead": 0},
            }
        }
    )
    id: UUID
    version: int
    provider: str
    name: str
    settings: dict[str, Any]
    hook_url: str
    enabled: bool
    created_at: Timestamp
    updated_at: Timestamp
    counts: Counts


class PreviewBody(Body):
    """What the provider would send: JSON, or its text."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"body": [{"event": "open", "email": "hanako@example.com", "timestamp": 1795392000}]}
        }
    )
    body: JsonValue


class SignalPreview(Schema):
    """A touchpoint to be."""

    type: str
    occurred_at: Timestamp
    source: str
    external_id: str
    email: str | None
    phone: str | None
    person: dict[str, Any] | None
    topics: list[str]
    data: dict[str, Any]


class Preview(Schema):
    """What a body would become; nothing is written."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "touchpoints": [
                    {
                        "type": "email_opened",
                        "occurred_at": "2026-11-23T00:00:00Z",
                        "source": f"sendgrid:{_ID}",
                        "external_id": "kCAi1KttyQdEKHhdC-nuEA==",
                        "email": "hanako@example.com",
                        "phone": None,
                        "person": None,
                        "topics": [],
                        "data": {"message_id": "<14c5d75ce93.dfd.64b469@ismtpd-555>"},
                    }
                ],
                "ignored": 0,
                "unreadable": 0,
            }
        }
    )
    touchpoints: list[SignalPreview]
    ignored: int
    unreadable: int


class DeliveryRead(Schema):
    """What came, and what became of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "01999999-0000-7000-8000-000000000021",
                "received_at": "2026-11-23T00:00:00Z",
                "status": "parsed",
                "reason": None,
                "signals": 1,
                "unreadable": 0,
                "touchpoint_ids": ["01999999-0000-7000-8000-000000000010"],
            }
        }
    )
    id: UUID
    received_at: Timestamp
    status: Status
    reason: str | None
    signals: int
    unreadable: int
    touchpoint_ids: list[UUID]
