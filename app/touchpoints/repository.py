"""The statements of the timeline; each is one round trip for any number of touchpoints."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_

from app.kit import json
from app.kit.repository import ResourceRepository
from app.touchpoints.draft import Wanted
from app.touchpoints.kinds import SELECTION, SELECTION_OPENS
from app.touchpoints.models import Touchpoint
from app.touchpoints.row import NewTouchpoint
from app.touchpoints.schemas import Filter
from app.touchpoints.trust import ACTOR_RULE_VERSION, Judgement

TOTAL_MAX: Final = 10_001
_COLUMNS: Final = ", ".join(Touchpoint.__table__.columns.keys())

# `for key share` is what the foreign key takes anyway; taken here it makes a merge of the same people wait or be seen.
# The look-ups are lateral, each by its index: without statistics a plan of joins would read whole tables a row.
_LOCATE: Final = """
with asked as materialized (
  select * from unnest(cast(:places as int[]), cast(:ids as uuid[]), cast(:kinds as text[]), cast(:hashes as bytea[]),
    cast(:person_sources as text[]), cast(:person_ids as text[]), cast(:sources as text[]), cast(:event_ids as text[]))
    as t(place, id, kind, hash, person_source, person_id, source, event_id)
)
select asked.place, person.id as candidate_id, cast(null as uuid) as touchpoint_id from asked
cross join lateral (
  select coalesce((select a.candidate_id from aliases a where a.old_id = asked.id), asked.id) as id
    where asked.id is not null
  union
  select i.candidate_id from identifiers i
    where i.kind = asked.kind and i.value_hash = asked.hash and i.value is not null
  union
  select e.candidate_id from external_ids e
    where e.source = asked.person_source and e.external_id = asked.person_id
) as named
cross join lateral (
  select c.id from candidates c
  where c.id = named.id and c.hidden_at is null and c.erased_at is null and c.merged_into is null
  for key share
) as person
union all
select asked.place, event.candidate_id, event.id from asked
cross join lateral (
  select t.candidate_id, t.id from touchpoints t
  where t.source = asked.source and t.external_id = asked.event_id limit 1
) as event
"""

_JUDGED: Final = """
select id, candidate_id, identifier_hash, type, occurred_at, source, external_id, topics, message_id,
  data->>'url' as url, data#>>'{event,id}' as event_id, actor, actor_by, actor_reasons, actor_rule_version,
  provider_flag, agent_class, method_class from touchpoints
"""


class TouchpointRepository(ResourceRepository[Touchpoint]):
    model = Touchpoint

    async def locate(self, wanted: Sequence[Wanted]) -> list[Any]:
        """Return (place, candidate_id, touchpoint_id).

        Without a touchpoint it is a live candidate whom that item names; with one it is the item's
        event, stored before.
        """
        return await self.session.rows(
            _LOCATE,
            places=list(range(len(wanted))),
            ids=[each.candidate_id for each in wanted],
            kinds=[each.kind for each in wanted],
            hashes=[each.hash for each in wanted],
            person_sources=[each.person_source for each in wanted],
            person_ids=[each.value for each in wanted],
            sources=[each.source for each in wanted],
            event_ids=[each.event_id for each in wanted],
        )

    async def insert(self, touchpoints: Sequence[NewTouchpoint]) -> set[UUID]:
        """Write new touchpoints; return the ids of those whose event was not there yet.

        In the order of the unique key, so that two batches of the same events wait for each other and never deadlock.
        """
        ordered = sorted(touchpoints, key=lambda each: (each.source, each.external_id or ""))
        rows = await self.session.rows(
            f"""insert into touchpoints ({_COLUMNS})
                select {_COLUMNS} from jsonb_populate_recordset(cast(null as touchpoints), cast(:rows as jsonb))
                on conflict (tenant_id, source, external_id) where external_id is not null do nothing returning id""",  # noqa: S608 (column names)
            rows=json.dumps([_plain(each, self.session.tenant_id) for each in ordered]),
        )
        return {row.id for row in rows}

    async def events(self, named: Sequence[tuple[str, str | None]]) -> list[Any]:
        """Return (id, source, external_id, candidate_id) of stored events."""
        return await self.session.rows(
            """select t.id, t.source, t.external_id, t.candidate_id from touchpoints t
               join unnest(cast(:sources as text[]), cast(:ids as text[])) as asked(source, id)
                 on t.source = asked.source and t.external_id = asked.id""",
            sources=[source for source, _ in named],
            ids=[id_ for _, id_ in named],
        )

    async def of_messages(self, touchpoints: Sequence[NewTouchpoint]) -> list[Any]:
        """Return what is stored of the same messages to the same recipients."""
        return await self.session.rows(
            f"""{_JUDGED} where id in (
                  select t.id from touchpoints t
                  join unnest(cast(:messages as text[]), cast(:ids as uuid[])) as asked(message, id)
                    on t.message_id = asked.message and t.candidate_id = asked.id
                  union all
                  select t.id from touchpoints t
                  join unnest(cast(:messages as text[]), cast(:hashes as bytea[])) as asked(message, hash)
                    on t.message_id = asked.message and t.candidate_id is null and t.identifier_hash = asked.hash
                )""",  # noqa: S608 (a constant)
            messages=[each.message_id for each in touchpoints],
            ids=[each.candidate_id for each in touchpoints],
            hashes=[each.identifier_hash for each in touchpoints],
        )

    async def of_candidates(self, ids: Sequence[UUID]) -> list[Any]:
        """Return every touchpoint of these candidates, with what verdicts and scores need."""
        return await self.session.rows(f"{_JUDGED} where candidate_id = any(:ids)", ids=list(ids))

    async def write_verdicts(self, verdicts: Mapping[UUID, Judgement]) -> None:
        """Replace verdicts that the rules made; what somebody said stays."""
        await self.session.run(
            """update touchpoints t set actor = v.actor, actor_rule_version = :version,
                 actor_reasons = array(select jsonb_array_elements_text(v.reasons)), seconds_since_delivery = v.seconds
               from jsonb_to_recordset(cast(:rows as jsonb)) as v(id uuid, actor text, reasons jsonb, seconds float8)
               where t.id = v.id and t.actor_by = 'rule'""",
            version=ACTOR_RULE_VERSION,
            rows=json.dumps(
                [
                    {"id": found, "actor": one.actor, "reasons": one.reasons, "seconds": one.seconds_since_delivery}
                    for found, one in verdicts.items()
                ]
            ),
        )

    async def unmatched_of(self, identifiers: Collection[tuple[str, bytes]]) -> list[Touchpoint]:
        """Return the unmatched touchpoints with these (kind, hash), locked, in the order of their ids."""
        rows = await self.session.rows(
            """select t.id from touchpoints t
               join unnest(cast(:kinds as text[]), cast(:hashes as bytea[])) as asked(kind, hash)
                 on t.identifier_kind = asked.kind and t.identifier_hash = asked.hash
               where t.candidate_id is null""",
            kinds=[kind for kind, _ in identifiers],
            hashes=[hash_ for _, hash_ in identifiers],
        )
        return await self.unmatched([row.id for row in rows]) if rows else []

    async def unmatched_reasons(self, ids: Collection[UUID]) -> list[Any]:
        """Return what those of `ids` name that are unmatched and have an identifier, and why they mean nobody."""
        return await self.session.rows(
            """select id, identifier_kind, identifier_hash, identifier_source, identifier_value, unmatched_reason
               from touchpoints where id = any(:ids) and candidate_id is null and identifier_hash is not null""",
            ids=list(ids),
        )

    async def unmatched(self, ids: Collection[UUID]) -> list[Touchpoint]:
        """Return those of `ids` that are unmatched and have an identifier, locked, in the order of their ids."""
        asked = self.visible().where(
            Touchpoint.id.in_(ids), Touchpoint.candidate_id.is_(None), Touchpoint.identifier_hash.is_not(None)
        )
        return await self.all(asked.order_by(Touchpoint.id).with_for_update())

    async def settle_selections(self, ids: Sequence[UUID]) -> None:
        """Write from their timelines since when a selection of these people goes on, and who was last turned down."""
        await self.session.run(
            """update candidates c set live_selection_at = s.live, rejected_at = s.rejected
               from (
                 select asked.id, max(t.occurred_at) filter (where t.type = 'rejected') as rejected,
                   min(t.occurred_at) filter (where t.type = any(:opens) and t.occurred_at > e.ended) as live
                 from unnest(cast(:ids as uuid[])) as asked(id)
                 cross join lateral (
                   select coalesce(max(x.occurred_at), '-infinity') as ended from touchpoints x
                   where x.candidate_id = asked.id and x.type = any(:ends) and x.occurred_at <= now()
                 ) as e
                 left join touchpoints t
                   on t.candidate_id = asked.id and t.type = any(:selection) and t.occurred_at <= now()
                 group by asked.id
               ) as s
               where c.id = s.id and (c.live_selection_at, c.rejected_at) is distinct from (s.live, s.rejected)""",
            ids=list(ids),
            opens=sorted(SELECTION_OPENS),
            ends=sorted(SELECTION - SELECTION_OPENS),
            selection=sorted(SELECTION),
        )

    async def move(self, loser_id: UUID, survivor_id: UUID) -> int:
        """Give one candidate's touchpoints to another; return how many there were."""
        return await self.session.run(
            "update touchpoints set candidate_id = :survivor where candidate_id = :loser",
            survivor=survivor_id,
            loser=loser_id,
        )

    async def move_back(self, survivor_id: UUID, loser_id: UUID, members: Collection[UUID]) -> None:
        """Return to the loser what arrived with one of `members`."""
        await self.session.run(
            """update touchpoints set candidate_id = :loser
               where candidate_id = :survivor and arrived_with = any(:members)""",
            survivor=survivor_id,
            loser=loser_id,
            members=list(members),
        )

    async def since(self, candidate_id: UUID, moment: datetime) -> list[UUID]:
        """Return the ids of what was received of this candidate later than `moment`, in that order."""
        rows = await self.session.rows(
            "select id from touchpoints where candidate_id = :id and created_at > :moment order by id",
            id=candidate_id,
            moment=moment,
        )
        return [row.id for row in rows]

    async def newest_of(self, ids: Sequence[UUID]) -> list[Touchpoint]:
        """Return the newest touchpoint of each of these candidates."""
        rows = await self.session.rows(
            """select newest.id from unnest(cast(:ids as uuid[])) as asked(id)
               cross join lateral (select t.id from touchpoints t where t.candidate_id = asked.id
                                   order by t.occurred_at desc, t.id limit 1) as newest""",
            ids=list(ids),
        )
        return await self.all(self.visible().where(Touchpoint.id.in_([row.id for row in rows])))

    def newest_first(self, asked: Filter, after: UUID | None) -> Select[Touchpoint]:
        """Select in the order in which they came, the last first."""
        older = [] if after is None else [Touchpoint.id < after]
        return self.visible().where(*_conditions(asked), *older).order_by(Touchpoint.id.desc())

    def unknown(self, after: UUID | None) -> Select[Touchpoint]:
        """Select the unmatched, the last first."""
        return self.newest_first(Filter(), after).where(Touchpoint.candidate_id.is_(None))

    def timeline(self, asked: Filter, after: tuple[datetime, UUID] | None) -> Select[Touchpoint]:
        """Select in the order in which it happened, the last first."""
        ordered = self.visible().where(*_conditions(asked)).order_by(Touchpoint.occurred_at.desc(), Touchpoint.id)
        if after is None:
            return ordered
        moment, last = after
        same = and_(Touchpoint.occurred_at == moment, Touchpoint.id > last)
        return ordered.where(Touchpoint.occurred_at <= moment, or_(Touchpoint.occurred_at < moment, same))

    async def total(self, asked: Select[Touchpoint]) -> int:
        """Return how many rows `asked` has, as far as it matters."""
        counted = asked.order_by(None).with_only_columns(Touchpoint.id, maintain_column_froms=True).limit(TOTAL_MAX)
        return len((await self.session.execute(counted)).all())


def _plain(touchpoint: NewTouchpoint, tenant_id: UUID) -> dict[str, Any]:
    row = touchpoint.columns() | {"tenant_id": tenant_id}
    if touchpoint.identifier_hash is not None:
        row["identifier_hash"] = f"\\x{touchpoint.identifier_hash.hex()}"
    return row


def _conditions(asked: Filter) -> list[ColumnElement[bool]]:
    listed: tuple[tuple[ColumnElement[Any], Collection[Any]], ...] = (
        (Touchpoint.candidate_id.expression, asked.candidate_ids),
        (Touchpoint.type.expression, asked.types),
        (Touchpoint.source.expression, asked.sources),
        (Touchpoint.actor.expression, asked.actors),
    )
    found: list[ColumnElement[bool]] = [column.in_(values) for column, values in listed if values]
    if asked.since is not None:
        found.append(Touchpoint.occurred_at >= asked.since)
    if asked.before is not None:
        found.append(Touchpoint.occurred_at < asked.before)
    return found
