"""The kept counts: with which values each person stands in them, and how many people stand with each value."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from app.candidates.facts import LIVE
from app.directory.facets import FACETS, TIER
from app.directory.schemas import FACET_VALUES
from app.kit.columns import TENANT
from app.kit.db import Session
from app.kit.paging import TOTAL_MAX


class CountRepository:
    """The kept counts: with which values each person stands in them, and how many people stand with each value."""

    def __init__(self, session: Session) -> None:
        self.session = session

    async def settle(self, ids: Sequence[UUID]) -> None:
        """Count these people as they are now instead of as they were."""
        await self.session.run(_SETTLE, ids=list(ids))
        await self.session.run("delete from facet_counts where field = any(:fields) and people <= 0", fields=_FIELDS)

    async def top(self, fields: Sequence[str]) -> list[Any]:
        """Return (facet, value, people) of the most frequent values of all people."""
        return await self.session.rows(
            """select f.field as facet, c.value, c.people from unnest(cast(:fields as text[])) as f(field)
               cross join lateral (select value, people from facet_counts where field = f.field and people > 0
                 order by people desc, value limit :most) c""",
            fields=list(fields),
            most=FACET_VALUES,
        )

    async def values(self, field: str, part: str, after: str, limit: int) -> list[Any]:
        """Return (value, people) of the values that hold this (folded) part, in the order of the values."""
        return await self.session.rows(
            f"""select value, people from facet_counts
               where field = :field and value > :after and people > 0
                 and {_HOLDS} order by value limit :limit""",  # noqa: S608 (a constant)
            field=field,
            after=after,
            part=part,
            limit=limit,
        )

    async def how_many(self, field: str, part: str) -> int:
        """Count the values that hold this (folded) part, up to one more than a total says."""
        return int(
            await self.session.value(
                f"""select count(*) from (select from facet_counts
                    where field = :field and people > 0 and {_HOLDS} limit :most) as held""",  # noqa: S608 (a constant)
                field=field,
                part=part,
                most=TOTAL_MAX + 1,
            )
        )


_HOLDS: Final = "strpos(normalize(casefold(normalize(value, NFKC) collate pg_unicode_fast), NFKC), :part) > 0"
_FIELDS: Final = list(FACETS)
_SETTLE: Final = f"""
with asked as (
  select id from unnest(cast(:ids as uuid[])) as id
), people as (
  select c.id, c.tags, c.interests, c.skills, c.sources, c.current_company, c.location ->> 'city' as city,
    {TIER.format(person="c.id")} as tier
  from asked join candidates c on c.tenant_id = {TENANT} and c.id = asked.id and {LIVE}
), fresh as (
  select distinct p.id, t.field, t.value from people p cross join lateral (
    select 'tags', jsonb_array_elements_text(p.tags)
    union all select 'interests', jsonb_array_elements_text(p.interests)
    union all select 'skills.name', item ->> 'name' from jsonb_array_elements(p.skills) as item
    union all select 'sources.type', item ->> 'type' from jsonb_array_elements(p.sources) as item
    union all select 'current_company', p.current_company
    union all select 'location.city', p.city
    union all select 'score.tier', p.tier
  ) as t(field, value) where t.value is not null
), before as (
  select pair ->> 0 as field, pair ->> 1 as value
  from asked join counted c on c.candidate_id = asked.id cross join lateral jsonb_array_elements(c.held) as pair
), different as (
  select field, value, sum(n) as people from (
    select field, value, 1 as n from fresh union all select field, value, -1 from before
  ) as all_of group by field, value having sum(n) <> 0
), marked as (
  insert into counted (candidate_id, held)
  select id, jsonb_agg(jsonb_build_array(field, value)) from fresh group by id
  on conflict (tenant_id, candidate_id) do update set held = excluded.held
), unmarked as (
  delete from counted using asked
  where candidate_id = asked.id and not exists (select from fresh where fresh.id = asked.id)
)
insert into facet_counts (field, value, people)
select field, value, people from different order by field, value
on conflict (tenant_id, field, value) do update set people = facet_counts.people + excluded.people
"""  # noqa: S608 (constants)
