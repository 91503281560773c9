"""What a merge will do, said before: whose values stand, what moves, what it means for consent."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from app.candidates.fields import LISTS, PROFILE
from app.kit import json

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
Conflict = Mapping[str, Any]


def winners(survivor: Profile, loser: Profile, merged: Profile) -> dict[str, dict[str, Any]]:
    """Return, of each field of which one of them says something, whose value is that of the merged profile."""
    return {
        name: {"survivor": mine, "loser": theirs, "winner": _winner(mine, theirs, merged[name])}
        for name in PROFILE
        if (mine := survivor.get(name)) not in EMPTY or loser.get(name) not in EMPTY
        for theirs in (loser.get(name),)
    }


def _winner(mine: Any, theirs: Any, value: Any) -> str:  # noqa: ANN401 (any JSON values)
    if value == mine:
        return "survivor"
    return "loser" if value == theirs else "both"


def disagreements(fields: Mapping[str, Mapping[str, Any]], loser_id: UUID) -> list[Conflict]:
    """Return the single values in which the two contradict each other."""
    return [
        conflict("field", loser_id, f"field:{name}")
        for name, each in fields.items()
        if name not in LISTS
        and each["survivor"] not in EMPTY
        and each["loser"] not in EMPTY
        and each["survivor"] != each["loser"]
    ]


def conflict(reason: str, row_id: UUID, kind: str | None = None) -> Conflict:
    """Return one conflict, its sentence by the reason."""
    return {"kind": kind or reason, "id": row_id, "reason": REASONS[reason]}


def plan(
    versions: Sequence[int],
    fields: Mapping[str, Mapping[str, Any]],
    moves: Mapping[str, int],
    consent_effect: Sequence[Mapping[str, Any]],
    conflicts: Sequence[Conflict],
) -> dict[str, Any]:
    """Return the plan, as a `MergePlan`, with the hash over everything in it that only somebody's act can change.

    `versions` are those of survivor and loser. Conflicts follow from the rest, or from where a sequence stands.
    """
    shown: dict[str, Any] = {
        "fields": fields,
        "moves": {name: int(n) for name, n in moves.items()},
        "consent_effect": list(consent_effect),
        "conflicts": list(conflicts),
    }
    held = {
        **shown,
        "versions": list(versions),
        "moves": {name: n for name, n in shown["moves"].items() if name not in DERIVED},
        "conflicts": None,
    }
    digest = hashlib.blake2b(json.canonical(held), digest_size=16).hexdigest()
    return {**shown, "plan_hash": digest}


def chosen(plan: Mapping[str, Any], sides: Mapping[str, str]) -> dict[str, Any]:
    """Return a plan with the winners that a person chose; its hash stays that of the preview."""
    fields = {name: {**each, "winner": sides.get(name, each["winner"])} for name, each in plan["fields"].items()}
    return {**plan, "fields": fields}
