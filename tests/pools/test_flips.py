"""The moment that is foretold is the first at which time changes an answer."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from app.criteria.flips import next_change
from app.criteria.predicate import holds
from app.criteria.tree import parse
from app.pools.criteria_fields import FIELDS

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC).astimezone(ZoneInfo("Asia/Tokyo"))
MOMENTS = st.integers(-10 * 24, 10 * 24).map(lambda hours: NOW.astimezone(UTC) + timedelta(hours=hours))
DAYS = st.integers(-10, 10).map(lambda days: NOW.date() + timedelta(days=days))
SPANS = st.sampled_from([0, 0.5, 1, 3, 7.25])
TOUCH = st.fixed_dictionaries({"type": st.sampled_from(["call", "note"]), "occurred_at": MOMENTS})


@st.composite
def leaf(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(["last_interaction_at", "birth_date", "sources.occurred_on", "touchpoints"]))
    if name == "touchpoints":
        return {"field": name, "op": "has", "value": {"types": ["call"], "within_days": draw(SPANS)}}
    return {"field": name, "op": draw(st.sampled_from(["within_days", "older_than_days"])), "value": draw(SPANS)}


@given(
    leaves=st.lists(leaf(), min_size=1, max_size=3),
    last=st.none() | MOMENTS,
    born=st.none() | DAYS,
    days=st.lists(DAYS, max_size=2),
    touches=st.lists(TOUCH, max_size=3),
)
def test_between_now_and_the_foretold_moment_nothing_changes(
    leaves: list[dict[str, Any]],
    last: datetime | None,
    born: date | None,
    days: list[date],
    touches: list[dict[str, Any]],
) -> None:
    facts = {
        "last_interaction_at": last,
        "birth_date": born,
        "sources": [{"occurred_on": day.isoformat()} for day in days],
        "touchpoints": touches,
    }
    node = parse({"any": leaves}, FIELDS)
    parts = [parse(each, FIELDS) for each in leaves]
    foretold = next_change(node, facts, NOW)
    before = [holds(part, facts, NOW) for part in parts]
    end = foretold or NOW + timedelta(days=40)
    for step in range(1, 60):
        moment = NOW + (end.astimezone(NOW.tzinfo) - NOW) * (step / 60)
        assert moment >= end or [holds(part, facts, moment) for part in parts] == before
    if foretold is not None:
        assert foretold > NOW
