"""Counting many people by one version of a model in one statement.

The formula once more, as SQL, for everybody whom no cap clips: a rolling window that is full asks for one signal after
the other, which is the work of `formula`. A property test holds the two equal. Those are left out, too, whose verdicts
are to be looked at again first.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from app.kit import json
from app.kit.db import Session
from app.scores.counting import BEYOND, Serving
from app.scores.definition import Rule
from app.touchpoints import settlement

LEAST_POINTS: Final = 1e-9
"""Smaller ones could leave the range of numbers in SQL, which is an error there."""

SHORTEST_WINDOW: Final = timedelta(seconds=1)
"""Shorter ones are lost in the rounding of binary seconds."""

_FOLDED: Final = "normalize(casefold(normalize(topic, NFKC) collate pg_unicode_fast), NFKC)"
_OF_TOPIC: Final = (
    f"(r.topics is null or exists (select from unnest(t.topics) as topic where {_FOLDED} = any(r.topics)))"
)
_WEIGHT: Final = "case t.actor when 'human' then 1 when 'unknown' then :unknown_weight else 0 end"
_MESSAGE_LINK: Final = "r.once = 'message_link' and t.message_id is not null and t.data->>'url' <> ''"
_EVENT: Final = "r.once = 'event' and t.data#>>'{event,id}' <> ''"
_SLOT: Final = f"""
  case when r.once = 'day' then cast(cast(t.occurred_at at time zone :zone as date) as text)
       when {_MESSAGE_LINK} then t.message_id
       when {_EVENT} then t.data#>>'{{event,id}}'
       else cast(t.id as text) end as slot,
  case when r.once = 'day' or {_EVENT} then '' when {_MESSAGE_LINK} then t.data->>'url' end as link,
  t.source, coalesce(t.external_id, cast(t.id as text) collate "C") as event
"""
_FIRST: Final = "distinct on (candidate_id, place, slot, link)"
_IN_ORDER: Final = "order by candidate_id, place, slot, link, occurred_at, source, event"
# Time in spans of the rule's own window; a hair too wide, so that rounding sends one too many to the exact formula.
_CLIPPED: Final = """
sum(abs(points)) over (
  partition by candidate_id, place order by date_part('epoch', occurred_at) / (86400 * days)
  range between 1.01 preceding and current row) > cap
"""


def _seconds(constant: str) -> str:
    """Say in SQL how long after `since` the value is a constant."""
    halvings = f"(ln(nullif(abs(interest), 0)) - ln(nullif(abs({constant} - fit), 0))) / ln(cast(2 as float8))"
    return f"{halvings} * cast(:half_life_days as float8) * 86400"


def _moment(seconds: str) -> str:
    """Say in SQL which moment that is; null beyond the calendar."""
    return f"""case when {seconds} < date_part('epoch', timestamptz '9999-12-31Z' - since)
      then greatest(since + make_interval(secs => {seconds}), :at) end"""


def _ahead(constants: str, place: str) -> str:
    """Say in SQL which of the rising constants the value meets next; `place` is how many it has reached."""
    below, above = f"({constants})[{place}]", f"({constants})[{place} + 1]"
    return f"case when interest > 0 and {below} > fit then {below} when interest < 0 and {above} < fit then {above} end"


def _decayed(until: str, since: str) -> str:
    """Say in SQL what is left of one: after 200 halvings next to nothing, but still within the range of numbers."""
    return f"power(cast(2 as float8), -least(date_part('epoch', {until} - {since}) / (86400 * :half_life_days), 200))"


_BOUNDS: Final = "cast(:bounds as float8[])"
_STOPS: Final = "cast(:stops as float8[])"


def _statement(*, topics: bool, slots: bool, caps: bool) -> str:
    """Return the statement; what a model does not ask for is left out of it."""
    return f"""
with asked as materialized (
  select t.id, t.fit, coalesce(s.computed_at, '-infinity') - :longest_transaction as settled
  from unnest(cast(:ids as uuid[]), cast(:fits as float8[])) as t(id, fit)
  left join scores s on s.candidate_id = any(:ids) and s.candidate_id = t.id
    and s.model_key = :key and s.model_version = :version
), rules as materialized (
  select * from jsonb_to_recordset(cast(:rules as jsonb))
    as t(place int, type text, topics text[], points float8, once text, cap float8, days float8)
), signals as materialized (
  select a.id as candidate_id, t.occurred_at, r.place, r.cap, r.days,
    case when t.occurred_at <= :at then nullif(r.points * {_WEIGHT}, 0) end as points,
    {settlement.UNSETTLED.format(since="a.settled")} as is_unsettled{"," + _SLOT if slots else ""}
  from asked a join touchpoints t on t.candidate_id = any(:ids) and t.candidate_id = a.id
  left join rules r on r.type = t.type{f" and {_OF_TOPIC}" if topics else ""}
), timelines as (
  select candidate_id, bool_or(is_unsettled) as is_unsettled,
    min(occurred_at) filter (where occurred_at > :at) as arrival
  from signals group by candidate_id
), firsts as (
  select {_FIRST if slots else ""} * from signals where points is not null {_IN_ORDER if slots else ""}
), latest as (
  select *, last_value(occurred_at) over (partition by candidate_id order by occurred_at, points
      rows between unbounded preceding and unbounded following) as last,
    {_CLIPPED if caps else "false"} as clipped
  from firsts
), amounts as (
  select candidate_id, min(last) as since, bool_or(clipped) as clipped,
    sum(points * {_decayed("last", "occurred_at")} order by occurred_at, points) as interest
  from latest group by candidate_id
), sums as (
  select a.id as candidate_id, a.fit, coalesce(m.since, :at) as since, coalesce(m.interest, 0) as interest, t.arrival,
    coalesce(m.clipped, false) or coalesce(t.is_unsettled, false) as is_left
  from asked a left join timelines t on t.candidate_id = a.id left join amounts m on m.candidate_id = a.id
), curves as (
  select *, fit + interest * {_decayed("cast(:at as timestamptz)", "since")} as value from sums
), placed as materialized (
  select *, width_bucket(value, {_BOUNDS}) as tier_place, width_bucket(value, {_STOPS}) as stop_place from curves
), ahead as materialized (
  select *, {_ahead(_BOUNDS, "tier_place")} as bound, {_ahead(_STOPS, "stop_place")} as stop from placed
), crossing as materialized (
  select *, {_seconds("bound")} as to_bound, {_seconds("stop")} as to_stop,
    ln(nullif(abs(interest), 0)) / ln(cast(2 as float8))
      + date_part('epoch', since) / (86400 * :half_life_days) as k
  from ahead
), judged as (
  select *, (cast(:tiers as text[]))[tier_place + 1] as tier, {_moment("to_bound")} as tier_changes_at,
    least({_moment("to_stop")} + :beyond, arrival) as next_event_at,
    case when k is null then 0 else sign(interest) * case when k >= 0 then k + 1 else 1 / (1 - k) end end as rank_key
  from crossing
), written as (
  insert into scores (model_key, model_version, candidate_id, fit, interest, since, half_life_days, rank_key, tier,
    tier_changes_at, next_event_at, computed_at)
  select :key, :version, candidate_id, fit, interest, since, :half_life_days, rank_key, tier, tier_changes_at,
    next_event_at, :at from judged where not is_left order by candidate_id
  on conflict (tenant_id, model_key, model_version, candidate_id) do update set fit = excluded.fit,
    interest = excluded.interest, since = excluded.since, half_life_days = excluded.half_life_days,
    rank_key = excluded.rank_key, tier = excluded.tier, tier_changes_at = excluded.tier_changes_at,
    next_event_at = excluded.next_event_at, computed_at = excluded.computed_at
    where scores.computed_at <= excluded.computed_at
  returning new.candidate_id, coalesce(old.tier, :lowest) as before, new.tier as after
)
select candidate_id, is_left, next_event_at, cast(null as text) as before, cast(null as text) as after
from judged where is_left or next_event_at is not null
union all
select candidate_id, false, null, before, after from written where before <> after
"""  # noqa: S608 (constants)


@dataclass(frozen=True, slots=True)
class Counted:
    """What came of one model: who is left to the formula, when to look again, and whose tier moved."""

    left: list[UUID]
    again: dict[UUID, datetime]
    moved: list[Any]


async def count(
    session: Session, serving: Serving, fits: Mapping[UUID, float], constants: Collection[float], at: datetime
) -> Counted:
    """Write the scores of these people, for whom `fits` has what their fit rules give.

    Nothing is written for those who are left.
    """
    if not _is_countable(serving):
        return Counted(list(fits), {}, [])
    rules = list(_rules(serving))
    sql = _statement(
        topics=any(each["topics"] for each in rules),
        slots=any(each["once"] != "touchpoint" for each in rules),
        caps=any(each["cap"] is not None for each in rules),
    )
    found = Counted([], {}, [])
    for row in await session.rows(sql, **_parameters(serving, rules, fits, constants, at)):
        person, is_left, next_event_at, _, after = row
        if is_left:
            found.left.append(person)
        elif next_event_at is not None:
            found.again[person] = next_event_at
        elif after is not None:
            found.moved.append(row)
    return found


def _is_countable(serving: Serving) -> bool:
    """Whether SQL keeps its precision with this model; what it does not is left to the formula."""
    rules = [rule for listed in serving.model.rules.values() for rule in listed]
    return all(rule.points == 0 or abs(rule.points) >= LEAST_POINTS for rule in rules) and all(
        rule.limit is None or rule.limit.span >= SHORTEST_WINDOW for rule in rules
    )


def _parameters(
    serving: Serving,
    rules: Sequence[Mapping[str, Any]],
    fits: Mapping[UUID, float],
    constants: Collection[float],
    at: datetime,
) -> dict[str, Any]:
    model = serving.model
    return {
        "ids": list(fits),
        "fits": list(fits.values()),
        "rules": json.dumps(rules),
        "unknown_weight": model.weights["unknown"],
        "zone": model.zone.key,
        "at": at,
        "half_life_days": model.half_life_days,
        "bounds": list(model.bounds),
        "stops": sorted({*model.bounds, *constants}),
        "tiers": [each.key for each in model.tiers],
        "lowest": serving.lowest,
        "beyond": BEYOND,
        "key": model.key,
        "version": serving.version,
        "longest_transaction": settlement.LONGEST_TRANSACTION,
        **settlement.RULES,
    }


def _rules(serving: Serving) -> Iterator[dict[str, Any]]:
    """List the rules once for each type that they count."""
    places: dict[Rule, int] = {}
    for type_, rules in serving.model.rules.items():
        for rule in rules:
            if rule.points:
                yield {
                    "place": places.setdefault(rule, len(places)),
                    "type": type_,
                    "topics": sorted(rule.topics) or None,
                    "points": rule.points,
                    "once": rule.once_per,
                    "cap": rule.limit and rule.limit.points,
                    "days": rule.limit and rule.limit.span.total_seconds() / 86400,
                }
