from typing import Any

import pytest
from pydantic import ValidationError

from app.scores.schemas import ScoreModelDefinition

COLD, WARM, HOT = {"key": "cold", "from": None}, {"key": "warm", "from": 20}, {"key": "hot", "from": 50}
RULE = {"rule": "r", "types": ["email_clicked"], "points": 1}
VALID: dict[str, Any] = {"key": "m", "half_life_days": 30, "tiers": [COLD, WARM, HOT]}


def test_a_model_reads_as_it_was_written() -> None:
    written = ScoreModelDefinition.model_config["json_schema_extra"]
    assert isinstance(written, dict)
    example = written["example"]
    dumped = ScoreModelDefinition.model_validate(example).model_dump(exclude_none=False)
    assert ScoreModelDefinition.model_validate(dumped).model_dump() == dumped
    assert dumped["tiers"][0] == {"key": "cold", "from": None}


@pytest.mark.parametrize(
    "change",
    [
        {"tiers": []},
        {"tiers": [WARM, HOT]},
        {"tiers": [WARM, COLD]},
        {"tiers": [COLD, COLD]},
        {"tiers": [COLD, HOT, WARM]},
        {"tiers": [COLD, WARM, {"key": "hot", "from": 20}]},
        {"tiers": [COLD, {"key": "cold", "from": 20}]},
        {"tiers": [{"key": "cold"}]},
        {"tiers": [COLD, {"key": "warm", "from": float("inf")}]},
        {"half_life_days": 0.00009},
        {"half_life_days": float("nan")},
        {"half_life_days": "30"},
        {"timezone": "Mars/Olympus"},
        {"timezone": "../etc/passwd"},
        {"unknown_weight": 1.1},
        {"interest_rules": [RULE, RULE]},
        {"interest_rules": [RULE | {"types": []}]},
        {"interest_rules": [RULE | {"types": ["custom:"]}]},
        {"interest_rules": [RULE | {"once_per": "week"}]},
        {"interest_rules": [RULE | {"cap": {"points": 1, "days": 0}}]},
        {"interest_rules": [RULE | {"points": True}]},
        {"extra": 1},
        {"key": "a.b"},
        {"interest_rules": [RULE | {"rule": ""}]},
        {"interest_rules": [RULE | {"rule": "a\nb"}]},
        {"half_life_days": 1e10},
    ],
)
def test_a_wrong_model_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ScoreModelDefinition.model_validate(VALID | change)


@pytest.mark.parametrize(
    "change",
    [
        {"key": "9-Backend_Tokyo"},
        {"half_life_days": 1e9},
        {"interest_rules": [RULE | {"rule": "説明会 (参加)"}]},
        {"tiers": [COLD, {"key": "Hot Lead", "from": 1}]},
    ],
)
def test_a_model_is_called_as_people_call_it(change: dict[str, Any]) -> None:
    read = ScoreModelDefinition.model_validate(VALID | change).model_dump(by_alias=True)
    assert read["tiers"] == (VALID | change)["tiers"]
