"""The shape of a score model as it is written, and of scores as they are read."""

from itertools import pairwise
from typing import Annotated, Any, Literal, Self, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from app.kit.schemas import Body, Page, Schema, Timestamp
from app.touchpoints.kinds import is_known

OncePer = Literal["touchpoint", "day", "message_link", "event"]

_MAX_POINTS = 1_000_000
_MAX_DAYS = 36_500
_MAX_HALF_LIFE_DAYS = 1e9


def _known_type(name: str) -> str:
    if not is_known(name):
        raise PydanticCustomError("unknown_type", "There is no such type of touchpoint.")
    return name


ModelKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$")]
"""Without dots, for criteria name it in `score.<model>.value`."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f]+$")]
"""Of a rule or a tier, in whatever language people call them by."""
Points = Annotated[float, Field(ge=-_MAX_POINTS, le=_MAX_POINTS, allow_inf_nan=False, strict=True)]
TouchpointType = Annotated[str, StringConstraints(max_length=60), AfterValidator(_known_type)]
Topic = Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError("not an IANA time zone") from None
    return name


class Cap(Body):
    """At most `points` (weighted, undecayed, by absolute value) within any `days` days of 24 hours."""

    points: Annotated[float, Field(ge=0, le=_MAX_POINTS, allow_inf_nan=False, strict=True)]
    days: Annotated[float, Field(gt=0, le=_MAX_DAYS, allow_inf_nan=False, strict=True)]


class InterestRule(Body):
    """Counts touchpoints of these types (and, if given, any of these topics); negative points are a penalty."""

    rule: Name
    types: Annotated[list[TouchpointType], Field(min_length=1, max_length=50)]
    topics: Annotated[list[Topic], Field(min_length=1, max_length=100)] | None = None
    points: Points
    once_per: OncePer = "touchpoint"
    cap: Cap | None = None


class FitRule(Body):
    """Gives its points while the criteria hold; does not decay."""

    rule: Name
    when: dict[str, JsonValue]
    points: Points


Rule = TypeVar("Rule", InterestRule, FitRule)


class Tier(Body):
    """A named band of the score, from `from` (inclusive) up to the next tier; the lowest has null."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_alias=True, validate_by_name=True)

    key: Name
    starts_at: Annotated[float, Field(allow_inf_nan=False, strict=True)] | None = Field(alias="from")


_EXAMPLE: dict[str, Any] = {
    "key": "default",
    "half_life_days": 30,
    "timezone": "Asia/Tokyo",
    "unknown_weight": 0.5,
    "interest_rules": [
        {
            "rule": "clicked",
            "types": ["email_clicked"],
            "points": 5,
            "once_per": "message_link",
            "cap": {"points": 20, "days": 7},
        }
    ],
    "fit_rules": [{"rule": "python", "when": {"field": "skills.name", "op": "has", "value": "python"}, "points": 10}],
    "tiers": [{"key": "cold", "from": None}, {"key": "warm", "from": 20}, {"key": "hot", "from": 50}],
}


class ScoreModelDefinition(Body):
    """How a score is made: interest that decays with a half-life, fit that does not, and tiers.

    `timezone` is that of "once per day", by default the tenant's.
    """

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    key: ModelKey
    half_life_days: Annotated[float, Field(ge=0.0001, le=_MAX_HALF_LIFE_DAYS, allow_inf_nan=False, strict=True)]
    timezone: Annotated[str, AfterValidator(_known_zone)] | None = None
    unknown_weight: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False, strict=True)] = 0.5
    interest_rules: list[InterestRule] = Field(default_factory=list, max_length=200)
    fit_rules: list[FitRule] = Field(default_factory=list, max_length=200)
    tiers: Annotated[list[Tier], Field(min_length=1, max_length=20)]

    @field_validator("interest_rules", "fit_rules")
    @classmethod
    def _rules_have_names_of_their_own(cls, rules: list[Rule], info: ValidationInfo) -> list[Rule]:
        names = [each.rule for each in (*info.data.get("interest_rules", ()), *rules)]
        if len(set(names)) < len(names):
            raise PydanticCustomError("name_taken", "two rules have one name")
        return rules

    @field_validator("tiers")
    @classmethod
    def _tiers_rise(cls, tiers: list[Tier]) -> list[Tier]:
        first, *rest = [each.starts_at for each in tiers]
        bounds = [each for each in rest if each is not None]
        if first is not None or len(bounds) < len(rest):
            raise PydanticCustomError("first_tier", "exactly one tier has from: null, and it is the first")
        if any(low >= high for low, high in pairwise(bounds)):
            raise PydanticCustomError("not_rising", "the tiers do not rise")
        if len({each.key for each in tiers}) < len(tiers):
            raise PydanticCustomError("name_taken", "two tiers have one key")
        return tiers


class ScoreModelWrite(ScoreModelDefinition):
    """A draft; what a read adds to it is ignored, so that it can be sent back."""

    version: int | None = None
    published_at: Timestamp | None = None

    @property
    def definition(self) -> ScoreModelDefinition:
        return ScoreModelDefinition.model_validate(self.model_dump(exclude={"version", "published_at"}))


class ScoreModelVersion(ScoreModelDefinition):
    """One version of a model; a draft has neither number nor date, and the one of the first day no date."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    version: int | None
    published_at: Timestamp | None


class ScoreModelRead(Schema):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "key": "default",
                "draft": None,
                "published": {**_EXAMPLE, "version": 1, "published_at": None},
            }
        }
    )
    key: str
    draft: ScoreModelVersion | None
    published: ScoreModelVersion | None


class JobStart(Body):
    """There is nothing to say."""

    model_config = ConfigDict(json_schema_extra={"example": {}})


class BacktestStart(Body):
    """Over which time a draft is tried: its tiers at `from` against what happened up to `to`."""

    model_config = ConfigDict(
        validate_by_alias=True,
        validate_by_name=True,
        json_schema_extra={
            "example": {
                "from": "2026-05-01T00:00:00Z",
                "to": "2026-11-01T00:00:00Z",
                "outcome_types": ["email_replied", "hired"],
            }
        },
    )
    begin: Timestamp = Field(alias="from")
    end: Timestamp = Field(alias="to")
    outcome_types: Annotated[list[TouchpointType], Field(min_length=1, max_length=50)] | None = None

    @model_validator(mode="after")
    def _forwards(self) -> Self:
        if self.begin > self.end:
            raise ValueError("from lies after to")
        return self


class ContributionRead(Schema):
    """One part of a score; of the fit, it has neither touchpoint nor time."""

    kind: Literal["fit", "interest", "penalty"]
    rule: str
    touchpoint_id: UUID | None
    points: float
    decayed_points: float
    occurred_at: Timestamp | None


_SCORE: dict[str, Any] = {
    "candidate_id": "01999999-0000-7000-8000-000000000003",
    "model": "default",
    "model_version": 1,
    "value": 20.0,
    "fit": 0.0,
    "interest": 20.0,
    "tier": "warm",
    "as_of": "2026-11-23T00:00:00Z",
    "tier_changes_at": "2026-11-23T00:00:00Z",
}
_CONTRIBUTION: dict[str, Any] = {
    "kind": "interest",
    "rule": "met",
    "touchpoint_id": "01999999-0000-7000-8000-000000000010",
    "points": 20.0,
    "decayed_points": 20.0,
    "occurred_at": "2026-11-23T00:00:00Z",
}


class ScoreRow(Schema):
    """A score without its parts."""

    model_config = ConfigDict(json_schema_extra={"example": _SCORE}, protected_namespaces=())
    candidate_id: UUID
    model: str
    model_version: int
    value: float
    fit: float
    interest: float
    tier: str
    as_of: Timestamp
    tier_changes_at: Timestamp | None


class ScoreRead(ScoreRow):
    """A score with its parts, which sum to its value."""

    model_config = ConfigDict(json_schema_extra={"example": {**_SCORE, "contributions": [_CONTRIBUTION]}})
    contributions: list[ContributionRead]


class ScorePage(Page[ScoreRow]):
    """Scores of one moment: `as_of` is the same on all pages."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"data": [_SCORE], "next_cursor": None, "has_more": False, "as_of": "2026-11-23T00:00:00Z"}
        }
    )
    as_of: Timestamp
