"""The score model with which every tenant starts.

What a person does for the company weighs most (talking, replying, coming to an event), what costs a click weighs
little, and an open almost nothing. One strong sign makes a person warm, two within a month make them hot.
"""

from typing import Any, Final

from app.scores.schemas import ScoreModelDefinition

_RULES: Final[list[dict[str, Any]]] = [
    {"rule": "casual_interview", "types": ["casual_interview"], "points": 40, "once_per": "day"},
    {"rule": "applied", "types": ["applied"], "points": 40, "once_per": "day"},
    {"rule": "replied", "types": ["email_replied"], "points": 25, "cap": {"points": 50, "days": 14}},
    {"rule": "attended", "types": ["event_attended"], "points": 25, "once_per": "event"},
    {"rule": "met", "types": ["meeting", "interviewed"], "points": 20, "once_per": "day"},
    {"rule": "spoke", "types": ["call"], "points": 10, "once_per": "day", "cap": {"points": 20, "days": 14}},
    {"rule": "asked", "types": ["form_submitted"], "points": 15, "cap": {"points": 30, "days": 14}},
    {"rule": "registered", "types": ["event_registered"], "points": 8, "once_per": "event"},
    {"rule": "downloaded", "types": ["content_downloaded"], "points": 6, "cap": {"points": 18, "days": 7}},
    {
        "rule": "clicked",
        "types": ["email_clicked"],
        "points": 5,
        "once_per": "message_link",
        "cap": {"points": 20, "days": 7},
    },
    {"rule": "updated_profile", "types": ["profile_updated"], "points": 4, "once_per": "day"},
    {"rule": "social", "types": ["sns_interaction"], "points": 3, "cap": {"points": 9, "days": 7}},
    {
        "rule": "viewed",
        "types": ["page_viewed"],
        "points": 2,
        "once_per": "day",
        "cap": {"points": 8, "days": 7},
    },
    {
        "rule": "opened",
        "types": ["email_opened"],
        "points": 0.5,
        "once_per": "day",
        "cap": {"points": 2, "days": 7},
    },
    {"rule": "did_not_come", "types": ["event_no_show"], "points": -5, "once_per": "event"},
    {"rule": "cancelled", "types": ["event_cancelled"], "points": -3, "once_per": "event"},
    {"rule": "unsubscribed", "types": ["email_unsubscribed"], "points": -30, "cap": {"points": 30, "days": 30}},
    {"rule": "complained", "types": ["email_complained"], "points": -50, "cap": {"points": 50, "days": 30}},
]

DEFAULT_MODEL: Final = ScoreModelDefinition.model_validate(
    {
        "key": "default",
        "half_life_days": 30,
        "unknown_weight": 0.5,
        "interest_rules": _RULES,
        "fit_rules": [],
        "tiers": [{"key": "cold", "from": None}, {"key": "warm", "from": 20}, {"key": "hot", "from": 50}],
    }
)
