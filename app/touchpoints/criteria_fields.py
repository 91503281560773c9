"""What criteria may ask of a timeline: at least so many touchpoints of such types and topics, so lately.

What a machine did is left out: its clicks say nothing of the person.
"""

from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import select

from app.candidates.criteria_fields import PERSON
from app.criteria import sql
from app.criteria.fields import Fields, elements
from app.criteria.sql import Adapters
from app.touchpoints.models import Touchpoint
from app.touchpoints.signals import TouchpointSignal

FIELDS: Final = Fields.of(
    [
        elements(
            "touchpoints",
            types=("type", "text", "in"),
            topics_any=("topics", "folded", "in"),
            within_days=("occurred_at", "datetime", "within_days"),
        )
    ]
)

ADAPTERS: Final[Adapters] = {
    "touchpoints": sql.related(
        select(Touchpoint.id).where(Touchpoint.candidate_id == PERSON, Touchpoint.actor != "machine"),
        {
            "type": sql.column(Touchpoint.type.expression),
            "topics": sql.array(Touchpoint.topics.expression),
            "occurred_at": sql.column(Touchpoint.occurred_at.expression),
        },
    )
}


def facts(timeline: Iterable[TouchpointSignal]) -> dict[str, Any]:
    """Return the fact that these fields read."""
    return {
        "touchpoints": [
            {"type": each.type, "topics": list(each.topics), "occurred_at": each.occurred_at}
            for each in timeline
            if each.actor != "machine"
        ]
    }
