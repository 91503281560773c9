"""The statements of scores; each is one round trip for any number of people."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.kit import json
from app.kit.columns import TENANT
from app.kit.db import Session
from app.kit.ids import new_id
from app.scores.ranking import Place, Stretch, height

SERVING: Final = ("published", "publishing")
TOTAL_MAX: Final = 10_001
_VALUE: Final = """fit + interest * power(cast(2 as float8), cast(-least(
  greatest(extract(epoch from cast(:at as timestamptz) - since) / 86400.0, 0) / half_life_days, 900) as float8))"""
_HEIGHT: Final = height(":elapsed")
_OF_MODEL: Final = "model_key = :key and model_version = :version"
_FITS: Final = f"""
with recursive fits(fit) as (
  (select fit from scores where {_OF_MODEL} order by fit limit 1)
  union all
  select (select s.fit from scores s where {_OF_MODEL} and s.fit > fits.fit order by s.fit limit 1)
  from fits where fits.fit is not null
)
select fit from fits where fit is not null
"""  # noqa: S608 (constants)
_STRETCHES: Final = """unnest(cast(:fits as float8[]), cast(:lows as float8[]), cast(:highs as float8[]),
  cast(:firsts as float8[]), cast(:lasts as float8[])) as stretch(fit, low, high, first, last)"""
_STRETCH: Final = f"""
from (
  select candidate_id, fit, interest, since, half_life_days, rank_key, {_VALUE} as value, {_HEIGHT} as height
  from scores where {_OF_MODEL} and fit = stretch.fit and {{keys}}
) s
where case when value >= stretch.low then value < stretch.high end
"""  # noqa: S608 (constants)
"""Within a case, because the planner takes any range for that of a few, and then sorts all to find a page of it."""
_BEYOND: Final = "rank_key between stretch.first and stretch.last"


async def models(session: Session, states: Collection[str] = SERVING) -> list[Any]:
    """Return (key, version, state, definition) of every model in these states."""
    return await session.rows(
        "select key, version, state, definition from score_models where state = any(:states) order by key, version",
        states=list(states),
    )


async def versions(session: Session, key: str) -> list[Any]:
    """Return every version of one model."""
    return await session.rows(
        "select version, state, definition, published_at from score_models where key = :key", key=key
    )


async def write_draft(session: Session, key: str, definition: Mapping[str, Any]) -> bool:
    """Write the draft of a model; return whether there was none."""
    return bool(
        await session.value(
            """insert into score_models (id, key, state, definition)
               values (:id, :key, 'draft', cast(:definition as jsonb))
               on conflict (tenant_id, key) where state = 'draft' do update set definition = excluded.definition
               returning old.id is null""",
            id=new_id(),
            key=key,
            definition=json.dumps(definition),
        )
    )


async def begin_publishing(session: Session, key: str, first: int) -> int | None:
    """Give the draft its number, from `first` on; None without a draft. What was left half published is retired."""
    await session.run("update score_models set state = 'retired' where key = :key and state = 'publishing'", key=key)
    version: int | None = await session.value(
        """update score_models set state = 'publishing',
             version = greatest(:first, 1 + (select max(m.version) from score_models m where m.key = :key))
           where key = :key and state = 'draft' returning version""",
        key=key,
        first=first,
    )
    return version


async def serve(session: Session, key: str, version: int) -> None:
    """Let this version serve in place of the one that did."""
    await session.run("update score_models set state = 'retired' where key = :key and state = 'published'", key=key)
    await session.run(
        "update score_models set state = 'published', published_at = now() where key = :key and version = :version",
        key=key,
        version=version,
    )


async def take_over(session: Session, key: str, version: int, served: int | None, ids: Sequence[UUID]) -> list[Any]:
    """Delete earlier scores of these people; return (candidate_id, before, after): their tiers by `served`, and now."""
    return await session.rows(
        """with gone as (
             delete from scores where model_key = :key and model_version < :version and candidate_id = any(:ids)
             returning candidate_id, model_version, tier)
           select s.candidate_id, gone.tier as before, s.tier as after from scores s
           left join gone on gone.candidate_id = s.candidate_id and gone.model_version = :served
           where s.model_key = :key and s.model_version = :version and s.candidate_id = any(:ids)""",
        key=key,
        version=version,
        served=served,
        ids=list(ids),
    )


async def thresholds(session: Session) -> list[Any]:
    return await session.rows("select distinct model_key, value from score_thresholds")


async def replace_thresholds(session: Session, used_by: str, wanted: Sequence[tuple[str, float]]) -> list[Any]:
    """Write the constants of one user; return (model_key, value) of those that are new for everybody."""
    await session.run("delete from score_thresholds where used_by = :used_by", used_by=used_by)
    return await session.rows(
        """with known as (select distinct model_key, value from score_thresholds), added as (
             insert into score_thresholds (model_key, value, used_by)
             select distinct key, value, :used_by
             from unnest(cast(:keys as text[]), cast(:values as float8[])) as t(key, value)
             returning model_key, value)
           select model_key, value from added except select model_key, value from known""",
        used_by=used_by,
        keys=[key for key, _ in wanted],
        values=[value for _, value in wanted],
    )


async def crossing(session: Session, key: str, constant: float, at: datetime) -> list[UUID]:
    """Return who will cross this value by the passing of time."""
    rows = await session.rows(
        f"""select distinct candidate_id from (
              select candidate_id, fit, interest, {_VALUE} as value from scores where model_key = :key
            ) s where (interest > 0 and fit < :constant and :constant <= value)
                   or (interest < 0 and value < :constant and :constant < fit)""",  # noqa: S608 (a constant)
        key=key,
        constant=constant,
        at=at,
    )
    return [row.candidate_id for row in rows]


async def gone(session: Session, ids: Sequence[UUID]) -> set[UUID]:
    """Return those of `ids` that are hidden, merged or erased: hardly any, so only their own index is read."""
    rows = await session.rows(
        f"""select id from candidates where tenant_id = {TENANT} and id = any(:ids)
            and (hidden_at is not null or erased_at is not null or merged_into is not null)""",  # noqa: S608 (constants)
        ids=list(ids),
    )
    return {row.id for row in rows}


async def people_after(session: Session, last: UUID | None, limit: int) -> list[UUID]:
    rows = await session.rows(
        "select id from candidates where (cast(:last as uuid) is null or id > :last) order by id limit :limit",
        last=last,
        limit=limit,
    )
    return [row.id for row in rows]


async def people(session: Session) -> int:
    return int(await session.value("select count(*) from candidates"))


async def drop(session: Session, ids: Collection[UUID]) -> None:
    await session.run("delete from scores where candidate_id = any(:ids)", ids=list(ids))


async def write(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Write scores; return (candidate_id, model_key, model_version, before, after) by their tiers.

    What was counted earlier never replaces what was counted later.
    """
    return await session.rows(
        """insert into scores (model_key, model_version, candidate_id, fit, interest, since, half_life_days, rank_key,
             tier, tier_changes_at, next_event_at, computed_at)
           select * from jsonb_to_recordset(cast(:rows as jsonb)) as t(model_key text, model_version bigint,
             candidate_id uuid, fit float8, interest float8, since timestamptz, half_life_days float8, rank_key float8,
             tier text, tier_changes_at timestamptz, next_event_at timestamptz, computed_at timestamptz)
           order by model_key, model_version, candidate_id
           on conflict (tenant_id, model_key, model_version, candidate_id) do update set fit = excluded.fit,
             interest = excluded.interest, since = excluded.since, half_life_days = excluded.half_life_days,
             rank_key = excluded.rank_key, tier = excluded.tier, tier_changes_at = excluded.tier_changes_at,
             next_event_at = excluded.next_event_at, computed_at = excluded.computed_at
             where scores.computed_at <= excluded.computed_at
           returning new.candidate_id, new.model_key, new.model_version, old.tier as before, new.tier as after""",
        rows=json.dumps(rows),
    )


async def stored(session: Session, ids: Sequence[UUID]) -> list[Any]:
    """Return the rows of these people by the versions that serve."""
    return await session.rows(
        """select s.candidate_id, s.model_key, s.fit, s.interest, s.since, s.half_life_days, s.tier from scores s
           where s.candidate_id = any(:ids) and s.model_version = coalesce((
             select m.version from score_models m where m.key = s.model_key and m.state = 'published'), 1)""",
        ids=list(ids),
    )


async def fits(session: Session, key: str, version: int) -> list[float]:
    """Return what fits there are, rising; each costs one look into the index."""
    return [row.fit for row in await session.rows(_FITS, key=key, version=version)]


async def ranked(
    session: Session,
    asked: Mapping[str, Any],
    stretches: Sequence[Stretch],
    after: Place | None,
    limit: int,
    *,
    lowest_first: bool,
) -> list[Any]:
    """Return people by their value at a time: by height, fit, rank key and id, the last rising when the others fall."""
    down, up, below, above = ("asc", "desc", ">", "<") if lowest_first else ("desc", "asc", "<", ">")
    follows = f"(height, fit) {below}= (:height, :fit)" if after else "true"
    equals = _STRETCH.format(keys=f"fit = :fit and rank_key = :rank_key and candidate_id {above} :candidate_id")
    others = _STRETCH.format(keys=_BEYOND)
    order = f"order by rank_key {down}, candidate_id {up} limit :limit"
    return await session.rows(
        f"""select found.* from {_STRETCHES} cross join lateral (
              {f"(select * {equals} {order}) union all" if after else ""} (select * {others} and {follows} {order})
            ) found
            order by height {down}, fit {down}, rank_key {down}, candidate_id {up} limit :limit""",  # noqa: S608 (constants)
        **asked,
        **_columns(stretches),
        limit=limit,
        **({} if after is None else asdict(after)),
    )


async def total(session: Session, asked: Mapping[str, Any], stretches: Sequence[Stretch]) -> int:
    found = _STRETCH.format(keys=_BEYOND)
    return int(
        await session.value(
            f"""select count(*) from (
                  select from {_STRETCHES} cross join lateral (select candidate_id {found}) found limit {TOTAL_MAX}
                ) t""",  # noqa: S608 (constants)
            **asked,
            **_columns(stretches),
        )
    )


def _columns(stretches: Sequence[Stretch]) -> dict[str, list[float]]:
    return {f"{each.name}s": [getattr(one, each.name) for one in stretches] for each in fields(Stretch)}
