"""The statements of the timeline; each is one round trip for any number of touchpoints."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_

from app.kit import json, outbox
from app.kit.columns import TENANT, Target, insert, relation
from app.kit.ids import last_of
from app.kit.repository import ResourceRepository
from app.touchpoints import events
from app.touchpoints.kinds import SELECTION, SELECTION_OPENS
from app.touchpoints.models import Touchpoint
from app.touchpoints.row import Name, NewTouchpoint
from app.touchpoints.schemas import Filter
from app.touchpoints.trust import ACTOR_RULE_VERSION, Judgement

TOTAL_MAX: Final = 10_001

# `for key share` makes a merge of the same people wait or be seen, as a foreign key would; the table's own check counts
# on it. The look-ups are lateral, each by its index: without statistics a plan of joins would read whole tables a row.
_PEOPLE: Final = f"""
select asked.place, person.id as candidate_id, cast(null as uuid) as touchpoint_id
from {{}} as asked
cross join lateral (
  select coalesce((select a.candidate_id from aliases a where a.old_id = asked.id), asked.id) as id
    where asked.id is not null
  union all
  select i.candidate_id from identifiers i
    where i.kind = asked.kind and i.value_hash = asked.hash and i.value is not null
  union all
  select e.candidate_id from external_ids e
    where e.source = asked.source and e.external_id = asked.external_id
) as named
cross join lateral (
  select c.id from candidates c
  where c.tenant_id = {TENANT} and c.id = named.id
    and c.hidden_at is null and c.erased_at is null and c.merged_into is null
  for key share
) as person
"""  # noqa: S608 (constants)
_EVENTS: Final = """
select asked.place, event.candidate_id, event.id
from {} as asked
cross join lateral (
  select t.candidate_id, t.id from touchpoints t
  where t.source = asked.event_source and t.external_id = asked.event_id limit 1
) as event
"""
_NAMES: Final = (("id", "uuid"), ("kind", "text"), ("source", "text"), ("external_id", "text"), ("hash", "bytea"))
_TOLD: Final = (("event_source", "text"), ("event_id", "text"))

_TARGET: Final = Target(
    "touchpoints",
    (
        *((name, "uuid") for name in ("id", "candidate_id", "arrived_with", "connection_id", "delivery_id")),
        *((name, "timestamptz") for name in ("created_at", "occurred_at")),
        *((name, "text") for name in ("type", "source", "external_id", "message_id", "provider_flag")),
        *((name, "text") for name in ("actor", "actor_by", "agent_class", "address_class", "method_class")),
        *((name, "text") for name in ("identifier_kind", "identifier_source", "identifier_value")),
        *((name, "text[]") for name in ("topics", "actor_reasons")),
        ("identifier_hash", "bytea"),
        ("unmatched_reason", "text"),
        ("data", "jsonb"),
        ("actor_rule_version", "int"),
        ("seconds_since_delivery", "float8"),
    ),
    f"""on conflict (tenant_id, source, external_id) where external_id is not null do nothing
        returning id, {events.DATA} as data""",
)

_OF_NAME: Final = ("identifier_kind", "identifier_source", "identifier_value", "identifier_hash")
_OF_ROW: Final = tuple(name for name, _ in _TARGET.columns if name not in _OF_NAME)

_JUDGED: Final = """
select id, candidate_id, identifier_hash, type, occurred_at, source, external_id, topics, message_id,
  data->>'url' as url, data#>>'{event,id}' as event_id, actor, actor_by, actor_reasons, actor_rule_version,
  provider_flag, agent_class, method_class from touchpoints
"""
_KNOWN: Final = (
    "id", "candidate_id", "created_at", "occurred_at", "type", "source", "external_id", "message_id", "provider_flag",
    "actor", "actor_by", "agent_class", "address_class", "method_class", "topics", "actor_reasons",
)  # fmt: skip
# Named by their words, for the index that holds these only; `TELLING` says the same.
_TELLING: Final = "t.type in ('email_clicked', 'email_delivered')"
_OF_PERSON: Final = f"""
select t.id from unnest(cast(:candidate_id_of as text[]), cast(:candidate_id as uuid[])) as asked(message, id)
join touchpoints t on t.message_id = asked.message and t.candidate_id = asked.id and {_TELLING}
"""  # noqa: S608 (constants)
_OF_HASH: Final = f"""
select t.id from unnest(cast(:identifier_hash_of as text[]), cast(:identifier_hash as bytea[])) as asked(message, hash)
join touchpoints t
  on t.message_id = asked.message and t.candidate_id is null and t.identifier_hash = asked.hash and {_TELLING}
"""  # noqa: S608 (constants)
_TELL: Final = f"""
select tell_of_known(:tenant, :who, {", ".join(f":{name}" for name in _KNOWN)}, cast(:data as jsonb),
  :actor_rule_version, :seconds_since_delivery, cast(:told as jsonb), :due_kinds, :due_keys, :due_times)
"""

Event = tuple[str, str]
"""The source of an event, and its name there."""


class Located(NamedTuple):
    """Who is named, and which events are stored: their touchpoint and its candidate."""

    people: dict[Name, set[UUID]]
    events: dict[Event, tuple[UUID, UUID | None]]


class TouchpointRepository(ResourceRepository[Touchpoint]):
    model = Touchpoint

    async def locate(self, names: Collection[Name], events: Collection[Event] = ()) -> Located:
        """Find the live candidates whom each of these names, and the events that are stored."""
        asked, told = list(names), list(events)
        found = Located({}, {})
        parts: list[str] = []
        given: dict[str, Any] = {}
        if asked:
            rows = {name: list(map(attrgetter(name), asked)) for name, _ in _NAMES}
            source, given = relation(_NAMES, rows)
            parts.append(_PEOPLE.format(source))
        if told:
            sources, ids = zip(*told, strict=True)
            source, values = relation(_TOLD, {"event_source": sources, "event_id": ids})
            parts.append(_EVENTS.format(source))
            given |= values
        if not parts:
            return found
        for place, candidate_id, touchpoint_id in await self.session.rows(" union all ".join(parts), **given):
            if touchpoint_id is None:
                found.people.setdefault(asked[place - 1], set()).add(candidate_id)
            else:
                found.events[told[place - 1]] = (touchpoint_id, candidate_id)
        return found

    async def insert(self, touchpoints: Sequence[NewTouchpoint]) -> set[UUID] | None:
        """Write new touchpoints with what follows; return the ids of those whose event was not there, None for all.

        In the order of the unique key, so that two batches of the same events wait for each other and never deadlock.
        """
        ordered = sorted(touchpoints, key=lambda each: (each.source, each.external_id or ""))
        rows: dict[str, Sequence[Any]] = {name: list(map(attrgetter(name), ordered)) for name in _OF_ROW}
        rows |= zip(_OF_NAME, zip(*(each.name[1:] for each in ordered), strict=True), strict=True)
        sql, values = insert(_TARGET, rows)
        return await outbox.store(self.session, sql, values, list(map(events.created, touchpoints)))

    async def tell(self, touchpoint: NewTouchpoint) -> bool:
        """Write a new touchpoint of somebody who is named by id, with what follows; False where that is not so simple.

        It is not when nobody lives under this id, or when the event is stored.
        """
        caller, event = self.session.caller, events.created(touchpoint)
        wakes = outbox.consequences(self.session, [event])
        found = await self.session.alone(
            _TELL,
            tenant=caller.tenant_id,
            who=caller.actor,
            **{name: getattr(touchpoint, name) for name in _KNOWN},
            data=json.dumps(touchpoint.data),
            actor_rule_version=touchpoint.actor_rule_version,
            seconds_since_delivery=touchpoint.seconds_since_delivery,
            told=json.dumps(event.data),
            due_kinds=[each.kind for each in wakes],
            due_keys=[each.key for each in wakes],
            due_times=[each.at for each in wakes],
        )
        return bool(found)

    async def of_messages(self, touchpoints: Sequence[NewTouchpoint]) -> list[Any]:
        """Return what tells something of the same messages to the same recipients, and is stored."""
        parts: list[str] = []
        given: dict[str, Any] = {}
        for statement, whose, asked in (
            (_OF_PERSON, "candidate_id", [each for each in touchpoints if each.candidate_id is not None]),
            (_OF_HASH, "identifier_hash", [each for each in touchpoints if each.candidate_id is None]),
        ):
            if asked:
                parts.append(statement)
                given[f"{whose}_of"] = [each.message_id for each in asked]
                given[whose] = list(map(attrgetter(whose), asked))
        found = " union all ".join(parts)
        return await self.session.rows(f"{_JUDGED} where id = any(array({found}))", **given)

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

    async def unmatched_in(self, blocks: Collection[UUID], most: int) -> list[Any]:
        """Return what at most so many of these blocks of ids name that are unmatched, and why they mean nobody."""
        return await self.session.rows(
            """select t.id, t.identifier_kind, t.identifier_hash, t.identifier_source, t.identifier_value,
                 t.unmatched_reason
               from unnest(cast(:firsts as uuid[]), cast(:lasts as uuid[])) as block(first, last)
               cross join lateral (
                 select * from touchpoints u
                 where u.id between block.first and block.last and u.candidate_id is null
               ) as t
               where t.identifier_hash is not null order by t.id limit :most""",
            firsts=sorted(blocks),
            lasts=[last_of(block) for block in sorted(blocks)],
            most=most,
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
            f"""update candidates c set live_selection_at = s.live, rejected_at = s.rejected
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
               where c.tenant_id = {TENANT} and c.id = s.id
                 and (c.live_selection_at, c.rejected_at) is distinct from (s.live, s.rejected)""",  # noqa: S608 (constants)
            ids=list(ids),
            opens=sorted(SELECTION_OPENS),
            ends=sorted(SELECTION - SELECTION_OPENS),
            selection=sorted(SELECTION),
        )

    async def count_by_person(self, ids: Collection[UUID]) -> list[Any]:
        return await self.session.rows(
            "select candidate_id, count(*) as n from touchpoints where candidate_id = any(:ids) group by candidate_id",
            ids=list(ids),
        )

    async def move(self, moves: Mapping[UUID, UUID]) -> None:
        """Give each survivor its loser's touchpoints."""
        await self.session.run(
            """update touchpoints t set candidate_id = m.survivor
               from unnest(cast(:losers as uuid[]), cast(:survivors as uuid[])) as m(loser, survivor)
               where t.candidate_id = m.loser""",
            losers=list(moves),
            survivors=list(moves.values()),
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

    async def move_named(
        self, candidate_id: UUID, to: UUID, identifiers: Collection[tuple[str, bytes]], message_ids: Collection[str]
    ) -> None:
        """Give another for good what names one of these (kind, hash) or tells of one of these mails."""
        await self.session.run(
            """update touchpoints t set candidate_id = :to, arrived_with = :to
               where t.candidate_id = :candidate_id and (
                 t.message_id = any(:message_ids)
                 or exists (select from unnest(cast(:kinds as text[]), cast(:hashes as bytea[])) as named(kind, hash)
                            where t.identifier_kind = named.kind and t.identifier_hash = named.hash))""",
            candidate_id=candidate_id,
            to=to,
            message_ids=list(message_ids),
            kinds=[kind for kind, _ in identifiers],
            hashes=[hash_ for _, hash_ in identifiers],
        )

    async def since(self, candidate_id: UUID, moment: datetime, own: Collection[tuple[str, bytes]]) -> list[UUID]:
        """Return, in order, what was received of this candidate later than `moment` and names none of `own`."""
        rows = await self.session.rows(
            """select t.id from touchpoints t where t.candidate_id = :id and t.created_at > :moment
                 and not exists (
                   select from unnest(cast(:kinds as text[]), cast(:hashes as bytea[])) as named(kind, hash)
                   where t.identifier_kind = named.kind and t.identifier_hash = named.hash)
               order by t.id""",
            id=candidate_id,
            moment=moment,
            kinds=[kind for kind, _ in own],
            hashes=[hash_ for _, hash_ in own],
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
