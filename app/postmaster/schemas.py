from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints

from app.kit.schemas import Body, Schema, Timestamp
from app.postmaster.mail import Kind

Selector = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$")]
ID = "01999999-0000-7000-8000-000000000020"


def example(value: Any) -> ConfigDict:  # noqa: ANN401 (any JSON value)
    return ConfigDict(json_schema_extra={"example": value})


class InboundRead(Schema):
    """What a mail that came back was taken for; what is not about a mail of ours is `unknown`, and nothing is kept."""

    model_config = example(
        {
            "kind": "reply",
            "outcome": "recorded",
            "message_id": ID,
            "candidate_id": "01999999-0000-7000-8000-000000000003",
            "touchpoint_id": "01999999-0000-7000-8000-000000000010",
        }
    )
    kind: Kind
    outcome: Literal["recorded", "repeated", "ignored"]
    message_id: UUID | None
    candidate_id: UUID | None
    touchpoint_id: UUID | None


class DomainCheck(Body):
    """Under which selectors the mail server signs; without them the usual ones are tried."""

    model_config = example({"dkim_selectors": ["s1"]})
    dkim_selectors: Annotated[list[Selector], Field(default_factory=list, max_length=20)]


class CheckRead(Schema):
    """One thing that receivers look at, in plain words, with the records that were found."""

    name: Literal["mx", "spf", "dkim", "dmarc", "alignment", "one_click"]
    status: Literal["pass", "warn", "fail", "unknown"]
    detail: str
    records: list[str]


class DomainRead(Schema):
    """Whether mails from a domain will be trusted: `ready` is that nothing fails and nothing is unknown."""

    model_config = example(
        {
            "domain": "example.co.jp",
            "ready": False,
            "checked_at": "2026-11-23T00:00:00Z",
            "checks": [
                {
                    "name": "spf",
                    "status": "fail",
                    "detail": "There is no SPF record. Add a TXT record that names the servers that send for you.",
                    "records": [],
                }
            ],
        }
    )
    domain: str
    ready: bool
    checked_at: Timestamp
    checks: list[CheckRead]
