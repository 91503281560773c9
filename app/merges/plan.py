"""What a merge will do, said before: whose values stand, what moves, what it means for consent."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from app.candidates.fields import LISTS, PROFILE
from app.kit import json
from app.merges.schemas import ConflictRead, ConsentEffect, FieldPlan, MergePlan

DERIVED: Final = ("memberships", "messages")
"""Counts that change by themselves between a preview and its merge: they are shown, and not held to."""

REASONS: Final = {
    "field": "The two say different things.",
    "different": "A person has said that these two are different.",
    "enrollment": "Both are on their way through one sequence: the one further along goes on.",
    "membership": "Opposite things were decided of the two for this pool: what was decided of the survivor stands.",
}
EMPTY: Final[tuple[Any, ...]] = (None, "", [], {})
Profile = Mapping[str, Any]


def winners(survivor: Profile, loser: Profile, merged: Profile) -> dict[str, FieldPlan]:
    """Return, of each field of which one of them says something, whose value is that of the merged profile."""
    return {
        name: FieldPlan(
            survivor=survivor.get(name), loser=loser.get(name), winner=_winner(survivor, loser, merged[name], name)
        )
        for name in PROFILE
        if survivor.get(name) not in EMPTY or loser.get(name) not in EMPTY
    }


def _winner(survivor: Profile, loser: Profile, value: Any, name: str) -> str:  # noqa: ANN401 (any JSON value)
    if value == survivor.get(name):
        return "survivor"
    return "loser" if value == loser.get(name) else "both"


def disagreements(fields: Mapping[str, FieldPlan], loser_id: UUID) -> list[ConflictRead]:
    """Return the single values in which the two contradict each other."""
    return [
        conflict("field", loser_id, f"field:{name}")
        for name, each in fields.items()
        if name not in LISTS and each.survivor not in EMPTY and each.loser not in EMPTY and each.survivor != each.loser
    ]


def conflict(reason: str, row_id: UUID, kind: str | None = None) -> ConflictRead:
    """Return one conflict, its sentence by the reason."""
    return ConflictRead(kind=kind or reason, id=row_id, reason=REASONS[reason])


def plan(
    versions: Sequence[int],
    fields: Mapping[str, FieldPlan],
    moves: Mapping[str, int],
    consent_effect: Sequence[ConsentEffect],
    conflicts: Sequence[ConflictRead],
) -> MergePlan:
    """Return the plan with the hash over everything in it that only somebody's act can change.

    `versions` are those of survivor and loser. Conflicts follow from the rest, or from where a sequence stands.
    """
    shown = {
        "fields": {name: each.model_dump() for name, each in fields.items()},
        "moves": dict(moves),
        "consent_effect": [each.model_dump() for each in consent_effect],
        "conflicts": [each.model_dump() for each in conflicts],
    }
    held = {
        **shown,
        "versions": list(versions),
        "moves": {name: n for name, n in moves.items() if name not in DERIVED},
        "conflicts": None,
    }
    digest = hashlib.blake2b(json.canonical(held), digest_size=16).hexdigest()
    return MergePlan.model_validate({**shown, "plan_hash": digest})
