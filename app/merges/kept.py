"""What the undoing of a merge needs, as it is stored with the merge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.candidates.draft import Draft
from app.candidates.profile import Computed
from app.candidates.standing import Standing, load_standing


@dataclass(slots=True)
class Kept:
    """The survivor's profile and standing as they were, whose each record was, and what gave way.

    `written` is the standing that the merge gave the survivor, `choice` the record of chosen fields, if there is one.
    """

    profile: Computed
    standing: Standing
    written: Standing
    stood: Sequence[UUID]
    came: Sequence[UUID]
    choice: UUID | None = None
    matching: Mapping[str, Any] = field(default_factory=dict)
    overrides: Sequence[Mapping[str, Any]] = ()

    def dump(self) -> dict[str, Any]:
        """Write it as a JSON object."""
        return {
            "fields": self.profile.fields,
            "provenance": self.profile.provenance,
            "warnings": self.profile.warnings,
            "standing": self.standing.dump(),
            "written": self.written.dump(),
            "stood": list(self.stood),
            "came": list(self.came),
            "choice": self.choice,
            "matching": self.matching,
            "overrides": list(self.overrides),
        }


def load_kept(stored: Mapping[str, Any]) -> Kept:
    """Read what `dump` wrote, after it went through JSON."""
    return Kept(
        profile=Computed(stored["fields"], stored["provenance"], stored["warnings"]),
        standing=load_standing(stored["standing"]),
        written=load_standing(stored["written"]),
        stood=[UUID(each) for each in stored["stood"]],
        came=[UUID(each) for each in stored["came"]],
        choice=UUID(stored["choice"]) if stored["choice"] else None,
        matching=stored["matching"],
        overrides=stored["overrides"],
    )


def profile_of(draft: Draft) -> Computed:
    """Return a draft's profile as it is now."""
    return Computed(draft.fields, draft.provenance, draft.warnings)


def record_ids(draft: Draft) -> list[UUID]:
    """Return the ids of a draft's records."""
    return [UUID(each.id) for each in draft.records]
