"""One stored candidate, as it is read."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.normalise.emails import parse_email


@dataclass(frozen=True, slots=True)
class MailAddress:
    """Where to write to; `state` is `ok` or `bounced`."""

    value: str
    state: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What is stored of one candidate: `fields` by name, the match keys of bounced addresses, and former ids."""

    id: UUID
    version: int
    status: str
    fields: dict[str, Any]
    warnings: list[dict[str, Any]]
    provenance: dict[str, Any]
    bounced: frozenset[str]
    merged_ids: list[UUID]
    last_interaction_at: datetime | None
    live_selection_at: datetime | None
    rejected_at: datetime | None
    retention_expires_on: date | None
    retention_basis: str | None
    created_at: datetime
    updated_at: datetime

    def email_keys(self) -> dict[str, str]:
        """Return shown address → match key, the primary first."""
        shown = [item["value"] for item in self.fields["email_addresses"] if item["value"]]
        return {value: email.key for value in shown if (email := parse_email(value))}

    def mail_address(self) -> MailAddress | None:
        """Return where mails go: the primary address, another one only when the primary is bounced."""
        keys = self.email_keys()
        if not keys:
            return None
        good = next((value for value, key in keys.items() if key not in self.bounced), None)
        return MailAddress(good, "ok") if good else MailAddress(next(iter(keys)), "bounced")

    def facts(self) -> dict[str, Any]:
        """Return the profile as a plain mapping, for criteria and templates."""
        return {
            **self.fields,
            "id": self.id,
            "version": self.version,
            "status": self.status,
            "created_at": self.created_at,
            "updated_at": self.updated_at,
            "last_interaction_at": self.last_interaction_at,
            "retention": {"expires_on": self.retention_expires_on, "basis": self.retention_basis},
        }


def read(profile: Profile, *, can_contact: bool, suppressed: Collection[str] = ()) -> dict[str, Any]:
    """Return the candidate as it is answered: the members of CandidateRead.

    `suppressed` are match keys of addresses not to be written to.
    """
    keys = profile.email_keys() if suppressed or profile.bounced else {}

    def status(value: str | None) -> str:
        key = keys.get(value) if value else None
        if key in suppressed:
            return "suppressed"
        return "bounced" if key in profile.bounced else "ok"

    emails = [{**item, "status": status(item["value"])} for item in profile.fields["email_addresses"]]
    return {
        "id": profile.id,
        "version": profile.version,
        "status": profile.status,
        **profile.fields,
        "email_addresses": emails,
        "can_contact": can_contact,
        "warnings": profile.warnings,
        "last_interaction_at": profile.last_interaction_at,
        "retention": {"expires_on": profile.retention_expires_on, "basis": profile.retention_basis},
        "merged_ids": profile.merged_ids,
        "created_at": profile.created_at,
        "updated_at": profile.updated_at,
    }
