"""Splink's settings for the comparisons of app.dedup: both engines find the same levels and weigh them alike."""

from collections.abc import Mapping
from typing import Any, Final

from app.dedup.levels import COMPARISONS, Level
from app.dedup.model import CAP
from app.training.name_sql import MISSING

Weights = Mapping[tuple[str, str], tuple[float, float]]
"""m and u by (comparison, level)."""
Conditions = Mapping[str, Mapping[str, str]]
"""SQL by comparison and level."""

NAME: Final = "name_level(name_l, name_r, spelled_l, spelled_r)"
_NAME_ORDER: Final = (
    "given_differs", "kanji", "reading", "names_differ", "one_part",
    "other_spelling", "near", "family_changed", "other_part", "swapped",
)  # fmt: skip
"""Levels of one function exclude each other: what blocked pairs meet most often is asked first."""


def _shared(column: str) -> dict[str, str]:
    """Share a telling value, or share only what weighs nothing, or share none."""
    idle = f"coalesce(list_has_any(weightless_{column}_l, weightless_{column}_r), false)"
    return {
        "shared": f"list_has_any({column}_l, {column}_r)",
        MISSING: f"{column}_l is null or {column}_r is null or {idle}",
        "not_shared": "ELSE",
    }


_SWAPPED_DAY: Final = "birth_date_l[1:5] || birth_date_l[9:10] || '-' || birth_date_l[6:7] = birth_date_r"

CONDITIONS: Final[Conditions] = {
    "name": {MISSING: f"{NAME} = '{MISSING}'"} | {level: f"{NAME} = '{level}'" for level in _NAME_ORDER},
    "email": _shared("emails"),
    "mobile": _shared("mobiles"),
    "fixed_phone": _shared("fixed_phones"),
    "profile_url": {
        "shared": "list_has_any(urls_l, urls_r)",
        MISSING: "urls_l is null or urls_r is null or not list_has_any(url_sites_l, url_sites_r)"
        " or coalesce(list_has_any(weightless_urls_l, weightless_urls_r), false)",
        "not_shared": "ELSE",
    },
    "birth_date": {
        MISSING: "birth_date_l is null or birth_date_r is null",
        "equal": "birth_date_l = birth_date_r",
        "near": f"damerau_levenshtein(birth_date_l, birth_date_r) = 1 or {_SWAPPED_DAY}",
        "differs": "ELSE",
    },
    "employer": {
        MISSING: "employer_l is null or employer_r is null",
        "equal": "employer_l = employer_r",
        "differs": "ELSE",
    },
    "external_id": {
        "shared": "list_has_any(external_ids_l, external_ids_r)",
        MISSING: "not coalesce(list_has_any(unique_sources_l, unique_sources_r), false)",
        "not_shared": "ELSE",
    },
}
"""Conditions over `columns.prepare`d tables by comparison and level, in the order in which SQL tries them."""

KEY_RULE: Final = {"blocking_rule": "l.keys = r.keys", "arrays_to_explode": ["keys"]}
"""Blocks records by any key that they share, as the door does; `keys` is a list of a record's keys."""


def settings(weights: Weights | None = None, conditions: Conditions = CONDITIONS) -> dict[str, Any]:
    """Return the model for Splink, with the weights of all levels or of none, which then are to be trained."""
    return {
        "link_type": "dedupe_only",
        "unique_id_column_name": "record_id",
        "probability_two_random_records_match": 1e-4,
        "retain_matching_columns": False,
        "retain_intermediate_calculation_columns": False,
        "comparisons": [_comparison(comparison, weights, conditions[comparison]) for comparison in COMPARISONS],
    }


def _comparison(comparison: str, weights: Weights | None, conditions: Mapping[str, str]) -> dict[str, Any]:
    known = {level.name: level for level in COMPARISONS[comparison]}
    return {
        "output_column_name": comparison,
        "comparison_levels": [
            _level(condition, known[name], weights[comparison, name] if weights else None)
            if name in known
            else {"sql_condition": condition, "label_for_charts": name, "is_null_level": True}
            for name, condition in conditions.items()
        ],
    }


def _level(condition: str, level: Level, weight: tuple[float, float] | None) -> dict[str, Any]:
    written: dict[str, Any] = {"sql_condition": condition, "label_for_charts": level.name}
    if weight:
        written |= {"m_probability": weight[0], "u_probability": weight[1]}
    if level.counted:
        written |= {"tf_adjustment_column": level.counted, "disable_tf_exact_match_detection": True}
    if level.counted and weight:
        written["tf_minimum_u_value"] = weight[0] * 2.0**-CAP
    return written
