"""How a person stands with the company: their last own contact, and until when and why they are kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from app.candidates.person import Profile


@dataclass(frozen=True, slots=True)
class Standing:
    """Three facts of one candidate that follow from what they did, not from what is said of them."""

    last_interaction_at: datetime | None
    retention_expires_on: date | None
    retention_basis: str | None

    def dump(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        return {
            "last_interaction_at": self.last_interaction_at,
            "retention_expires_on": self.retention_expires_on,
            "retention_basis": self.retention_basis,
        }


def standing_of(profile: Profile) -> Standing:
    """Read a candidate's standing."""
    return Standing(profile.last_interaction_at, profile.retention_expires_on, profile.retention_basis)


def load_standing(stored: Mapping[str, Any]) -> Standing:
    """Read what `dump` wrote, also after it went through JSON."""
    moment, day = stored["last_interaction_at"], stored["retention_expires_on"]
    return Standing(
        datetime.fromisoformat(moment) if moment else None,
        date.fromisoformat(day) if day else None,
        stored["retention_basis"],
    )


def united(left: Standing, right: Standing) -> Standing:
    """Return how one person stands who was two: the later contact, and the reason that lasts longer."""
    kept = max((left, right), key=lambda each: each.retention_expires_on or date.min)
    moments = [each.last_interaction_at for each in (left, right) if each.last_interaction_at]
    return Standing(max(moments, default=None), kept.retention_expires_on, kept.retention_basis)


def restored(now: Standing, written: Standing, before: Standing) -> Standing:
    """Return how somebody stands when a merge is undone that had `written` this over what was `before`.

    What has changed since then stays.
    """
    contact = before if now.last_interaction_at == written.last_interaction_at else now
    is_kept_as_written = (now.retention_expires_on, now.retention_basis) == (
        written.retention_expires_on,
        written.retention_basis,
    )
    kept = before if is_kept_as_written else now
    return Standing(contact.last_interaction_at, kept.retention_expires_on, kept.retention_basis)
