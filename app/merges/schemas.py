from typing import Any, Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from app.dedup.schemas import PairRead
from app.kit.schemas import Body, Schema, Timestamp

SideName = Literal["survivor", "loser"]
Single = Literal[
    "full_name",
    "full_name_kana",
    "family_name",
    "given_name",
    "family_name_kana",
    "given_name_kana",
    "family_name_romaji",
    "given_name_romaji",
    "birth_date",
    "language",
    "timezone",
    "headline",
    "current_company",
    "department",
    "years_of_experience",
    "location",
    "custom_fields",
]
"""A field of which only one value can stand; lists are united."""

_SURVIVOR, _LOSER = "01999999-0000-7000-8000-000000000001", "01999999-0000-7000-8000-000000000002"
_WHO: dict[str, Any] = {"survivor_id": _SURVIVOR, "loser_id": _LOSER}
_PLAN: dict[str, Any] = {
    "plan_hash": "3b0f2a7c9d5e41868f2a7c9d5e418633",
    "fields": {"headline": {"survivor": "Engineer", "loser": "Backend engineer", "winner": "loser"}},
    "moves": {"touchpoints": 12, "consents": 1, "enrollments": 0, "messages": 0, "memberships": 2, "records": 1},
    "consent_effect": [
        {"side": "loser", "purpose": "talent_pool", "channel": "email", "status": "withdrawn"},
    ],
    "conflicts": [{"kind": "field:headline", "id": _LOSER, "reason": "The two say different things."}],
}
_MERGE: dict[str, Any] = {
    "id": "01999999-0000-7000-8000-000000000004",
    **_WHO,
    "by": "person",
    "state": "done",
    "created_at": "2026-11-23T09:00:00Z",
    "undone_at": None,
    "plan": _PLAN,
}


class MergeQuestion(Body):
    """Who would become part of whom."""

    model_config = ConfigDict(json_schema_extra={"example": _WHO})
    survivor_id: UUID
    loser_id: UUID


class MergeCreate(MergeQuestion):
    """Who becomes part of whom; `fields` say whose value stands where another would."""

    model_config = ConfigDict(
        json_schema_extra={"example": {**_WHO, "plan_hash": _PLAN["plan_hash"], "fields": {"headline": "survivor"}}}
    )
    plan_hash: str | None = Field(None, max_length=200)
    fields: dict[Single, SideName] = Field(default={})
    override: bool = False


class FieldPlan(Schema):
    """What both say, and whose value will stand: `survivor`, `loser`, or `both` where they are united."""

    survivor: Any
    loser: Any
    winner: str


class ConsentEffect(Schema):
    """A withdrawal of one side that will hold for the whole person until they grant anew."""

    side: str
    purpose: str
    channel: str
    status: str


class ConflictRead(Schema):
    """Something that a merge or its undoing cannot decide by itself; `id` is of the row that `kind` names."""

    kind: str
    id: UUID
    reason: str


class MergePlan(Schema):
    """What a merge will do; `plan_hash` holds it to that. It is empty where a person of the merge was erased."""

    model_config = ConfigDict(json_schema_extra={"example": _PLAN})
    plan_hash: str = ""
    fields: dict[str, FieldPlan] = Field(default={})
    moves: dict[str, int] = Field(default={})
    consent_effect: list[ConsentEffect] = Field(default=[])
    conflicts: list[ConflictRead] = Field(default=[])


class MergeRead(Schema):
    """One merge, and what was foreseen of it."""

    model_config = ConfigDict(json_schema_extra={"example": _MERGE})
    id: UUID
    survivor_id: UUID
    loser_id: UUID
    by: str
    state: str
    created_at: Timestamp
    undone_at: Timestamp | None
    plan: MergePlan


class MergeUndo(Body):
    """Whether the two are different people from now on."""

    model_config = ConfigDict(json_schema_extra={"example": {"remember": True}})
    remember: bool = True


class MergeUndone(MergeRead):
    """A merge that was taken back; `conflicts` is what came in between and stays with the survivor."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {**_MERGE, "state": "undone", "undone_at": "2026-11-23T10:00:00Z", "conflicts": []}
        }
    )
    conflicts: list[ConflictRead]


class PairDecision(Body):
    """What a person says of a pair."""

    model_config = ConfigDict(json_schema_extra={"example": {"decision": "different", "note": "Father and son."}})
    decision: Literal["same", "different"]
    note: str | None = Field(None, max_length=2000)


class PairDecided(PairRead):
    """A pair with what was decided of it; `merge_id` is there when the two are one."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                **PairRead.model_config["json_schema_extra"]["example"],  # type: ignore[index, dict-item]  # a dict here
                "status": "same",
                "decided_by": "key:recruiter",
                "decided_at": "2026-11-23T09:00:00Z",
                "note": None,
                "merge_id": _MERGE["id"],
            }
        }
    )
    note: str | None
    merge_id: UUID | None
