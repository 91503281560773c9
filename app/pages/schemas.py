from typing import Literal

from pydantic import ConfigDict

from app.kit.schemas import Body, Schema, Timestamp


class PageLinkCreate(Body):
    """Which page a person is to open."""

    model_config = ConfigDict(json_schema_extra={"example": {"kind": "privacy"}})
    kind: Literal["profile", "preferences", "privacy"]


class PageLinkRead(Schema):
    """The address of the page; it is told only here."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "url": "https://talent.example.co.jp/p/3Yb1n0cUo3gqkUQ2r7QmJ1nJ0m3wq9bJY1Q0d2xk5pA",
                "expires_at": "2026-11-30T00:00:00Z",
            }
        }
    )
    url: str
    expires_at: Timestamp
